"""Names of fingerprint components and motifs."""

from __future__ import annotations

import numpy as np
import pytest
from matminer.featurizers.site.fingerprint import CrystalNNFingerprint
from pymatgen.core import Lattice, Structure

from amdnet_matminer.motifs import FINGERPRINT_LABELS, motif_graph
from amdnet_matminer.motifs.labels import motif_names


def test_fingerprint_labels_are_those_of_matminer():
    theirs = CrystalNNFingerprint.from_preset("ops", cation_anion=False).feature_labels()
    assert list(FINGERPRINT_LABELS) == theirs
    assert len(FINGERPRINT_LABELS) == 61


@pytest.mark.parametrize(
    ("best", "n_ligands", "expected"),
    [
        ("sgl_bd CN_1", 1, "TiO single-bonded"),
        ("linear CN_2", 2, "TiO2 linear"),
        ("square co-planar CN_4", 4, "TiO4 square planar"),
        ("tetrahedral CN_4", 4, "TiO4 tetrahedral"),
        ("octahedral CN_6", 6, "TiO6 octahedral"),
        ("body-centered cubic CN_8", 8, "TiO8 cubic"),
        ("cuboctahedral CN_12", 12, "TiO12 cuboctahedral"),
        # q2 says how regular, not which shape; and only shapes of as many vertices count
        ("q6 CN_9", 9, "TiO9 9-coordinate"),
        ("octahedral CN_6", 4, "TiO4 4-coordinate"),
        ("wt CN_6", 6, "TiO6 6-coordinate"),
        ("wt CN_13", 13, "TiO13 13-coordinate"),
        ("wt CN_1", 0, "Ti isolated"),
    ],
)
def test_geometry_is_the_best_of_the_coordination_number(best, n_ligands, expected):
    structure = Structure(Lattice.cubic(9.0), ["Ti", "O"], [[0, 0, 0], [0.5, 0, 0]])
    assert name_of(structure, [1] * n_ligands, {best: 0.7}) == expected


def test_the_larger_order_parameter_wins():
    structure = Structure(Lattice.cubic(9.0), ["Ti", "O"], [[0, 0, 0], [0.5, 0, 0]])
    scores = {
        "wt CN_6": 0.9,
        "octahedral CN_6": 0.4,
        "pentagonal pyramidal CN_6": 0.5,
        "tetrahedral CN_4": 0.8,
    }
    assert name_of(structure, [1] * 6, scores) == "TiO6 pentagonal pyramidal"


@pytest.mark.parametrize("order", [[1, 1, 2, 2, 2], [2, 1, 2, 1, 2]])
def test_ligands_are_counted_and_sorted_by_electronegativity(order):
    structure = Structure(Lattice.cubic(9.0), ["Ba", "F", "Cl"], [[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0]])
    assert name_of(structure, order, {"square pyramidal CN_5": 0.5}) == "BaCl3F2 square pyramidal"


def test_two_letter_anions_and_charges(caesium_chloride):
    decorated = caesium_chloride.copy()
    decorated.add_oxidation_state_by_element({"Cs": 1, "Cl": -1})
    assert motif_graph(caesium_chloride).name.tolist() == ["CsCl8 cubic"]
    assert motif_graph(decorated).name.tolist() == ["CsCl8 cubic"]


def name_of(structure: Structure, ligands: list[int], scores: dict[str, float]) -> str:
    """Name of a motif at site 0 with the ligand sites and fingerprint components given."""
    fingerprint = np.zeros((1, 61), dtype=np.float32)
    for label, score in scores.items():
        fingerprint[0, FINGERPRINT_LABELS.index(label)] = score
    offset = np.array([0, len(ligands)], dtype=np.int32)
    names = motif_names(structure, np.array([0]), np.array(ligands, dtype=np.int32), offset, fingerprint)
    assert names.shape == (1,)
    return str(names[0])
