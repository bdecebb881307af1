"""Which sites of a crystal are equivalent by its symmetry, and the operations that say so."""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np
from moyopy import Cell, MoyoDataset, Operations
from numpy.typing import NDArray

from amdnet_matminer.crystal_arrays import CrystalArrays, Indices, IntArray, Vectors, spans

TOLERANCE = 0.01
"""How far atoms may be from their ideal places and still count as equivalent, in angstrom."""

# A site is made of another one, in angstrom, only so exactly: within TOLERANCE order parameters change
# by more than 0.001.
_EXACT = 1e-4
# Operations that are tried at once on the sites of a crystal: most sites are met by the first ones.
_OPERATIONS = 64

# moyo warns of supercells that have not the rotations of the primitive cell, for which there is ``source``.
logging.getLogger("moyo").setLevel(logging.ERROR)


class SiteOrbits(NamedTuple):
    """The orbits of N sites, and an operation that makes each site of another one.

    Operations are exact where orbits allow for a tolerance, and an oblong supercell has not all the
    rotations of its primitive cell. So they may not reach every site of an orbit; then more than
    one site of it is a source.
    """

    representative: Indices
    """(N,) first site of each site's orbit."""
    source: Indices
    """(N,) site of its orbit that an operation takes to the site; sources are their own."""
    rotation: NDArray[np.int64]
    """(N, 3, 3) of that operation, on columns of fractional coordinates."""
    translation: Vectors
    """(N, 3) of it, so that the source comes to the site itself and not to an image."""

    @classmethod
    def single(cls, n_sites: int) -> SiteOrbits:
        """Every site for itself, as without symmetry."""
        sites = np.arange(n_sites, dtype=np.intp)
        rotation = np.tile(np.eye(3, dtype=np.int64), (n_sites, 1, 1))
        return cls(sites, sites.copy(), rotation, np.zeros((n_sites, 3)))

    def carried(
        self,
        crystals: CrystalArrays,
        site: NDArray[np.integer],
        neighbor: NDArray[np.integer],
        image: IntArray,
    ) -> tuple[Indices, IntArray]:
        """Find what the neighbours of sources are for the sites that these are taken to.

        Args:
            crystals: The crystals of the sites.
            site: To which site the operation takes its source, shape (B,).
            neighbor: A neighbour of the source, shape (B,).
            image: Its lattice translation, shape (B, 3).

        Returns:
            The neighbour of the site, shape (B,), and its lattice translation, shape (B, 3).
        """
        place = crystals.fractional[neighbor] + image
        place = np.einsum("bij,bj->bi", self.rotation[site], place) + self.translation[site]
        order = np.argsort(self.representative, kind="stable")
        ordered = self.representative[order]
        orbit = self.representative[neighbor]
        first = np.searchsorted(ordered, orbit)
        size = np.searchsorted(ordered, orbit, side="right") - first
        bond = np.repeat(np.arange(len(site)), size)
        candidate = order[spans(first, size)]
        between = place[bond] - crystals.fractional[candidate]
        cells = np.rint(between)
        misfit = (crystals.cartesian(between - cells, crystals.crystal[candidate]) ** 2).sum(axis=1)
        nearest = np.lexsort((misfit, bond))[np.cumsum(size) - size]
        return candidate[nearest], cells[nearest].astype(np.int32)


def site_orbits(crystals: CrystalArrays, tolerance: float = TOLERANCE) -> SiteOrbits:
    """Find which sites are equivalent by the symmetry of their crystal.

    Args:
        crystals: S crystals of N sites in all. Sites of different oxidation states are not equivalent.
        tolerance: How far atoms may be from their ideal places, in angstrom.

    Returns:
        The orbits. In a crystal in which moyo finds no symmetry every site is its own.
    """
    found = []
    for crystal, first in enumerate(crystals.offset[:-1].tolist()):
        orbits = _orbits(crystals, crystal, tolerance)
        found.append(
            orbits._replace(representative=orbits.representative + first, source=orbits.source + first)
        )
    return SiteOrbits(*map(np.concatenate, zip(*found, strict=True)))


def _orbits(crystals: CrystalArrays, crystal: int, tolerance: float) -> SiteOrbits:
    """The orbits of one crystal, its sites numbered from 0."""
    sites = slice(crystals.offset[crystal], crystals.offset[crystal + 1])
    place, lattice = crystals.fractional[sites], crystals.lattice[crystal]
    single = SiteOrbits.single(len(place))
    cell = Cell(lattice.tolist(), place.tolist(), (crystals.kind[sites] + 1).tolist())
    try:
        symmetry = MoyoDataset(cell, symprec=tolerance)
        # Of the primitive cell: the symmetry of an oblong supercell alone would leave out rotations.
        _, first, orbit = np.unique(symmetry.orbits, return_index=True, return_inverse=True)
        orbits = single._replace(representative=first[orbit])
        if (orbits.representative != orbits.source).any():
            exact = MoyoDataset(cell, symprec=_EXACT)
            _find_operations(orbits, place, lattice, exact.operations, 2 * _EXACT)
    except ValueError:  # a cell too odd for moyo is still a crystal, only not a smaller one
        return single
    return orbits


def _find_operations(
    orbits: SiteOrbits, place: Vectors, lattice: Vectors, operations: Operations, tolerance: float
) -> None:
    """Write where the sites of orbits come from, each of them as yet its own source."""
    rotations, translations = np.array(operations.rotations), np.array(operations.translations)
    source = orbits.representative.copy()
    waiting = np.flatnonzero(source != orbits.source)
    while len(waiting):
        operation, cells = _operations_to(
            place[waiting], place[source[waiting]], rotations, translations, lattice, tolerance
        )
        met = operation >= 0
        sites_met = waiting[met]
        orbits.source[sites_met] = source[sites_met]
        orbits.rotation[sites_met] = rotations[operation[met]]
        orbits.translation[sites_met] = translations[operation[met]] + cells[met]
        # To the others no operation takes that source: the first of them is a source too.
        waiting = waiting[~met]
        _, first, group = np.unique(source[waiting], return_index=True, return_inverse=True)
        source[waiting] = waiting[first][group]
        waiting = waiting[source[waiting] != waiting]


def _operations_to(
    goal: Vectors,
    start: Vectors,
    rotations: NDArray[np.int64],
    translations: Vectors,
    lattice: Vectors,
    tolerance: float,
) -> tuple[Indices, Vectors]:
    """Find operations that take W places to others, within a tolerance in angstrom.

    Goals and starts (W, 3), rotations (K, 3, 3) and translations (K, 3) are in units of the lattice.

    Returns:
        The number of an operation for each, -1 for none, and the cells that it lacks, shape (W, 3).
    """
    operation = np.full(len(goal), -1, dtype=np.intp)
    cells = np.zeros_like(goal)
    for first in range(0, len(rotations), _OPERATIONS):
        rest = np.flatnonzero(operation < 0)
        if not len(rest):
            break
        some = slice(first, first + _OPERATIONS)
        reached = np.einsum("kij,wj->kwi", rotations[some], start[rest]) + translations[some, None]
        between = goal[rest] - reached
        lacking = np.rint(between)
        misfit = (((between - lacking) @ lattice) ** 2).sum(axis=2)
        best = misfit.argmin(axis=0), np.arange(len(rest))
        met = misfit[best] < tolerance**2
        operation[rest[met]] = best[0][met] + first
        cells[rest[met]] = lacking[best][met]
    return operation, cells
