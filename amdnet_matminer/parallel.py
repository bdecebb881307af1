"""Work on many structures, in one process or several."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import suppress
from itertools import chain, islice
from time import perf_counter
from typing import TypeVar

from joblib import Parallel, delayed, effective_n_jobs
from pymatgen.core import Structure
from tqdm.auto import tqdm

from amdnet_matminer.errors import StructureError

Result = TypeVar("Result")

WINDOW_SECONDS = 2.0
"""About how long a window of structures takes, results coming at its end."""

CHUNK = 32
"""Structures that are worked on at once."""

CHUNK_SITES = 2000
"""Sites after which a chunk has no more structures: arrays of all their bonds are held at once."""

Work = Callable[[Sequence[Structure]], Iterable[Result]]
"""What gives one result for each of some structures."""


def map_structures(
    work: Work[Result],
    structures: Iterable[Structure],
    n_jobs: int | None = None,
    description: str = "structures",
    verbose: bool = False,
    indices: Sequence[int] | None = None,
) -> Iterator[Result]:
    """Work on every structure and yield the results in order.

    As ``try_structures``, but the first structure that fails stops the work.

    Args:
        work: What gives one result for each of a list of structures; must be picklable if
            ``n_jobs`` is not 1.
        structures: The crystals.
        n_jobs: Number of processes as joblib counts them; None is one, unless a
            ``joblib.parallel_config`` says otherwise.
        description: What the progress bar says.
        verbose: Whether to show a progress bar.
        indices: What errors call the structures; their places if None.

    Yields:
        One result per structure.

    Raises:
        StructureError: The work failed; its ``index`` is the structure's.
    """
    for result in try_structures(work, structures, n_jobs, description, verbose, indices):
        if isinstance(result, StructureError):
            raise result
        yield result


def try_structures(
    work: Work[Result],
    structures: Iterable[Structure],
    n_jobs: int | None = None,
    description: str = "structures",
    verbose: bool = False,
    indices: Sequence[int] | None = None,
) -> Iterator[Result | StructureError]:
    """Work on every structure, yielding an error in the place of each that fails.

    Work is spread by joblib, so its backends (loky, Dask, Ray) are chosen with
    ``joblib.parallel_config``. Structures are taken and results given in windows of
    a few seconds, so memory does not grow with their number.

    Args:
        work: As in ``map_structures``.
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
        for results in _windows(work, numbered, n_jobs):
            bar.update(len(results))
            yield from results


def _windows(
    work: Work[Result],
    numbered: Iterator[tuple[int, Structure]],
    n_jobs: int | None,
) -> Iterator[list[Result | StructureError]]:
    """The results in lists that each took a few seconds.

    joblib's own generator would do, but not every backend has it: Ray has not.
    """
    size = CHUNK
    with Parallel(n_jobs=n_jobs) as parallel:
        n_processes = effective_n_jobs(n_jobs)
        while window := list(islice(numbered, size)):
            start = perf_counter()
            # Every process has some, also where a window is small.
            chunks = chunked(window, -(-len(window) // n_processes))
            results = parallel(delayed(attempt)(work, chunk) for chunk in chunks)
            if perf_counter() - start < WINDOW_SECONDS:
                size *= 2
            yield list(chain.from_iterable(results))


def chunked(
    numbered: Iterable[tuple[int, Structure]], most: int = CHUNK
) -> Iterator[list[tuple[int, Structure]]]:
    """Deal structures to chunks that are worked on at once.

    Args:
        numbered: The structures and what errors call them.
        most: Structures of a chunk, if it is less than ``CHUNK``.

    Yields:
        The chunks.
    """
    chunk: list[tuple[int, Structure]] = []
    n_sites = 0
    for index, structure in numbered:
        chunk.append((index, structure))
        n_sites += len(structure) if isinstance(structure, Sized) else 1
        if len(chunk) >= min(most, CHUNK) or n_sites >= CHUNK_SITES:
            yield chunk
            chunk, n_sites = [], 0
    if chunk:
        yield chunk


def attempt(work: Work[Result], numbered: Sequence[tuple[int, Structure]]) -> list[Result | StructureError]:
    """Work on some structures at once, and on fewer where that fails, until it is known which ones fail.

    Args:
        work: As in ``map_structures``.
        numbered: The structures and what errors call them.

    Returns:
        One result for each, or its error.

    Raises:
        OSError: As in ``try_structures``.
    """
    try:
        results: list[Result | StructureError] = [*work([structure for _, structure in numbered])]
        if len(results) != len(numbered):
            raise RuntimeError(f"{len(results)} results for {len(numbered)} structures")
        return results
    except OSError:
        raise
    except Exception as error:
        if len(numbered) == 1:
            return [_failure(*numbered[0], error)]
    half = len(numbered) // 2
    return attempt(work, numbered[:half]) + attempt(work, numbered[half:])


def each(function: Callable[[Structure], Result], structures: Sequence[Structure]) -> list[Result]:
    """One call of a function for each structure; with ``partial`` work for ``map_structures``."""
    return [function(structure) for structure in structures]


def _failure(index: int, structure: Structure, error: Exception) -> StructureError:
    failure = _as_structure_error(structure, error).at(index=index)
    # Some backends send the cause along, and then fail on one that cannot be sent.
    with suppress(Exception):
        pickle.dumps(error)
        failure.__cause__ = error
    return failure


def _as_structure_error(structure: Structure, error: Exception) -> StructureError:
    if isinstance(error, StructureError):
        return error
    formula = getattr(structure, "formula", type(structure).__name__)
    return StructureError(
        f"({formula}) failed: {type(error).__name__}: {error}",
        "remove it, or report it if it is a sound crystal",
    )
