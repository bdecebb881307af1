"""Bond-angle variance, quadratic elongation and Baur's index: by hand, by definition, by the literature."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from amdnet_matminer.motifs import MotifGraph, motif_graph
from amdnet_matminer.motifs.polyhedra import polyhedra, surfaces
from amdnet_matminer.motifs.symmetry_measure import nearest_polyhedra
from amdnet_matminer.motifs.types import DISTORTIONS
from amdnet_matminer.prototypes import PROTOTYPES, textbook_structure

OCTAHEDRON = np.concatenate([np.eye(3), -np.eye(3)])
NUMBERS = [*range(1, 14), 20]
seeds = st.integers(0, 2**32 - 1)


def distortion(bonds: np.ndarray) -> tuple[float, float]:
    """Bond-angle variance and quadratic elongation of one motif."""
    found = nearest_polyhedra(np.asarray(bonds, dtype=float), np.array([0, len(bonds)]))
    return found.bond_angle_variance[0], found.quadratic_elongation[0]


def robinson(bonds: np.ndarray, n_angles: int, ideal: float, volume: float) -> tuple[float, float]:
    """The published formulas; ``volume`` is that of the regular polyhedron of unit bonds."""
    unit = bonds / np.linalg.norm(bonds, axis=1)[:, None]
    angle = np.degrees(np.sort([np.arccos(np.clip(a @ b, -1, 1)) for a, b in combinations(unit, 2)]))
    length = (ConvexHull(bonds).volume / volume) ** (1 / 3)
    variance = ((angle[:n_angles] - ideal) ** 2).sum() / (n_angles - 1)
    return variance, ((np.linalg.norm(bonds, axis=1) / length) ** 2).mean()


@pytest.mark.parametrize("n", NUMBERS)
def test_surfaces_obey_euler(n):
    for vertex, surface in zip(polyhedra(n).vertex, surfaces(n), strict=True):
        assert set(surface.edge.ravel().tolist()) == (set(range(n)) if n > 1 else set())
        if len(surface.face):
            assert n - len(surface.edge) + len(surface.face) == 2
            assert surface.volume(vertex) == pytest.approx(ConvexHull(vertex).volume)


@pytest.mark.parametrize("n", NUMBERS)
def test_ideal_polyhedra_are_not_distorted(n):
    rng = np.random.default_rng(n)
    for vertex, surface in zip(polyhedra(n).vertex, surfaces(n), strict=True):
        turn = Rotation.random(random_state=n).as_matrix() * [1, 1, rng.choice([-1, 1])]
        variance, elongation = distortion(2.1 * rng.permutation(vertex) @ turn)
        assert variance == pytest.approx(0 if len(surface.edge) else np.nan, abs=1e-4, nan_ok=True)
        assert elongation == pytest.approx(1 if len(surface.face) else np.nan, abs=1e-5, nan_ok=True)


def test_a_stretched_octahedron():
    variance, elongation = distortion(2.0 * OCTAHEDRON * [1, 1, 1.2])
    assert variance == pytest.approx(0, abs=1e-4)
    # Its volume is 1.2 times that of the regular one.
    assert elongation == pytest.approx((4 + 2 * 1.2**2) / 6 / 1.2 ** (2 / 3))


def test_a_tilted_ligand():
    bonds = OCTAHEDRON.copy()
    bonds[0] = [np.cos(np.radians(5)), 0, np.sin(np.radians(5))]
    assert distortion(bonds)[0] == pytest.approx(2 * 5**2 / 11)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, n=st.sampled_from([4, 6]))
def test_as_robinson_defines_them(seed, n):
    rng = np.random.default_rng(seed)
    regular = OCTAHEDRON if n == 6 else np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / 3**0.5
    bonds = rng.permutation(2 * regular) + rng.uniform(-0.15, 0.15, (n, 3))
    known = (12, 90.0, 4 / 3) if n == 6 else (6, np.degrees(np.arccos(-1 / 3)), 8 / 9 / 3**0.5)
    assert distortion(bonds) == pytest.approx(robinson(bonds, *known), rel=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, n=st.sampled_from([4, 6, 8, 12]))
def test_turned_mirrored_and_renumbered_motifs_are_distorted_alike(seed, n):
    rng = np.random.default_rng(seed)
    bonds = 4 * rng.choice(polyhedra(n).vertex) + rng.uniform(-0.05, 0.05, (n, 3))
    turn = Rotation.random(random_state=seed).as_matrix() * [1, 1, rng.choice([-1, 1])]
    assert distortion(rng.permutation(bonds) @ turn) == pytest.approx(
        distortion(bonds), rel=1e-4, nan_ok=True
    )


@pytest.mark.parametrize(
    "bonds", [np.zeros((0, 3)), [[0, 0, 2.0]], np.random.default_rng(0).normal(size=(14, 3))]
)
def test_without_angles_or_polyhedron(bonds):
    assert np.isnan(distortion(bonds)).all()


def test_a_flat_motif_has_no_elongation():
    """Six ligands in a plane are nearest to a polyhedron that has volume."""
    cell, sites = Lattice.hexagonal(5.02, 3.04), [[0, 0, 0], [0.5, 0, 0.5], [1 / 3, 2 / 3, 0]]
    boride = Structure.from_spacegroup("P6/mmm", cell, ["Y", "Co", "B"], sites)
    graph = motif_graph(boride)
    assert "YB6 6-coordinate" in graph.name
    assert np.isnan(graph.quadratic_elongation).all()


def test_an_octahedron_almost_flat_has_one():
    elongation = distortion(2.0 * OCTAHEDRON * [1, 1, 0.02])[1]
    assert elongation == pytest.approx((4 + 2 * 0.02**2) / 6 / 0.02 ** (2 / 3))


@pytest.mark.parametrize(
    ("mineral", "name", "variance", "elongation"),
    [
        # Hazen and Finger, Am. Mineral. 64, 196 (1979).
        ("zircon", "SiO4 tetrahedral", 97.0, 1.024),
        ("alpha-quartz", "SiO4 tetrahedral", 0.7, 1.000),
    ],
)
def test_minerals(mineral, name, variance, elongation):
    (prototype,) = (each for each in PROTOTYPES if each.name == mineral)
    motifs, _ = motif_graph(textbook_structure(prototype)).to_frame()
    found = motifs[motifs.name == name].iloc[0]
    assert found.bond_angle_variance == pytest.approx(variance, abs=0.3)
    assert found.quadratic_elongation == pytest.approx(elongation, abs=5e-4)


def test_baurs_index():
    axial = Structure.from_spacegroup(
        "P4/mmm", Lattice.tetragonal(4.0, 4.4), ["Re", "O", "O"], [[0, 0, 0], [0.5, 0, 0], [0, 0, 0.5]]
    )
    mean = (4 * 2.0 + 2 * 2.2) / 6
    expected = (4 * (mean - 2.0) + 2 * (2.2 - mean)) / 6 / mean
    assert motif_graph(axial).bond_length_distortion == pytest.approx([expected], rel=1e-4)
    assert MotifGraph.empty().bond_length_distortion.shape == (0,)


def test_an_isolated_atom(helium_box):
    graph = motif_graph(helium_box)
    assert [float(getattr(graph, name)[0]) for name in DISTORTIONS] == pytest.approx(
        [0, 0, np.nan, np.nan], nan_ok=True
    )
