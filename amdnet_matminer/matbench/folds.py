"""One fold: train on its training and validation part, predict its test part, keep that as a file."""

from __future__ import annotations

import hashlib
import json
import pickle
import platform
import shutil
import sys
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import pandas as pd

from amdnet_matminer import __version__
from amdnet_matminer.errors import AMDNetError, DatasetError
from amdnet_matminer.files import write_atomically
from amdnet_matminer.matbench.device import used_device
from amdnet_matminer.matbench.leaderboard import FOLDS, NAMES, TASKS, metric_of, unit_of
from amdnet_matminer.matbench.models import MODELS, Machine, Settings, predict, settings_of
from amdnet_matminer.matbench.options import Options
from amdnet_matminer.matbench.provenance import stamp
from amdnet_matminer.matbench.tasks import Origin, file_of_task, sha256_of

Fold = dict[str, Any]
"""What a fold's file holds: ``job``, ``settings`` and ``origin``, which say what it is of; ``recorded``, as
MatBench keeps it; ``true``, ``formula`` and ``n_atoms`` of the test crystals by id; ``measured`` times and
sizes; ``made``, when and by what."""
_KEYS = ("job", "settings", "origin", "recorded", "true", "formula", "n_atoms", "measured", "made")
_ANEW = "copy it again, or delete it and run the fold anew"


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
    return options.output_dir / "folds" / job.model / job.task / f"fold_{job.fold}.json"


def read_json(file: Path) -> Any:
    """What a JSON file holds."""
    return json.loads(file.read_text(encoding="utf-8"))


def write_json(file: Path, content: Any, indent: int | None = None) -> None:
    """Write a JSON file, whole or not at all; its folder is made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, (json.dumps(content, indent=indent) + "\n").encode())


def read_fold(job: Job, options: Options) -> Fold | None:
    """What is kept of a fold, or None.

    Raises:
        AMDNetError: It was made with other settings or crystals than are asked for or by another version
            of the package, or the file is not whole.
    """
    file = file_of(job, options)
    if not file.exists():
        return None
    fold = _kept(file)
    there, wanted = fold["settings"], settings_of(job.model, job.task, options)
    differing = sorted(name for name in wanted | there if wanted.get(name) != there.get(name))
    differing += ["--rows"] * (fold["origin"]["asked"] != options.rows)
    crystals = file_of_task(job.task, options)
    if crystals.is_file() and sha256_of(crystals) != fold["origin"]["sha256"]:
        differing.append(f"the file of {job.task}")
    differing += ["the version of amdnet-matminer"] * (version_of(fold) != __version__)
    if differing:
        raise AMDNetError(
            f"was made with other settings ({', '.join(differing)})",
            "give the same, or another --output-dir, or delete the file",
            item=file,
        )
    return fold


def folds_of(model: str, options: Options) -> list[Fold]:
    """All folds of a model that are there, by task and number.

    Args:
        model: One of ``MODELS``.
        options: What was asked for.

    Returns:
        What their files hold.

    Raises:
        AMDNetError: Folds of a task differ in settings or crystals, or folds of the model in the version of
            the package, or a file is not whole.
    """
    files = [file_of(Job(model, task, fold), options) for task in TASKS for fold in FOLDS]
    folds = [_kept(file) for file in files if file.exists()]
    first: dict[str, Fold] = {}
    for fold in folds:
        job = Job(**fold["job"])
        of_task = first.setdefault(job.task, fold)
        if any(fold[key] != of_task[key] for key in ("settings", "origin")):
            raise AMDNetError(
                f"has other settings or crystals than {Job(**of_task['job'])}",
                "MatBench asks for the same on all folds: delete one of the two and run it anew",
                item=file_of(job, options),
            )
        if version_of(fold) != version_of(folds[0]):
            raise AMDNetError(
                f"was made by version {version_of(fold)} of amdnet-matminer, {Job(**folds[0]['job'])} by "
                f"{version_of(folds[0])}",
                "a submission is of one version: delete one of the two and run it anew",
                item=file_of(job, options),
            )
    return folds


def version_of(fold: Fold) -> str:
    """The version of this package that has made a fold."""
    return str(fold["made"]["versions"].get("amdnet-matminer", "unknown"))


def _kept(file: Path) -> Fold:
    """What a fold's file holds, which may have been copied from elsewhere."""
    try:
        fold: Fold = read_json(file)
        missing = [key for key in _KEYS if key not in fold]
    except (ValueError, TypeError) as error:
        raise DatasetError(f"is no file of a fold: {error}", _ANEW, item=file) from error
    if missing:
        raise DatasetError(f"is no file of a fold, it has no {missing[0]!r}", _ANEW, item=file)
    return fold


