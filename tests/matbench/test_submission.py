"""The folder to submit, what the check says of it, and the script in it."""

from __future__ import annotations

import gzip
import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor

import amdnet_matminer
from amdnet_matminer.cli import main
from amdnet_matminer.matbench import models, tasks

NOT_EMPTY = ("authors", "algorithm", "algorithm_long", "bibtex_refs", "requirements")


class Ensemble(DummyRegressor):
    """Three networks, as it were."""

    n_ensemble = 3

    def predict(self, structures: Any, return_std: bool = False) -> Any:
        assert return_std
        return np.arange(len(structures), dtype=float), np.full(len(structures), 0.5)


@pytest.fixture
def folder(run: Callable, complete: Path, tmp_path: Path) -> Path:
    """A complete submission of the made-up task."""
    assert run("--model", "mean", "--authors", "A. Author") == 0
    return tmp_path / "out" / "matbench_v0.1_Mean-value"


@pytest.fixture
def check(folder: Path, capsys: Any) -> Callable[[], tuple[int, str]]:
    """Run the check: its exit code and what it prints."""

    def run_check() -> tuple[int, str]:
        capsys.readouterr()
        return main(["matbench", "check", "--output-dir", str(folder.parent)]), capsys.readouterr().out

    return run_check


def change_info(folder: Path, **changes: Any) -> None:
    info = json.loads((folder / "info.json").read_text()) | changes
    (folder / "info.json").write_text(
        json.dumps({key: value for key, value in info.items() if value is not None})
    )


def test_complete__is_ready(folder: Path, check: Callable) -> None:
    from matbench.bench import MatbenchBenchmark

    assert {file.name for file in folder.iterdir()} == {
        "hyperparameters.json",
        "info.json",
        "results.json.gz",
        "run.py",
    }
    info = json.loads((folder / "info.json").read_text())
    assert all(info[key] for key in (*NOT_EMPTY, "notes"))
    assert info["authors"] == "A. Author"
    version = amdnet_matminer.__version__
    assert {"matbench==0.6", f"amdnet-matminer=={version}"} <= set(info["requirements"]["python"])
    assert f"amdnet-matminer {version}" in info["notes"]
    assert "epochs are judged" not in info["notes"]
    assert MatbenchBenchmark.from_file(folder / "results.json.gz").is_valid
    assert json.loads((folder / "hyperparameters.json").read_text()) == {"matbench_jdft2d": {}}
    code, output = check()
    assert code == 0
    assert "ready to submit" in output
    assert "it is for 1 leaderboards; to be general-purpose it lacks matbench_mp_gap" in output
    assert "official file" not in output


def test_versions_are_those_that_made_the_folds(run: Callable, complete: Path, tmp_path: Path) -> None:
    assert run("--model", "mean") == 0
    for file in (tmp_path / "out" / "folds" / "mean" / "matbench_jdft2d").iterdir():
        fold = json.loads(file.read_text())
        fold["made"]["versions"] |= {"amdnet-matminer": "0.2.0", "numpy": "1.26.0"}
        del fold["made"]["versions"]["keras"]
        file.write_text(json.dumps(fold))
    assert run("report", "--model", "mean") == 0
    folder = tmp_path / "out" / "matbench_v0.1_Mean-value"
    info = json.loads((folder / "info.json").read_text())
    required = info["requirements"]["python"]
    assert {"amdnet-matminer==0.2.0", "numpy==1.26.0", "matbench==0.6"} <= set(required)
    assert not [line for line in required if line.startswith("keras==")]
    assert "Package amdnet-matminer 0.2.0." in info["notes"]
    assert "0.2.0" in (folder / "run.py").read_text()


