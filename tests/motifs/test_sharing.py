"""How polyhedra share ligands, against counts worked out from the crystal chemistry.

Each count can be checked by hand: a motif's shared ligands, summed over its
neighbours, are for each ligand the other centres that it is bonded to.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.motifs import SHARING_TYPES, MotifGraph, motif_graph, sharing_type
from amdnet_matminer.motifs.sharing import Sharing, share_ligands
from amdnet_matminer.motifs.types import Environments


@pytest.fixture(scope="module")
def pyrovanadate() -> Structure:
    """Mn2V2O7 of the thortveitite type, bonds 2.1 to 2.3 (Mn) and 1.7 angstrom (V)."""
    return Structure.from_spacegroup(
        "C2/m",
        Lattice.monoclinic(6.713, 8.725, 4.969, 103.59),
        ["Mn", "V", "O", "O", "O"],
        [[0, 0.318, 0.5], [0.221, 0, 0.894], [0, 0, 0], [0.41, 0, 0.185], [0.237, 0.155, 0.697]],
    )


@pytest.fixture(scope="module")
def anatase() -> Structure:
    return Structure.from_spacegroup(
        "I4_1/amd", Lattice.tetragonal(3.785, 9.514), ["Ti", "O"], [[0, 0, 0], [0, 0, 0.2081]]
    )


@pytest.fixture(scope="module")
def zincblende() -> Structure:
    """BN, a nitride."""
    return Structure.from_spacegroup(
        "F-43m", Lattice.cubic(3.615), ["B", "N"], [[0, 0, 0], [0.25, 0.25, 0.25]]
    )


@pytest.fixture(scope="module")
def hexachloroplatinate() -> Structure:
    """K2PtCl6, a halide whose octahedra touch only the cuboctahedra of potassium."""
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(9.743), ["K", "Pt", "Cl"], [[0.25, 0.25, 0.25], [0, 0, 0], [0.2385, 0, 0]]
    )


@pytest.fixture(scope="module")
def iron_arsenide() -> Structure:
    """LaFeAsO, a mixed-anion layer compound."""
    return Structure.from_spacegroup(
        "P4/nmm:2",
        Lattice.tetragonal(4.0355, 8.7393),
        ["La", "Fe", "As", "O"],
        [[0.25, 0.25, 0.1415], [0.75, 0.25, 0.5], [0.25, 0.25, 0.6512], [0.75, 0.25, 0]],
    )


@pytest.fixture(scope="module")
def brucite() -> Structure:
    """Mg(OH)2."""
    return Structure.from_spacegroup(
        "P-3m1",
        Lattice.hexagonal(3.142, 4.766),
        ["Mg", "O", "H"],
        [[0, 0, 0], [1 / 3, 2 / 3, 0.2203], [1 / 3, 2 / 3, 0.4256]],
    )


@pytest.fixture(scope="module")
def lithium_hydride() -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.084), ["Li", "H"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.fixture(scope="module")
def copper_cell() -> Structure:
    """Copper with one atom in the cell, so that all its neighbours are its own images."""
    return Structure(Lattice(3.615 / 2 * (1 - np.eye(3))), ["Cu"], [[0, 0, 0]])


@pytest.fixture(scope="module")
def diamond() -> Structure:
    return Structure.from_spacegroup("Fd-3m:2", Lattice.cubic(3.567), ["C"], [[0.125, 0.125, 0.125]])


@pytest.fixture(scope="module")
def dry_ice() -> Structure:
    """CO2, whose molecules share nothing."""
    return Structure.from_spacegroup("Pa-3", Lattice.cubic(5.624), ["C", "O"], [[0, 0, 0], [0.1185] * 3])


KNOWN = [
    # Each O joins 3 octahedra: 6 x 2 = 12 contacts; chains of shared edges along c.
    ("rutile", "Ti", {("Ti", 2): 2, ("Ti", 1): 8}),
    # The same with 4 shared edges in a zigzag: 12 = 4 x 2 + 4.
    ("anatase", "Ti", {("Ti", 2): 4, ("Ti", 1): 4}),
    # 6 x 5 = 30: edges with the 12 nearest cations, corners straight across with 6.
    ("rock_salt", "Mg", {("Mg", 2): 12, ("Mg", 1): 6}),
    # 6 x 3 = 18.
    ("corundum", "Al", {("Al", 3): 1, ("Al", 2): 3, ("Al", 1): 9}),
    # Each O joins 2 Ti and 4 Sr.
    ("perovskite", "Ti", {("Ti", 1): 6, ("Sr", 3): 8}),
    ("perovskite", "Sr", {("Ti", 3): 8, ("Sr", 4): 6, ("Sr", 1): 12}),
    # F cubes filled in turn, as a chessboard: all 12 cube edges shared.
    ("fluorite", "Ca", {("Ca", 2): 12}),
    # Each O joins 1 Mg and 3 Al.
    ("spinel", "Mg", {("Al", 1): 12}),
    ("spinel", "Al", {("Al", 2): 6, ("Mg", 1): 6}),
    # Each O joins 4 tetrahedra, no two of which share more than it.
    ("wurtzite", "Zn", {("Zn", 1): 12}),
    ("zincblende", "B", {("B", 1): 12}),
    # Octahedra stacked on faces along c, on edges in the plane: 30 = 2 x 3 + 6 x 2 + 12.
    ("nickel_arsenide", "Ni", {("Ni", 3): 2, ("Ni", 2): 6, ("Ni", 1): 12}),
    # All cubes filled: 6 faces of 4, 12 edges, 8 corners.
    ("caesium_chloride", "Cs", {("Cs", 4): 6, ("Cs", 2): 12, ("Cs", 1): 8}),
    # Honeycomb sheets of edge-sharing octahedra, pairs of tetrahedra between them:
    # the bridging O joins 2 V, every other O joins 2 Mn and 1 V.
    ("pyrovanadate", "Mn", {("Mn", 2): 3, ("V", 1): 6}),
    ("pyrovanadate", "V", {("Mn", 1): 6, ("V", 1): 1}),
    # Each Cl joins 1 Pt and 4 K; the octahedron's 8 faces are capped by K.
    ("hexachloroplatinate", "Pt", {("K", 3): 8}),
    ("hexachloroplatinate", "K", {("Pt", 3): 4, ("K", 4): 6, ("K", 1): 12}),
    # FeAs4 tetrahedra of a square net: 4 x 3 = 12 = 4 x 2 + 4; each As also has 4 La: 4 x 4 = 4 x 2 + 8.
    ("iron_arsenide", "Fe", {("Fe", 2): 4, ("Fe", 1): 4, ("La", 2): 4, ("La", 1): 8}),
    # Sheets of edge-sharing octahedra; each O also carries its hydrogen.
    ("brucite", "Mg", {("Mg", 2): 6, ("H", 1): 6}),
    ("brucite", "H", {("Mg", 1): 3}),
    ("lithium_hydride", "Li", {("Li", 2): 12, ("Li", 1): 6}),
    # Common neighbours of fcc sites at distances 1, sqrt 2, sqrt 3 and 2:
    # 12 x 11 = 132 = 12 x 4 + 6 x 4 + 24 x 2 + 12 x 1.
    ("copper", "Cu", {("Cu", 4): 18, ("Cu", 2): 24, ("Cu", 1): 12}),
    ("copper_cell", "Cu", {("Cu", 4): 18, ("Cu", 2): 24, ("Cu", 1): 12}),
    # Second neighbours only: bonded atoms have no neighbour in common.
    ("diamond", "C", {("C", 1): 12}),
    ("dry_ice", "C", {}),
    ("helium_box", "He", {}),
]


@pytest.mark.parametrize(("crystal", "center", "expected"), KNOWN)
def test_known_crystals(crystal, center, expected, request):
    structure = request.getfixturevalue(crystal)
    graph = motif_graph(structure)
    motifs = [m for m, site in enumerate(graph.center) if structure[int(site)].specie.symbol == center]
    assert motifs
    for m in motifs:
        assert shared_ligands(structure, graph, m) == expected


@pytest.mark.parametrize("crystal", ["rutile", "perovskite", "pyrovanadate", "copper_cell", "iron_arsenide"])
def test_no_shared_ligand_is_lost(crystal, request):
    graph = motif_graph(request.getfixturevalue(crystal))
    bonds_of = Counter(graph.ligand.tolist())
    for m in range(len(graph.center)):
        ligands = graph.ligand[graph.ligand_offset[m] : graph.ligand_offset[m + 1]].tolist()
        assert graph.n_shared[graph.receiver == m].sum() == sum(bonds_of[site] - 1 for site in ligands)


@pytest.mark.parametrize("crystal", ["rutile", "perovskite", "corundum", "pyrovanadate", "copper_cell"])
def test_every_edge_has_its_reverse(crystal, request):
    graph = motif_graph(request.getfixturevalue(crystal))
    value_of = {}
    for e in range(len(graph.sender)):
        key = (int(graph.sender[e]), int(graph.receiver[e]), *graph.image[e].tolist())
        value_of[key] = (int(graph.n_shared[e]), float(graph.distance[e]), float(graph.angle[e]))
    assert len(value_of) == len(graph.sender)
    for (sender, receiver, *image), value in value_of.items():
        reverse = (receiver, sender, *(-np.array(image)).tolist())
        assert value_of[reverse] == pytest.approx(value, abs=1e-3)


def test_neighbours_beyond_the_adjacent_cells(copper_cell):
    graph = motif_graph(copper_cell)
    assert np.abs(graph.image).max() == 2
    far = graph.distance == graph.distance.max()
    assert far.sum() == 12
    assert graph.distance[far] == pytest.approx(3.615 * np.sqrt(2), abs=1e-4)


def test_angles_and_distances_of_perovskite(perovskite):
    graph = motif_graph(perovskite)
    names = graph.name[graph.sender], graph.name[graph.receiver]
    between_octahedra = (names[0] == "TiO6 octahedral") & (names[1] == "TiO6 octahedral")
    assert graph.angle[between_octahedra] == pytest.approx(180.0, abs=0.1)
    assert graph.distance[between_octahedra] == pytest.approx(3.905, abs=1e-4)
    face = (names[0] == "TiO6 octahedral") & (names[1] == "SrO12 cuboctahedral")
    assert graph.angle[face] == pytest.approx(90.0, abs=1e-3)
    assert graph.distance[face] == pytest.approx(3.905 * np.sqrt(3) / 2, abs=1e-4)


def shared(crystal: Structure, bonds: list[list[tuple[int, tuple[int, int, int]]]], joined=None) -> Sharing:
    """What motifs at the first sites share, their ligands given as site and translation."""
    crystals = CrystalArrays.of([crystal])
    center = np.arange(len(bonds), dtype=np.int32)
    flat = [bond for of_motif in bonds for bond in of_motif]
    environments = Environments(
        neighbor=np.array([site for site, _ in flat], dtype=np.int32),
        image=np.array([image for _, image in flat], dtype=np.int32).reshape(-1, 3),
        offset=np.cumsum([0, *map(len, bonds)]).astype(np.int32),
        fingerprint=np.zeros((len(bonds), 61), dtype=np.float32),
        bonded=np.ones(len(bonds), dtype=bool),
    )
    motif = np.repeat(center, [len(of_motif) for of_motif in bonds])
    ends = crystals.position[environments.neighbor] + environments.image @ crystal.lattice.matrix
    receiving = np.ones(len(bonds), dtype=bool) if joined is None else np.array(joined)
    return share_ligands(crystals, center, environments, ends - crystals.position[motif], receiving)


HOME = (0, 0, 0)


@pytest.fixture
def two_centers() -> Structure:
    """Centres at x = 0 and 2; the ligands above and below them see the pair at 90 and 60 degrees."""
    positions = [[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, -np.sqrt(3), 0.0]]
    return Structure(Lattice.cubic(9.0), ["Ti", "Ti", "O", "O"], positions, coords_are_cartesian=True)


def test_angle_of_an_edge_is_the_mean_over_its_ligands(two_centers):
    found = shared(two_centers, [[(2, HOME), (3, HOME)]] * 2)
    assert found.sender.tolist() == [1, 0]
    assert found.receiver.tolist() == [0, 1]
    assert found.n_shared.tolist() == [2, 2]
    assert found.angle == pytest.approx(75.0, abs=1e-4)
    assert found.distance == pytest.approx(2.0)


def test_only_the_motifs_that_are_joined_receive(two_centers):
    found = shared(two_centers, [[(2, HOME), (3, HOME)]] * 2, joined=[False, True])
    assert found.sender.tolist() == [0]
    assert found.receiver.tolist() == [1]
    assert found.n_shared.tolist() == [2]


def test_no_bonds_give_no_edges(two_centers):
    found = shared(two_centers, [[]])
    assert [len(field) for field in found] == [0] * 6
    assert found.image.shape == (0, 3)


def test_a_motif_is_not_its_own_neighbour_but_its_image_is():
    # A chain: one centre with a ligand on either side, which is the same site.
    chain = Structure(Lattice.cubic(4.0), ["Ti", "O"], [[0, 0, 0], [0.5, 0, 0]])
    found = shared(chain, [[(1, HOME), (1, (-1, 0, 0))]])
    assert sorted(found.image.tolist()) == [[-1, 0, 0], [1, 0, 0]]
    assert found.distance.tolist() == [4.0, 4.0]


def test_sharing_type():
    kinds = sharing_type(np.array([1, 2, 3, 4, 6], dtype=np.int32))
    assert [SHARING_TYPES[kind] for kind in kinds] == ["corner", "edge", "face", "face", "face"]


def shared_ligands(structure: Structure, graph: MotifGraph, m: int) -> dict[tuple[str, int], int]:
    """Count a motif's neighbours by their centre and the number of shared ligands."""
    edges = np.flatnonzero(graph.receiver == m)
    centers = (structure[int(graph.center[graph.sender[e]])].specie.symbol for e in edges)
    return dict(Counter(zip(centers, graph.n_shared[edges].tolist(), strict=True)))
