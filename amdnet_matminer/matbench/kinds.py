"""Kinds of crystals, by which errors are told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pymatgen.core import Composition

NONMETALS = frozenset(
    (1, 2, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 32, 33, 34, 35, 36, 51, 52, 53, 54, 85, 86)
)
"""Atomic numbers of the elements that are no metals."""
ANIONS = (
    ("metal oxide", (8,)),
    ("metal halide", (9, 17, 35, 53)),
    ("metal chalcogenide", (16, 34, 52)),
    ("metal pnictide", (7, 15, 33, 51)),
)
"""Compounds of a metal by their anion, the first that is there, with its atomic numbers."""
SIZES = (8, 24, 60)
"""Atoms of the largest cell of each class of sizes but the last."""


def chemistry_of(composition: Composition) -> str:
    """The class of compounds that a composition belongs to.

    Args:
        composition: Of a crystal.

    Returns:
        ``"no metal"``, ``"intermetallic"`` (of metals only, also a single one), a name in ``ANIONS``, or
        ``"other compound"``, such as a carbide.
    """
    numbers = {element.Z for element in composition.elements}
    if numbers <= NONMETALS:
        return "no metal"
    if not numbers & NONMETALS:
        return "intermetallic"
    return next((name for name, anions in ANIONS if numbers & set(anions)), "other compound")


def interval_labels(values: NDArray[np.float64], ends: Sequence[float]) -> NDArray[np.str_]:
    """Say between which of some ends values are.

    Args:
        values: Numbers, shape (S,).
        ends: The largest number of each interval but the last, ascending.

    Returns:
        Labels that sort as the intervals do, shape (S,).
    """
    names = [f"up to {ends[0]:g}", *(f"to {end:g}" for end in ends[1:]), f"above {ends[-1]:g}"]
    places = np.searchsorted(np.array(ends), values)
    return np.array([f"{place + 1}: {names[place]}" for place in places])


def mean_errors(labels: Sequence[str] | pd.Series, errors: NDArray[np.float64]) -> pd.DataFrame:
    """Average errors over crystals of the same label.

    Args:
        labels: Of each crystal one label, or a list of several, S.
        errors: Shape (S,).

    Returns:
        Columns ``n`` and ``mean``, indexed by label in ascending order.
    """
    table = pd.DataFrame({"label": list(labels), "error": errors}).explode("label")
    by_label = table.groupby("label").error
    return pd.DataFrame({"n": by_label.size(), "mean": by_label.mean()})
