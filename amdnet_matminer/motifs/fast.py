"""The fast engine: CrystalNN's bonds and fingerprints as array arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.motifs.bonds import Bonds
from amdnet_matminer.motifs.near_neighbors import Candidates, bond_candidates
from amdnet_matminer.motifs.order_parameters import fingerprints
from amdnet_matminer.motifs.tessellation import Facets, voronoi_facets
from amdnet_matminer.motifs.types import BondRule, Environments, IntArray
from amdnet_matminer.symmetry import SiteOrbits


def fast_environments(
    crystals: CrystalArrays, sites: IntArray, orbits: SiteOrbits, rule: BondRule = "own"
) -> Environments:
    """Find bonds and fingerprints of chosen sites with CrystalNN's defaults.

    The same answers as ``reference_environments``, hundreds of times faster: one
    convex hull for each of the sites that symmetry does not make of another, and
    everything else over the sites of all crystals at once.

    Args:
        crystals: The crystals of the sites.
        sites: The C sites to look at, shape (C,).
        orbits: The symmetry of the crystals.
        rule: Whose list makes a bond.

    Returns:
        The bonded neighbours of the sites, first those they list themselves, strongest
        first; and their fingerprints.
    """
    sources, source_of = np.unique(orbits.source[sites], return_inverse=True)
    facets = voronoi_facets(crystals, sources)
    candidates = bond_candidates(crystals, sources, facets, orbits.source)
    listed = _listed(candidates)
    own = _bonds(facets, listed, sources).carried(crystals, orbits, sites)
    unsure = candidates.returned.copy()
    unsure[listed] = False
    if rule == "own":  # Then others tell only whether a site without bonds is isolated.
        unsure &= candidates.coordination[facets.cell] == 0
    extra = _listed_by_neighbors(crystals, orbits, own, facets.neighbor[unsure], sites)
    direction = facets.vector / facets.distance[:, None]
    return own.environments(sites, extra, rule, fingerprints(direction, candidates)[source_of])


def _listed(candidates: Candidates) -> NDArray[np.int64]:
    """The facets that are bonds, site after site."""
    rank = np.arange(candidates.facet.shape[1])
    return candidates.facet[rank < candidates.coordination[:, None]]


def _bonds(facets: Facets, listed: NDArray[np.int64], sites: NDArray[np.integer]) -> Bonds:
    neighbor = facets.neighbor[listed].astype(np.int32)
    return Bonds(sites[facets.cell[listed]].astype(np.int32), neighbor, facets.image[listed])


def _listed_by_neighbors(
    crystals: CrystalArrays, orbits: SiteOrbits, own: Bonds, neighbors: NDArray[np.int64], sites: IntArray
) -> Bonds:
    """The bonds to the sites that only some of their neighbours, or sites equivalent to these, list."""
    if not len(neighbors):
        return Bonds(*(column[:0] for column in own))
    equivalent = np.isin(orbits.representative, orbits.representative[neighbors])
    others = np.setdiff1d(np.flatnonzero(equivalent), sites).astype(np.int32)
    sources = np.unique(orbits.source[others])
    facets = voronoi_facets(crystals, sources)
    listed = _listed(bond_candidates(crystals, sources, facets, orbits.source))
    theirs = _bonds(facets, listed, sources).carried(crystals, orbits, others)
    return Bonds.joined(own, theirs).of_neighbors_only(own, sites)
