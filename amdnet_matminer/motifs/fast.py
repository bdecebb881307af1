"""The fast engine: CrystalNN's bonds and fingerprints as array arithmetic."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Structure

from amdnet_matminer.motifs.near_neighbors import bond_candidates
from amdnet_matminer.motifs.order_parameters import fingerprints
from amdnet_matminer.motifs.tessellation import voronoi_facets
from amdnet_matminer.motifs.types import Environments, IntArray


def fast_environments(structure: Structure, sites: IntArray) -> Environments:
    """Find bonds and fingerprints of chosen sites with CrystalNN's defaults.

    The same answers as ``reference_environments``, about a hundred times faster:
    one convex hull per site, and everything else over all sites at once.

    Args:
        structure: An ordered crystal.
        sites: The C sites to look at, shape (C,).

    Returns:
        All bonded neighbours of the sites, strongest first, and their fingerprints.
    """
    facets = voronoi_facets(structure, sites)
    candidates = bond_candidates(structure, sites, facets)
    ranks = np.arange(candidates.facet.shape[1])
    bond = candidates.facet[ranks < candidates.coordination[:, None]]
    direction = facets.vector / facets.distance[:, None]
    return Environments(
        neighbor=facets.neighbor[bond].astype(np.int32),
        image=facets.image[bond],
        offset=np.concatenate([[0], np.cumsum(candidates.coordination)]).astype(np.int32),
        fingerprint=fingerprints(direction, candidates),
    )
