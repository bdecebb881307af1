"""The fast engine: CrystalNN's bonds and fingerprints as array arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from amdnet_matminer.motifs.bonds import Bonds
from amdnet_matminer.motifs.near_neighbors import Candidates, bond_candidates
from amdnet_matminer.motifs.order_parameters import fingerprints
from amdnet_matminer.motifs.tessellation import Facets, voronoi_facets
from amdnet_matminer.motifs.types import BondRule, Environments, IntArray


def fast_environments(structure: Structure, sites: IntArray, rule: BondRule = "own") -> Environments:
    """Find bonds and fingerprints of chosen sites with CrystalNN's defaults.

    The same answers as ``reference_environments``, about a hundred times faster:
    one convex hull per site, and everything else over all sites at once.

    Args:
        structure: An ordered crystal.
        sites: The C sites to look at, shape (C,).
        rule: Whose list makes a bond.

    Returns:
        The bonded neighbours of the sites, first those they list themselves, strongest
        first; and their fingerprints.
    """
    facets = voronoi_facets(structure, sites)
    candidates = bond_candidates(structure, sites, facets)
    listed = _listed(candidates)
    own = _bonds(facets, listed, sites)
    unsure = candidates.returned.copy()
    unsure[listed] = False
    if rule == "own":  # Then others tell only whether a site without bonds is isolated.
        unsure &= candidates.coordination[facets.cell] == 0
    extra = _listed_by_neighbors(structure, own, facets.neighbor[unsure], sites)
    direction = facets.vector / facets.distance[:, None]
    return own.environments(sites, extra, rule, fingerprints(direction, candidates))


def _listed(candidates: Candidates) -> NDArray[np.int64]:
    """The facets that are bonds, site after site."""
    rank = np.arange(candidates.facet.shape[1])
    return candidates.facet[rank < candidates.coordination[:, None]]


def _bonds(facets: Facets, listed: NDArray[np.int64], sites: IntArray) -> Bonds:
    neighbor = facets.neighbor[listed].astype(np.int32)
    return Bonds(sites[facets.cell[listed]], neighbor, facets.image[listed])


def _listed_by_neighbors(
    structure: Structure, own: Bonds, neighbors: NDArray[np.int64], sites: IntArray
) -> Bonds:
    """The bonds to the sites that only some of their neighbours list."""
    if not len(neighbors):
        return Bonds(*(column[:0] for column in own))
    others = np.setdiff1d(neighbors, sites).astype(np.int32)
    facets = voronoi_facets(structure, others)
    listed = _listed(bond_candidates(structure, others, facets))
    return Bonds.joined(own, _bonds(facets, listed, others)).of_neighbors_only(own, sites)
