"""The crystals that the original program leaves out in silence, its test error too."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pymatgen.core import Structure

from amdnet_matminer.original.motifs import GIVEN_MOTIFS


def skipped_by_original(structures: pd.Series, atom_cutoff: float, with_motif_file: bool) -> dict[str, str]:
    """Tell which crystals the original program would have left out.

    Args:
        structures: By id, as ``read_original`` gives them.
        atom_cutoff: Largest distance of an atom pair, in angstrom.
        with_motif_file: Whether they were read with a motif file.

    Returns:
        The reason by id: the motif file has no usable graph of the crystal, or an atom has no
        other within the cutoff.
    """
    skipped: dict[str, str] = {}
    for key, structure in structures.items():
        if with_motif_file and GIVEN_MOTIFS not in structure.properties:
            skipped[str(key)] = "not in the motif file"
        elif _has_isolated_atom(structure, atom_cutoff):
            skipped[str(key)] = "an isolated atom"
    return skipped


def _has_isolated_atom(structure: Structure, cutoff: float) -> bool:
    centers = structure.get_neighbor_list(cutoff)[0]
    return len(np.unique(centers)) < len(structure)
