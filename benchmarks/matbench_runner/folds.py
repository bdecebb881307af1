"""One fold: train on its training and validation part, predict its test part, keep that as a file."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import pandas as pd

from amdnet_matminer.errors import AMDNetError
from matbench_runner.files import read_json, write_json
from matbench_runner.leaderboard import NAMES, metric_of, unit_of
from matbench_runner.measures import epochs_within, process_state
from matbench_runner.models import NETWORKS, load_model, make_model, predict, settings_of
from matbench_runner.options import Options
from matbench_runner.tasks import Origin

Fold = dict[str, Any]
"""What a fold's file holds: ``job``, ``settings`` and ``origin``, which say what it is of; ``recorded``, as
MatBench keeps it; ``true`` and ``formula`` of the test crystals by id; ``measured`` times and sizes."""


class Job(NamedTuple):
    """A fold of a task, for a model."""

    model: str
    """One of ``models.MODELS``."""
    task: str
    """Name of the task."""
    fold: int
    """Number of the fold."""

    def __str__(self) -> str:
        return f"{self.task} fold {self.fold}, {self.model}"


def file_of(job: Job, options: Options) -> Path:
    """Where a fold's file is; beside it, while the fold is trained, a folder of the same name."""
    return options.folder / "folds" / job.model / job.task / f"fold_{job.fold}.json"


def read_fold(job: Job, options: Options) -> Fold | None:
    """What is kept of a fold, or None.

    Raises:
        AMDNetError: It was made with other settings than are asked for.
    """
    file = file_of(job, options)
    if not file.exists():
        return None
    fold: Fold = read_json(file)
    wanted = settings_of(job.model, job.task, options)
    differing = sorted(
        name for name in wanted | fold["settings"] if wanted.get(name) != fold["settings"].get(name)
    )
    if differing:
        raise AMDNetError(
            f"{file} was made with other settings ({', '.join(differing)}); give the same, "
            "or another --output-dir, or delete the file"
        )
    return fold


def run_fold(job: Job, task: Any, origin: Origin, options: Options) -> Fold:
    """Train and record a fold, or go on where an earlier run was ended, and keep the result.

    Args:
        job: Which one.
        task: The ``MatbenchTask`` with its data.
        origin: Where these come from.
        options: What was asked for.

    Returns:
        What its file now holds.
    """
    work = _Work.of(job, origin, options)
    measured = work.begun()
    model, parameters = _trained(job, task.get_train_and_val_data(job.fold), work, options)
    tests, true = task.get_test_data(job.fold, as_type="tuple", include_target=True)
    start = perf_counter()
    prediction = predict(model, job.task, tests)
    measured |= {"prediction_s": perf_counter() - start} | read_json(work.training) | process_state(job.model)
    # MatBench keeps what it has of a fold, here another model's.
    task.results.pop(task.folds_map[job.fold], None)
    task.record(job.fold, prediction.value, std=prediction.std, params=parameters)
    fold = {
        "job": job._asdict(),
        "settings": settings_of(job.model, job.task, options),
        "origin": origin._asdict(),
        "recorded": task.results[task.folds_map[job.fold]],
        "true": dict(zip(true.index, true.tolist(), strict=True)),
        "formula": {name: crystal.composition.reduced_formula for name, crystal in tests.items()},
        "measured": measured,
    }
    write_json(file_of(job, options), fold)
    work.done(file_of(job, options))
    return fold


def summary_line(fold: Fold) -> str:
    """A fold's score and time in one line."""
    job, measured = Job(**fold["job"]), fold["measured"]
    metric = metric_of(job.task)
    score = fold["recorded"]["scores"][metric]
    minutes = (measured["training_s"] + measured["prediction_s"]) / 60
    again = f", in {measured['starts']} runs" if measured["starts"] > 1 else ""
    mark = "" if fold["origin"]["sha256"] else " on stand-in crystals, no score"
    said = f"{job}: {NAMES[metric]} {score:.4f} {unit_of(job.task)}".rstrip()
    return f"{said}{mark}, {minutes:.1f} min on {measured['device']}{again}"


class _Work(NamedTuple):
    """A folder that a fold has while it is trained, told apart by all that decides the result."""

    folder: Path

    @classmethod
    def of(cls, job: Job, origin: Origin, options: Options) -> _Work:
        decides = json.dumps([settings_of(job.model, job.task, options), origin], sort_keys=True)
        digest = hashlib.sha256(decides.encode()).hexdigest()[:8]
        folder = file_of(job, options).with_name(f"fold_{job.fold}-{digest}")
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder)

    @property
    def model(self) -> Path:
        return self.folder / "model.amdnet"

    @property
    def training(self) -> Path:
        return self.folder / "training.json"

    @property
    def plan(self) -> Path:
        return self.folder / "plan.json"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint"

    def begun(self) -> dict[str, Any]:
        """Count the runs that this fold takes."""
        file = self.folder / "starts.json"
        starts = 1 + (read_json(file) if file.exists() else 0)
        write_json(file, starts)
        return {"starts": starts}

    def done(self, file: Path) -> None:
        """Keep the model beside the fold's file, and nothing else."""
        if self.model.exists():
            self.model.replace(file.with_suffix(".amdnet"))
        shutil.rmtree(self.folder)


def _trained(
    job: Job, data: tuple[pd.Series, pd.Series], work: _Work, options: Options
) -> tuple[Any, dict[str, Any]]:
    """The fitted model and its parameters; a network that is fitted already is read."""
    parameters = _parameters(job, data, work, options)
    if work.model.exists():
        return load_model(job.task, work.model, options), parameters
    model = make_model(job.model, job.task, parameters, options, work.checkpoint)
    start = perf_counter()
    model.fit(*data)
    training = {
        "training_s": perf_counter() - start,
        "epochs_done": getattr(model, "n_iter_", None),
        "n_training": len(data[1]),
        "model_bytes": 0 if job.model in NETWORKS else len(pickle.dumps(model)),
    }
    if job.model in NETWORKS:
        unfinished = work.folder / "unfinished.amdnet"
        model.save(unfinished)
        training["model_bytes"] = unfinished.stat().st_size
    write_json(work.training, training)
    if job.model in NETWORKS:
        unfinished.replace(work.model)
    return model, parameters


def _parameters(job: Job, data: tuple[pd.Series, pd.Series], work: _Work, options: Options) -> dict[str, Any]:
    """The model's parameters; where there is a budget of time, with the epochs that fit into it."""
    parameters = settings_of(job.model, job.task, options)
    minutes = parameters.pop("minutes", None)
    if minutes is None:
        return parameters
    if not work.plan.exists():
        make = partial(make_model, job.model, job.task, options=replace(options, quiet=True))
        write_json(work.plan, epochs_within(60 * minutes, make, parameters, data))
    return parameters | {"epochs": read_json(work.plan)}
