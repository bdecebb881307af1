"""Orbits of sites, and the operations that take their sources to them."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import spglib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.symmetry import SiteOrbits, site_orbits

CRYSTALS = [
    "rutile",
    "rock_salt",
    "corundum",
    "perovskite",
    "spinel",
    "wurtzite",
    "nickel_arsenide",
    "copper",
]


def orbits_of(*structures: Structure) -> tuple[CrystalArrays, SiteOrbits]:
    crystals = CrystalArrays.of(structures)
    return crystals, site_orbits(crystals)


def check_operations(crystals: CrystalArrays, orbits: SiteOrbits) -> None:
    """Each site is where the operation takes its source, and every atom comes to an equal one."""
    assert (orbits.source[orbits.source] == orbits.source).all()
    assert (orbits.representative[orbits.source] == orbits.representative).all()
    assert (crystals.kind[orbits.representative] == crystals.kind).all()
    moved = np.einsum("nij,nj->ni", orbits.rotation, crystals.fractional[orbits.source]) + orbits.translation
    apart = crystals.cartesian(moved - crystals.fractional, crystals.crystal)
    assert np.abs(apart).max() < 1e-3
    for site in np.flatnonzero(orbits.source != np.arange(len(orbits.source)))[:10]:
        rotation, lattice = orbits.rotation[site], crystals.lattice[crystals.crystal[site]]
        turn = np.linalg.inv(lattice) @ rotation.T @ lattice
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-2)


@pytest.mark.parametrize("name", CRYSTALS)
def test_orbits_are_those_of_spglib(name, request) -> None:
    structure = request.getfixturevalue(name)
    crystals, orbits = orbits_of(structure)
    cell = (structure.lattice.matrix.tolist(), structure.frac_coords.tolist(), structure.atomic_numbers)
    expected = spglib.get_symmetry_dataset(cell, symprec=0.01).crystallographic_orbits
    _, first, orbit = np.unique(expected, return_index=True, return_inverse=True)
    np.testing.assert_array_equal(orbits.representative, first[orbit])
    check_operations(crystals, orbits)
    np.testing.assert_array_equal(orbits.source, orbits.representative)


@pytest.mark.parametrize("name", CRYSTALS)
def test_an_oblong_supercell_has_the_orbits_of_the_cell(name, request, caplog) -> None:
    structure = request.getfixturevalue(name)
    _, single = orbits_of(structure)
    with caplog.at_level(logging.WARNING):
        crystals, orbits = orbits_of(structure * (3, 1, 1))
    assert caplog.messages == []
    assert len(np.unique(orbits.representative)) == len(np.unique(single.representative))
    check_operations(crystals, orbits)


def test_operations_that_a_supercell_lacks_make_more_sources(corundum) -> None:
    """The threefold axis of corundum is none of a cell that is longer along one vector."""
    _, orbits = orbits_of(corundum * (2, 1, 1))
    assert len(np.unique(orbits.representative)) == 2
    assert len(np.unique(orbits.source)) > 2


def test_orbits_allow_for_more_than_operations(rutile) -> None:
    """Nodes of a network may differ a little; fingerprints that are taken over may not."""
    moved = rutile.copy()
    moved.translate_sites([1], [1e-3 / rutile.lattice.a, 0, 0])
    _, orbits = orbits_of(moved)
    assert orbits.representative[:2].tolist() == [0, 0]
    assert orbits.source[:2].tolist() == [0, 1]


def test_crystals_are_numbered_throughout(rutile, perovskite) -> None:
    _, first = orbits_of(rutile)
    _, second = orbits_of(perovskite)
    crystals, both = orbits_of(rutile, perovskite)
    expected = [*first.representative, *(second.representative + len(rutile))]
    np.testing.assert_array_equal(both.representative, expected)
    check_operations(crystals, both)


def test_oxidation_states_break_symmetry(rutile) -> None:
    mixed = rutile.copy()
    mixed.add_oxidation_state_by_site([3, 4, -2, -2, -2, -2])
    _, orbits = orbits_of(mixed)
    assert orbits.representative[:2].tolist() == [0, 1]


def test_a_cell_that_moyo_refuses_has_single_sites() -> None:
    """Two atoms at one place; a check refuses such crystals, but where there is none they are crystals."""
    _, orbits = orbits_of(Structure(Lattice.cubic(3), ["Po", "Po"], [[0, 0, 0]] * 2))
    assert orbits.representative.tolist() == [0, 1]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32 - 1))
def test_neighbors_are_carried_to_neighbors(rutile, corundum, spinel, seed) -> None:
    """What an operation carries is as far from the site as before; noise of coordinates does not matter."""
    rng = np.random.default_rng(seed)
    structure = [rutile, corundum * (2, 1, 1), spinel][seed % 3].copy()
    structure.perturb(2e-6)
    structure = Structure.from_sites([structure[i] for i in rng.permutation(len(structure))])
    crystals, orbits = orbits_of(structure)
    check_operations(crystals, orbits)
    site = np.flatnonzero(orbits.source != np.arange(len(structure)))
    assert len(site)
    center, neighbor, image, distance = crystals.neighbors_within(3.0, np.arange(len(structure)))
    for each in rng.permutation(site)[:4]:
        of_source = center == orbits.source[each]
        to, cells = orbits.carried(
            crystals, np.full(of_source.sum(), each), neighbor[of_source], image[of_source]
        )
        assert (crystals.kind[to] == crystals.kind[neighbor[of_source]]).all()
        assert len({(n, *v) for n, v in zip(to.tolist(), cells.tolist(), strict=True)}) == len(to)
        vector = crystals.position[to] - crystals.position[each] + cells @ crystals.lattice[0]
        np.testing.assert_allclose(np.linalg.norm(vector, axis=1), distance[of_source], atol=1e-3)
