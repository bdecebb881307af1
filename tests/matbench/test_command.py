"""``amdnet matbench`` from the command line, on made-up tasks."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor

from amdnet_matminer.cli import main
from amdnet_matminer.matbench import models, runs
from amdnet_matminer.matbench.report import with_spread

TASK, METALS = "matbench_jdft2d", "matbench_mp_is_metal"


def submission(tmp_path: Path, name: str = "Mean-value", out: str = "out") -> Path:
    return tmp_path / out / f"matbench_v0.1_{name}"


def read(folder: Path) -> Any:
    from matbench.bench import MatbenchBenchmark

    return MatbenchBenchmark.from_file(folder / "results.json.gz")


def fold_file(tmp_path: Path, model: str, number: int) -> Path:
    return tmp_path / "out" / "folds" / model / TASK / f"fold_{number}.json"


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


def test_mean__all_folds_are_ready_to_submit(
    run: Callable, complete: Path, labels: dict, splits: dict, tmp_path: Path, capsys: Any
) -> None:
    assert run("--model", "mean") == 0
    output = capsys.readouterr().out
    y = labels[TASK]
    expected = [np.abs(y[fold["test"]] - y[fold["train"]].mean()).mean() for fold in splits[TASK].values()]
    scores = read(submission(tmp_path)).tasks_map[TASK].scores.mae
    assert scores.mean == pytest.approx(np.mean(expected))
    for fold, error in enumerate(expected):
        assert f"{TASK} fold {fold}, mean: MAE {error:.4f} meV/atom, 0.0 min on cpu\n" in output
    assert f"{TASK}: official folds, all 30 rows; {TASK}.json.gz is the official file" in output
    assert f"{submission(tmp_path)}: ready to submit" in output
    score = f"{with_spread(np.mean(expected), np.std(expected), 5)} meV/atom"
    assert f"| jdft2d | Mean-value | no | {score} | all folds | all | 1 of 17 |" in output


def test_nothing_is_written_elsewhere(
    run: Callable, complete: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert run("--model", "mean") == 0
    assert not list((tmp_path / "here").iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {"here", "out"}


def test_trains_on_the_training_part_and_keeps_the_order(
    run: Callable, complete: Path, splits: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "DummyRegressor", Spy)
    assert run("--model", "mean", "--fold", "4", "0", "1", "2", "3", "0") == 0
    assert Spy.trained == [fold["train"] for fold in splits[TASK].values()]
    assert Spy.tested == [fold["test"] for fold in splits[TASK].values()]
    recorded = read(submission(tmp_path)).tasks_map[TASK].results
    for key, fold in splits[TASK].items():
        assert list(recorded[key].data) == fold["test"]
        assert all(value == float(name[-2:]) for name, value in recorded[key].data.items())


def test_two_models_in_one_run_have_predictions_of_their_own(
    run: Callable, few_trees: None, tmp_path: Path
) -> None:
    assert run("--model", "mean", "rf-motif", "--fold", "1") == 0
    mean, forest = (
        json.loads(fold_file(tmp_path, model, 1).read_text())["recorded"] for model in ("mean", "rf-motif")
    )
    assert len(set(mean["data"].values())) == 1
    assert len(set(forest["data"].values())) > 1
    assert forest["parameters"]["n_estimators"] == 5


@pytest.mark.parametrize("model", ["mean", "rf-magpie"])
def test_is_metal__probabilities_are_recorded(
    run: Callable, complete: Path, few_trees: None, tmp_path: Path, model: str
) -> None:
    assert run("--model", model, task=METALS) == 0
    (folder,) = (tmp_path / "out").glob("matbench_v0.1_*")
    task = read(folder).tasks_map[METALS]
    values = [value for fold in task.results.values() for value in fold.data.values()]
    assert all(isinstance(value, float) and 0 <= value <= 1 for value in values)


def test_what_is_done_is_not_done_again(
    run: Callable, few_trees: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    assert run("--model", "rf-magpie") == 0
    results = submission(tmp_path, "RF-Magpie") / "results.json.gz"
    first = json.loads(results.read_text())["tasks"]
    fold_file(tmp_path, "rf-magpie", 3).unlink()
    results.unlink()
    trained = []
    run_fold = runs.run_fold
    monkeypatch.setattr(runs, "run_fold", lambda *job: trained.append(job[0]) or run_fold(*job))
    capsys.readouterr()
    assert run("--model", "rf-magpie") == 0
    assert [job.fold for job in trained] == [3]
    assert json.loads(results.read_text())["tasks"] == first
    assert capsys.readouterr().out.count("kept from an earlier run") == 4


def test_folds_of_two_machines_are_put_together(run: Callable, complete: Path, tmp_path: Path) -> None:
    assert run("--model", "mean", "--fold", "0", "3", out="one") == 0
    assert run("--model", "mean", "--fold", "1", "2", "4", out="two") == 0
    shutil.copytree(tmp_path / "two" / "folds", tmp_path / "one" / "folds", dirs_exist_ok=True)
    assert run("report", out="one") == 0
    assert read(submission(tmp_path, out="one")).is_valid


def test_other_settings_or_crystals_are_not_mixed(
    run: Callable, few_trees: None, tmp_path: Path, capsys: Any
) -> None:
    assert run("--model", "rf-magpie", "--fold", "0") == 0
    assert run("--model", "rf-magpie", "--seed", "1") == 1
    assert "fold_0.json was made with other settings (random_state)" in capsys.readouterr().err
    assert run("--model", "rf-magpie", "--fold", "0", "--rows", "0.9") == 1
    assert "made with other settings (--rows)" in capsys.readouterr().err
    kept = json.loads(fold_file(tmp_path, "rf-magpie", 0).read_text())
    kept["origin"]["sha256"] = "of another file"
    fold_file(tmp_path, "rf-magpie", 0).write_text(json.dumps(kept))
    assert run("--model", "rf-magpie", "--fold", "0") == 1
    assert f"made with other settings (the file of {TASK})" in capsys.readouterr().err
    assert run("--model", "rf-magpie", "--fold", "1") == 1
    assert "has other settings or crystals than" in capsys.readouterr().err


def test_folds_of_two_versions_are_not_mixed(
    run: Callable, complete: Path, tmp_path: Path, capsys: Any
) -> None:
    assert run("--model", "mean") == 0
    file = fold_file(tmp_path, "mean", 3)
    kept = json.loads(file.read_text())
    kept["made"]["versions"]["amdnet-matminer"] = "0.1.0"
    file.write_text(json.dumps(kept))
    capsys.readouterr()
    assert run("report", "--model", "mean") == 1
    assert f"was made by version 0.1.0 of amdnet-matminer, {TASK} fold 0, mean by" in capsys.readouterr().err
    assert run("--model", "mean") == 1
    assert "made with other settings (the version of amdnet-matminer)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"job": {"mod', "is no file of a fold: "),
        ('{"job": {}}', "is no file of a fold, it has no 'settings'"),
    ],
)
def test_a_fold_that_was_not_copied_whole_is_named(
    run: Callable, tmp_path: Path, capsys: Any, content: str, reason: str
) -> None:
    assert run("--model", "mean", "--fold", "0") == 0
    fold_file(tmp_path, "mean", 1).write_text(content)
    capsys.readouterr()
    assert run("report", "--model", "mean") == 1
    assert f"fold_1.json {reason}" in capsys.readouterr().err


def test_some_rows__everything_says_so(run: Callable, tmp_path: Path, capsys: Any) -> None:
    assert run("--model", "mean", "--rows", "0.9") == 0
    told, words = capsys.readouterr().out, "official folds, 27 of 636 rows"
    assert f"{TASK}: {words}; {TASK}.json.gz is not the official file" in told
    assert told.count(f"({words})") == 5
    assert f"missing: {TASK}: {words}, which is no submission" in told
    assert "| all folds | 27 of 636 | – |" in told
    assert words in (tmp_path / "out" / "report.html").read_text().replace("Official", "official")
    assert "27 of 636" in (tmp_path / "out" / "report.md").read_text()
    assert words in json.loads((submission(tmp_path) / "info.json").read_text())["notes"]
    assert main(["matbench", "check", "--output-dir", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr()
    assert f"{TASK}: {words}, which is no submission; run it with the official file" in printed.out
    assert "not ready to submit: matbench_v0.1_Mean-value" in printed.err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--task", "matbench_phonons", "--data-dir", "."], "matbench_phonons.json.gz does not exist"),
        (["report"], "has no folds"),
        (["check"], "has no folder matbench_v0.1_"),
    ],
)
def test_what_is_needed_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, words: list[str], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["matbench", *words, "--quiet"]) == 1
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1


def test_missing_matbench(run: Callable, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "matbench.bench", None)
    assert run("--model", "mean") == 1
    assert "install it with: pip install --no-deps matbench==0.6\n" in capsys.readouterr().err


def test_missing_jinja2(run: Callable, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert run("--model", "mean", "--fold", "1") == 1
    assert "install it with: pip install 'amdnet-matminer[matbench]'\n" in capsys.readouterr().err
