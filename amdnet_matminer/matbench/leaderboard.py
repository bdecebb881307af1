"""MatBench's structure tasks, and what is published for them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any, NamedTuple

from amdnet_matminer.errors import DatasetError

_BOARD: dict[str, Any] = json.loads(Path(__file__).with_name("leaderboard.json").read_text(encoding="utf-8"))

SOURCE: str = _BOARD["source"]
DATE: str = _BOARD["date"]
TASKS: tuple[str, ...] = tuple(_BOARD["tasks"])
"""All nine tasks on structures."""
FOLDS = range(5)
"""Numbers of the official folds."""

NAMES = {"mae": "MAE", "rocauc": "ROC-AUC"}
"""How texts call the metrics."""


class Entry(NamedTuple):
    """A row of a task's leaderboard."""

    name: str
    """What the algorithm is called."""
    mean: float
    """The score, averaged over the five folds."""
    std: float
    """Standard deviation over the five folds."""
    folds: tuple[float, ...] = ()
    """The score of each fold, where it is known."""


def metric_of(task: str) -> str:
    """What a task is ranked by: ``"mae"``, or ``"rocauc"`` of a classification."""
    return "mae" if "mae" in _BOARD["tasks"][task] else "rocauc"


def is_classification(task: str) -> bool:
    """Whether a task asks for classes."""
    return metric_of(task) == "rocauc"


def unit_of(task: str) -> str:
    """The unit of a task's target; empty where there is none."""
    unit: str = _BOARD["tasks"][task]["unit"]
    return unit


def published(task: str) -> list[Entry]:
    """A task's leaderboard, the best first."""
    rows = _BOARD["tasks"][task][metric_of(task)].items()
    return _best_first(task, (Entry(name, score["mean"], score["std"]) for name, score in rows))


def peers_of(file: Path, task: str, n_rows: int) -> list[Entry]:
    """What others reach on the same rows of a task, from their published predictions.

    Args:
        file: JSON: under the name of a task ``rows`` and, under the name of each algorithm, ``folds``,
            its scores on those rows of the five folds.
        task: Name of the task.
        n_rows: How many rows are at hand.

    Returns:
        The best first; none if the file is of other rows of this task, or has none.

    Raises:
        DatasetError: It is no such file.
    """
    try:
        of_task = json.loads(file.read_text(encoding="utf-8")).get(task, {})
        scores = {name: part["folds"] for name, part in of_task.items() if isinstance(part, dict)}
        entries = [Entry(name, fmean(own), pstdev(own), tuple(own)) for name, own in scores.items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"does not tell scores of others: {error!r}"
        raise DatasetError(reason, "see --peers in the help", item=file) from error
    return _best_first(task, entries) if of_task.get("rows") == n_rows else []


def _best_first(task: str, entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.mean, reverse=is_classification(task))


def place(task: str, score: float) -> int:
    """The place that a score would have on a task's leaderboard, the best being 1."""
    ahead = (lambda mean: mean > score) if is_classification(task) else (lambda mean: mean < score)
    return 1 + sum(ahead(entry.mean) for entry in published(task))


def all_names() -> set[str]:
    """Names of all algorithms on the leaderboards."""
    return {entry.name for task in TASKS for entry in published(task)}
