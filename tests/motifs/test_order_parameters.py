"""Order parameters against pymatgen's LocalStructOrderParams, and their ideal geometries."""

from __future__ import annotations

import numpy as np
import pytest
from matminer.featurizers.site.fingerprint import CrystalNNFingerprint
from pymatgen.core import Site

from amdnet_matminer.motifs.labels import FINGERPRINT_LABELS
from amdnet_matminer.motifs.near_neighbors import Candidates
from amdnet_matminer.motifs.order_parameters import fingerprints

AXES = np.vstack([np.eye(3), -np.eye(3)])
CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / np.sqrt(3)
TETRAHEDRON = CUBE[[0, 3, 5, 6]]
CUBOCTAHEDRON = np.array(
    [[x, y, z] for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if abs(x) + abs(y) + abs(z) == 2]
) / np.sqrt(2)


@pytest.fixture(scope="module")
def matminer_parameters():
    """matminer's order parameters: {(label, n): calculator}."""
    preset = CrystalNNFingerprint.from_preset("ops", cation_anion=False)
    return {
        (label, n): calculator
        for n, calculators in preset.ops.items()
        for label, calculator in zip(preset.op_types[n], calculators, strict=True)
        if label != "wt"
    }


def regular(n):
    """n directions evenly around the equator."""
    angle = 2 * np.pi * np.arange(n) / n
    return np.column_stack([np.cos(angle), np.sin(angle), np.zeros(n)])


def fingerprint_of(bonds, weight=None):
    """Fingerprint of one site that surely has these bonds, weights falling unless given."""
    n = len(bonds)
    likelihood = np.zeros((1, n))
    likelihood[0, -1] = 1.0
    weight = np.linspace(1.0, 0.5, n) if weight is None else weight
    candidates = Candidates(
        np.arange(n)[None], np.asarray(weight)[None], likelihood, np.array([n]), np.ones(n, dtype=bool)
    )
    return dict(
        zip(FINGERPRINT_LABELS, fingerprints(np.asarray(bonds, dtype=float), candidates)[0], strict=True)
    )


def expected_of(matminer_parameters, bonds):
    sites = [Site("C", [0, 0, 0]), *(Site("C", bond) for bond in bonds)]
    others = list(range(1, len(sites)))
    return {
        f"{label} CN_{n}": calculator.get_order_parameters(sites, 0, indices_neighs=others)[0] or 0.0
        for (label, n), calculator in matminer_parameters.items()
        if n == len(bonds)
    }


def check(matminer_parameters, bonds):
    found = fingerprint_of(bonds)
    expected = expected_of(matminer_parameters, bonds)
    assert {label: found[label] for label in expected} == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("n", range(1, 13))
def test_random_bonds(matminer_parameters, n):
    rng = np.random.default_rng(n)
    for _ in range(4):
        bonds = rng.normal(size=(n, 3))
        check(matminer_parameters, bonds / np.linalg.norm(bonds, axis=1, keepdims=True))


