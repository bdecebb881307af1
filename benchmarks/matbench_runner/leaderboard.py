"""MatBench's structure tasks, and what is published for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

_FILE = Path(__file__).resolve().parent.parent / "leaderboard.json"
_BOARD: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))

SOURCE: str = _BOARD["source"]
DATE: str = _BOARD["date"]
TASKS: tuple[str, ...] = tuple(_BOARD["tasks"])
"""All nine tasks on structures."""

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
    entries = [Entry(name, score["mean"], score["std"]) for name, score in rows]
    return sorted(entries, key=lambda entry: entry.mean, reverse=is_classification(task))


def place(task: str, score: float) -> int:
    """The place that a score would have on a task's leaderboard, the best being 1."""
    ahead = (lambda mean: mean > score) if is_classification(task) else (lambda mean: mean < score)
    return 1 + sum(ahead(entry.mean) for entry in published(task))


def all_names() -> set[str]:
    """Names of all algorithms on the leaderboards."""
    return {entry.name for task in TASKS for entry in published(task)}
