"""Times and sizes that are measured while models are trained."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd

from matbench_runner.device import used_device
from matbench_runner.models import NETWORKS

TRIAL_CRYSTALS = 1000
TRIAL_EPOCHS = 3


def epochs_within(
    seconds: float, make: Callable[..., Any], parameters: dict[str, Any], data: tuple[pd.Series, pd.Series]
) -> int:
    """How many epochs fit into a time, from a short trial on a part of the training crystals.

    Args:
        seconds: What a fold's training may take.
        make: Makes an unfitted network of its settings.
        parameters: All of these but the epochs.
        data: The training crystals and their labels.

    Returns:
        At least 1.
    """
    part = tuple(column.iloc[:TRIAL_CRYSTALS] for column in data)
    make(settings=parameters | {"epochs": 1}).fit(*part)  # makes the graphs and compiles the network
    start = perf_counter()
    make(settings=parameters | {"epochs": TRIAL_EPOCHS}).fit(*part)
    per_crystal = (perf_counter() - start) / TRIAL_EPOCHS / len(part[0])
    return max(1, int(seconds / (per_crystal * len(data[0]))))


def process_state(model: str) -> dict[str, Any]:
    """What a fold was trained on, and the most memory that the process has held.

    Args:
        model: One of ``models.MODELS``; only a network asks the deep-learning library.

    Returns:
        ``device`` and ``peak_memory_mb``.
    """
    device = used_device() if model in NETWORKS else "cpu"
    return {"device": device, "peak_memory_mb": peak_memory()}


def peak_memory() -> float | None:
    """The most memory that this process has held, in MB; None where the system does not tell."""
    if platform.system() == "Windows":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def count_and_bytes(folder: Path) -> tuple[int, int]:
    """How many files a folder and those in it have, and how large they are together."""
    sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
    return len(sizes), sum(sizes)