@pytest.mark.parametrize(
    ("label", "bonds"),
    [
        ("sgl_bd CN_1", AXES[:1]),
        ("L-shaped CN_2", AXES[:2]),
        ("linear CN_2", AXES[[0, 3]]),
        ("bent 120 degrees CN_2", regular(3)[:2]),
        ("trigonal planar CN_3", regular(3)),
        ("trigonal non-coplanar CN_3", TETRAHEDRON[:3]),
        ("T-shaped CN_3", AXES[[0, 1, 3]]),
        ("square co-planar CN_4", regular(4)),
        ("tetrahedral CN_4", TETRAHEDRON),
        ("rectangular see-saw-like CN_4", AXES[[0, 1, 2, 3]]),
        ("see-saw-like CN_4", np.vstack([regular(3)[:2], AXES[[2, 5]]])),
        ("trigonal pyramidal CN_4", np.vstack([regular(3), AXES[2:3]])),
        ("pentagonal planar CN_5", regular(5)),
        ("square pyramidal CN_5", np.vstack([regular(4), AXES[2:3]])),
        ("trigonal bipyramidal CN_5", np.vstack([regular(3), AXES[[2, 5]]])),
        ("hexagonal planar CN_6", regular(6)),
        ("octahedral CN_6", AXES),
        ("pentagonal pyramidal CN_6", np.vstack([regular(5), AXES[2:3]])),
        ("hexagonal pyramidal CN_7", np.vstack([regular(6), AXES[2:3]])),
        ("pentagonal bipyramidal CN_7", np.vstack([regular(5), AXES[[2, 5]]])),
        ("body-centered cubic CN_8", CUBE),
        ("hexagonal bipyramidal CN_8", np.vstack([regular(6), AXES[[2, 5]]])),
        ("cuboctahedral CN_12", CUBOCTAHEDRON),
    ],
)
def test_ideal_geometries(label, bonds):
    assert fingerprint_of(bonds)[label] == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(
    "bonds", [AXES, regular(4), AXES[[0, 1, 2, 3]], AXES[[0, 1, 3]], AXES[:5], CUBOCTAHEDRON]
)
def test_bonds_in_a_straight_line(matminer_parameters, bonds):
    check(matminer_parameters, bonds)


@pytest.mark.parametrize("bend", [1e-9, 1e-3])
def test_bonds_nearly_in_a_straight_line(matminer_parameters, bend):
    bonds = AXES + bend * np.random.default_rng(0).normal(size=AXES.shape)
    check(matminer_parameters, bonds / np.linalg.norm(bonds, axis=1, keepdims=True))


def test_equally_strong_bonds_have_no_order(matminer_parameters):
    """The cubic parameter of eight equal bonds is the mean over their orders: an order and its reverse."""
    rng = np.random.default_rng(3)
    bonds = CUBE + 0.2 * rng.normal(size=CUBE.shape)
    bonds /= np.linalg.norm(bonds, axis=1, keepdims=True)
    label = "body-centered cubic CN_8"
    forward, backward = (expected_of(matminer_parameters, order)[label] for order in (bonds, bonds[::-1]))
    assert abs(forward - backward) > 1e-3
    for order in (np.arange(8), rng.permutation(8)):
        found = fingerprint_of(bonds[order], weight=1 - 1e-7 * np.arange(8))[label]
        assert found == pytest.approx((forward + backward) / 2, abs=1e-6)


def test_each_coordination_is_weighed_by_its_likelihood():
    """Two strong opposite bonds and a square around them, 70 % and 20 % likely."""
    bonds = AXES[[0, 3, 1, 4, 2, 5]]
    likelihood = np.array([[0.0, 0.7, 0.0, 0.0, 0.0, 0.2]])
    weight = np.array([[1.0, 1.0, 0.4, 0.4, 0.4, 0.4]])
    candidates = Candidates(np.arange(6)[None], weight, likelihood, np.array([2]), np.ones(6, dtype=bool))
    found = fingerprints(bonds, candidates)
    assert found.shape == (1, 61)
    assert found.dtype == np.float32
    values = dict(zip(FINGERPRINT_LABELS, found[0].tolist(), strict=True))
    assert values["wt CN_2"] == values["linear CN_2"] == pytest.approx(0.7)
    assert values["wt CN_6"] == values["octahedral CN_6"] == pytest.approx(0.2)
    assert values["wt CN_4"] == values["tetrahedral CN_4"] == 0.0


def test_more_than_24_bonds_are_left_out():
    likelihood = np.zeros((1, 30))
    likelihood[0, 29] = 1.0
    rng = np.random.default_rng(0)
    candidates = Candidates(
        np.arange(30)[None], np.ones((1, 30)), likelihood, np.array([30]), np.ones(30, dtype=bool)
    )
    assert not fingerprints(rng.normal(size=(30, 3)), candidates).any()
