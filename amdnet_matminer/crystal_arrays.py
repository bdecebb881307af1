"""Many crystals as arrays: what the search for neighbours, symmetry and motifs reads.

Sites are numbered through all crystals, so that one array operation does the work of many
crystals: a call of numpy costs more than the arithmetic for the few sites of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice, Species, Structure
from pymatgen.optimization.neighbors import find_points_in_spheres

IntArray = NDArray[np.int32]
Vectors = NDArray[np.float64]
Indices = NDArray[np.intp]

_ALL_PERIODIC = np.ones(3, dtype=np.int64)
# The site itself is found at this distance at most, in angstrom.
_SAME_PLACE = 1e-8


class Neighbors(NamedTuple):
    """The P atoms within a radius of C chosen sites, site after site."""

    center: Indices
    """(P,) position among the C sites, ascending."""
    neighbor: Indices
    """(P,) index of the neighbour."""
    image: IntArray
    """(P, 3) lattice translation of the neighbour."""
    distance: Vectors
    """(P,) in angstrom."""


@dataclass(frozen=True, eq=False)
class CrystalArrays:
    """S ordered crystals of N sites in all.

    Args:
        lattice: Rows are the lattice vectors in angstrom, shape (S, 3, 3).
        fractional: Coordinates of the sites in these, shape (N, 3).
        kind: Position of each site's specie in ``species``, shape (N,).
        species: All that is on a site of some crystal.
        offset: The sites of crystal s are ``offset[s]:offset[s + 1]``, shape (S + 1,).
    """

    lattice: Vectors
    fractional: Vectors
    kind: Indices
    species: tuple[Element | Species, ...]
    offset: Indices

    @classmethod
    def of(cls, structures: Sequence[Structure]) -> CrystalArrays:
        """Take the arrays out of structures that have been checked.

        Args:
            structures: S ordered crystals.

        Returns:
            The crystals.

        Raises:
            ValueError: A site is of several species.
        """
        numbers: dict[Element | Species, int] = {}
        # Not site.specie, which adds up occupancies at every call; more than one specie is a ValueError.
        species = (specie for structure in structures for site in structure for (specie,) in [site.species])
        return cls(
            lattice=np.array([structure.lattice.matrix for structure in structures]).reshape(-1, 3, 3),
            fractional=np.concatenate([structure.frac_coords for structure in structures]).reshape(-1, 3),
            kind=np.array([numbers.setdefault(specie, len(numbers)) for specie in species], dtype=np.intp),
            species=tuple(numbers),
            offset=np.concatenate([[0], np.cumsum([len(structure) for structure in structures])]),
        )

    def __len__(self) -> int:
        return len(self.lattice)

    @cached_property
    def crystal(self) -> Indices:
        """(N,) which crystal each site is of."""
        return np.repeat(np.arange(len(self)), np.diff(self.offset))

    @cached_property
    def position(self) -> Vectors:
        """(N, 3) Cartesian coordinates in angstrom."""
        return self.cartesian(self.fractional, self.crystal)

    @cached_property
    def atomic_number(self) -> IntArray:
        """(N,) atomic number Z."""
        return np.array([specie.Z for specie in self.species], dtype=np.int32)[self.kind]

    def cartesian(self, fractional: NDArray[np.number], crystal: Indices) -> Vectors:
        """Turn vectors (V, 3) in units of the lattice of their crystals (V,) into angstrom."""
        return np.einsum("vi,vij->vj", fractional, self.lattice[crystal])

    def between(
        self, site: NDArray[np.integer], neighbor: NDArray[np.integer], image: NDArray[np.integer]
    ) -> Vectors:
        """Vectors from sites to translated neighbours.

        Args:
            site: The sites, shape (P,).
            neighbor: A neighbour of each, shape (P,).
            image: Its lattice translation, shape (P, 3).

        Returns:
            In angstrom, shape (P, 3).
        """
        translation = self.cartesian(image, self.crystal[site])
        return self.position[neighbor] - self.position[site] + translation

    def structure(self, crystal: int) -> Structure:
        """One of the crystals as a structure.

        Args:
            crystal: Which one.

        Returns:
            Its lattice, species and coordinates.
        """
        sites = slice(self.offset[crystal], self.offset[crystal + 1])
        species = [self.species[kind] for kind in self.kind[sites]]
        return Structure(Lattice(self.lattice[crystal]), species, self.fractional[sites])

    def neighbors_within(self, radius: float, sites: NDArray[np.integer]) -> Neighbors:
        """Find the atoms near some sites, by pymatgen's search.

        Args:
            radius: In angstrom.
            sites: The C sites, ascending, shape (C,).

        Returns:
            The atoms of the crystal, images of the site itself included, but not itself.
        """
        begin = np.searchsorted(sites, self.offset)
        found = [
            self._neighbors_in(crystal, radius, sites[begin[crystal] : begin[crystal + 1]], begin[crystal])
            for crystal in np.flatnonzero(np.diff(begin)).tolist()
        ]
        if not found:
            nothing = np.zeros(0, dtype=np.intp)
            return Neighbors(nothing, nothing, np.zeros((0, 3), dtype=np.int32), np.zeros(0))
        return Neighbors(*map(np.concatenate, zip(*found, strict=True)))

    def _neighbors_in(
        self, crystal: int, radius: float, sites: NDArray[np.integer], before: int
    ) -> tuple[Indices, Indices, IntArray, Vectors]:
        first, end = self.offset[crystal : crystal + 2]
        center, neighbor, image, distance = find_points_in_spheres(
            self.position[first:end],
            self.position[sites],
            r=radius,
            pbc=_ALL_PERIODIC,
            lattice=self.lattice[crystal],
        )
        order = np.argsort(center, kind="stable")
        order = order[distance[order] > _SAME_PLACE]
        return center[order] + before, neighbor[order] + first, image[order].astype(np.int32), distance[order]


def spans(start: NDArray[np.integer], count: NDArray[np.integer]) -> Indices:
    """Join ranges of numbers.

    Args:
        start: First number of each range, shape (R,).
        count: How many numbers each has, shape (R,).

    Returns:
        The numbers of the first range, then those of the next, and so on, shape (sum of ``count``,).
    """
    before = np.cumsum(count) - count
    return np.arange(np.sum(count), dtype=np.intp) + np.repeat(np.asarray(start) - before, count)
