"""The MatBench runner from the command line, on made-up tasks."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor

from amdnet_matminer import AMDNetRegressor

TASK = "matbench_jdft2d"
METALS = "matbench_mp_is_metal"


def submission(tmp_path: Path, name: str = "Mean-value", out: str = "out") -> Path:
    return tmp_path / out / f"matbench_v0.1_{name}"


def read(folder: Path) -> Any:
    from matbench.bench import MatbenchBenchmark

    return MatbenchBenchmark.from_file(folder / "results.json.gz")


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
    run: Callable, labels: dict, splits: dict, written: dict, tmp_path: Path, capsys: Any
) -> None:
    assert run("--model", "mean") == 0
    output = capsys.readouterr().out
    y = labels[TASK]
    expected = [np.abs(y[fold["test"]] - y[fold["train"]].mean()).mean() for fold in splits[TASK].values()]
    scores = read(submission(tmp_path)).tasks_map[TASK].scores.mae
    assert scores.mean == pytest.approx(np.mean(expected))
    result = written[f"{TASK}-mean"]
    assert result["mean"] == pytest.approx(np.mean(expected))
    assert result["std"] == pytest.approx(np.std(expected))
    assert (result["place"], result["official"]) == (1, True)
    for fold, error in enumerate(expected):
        assert result["folds"][fold]["scores"]["mae"] == pytest.approx(error)
        assert f"{TASK} fold {fold}, mean: MAE {error:.4f} meV/atom, 0.0 min on cpu\n" in output
    assert f"the official {TASK}.json.gz by its SHA-256" in output
    assert f"{TASK}, mean: 5 of 5 folds done" in output
    assert f"{submission(tmp_path)}: ready to submit" in output
    assert (
        f"| jdft2d | Mean-value | {np.mean(expected):.4g} ± {np.std(expected):.2g} meV/atom | all" in output
    )


def test_trains_on_the_training_part_and_keeps_the_order(
    run: Callable, module: Callable, splits: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module("models"), "DummyRegressor", Spy)
    assert run("--model", "mean", "--fold", "4", "0", "1", "2", "3", "0") == 0
    assert Spy.trained == [fold["train"] for fold in splits[TASK].values()]
    assert Spy.tested == [fold["test"] for fold in splits[TASK].values()]
    recorded = read(submission(tmp_path)).tasks_map[TASK].results
    for key, fold in splits[TASK].items():
        assert list(recorded[key].data) == fold["test"]
        assert all(value == float(name[-2:]) for name, value in recorded[key].data.items())


def test_two_models_in_one_run_have_predictions_of_their_own(run: Callable, tmp_path: Path) -> None:
    assert run("--model", "mean", "rf-magpie", "--fold", "1") == 0
    folds = [tmp_path / "out" / "folds" / model / TASK / "fold_1.json" for model in ("mean", "rf-magpie")]
    mean, forest = (json.loads(file.read_text())["recorded"] for file in folds)
    assert len(set(mean["data"].values())) == 1
    assert len(set(forest["data"].values())) > 1
    assert forest["parameters"]["n_estimators"] == 500


@pytest.mark.parametrize("model", ["mean", "rf-magpie"])
def test_is_metal__probabilities_are_recorded(
    run: Callable, written: dict, tmp_path: Path, model: str
) -> None:
    assert run("--model", model, task=METALS) == 0
    (folder,) = (tmp_path / "out").glob("matbench_v0.1_*")
    task = read(folder).tasks_map[METALS]
    assert task.scores.rocauc.mean == pytest.approx(written[f"{METALS}-{model}"]["mean"])
    values = [value for fold in task.results.values() for value in fold.data.values()]
    assert all(isinstance(value, float) and 0 <= value <= 1 for value in values)
    assert 0 <= written[f"{METALS}-{model}"]["auc"] <= 1


def test_is_metal__a_network_classifies(
    module: Callable, data_dir: Path, splits: dict, tmp_path: Path
) -> None:
    words = ["--task", METALS, "--data-dir", str(data_dir), "--output-dir", str(tmp_path), "--quiet"]
    options = module("options").parse([*words, "--epochs", "2", "--n_jobs", "1"])
    task, origin = module("tasks").load_task(METALS, options)
    fold = module("folds").run_fold(module("folds").Job("megnet", METALS, 3), task, origin, options)
    assert list(fold["recorded"]["data"]) == splits[METALS]["fold_3"]["test"]
    assert all(0 < probability < 1 for probability in fold["recorded"]["data"].values())
    assert set(fold["true"].values()) <= {True, False}
    assert (tmp_path / "folds" / "megnet" / METALS / "fold_3.amdnet").exists()


def test_random_forest_on_motifs__one_fold(run: Callable, written: dict, capsys: Any) -> None:
    assert run("--model", "rf-motif", "--fold", "1") == 0
    (fold,) = written[f"{TASK}-rf-motif"]["folds"]
    assert 0 < fold["scores"]["mae"] < 3
    assert written[f"{TASK}-rf-motif"]["place"] is None
    assert "folds [0, 2, 3, 4] not recorded" in capsys.readouterr().out


def test_what_is_done_is_not_done_again(
    run: Callable, module: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    assert run("--model", "rf-magpie") == 0
    results = submission(tmp_path, "RF-Magpie") / "results.json.gz"
    first = results.read_bytes()
    (tmp_path / "out" / "folds" / "rf-magpie" / TASK / "fold_3.json").unlink()
    results.unlink()
    trained = []
    run_fold = module("folds").run_fold
    monkeypatch.setattr(module("schedule"), "run_fold", lambda *job: trained.append(job[0]) or run_fold(*job))
    capsys.readouterr()
    assert run("--model", "rf-magpie") == 0
    assert [job.fold for job in trained] == [3]
    assert results.read_bytes() == first
    assert capsys.readouterr().out.count("kept from an earlier run") == 4


def test_folds_of_two_machines_are_merged(run: Callable, tmp_path: Path) -> None:
    assert run("--model", "mean", out="whole") == 0
    assert run("--model", "mean", "--fold", "0", "3", out="one") == 0
    assert run("--model", "mean", "--fold", "1", "2", "4", out="two") == 0
    shutil.copytree(tmp_path / "two" / "folds", tmp_path / "one" / "folds", dirs_exist_ok=True)
    assert run("--merge", out="one") == 0
    merged, whole = (submission(tmp_path, out=out) / "results.json.gz" for out in ("one", "whole"))
    assert merged.read_bytes() == whole.read_bytes()
    assert read(submission(tmp_path, out="one")).is_valid


def test_other_settings_are_not_mixed(run: Callable, tmp_path: Path, capsys: Any) -> None:
    assert run("--model", "rf-magpie", "--fold", "0") == 0
    assert run("--model", "rf-magpie", "--seed", "1") == 1
    assert "fold_0.json was made with other settings (random_state)" in capsys.readouterr().err
    assert run("--model", "rf-magpie", "--seed", "1", "--fold", "1") == 1
    assert "has other settings or crystals than" in capsys.readouterr().err


def test_an_interrupt_is_not_taken_for_the_end_of_training(
    run: Callable, module: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Patient(DummyRegressor):
        """Keeps what it has when it is interrupted, as networks do."""

        def fit(self, structures: Any, y: Any) -> Patient:
            with suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            return super().fit(structures, y)

    monkeypatch.setattr(module("models"), "DummyRegressor", Patient)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(SystemExit, match="the same command goes on"):
        run("--model", "mean", "--fold", "0")
    assert not list((tmp_path / "out").rglob("fold_0.json"))
    assert signal.getsignal(signal.SIGINT) == before


def test_stand_in__is_no_score(run: Callable, written: dict, tmp_path: Path, capsys: Any) -> None:
    from matbench.metadata import mbv01_validation

    task = "matbench_phonons"
    assert run("--model", "mean", "--stand-in", "oxides", "--stand-in-size", "50", task=task) == 0
    folder = tmp_path / "out" / "stand-in-oxides-50"
    assert {path.name for path in folder.iterdir()} == {"folds", "stand-in-results-mean.json.gz"}
    content = json.loads((folder / "stand-in-results-mean.json.gz").read_text())
    assert content["user_metadata"]["origins"][task]["name"] == "stand-in: oxides"
    for fold, results in content["tasks"][task]["results"].items():
        assert set(results["data"]) <= set(mbv01_validation.splits[task][fold].test)
    assert sum(len(results["data"]) for results in content["tasks"][task]["results"].values()) == 50
    assert not written
    assert "no score" in capsys.readouterr().out


STAND_IN = ["--task", "matbench_phonons", "--stand-in", "oxides", "--stand-in-size", "20"]


EVERY_EPOCH = """
import sys
if "--worker" in sys.orig_argv:
    from amdnet_matminer.training import callbacks
    callbacks.SECONDS_BETWEEN_CHECKPOINTS = 0.0
