"""Checks of what users pass in, before any work starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import DummySpecies, IStructure, Structure
from sklearn.utils import column_or_1d

from amdnet_matminer.architectures import NetworkConfig, network_class
from amdnet_matminer.errors import StructureError, TargetError
from amdnet_matminer.options import Optimizer, RegressionLoss, Schedule
from amdnet_matminer.structures import as_structure

CLOSEST_ATOMS = 0.1
"""Two atoms nearer than this, in angstrom, are taken for one atom given twice."""

LONGEST_CELL = 500.0
"""A longer cell, in angstrom, is a mistake; a search for neighbours in it would fill the memory."""

SMALLEST_VOLUME = 0.5
"""Of an atom, in cubic angstrom: below it no crystal is known, and neighbours are too many to count."""

_SEARCH_RADIUS = 2.0
"""A search's grid is as fine as its radius, so a small one would cost memory in a large cell."""

LARGEST_SCALED = 1e15
"""Of a label in the scale of the network: its square is a 32-bit number."""

SMALLEST_UNSCALED = 1e-6
"""Of a target's largest label, if targets are not scaled: smaller is the rounding of outputs near 1."""

HEAVIEST_ELEMENT = 94
"""Largest atomic number of the element embedding (plutonium), as in the published network."""


class _Range(NamedTuple):
    """What a parameter may be, as a test and in words."""

    holds: Callable[[Any], bool]
    text: str


def _choice(literal: Any) -> _Range:
    names = get_args(literal)
    return _Range(names.__contains__, f"one of {list(names)}")


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float | np.number)
        and not isinstance(value, bool)
        and bool(np.isfinite(value))
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 1)


def _count(most: int) -> _Range:
    return _Range(lambda value: _is_count(value) and value <= most, f"an integer from 1 to {most}")


def _length(most: float) -> _Range:
    return _Range(
        lambda value: _is_number(value) and 0 < value <= most, f"a number above 0, at most {most:g}"
    )


def _or_none(range_: _Range) -> _Range:
    return _Range(lambda value: value is None or range_.holds(value), f"None or {range_.text}")


# The largest values are far beyond what is of use; larger ones would ask for more memory than there is.
_RANGES = {
    "optimizer": _or_none(_choice(Optimizer)),
    "schedule": _choice(Schedule),
    "loss": _choice(RegressionLoss),
    "width": _or_none(_count(512)),
    "n_blocks": _count(32),
    "n_neighbors": _or_none(_count(1000)),
    "atom_cutoff": _length(20.0),
    "motif_cutoff": _length(100.0),
    "n_ensemble": _count(100),
    "learning_rate": _Range(lambda value: _is_number(value) and value > 0, "a number above 0"),
    "clip_norm": _or_none(_Range(lambda value: _is_number(value) and value > 0, "a number above 0")),
    "weight_decay": _Range(lambda value: _is_number(value) and value >= 0, "a number of at least 0"),
    **dict.fromkeys(("rbf_edge_dim_atom", "rbf_edge_dim_motif"), _count(1000)),
    **dict.fromkeys(("epochs", "batch_size", "patience"), _count(10**6)),
    **dict.fromkeys(
        ("dropout", "validation_fraction"),
        _Range(lambda value: _is_number(value) and 0 <= value < 1, "in [0, 1)"),
    ),
    "init_share": _Range(lambda value: _is_number(value) and 0 <= value <= 1, "in [0, 1]"),
    **dict.fromkeys(
        ("symmetry_reduction", "warm_start", "scale_targets", "extensive", "non_negative"),
        _Range(lambda value: isinstance(value, bool | np.bool_), "True or False"),
    ),
}


def check_structures(structures: Iterable[Any]) -> list[Structure]:
    """Make a list of sound structures of whatever holds crystals.

    Args:
        structures: A list, pandas Series, or object array of what ``as_structure`` takes
            for a crystal; or the same as one column, shape (n, 1), such as a dataframe of one.

    Returns:
        The crystals, in their order.

    Raises:
        StructureError: There is none, or one cannot be used; the message names its
            index, the site, the reason and the remedy.
    """
    items = listed(structures)
    if not items:
        raise StructureError("got no structures", "pass at least one", subject="")
    checked = []
    for index, item in enumerate(items):
        try:
            checked.append(check_structure(_of_row(item)))
        except StructureError as error:
            raise error.at(index=index) from error.__cause__
    return checked


def check_structure(structure: Any) -> Structure:
    """Check that one crystal can be turned into graphs.

    Args:
        structure: What ``as_structure`` takes for a crystal.

    Returns:
        The crystal as ``as_structure`` makes it, with its atoms near the home cell; ``structure``
        itself where nothing had to be changed.

    Raises:
        StructureError: It is no crystal, empty, disordered, not finite, or two of
            its atoms are at one place.
    """
    crystal = as_structure(structure)
    if len(crystal) == 0:
        raise StructureError("has no sites", "remove it")
    _check_sites(crystal)
    _check_geometry(crystal)
    return crystal


