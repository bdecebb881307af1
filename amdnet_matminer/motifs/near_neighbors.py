"""CrystalNN's bond weights and coordination numbers from the facets of Voronoi cells."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import combinations_with_replacement
from math import ceil, floor, pi
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymatgen.analysis.molecule_structure_comparator import CovalentRadius
from pymatgen.core import Element, Species

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.errors import StructureError
from amdnet_matminer.motifs.centers import electronegativity
from amdnet_matminer.motifs.tessellation import Facets

# CrystalNN's defaults: x_diff_weight, distance_cutoffs, and the largest
# difference of electronegativity there is.
_ELECTRONEGATIVITY_WEIGHT = 3.0
_LARGEST_DIFFERENCE = 3.3
_FULL_BOND, _NO_BOND = 0.5, 1.0
# The likelihoods of up to 40 coordination numbers add up to 1, so that of the most likely is at least
# 1/40, and so is the share of the circle up to the weight of its last bond: no bond weighs less than this.
_LEAST_BOND = 0.019


class Candidates(NamedTuple):
    """Possible bonds of C sites, up to K each, by falling weight; rows are padded with weight 0."""

    facet: NDArray[np.int64]
    """(C, K) row of the facet, 0 in the padding."""
    weight: NDArray[np.float64]
    """(C, K) bond weight, at most 1."""
    likelihood: NDArray[np.float64]
    """(C, K) likelihood that the bonds are the first 1, 2, ... K candidates."""
    coordination: NDArray[np.int64]
    """(C,) most likely number of bonds."""
    returned: NDArray[np.bool_]
    """(F,) whether the neighbour may list the bond too, or it alone."""


def bond_candidates(
    crystals: CrystalArrays, sites: NDArray[np.integer], facets: Facets, source: NDArray[np.integer]
) -> Candidates:
    """Weigh the facets of Voronoi cells as bonds, as pymatgen's CrystalNN does.

    Args:
        crystals: The crystals of the sites; oxidation states count where given.
        sites: The C sites whose cells these are, shape (C,).
        facets: Their facets.
        source: A site of equal surroundings for each of the N sites of the crystals, shape (N,).

    Returns:
        The candidates and how likely each coordination number is.

    Raises:
        StructureError: No radius is known for an element.
    """
    weight, from_neighbor = _bond_weights(crystals, sites, facets, source)
    order = np.lexsort((-weight, facets.cell))
    order = order[np.round(weight[order], 3) > 0]
    cell = facets.cell[order]
    rank = np.arange(len(order)) - np.searchsorted(cell, cell)
    shape = len(sites), int(rank.max(initial=-1)) + 1
    facet, padded = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    facet[cell, rank] = order
    padded[cell, rank] = weight[order]
    likelihood = _likelihood(np.round(padded, 3))
    none = 1 - likelihood.sum(axis=1, keepdims=True)
    best = np.argmax(np.hstack([likelihood, none]), axis=1) + 1
    return Candidates(
        facet, padded, likelihood, np.where(best > shape[1], 0, best), from_neighbor > _LEAST_BOND
    )


def check_radii(species: Iterable[Element | Species]) -> None:
    """Check that the radii that bonds are found by are known.

    Args:
        species: All that is on the sites of a crystal.

    Raises:
        StructureError: No radius is known for an element.
    """
    for pair in combinations_with_replacement(species, 2):
        _pair(*pair)


def _bond_weights(
    crystals: CrystalArrays, sites: NDArray[np.integer], facets: Facets, source: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """CrystalNN's weight of each facet as a bond, shape (F,), and the most it can be for the neighbour.

    The solid angle, adjusted for porous structures by solid angle over area and
    for polar bonds by the difference of electronegativity, relative to the largest
    of the site, and faded out beyond the sum of the radii. All but the largest is the
    same from both sides; of the neighbour's facets those with the sites are known.
    """
    polar, diameter = _of_pairs(crystals, sites[facets.cell], facets.neighbor)
    weight = facets.solid_angle**2 / facets.area * polar
    largest, of_neighbor = np.zeros(len(sites)), np.zeros(len(source))
    neighbor = source[facets.neighbor]
    np.maximum.at(largest, facets.cell, weight)
    np.maximum.at(of_neighbor, neighbor, weight)
    beyond = np.clip((facets.distance - diameter - _FULL_BOND) / (_NO_BOND - _FULL_BOND), 0.0, 1.0)
    faded = weight * (0.5 + 0.5 * np.cos(beyond * pi))
    return faded / largest[facets.cell], faded / of_neighbor[neighbor]


def _of_pairs(
    crystals: CrystalArrays, first: NDArray[np.integer], second: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Polarity weights and sums of radii of pairs of sites (F,)."""
    species = crystals.species
    pairs, pair = np.unique(crystals.kind[first] * len(species) + crystals.kind[second], return_inverse=True)
    table = [_pair(species[both // len(species)], species[both % len(species)]) for both in pairs.tolist()]
    polar, diameter = np.array(table).reshape(-1, 2)[pair].T
    return polar, diameter


def _likelihood(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Likelihood of the coordination numbers 1 to K from falling weights, shape (C, K).

    The share of a quarter of the unit circle between the weight of the last bond
    and that of the first which is none (Pan et al., Inorg. Chem. 60, 1590, 2021).
    """
    area = (weight * np.sqrt(1 - weight**2) + np.arcsin(weight)) / (pi / 2)
    return area - np.pad(area, ((0, 0), (0, 1)))[:, 1:]


@lru_cache(maxsize=65536)
def _pair(a: Element | Species, b: Element | Species) -> tuple[float, float]:
    """Weight for the polarity of a bond, and the sum of the radii in angstrom."""
    x, y = electronegativity(a.symbol), electronegativity(b.symbol)
    known = x > 0 and y > 0
    polar = 1 + _ELECTRONEGATIVITY_WEIGHT * (abs(x - y) / _LARGEST_DIFFERENCE) ** 0.5 if known else 1.0
    radii = _ionic_radius(a), _ionic_radius(b)
    return polar, sum(radii) if min(radii) > 0 else _covalent_radius(a.symbol) + _covalent_radius(b.symbol)


def _ionic_radius(specie: Element | Species) -> float:
    """Radius for the oxidation state in angstrom, 0 if there is no state or no radius."""
    state = specie.oxi_state if isinstance(specie, Species) else None
    if state is None:
        return 0.0
    if state == 0:
        return _covalent_radius(specie.symbol)
    element = Element(specie.symbol)
    radii = element.ionic_radii
    if state in radii:
        return float(radii[int(state)])
    low, high = floor(state), ceil(state)
    if low in radii and high in radii:
        return float((high - state) * radii[low] + (state - low) * radii[high])
    return max(0.0, float(element.average_cationic_radius if state > 0 else element.average_anionic_radius))


def _covalent_radius(symbol: str) -> float:
    """Covalent radius in angstrom, else the atomic radius."""
    radius = CovalentRadius.radius.get(symbol) or Element(symbol).atomic_radius
    if radius is None:
        raise StructureError(f"has {symbol}, of which no covalent or atomic radius is known", "remove it")
    return float(radius)
