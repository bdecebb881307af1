"""Names of fingerprint components and of motifs."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from amdnet_matminer.motifs.centers import electronegativity
from amdnet_matminer.motifs.types import FloatArray, IntArray

# The order of matminer's CrystalNNFingerprint.from_preset("ops"): for each
# coordination number its weight, then the order parameters of its geometries.
_GEOMETRIES: dict[int, tuple[str, ...]] = {
    1: ("sgl_bd",),
    2: ("L-shaped", "water-like", "bent 120 degrees", "bent 150 degrees", "linear"),
    3: ("trigonal planar", "trigonal non-coplanar", "T-shaped"),
    4: (
        "square co-planar",
        "tetrahedral",
        "rectangular see-saw-like",
        "see-saw-like",
        "trigonal pyramidal",
    ),
    5: ("pentagonal planar", "square pyramidal", "trigonal bipyramidal"),
    6: ("hexagonal planar", "octahedral", "pentagonal pyramidal"),
    7: ("hexagonal pyramidal", "pentagonal bipyramidal"),
    8: ("body-centered cubic", "hexagonal bipyramidal"),
    9: ("q2", "q4", "q6"),
    10: ("q2", "q4", "q6"),
    11: ("q2", "q4", "q6"),
    12: ("cuboctahedral", "q2", "q4", "q6"),
}
_READABLE = {
    "sgl_bd": "single-bonded",
    "square co-planar": "square planar",
    "body-centered cubic": "cubic",
}

FINGERPRINT_LABELS: tuple[str, ...] = tuple(
    f"{kind} CN_{cn}" for cn in range(1, 25) for kind in ("wt", *_GEOMETRIES.get(cn, ()))
)
"""The 61 labels of the motif fingerprint, as matminer gives them."""

_COLUMN = {label: column for column, label in enumerate(FINGERPRINT_LABELS)}


def motif_names(
    structure: Structure, center: IntArray, ligand: IntArray, ligand_offset: IntArray, fingerprint: FloatArray
) -> NDArray[np.str_]:
    """Name motifs by centre, ligands and geometry, such as ``"TiO6 octahedral"``.

    Args:
        structure: The crystal.
        center: Site index of the M centres, shape (M,).
        ligand: Site index of the L ligands, shape (L,).
        ligand_offset: First ligand of each motif, shape (M + 1,).
        fingerprint: Fingerprints of the centres, shape (M, 61).

    Returns:
        The names, shape (M,).
    """
    symbols = [site.specie.symbol for site in structure]
    names = []
    for m, site in enumerate(center):
        ligands = Counter(symbols[i] for i in ligand[ligand_offset[m] : ligand_offset[m + 1]])
        parts = sorted(ligands.items(), key=lambda item: electronegativity(item[0]))
        formula = "".join(symbol + (str(count) if count > 1 else "") for symbol, count in parts)
        names.append(f"{symbols[site]}{formula} {_geometry(fingerprint[m], ligands.total())}")
    return np.array(names, dtype=np.str_)


def _geometry(fingerprint: FloatArray, coordination: int) -> str:
    """The geometry of ``coordination`` vertices that the fingerprint fits best."""
    if coordination == 0:
        return "isolated"
    kinds = [kind for kind in _GEOMETRIES.get(coordination, ()) if not kind.startswith("q")]
    scores = [fingerprint[_COLUMN[f"{kind} CN_{coordination}"]] for kind in kinds]
    if not scores or max(scores) <= 0:
        return f"{coordination}-coordinate"
    best = kinds[int(np.argmax(scores))]
    return _READABLE.get(best, best)
