"""CIFs of which nothing has to be judged, read by gemmi: the same crystals as pymatgen reads, sooner.

Plain is a block with full sites of elements that lists its symmetry operations. Whatever else a
block has (occupancies, oxidation states, moments, a space group without operations, sites that are one
by symmetry, text that is no CIF) is left to pymatgen, whose answers these are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import gemmi
import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice, Structure

from amdnet_matminer.readers.space_groups import keep_cell

Tags = dict[str, list[str]]
"""The values of a block's tags, in lower case, without quotes; empty where they are not known."""

_CELL = [f"_cell_length_{axis}" for axis in "abc"] + [
    f"_cell_angle_{angle}" for angle in ("alpha", "beta", "gamma")
]
_PLACE = [f"_atom_site_fract_{axis}" for axis in "xyz"]
_SINGLE = ("_cell_", "_chemical_formula_")
"""Beginnings of tags that a crystal has one value of."""

_OPERATIONS = ("_symmetry_equiv_pos_as_xyz", "_space_group_symop_operation_xyz")

_TELLTALE = re.compile(
    r"magn|moment|modul|_atom_type_oxidation_number|_atom_site_attached_hydrogens", re.IGNORECASE
)
"""Tags of what is not plain."""

_SYMBOL = re.compile(r"([A-Z][a-z]?)\d*")
_OPERATION = re.compile(r"[-+xyzXYZ0-9/, ]+")
_UNCERTAINTY = re.compile(r"\(.+\)*")

_THIRDS = (1 / 3, 2 / 3)
_ROUNDING = 1e-4
"""Relative difference from a third that is taken for one, and how near sites are one: pymatgen's defaults."""

_UNCLEAR = 2.0
"""Sites that are so many times nearer or farther may be one by rounding only."""

_SHORTEST_EDGE = 0.1
_LEAST_FILLING = 0.01
"""Cells with a shorter edge, in angstrom, or of a smaller part of the box of their edges are not plain."""

_MOST_PAIRS = 10**7
"""Comparisons of sites for one crystal, beyond which arrays would be too large."""


class _NotPlainError(Exception):
    """Something has to be judged."""


class _Operations(NamedTuple):
    """Symmetry operations on columns of fractional coordinates."""

    rotation: NDArray[np.float64]
    """(K, 3, 3)."""
    translation: NDArray[np.float64]
    """(K, 3)."""


def read_plain(text: str) -> tuple[Structure, Tags] | None:
    """Read a block of a CIF if it is plain.

    Args:
        text: The block, from ``data_`` on.

    Returns:
        The structure and the tags of the block; None if it is not plain, sound or not.
    """
    if _TELLTALE.search(text):
        return None
    try:
        tags = _tags(text)
        return _structure(tags), tags
    except (
        _NotPlainError,
        KeyError,
        ValueError,
        RuntimeError,
    ):  # gemmi raises the last two of what is no CIF
        return None


def _tags(text: str) -> Tags:
    """The tags of a text of one block."""
    document = gemmi.cif.read_string(text)
    if len(document) != 1:
        raise _NotPlainError
    tags: Tags = {}
    for item in document[0]:
        pair: Any = item.pair
        if pair is not None:
            tags[pair[0].lower()] = [gemmi.cif.as_string(pair[1])]
        elif item.loop is not None:
            names = [name.lower() for name in item.loop.tags]
            if any(name.startswith(_SINGLE) for name in names):
                raise _NotPlainError
            values = [*map(gemmi.cif.as_string, item.loop.values)]
            tags |= {name: values[first :: len(names)] for first, name in enumerate(names)}
    return tags


