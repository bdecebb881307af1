"""Tasks made up of small oxides, in the form, and under the names, of two tasks of MatBench."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matminer.utils.io import store_dataframe_as_json
from sklearn.model_selection import KFold

from amdnet_matminer import datasets
from amdnet_matminer.cli import main
from amdnet_matminer.matbench import models, tasks
from amdnet_matminer.matbench.arguments import add_options, options_from
from amdnet_matminer.matbench.options import Options

N_CRYSTALS = 30
TASK, METALS = "matbench_jdft2d", "matbench_mp_is_metal"
TARGETS = {TASK: "exfoliation_en", METALS: "is_metal"}


@pytest.fixture(scope="session", autouse=True)
def _matbench() -> None:
    pytest.importorskip("matbench", reason="needs matbench: pip install --no-deps matbench==0.6")


@pytest.fixture(scope="session")
def labels() -> dict[str, pd.Series]:
    """Of each made-up task, the labels by id."""
    values = np.random.default_rng(0).normal(size=N_CRYSTALS)
    made = {}
    for task in TARGETS:
        prefix = task.replace("matbench", "mb").replace("_", "-")
        ids = [f"{prefix}-{row + 1:02d}" for row in range(N_CRYSTALS)]
        made[task] = pd.Series(values > 0 if task == METALS else values, ids)
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
    """A folder with the made-up tasks' files; taken for what they say, they have the first official rows."""
    folder = tmp_path_factory.mktemp("matbench")
    made = datasets.oxides().structure
    smallest = made.loc[made.map(len).sort_values(kind="stable").index[:N_CRYSTALS]].to_list()
    for task, target in TARGETS.items():
        table = pd.DataFrame({"structure": smallest, target: labels[task].to_list()})
        store_dataframe_as_json(table, str(folder / f"{task}.json.gz"), compression="gz", pbar=False)
    return folder


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch, files: Path, splits: dict) -> Path:
    """That folder, whose files matminer and matbench take for the real and whole ones."""
    from matbench.metadata import mbv01_validation
    from matbench.util import RecursiveDotDict

    official = datasets.get_dataset_attribute

    def attribute(name: str, key: str) -> Any:
        if name in TARGETS and key == "hash":
            return hashlib.sha256((files / f"{name}.json.gz").read_bytes()).hexdigest()
        return N_CRYSTALS if name in TARGETS and key == "num_entries" else official(name, key)

    for user in (datasets, tasks):
        monkeypatch.setattr(user, "get_dataset_attribute", attribute)
    for task in TARGETS:
        monkeypatch.setitem(mbv01_validation.splits, task, RecursiveDotDict(splits[task]))
    return files


@pytest.fixture
def run(files: Path, tmp_path: Path) -> Callable[..., int]:
    """Run the command on the smaller made-up task: ``run("--model", "mean", out="here")``."""

    def run_command(*words: str, out: str = "out", task: str = TASK) -> int:
        where = ["--data-dir", str(files), "--output-dir", str(tmp_path / out), "--task", task]
        return main(["matbench", *words, *where, "--n_jobs", "1", "--quiet"])

    return run_command


@pytest.fixture
def options_of(files: Path, tmp_path: Path) -> Callable[..., Options]:
    """What words ask for: ``options_of("--epochs", "3")``."""

    def parse(*words: str) -> Options:
        parser = argparse.ArgumentParser()
        add_options(parser)
        parser.set_defaults(parser=parser)
        where = ["--data-dir", str(files), "--output-dir", str(tmp_path / "out")]
        return options_from(parser.parse_args([*where, "--n_jobs", "1", "--quiet", *words]))

    return parse


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make forests of five trees."""
    for name in ("rf-magpie", "rf-motif"):
        for settings in models.MODELS[name].presets["default"].values():
            monkeypatch.setitem(settings, "n_estimators", 5)
