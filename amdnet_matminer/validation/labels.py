"""Checks of labels and weights that users pass in, before any work starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import column_or_1d

from amdnet_matminer.errors import TargetError

LARGEST_SCALED = 1e15
"""Of a label in the scale of the network: its square is a 32-bit number."""

SMALLEST_UNSCALED = 1e-6
"""Of a target's largest label, if targets are not scaled: smaller is the rounding of outputs near 1."""


def check_targets(y: Any, n_structures: int) -> NDArray[np.float64]:
    """Turn labels into an array and check that they can be learned from.

    Args:
        y: Numbers, one per structure, or one per structure and target; of several
            targets NaN, None or pandas' NA stands for a label that is missing.
        n_structures: How many there must be.

    Returns:
        The labels, shape (n_structures,) or (n_structures, T), as given.

    Raises:
        TargetError: The count differs, a label is no real number, is infinite, is missing
            though it is the only target, or a target has no label at all.
    """
    array = _real_numbers(y, "labels")
    if array.ndim not in (1, 2) or array.size == 0:
        raise TargetError(
            f"must have shape (n_structures,) or (n_structures, n_targets), got {array.shape}",
            subject="labels",
        )
    _check_count("labels", len(array), n_structures)
    columns = array.reshape(len(array), -1)
    may_be_missing = columns.shape[1] > 1
    _check_finite("label", np.where(np.isnan(columns) & may_be_missing, 0.0, columns))
    check_every_target(columns, "remove this target or supply labels")
    return array


def check_range(scaled: NDArray[np.float64], smallest: float = 0.0) -> None:
    """Check that labels can be told apart by the 32-bit numbers that a network computes with.

    Args:
        scaled: Labels in the units of the network's outputs, shape (S, T), NaN where one is missing.
        smallest: Of the largest of a target's labels, unless all are 0.

    Raises:
        TargetError: They are too large or too small.
    """
    for target, largest in enumerate(np.nanmax(np.abs(scaled), axis=0)):
        if largest > LARGEST_SCALED or 0 < largest < smallest:
            raise TargetError(
                f"reach {largest:.3g} in the scale of the network, whose 32-bit numbers cannot hold them",
                "fit anew with scale_targets=True, or give them in another unit",
                subject=f"labels of target {target}" if scaled.shape[1] > 1 else "labels",
            )


def check_every_target(y: NDArray[np.float64], remedy: str) -> None:
    """Check that each of several targets has a label.

    Args:
        y: Labels, shape (S, T), NaN where one is missing.
        remedy: What to do about a target without labels.

    Raises:
        TargetError: A target has none.
    """
    empty = np.flatnonzero(np.isnan(y).all(axis=0))
    if len(empty):
        reason = f"has no label at all among {len(y)} crystals"
        raise TargetError(reason, remedy, subject=f"target {empty[0]}")


def check_classes(y: Any, n_structures: int) -> NDArray:
    """Turn class labels into an array and check that each structure has one.

    Args:
        y: Labels of one kind, such as strings, integers or booleans, one per structure. As
            all of scikit-learn does, a single column is taken with a warning.
        n_structures: How many there must be.

    Returns:
        The labels, shape (n_structures,).

    Raises:
        TargetError: The count differs, a label is missing, or labels are no classes.
    """
    array = _array(y, "class labels")
    if isinstance(y, list | tuple) and array.dtype.kind in "fU":
        # NumPy makes text of all, and so a class "nan" of a missing label, and numbers of booleans.
        array = np.asarray(y, dtype=object)
    if array.ndim == 2 and array.shape[1] == 1:
        array = column_or_1d(array, warn=True)
    if array.ndim != 1:
        raise TargetError(f"must have shape (n_structures,), got {array.shape}", subject="class labels")
    _check_count("labels", len(array), n_structures)
    missing = np.flatnonzero(pd.isna(array))
    if len(missing):
        raise TargetError(
            f"is missing ({len(missing)} in all)",
            "remove these structures or supply it",
            index=missing[0],
        )
    plain = [label.item() if isinstance(label, np.generic) else label for label in array.tolist()]
    kinds = {type(label).__name__ for label in plain}
    if len(kinds) > 1 and kinds != {"int", "float"}:
        raise TargetError(f"are of several types, {sorted(kinds)}", "give all of one", subject="class labels")
    if array.dtype.kind in "OT":
        array = np.array(plain)
    _check_discrete(array)
    return array