"""


@pytest.fixture(scope="module")
def often(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of modules that makes networks keep their state after every epoch."""
    folder = tmp_path_factory.mktemp("often")
    (folder / "sitecustomize.py").write_text(EVERY_EPOCH)
    return folder


def started(benchmarks: Path, *words: str, modules: str = "") -> subprocess.Popen:
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "OMP_NUM_THREADS": "1", "PYTHONPATH": modules}
    environment |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    command = [
        sys.executable,
        str(benchmarks / "run_matbench.py"),
        *STAND_IN,
        *words,
        "--n_jobs",
        "1",
        "--quiet",
    ]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def test_killed_in_the_middle_of_a_fold__the_same_command_gives_the_same_file(
    benchmarks: Path, often: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matbench", reason="needs matbench: pip install --no-deps matbench==0.6")
    given = {"epochs": 60, "patience": 60, "learning_rate": 0.003}
    options = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    options += ["--model", "megnet", "--fold", "1", "--seed", "7"]
    words = [[*options, "--output-dir", str(tmp_path / name)] for name in ("killed", "whole")]
    of_task = tmp_path / "killed" / "stand-in-oxides-20" / "folds" / "megnet" / "matbench_phonons"
    to_kill, whole = (started(benchmarks, *own, modules=str(often)) for own in words)
    deadline = time.monotonic() + 300
    while not list(of_task.glob("fold_1-*/checkpoint/*")):
        assert time.monotonic() < deadline
        assert to_kill.poll() is None, to_kill.communicate()
        time.sleep(0.01)
    to_kill.kill()
    to_kill.communicate()
    assert not list(of_task.glob("fold_1.*"))
    again = started(benchmarks, *words[0], modules=str(often))
    for process in (again, whole):
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    name = Path("stand-in-oxides-20", "stand-in-results-megnet.json.gz")
    assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    check_kept_fold(of_task, given | {"random_state": 7, "architecture": "megnet", "batch_size": 32})


def check_kept_fold(of_task: Path, given: dict[str, Any]) -> None:
    """Look at what is left of a fold that was killed once."""
    assert sorted(path.name for path in of_task.iterdir()) == [
        "fold_1.amdnet",
        "fold_1.json",
        "preparation.json",
    ]
    fold = json.loads((of_task / "fold_1.json").read_text())
    assert fold["recorded"]["parameters"].items() >= given.items()
    assert not {"cache_dir", "n_jobs", "verbose", "checkpoint_dir"} & set(fold["recorded"]["parameters"])
    measured = {"epochs_done": 60, "starts": 2, "model_bytes": (of_task / "fold_1.amdnet").stat().st_size}
    assert fold["measured"].items() >= measured.items()
    saved = AMDNetRegressor.load(of_task / "fold_1.amdnet")
    assert saved.get_params().items() >= given.items()
    assert json.loads((of_task / "preparation.json").read_text())["graphs_made"] == 20


def test_folds_in_parallel(benchmarks: Path, module: Callable, tmp_path: Path) -> None:
    process = started(
        benchmarks, "--model", "mean", "--parallel", "2", "--fold", "0", "4", "--output-dir", str(tmp_path)
    )
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert "matbench_phonons, mean: 2 of 2 folds done" in output
    content = json.loads((tmp_path / "stand-in-oxides-20" / "stand-in-results-mean.json.gz").read_text())
    assert list(content["tasks"]["matbench_phonons"]["results"]) == ["fold_0", "fold_4"]


def test_a_fold_that_fails_in_its_process_is_named(
    run: Callable, module: Callable, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    schedule = module("schedule")

    def ended(_: Any, job: Any, __: int, *words: str) -> Any:
        return schedule._Outcome(job, int(job.fold == 4 and not words), 1.0)

    monkeypatch.setattr(schedule._Processes, "run", ended)
    assert run("--model", "mean", "--parallel", "2") == 1
    printed = capsys.readouterr()
    assert "not done: matbench_jdft2d fold 4, mean; see above why" in printed.err
    assert "mean: 4 of 5 folds done" in printed.out


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--task", "matbench_steels"], "no MatBench task on structures"),
        (["--fold", "5"], "invalid choice: 5"),
        (["--epochs", "0"], "epochs must be an integer of at least 1"),
        (["--model", "magic"], "invalid choice: 'magic'"),
        (["--preset", "slow"], "there is no preset 'slow'"),
        (["--preset", "matbench_steels=quick"], "a preset is given for 'matbench_steels'"),
        (["--minutes", "5", "--epochs", "3"], "--minutes must be above 0, and goes without --epochs"),
        (["--device", "tpu"], "--device must be auto, cpu"),
        (["--parallel", "0"], "--parallel must be at least 1"),
        (["--arch=megnet"], "unrecognized arguments"),
    ],
)
def test_wrong_option(script: ModuleType, options: list[str], reason: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        script.main(options)
    assert stop.value.code == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--task", "matbench_phonons", "--data-dir", "."], "matbench_phonons.json.gz does not exist"),
        (["--merge"], "has no folds"),
        (["check"], "has no folder matbench_v0.1_"),
        (["report"], "has no folds to report"),
        (["project"], "no stand-in runs of amdnet"),
    ],
)
def test_what_is_needed_is_missing(
    script: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
    words: list[str],
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert script.main(words) == 1
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1


def test_missing_matbench(run: Callable, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "matbench.bench", None)
    assert run("--model", "mean") == 1
    assert "install it with: pip install --no-deps matbench==0.6\n" in capsys.readouterr().err


def test_all_tasks_and_one_task_once(script: ModuleType) -> None:
    assert len(script.parse(["--task", "all"]).task) == 9
    options = script.parse(["--task", TASK, METALS, TASK, "--fold", "3", "0", "3"])
    assert (options.task, options.fold) == ([TASK, METALS], [0, 3])
