"""The nearest ideal polyhedron and the measure to it, against ChemEnv."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.chemenv.coordination_environments.coordination_geometries import (
    AllCoordinationGeometries,
)
from pymatgen.analysis.chemenv.coordination_environments.coordination_geometry_finder import (
    AbstractGeometry,
    LocalGeometryFinder,
)
from scipy.spatial.transform import Rotation

from amdnet_matminer.motifs import motif_graph
from amdnet_matminer.motifs.polyhedra import _NAMES, GEOMETRIES, moment, polyhedra
from amdnet_matminer.motifs.symmetry_measure import MOST, nearest_polyhedra

NUMBERS = [*range(1, 14), 20]
seeds = st.integers(0, 2**32 - 1)


def test_the_list_is_that_of_chemenv():
    theirs = AllCoordinationGeometries()
    symbols = [g.mp_symbol for n in range(1, 25) for g in theirs.get_implemented_geometries(n)]
    assert set(_NAMES) == set(symbols)
    assert {n for n in range(1, 25) if polyhedra(n).name} == set(NUMBERS)
    assert len(GEOMETRIES) == len(set(GEOMETRIES))
    by_number = [set(polyhedra(n).name) for n in NUMBERS]
    assert sum(map(len, by_number)) == len(set().union(*by_number))  # a name tells its number


@pytest.mark.parametrize("n", NUMBERS)
def test_ideal_polyhedra_turned_mirrored_scaled_and_renumbered_are_themselves(n):
    rng = np.random.default_rng(n)
    for name, vertex in zip(*polyhedra(n), strict=True):
        assert moment(vertex) == pytest.approx(1)
        turn = Rotation.random(random_state=n).as_matrix() * [1, 1, rng.choice([-1, 1])]
        found, measure = nearest(2.1 * rng.permutation(vertex) @ turn)
        assert found == name
        assert measure == pytest.approx(0, abs=1e-4)


@settings(max_examples=8, deadline=None)
@given(seed=seeds, n=st.integers(2, 9), distortion=st.sampled_from([0.05, 0.2, 0.5]))
def test_never_farther_than_chemenv_finds(seed, n, distortion):
    """Up to six ligands the same; for more, ChemEnv tries some of the numberings only."""
    rng = np.random.default_rng(seed)
    vertex = rng.choice(polyhedra(n).vertex)
    bonds = vertex / np.linalg.norm(vertex, axis=1).mean() + distortion * rng.uniform(-0.5, 0.5, (n, 3))
    expected = chemenv(bonds)
    _, measure = nearest(bonds)
    if n < 6:
        assert measure == pytest.approx(expected, abs=1e-3)
    else:
        assert measure <= expected + (1e-3 if distortion < 0.5 else 1.0)


def test_never_farther_than_chemenv_finds_in_real_crystals(load_crystals):
    structures, _ = load_crystals("mp2018", split="val", limit=12)
    for structure in structures:
        graph = motif_graph(structure)
        ends = structure.cart_coords[graph.ligand] + graph.ligand_image @ structure.lattice.matrix
        bonds = ends - np.repeat(structure.cart_coords[graph.center], graph.coordination, axis=0)
        _, first = np.unique(graph.name, return_index=True)
        for motif in first:
            of_motif = bonds[graph.ligand_offset[motif] : graph.ligand_offset[motif + 1]]
            if polyhedra(len(of_motif)).name:
                assert graph.symmetry_measure[motif] <= chemenv(of_motif) + 1e-3


def test_half_way_between_octahedron_and_prism_is_near_both():
    shapes = polyhedra(6)
    twisted = shapes.vertex[shapes.name.index("trigonal prismatic")].copy()
    twisted[:3] = Rotation.from_euler("z", 30, degrees=True).apply(twisted[:3])
    twisted[:, 2] /= 1.15
    assert nearest(twisted)[1] == pytest.approx(4.4, abs=0.1)


def test_the_order_of_ligands_does_not_matter_far_from_all_polyhedra():
    """The nine oxygens around La in LaTaO4, of which a search of few fits misses the best in some orders."""
    bonds = np.array(
        [
            *([-1.824, 0.483, 1.462], [0.175, 2.009, -1.372], [-0.843, -1.832, -1.372]),
            *([0.682, 1.875, 1.592], [-0.336, -1.966, 1.592], [1.26, -0.334, -2.358]),
            *([-2.331, 0.618, -1.242], [2.636, 1.356, -0.634], [1.618, -2.484, -0.634]),
        ]
    )
    rng = np.random.default_rng(0)
    for turn in Rotation.random(12, random_state=0).as_matrix():
        name, measure = nearest(rng.permutation(bonds) @ turn)
        assert name == "one-end tricapped trigonal prismatic"
        assert measure == pytest.approx(3.88, abs=0.01)


@pytest.mark.parametrize(
    ("bonds", "name", "measure"),
    [
        ([], "", 0.0),
        ([[0, 0, 2.0]], "single-bonded", 0.0),
        ([[0, 0, 2.0], [0, 0, -2.0]], "linear", 0.0),
        # ChemEnv has no polyhedron of 14 vertices.
        (np.random.default_rng(0).normal(size=(14, 3)), "", MOST),
    ],
)
def test_few_and_many_ligands(bonds, name, measure):
    assert nearest(np.reshape(bonds, (-1, 3))) == (name, pytest.approx(measure, abs=1e-4))


def test_no_motifs():
    names, measure, *_ = nearest_polyhedra(np.zeros((0, 3)), np.array([0]))
    assert names == []
    assert measure.shape == (0,)


def test_many_motifs_are_as_one_by_one():
    rng = np.random.default_rng(0)
    motifs = [rng.normal(size=(n, 3)) for n in (6, 0, 8, 6, 2, 8, 15)]
    motifs.append(motifs[2] @ Rotation.random(random_state=0).as_matrix())
    offset = np.cumsum([0, *map(len, motifs)])
    names, measure, *_ = nearest_polyhedra(np.concatenate(motifs), offset)
    alone = [nearest(motif) for motif in motifs]
    assert names == [name for name, _ in alone]
    assert measure == pytest.approx([each for _, each in alone], abs=1e-3)
    assert measure[2] == measure[-1]


def nearest(bonds: np.ndarray) -> tuple[str, float]:
    (name,), (measure,), *_ = nearest_polyhedra(bonds, np.array([0, len(bonds)]))
    assert 0 <= measure <= MOST
    return name, float(measure)


def chemenv(bonds: np.ndarray) -> float:
    """ChemEnv's measure to the nearest of its polyhedra."""
    finder = LocalGeometryFinder()
    finder.local_geometry = AbstractGeometry(np.zeros(3), bonds, "centroid", True)
    found = finder.get_coordination_symmetry_measures(only_minimum=True, all_csms=False)
    return min(each["csm"] for each in found.values())
