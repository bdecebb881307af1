"""The MatBench runner, and tasks made up of small oxides in the form, and under the names, of two tasks."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matminer.utils.io import store_dataframe_as_json
from sklearn.model_selection import KFold

from amdnet_matminer import datasets

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
N_CRYSTALS = 30
TARGETS = {"matbench_jdft2d": "exfoliation_en", "matbench_mp_is_metal": "is_metal"}


@pytest.fixture(scope="session")
def benchmarks() -> Iterator[Path]:
    """The folder of the benchmark scripts, whose modules can be imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield BENCHMARKS


@pytest.fixture(scope="session")
def module(benchmarks: Path) -> Callable[[str], ModuleType]:
    """Import a module of the runner: ``module("folds")``."""
    pytest.importorskip("matbench", reason="needs matbench: pip install --no-deps matbench==0.6")
    return lambda name: importlib.import_module(f"matbench_runner.{name}")


@pytest.fixture(scope="session")
def labels() -> dict[str, pd.Series]:
    """Of each made-up task, the labels by id."""
    values = np.random.default_rng(0).normal(size=N_CRYSTALS)
    made = {}
    for task in TARGETS:
        prefix = task.replace("matbench", "mb").replace("_", "-")
        ids = [f"{prefix}-{row + 1:02d}" for row in range(N_CRYSTALS)]
        made[task] = pd.Series(values > 0 if task.endswith("is_metal") else values, ids)
    return made


@pytest.fixture(scope="session")
def splits(labels: dict[str, pd.Series]) -> dict[str, dict[str, dict[str, list[str]]]]:
    """Of each made-up task, the ids of the folds' parts."""
    parts = list(KFold(5, shuffle=True, random_state=18012019).split(range(N_CRYSTALS)))
    return {
        task: {
            f"fold_{fold}": {"train": own.index[train].tolist(), "test": own.index[test].tolist()}
            for fold, (train, test) in enumerate(parts)
        }
        for task, own in labels.items()
    }


@pytest.fixture(scope="session")
def files(labels: dict[str, pd.Series], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the made-up tasks' files."""
    folder = tmp_path_factory.mktemp("matbench")
    made = datasets.oxides().structure
    smallest = made.loc[made.map(len).sort_values(kind="stable").index[:N_CRYSTALS]].to_list()
    for task, target in TARGETS.items():
        table = pd.DataFrame({"structure": smallest, target: labels[task].to_list()})
        store_dataframe_as_json(table, str(folder / f"{task}.json.gz"), compression="gz", pbar=False)
    return folder


@pytest.fixture
def data_dir(
    monkeypatch: pytest.MonkeyPatch, module: Callable[[str], ModuleType], files: Path, splits: dict
) -> Path:
    """That folder, whose files matminer and matbench take for the real ones."""
    from matbench.metadata import mbv01_validation
    from matbench.util import RecursiveDotDict

    official = datasets.get_dataset_attribute

    def attribute(name: str, key: str) -> Any:
        if name in TARGETS and key == "hash":
            return hashlib.sha256((files / f"{name}.json.gz").read_bytes()).hexdigest()
        return N_CRYSTALS if name in TARGETS and key == "num_entries" else official(name, key)

    for user in (datasets, module("tasks")):
        monkeypatch.setattr(user, "get_dataset_attribute", attribute)
    for task in TARGETS:
        monkeypatch.setitem(mbv01_validation.splits, task, RecursiveDotDict(splits[task]))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    return files


@pytest.fixture(scope="session")
def script(module: Callable[[str], ModuleType], benchmarks: Path) -> ModuleType:
    """run_matbench.py."""
    spec = importlib.util.spec_from_file_location("run_matbench", benchmarks / "run_matbench.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(autouse=True)
def written(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """What the script would put into benchmarks/results, by name."""
    kept: dict[str, dict[str, Any]] = {}
    if "script" in request.fixturenames:
        script = request.getfixturevalue("script")
        monkeypatch.setattr(script, "write_result", lambda name, result: kept.update({name: result}))
    return kept


@pytest.fixture
def run(script: ModuleType, data_dir: Path, tmp_path: Path) -> Callable[..., int]:
    """Run the script on the smaller made-up task: ``run("--model", "mean", out="here")``."""

    def run_script(*words: str, out: str = "out", task: str = "matbench_jdft2d") -> int:
        where = ["--data-dir", str(data_dir), "--output-dir", str(tmp_path / out), "--task", task]
        return script.main([*words, *where, "--n_jobs", "1", "--quiet"])

    return run_script