def _structure(tags: Mapping[str, Sequence[str]]) -> Structure:
    if any(_number(amount) != 1 for amount in tags.get("_atom_site_occupancy", ())):
        raise _NotPlainError
    lattice = _lattice([_number(tags[name][0]) for name in _CELL])
    place = np.array([[_number(value) for value in tags[name]] for name in _PLACE]).T
    for third in _THIRDS:
        place[np.abs(place / third - 1) <= _ROUNDING] = third
    labels = tags["_atom_site_label"]
    if not all(labels):
        raise _NotPlainError
    symbols = [_symbol(text) for text in tags.get("_atom_site_type_symbol", labels)]
    operations = _operations(tags)
    if not keep_cell(operations.rotation, lattice.matrix).all():
        raise _NotPlainError
    site, images = _images(place, operations)
    # As pymatgen sorts the sites of a structure.
    order = sorted(range(len(site)), key=lambda i: (Element(symbols[site[i]]).X, symbols[site[i]]))
    return Structure(
        lattice,
        [symbols[site[i]] for i in order],
        images[order],
        labels=[labels[site[i]] for i in order],
    )


def _lattice(parameters: Sequence[float]) -> Lattice:
    lengths, angles = parameters[:3], parameters[3:]
    if not min(lengths) > _SHORTEST_EDGE or not all(0 < angle < 180 for angle in angles):
        raise _NotPlainError
    lattice = Lattice.from_parameters(*parameters)
    if not lattice.volume > _LEAST_FILLING * np.prod(lengths):
        raise _NotPlainError
    return lattice


def _number(text: str) -> float:
    """A number with or without its uncertainty in brackets."""
    number = float(_UNCERTAINTY.sub("", text))
    if not np.isfinite(number):
        raise _NotPlainError
    return number


@lru_cache(maxsize=1024)
def _symbol(text: str) -> str:
    """The element of a symbol or label that says nothing but it."""
    match = _SYMBOL.fullmatch(text)
    if match is None or not Element.is_valid_symbol(match[1]) or match[1] in ("D", "T"):
        raise _NotPlainError
    if not Element(match[1]).X > 0:  # by which sites are sorted
        raise _NotPlainError
    return match[1]


def _operations(tags: Mapping[str, Sequence[str]]) -> _Operations:
    listed = next((tags[name] for name in _OPERATIONS if name in tags), None)
    if listed is None or "_symmetry_equiv_pos_as_xyz_" in tags or not listed:
        raise _NotPlainError
    return _read_operations(tuple(listed))


@lru_cache(maxsize=512)
def _read_operations(listed: tuple[str, ...]) -> _Operations:
    if not all(map(_OPERATION.fullmatch, listed)):
        raise _NotPlainError
    operations = [gemmi.Op(text) for text in listed]
    rotation = np.array([operation.rot for operation in operations]) / gemmi.Op.DEN
    if (rotation != np.rint(rotation)).any() or (np.rint(np.abs(np.linalg.det(rotation))) != 1).any():
        raise _NotPlainError
    return _Operations(rotation, np.array([operation.tran for operation in operations]) / gemmi.Op.DEN)


def _images(
    place: NDArray[np.float64], operations: _Operations
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """All sites of a cell.

    Args:
        place: Fractional coordinates of N sites, shape (N, 3).
        operations: K operations.

    Returns:
        Of which site each of M images is, shape (M,), ascending, and its coordinates, shape (M, 3).

    Raises:
        _NotPlainError: Two sites are images of each other, or it is not clear which images are one.
    """
    n_sites, n_operations = len(place), len(operations.rotation)
    if n_sites * n_operations * max(n_sites, n_operations) > _MOST_PAIRS:
        raise _NotPlainError
    images = np.einsum("kij,nj->nki", operations.rotation, place) + operations.translation
    images -= np.floor(images)
    meets = _near(images[:, :, None], place[None, None]).any(axis=1)
    if (meets & ~np.eye(n_sites, dtype=bool)).any():
        raise _NotPlainError
    if n_operations == 1:
        return np.arange(n_sites), images[:, 0]
    kept = np.empty((n_sites, n_operations), dtype=bool)
    for site in range(n_sites):
        first = _near(images[site, :, None], images[site, None]).argmax(axis=1)
        kept[site] = first == np.arange(n_operations)
    return np.nonzero(kept)[0], images[kept]


def _near(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether places are one in a periodic cell, coordinates being the last axis."""
    between = one - other
    between -= np.rint(between)
    distance = np.abs(between).max(axis=-1)
    near = distance < _ROUNDING / _UNCLEAR
    if (near != (distance < _ROUNDING * _UNCLEAR)).any():
        raise _NotPlainError
    return near
