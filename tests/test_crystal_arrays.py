"""Crystals as arrays: the same sites, the same neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from amdnet_matminer.crystal_arrays import CrystalArrays, spans


@pytest.fixture
def three(rutile: Structure, perovskite: Structure, helium_box: Structure) -> list[Structure]:
    return [rutile, helium_box, perovskite]


def test_sites_are_those_of_the_structures(three) -> None:
    crystals = CrystalArrays.of(three)
    assert len(crystals) == 3
    assert crystals.offset.tolist() == [0, 6, 7, 12]
    assert crystals.crystal.tolist() == [0] * 6 + [1] + [2] * 5
    assert crystals.atomic_number.tolist() == [z for each in three for z in each.atomic_numbers]
    np.testing.assert_allclose(crystals.position, np.concatenate([each.cart_coords for each in three]))
    for number, structure in enumerate(three):
        assert crystals.structure(number) == structure


def test_oxidation_states_are_kept(rutile) -> None:
    charged = rutile.copy()
    charged.add_oxidation_state_by_element({"Ti": 4, "O": -2})
    crystals = CrystalArrays.of([charged, rutile])
    assert len(crystals.species) == 4
    assert crystals.structure(0) == charged
    assert crystals.structure(1) == rutile


@pytest.mark.parametrize("radius", [1.0, 3.0, 7.0])
def test_neighbors_are_those_of_pymatgen(three, radius) -> None:
    crystals = CrystalArrays.of(three)
    sites = np.array([0, 3, 6, 7, 11])
    center, neighbor, image, distance = crystals.neighbors_within(radius, sites)
    assert (np.diff(center) >= 0).all()
    found = {
        (sites[c], n, *v): d
        for c, n, v, d in zip(center, neighbor, image.tolist(), distance.tolist(), strict=True)
    }
    expected = {}
    for first, structure in zip(crystals.offset.tolist(), three, strict=False):
        for c, n, v, d in zip(*structure.get_neighbor_list(radius), strict=True):
            if c + first in sites:
                expected[c + first, n + first, *v.astype(int).tolist()] = d
    assert found == pytest.approx(expected)


def test_no_sites_have_no_neighbors(three) -> None:
    found = CrystalArrays.of(three).neighbors_within(5.0, np.zeros(0, dtype=np.int32))
    assert [len(column) for column in found] == [0] * 4
    assert found.image.shape == (0, 3)


def test_disordered_sites_are_refused() -> None:
    with pytest.raises(ValueError, match="too many values"):
        CrystalArrays.of([Structure(Lattice.cubic(4), [{"Mg": 0.5, "Ca": 0.5}], [[0, 0, 0]])])


def test_spans() -> None:
    assert spans(np.array([3, 0, 7]), np.array([2, 0, 3])).tolist() == [3, 4, 7, 8, 9]
    assert spans(np.array([], dtype=int), np.array([], dtype=int)).tolist() == []
