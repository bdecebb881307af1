"""The fast engine against the reference, and what must not change its answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.motifs.fast import fast_environments
from amdnet_matminer.motifs.labels import FINGERPRINT_LABELS
from amdnet_matminer.motifs.reference import reference_environments
from amdnet_matminer.symmetry import SiteOrbits, site_orbits

few = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
seeds = st.integers(0, 2**32 - 1)

# matminer's value takes each pair of bonds in the order of their weights, arbitrary where these are equal.
ORDERED = FINGERPRINT_LABELS.index("body-centered cubic CN_8")


def fast(structure, sites):
    crystals = CrystalArrays.of([structure])
    return fast_environments(crystals, sites, site_orbits(crystals))


def reference(structure, sites):
    return reference_environments(CrystalArrays.of([structure]), sites, SiteOrbits.single(len(structure)))


def all_sites(structure):
    return np.arange(len(structure), dtype=np.int32)


def bond_sets(found):
    bonds = [(int(n), *image) for n, image in zip(found.neighbor, found.image.tolist(), strict=True)]
    return [set(bonds[a:b]) for a, b in zip(found.offset[:-1], found.offset[1:], strict=True)]


def bond_vectors(structure, found, sites):
    """Sorted bond lengths of each site, which no choice of cell changes."""
    site = np.repeat(sites, np.diff(found.offset))
    ends = structure.cart_coords[found.neighbor] + found.image @ structure.lattice.matrix
    length = np.linalg.norm(ends - structure.cart_coords[site], axis=1)
    return [np.sort(length[a:b]) for a, b in zip(found.offset[:-1], found.offset[1:], strict=True)]


def check_same(structure, other, mapping=None, atol=1e-5):
    """Site i of one structure has the environment of site ``mapping[i]`` of the other."""
    sites = all_sites(structure)
    mapping = sites if mapping is None else np.asarray(mapping, dtype=np.int32)
    one, two = fast(structure, sites), fast(other, mapping)
    pairs = zip(bond_vectors(structure, one, sites), bond_vectors(other, two, mapping), strict=True)
    for lengths, others in pairs:
        np.testing.assert_allclose(lengths, others, atol=1e-4)
    np.testing.assert_allclose(one.fingerprint, two.fingerprint, atol=atol)


def random_crystal(seed, n_sites=6):
    """Mixed elements in a general cell, no two atoms closer than 1.5 angstrom."""
    rng = np.random.default_rng(seed)
    lattice = Lattice(5.0 * np.eye(3) + rng.uniform(-0.8, 0.8, (3, 3)))
    points: list[np.ndarray] = []
    while len(points) < n_sites:
        point = rng.random(3)
        if all(lattice.get_all_distances(point, other)[0, 0] > 1.5 for other in points):
            points.append(point)
    return Structure(lattice, rng.choice(["Ti", "O", "Na", "Cl", "Fe"], n_sites).tolist(), points)


@pytest.mark.parametrize(
    "name",
    [
        "rutile", "rock_salt", "corundum", "perovskite", "fluorite", "spinel", "wurtzite", "nickel_arsenide",
        "caesium_chloride", "copper", "helium_box",
    ],
)  # fmt: skip
def test_known_crystals_as_the_reference(name, request):
    crystal = request.getfixturevalue(name)
    sites = all_sites(crystal)[-4:]
    found, expected = fast(crystal, sites), reference(crystal, sites)
    assert bond_sets(found) == bond_sets(expected)
    np.testing.assert_allclose(found.fingerprint, expected.fingerprint, atol=1e-5)
    for field, oracle in zip(found, expected, strict=True):
        assert field.dtype == oracle.dtype
        assert field.shape == oracle.shape


@pytest.mark.parametrize(("name", "limit"), [("mp2018", 24), ("nomad2018", 4)])
def test_real_crystals_as_the_reference(load_crystals, name, limit):
    crystals, _ = load_crystals(name, limit=limit, seed=11)
    for crystal in crystals:
        sites = all_sites(crystal)[:: max(1, len(crystal) // 5)]
        found, expected = fast(crystal, sites), reference(crystal, sites)
        assert bond_sets(found) == bond_sets(expected)
        difference = np.abs(found.fingerprint - expected.fingerprint)
        difference[:, ORDERED] = 0.0
        assert difference.max() < 1e-3


@few
@given(seeds)
def test_random_crystals_as_the_reference(seed):
    crystal = random_crystal(seed, n_sites=4)
    found, expected = (engine(crystal, all_sites(crystal)) for engine in (fast, reference))
    assert bond_sets(found) == bond_sets(expected)
    np.testing.assert_allclose(found.fingerprint, expected.fingerprint, atol=1e-5)


@few
@given(seeds)
def test_site_order_changes_nothing(seed):
    crystal = random_crystal(seed)
    order = np.random.default_rng(seed).permutation(len(crystal))
    check_same(crystal, Structure.from_sites([crystal[i] for i in order]), np.argsort(order))


@few
@given(seeds)
def test_translation_changes_nothing(seed):
    crystal = random_crystal(seed)
    shift = np.random.default_rng(seed).uniform(-3, 3, 3)
    check_same(crystal, Structure(crystal.lattice, crystal.species, crystal.frac_coords + shift))


@few
@given(seeds)
def test_rotation_changes_nothing(seed):
    crystal = random_crystal(seed)
    turn = Rotation.from_euler("xyz", np.random.default_rng(seed).uniform(0, 2 * np.pi, 3)).as_matrix()
    check_same(
        crystal, Structure(Lattice(crystal.lattice.matrix @ turn), crystal.species, crystal.frac_coords)
    )


@few
@given(seeds)
def test_supercell_changes_nothing(seed):
    crystal = random_crystal(seed)
    check_same(crystal, crystal * (2, 1, 1), 2 * all_sites(crystal))


@few
@given(seeds, st.sampled_from([1, -2, 15]))
def test_lattice_vectors_change_nothing(seed, shear):
    crystal = random_crystal(seed)
    matrix = np.array([[1, shear, 0], [0, 1, 0], [shear, 0, 1]]) @ crystal.lattice.matrix
    check_same(
        crystal, Structure(Lattice(matrix), crystal.species, crystal.cart_coords, coords_are_cartesian=True)
    )


@few
@given(seeds)
def test_tiny_displacement_changes_nothing(seed):
    crystal = random_crystal(seed)
    moved = crystal.cart_coords + 1e-6 * np.random.default_rng(seed).uniform(-1, 1, (len(crystal), 3))
    # Weights are rounded to three decimals, so a weight at the edge of a step may take it.
    check_same(
        crystal, Structure(crystal.lattice, crystal.species, moved, coords_are_cartesian=True), atol=3e-3
    )


@pytest.mark.parametrize("name", ["rutile", "corundum", "perovskite", "spinel", "copper"])
def test_tiny_displacement_keeps_symmetric_bonds(name, request):
    crystal = request.getfixturevalue(name)
    moved = crystal.cart_coords + 1e-6 * np.random.default_rng(0).uniform(-1, 1, (len(crystal), 3))
    displaced = Structure(crystal.lattice, crystal.species, moved, coords_are_cartesian=True)
    one, two = (fast(s, all_sites(s)) for s in (crystal, displaced))
    assert bond_sets(one) == bond_sets(two)


def test_chosen_sites_are_independent_of_the_others(spinel):
    everything = fast(spinel, all_sites(spinel))
    chosen = np.array([30, 2, 17], dtype=np.int32)
    some = fast(spinel, chosen)
    assert bond_sets(some) == [bond_sets(everything)[i] for i in chosen]
    np.testing.assert_allclose(some.fingerprint, everything.fingerprint[chosen], atol=1e-6)


def test_strongest_bonds_come_first():
    crystal = random_crystal(5)
    found, expected = (engine(crystal, all_sites(crystal)) for engine in (fast, reference))
    np.testing.assert_array_equal(found.neighbor, expected.neighbor)
    np.testing.assert_array_equal(found.image, expected.image)


def test_no_sites(rutile):
    found = fast(rutile, np.array([], dtype=np.int32))
    assert found.fingerprint.shape == (0, 61)
    assert found.offset.tolist() == [0]


def test_isolated_atoms_have_no_bonds(helium_box):
    found = fast(helium_box, all_sites(helium_box))
    assert found.offset.tolist() == [0, 0]
    assert not found.fingerprint.any()


def test_molecules_in_a_box():
    positions = [[7, 7, 7], [7.76, 7.59, 7], [6.24, 7.59, 7], [22, 22, 22]]
    box = Structure(Lattice.cubic(30.0), ["O", "H", "H", "He"], positions, coords_are_cartesian=True)
    found, expected = (engine(box, all_sites(box)) for engine in (fast, reference))
    assert np.diff(found.offset).tolist() == [2, 1, 1, 0]
    assert bond_sets(found) == bond_sets(expected)
    np.testing.assert_allclose(found.fingerprint, expected.fingerprint, atol=1e-5)


def test_single_atom_cell(copper):
    primitive = copper.get_primitive_structure()
    assert len(primitive) == 1
    check_same(primitive, copper)


def test_thin_and_skewed_cell():
    lattice = Lattice([[1.1, 0, 0], [9.0, 12.0, 0], [20.0, -4.0, 12.0]])
    chain = Structure(lattice, ["H"], [[0.3, 0.1, 0.7]])
    found, expected = (engine(chain, all_sites(chain)) for engine in (fast, reference))
    assert bond_sets(found) == bond_sets(expected)
    np.testing.assert_allclose(found.fingerprint, expected.fingerprint, atol=1e-5)


def test_large_cell(rutile):
    large = rutile * (5, 5, 6)
    assert len(large) == 900
    unit = fast(rutile, all_sites(rutile))
    found = fast(large, all_sites(large))
    images = len(large) // len(rutile)
    np.testing.assert_array_equal(np.diff(found.offset), np.repeat(np.diff(unit.offset), images))
    np.testing.assert_allclose(found.fingerprint, np.repeat(unit.fingerprint, images, axis=0), atol=1e-5)
