"""What full runs would take, from what runs on stand-in crystals have taken."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from amdnet_matminer.errors import AMDNetError
from matbench_runner.files import read_json
from matbench_runner.folds import Fold
from matbench_runner.models import settings_of
from matbench_runner.options import FOLDS, Options
from matbench_runner.progress import duration
from matbench_runner.tasks import n_crystals

TRAINING_PART = 0.8
"""Four folds of five train."""


class Run(NamedTuple):
    """A run on stand-in crystals."""

    preparation: dict[str, Any]
    """What ``schedule`` keeps of loading crystals and making graphs."""
    folds: list[Fold]
    """At least one."""

    @property
    def size(self) -> int:
        """Number of crystals."""
        return int(self.preparation["n_crystals"])

    @property
    def n_steps(self) -> int:
        """The fewest training steps that a fold was planned with, which decide how a network is compiled."""
        settings = self.folds[0]["settings"]
        fewest = min(fold["measured"]["n_training"] for fold in self.folds)
        n_batches = ceil((1 - settings["validation_fraction"]) * fewest / settings["batch_size"])
        return int(settings["n_ensemble"] * settings["epochs"] * n_batches)

    @property
    def memory(self) -> float:
        """The most that a fold's process has held, in MB."""
        return max(fold["measured"]["peak_memory_mb"] for fold in self.folds)

    @property
    def seen(self) -> list[float]:
        """How many crystals networks have seen in training, counted in every epoch, by fold."""
        networks = self.folds[0]["settings"].get("n_ensemble", 1)
        measured = [fold["measured"] for fold in self.folds]
        return [networks * part["n_training"] * part["epochs_done"] for part in measured]

    @property
    def seconds(self) -> list[float]:
        """How long that took, by fold."""
        return [fold["measured"]["training_s"] for fold in self.folds]


def project(model: str, task: str, options: Options) -> dict[str, Any]:
    """Scale what was measured to a task's official size and a network's full settings.

    A fold's training goes at the rate of the run whose networks saw the most crystals, in which compiling
    counts for more than in a full run, so that this is rather faster; a process's memory is a line over the
    crystals of the task. Runs so short that their networks are compiled otherwise, which takes other times
    and memory, are left out. Early stopping and reading the task's file are not reckoned with.

    Args:
        model: A network of ``models.MODELS``.
        task: Name of the task.
        options: What was asked for; its settings are those of the full run.

    Returns:
        Rates measured, and times, memory and disk space of the full run.

    Raises:
        AMDNetError: There are no stand-in runs of two sizes that are long enough.
    """
    runs = _comparable(stand_in_runs(model, task, options.output_dir), f"{model} on {task}")
    settings, n_task = settings_of(model, task, options), n_crystals(task)
    seen = TRAINING_PART * n_task * settings.get("epochs", 1) * settings.get("n_ensemble", 1)
    rates = _rates(runs)
    hours = {
        "graphs": n_task / rates["graphs_per_s"] / 3600,
        "training_of_a_fold": seen / rates["training_crystals_per_s"] / 3600,
        "prediction_of_a_fold": (1 - TRAINING_PART) * n_task / rates["prediction_crystals_per_s"] / 3600,
    }
    of_fold = hours["training_of_a_fold"] + hours["prediction_of_a_fold"]
    start, slope = line([run.size for run in runs], [run.memory for run in runs])
    return {
        "task": task,
        "model": model,
        "settings": settings,
        "n_crystals": n_task,
        "stand_in_sizes": [run.size for run in runs],
        "device": runs[-1].folds[0]["measured"]["device"],
        "rates": rates,
        "hours": hours | {"all_folds": hours["graphs"] + len(FOLDS) * of_fold},
        "memory_gb": (start + slope * n_task) / 1e3,
        "graph_cache_gb": rates["bytes_per_graph"] * n_task / 1e9,
    }


def stand_in_runs(model: str, task: str, folder: Path) -> list[Run]:
    """All stand-in runs of a network on a task, the smallest first."""
    runs = []
    for of_run in folder.glob(f"stand-in-*/folds/{model}/{task}"):
        folds = [read_json(file) for file in sorted(of_run.glob("fold_*.json"))]
        preparation = of_run / "preparation.json"
        if folds and preparation.exists():
            runs.append(Run(read_json(preparation), folds))
    return sorted(runs, key=lambda run: run.size)


def _comparable(found: Sequence[Run], what: str) -> list[Run]:
    """Those runs that are compiled as a full one is; at least two."""
    from amdnet_matminer.training.compiled import STEPS_WORTH_XLA

    runs = [run for run in found if run.n_steps >= STEPS_WORTH_XLA]
    if len(runs) < 2:
        there = {run.size: run.n_steps for run in found}
        raise AMDNetError(
            f"there are no stand-in runs of {what} of two sizes with {STEPS_WORTH_XLA:,} training steps or "
            f"more, only (crystals: steps) {there}; make them with --stand-in, two --stand-in-size, as many "
            "--epochs as that takes, and an empty --cache-dir each"
        )
    return runs


def line(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """The least-squares line through points.

    Args:
        x: Shape (S,).
        y: Shape (S,).

    Returns:
        Its value at 0 and its slope.

    Raises:
        AMDNetError: It does not rise, so that the points are too near to each other to tell anything.
    """
    slope, start = np.polyfit(x, y, deg=1)
    if slope <= 0:
        raise AMDNetError("the stand-in runs' sizes are too near to each other; add one that is much larger")
    return float(start), float(slope)


def said_of(projection: dict[str, Any]) -> str:
    """A projection in words."""
    sizes = ", ".join(f"{size:,}" for size in projection["stand_in_sizes"])
    times = {name: duration(3600 * value) for name, value in projection["hours"].items()}
    return (
        f"{projection['task']}, {projection['model']}, {projection['n_crystals']:,} crystals, projected from "
        f"{sizes} stand-ins on {projection['device']}:\n"
        f"  graphs {times['graphs']}, a fold's training {times['training_of_a_fold']} and prediction "
        f"{times['prediction_of_a_fold']}, all folds {times['all_folds']}\n"
        f"  memory {projection['memory_gb']:.1f} GB, graphs on disk {projection['graph_cache_gb']:.1f} GB"
    )


def _rates(runs: Sequence[Run]) -> dict[str, float]:
    """Crystals in a second."""
    largest, longest = runs[-1], max(runs, key=lambda run: sum(run.seen))
    predicted = sum(len(fold["true"]) for fold in largest.folds)
    return {
        "graphs_per_s": largest.preparation["graphs_made"] / largest.preparation["graphs_s"],
        "bytes_per_graph": largest.preparation["graph_bytes"],
        "training_crystals_per_s": sum(longest.seen) / sum(longest.seconds),
        "prediction_crystals_per_s": predicted / sum(f["measured"]["prediction_s"] for f in largest.folds),
    }
