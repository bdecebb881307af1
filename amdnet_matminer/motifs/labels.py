"""Names of fingerprint components and of motifs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.motifs.centers import electronegativity
from amdnet_matminer.motifs.polyhedra import ISOLATED
from amdnet_matminer.motifs.types import Environments, IntArray

# Components of the fingerprint (motifs are named otherwise), in the order of matminer's
# CrystalNNFingerprint.from_preset("ops"): for each coordination number its weight, then the
# order parameters.
_ORDER_PARAMETERS: dict[int, tuple[str, ...]] = {
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
FINGERPRINT_LABELS: tuple[str, ...] = tuple(
    f"{kind} CN_{cn}" for cn in range(1, 25) for kind in ("wt", *_ORDER_PARAMETERS.get(cn, ()))
)
"""The 61 labels of the motif fingerprint, as matminer gives them."""

LARGEST_MEASURE = 5.0
"""A motif is named after a polyhedron up to this symmetry measure.

About there matminer's order parameters of tetrahedra, octahedra and trigonal bipyramids,
without the weight of the coordination number, fall to 0.4, below which robocrystallographer
gives the number of bonds alone. Half way on the twist from the octahedron to the trigonal
prism the measure is 4.4 to both, so all of that way has a name.
"""


def motif_names(
    crystals: CrystalArrays,
    center: IntArray,
    environments: Environments,
    polyhedra: Sequence[str],
    measure: NDArray[np.floating],
) -> list[str]:
    """Name motifs by centre, ligands and geometry, such as ``"TiO6 octahedral"``.

    Args:
        crystals: The crystals of the motifs.
        center: Site index of the M centres, shape (M,).
        environments: Their ligands.
        polyhedra: M names of the nearest ideal polyhedra, empty where there is none.
        measure: Symmetry measure to it, shape (M,).

    Returns:
        The M names. A motif that is far from every polyhedron is named by its
        number of ligands, as ``"LaO9 9-coordinate"``; ``"isolated"`` is an atom with no
        bonds at all, of ligands or others.
    """
    symbols = np.array([specie.symbol for specie in crystals.species], dtype=object)
    centers = symbols[crystals.kind[center]].tolist()
    ligand = symbols[crystals.kind[environments.neighbor]].tolist()
    offset, bonded = environments.offset.tolist(), environments.bonded.tolist()
    near = (measure <= LARGEST_MEASURE).tolist()
    names = []
    for m, symbol in enumerate(centers):
        ligands = ligand[offset[m] : offset[m + 1]]
        geometry = f"{len(ligands)}-coordinate"
        if not bonded[m]:
            geometry = ISOLATED
        elif polyhedra[m] and near[m]:
            geometry = polyhedra[m]
        names.append(f"{symbol}{_formula(ligands)} {geometry}")
    return names


def _formula(ligands: Sequence[str]) -> str:
    """The ligands with their numbers, the least electronegative first, of equal ones by symbol."""
    if len(set(ligands)) == 1:  # most motifs, and sorting takes longer
        return ligands[0] + (str(len(ligands)) if len(ligands) > 1 else "")
    counts = Counter(ligands)
    # Many elements have equal ones, and the order of the bonds is that of the sites.
    symbols = sorted(counts, key=lambda symbol: (electronegativity(symbol), symbol))
    return "".join(symbol + (str(counts[symbol]) if counts[symbol] > 1 else "") for symbol in symbols)
