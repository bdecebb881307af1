"""What can be asked of ``amdnet matbench``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    command: str
    """``run``, ``report`` or ``check``."""
    task: list[str]
    """Names of tasks, each once."""
    fold: list[int]
    """Numbers of folds, ascending."""
    model: list[str]
    """Names of models, each once."""
    rows: float
    """Part of each task's rows that is used, evenly spread; 1 uses all."""
    preset: list[str]
    """As ``models.check_presets`` takes them."""
    settings: dict[str, Any]
    """Parameters of the networks that go before the preset's."""
    seed: int | None
    """Of all that is random; None leaves the preset's."""
    data_dir: Path | None
    """Folder with the tasks' files; None downloads them."""
    output_dir: Path
    """Folder of all that is written."""
    cache_dir: Path
    """Folder of the graphs."""
    parallel: int
    """Networks that are trained at a time."""
    device: str
    """``auto``, ``cpu`` or ``gpu``, with a number or without."""
    n_jobs: int
    """Processes that make graphs and features, as joblib counts them."""
    authors: str
    """Who submits."""
    peers: Path | None
    """File with the scores of others on the same rows."""
    publish: Path | None
    """Folder of result files to be written, if any."""
    quiet: bool
    """Whether to show no progress bars."""
