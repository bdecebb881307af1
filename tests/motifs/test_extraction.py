"""From a structure to its motif graph: known motifs, and what must not change them."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymatgen.core import IStructure, Lattice, Structure

from amdnet_matminer.errors import StructureError
from amdnet_matminer.motifs import MotifGraph, motif_graph

few = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def distorted() -> Structure:
    """SrTiO3 in a skewed cell with every atom moved, so that no two distances are equal."""
    lattice = Lattice([[3.9, 0.1, 0.0], [0.2, 3.95, 0.1], [-0.1, 0.0, 4.0]])
    sites = [[0.5, 0.48, 0.02], [0.51, 0.5, 0.52], [0.48, 0.03, 0.5], [0.01, 0.02, 0.03], [-0.02, 0.5, 0.47]]
    return Structure(lattice, ["O", "Ti", "O", "Sr", "O"], sites)


@pytest.fixture(scope="module")
def distorted_graph(distorted: Structure) -> MotifGraph:
    return motif_graph(distorted)


@pytest.fixture(scope="module")
def gas() -> Structure:
    """A CO2 molecule, which shares nothing, then OBOBO, two linear BO2 that share a corner."""
    heights = [5, 6.16, 3.84, 10, 11.2, 12.53, 13.86, 15.06]
    beside = [5, 5, 5, 12, 12, 12, 12, 12]
    return Structure(
        Lattice.cubic(20.0),
        ["C", "O", "O", "O", "B", "O", "B", "O"],
        [[x, x, z] for x, z in zip(beside, heights, strict=True)],
        coords_are_cartesian=True,
    )


@pytest.mark.parametrize(
    ("crystal", "names"),
    [
        ("rutile", {"TiO6 octahedral": 2}),
        ("rock_salt", {"MgO6 octahedral": 4}),
        ("corundum", {"AlO6 octahedral": 12}),
        ("perovskite", {"TiO6 octahedral": 1, "SrO12 cuboctahedral": 1}),
        ("fluorite", {"CaF8 cubic": 4}),
        ("spinel", {"MgO4 tetrahedral": 8, "AlO6 octahedral": 16}),
        ("wurtzite", {"ZnO4 tetrahedral": 2}),
        ("nickel_arsenide", {"NiAs6 octahedral": 2}),
        ("caesium_chloride", {"CsCl8 cubic": 1}),
        ("copper", {"CuCu12 cuboctahedral": 4}),
        ("helium_box", {"He isolated": 1}),
        ("gas", {"CO2 linear": 1, "BO2 linear": 2}),
    ],
)
def test_motifs_of_known_crystals(crystal, names, request):
    found, counts = np.unique(motif_graph(request.getfixturevalue(crystal)).name, return_counts=True)
    assert dict(zip(found.tolist(), counts.tolist(), strict=True)) == names


@pytest.mark.parametrize(
    ("space_group", "lattice", "species", "sites", "name"),
    [
        ("P6_3/mmc", (3.161, 12.295), ["Mo", "S"], [[1 / 3, 2 / 3, 0.25], [1 / 3, 2 / 3, 0.621]], "MoS6"),
        ("P-6m2", (2.906, 2.837), ["W", "C"], [[0, 0, 0], [1 / 3, 2 / 3, 0.5]], "WC6"),
    ],
)
def test_trigonal_prisms(space_group, lattice, species, sites, name):
    """2H-MoS2 and WC: no order parameter of the fingerprint stands for a trigonal prism."""
    graph = motif_graph(Structure.from_spacegroup(space_group, Lattice.hexagonal(*lattice), species, sites))
    assert set(graph.name.tolist()) == {f"{name} trigonal prismatic"}
    assert graph.symmetry_measure.max() < 0.5


def test_hexagonal_close_packing():
    structure = Structure.from_spacegroup(
        "P6_3/mmc", Lattice.hexagonal(3.209, 5.211), ["Mg"], [[1 / 3, 2 / 3, 0.25]]
    )
    assert motif_graph(structure).name.tolist() == ["MgMg12 anticuboctahedral"] * 2


def test_mixed_anions():
    """Matlockite: barium has 4 fluorine and 5 chlorine; baddeleyite: tantalum has 3 oxygen and 4 nitrogen."""
    matlockite = Structure.from_spacegroup(
        "P4/nmm:2",
        Lattice.tetragonal(4.394, 7.225),
        ["Cl", "Ba", "F"],
        [[0.25, 0.25, 0.6472], [0.25, 0.25, 0.2049], [0.75, 0.25, 0]],
    )
    baddeleyite = Structure.from_spacegroup(
        "P2_1/c",
        Lattice.monoclinic(4.9581, 5.0267, 5.1752, 99.64),
        ["Ta", "O", "N"],
        [[0.292, 0.046, 0.213], [0.064, 0.324, 0.345], [0.445, 0.756, 0.48]],
    )
    assert {name.split()[0] for name in motif_graph(matlockite).name} == {"BaCl5F4"}
    assert {name.split()[0] for name in motif_graph(baddeleyite).name} == {"TaN4O3"}


def test_alloy_has_every_site_as_center():
    """Cu3Au type: each Al has 12 Ni, each Ni 4 Al and 8 Ni."""
    alloy = Structure(
        Lattice.cubic(3.57),
        ["Al", "Ni", "Ni", "Ni"],
        [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]],
    )
    graph = motif_graph(alloy)
    assert graph.name.tolist() == ["AlNi12 cuboctahedral", *["NiAl4Ni8 cuboctahedral"] * 3]
    assert graph.coordination.tolist() == [12] * 4


def test_other_forms_of_crystals(rutile):
    for crystal in (IStructure.from_sites(rutile.sites), rutile.as_dict()):
        assert motif_graph(crystal).name.tolist() == ["TiO6 octahedral"] * 2


def test_fields_of_rutile(rutile):
    graph = motif_graph(rutile)
    assert graph.center.tolist() == [0, 1]
    assert graph.multiplicity.tolist() == [1, 1]
    assert graph.ligand_offset.tolist() == [0, 6, 12]
    assert graph.coordination.tolist() == [6, 6]
    assert set(graph.ligand.tolist()) == {2, 3, 4, 5}
    # Four Ti-O bonds of one length and two of another, from the cell and u = 0.305.
    near = np.hypot(4.594 * np.sqrt(2) * (0.5 - 0.305), 2.959 / 2)
    far = 4.594 * np.sqrt(2) * 0.305
    assert np.sort(graph.bond_length[:6]) == pytest.approx([near] * 4 + [far] * 2, abs=1e-4)
    assert graph.fingerprint.shape == (2, 61)
    assert graph.sender.shape == graph.receiver.shape == graph.distance.shape == graph.angle.shape == (20,)
    assert graph.image.shape == (20, 3)
    assert {field.dtype.kind for field in graph} == {"i", "f", "U"}


def test_bonds_between_cations_are_no_ligands(nickel_arsenide):
    # Ni-Ni along c is hardly longer than Ni-As.
    graph = motif_graph(nickel_arsenide)
    assert all(nickel_arsenide[int(site)].specie.symbol == "As" for site in graph.ligand)


def test_a_motif_without_edges_shifts_no_index_and_touches_nothing(gas):
    graph = motif_graph(gas)
    assert graph.center.tolist() == [0, 4, 6]
    assert graph.name.tolist() == ["CO2 linear", "BO2 linear", "BO2 linear"]
    assert graph.receiver.tolist() == [1, 2]
    assert graph.sender.tolist() == [2, 1]
    assert graph.image.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert graph.distance == pytest.approx(2.66, abs=1e-4)
    assert graph.n_shared.tolist() == [1, 1]


def test_isolated_atom(helium_box):
    graph = motif_graph(helium_box)
    assert graph.coordination.tolist() == [0]
    assert not graph.fingerprint.any()
    assert len(graph.sender) == len(graph.ligand) == 0


def test_crystal_of_anions_alone_has_no_motifs():
    graph = motif_graph(Structure(Lattice.cubic(4.0), ["O2-"], [[0, 0, 0]]))
    assert len(graph.center) == len(graph.sender) == 0
    assert graph.name.shape == (0,)
    assert graph.fingerprint.shape == (0, 61)


@pytest.mark.parametrize(
    ("crystal", "states"),
    [
        ("rutile", {"Ti": 4, "O": -2}),
        ("rock_salt", {"Mg": 2, "O": -2}),
        ("perovskite", {"Sr": 2, "Ti": 4, "O": -2}),
        ("caesium_chloride", {"Cs": 1, "Cl": -1}),
    ],
)
def test_oxidation_states_change_no_motif(crystal, states, request):
    structure = request.getfixturevalue(crystal)
    decorated = structure.copy()
    decorated.add_oxidation_state_by_element(states)
    assert_same_motifs(motif_graph(structure), motif_graph(decorated), range(len(structure)))


@few
@given(order=st.permutations(range(5)))
def test_site_order_changes_nothing(distorted, distorted_graph, order):
    reordered = Structure.from_sites([distorted[i] for i in order])
    assert_same_motifs(distorted_graph, motif_graph(reordered), order)


@few
@given(shift=st.tuples(*[st.floats(-2, 2)] * 3))
def test_translation_changes_nothing(distorted, distorted_graph, shift):
    moved = distorted.copy()
    moved.translate_sites(range(5), shift, to_unit_cell=False)
    assert_same_motifs(distorted_graph, motif_graph(moved), range(5))


@few
@given(seed=st.integers(0, 10**6))
def test_rotation_changes_nothing(distorted, distorted_graph, seed):
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    turned = Structure(Lattice(distorted.lattice.matrix @ rotation), distorted.species, distorted.frac_coords)
    assert_same_motifs(distorted_graph, motif_graph(turned), range(5))


@few
@given(
    i=st.integers(0, 2),
    j=st.integers(1, 2),
    times=st.sampled_from([-1, 1]),
    cell=st.lists(st.integers(-2, 2), min_size=15, max_size=15),
)
def test_other_lattice_vectors_change_nothing(distorted, distorted_graph, i, j, times, cell):
    vectors = distorted.lattice.matrix.copy()
    vectors[i] += times * vectors[(i + j) % 3]
    images = np.array(cell).reshape(5, 3) @ distorted.lattice.matrix
    same = Structure(
        Lattice(vectors), distorted.species, distorted.cart_coords + images, coords_are_cartesian=True
    )
    assert_same_motifs(distorted_graph, motif_graph(same), range(5))


@pytest.mark.parametrize("scaling", [(2, 1, 1), (1, 2, 2)])
def test_supercell_repeats_the_motifs(distorted, distorted_graph, scaling):
    larger = distorted.make_supercell(scaling, in_place=False, to_unit_cell=False)
    graph = motif_graph(larger)
    home = distorted.lattice.get_fractional_coords(larger.cart_coords)
    origin = [int(np.abs((f - distorted.frac_coords + 0.5) % 1 - 0.5).sum(axis=1).argmin()) for f in home]
    assert len(graph.center) == np.prod(scaling) * len(distorted_graph.center)
    assert_same_motifs(distorted_graph, graph, origin)


def test_disordered_structure(rutile):
    disordered = rutile.copy()
    disordered.replace(0, {"Ti": 0.5, "Zr": 0.5})
    with pytest.raises(StructureError, match="site 0 is disordered"):
        motif_graph(disordered)


def test_unknown_engine(rutile):
    with pytest.raises(ValueError, match=r"engine must be one of .*'reference'.*, got 'guess'"):
        motif_graph(rutile, engine="guess")


def assert_same_motifs(before: MotifGraph, after: MotifGraph, origin) -> None:
    """Check that each motif of ``after`` equals that of ``before`` at site ``origin[site]``."""
    motif_at = {int(site): m for m, site in enumerate(before.center)}
    for n, site in enumerate(after.center):
        m = motif_at[origin[int(site)]]
        assert after.name[n] == before.name[m]
        assert after.fingerprint[n] == pytest.approx(before.fingerprint[m], abs=2e-3)
        lengths = [
            np.sort(graph.bond_length[graph.ligand_offset[k] : graph.ligand_offset[k + 1]])
            for graph, k in ((after, n), (before, m))
        ]
        assert lengths[0] == pytest.approx(lengths[1], abs=1e-4)
        assert_same_edges(edges_of(after, n), edges_of(before, m))


def edges_of(graph: MotifGraph, m: int) -> dict[tuple[str, int], list[tuple[float, float]]]:
    """Distances and angles of a motif's edges by (neighbour, shared ligands), in ascending order."""
    edges = defaultdict(list)
    for e in np.flatnonzero(graph.receiver == m):
        kind = (str(graph.name[graph.sender[e]]), int(graph.n_shared[e]))
        edges[kind].append((float(graph.distance[e]), float(graph.angle[e])))
    return {kind: [sorted(values) for values in zip(*found, strict=True)] for kind, found in edges.items()}


def assert_same_edges(found: dict, expected: dict) -> None:
    assert found.keys() == expected.keys()
    for kind, (distances, angles) in expected.items():
        assert found[kind][0] == pytest.approx(distances, abs=1e-4)
        assert found[kind][1] == pytest.approx(angles, abs=0.05)
