"""The reference engine: pymatgen's CrystalNN and matminer's fingerprint, called as they are.

Slow (half a second for an average oxide) and kept as the definition that the
fast engine is tested against.
"""

from __future__ import annotations

import warnings
from collections.abc import Container, Iterable

import numpy as np
from pymatgen.core import Structure

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.motifs.bonds import Bonds
from amdnet_matminer.motifs.types import BondRule, Environments, IntArray
from amdnet_matminer.symmetry import SiteOrbits

# No CrystalNN bond is longer than the two largest radii and its last distance
# cut-off (1 angstrom) together, so a site without neighbours within this is isolated.
LONGEST_BOND = 10.0


def reference_environments(
    crystals: CrystalArrays, sites: IntArray, orbits: SiteOrbits, rule: BondRule = "own"
) -> Environments:
    """Find bonds and fingerprints of chosen sites with CrystalNN's defaults.

    Args:
        crystals: The crystals of the sites.
        sites: The C sites to look at, crystal after crystal, shape (C,).
        orbits: Their symmetry, of which no use is made.
        rule: Whose list makes a bond.

    Returns:
        The bonded neighbours of the sites, first those they list themselves, and their
        fingerprints.
    """
    lists, vectors = [], []
    with warnings.catch_warnings():
        # CrystalNN warns about absent oxidation states and radii for every site.
        warnings.simplefilter("ignore", UserWarning)
        for crystal, first in enumerate(crystals.offset[:-1].tolist()):
            structure = crystals.structure(crystal)
            # A site without neighbours near enough makes pymatgen fail.
            crowded = set(structure.get_neighbor_list(LONGEST_BOND)[0].tolist())
            found = _lists(structure, crowded)
            lists.append(found._replace(site=found.site + first, neighbor=found.neighbor + first))
            chosen = sites[(sites >= first) & (sites < crystals.offset[crystal + 1])] - first
            vectors += [_fingerprint(structure, site, crowded) for site in chosen.tolist()]
    listed = Bonds.joined(*lists)
    own = Bonds(*(column[np.isin(listed.site, sites)] for column in listed))
    extra = listed.of_neighbors_only(own, sites)
    return own.environments(sites, extra, rule, np.array(vectors, dtype=np.float32).reshape(-1, 61))


def _fingerprint(structure: Structure, site: int, crowded: Container[int]) -> list[float]:
    # Imported where they are called: they take a second, which every process would pay for nothing.
    from matminer.featurizers.site.fingerprint import CrystalNNFingerprint

    fingerprint = CrystalNNFingerprint.from_preset("ops", cation_anion=False)
    return list(fingerprint.featurize(structure, site)) if site in crowded else [0.0] * 61


def _lists(structure: Structure, crowded: Iterable[int]) -> Bonds:
    """What CrystalNN lists for some sites."""
    from pymatgen.analysis.local_env import CrystalNN

    bonds = CrystalNN()
    found = [(site, bond) for site in sorted(crowded) for bond in bonds.get_nn_info(structure, site)]
    return Bonds(
        np.array([site for site, _ in found], dtype=np.int32),
        np.array([bond["site_index"] for _, bond in found], dtype=np.int32),
        np.array([bond["image"] for _, bond in found], dtype=np.int32).reshape(-1, 3),
    )