def test_the_script_in_it_runs_from_there(
    run: Callable, few_trees: None, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("--model", "rf-magpie", "--fold", "1") == 0
    folder = tmp_path / "out" / "matbench_v0.1_RF-Magpie"
    code = (folder / "run.py").read_text()
    assert len(code.splitlines()) < 30
    compile(code, "run.py", "exec")
    monkeypatch.chdir(folder)
    words = ["--data-dir", str(files), "--fold", "1", "--n_jobs", "1", "--quiet"]
    monkeypatch.setattr(sys, "argv", ["run.py", *words])
    with pytest.raises(SystemExit) as end:
        runpy.run_path("run.py", run_name="__main__")
    assert not end.value.code
    assert (folder / "matbench-output" / "report.html").exists()
    place = Path("folds") / "rf-magpie" / "matbench_jdft2d" / "fold_1.json"
    one, other = (json.loads((at / place).read_text()) for at in (folder.parent, folder / "matbench-output"))
    assert one["recorded"] == other["recorded"]
    assert one["settings"] == other["settings"]


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def large(folder: Path) -> None:
    (folder / "model.amdnet").write_bytes(bytes(10_100_000))


def zipped(folder: Path) -> None:
    file = folder / "results.json.gz"
    file.write_bytes(gzip.compress(file.read_bytes()))


def falsified(folder: Path) -> None:
    file = folder / "results.json.gz"
    content = json.loads(file.read_text())
    fold = content["tasks"]["matbench_jdft2d"]["results"]["fold_0"]
    fold["data"] = dict.fromkeys(fold["data"], 0.0)
    file.write_text(json.dumps(content))


def another(folder: Path) -> None:
    other = folder.with_name("matbench_v0.1_other")
    other.mkdir()
    (other / "info.json").write_text(json.dumps({"algorithm": "Mean-value"}))


@pytest.mark.parametrize(
    ("harm", "missing"),
    [
        (remove("info.json"), "info.json is not there"),
        (remove("results.json.gz"), "results.json.gz is not there"),
        (remove("run.py"), "there is no .py or .ipynb file"),
        (remove("hyperparameters.json"), None),
        (lambda folder: (folder / ".ipynb_checkpoints").mkdir(), ".ipynb_checkpoints must not be there"),
        (large, "model.amdnet has 10 MB, more than 10"),
        (zipped, "results.json.gz is no JSON text"),
        (falsified, "Was the data modified"),
        (lambda folder: (folder / "info.json").write_text("[]"), "info.json holds no JSON object"),
        (lambda folder: change_info(folder, notes=None), "info.json has no notes"),
        (lambda folder: change_info(folder, algorithm="coGN"), "the algorithm coGN is there already"),
        (another, "the algorithm Mean-value is there already"),
        *(
            (lambda folder, key=key: change_info(folder, **{key: ""}), f"info.json has no {key}")
            for key in NOT_EMPTY
        ),
    ],
)
def test_what_is_missing_is_named(folder: Path, check: Callable, harm: Callable, missing: str | None) -> None:
    harm(folder)
    code, output = check()
    assert code == (missing is not None)
    assert (missing or "ready to submit") in output


def test_incomplete__says_which_folds(run: Callable, complete: Path, tmp_path: Path, capsys: Any) -> None:
    assert run("--model", "mean", "--fold", "0", "2") == 0
    assert main(["matbench", "check", "--output-dir", str(tmp_path / "out")]) == 1
    assert "folds [1, 3, 4] not recorded" in capsys.readouterr().out


def test_part_of_the_rows__is_refused(run: Callable, complete: Path, tmp_path: Path, capsys: Any) -> None:
    assert run("--model", "mean", "--rows", "0.5") == 0
    output = capsys.readouterr().out
    assert "mean: MAE" in output
    assert "(official folds, 15 of 30 rows)" in output
    assert "| fold 0" not in output
    assert main(["matbench", "check", "--output-dir", str(tmp_path / "out")]) == 1
    output = capsys.readouterr().out
    assert "missing: matbench_jdft2d: official folds, 15 of 30 rows, which is no submission" in output


def test_a_file_that_is_not_the_official_one_is_noted(
    run: Callable, complete: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    official = tasks.get_dataset_attribute
    monkeypatch.setattr(tasks, "get_dataset_attribute", lambda *of: "0" if "hash" in of else official(*of))
    assert run("--model", "mean") == 0
    output = capsys.readouterr().out
    assert "jdft2d.json.gz is not the official file, SHA-256 " in output
    assert "not the official file by SHA-256; check crystals, labels, order: matbench_jdft2d" in output
    assert "| jdft2d * | Mean-value |" in output


def test_standard_deviations_of_an_ensemble_are_recorded(
    run: Callable, complete: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matbench.bench import MatbenchBenchmark

    monkeypatch.setattr(models, "DummyRegressor", Ensemble)
    assert run("--model", "mean") == 0
    written = MatbenchBenchmark.from_file(tmp_path / "out" / "matbench_v0.1_Mean-value" / "results.json.gz")
    assert written.is_valid
    fold = written.tasks_map["matbench_jdft2d"].results.fold_0
    ids = list(fold.data)
    assert [fold.uncertainty[name]["std"] for name in ids] == [0.5] * len(ids)
    assert fold.uncertainty[ids[2]]["ci_upper"] == pytest.approx(2 + 1.95996 * 0.5)
