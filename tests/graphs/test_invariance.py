"""What must hold for the graphs of any crystal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from amdnet_matminer.errors import StructureError
from amdnet_matminer.graphs import DualGraphConverter
from amdnet_matminer.motifs import MotifGraph, motif_graph

few = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
seeds = st.integers(0, 2**32 - 1)


def random_oxide(seed: int) -> Structure:
    """Two metals and three oxygens in a general cell, no two atoms closer than 1.6 angstrom."""
    rng = np.random.default_rng(seed)
    lattice = Lattice(5.0 * np.eye(3) + rng.uniform(-0.5, 0.5, (3, 3)))
    points: list[np.ndarray] = []
    while len(points) < 5:
        point = rng.random(3)
        if all(lattice.get_all_distances(point, other)[0, 0] > 1.6 for other in points):
            points.append(point)
    return Structure(lattice, ["Ti", "Sr", "O", "O", "O"], points)


def edges_of(graph: MotifGraph) -> dict[tuple[int, ...], tuple[float, float, int]]:
    """Distance, angle and shared ligands by (sender, receiver, image)."""
    ends = zip(graph.sender.tolist(), graph.receiver.tolist(), graph.image.tolist(), strict=True)
    values = zip(graph.distance.tolist(), graph.angle.tolist(), graph.n_shared.tolist(), strict=True)
    return {(s, r, *image): value for (s, r, image), value in zip(ends, values, strict=True)}


@few
@given(seeds)
def test_every_motif_edge_has_its_reverse(seed):
    edges = edges_of(motif_graph(random_oxide(seed)))
    for (sender, receiver, a, b, c), value in edges.items():
        assert edges[receiver, sender, -a, -b, -c] == pytest.approx(value, abs=1e-3)


@few
@given(seeds)
def test_a_tiny_displacement_changes_no_edge(seed):
    crystal = random_oxide(seed)
    moved = crystal.cart_coords + 1e-6 * np.random.default_rng(seed).uniform(-1, 1, (5, 3))
    before, after = (
        motif_graph(Structure(crystal.lattice, crystal.species, at, coords_are_cartesian=True))
        for at in (crystal.cart_coords, moved)
    )
    assert after.name.tolist() == before.name.tolist()
    expected, found = edges_of(before), edges_of(after)
    assert found.keys() == expected.keys()
    for edge, value in expected.items():
        assert found[edge] == pytest.approx(value, abs=1e-3)


@few
@given(seeds)
def test_multiplicities_sum_to_the_sites_and_centres(seed):
    crystal = random_oxide(seed)
    single, double = DualGraphConverter().convert(crystal), DualGraphConverter().convert(crystal * (2, 1, 1))
    assert double.atoms.multiplicity.sum() == 2 * len(crystal)
    assert double.motifs.multiplicity.sum() == 2 * len(motif_graph(crystal).center)
    for level, other in zip(double.levels, single.levels, strict=True):
        np.testing.assert_array_equal(level.multiplicity, 2 * other.multiplicity)
        lengths = [np.sort(np.repeat(each.distance, each.edge_multiplicity)) for each in (level, other)]
        np.testing.assert_allclose(*lengths, atol=1e-3)


def test_a_cell_of_one_atom(copper):
    primitive = copper.get_primitive_structure()
    graph = DualGraphConverter().convert(primitive)
    assert len(primitive) == 1
    assert graph.motifs.name.tolist() == ["CuCu12 cuboctahedral"]
    assert not graph.motifs.sender.any()
    assert graph.motifs.edge_multiplicity.sum() == len(motif_graph(copper).sender) / 4


def test_a_cell_of_900_atoms(rutile):
    large, unit = motif_graph(rutile * (5, 5, 6)), motif_graph(rutile)
    assert large.name.tolist() == ["TiO6 octahedral"] * 300
    assert np.bincount(large.receiver).tolist() == [10] * 300
    for field in ("distance", "angle", "n_shared"):
        expected = np.sort(np.tile(getattr(unit, field), 150))
        np.testing.assert_allclose(np.sort(getattr(large, field)), expected, atol=1e-2)


def test_atoms_at_one_place_have_no_motifs():
    double = Structure(Lattice.cubic(4), ["Mg", "O", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.501]])
    with pytest.raises(StructureError, match="sites 1 and 2 are at one place"):
        motif_graph(double)
