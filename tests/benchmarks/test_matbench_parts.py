"""Parts of the MatBench runner by themselves."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.errors import AMDNetError

Module = Callable[[str], ModuleType]


@pytest.fixture
def options(module: Module, tmp_path: Path) -> Any:
    return module("options").parse(["--output-dir", str(tmp_path), "--model", "megnet"])


def test_leaderboard(module: Module) -> None:
    from matbench.metadata import mbv01_metadata

    board = module("leaderboard")
    structure_tasks = {name for name, task in mbv01_metadata.items() if task.input_type == "structure"}
    assert set(board.TASKS) == structure_tasks
    for task in board.TASKS:
        assert board.is_classification(task) == (mbv01_metadata[task].task_type == "classification")
        entries = board.published(task)
        dummy = next(entry for entry in entries if entry.name == "Dummy")
        expected = 0.5 if board.is_classification(task) else mbv01_metadata[task].mad
        assert dummy.mean == pytest.approx(expected, rel=3e-3)
        means = [entry.mean for entry in entries]
        assert means == sorted(means, reverse=board.is_classification(task))
        assert board.place(task, means[0]) == 1
        worse = 0.9 if board.is_classification(task) else 1.1
        assert board.place(task, worse * means[-1]) == len(means) + 1
    assert board.DATE == "2024-01"


def test_presets_suit_the_estimator(module: Module) -> None:
    presets, tasks = module("presets"), module("leaderboard").TASKS
    for name, preset in presets.PRESETS.items():
        assert tuple(sorted(preset)) == tuple(sorted(tasks)), name
        for task in tasks:
            if task != "matbench_mp_is_metal":
                assert AMDNetRegressor(**preset[task]).get_params().items() >= preset[task].items()
    for task in tasks:
        settings = presets.DEFAULT[task]
        steps = settings["epochs"] * 0.8 * module("tasks").n_crystals(task) / settings["batch_size"]
        assert 5_000 < steps < 200_000


def test_presets_for_one_task_and_for_all(module: Module) -> None:
    preset_of, presets = module("presets").preset_of, module("presets").PRESETS
    task, other = "matbench_phonons", "matbench_mp_gap"
    assert preset_of(task, []) == presets["default"][task]
    chosen = ["quick", f"{task}=published"]
    assert preset_of(task, chosen) == presets["published"][task]
    assert preset_of(other, chosen) == presets["quick"][other]


def test_settings_go_before_the_preset(module: Module) -> None:
    options = module("options").parse(["--preset", "quick", "--epochs", "3", "--seed", "5"])
    settings = module("models").settings_of("amdnet-2021", "matbench_phonons", options)
    expected = {"epochs": 3, "batch_size": 64, "random_state": 5, "architecture": "amdnet-2021"}
    assert settings.items() >= expected.items()
    timed = module("models").settings_of("megnet", "matbench_phonons", replace(options, minutes=2.0))
    assert "epochs" not in timed
    assert timed["minutes"] == 2.0


def test_progress__time_left_of_a_task_and_in_all(module: Module, options: Any) -> None:
    job = module("folds").Job
    jobs = [job("mean", task, fold) for task in ("matbench_jdft2d", "matbench_phonons") for fold in (0, 1)]
    progress = module("progress").Progress(jobs, options)
    said = progress.done(jobs[0], 60.0)
    of_all = (60 * (636 + 2 * 1265) / 636) / 60
    assert said == (
        "matbench_jdft2d, mean: 1 of 2 folds done, about 60 s left; "
        f"in all 1 of 4 folds done, about {of_all:.1f} min left"
    )
    progress.done(jobs[1], 60.0)
    said = progress.done(jobs[2], 10.0)
    assert said.startswith("matbench_phonons, mean: 1 of 2 folds done, about 10 s left")
    assert progress.done(jobs[3], 10.0) == "matbench_phonons, mean: 2 of 2 folds done"


@pytest.mark.parametrize(
    ("seconds", "text"), [(12, "12 s"), (89, "89 s"), (90, "1.5 min"), (3 * 3600, "3.0 h"), (2e5, "2.3 d")]
)
def test_duration(module: Module, seconds: float, text: str) -> None:
    assert module("progress").duration(seconds) == text


def test_epochs_within_a_time(module: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(module("measures"), "perf_counter", lambda: clock[0])

    class Slow:
        """Takes a second for a crystal and epoch."""

        def __init__(self, settings: dict) -> None:
            self.epochs = settings["epochs"]

        def fit(self, structures: Any, y: Any) -> None:
            clock[0] += self.epochs * len(y)

    data = (pd.Series(range(2500)), pd.Series(range(2500)))
    epochs_within = module("measures").epochs_within
    assert epochs_within(25_000.0, Slow, {}, data) == 10
    assert epochs_within(1.0, Slow, {}, data) == 1


def test_write_whole__a_failure_leaves_the_old_file(
    module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = module("files")
    files.write_json(tmp_path / "new" / "file.json", {"a": 1})
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        files.write_json(tmp_path / "new" / "file.json", {"a": 2})
    assert files.read_json(tmp_path / "new" / "file.json") == {"a": 1}


class Driver:
    """A stand-in for nvidia-smi."""

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def __call__(self, *_: Any, **__: Any) -> SimpleNamespace:
        return SimpleNamespace(stdout=self.answer)


@pytest.mark.parametrize(
    ("choice", "nth", "visible", "said"),
    [
        ("auto", 0, "1", "GPU 1, NVIDIA B"),
        ("auto", 1, "0", "GPU 0, NVIDIA A"),
        ("auto", 2, "1", "GPU 1, NVIDIA B"),
        ("gpu", 0, "1", "GPU 1, NVIDIA B"),
        ("gpu:0", 1, "0", "GPU 0, NVIDIA A"),
        ("cpu", 0, "-1", "CPU"),
    ],
)
def test_device(
    module: Module, monkeypatch: pytest.MonkeyPatch, choice: str, nth: int, visible: str, said: str
) -> None:
    device = module("device")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    monkeypatch.setattr(subprocess, "run", Driver("0, NVIDIA A, 100\n1, NVIDIA B, 2000\n"))
    assert device.choose_device(choice, nth) == said
    assert device.os.environ["CUDA_VISIBLE_DEVICES"] == visible
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    assert device.choose_device("auto") == "CUDA_VISIBLE_DEVICES=7"


def test_device__there_is_none(module: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(subprocess, "run", Driver(""))
    assert module("device").choose_device("auto") == "CPU"
    with pytest.raises(AMDNetError, match="there is no gpu:1"):
        module("device").choose_device("gpu:1")


def stand_in_run(folder: Path, size: int, seconds: float, memory: float, epochs: int = 4) -> None:
    of_run = folder / f"stand-in-mp2018-{size}" / "folds" / "megnet" / "matbench_mp_gap"
    of_run.mkdir(parents=True)
    measured = {"n_training": 0.8 * size, "epochs_done": 2, "training_s": seconds, "prediction_s": 4.0}
    measured |= {"peak_memory_mb": memory, "device": "cpu"}
    settings = {"n_ensemble": 1, "epochs": epochs, "batch_size": 1, "validation_fraction": 0.1}
    fold = {
        "measured": measured,
        "settings": settings,
        "true": dict.fromkeys(map(str, range(size // 5)), 0.0),
    }
    (of_run / "fold_0.json").write_text(json.dumps(fold))
    preparation = {"n_crystals": size, "graphs_made": size, "graphs_s": size / 200, "graph_bytes": 5000}
    (of_run / "preparation.json").write_text(json.dumps(preparation | {"base_memory_mb": 600.0}))


def test_projection(module: Module, options: Any, tmp_path: Path) -> None:
    projection, n_task = module("projection"), 106_113
    stand_in_run(tmp_path, 1000, 40.0, 1000.0)
    stand_in_run(tmp_path, 900, 1e4, 10.0, epochs=3)  # 1,944 steps, too few for XLA
    with pytest.raises(AMDNetError, match=r"megnet on matbench_mp_gap of two .*\{900: 1944, 1000: 2880\}"):
        projection.project("megnet", "matbench_mp_gap", options)
    stand_in_run(tmp_path, 5000, 80.0, 1400.0)
    full = projection.project("megnet", "matbench_mp_gap", options)
    assert full["memory_gb"] == pytest.approx((900 + 0.1 * n_task) / 1000)
    assert full["rates"]["training_crystals_per_s"] == pytest.approx(100)
    assert full["hours"]["graphs"] == pytest.approx(n_task / 200 / 3600)
    epochs = full["settings"]["epochs"]
    assert full["hours"]["training_of_a_fold"] == pytest.approx(0.8 * n_task * epochs / 100 / 3600)
    assert full["hours"]["prediction_of_a_fold"] == pytest.approx(0.2 * n_task / 250 / 3600)
    assert full["graph_cache_gb"] == pytest.approx(5000 * n_task / 1e9)
    text = projection.said_of(full)
    assert "projected from 1,000, 5,000 stand-ins on cpu" in text
    assert "memory 11.5 GB" in text


def test_projection__from_sizes_that_tell_nothing(module: Module) -> None:
    with pytest.raises(AMDNetError, match="too near to each other"):
        module("projection").line([1.0, 1.1], [5.0, 4.0])


def test_magpie_features(module: Module, crystals: list) -> None:
    features = module("models").magpie_features(crystals, n_jobs=1)
    assert features.shape == (len(crystals), 132)
    assert np.isfinite(features).all()
    mean_number = features[0][3]
    assert mean_number == pytest.approx((22 + 2 * 8) / 3)
