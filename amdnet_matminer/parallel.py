"""One function over many structures, in one process or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from joblib import Parallel, delayed
from pymatgen.core import Structure
from tqdm.auto import tqdm

from amdnet_matminer.errors import StructureError

Result = TypeVar("Result")


def map_structures(
    function: Callable[[Structure], Result],
    structures: Sequence[Structure],
    n_jobs: int | None = None,
    description: str = "structures",
    verbose: bool = False,
) -> list[Result]:
    """Apply a function to every structure and keep the order.

    Work is spread by joblib, so its backends (loky, Dask, Ray) are chosen with
    ``joblib.parallel_config``.

    Args:
        function: What to compute; must be picklable if ``n_jobs`` is not 1.
        structures: The crystals.
        n_jobs: Number of processes as joblib counts them; None is one, unless a
            ``joblib.parallel_config`` says otherwise.
        description: What the progress bar says.
        verbose: Whether to show a progress bar.

    Returns:
        One result per structure.

    Raises:
        StructureError: The function failed; the message names the structure's index.
    """
    tasks = (delayed(_call)(function, index, structure) for index, structure in enumerate(structures))
    results = Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
    return list(tqdm(results, total=len(structures), desc=description, disable=not verbose))


def _call(function: Callable[[Structure], Result], index: int, structure: Structure) -> Result:
    try:
        return function(structure)
    except Exception as error:
        raise StructureError(
            f"structure {index} ({structure.formula}) failed: {type(error).__name__}: {error}; "
            "remove it, or report it if it is a sound crystal"
        ) from error