def check_elements(structures: Sequence[Structure]) -> None:
    """Check that every element has a place in the network's embedding.

    Args:
        structures: Ordered crystals.

    Raises:
        StructureError: An element is heavier than plutonium.
    """
    for index, structure in enumerate(structures):
        numbers = [specie.Z for site in structure for specie in site.species]
        heaviest = max(numbers)
        if heaviest > HEAVIEST_ELEMENT:
            site = numbers.index(heaviest)
            raise StructureError(
                f"is {structure[site].specie.symbol} (Z={heaviest}), which is beyond the embedding "
                f"that ends at Z={HEAVIEST_ELEMENT}",
                "remove it",
                index=index,
                site=site,
            )


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
    kinds = {type(label).__name__ for label in array.tolist()}
    if len(kinds) > 1:
        raise TargetError(f"are of several types, {sorted(kinds)}", "give all of one", subject="class labels")
    if array.dtype.kind in "OT":
        array = np.array(array.tolist())
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


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Check the parameters of an estimator.

    Args:
        parameters: As ``get_params`` gives them.

    Raises:
        ValueError: One is out of its range, or there is no such architecture; the message
            names it and the range.
    """
    for name, value in parameters.items():
        if name in _RANGES and not _RANGES[name].holds(value):
            raise ValueError(f"{name} must be {_RANGES[name].text}, got {value!r}")
    config = NetworkConfig.of(**parameters)
    network_class(config.architecture).check(config)
    if parameters.get("checkpoint_dir") is not None and parameters["random_state"] is None:
        raise ValueError(
            "random_state must be a number where there is a checkpoint_dir: "
            "a training that begins at random is not known again; set one"
        )


def listed(structures: Iterable[Any]) -> list[Any]:
    """The items of whatever holds crystals, or rows of a table that hold one each.

    Args:
        structures: As for ``check_structures``.

    Raises:
        StructureError: It is one crystal, or none.
    """
    if isinstance(structures, pd.DataFrame):
        return list(structures.to_numpy(dtype=object))
    if not isinstance(structures, IStructure | Mapping | str) and not hasattr(structures, "get_positions"):
        return list(structures)
    as_structure(structures)  # the error of what is none says more
    raise StructureError("got a single structure", "pass a list of structures: [structure]", subject="")


def _of_row(item: Any) -> Any:
    """The crystal of a table's row."""
    if not isinstance(item, list | tuple | np.ndarray):
        return item
    if len(item) != 1:
        raise StructureError(
            f"is a row of {len(item)} columns", "pass the one of the structures, such as df['structure']"
        )
    return item[0]


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


def _check_sites(structure: Structure) -> None:
    for number, site in enumerate(structure):
        species = site.species  # is_ordered and specie would each look it up more than once
        if not species.num_atoms == len(species) == 1:
            raise StructureError(
                f"is disordered ({site.species_string})",
                "order it first, for instance with pymatgen's OrderDisorderedStructureTransformation",
                site=number,
            )
        (specie,) = species
        if isinstance(specie, DummySpecies):
            raise StructureError(f"holds the dummy species {specie}", "give an element", site=number)


def _check_geometry(structure: Structure) -> None:
    if not np.isfinite(structure.lattice.matrix).all() or not np.isfinite(structure.frac_coords).all():
        raise StructureError("has a lattice or coordinates that are not finite", "repair or remove it")
    if structure.volume < SMALLEST_VOLUME * len(structure):
        raise StructureError(f"has a cell of {structure.volume:.2g} cubic angstrom", "repair or remove it")
    if max(structure.lattice.abc) > LONGEST_CELL:
        raise StructureError(
            f"has a cell {max(structure.lattice.abc):.4g} angstrom long",
            "cut empty space away, or remove it",
        )
    _check_apart(structure)


def _check_apart(structure: Structure) -> None:
    first, second, _, distance = structure.get_neighbor_list(_SEARCH_RADIUS)
    close = distance < CLOSEST_ATOMS
    first, second, distance = first[close], second[close], distance[close]
    if len(distance):
        nearest = int(distance.argmin())
        raise StructureError(
            f"are at one place ({distance[nearest]:.3f} angstrom apart)",
            "remove one, for instance with structure.merge_sites",
            site=(int(first[nearest]), int(second[nearest])),
        )


def place_of(name: str, value: Any, choices: Sequence[Any]) -> int:
    """Find the place of what is chosen.

    Args:
        name: Of the parameter.
        value: What is chosen; None is the only choice, if there is one.
        choices: What there is.

    Returns:
        Its place among the choices.

    Raises:
        ValueError: It is none of these, or None of several.
    """
    if value is None and len(choices) == 1:
        return 0
    if value is None or value not in choices:
        raise ValueError(f"{name} must be one of {list(choices)}, got {value!r}")
    return list(choices).index(value)
