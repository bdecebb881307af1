"""Tasks with their crystals: the official ones, or stand-ins in their places."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path
from typing import Any, NamedTuple

import matminer.datasets
import numpy as np
import pandas as pd
from common import load_crystals
from matminer.datasets import get_dataset_attribute
from numpy.typing import NDArray
from pymatgen.core import Structure

from amdnet_matminer.datasets import STRUCTURE_COLUMN, load_matbench, oxides
from amdnet_matminer.errors import DatasetError, MissingDependencyError
from matbench_runner.leaderboard import is_classification
from matbench_runner.options import Options


class Origin(NamedTuple):
    """Where the crystals of a task come from."""

    name: str
    """The file's, or what the stand-ins are called."""
    sha256: str
    """Of the file; of stand-ins empty."""
    official: bool
    """Whether it is the file that MatBench publishes."""


def new_benchmark(tasks: list[str]) -> Any:
    """An empty ``MatbenchBenchmark`` of some tasks.

    Raises:
        MissingDependencyError: matbench is not installed.
    """
    return benchmark_class()(autoload=False, subset=tasks)


def benchmark_class() -> Any:
    """``MatbenchBenchmark``, which tells only of errors.

    Raises:
        MissingDependencyError: matbench is not installed.
    """
    try:
        from matbench.bench import MatbenchBenchmark
    except ImportError as error:
        raise MissingDependencyError(
            f"cannot import matbench ({error})", "install it with: pip install --no-deps matbench==0.6"
        ) from error
    # Its notes, and the warning that a benchmark from a file has no crystals, say nothing here.
    logging.getLogger("matbench").setLevel(logging.ERROR)
    return MatbenchBenchmark


def n_crystals(task: str) -> int:
    """How many crystals a task's official file has."""
    number: int = get_dataset_attribute(task, "num_entries")
    return number


def check_files(options: Options) -> None:
    """See that the files of all tasks are there, before anything is trained.

    Raises:
        DatasetError: One is not.
    """
    if options.stand_in is not None or options.data_dir is None:
        return
    for task in options.task:
        file = options.data_dir / f"{task}.json.gz"
        if not file.is_file():
            raise DatasetError(
                "does not exist", "put it there, or leave out --data-dir to download it", item=file
            )


def load_task(name: str, options: Options) -> tuple[Any, Origin]:
    """A task with its crystals and labels.

    Args:
        name: Of the task.
        options: What was asked for.

    Returns:
        A ``MatbenchTask``, and where its crystals come from.

    Raises:
        DatasetError: Its file is absent, damaged, or has another number of rows.
        FileNotFoundError: There are no such stand-in crystals.
    """
    task = new_benchmark([name]).tasks_map[name]
    if options.stand_in is not None:
        _stand_in(task, options.stand_in, options.stand_in_size)
        return task, Origin(f"stand-in: {options.stand_in}", "", False)
    task.df = load_matbench(name, options.data_dir)
    return task, origin_of(name, options.data_dir)


def said_of(origin: Origin) -> str:
    """Where a task's crystals come from, in words."""
    if not origin.sha256:
        return f"{origin.name}, so nothing of this is a score"
    if origin.official:
        return f"the official {origin.name} by its SHA-256"
    return f"{origin.name} is not the official file (SHA-256 {origin.sha256})"


def origin_of(name: str, data_dir: Path | None) -> Origin:
    """Whether a task's file is the official one, by its SHA-256 in matminer's metadata.

    Args:
        name: Of the task.
        data_dir: Folder with the file; None is where matminer keeps what it downloads.

    Returns:
        The file and its hash.
    """
    folder = data_dir or Path(os.environ.get("MATMINER_DATA", Path(matminer.datasets.__file__).parent))
    file = folder / f"{name}.json.gz"
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Origin(file.name, digest, digest == get_dataset_attribute(name, "hash"))


def _stand_in(task: Any, crystals: str, size: int) -> None:
    """Give a task other crystals, and thin its official folds evenly to so many."""
    from matbench.util import RecursiveDotDict

    ids = sorted(task.validation.fold_0.train + task.validation.fold_0.test)
    places = np.linspace(0, len(ids) - 1, min(size, len(ids))).round().astype(int)
    chosen = [ids[place] for place in places]
    kept = set(chosen)
    task.validation = RecursiveDotDict(
        {
            fold: {part: [name for name in parts[part] if name in kept] for part in ("train", "test")}
            for fold, parts in task.validation.items()
        }
    )
    structures, labels = _crystals(crystals, len(chosen), task.dataset_name)
    rows = np.arange(len(chosen)) % len(structures)
    columns = {STRUCTURE_COLUMN: structures, task.metadata.target: labels}
    task.df = pd.DataFrame(columns).iloc[rows].set_index(pd.Index(chosen, name="mbid"))


def _crystals(name: str, size: int, task: str) -> tuple[list[Structure], NDArray]:
    """At most so many crystals, with labels of the kind that a task has."""
    if name == "oxides":
        table = oxides().sample(frac=1, random_state=0)[:size]
        structures, labels = table[STRUCTURE_COLUMN].to_list(), table["ewald_energy_per_atom"].to_numpy()
        return structures, labels < np.median(labels) if is_classification(task) else labels
    structures, table = load_crystals(name, limit=size)
    if is_classification(task):
        return structures, (table["band_gap"] == 0).to_numpy()
    energy = next(column for column in map(str, table) if column.startswith("formation_energy"))
    return structures, table["band_gap" if task == "matbench_mp_gap" else energy].to_numpy()
