"""Folds put together as MatBench's ``results.json.gz``, byte for byte the same for the same folds."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amdnet_matminer import __version__
from amdnet_matminer.errors import AMDNetError
from matbench_runner.files import read_json, write_whole
from matbench_runner.folds import Fold, Job, file_of
from matbench_runner.leaderboard import TASKS
from matbench_runner.models import MODELS
from matbench_runner.options import FOLDS, Options
from matbench_runner.tasks import new_benchmark

RESULTS = "results.json.gz"
_STAMP = "%Y.%m.%d %H:%M.%S"


def folds_of(model: str, options: Options) -> list[Fold]:
    """All folds of a model that are there, by task and number.

    Args:
        model: One of ``MODELS``.
        options: What was asked for.

    Returns:
        What their files hold.

    Raises:
        AMDNetError: Folds of a task differ in settings or crystals.
    """
    files = [file_of(Job(model, task, fold), options) for task in TASKS for fold in FOLDS]
    folds = [read_json(file) for file in files if file.exists()]
    first: dict[str, Fold] = {}
    for fold in folds:
        job = Job(**fold["job"])
        of_task = first.setdefault(job.task, fold)
        if any(fold[key] != of_task[key] for key in ("settings", "origin")):
            raise AMDNetError(
                f"{file_of(job, options)} has other settings or crystals than {Job(**of_task['job'])}; "
                "MatBench asks for the same on all folds: delete one of the two and run it anew"
            )
    return folds


def models_with_folds(options: Options) -> list[str]:
    """The models that have been run, in the order of ``MODELS``."""
    return [model for model in MODELS if any((options.folder / "folds" / model).glob("*/fold_*.json"))]


def write_results(folds: Sequence[Fold], file: Path) -> None:
    """Write folds as the matbench package does, which puts no gzip into its ``.json.gz``.

    Args:
        folds: Of one model, at least one.
        file: What to write.

    Raises:
        MissingDependencyError: matbench is not installed.
    """
    from matbench.util import RecursiveDotDict, hash_dictionary

    tasks = list(dict.fromkeys(fold["job"]["task"] for fold in folds))
    benchmark = new_benchmark(tasks)
    for fold in folds:
        task = benchmark.tasks_map[fold["job"]["task"]]
        task.results[task.folds_map[fold["job"]["fold"]]] = RecursiveDotDict(fold["recorded"])
    benchmark.add_metadata(_metadata(folds))
    # The package puts the time into the file; the same folds shall give the same file.
    content = benchmark.as_dict() | {"datestamp": source_date().strftime(_STAMP)}
    del content["hash"]
    write_whole(file, json.dumps(content | {"hash": hash_dictionary(content)}))


def source_date() -> datetime:
    """The date of the source: SOURCE_DATE_EPOCH, or that of the git commit, or else 1970."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not seconds:
        command = ["git", "log", "-1", "--format=%ct"]
        here = Path(__file__).parent
        seconds = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False).stdout
    return datetime.fromtimestamp(int(seconds.strip() or 0), UTC)


def _metadata(folds: Sequence[Fold]) -> dict[str, Any]:
    origins = {fold["job"]["task"]: fold["origin"] for fold in folds}
    return {
        "algorithm": MODELS[folds[0]["job"]["model"]],
        "package": f"amdnet_matminer {__version__}",
        "origins": {task: origins[task] for task in sorted(origins)},
    }
