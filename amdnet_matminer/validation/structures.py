"""Checks of crystals that users pass in, before any work starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pymatgen.core import DummySpecies, IStructure, Structure

from amdnet_matminer.errors import StructureError
from amdnet_matminer.structures import as_structure

CLOSEST_ATOMS = 0.1
"""Two atoms nearer than this, in angstrom, are taken for one atom given twice."""

SHORTEST_PERIOD = 0.4
"""A crystal that repeats itself sooner, in angstrom, is a mistake: no bond is below 0.7, and the search for
symmetry does not end."""

LONGEST_CELL = 500.0
"""A longer cell, in angstrom, is a mistake; a search for neighbours in it would fill the memory."""

SMALLEST_VOLUME = 0.5
"""Of an atom, in cubic angstrom: below it no crystal is known, and neighbours are too many to count."""

_SEARCH_RADIUS = 2.0
"""A search's grid is as fine as its radius, so a small one would cost memory in a large cell."""

HEAVIEST_ELEMENT = 94
"""Largest atomic number of the element embedding (plutonium), as in the published network."""


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
            checked.append(check_structure(crystal_of_row(item)))
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
        StructureError: It is no crystal, empty, disordered, not finite, of an impossible
            cell, or two of its atoms are at one place.
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


def listed(structures: Iterable[Any]) -> list[Any]:
    """The items of whatever holds crystals, or rows of a table that hold one each.

    Args:
        structures: As for ``check_structures``.

    Raises:
        StructureError: It is one crystal, or none.
    """
    if isinstance(structures, pd.DataFrame):
        return list(structures.to_numpy(dtype=object))
    is_one = isinstance(structures, IStructure | Mapping | str) or hasattr(structures, "get_positions")
    if isinstance(structures, Iterable) and not is_one:
        return list(structures)
    as_structure(structures)  # the error of what is none says more
    raise StructureError("got a single structure", "pass a list of structures: [structure]", subject="")


def crystal_of_row(item: Any) -> Any:
    """The crystal of a table's row.

    Args:
        item: A row of one column, or what is in it.

    Raises:
        StructureError: The row has several columns.
    """
    if not isinstance(item, list | tuple | np.ndarray):
        return item
    if len(item) != 1:
        raise StructureError(
            f"is a row of {len(item)} columns", "pass the one of the structures, such as df['structure']"
        )
    return item[0]


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
    period = distance[first == second].min(initial=np.inf)
    if period < SHORTEST_PERIOD:
        raise StructureError(f"repeats itself every {period:.3f} angstrom", "repair or remove it")
    close = distance < CLOSEST_ATOMS
    first, second, distance = first[close], second[close], distance[close]
    if len(distance):
        nearest = int(distance.argmin())
        raise StructureError(
            f"are at one place ({distance[nearest]:.3f} angstrom apart)",
            "remove one, for instance with structure.merge_sites",
            site=(int(first[nearest]), int(second[nearest])),
        )
