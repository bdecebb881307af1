"""Which crystals the original program would have left out."""

from __future__ import annotations

import pandas as pd
from pymatgen.core import Structure

from amdnet_matminer.motifs import motif_graph
from amdnet_matminer.original.motifs import GIVEN_MOTIFS
from amdnet_matminer.original.skipped import skipped_by_original


def test_isolated_atoms(rutile: Structure, helium_box: Structure) -> None:
    crystals = pd.Series({"TiO2": rutile, "He": helium_box})
    assert skipped_by_original(crystals, 5.0, with_motif_file=False) == {"He": "an isolated atom"}
    assert set(skipped_by_original(crystals, 1.5, with_motif_file=False)) == {"TiO2", "He"}


def test_crystals_without_a_given_motif_graph(rutile: Structure, rock_salt: Structure) -> None:
    given = rutile.copy()
    given.properties = {GIVEN_MOTIFS: motif_graph(rutile)}
    crystals = pd.Series({"TiO2": given, "MgO": rock_salt})
    assert skipped_by_original(crystals, 5.0, with_motif_file=True) == {"MgO": "not in the motif file"}
