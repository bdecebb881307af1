"""Tasks with their crystals: the official folds, restricted to the rows that are there."""

from __future__ import annotations

import hashlib
import logging
import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import matminer.datasets
import numpy as np
from matminer.datasets import get_dataset_attribute

from amdnet_matminer.datasets import load_matbench
from amdnet_matminer.errors import DatasetError, MissingDependencyError
from amdnet_matminer.matbench.options import Options


class Origin(NamedTuple):
    """Where the crystals of a task come from."""

    name: str
    """The file's."""
    sha256: str
    """Of the file."""
    official: bool
    """Whether it is the file that MatBench publishes."""
    rows: int
    """How many of the task's rows are used."""
    of: int
    """How many rows the task has."""
    asked: float
    """The part of the file's rows that was asked for."""

    @property
    def is_complete(self) -> bool:
        """Whether all rows of the task are used."""
        return self.rows == self.of

    def __str__(self) -> str:
        """Which rows of what file, in words."""
        which = "the official file" if self.official else f"not the official file, SHA-256 {self.sha256}"
        return f"{self.rows_in_words()}; {self.name} is {which}"

    def rows_in_words(self) -> str:
        """On which rows a score is, in words."""
        of = f"all {self.of:,}" if self.is_complete else f"{self.rows:,} of {self.of:,}"
        return f"official folds, {of} rows"


def matbench_task(name: str) -> Any:
    """A ``MatbenchTask`` without crystals.

    Raises:
        MissingDependencyError: matbench is not installed.
    """
    return new_benchmark([name]).tasks_map[name]


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


def n_official_rows(task: str) -> int:
    """How many crystals a task's official file has."""
    number: int = get_dataset_attribute(task, "num_entries")
    return number


def file_of_task(name: str, options: Options) -> Path:
    """Where a task's file is, or will be once it is downloaded."""
    kept = Path(os.environ.get("MATMINER_DATA", Path(matminer.datasets.__file__).parent))
    return (options.data_dir or kept) / f"{name}.json.gz"


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_files(options: Options) -> None:
    """See that the files of all tasks are there, before anything is trained.

    Raises:
        DatasetError: One is not.
    """
    files = [file_of_task(task, options) for task in options.task] if options.data_dir is not None else []
    for file in files:
        if not file.is_file():
            remedy = "put it there, or leave out --data-dir to download it"
            raise DatasetError("does not exist", remedy, item=file)


def load_task(name: str, options: Options) -> tuple[Any, Origin]:
    """A task with its crystals and labels.

    Args:
        name: Of the task.
        options: What was asked for.

    Returns:
        A ``MatbenchTask`` whose folds have only the rows that are used, and which these are.

    Raises:
        DatasetError: Its file is absent, damaged, or has rows that the task has not; or of a part of a
            fold no row is there.
        MissingDependencyError: matbench is not installed.
    """
    task = matbench_task(name)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*official")  # the origin says it
        table = load_matbench(name, options.data_dir)
    n_used = max(1, round(options.rows * len(table)))
    task.df = table.iloc[np.linspace(0, len(table) - 1, n_used).round().astype(int)]
    _restrict(task)
    file = file_of_task(name, options)
    digest = sha256_of(file)
    official = digest == get_dataset_attribute(name, "hash")
    return task, Origin(file.name, digest, official, n_used, n_official_rows(name), options.rows)


def _restrict(task: Any) -> None:
    """Leave only the rows that a task has in the parts of its folds."""
    from matbench.util import RecursiveDotDict

    there = set(task.df.index)
    folds = {
        fold: {part: [name for name in parts[part] if name in there] for part in ("train", "test")}
        for fold, parts in task.validation.items()
    }
    empty = [f"{fold}'s {part} part" for fold, parts in folds.items() for part in parts if not parts[part]]
    if empty:
        raise DatasetError(
            f"has no row of {empty[0]}",
            "give a file with more rows, or larger --rows",
            item=task.dataset_name,
        )
    task.validation = RecursiveDotDict(folds)
