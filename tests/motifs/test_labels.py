"""Names of fingerprint components and motifs."""

from __future__ import annotations

import numpy as np
import pytest
from matminer.featurizers.site.fingerprint import CrystalNNFingerprint
from pymatgen.core import Lattice, Structure

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.motifs import FINGERPRINT_LABELS, motif_graph
from amdnet_matminer.motifs.labels import LARGEST_MEASURE, motif_names
from amdnet_matminer.motifs.types import Environments


def test_fingerprint_labels_are_those_of_matminer():
    theirs = CrystalNNFingerprint.from_preset("ops", cation_anion=False).feature_labels()
    assert list(FINGERPRINT_LABELS) == theirs
    assert len(FINGERPRINT_LABELS) == 61


@pytest.mark.parametrize(
    ("n_ligands", "bonded", "polyhedron", "measure", "expected"),
    [
        (1, True, "single-bonded", 0.0, "TiO single-bonded"),
        (6, True, "octahedral", 0.0, "TiO6 octahedral"),
        (6, True, "octahedral", LARGEST_MEASURE, "TiO6 octahedral"),
        (6, True, "octahedral", LARGEST_MEASURE + 0.01, "TiO6 6-coordinate"),
        (14, True, "", 100.0, "TiO14 14-coordinate"),
        # bonded to other centres only, and to nothing
        (0, True, "", 0.0, "Ti 0-coordinate"),
        (0, False, "", 0.0, "Ti isolated"),
    ],
)
def test_a_motif_near_a_polyhedron_is_named_after_it(n_ligands, bonded, polyhedron, measure, expected):
    structure = Structure(Lattice.cubic(9.0), ["Ti", "O"], [[0, 0, 0], [0.5, 0, 0]])
    assert name_of(structure, [1] * n_ligands, polyhedron, measure, bonded) == expected


@pytest.mark.parametrize("order", [[1, 1, 2, 2, 2], [2, 1, 2, 1, 2]])
def test_ligands_are_counted_and_sorted_by_electronegativity(order):
    structure = Structure(Lattice.cubic(9.0), ["Ba", "F", "Cl"], [[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0]])
    assert name_of(structure, order, "square pyramidal") == "BaCl3F2 square pyramidal"


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (1, 0, 2, 3)])
def test_equally_electronegative_ligands_are_sorted_by_symbol(order):
    lattice = Lattice([[0, 3.1, 3.1], [3.1, 0, 3.1], [3.1, 3.1, 0]])
    sites = [[0.25] * 3, [0.75] * 3, [0] * 3, [0.5] * 3]
    heusler = Structure(lattice, ["Ti", "Ti", "Ru", "Pd"], sites)
    graph = motif_graph(Structure.from_sites([heusler[i] for i in order]))
    assert graph.name[:2].tolist() == ["TiPd4Ru4 cubic"] * 2


def test_two_letter_anions_and_charges(caesium_chloride):
    decorated = caesium_chloride.copy()
    decorated.add_oxidation_state_by_element({"Cs": 1, "Cl": -1})
    assert motif_graph(caesium_chloride).name.tolist() == ["CsCl8 cubic"]
    assert motif_graph(decorated).name.tolist() == ["CsCl8 cubic"]


def name_of(
    structure: Structure, ligands: list[int], polyhedron: str, measure: float = 0.0, bonded: bool = True
) -> str:
    """Name of a motif at site 0 with the ligand sites given."""
    n = len(ligands)
    environments = Environments(
        neighbor=np.array(ligands, dtype=np.int32),
        image=np.zeros((n, 3), dtype=np.int32),
        offset=np.array([0, n], dtype=np.int32),
        fingerprint=np.zeros((1, 61), dtype=np.float32),
        bonded=np.array([bonded]),
    )
    crystals = CrystalArrays.of([structure])
    (name,) = motif_names(crystals, np.array([0]), environments, [polyhedron], np.array([measure]))
    return name
