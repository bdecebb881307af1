"""Many crystals at once, and sites from their symmetry: the same motifs as one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.graphs import DualGraphConverter
from amdnet_matminer.motifs import BOND_RULES, MotifGraph, motif_graph, motif_graphs_of
from amdnet_matminer.motifs.fast import fast_environments
from amdnet_matminer.symmetry import SiteOrbits, site_orbits

few = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
seeds = st.integers(0, 2**32 - 1)

NAMES = ["rutile", "helium_box", "corundum", "perovskite", "copper", "spinel", "wurtzite", "nickel_arsenide"]


@pytest.fixture
def structures(request: pytest.FixtureRequest) -> list[Structure]:
    """Oxides, an element, a compound without motifs, one of oxidation states."""
    only_anions = Structure(Lattice.cubic(4.0), ["O2-"], [[0, 0, 0]])
    charged = request.getfixturevalue("rutile").copy()
    charged.add_oxidation_state_by_element({"Ti": 4, "O": -2})
    return [*map(request.getfixturevalue, NAMES), only_anions, charged]


def assert_same(found: MotifGraph, expected: MotifGraph) -> None:
    for field, one, other in zip(MotifGraph._fields, found, expected, strict=True):
        assert one.dtype == other.dtype, field
        np.testing.assert_array_equal(one, other, err_msg=field)


@pytest.mark.parametrize("bonds", BOND_RULES)
def test_many_at_once_are_as_one_by_one(structures, bonds) -> None:
    together = motif_graphs_of(structures, bonds=bonds)
    for structure, graph in zip(structures, together, strict=True):
        assert_same(graph, motif_graph(structure, bonds=bonds))


@pytest.mark.parametrize("settings", [{"n_neighbors": 12}, {"symmetry_reduction": False}, {"motifs": None}])
def test_many_dual_graphs_at_once_are_as_one_by_one(structures, settings) -> None:
    converter = DualGraphConverter(**settings)
    for structure, graph in zip(structures, converter.convert_few(structures), strict=True):
        alone = converter.convert(structure)
        assert_same(graph.motifs, alone.motifs)
        for one, other in zip(graph.atoms, alone.atoms, strict=True):
            np.testing.assert_array_equal(one, other)


@few
@given(seeds)
def test_what_is_beside_a_crystal_does_not_matter(structures, seed) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(structures))[: rng.integers(2, 6)]
    together = motif_graphs_of([structures[i] for i in order])
    assert_same(together[0], motif_graph(structures[order[0]]))


@pytest.mark.parametrize("bonds", BOND_RULES)
@pytest.mark.parametrize("name", [*NAMES, "supercell"])
def test_symmetry_saves_work_only(name, bonds, request) -> None:
    structure = request.getfixturevalue("corundum") * (2, 1, 1) if name == "supercell" else None
    crystals = CrystalArrays.of([structure or request.getfixturevalue(name)])
    sites = np.arange(len(crystals.kind), dtype=np.int32)
    found, expected = (
        fast_environments(crystals, sites, orbits, bonds)
        for orbits in (site_orbits(crystals), SiteOrbits.single(len(sites)))
    )
    np.testing.assert_array_equal(found.offset, expected.offset)
    for begin, end in zip(found.offset[:-1], found.offset[1:], strict=True):
        bonds_of = [
            {(n, *image) for n, image in zip(e.neighbor[begin:end], e.image[begin:end].tolist(), strict=True)}
            for e in (found, expected)
        ]
        assert bonds_of[0] == bonds_of[1]
    np.testing.assert_allclose(found.fingerprint, expected.fingerprint, atol=1e-4)
    np.testing.assert_array_equal(found.bonded, expected.bonded)


def test_symmetry_saves_work_only_for_real_crystals(load_crystals) -> None:
    apart = []
    for structure in load_crystals("mp2018", limit=40, seed=5)[0]:
        crystals = CrystalArrays.of([structure])
        sites = np.arange(len(crystals.kind), dtype=np.int32)
        found, expected = (
            fast_environments(crystals, sites, orbits, "either")
            for orbits in (site_orbits(crystals), SiteOrbits.single(len(sites)))
        )
        np.testing.assert_array_equal(found.offset, expected.offset)
        apart.append(np.abs(found.fingerprint - expected.fingerprint).max(axis=1))
    # Where bonds are equally strong, rounding decides on a few order parameters.
    assert (np.concatenate(apart) >= 1e-3).mean() < 0.005
