"""What the speed workers share; runs in the peers' own environments, so numpy and pymatgen only."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from time import perf_counter, process_time

import numpy as np
from pymatgen.core import Lattice, Structure

BATCH_SIZE = 32
CUTOFF = 5.0


def read(path: str) -> tuple[list[Structure], np.ndarray]:
    """Read crystals and their targets.

    Args:
        path: A file that ``training_speed.py`` wrote.

    Returns:
        S structures and targets, shape (S,).
    """
    with np.load(path) as data:
        ends = np.cumsum(data["n_atoms"])
        sites = np.split(data["frac_coords"], ends[:-1]), np.split(data["atomic_numbers"], ends[:-1])
        structures = [
            Structure(Lattice(lattice), numbers.tolist(), coords)
            for lattice, coords, numbers in zip(data["lattice"], *sites, strict=True)
        ]
        return structures, data["y"]


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    start = perf_counter()
    work()
    return perf_counter() - start


def process_seconds(work: Callable[[], object]) -> float:
    """How long this process computes for a call, whatever else the machine does."""
    start = process_time()
    work()
    return process_time() - start


def one_core() -> None:
    """Use one core, where the system lets a process choose; to be called before threads are made."""
    os.environ |= {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def report(n_crystals: int, **durations: float) -> None:
    """Print crystals per second of each phase as the last line, for ``training_speed.py`` to read."""
    rates = {name: n_crystals / duration for name, duration in durations.items()}
    print(json.dumps(rates), file=sys.stdout, flush=True)
