"""The reference engine: pymatgen's CrystalNN and matminer's fingerprint, called as they are.

Slow (half a second for an average oxide) and kept as the definition that the
fast engine is tested against.
"""

from __future__ import annotations

import warnings

import numpy as np
from matminer.featurizers.site.fingerprint import CrystalNNFingerprint
from pymatgen.analysis.local_env import CrystalNN
from pymatgen.core import Structure

from amdnet_matminer.motifs.types import Environments, IntArray

# No CrystalNN bond is longer than the two largest radii and its last distance
# cut-off (1 angstrom) together, so a site without neighbours within this is isolated.
LONGEST_BOND = 10.0


def reference_environments(structure: Structure, sites: IntArray) -> Environments:
    """Find bonds and fingerprints of chosen sites with CrystalNN's defaults.

    Args:
        structure: An ordered crystal.
        sites: The C sites to look at, shape (C,).

    Returns:
        All bonded neighbours of the sites and their fingerprints.
    """
    bonds = CrystalNN()
    fingerprint = CrystalNNFingerprint.from_preset("ops", cation_anion=False)
    crowded = set(structure.get_neighbor_list(LONGEST_BOND)[0].tolist())
    neighbors, images, vectors, offset = [], [], [], [0]
    with warnings.catch_warnings():
        # CrystalNN warns about absent oxidation states and radii for every site.
        warnings.simplefilter("ignore", UserWarning)
        for site in sites.tolist():
            found = bonds.get_nn_info(structure, site) if site in crowded else []
            neighbors += [bond["site_index"] for bond in found]
            images += [bond["image"] for bond in found]
            vectors.append(fingerprint.featurize(structure, site) if site in crowded else np.zeros(61))
            offset.append(len(neighbors))
    return Environments(
        neighbor=np.array(neighbors, dtype=np.int32),
        image=np.array(images, dtype=np.int32).reshape(-1, 3),
        offset=np.array(offset, dtype=np.int32),
        fingerprint=np.array(vectors, dtype=np.float32).reshape(-1, 61),
    )