def check_sample_weight(weight: ArrayLike | None, n_structures: int) -> NDArray[np.float64]:
    """Turn weights into an array and check that each structure has one.

    Args:
        weight: How much each structure counts; None is the same for all.
        n_structures: How many there must be.

    Returns:
        The weights relative to the largest, shape (n_structures,).

    Raises:
        TargetError: The count differs, a weight is no number, not finite or negative, or
            all are 0.
    """
    if weight is None:
        return np.ones(n_structures)
    array = _real_numbers(weight, "sample weights")
    if array.ndim != 1:
        raise TargetError(f"must have shape (n_structures,), got {array.shape}", subject="sample weights")
    _check_count("sample weights", len(array), n_structures)
    _check_finite("sample weight", array[:, None])
    if (array < 0).any() or not array.any():
        raise TargetError(
            "must not be negative, and at least one must be non-zero",
            "correct them",
            subject="sample weights",
        )
    return relative(array)


def relative(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights divided by the largest: a network's 32-bit numbers hold these, whatever their unit was."""
    return weight / weight.max()


def _array(values: Any, subject: str) -> NDArray:
    if values is None:
        # In scikit-learn's words.
        reason = "requires y to be passed, but the target y is None"
        raise TargetError(reason, "pass one label for each structure", subject="fit")
    if isinstance(values, np.ma.MaskedArray):
        raise TargetError("are a masked array", "pass only what is not masked, as an array", subject=subject)
    try:
        return np.asarray(values)
    except ValueError as error:
        raise TargetError(f"are no array: {error}", "give each structure as many", subject=subject) from error


def _real_numbers(values: Any, subject: str) -> NDArray[np.float64]:
    """Values as numbers, what is missing in any way as NaN."""
    array = _array(values, subject)
    if array.dtype.kind in "cmM":
        raise TargetError(f"are of type {array.dtype}", "give real numbers", subject=subject)
    array = array.astype(object) if array.dtype.kind in "UT" else array
    try:
        return np.where(pd.isna(array), np.nan, array).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TargetError(f"are not numbers: {error}", subject=subject) from error


def _check_discrete(labels: NDArray) -> None:
    if labels.dtype.kind == "f":
        _check_finite("label", labels[:, None])
    if labels.dtype.kind not in "biufU":
        reason = f"such as {labels[0]!r} are no classes"
        raise TargetError(reason, "give strings, integers or booleans", subject="labels")
    if labels.dtype.kind == "f" and (labels != np.round(labels)).any():
        first = int((labels != np.round(labels)).argmax())
        raise TargetError(
            f"({labels[first]}) is continuous, not a class",
            "give strings, integers or booleans, or fit an AMDNetRegressor",
            index=first,
        )


def _check_count(what: str, found: int, n_structures: int) -> None:
    if found != n_structures:
        raise TargetError(
            f"got {n_structures} structures but {found} {what}", "pass one for each", subject=""
        )


def _check_finite(what: str, columns: NDArray[np.float64]) -> None:
    bad = np.argwhere(~np.isfinite(columns))
    if len(bad):
        row, column = bad[0]
        of_target = f"of target {column} " if columns.shape[1] > 1 else ""
        raise TargetError(
            f"{of_target}is {columns[row, column]} ({len(bad)} not finite in all)",
            "remove these structures or supply a number",
            index=row,
            subject=what,
        )
