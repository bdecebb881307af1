"""The rule of bonds: what a centre lists itself, and what either end does."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from pymatgen.analysis.local_env import CrystalNN
from pymatgen.core import Lattice, Structure

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.motifs import MotifGraph, motif_graph
from amdnet_matminer.motifs.centers import site_roles

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def heusler() -> Structure:
    """LiPd2Sb: antimony lists 6 lithium, lithium lists 8 palladium and no antimony."""
    sites = [[0.5, 0.5, 0.5], [0.25, 0.25, 0.25], [0, 0, 0]]
    structure = Structure.from_spacegroup("Fm-3m", Lattice.cubic(6.322), ["Li", "Pd", "Sb"], sites)
    return structure.get_primitive_structure()


@pytest.fixture(scope="module")
def matlockite() -> Structure:
    """SrFI: strontium lists 4 fluorine; 4 iodine list strontium."""
    sites = [[0, 0.5, 0.145], [0, 0, 0], [0, 0.5, 0.68]]
    return Structure.from_spacegroup("P4/nmm:1", Lattice.tetragonal(4.282, 9.378), ["Sr", "F", "I"], sites)


@pytest.mark.parametrize(
    "crystal", ["rutile", "spinel", "nickel_arsenide", "copper", "heusler", "matlockite"]
)
@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_either_end_is_the_bonded_structure_of_pymatgen(crystal, engine, request):
    structure = request.getfixturevalue(crystal)
    assert ligands(motif_graph(structure, engine, bonds="either")) == bonded(structure)


def test_real_crystals_as_the_bonded_structure_of_pymatgen(load_crystals):
    structures, _ = load_crystals("mp2018", split="val", limit=40)
    for structure in [each for each in structures if 2 < len(each) <= 6]:
        either = ligands(motif_graph(structure, bonds="either"))
        assert either == bonded(structure), structure.formula
        own = ligands(motif_graph(structure, bonds="own"))
        assert all(few <= many for few, many in zip(own, either, strict=True))


@pytest.mark.parametrize(
    ("crystal", "own", "either"),
    [
        ("heusler", {"Li 0-coordinate", "PdSb4 tetrahedral"}, {"LiSb6 octahedral", "PdSb4 tetrahedral"}),
        ("matlockite", {"SrF4 square non-coplanar"}, {"SrI4F4 bicapped trigonal prismatic"}),
        ("rutile", {"TiO6 octahedral"}, {"TiO6 octahedral"}),
    ],
)
def test_ligands_that_only_list_their_centre(crystal, own, either, request):
    structure = request.getfixturevalue(crystal)
    assert set(motif_graph(structure, bonds="own").name.tolist()) == own
    assert set(motif_graph(structure, bonds="either").name.tolist()) == either


def test_own_bonds_come_first_and_fingerprints_are_the_same(matlockite):
    own, either = (motif_graph(matlockite, bonds=rule) for rule in ("own", "either"))
    np.testing.assert_array_equal(own.fingerprint, either.fingerprint)
    for m, n in enumerate(own.coordination):
        first = either.ligand_offset[m]
        assert own.ligand[own.ligand_offset[m] :][:n].tolist() == either.ligand[first:][:n].tolist()


@pytest.mark.parametrize("engine", ["fast", "reference"])
@pytest.mark.parametrize("rule", ["own", "either"])
def test_isolated_means_that_nobody_is_bonded(engine, rule):
    """Argon far from a molecule of MgO."""
    sites = [[0, 0, 0], [0, 0, 1.75], [10, 10, 10]]
    gas = Structure(Lattice.cubic(20), ["Mg", "O", "Ar"], sites, coords_are_cartesian=True)
    assert motif_graph(gas, engine, rule).name.tolist() == ["MgO single-bonded", "Ar isolated"]


def test_unknown_rule(rutile):
    with pytest.raises(ValueError, match=r"bonds must be one of \['either', 'own'\], got 'mutual'"):
        motif_graph(rutile, bonds="mutual")


def ligands(graph: MotifGraph) -> list[set[tuple[int, ...]]]:
    ends = np.column_stack([graph.ligand, graph.ligand_image]).tolist()
    offset = graph.ligand_offset.tolist()
    return [set(map(tuple, ends[a:b])) for a, b in pairwise(offset)]


def bonded(structure: Structure) -> list[set[tuple[int, ...]]]:
    """The anions bonded to each centre, or all neighbours where there are no anions."""
    graph = CrystalNN().get_bonded_structure(structure)
    center, is_ligand = site_roles(CrystalArrays.of([structure]))
    return [
        {
            (bond.index, *map(int, bond.jimage))
            for bond in graph.get_connected_sites(site)
            if is_ligand[bond.index]
        }
        for site in center.tolist()
    ]
