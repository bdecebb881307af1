"""Folds of networks, each in a process of its own, and what becomes of them when they are killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from amdnet_matminer import AMDNetClassifier, AMDNetRegressor
from amdnet_matminer.matbench import folds, runs
from amdnet_matminer.matbench.folds import Job, run_fold
from amdnet_matminer.matbench.tasks import load_task

TASK, METALS = "matbench_jdft2d", "matbench_mp_is_metal"
SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "run_matbench.py"
TINY = ["--model", "amdnet", "--epochs", "3", "--width", "8", "--n_blocks", "1", "--n_neighbors", "4"]
TINY += ["--optimizer", "adamw"]  # compiled in half the time of muon's


def finished(options: Any, task: str = TASK, number: int = 1) -> dict[str, Any]:
    """A fold of a network, run here."""
    run_fold(Job("amdnet", task, number), *load_task(task, options), options)
    return json.loads((options.output_dir / "folds" / "amdnet" / task / f"fold_{number}.json").read_text())


def test_is_metal__a_network_classifies(options_of: Callable, tmp_path: Path) -> None:
    fold = finished(options_of("--task", METALS, *TINY), METALS)
    assert all(0 < probability < 1 for probability in fold["recorded"]["data"].values())
    assert set(fold["true"].values()) <= {True, False}
    AMDNetClassifier.load(tmp_path / "out" / "folds" / "amdnet" / METALS / "fold_1.amdnet")


def test_killed_in_the_middle_of_a_fold__goes_on_to_the_same_result(
    files: Path, options_of: Callable, tmp_path: Path
) -> None:
    words = ["--task", TASK, "--fold", "1", *TINY]
    where = ["--data-dir", str(files), "--output-dir", str(tmp_path / "out"), "--n_jobs", "1", "--quiet"]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "PYTHONPATH": str(SCRIPT.parents[1])}
    command = [sys.executable, str(SCRIPT), *words, *where]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    of_task, deadline = tmp_path / "out" / "folds" / "amdnet" / TASK, time.monotonic() + 300
    while not list(of_task.glob("fold_1-*/checkpoint")):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    workers = psutil.Process(process.pid).children()
    process.kill()
    process.communicate()
    _, left = psutil.wait_procs(workers, timeout=60)
    assert not left, "a process outlives the one that started it"
    assert not list(of_task.glob("fold_1.*"))

    again, whole = (
        finished(options_of(*words)),
        finished(options_of(*words, "--output-dir", str(tmp_path / "whole"))),
    )
    assert again["measured"]["resumed"]
    assert not whole["measured"]["resumed"]
    assert again["recorded"]["data"] == pytest.approx(whole["recorded"]["data"], rel=1e-4, abs=1e-5)
    assert sorted(path.name for path in of_task.iterdir()) == ["fold_1.amdnet", "fold_1.json"]
    check_kept(again, of_task / "fold_1.amdnet")


def check_kept(fold: dict[str, Any], file: Path) -> None:
    """Look at what is kept of a fold, and of its network."""
    given = {"epochs": 3, "width": 8, "architecture": "amdnet", "batch_size": 32, "random_state": 0}
    assert fold["recorded"]["parameters"].items() >= given.items()
    measured = {"epochs_done": 3, "model_bytes": file.stat().st_size, "device": "cpu"}
    assert fold["measured"].items() >= measured.items()
    assert fold["made"]["date"].startswith("20")
    assert AMDNetRegressor.load(file).get_params().items() >= given.items()


def test_a_network_that_is_fitted_is_not_trained_again(
    options_of: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = options_of("--task", TASK, *TINY)
    with monkeypatch.context() as patch:
        patch.setattr(folds, "predict", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            finished(options)
    monkeypatch.setattr(AMDNetRegressor, "fit", lambda *_: pytest.fail("trained again"))
    assert finished(options)["measured"]["epochs_done"] == 3


def test_a_fold_that_fails_in_its_process_is_named(
    run: Callable, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    class Ended:
        """A process that has ended, of fold 4 with an error."""

        def __init__(self, fold: int) -> None:
            self.sentinel, self.exitcode = 100 + fold, int(fold == 4)

        def join(self) -> None:
            pass

    monkeypatch.setattr(runs, "keep_graphs", lambda *_: None)
    monkeypatch.setattr(runs, "_started", lambda job, *_: Ended(job.fold))
    monkeypatch.setattr(runs, "wait", lambda sentinels: sentinels[:1])
    assert run("--model", "amdnet", "--parallel", "2") == 1
    assert "not done: matbench_jdft2d fold 4, amdnet; see above why" in capsys.readouterr().err


def test_a_worker_says_in_a_line_what_is_wrong(options_of: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("choose_device", "_end_with_parent"):
        monkeypatch.setattr(runs, name, lambda *_: None)
    monkeypatch.setattr(runs.signal, "signal", lambda *_: None)
    options = options_of("--data-dir", "nowhere", *TINY)
    with pytest.raises(SystemExit, match=r"matbench_jdft2d fold 0, amdnet: nowhere.* does not exist"):
        runs._work(Job("amdnet", TASK, 0), 0, options)
