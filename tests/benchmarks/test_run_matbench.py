"""The MatBench script on a made-up task: oxides in the format, and under the name, of the smallest one."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matminer.utils.io import store_dataframe_as_json
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import KFold

from amdnet_matminer import AMDNetRegressor, datasets

bench = pytest.importorskip("matbench.bench", reason="needs matbench: pip install --no-deps matbench==0.6")
from matbench.metadata import mbv01_metadata, mbv01_validation  # noqa: E402
from matbench.util import RecursiveDotDict  # noqa: E402

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
TASK = "matbench_jdft2d"
N_CRYSTALS = 30


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def script(patch: pytest.MonkeyPatch) -> ModuleType:
    patch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("run_matbench", BENCHMARKS / "run_matbench.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def labels() -> pd.Series:
    """The made-up task's labels, by its ids."""
    ids = [f"mb-jdft2d-{row + 1:02d}" for row in range(N_CRYSTALS)]
    return pd.Series(np.random.default_rng(0).normal(size=N_CRYSTALS), ids)


@pytest.fixture(scope="module")
def folds(labels: pd.Series) -> dict[str, dict[str, list[str]]]:
    splits = KFold(5, shuffle=True, random_state=18012019).split(labels)
    return {
        f"fold_{fold}": {"train": labels.index[train].tolist(), "test": labels.index[test].tolist()}
        for fold, (train, test) in enumerate(splits)
    }