def run_fold(job: Job, task: Any, origin: Origin, options: Options) -> Fold:
    """Train and record a fold, or go on where an earlier run was ended, and keep the result.

    Args:
        job: Which one.
        task: The ``MatbenchTask`` with its crystals.
        origin: Which these are.
        options: What was asked for.

    Returns:
        What its file now holds.
    """
    settings = settings_of(job.model, job.task, options)
    work = _work_folder(job, settings, origin, options)
    measured: dict[str, Any] = {"resumed": work.exists()}
    model, training = _trained(job, settings, task.get_train_and_val_data(job.fold), work, options)
    tests, true = task.get_test_data(job.fold, as_type="tuple", include_target=True)
    start = perf_counter()
    prediction = predict(model, job.task, tests)
    measured |= training | {"prediction_s": perf_counter() - start} | _process_state(job)
    # MatBench keeps what it has of a fold, here another model's.
    task.results.pop(task.folds_map[job.fold], None)
    task.record(job.fold, prediction.value, std=prediction.std, params=settings)
    fold = {
        "job": job._asdict(),
        "settings": settings,
        "origin": origin._asdict(),
        "recorded": task.results[task.folds_map[job.fold]],
        "true": dict(zip(true.index, true.tolist(), strict=True)),
        "formula": {name: crystal.composition.reduced_formula for name, crystal in tests.items()},
        "n_atoms": {name: len(crystal) for name, crystal in tests.items()},
        "measured": measured | {"model_bytes": _model_bytes(model, work)},
        "made": stamp(),
    }
    _keep(fold, file_of(job, options), work)
    return fold


def summary_line(fold: Fold) -> str:
    """A fold's score and time in one line."""
    job, measured, origin = Job(**fold["job"]), fold["measured"], Origin(**fold["origin"])
    metric = metric_of(job.task)
    score = fold["recorded"]["scores"][metric]
    minutes = (measured["training_s"] + measured["prediction_s"]) / 60
    again = ", the last of several runs" if measured["resumed"] else ""
    said = f"{job}: {NAMES[metric]} {score:.4f} {unit_of(job.task)}".rstrip()
    start = fold["settings"].get("init_from")
    notes = [] if start is None else [f"pretrained: {start}"]
    notes += [] if origin.is_complete else [origin.rows_in_words()]
    part = f" ({'; '.join(notes)})" if notes else ""
    return f"{said}{part}, {minutes:.1f} min on {measured['device']}{again}"


def _work_folder(job: Job, settings: Settings, origin: Origin, options: Options) -> Path:
    """The folder that a fold has while it is trained, told apart by all that decides the result."""
    decides = json.dumps([settings, origin], sort_keys=True)
    digest = hashlib.sha256(decides.encode()).hexdigest()[:8]
    return file_of(job, options).with_name(f"fold_{job.fold}-{digest}")


def _trained(
    job: Job, settings: Settings, data: tuple[pd.Series, pd.Series], work: Path, options: Options
) -> tuple[Any, dict[str, Any]]:
    """The fitted model, and times and sizes of its training; a network that is fitted already is read."""
    file, notes, entry = work / "model.amdnet", work / "training.json", MODELS[job.model]
    machine = Machine(options.n_jobs, options.cache_dir, work / "checkpoint", int(not options.quiet))
    model = entry.make(job.task, settings, machine)
    if file.exists():
        return type(model).load(file).set_params(**machine._asdict()), read_json(notes)
    work.mkdir(parents=True, exist_ok=True)
    start = perf_counter()
    model.fit(*data)
    training = {"training_s": perf_counter() - start, "n_training": len(data[1])}
    write_json(notes, training | {"epochs_done": getattr(model, "n_iter_", None)})
    if entry.is_network:
        model.save(file)
    return model, read_json(notes)


def _model_bytes(model: Any, work: Path) -> int:
    """Size of a fitted model: of a network its file's, of another its pickle's."""
    file = work / "model.amdnet"
    return file.stat().st_size if file.exists() else len(pickle.dumps(model))


def _process_state(job: Job) -> dict[str, Any]:
    """What a fold was trained on, and the most memory that the process has held."""
    return {
        # Only for a network is the deep-learning library loaded.
        "device": used_device() if MODELS[job.model].is_network else "cpu",
        "peak_memory_mb": peak_memory(),
    }


def peak_memory() -> float | None:
    """The most memory that this process has held, in MB; None where the system does not tell."""
    if platform.system() == "Windows":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _keep(fold: Fold, file: Path, work: Path) -> None:
    """Keep a fold, and a network beside it, and nothing else of its folder."""
    write_json(file, fold)
    network = work / "model.amdnet"
    if network.exists():
        network.replace(file.with_suffix(".amdnet"))
    shutil.rmtree(work)
