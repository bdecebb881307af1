"""One function over many structures, in one process or several."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import suppress
from itertools import islice
from time import perf_counter
from typing import TypeVar

from joblib import Parallel, delayed
from pymatgen.core import Structure
from tqdm.auto import tqdm

from amdnet_matminer.errors import StructureError

Result = TypeVar("Result")

WINDOW_SECONDS = 2.0
"""About how long a window of structures takes, results coming at its end."""


def map_structures(
    function: Callable[[Structure], Result],
    structures: Iterable[Structure],
    n_jobs: int | None = None,
    description: str = "structures",
    verbose: bool = False,
    indices: Sequence[int] | None = None,
) -> Iterator[Result]:
    """Apply a function to every structure and yield the results in order.

    As ``try_structures``, but the first structure that fails stops the work.

    Args:
        function: What to compute; must be picklable if ``n_jobs`` is not 1.
        structures: The crystals.
        n_jobs: Number of processes as joblib counts them; None is one, unless a
            ``joblib.parallel_config`` says otherwise.
        description: What the progress bar says.
        verbose: Whether to show a progress bar.
        indices: What errors call the structures; their places if None.

    Yields:
        One result per structure.

    Raises:
        StructureError: The function failed; its ``index`` is the structure's.
    """
    for result in try_structures(function, structures, n_jobs, description, verbose, indices):
        if isinstance(result, StructureError):
            raise result
        yield result


def try_structures(
    function: Callable[[Structure], Result],
    structures: Iterable[Structure],
    n_jobs: int | None = None,
    description: str = "structures",
    verbose: bool = False,
    indices: Sequence[int] | None = None,
) -> Iterator[Result | StructureError]:
    """Apply a function to every structure, yielding an error in the place of each that fails.

    Work is spread by joblib, so its backends (loky, Dask, Ray) are chosen with
    ``joblib.parallel_config``. Structures are taken and results given in windows of
    a few seconds, so memory does not grow with their number.

    Args:
        function: As in ``map_structures``.
        structures: The crystals.
        n_jobs: As in ``map_structures``.
        description: What the progress bar says.
        verbose: Whether to show a progress bar.
        indices: As in ``map_structures``.

    Yields:
        One result per structure, in order; for one that failed a ``StructureError``
        with its index and the reason.

    Raises:
        OSError: A file cannot be read or written, which is no structure's fault.
    """
    sized = structures if indices is None else indices
    total = len(sized) if isinstance(sized, Sized) else None
    numbered = enumerate(structures) if indices is None else zip(indices, structures, strict=True)
    with tqdm(total=total, desc=description, disable=not verbose) as bar:
        for results in _windows(function, numbered, n_jobs):
            bar.update(len(results))
            yield from results


def _windows(
    function: Callable[[Structure], Result],
    numbered: Iterator[tuple[int, Structure]],
    n_jobs: int | None,
) -> Iterator[list[Result | StructureError]]:
    """The results in lists that each took a few seconds.

    joblib's own generator would do, but not every backend has it: Ray has not.
    """
    size = 16
    with Parallel(n_jobs=n_jobs) as parallel:
        while window := list(islice(numbered, size)):
            start = perf_counter()
            results = parallel(delayed(_attempt)(function, index, structure) for index, structure in window)
            if perf_counter() - start < WINDOW_SECONDS:
                size *= 2
            yield results


def _attempt(
    function: Callable[[Structure], Result], index: int, structure: Structure
) -> Result | StructureError:
    try:
        return function(structure)
    except OSError:
        raise
    except Exception as error:
        failure = _failure(structure, error).at(index=index)
        # Some backends send the cause along, and then fail on one that cannot be sent.
        with suppress(Exception):
            pickle.dumps(error)
            failure.__cause__ = error
        return failure


def _failure(structure: Structure, error: Exception) -> StructureError:
    if isinstance(error, StructureError):
        return error
    formula = getattr(structure, "formula", type(structure).__name__)
    return StructureError(
        f"({formula}) failed: {type(error).__name__}: {error}",
        "remove it, or report it if it is a sound crystal",
    )