@pytest.fixture(scope="module", autouse=True)
def data_dir(
    patch: pytest.MonkeyPatch, labels: pd.Series, folds: dict, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the made-up task's file, which matminer and matbench take for the real one."""
    file = tmp_path_factory.mktemp("matbench") / f"{TASK}.json.gz"
    made = datasets.oxides().structure
    smallest = made.loc[made.map(len).sort_values(kind="stable").index[:N_CRYSTALS]].to_list()
    store_dataframe_as_json(
        pd.DataFrame({"structure": smallest, "exfoliation_en": labels.to_list()}),
        str(file),
        compression="gz",
        pbar=False,
    )
    official = datasets.get_dataset_attribute
    ours = {"hash": hashlib.sha256(file.read_bytes()).hexdigest(), "num_entries": N_CRYSTALS}
    patch.setattr(datasets, "get_dataset_attribute", lambda name, key: ours.get(key) or official(name, key))
    patch.setitem(mbv01_validation.splits, TASK, RecursiveDotDict(folds))
    return file.parent


@pytest.fixture(scope="module", autouse=True)
def results(patch: pytest.MonkeyPatch, script: ModuleType) -> dict[str, dict[str, Any]]:
    """What the script would put into benchmarks/results, by name."""
    written: dict[str, dict[str, Any]] = {}
    patch.setattr(script, "write_result", lambda name, result: written.update({name: result}))
    return written


@pytest.fixture
def words(data_dir: Path, tmp_path: Path) -> list[str]:
    return ["--task", TASK, "--data-dir", str(data_dir), "--output-dir", str(tmp_path / "out"), "--quiet"]


def read(folder: Path) -> Any:
    return bench.MatbenchBenchmark.from_file(folder / "out" / "results.json.gz")


class Spy(DummyRegressor):
    """Predicts each crystal's number and remembers the ids that it saw."""

    trained: list[list[str]] = []  # noqa: RUF012
    tested: list[list[str]] = []  # noqa: RUF012

    def fit(self, structures: pd.Series, y: pd.Series) -> Spy:
        assert structures.index.equals(y.index)
        self.trained.append(structures.index.tolist())
        return self

    def predict(self, structures: pd.Series) -> np.ndarray:
        self.tested.append(structures.index.tolist())
        return np.array([name[-2:] for name in structures.index], dtype=np.float32)


def test_mean__all_folds_are_valid(
    script: ModuleType,
    words: list[str],
    labels: pd.Series,
    folds: dict,
    results: dict,
    tmp_path: Path,
    capsys: Any,
) -> None:
    assert script.main([*words, "--model", "mean"]) == 0
    output = capsys.readouterr().out
    assert read(tmp_path).is_valid
    assert f"{tmp_path / 'out' / 'results.json.gz'}: valid" in output
    expected = [np.abs(labels[fold["test"]] - labels[fold["train"]].mean()).mean() for fold in folds.values()]
    scores = read(tmp_path).tasks_map[TASK].scores.mae
    assert scores.mean == pytest.approx(np.mean(expected))
    for fold, error in enumerate(expected):
        result = results[f"{TASK}-mean-fold-{fold}"]
        assert result["scores"]["mae"] == pytest.approx(error)
        assert (result["n_training"], result["n_test"]) == (24, 6)
        assert f"\n  fold {fold}    {error:10.4f}\n" in output
        assert f"{TASK} fold {fold}: MAE {error:.4f} meV/atom, 0.0 min\n" in output
    assert f"{scores.mean:10.4f} ± {scores.std:<8.4f} <-- mean, this run, five folds" in output
    assert "33.1918 ± 7.3428   MODNet (v0.1.12)" in output


def test_trains_on_the_training_part_and_keeps_the_order(
    script: ModuleType, words: list[str], folds: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "DummyRegressor", Spy)
    assert script.main([*words, "--model", "mean", "--fold", "4", "0", "1", "2", "3", "0"]) == 0
    assert Spy.trained == [fold["train"] for fold in folds.values()]
    assert Spy.tested == [fold["test"] for fold in folds.values()]
    recorded = read(tmp_path).tasks_map[TASK].results
    for key, fold in folds.items():
        assert list(recorded[key].data) == fold["test"]
        assert all(value == float(name[-2:]) for name, value in recorded[key].data.items())


def test_amdnet__one_fold(
    script: ModuleType, words: list[str], folds: dict, results: dict, tmp_path: Path, capsys: Any
) -> None:
    options = [
        "--epochs",
        "1",
        "--batch_size",
        "8",
        "--learning_rate",
        "0.002",
        "--seed",
        "7",
        "--n_jobs",
        "1",
    ]
    assert script.main([*words, "--fold", "2", *options]) == 0
    output = capsys.readouterr().out
    assert "not valid for MatBench until all folds are in it" in output
    assert "<-- amdnet-2021, this run, fold 2 only" in output
    written = json.loads((tmp_path / "out" / "results.json.gz").read_text())
    fold = written["tasks"][TASK]["results"]["fold_2"]
    assert list(fold["data"]) == folds["fold_2"]["test"]
    assert all(isinstance(value, float) and np.isfinite(value) for value in fold["data"].values())
    result = results[f"{TASK}-amdnet-2021-fold-2"]
    assert result["settings"] == fold["parameters"]
    given = {"epochs": 1, "batch_size": 8, "learning_rate": 0.002, "random_state": 7}
    expected = AMDNetRegressor(**given).get_params()
    assert fold["parameters"] == {
        name: expected[name] for name in expected if name not in ("cache_dir", "n_jobs", "verbose")
    }
    assert (result["epochs_done"], result["unit"]) == (1, "meV/atom")


def test_random_forest__one_fold(script: ModuleType, words: list[str], results: dict, tmp_path: Path) -> None:
    assert script.main([*words, "--model", "random-forest", "--fold", "1", "--n_jobs", "1"]) == 0
    result = results[f"{TASK}-random-forest-fold-1"]
    assert 0 < result["scores"]["mae"] < 3
    assert result["settings"]["n_estimators"] == 500


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--task", "matbench_mp_is_metal"], "is a classification"),
        (["--task", "matbench_steels"], "no MatBench task on structures"),
        (["--fold", "5"], "invalid choice: 5"),
        (["--epochs", "0"], "epochs must be an integer of at least 1"),
        (["--architecture", "gnn"], "architecture must be one of"),
        (["--model", "magic"], "invalid choice: 'magic'"),
    ],
)
def test_wrong_option(script: ModuleType, options: list[str], reason: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        script.main(options)
    assert stop.value.code == 2
    assert reason in capsys.readouterr().err


def test_missing_data(script: ModuleType, tmp_path: Path, capsys: Any) -> None:
    words = ["--task", "matbench_phonons", "--data-dir", str(tmp_path), "--output-dir", str(tmp_path / "out")]
    assert script.main(words) == 1
    error = capsys.readouterr().err
    assert "matbench_phonons.json.gz does not exist" in error
    assert error.count("\n") == 1


def test_missing_matbench(
    script: ModuleType, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setitem(sys.modules, "matbench.bench", None)
    assert script.main(words) == 1
    assert "install it with: pip install --no-deps matbench==0.6\n" in capsys.readouterr().err


@pytest.mark.parametrize("n_training", [500, 1_012, 15_142, 84_890, 106_201])
def test_default_settings_suit_the_estimator(script: ModuleType, n_training: int) -> None:
    settings = script.default_settings(n_training)
    assert AMDNetRegressor(**settings).get_params().items() >= settings.items()
    steps = settings["epochs"] * n_training / settings["batch_size"]
    assert 5_000 < steps < 200_000


def test_leaderboard(script: ModuleType) -> None:
    tasks = {
        name
        for name, task in mbv01_metadata.items()
        if task.input_type == "structure" and task.task_type == "regression"
    }
    assert set(script.TASKS) == tasks
    for name, task in script.TASKS.items():
        assert task["mae"]["Dummy"]["mean"] == pytest.approx(mbv01_metadata[name].mad, rel=2e-3)
        assert list(task["mae"].values()) == sorted(task["mae"].values(), key=lambda score: score["mean"])
