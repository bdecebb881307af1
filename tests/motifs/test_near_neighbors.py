"""Bond weights and coordination numbers against pymatgen's CrystalNN."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.analysis.local_env import CrystalNN
from pymatgen.core import Lattice, Species, Structure

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.errors import StructureError
from amdnet_matminer.motifs.near_neighbors import Candidates, bond_candidates
from amdnet_matminer.motifs.tessellation import voronoi_facets

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def candidates_of(structure):
    sites = np.arange(len(structure), dtype=np.int32)
    crystals = CrystalArrays.of([structure])
    facets = voronoi_facets(crystals, sites)
    return bond_candidates(crystals, sites, facets, source=sites), facets


def check_against_crystalnn(structure, sites=None):
    found, facets = candidates_of(structure)
    for site in range(len(structure)) if sites is None else sites:
        expected = CrystalNN().get_nn_data(structure, site)
        weights = {
            (int(facets.neighbor[f]), *facets.image[f].tolist()): round(w, 3)
            for f, w in zip(found.facet[site], found.weight[site], strict=True)
            if w > 0
        }
        assert weights == pytest.approx(
            {
                (info["site_index"], *(int(x) for x in info["image"])): info["weight"]
                for info in expected.all_nninfo
            },
            abs=1.1e-3,
        )
        likelihood = {n + 1: x for n, x in enumerate(found.likelihood[site]) if x > 2e-3}
        assert likelihood == pytest.approx(
            {n: x for n, x in expected.cn_weights.items() if n > 0 and x > 2e-3}, abs=2e-3
        )
        best = max(expected.cn_weights, key=lambda n: expected.cn_weights[n])
        assert found.coordination[site] == best


@pytest.mark.parametrize(
    "name", ["rutile", "corundum", "perovskite", "wurtzite", "nickel_arsenide", "copper"]
)
def test_weights_of_known_crystals(name, request):
    check_against_crystalnn(request.getfixturevalue(name), sites=range(3 if name != "copper" else 1))


@pytest.mark.parametrize(
    ("titanium", "oxygen"),
    [
        (4, -2),
        (3.6, -1.8),  # between two tabulated states
        (0, 0),  # neutral: covalent radii
        (7, -7),  # not tabulated: mean ionic radii
        (4, 0),  # one state without radius
    ],
)
def test_oxidation_states_choose_the_radii(rutile, titanium, oxygen):
    decorated = rutile.copy()
    decorated.add_oxidation_state_by_element({"Ti": titanium, "O": oxygen})
    # Stretched until the distance cut-offs act.
    decorated.scale_lattice(rutile.volume * 1.6)
    check_against_crystalnn(decorated, sites=(0, 3))


def test_radius_decides_where_the_distance_cutoff_falls(rutile):
    decorated = rutile.copy()
    decorated.add_oxidation_state_by_element({"Ti": 4, "O": -2})
    stretched = [crystal.copy() for crystal in (rutile, decorated)]
    for crystal in stretched:
        crystal.scale_lattice(rutile.volume * 3.0)
    weights = [candidates_of(crystal)[0].weight[0, 0] for crystal in stretched]
    assert weights[0] != pytest.approx(weights[1], abs=0.01)


def test_species_without_a_state_counts_as_an_element(rutile):
    stateless = Structure(
        rutile.lattice, [Species(e.symbol, None) for e in rutile.species], rutile.frac_coords
    )
    one, other = candidates_of(rutile)[0], candidates_of(stateless)[0]
    np.testing.assert_array_equal(one.weight, other.weight)


def test_noble_gas_has_no_electronegativity():
    check_against_crystalnn(
        Structure(Lattice.tetragonal(4.3, 7.0), ["Xe", "F", "F"], [[0, 0, 0], [0, 0, 0.28], [0, 0, 0.72]])
    )
    check_against_crystalnn(Structure(Lattice.cubic(3.0), ["Ar"], [[0, 0, 0]]))


def test_weights_of_real_crystals(load_crystals):
    crystals, _ = load_crystals("mp2018", limit=12, seed=7)
    for crystal in crystals:
        check_against_crystalnn(crystal, sites=(0, len(crystal) - 1))


def test_likelihoods_are_shares_of_a_quarter_circle(perovskite):
    found, _ = candidates_of(perovskite)
    assert isinstance(found, Candidates)
    assert (found.likelihood >= 0).all()
    assert (found.likelihood.sum(axis=1) <= 1 + 1e-12).all()
    assert (np.diff(found.weight, axis=1) <= 0).all()
    # All twelve Sr-O bonds are equal, so no smaller coordination is possible.
    assert found.likelihood[3, :11] == pytest.approx(0.0, abs=1e-9)


def test_atoms_out_of_reach_are_not_bonded():
    far = Structure(Lattice.cubic(6.5), ["Ne"], [[0, 0, 0]])
    found, facets = candidates_of(far)
    assert len(facets.cell) > 0
    assert found.coordination.tolist() == [0]
    assert found.facet.shape == (1, 0)


def test_element_without_a_radius_is_an_error():
    with pytest.raises(StructureError, match=r"has Bk, of which no .* radius"):
        candidates_of(Structure(Lattice.cubic(4.0), ["Bk", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]))
