"""Feature groups: numbers of known crystals, statistics, nothing to describe."""

from __future__ import annotations

import numpy as np
import pytest
from matminer.utils.data import MagpieData
from pymatgen.analysis.bond_valence import calculate_bv_sum
from pymatgen.analysis.local_env import CrystalNN
from pymatgen.core import Element, Structure

from amdnet_matminer.motifs import MotifGraph, motif_graph
from amdnet_matminer.motifs.features import (
    BOND_VALENCE_SOFTNESS,
    FEATURE_GROUPS,
    Crystal,
    Quantities,
    describe,
)
from amdnet_matminer.motifs.polyhedra import GEOMETRIES


def view(structure: Structure) -> Crystal:
    return Crystal(motif_graph(structure), np.array(structure.atomic_numbers), structure.volume)


def features(group: str, structure: Structure) -> dict[str, float]:
    """Features by label, without the leading word."""
    found = {}
    for quantities in FEATURE_GROUPS[group]:
        values = quantities.features(view(structure)).tolist()
        found |= dict(zip(quantities.labels, values, strict=True))
    assert all(label.startswith("motif ") for label in found)
    return {label.removeprefix("motif "): value for label, value in found.items()}


def spread(group: str, quantity: str, structure: Structure) -> list[float]:
    found = features(group, structure)
    return [found[f"{quantity} {statistic}"] for statistic in ("mean", "std", "min", "max")]


def test_statistics_are_weighted():
    values, weight = np.array([[1.0, 5.0], [4.0, 5.0]]), np.array([2, 1])
    found = describe(values, weight, ("mean", "std", "min", "max"))
    assert found == pytest.approx([2, np.std([1, 1, 4]), 1, 4, 5, 0, 5, 5])


def test_nothing_to_describe_is_zeros():
    assert describe(np.zeros((0, 3)), np.zeros(0), ("mean", "max")).tolist() == [0] * 6


def test_labels_are_statistics_of_quantities():
    both = Quantities(("length", "angle"), ("mean", "max"), lambda crystal: (np.zeros((0, 2)), np.zeros(0)))
    assert both.labels == ["motif length mean", "motif length max", "motif angle mean", "motif angle max"]
    assert Quantities(("volume",), ("",), both.sample).labels == ["motif volume"]


def test_every_group_has_a_number_for_each_label_of_any_crystal(crystals):
    without = Crystal(MotifGraph.empty(), np.array([8]), 20.0)
    for crystal in [*map(view, crystals), without]:
        for quantities in (q for group in FEATURE_GROUPS.values() for q in group):
            values = quantities.features(crystal)
            assert values.shape == (len(quantities.labels),)
            assert np.isfinite(values).all()
    assert not any(q.features(without).any() for group in FEATURE_GROUPS.values() for q in group)


def test_stoichiometry(perovskite, copper):
    found = features("stoichiometry", perovskite)
    assert found["count per atom"] == pytest.approx(2 / 5)
    assert found["volume"] == pytest.approx(3.905**3 / 2)
    assert [found[f"distinct {kind}"] for kind in ("names", "centers", "ligands")] == [2, 2, 1]
    assert features("stoichiometry", copper)["count per atom"] == 1


def test_centers_and_their_elements(perovskite):
    fractions = features("centers", perovskite)
    assert {label for label, value in fractions.items() if value} == {
        "Sr-centered fraction",
        "Ti-centered fraction",
    }
    assert fractions["Ti-centered fraction"] == 0.5
    magpie = MagpieData()
    strontium, titanium = (magpie.get_elemental_property(Element(e), "MeltingT") for e in ("Sr", "Ti"))
    assert spread("elements", "center melting temperature", perovskite) == pytest.approx(
        [(strontium + titanium) / 2, abs(strontium - titanium) / 2, strontium, titanium]
    )
    assert spread("elements", "ligand electronegativity", perovskite) == pytest.approx([3.44, 0, 3.44, 3.44])


def test_geometries(spinel):
    found = features("geometries", spinel)
    assert found["octahedral fraction"] == pytest.approx(2 / 3)
    assert found["tetrahedral fraction"] == pytest.approx(1 / 3)
    assert sum(found[f"{name} fraction"] for name in GEOMETRIES) == pytest.approx(1)


def test_geometries_named_by_number_are_other(copper):
    nine = motif_graph(copper)._replace(name=np.repeat("CuCu9 9-coordinate", 4))
    (quantities,) = FEATURE_GROUPS["geometries"]
    found = quantities.features(view(copper)._replace(graph=nine))
    assert dict(zip(quantities.labels, found, strict=True))["motif other fraction"] == 1


def test_coordination(perovskite):
    assert spread("coordination", "coordination", perovskite) == pytest.approx([9, 3, 6, 12])
    # Each oxygen has two titanium and four strontium.
    assert spread("coordination", "ligand coordination", perovskite) == pytest.approx([6, 0, 6, 6])


def test_sharing(rutile):
    assert spread("sharing", "connections", rutile) == pytest.approx([10, 0, 10, 10])
    found = features("sharing", rutile)
    fractions = [found[f"{kind}-sharing fraction"] for kind in ("corner", "edge", "face")]
    assert fractions == pytest.approx([0.8, 0.2, 0])


def test_bonds(perovskite):
    short, long = 3.905 / 2, 3.905 / np.sqrt(2)
    mean = (6 * short + 12 * long) / 18
    found = spread("bonds", "bond length", perovskite)
    assert found == pytest.approx([mean, (long - short) * np.sqrt(2) / 3, short, long], rel=1e-5)
    radii = {"Ti-O": 1.60 + 0.66, "Sr-O": 1.95 + 0.66}
    relative = spread("bonds", "relative bond length", perovskite)
    assert relative[2:] == pytest.approx([short / radii["Ti-O"], long / radii["Sr-O"]], rel=1e-5)
    assert spread("bonds", "bond polarity", perovskite)[2:] == pytest.approx([3.44 - 1.54, 3.44 - 0.95])


def test_distortion(rutile, perovskite, spinel, copper):
    assert spread("distortion", "bond length distortion", perovskite) == pytest.approx([0, 0, 0, 0], abs=1e-6)
    assert spread("distortion", "quadratic elongation", perovskite) == pytest.approx([1, 0, 1, 1], abs=1e-6)
    octahedron = 0.5418  # of ChemEnv; the tetrahedron is ideal
    assert spread("distortion", "symmetry measure", spinel) == pytest.approx(
        [2 / 3 * octahedron, np.sqrt(2) / 3 * octahedron, 0, octahedron], abs=1e-3
    )
    graph = motif_graph(copper)
    some = graph._replace(bond_angle_variance=np.array([np.nan, 2.0, 4.0, np.nan], dtype=np.float32))
    _, _, variance, _ = FEATURE_GROUPS["distortion"]
    assert variance.features(view(copper)._replace(graph=some)).tolist() == [3, 1, 2, 4]


def test_distortion_is_baurs(rutile):
    equatorial = np.hypot(0.195 * 4.594 * np.sqrt(2), 2.959 / 2)
    lengths = np.repeat([equatorial, 0.305 * 4.594 * np.sqrt(2)], [4, 2])
    expected = np.abs(lengths - lengths.mean()).mean() / lengths.mean()
    assert features("distortion", rutile)["bond length distortion mean"] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("crystal", "center", "ligand"), [("rutile", 4, 2), ("corundum", 3, 2)])
def test_bond_valence_sums_are_near_charges(crystal, center, ligand, request):
    found = features("valence", request.getfixturevalue(crystal))
    assert found["center bond valence mean"] == pytest.approx(center, rel=0.15)
    assert found["ligand bond valence mean"] == pytest.approx(ligand, rel=0.15)


def test_bond_valence_lengths_are_pymatgens(spinel, monkeypatch):
    # pymatgen has the same formula with another softness.
    monkeypatch.setattr("amdnet_matminer.motifs.features.BOND_VALENCE_SOFTNESS", 0.31)
    assert BOND_VALENCE_SOFTNESS == 0.37
    neighbors = CrystalNN().get_nn(spinel, 0)
    assert spinel[0].specie.symbol == "Mg"
    expected = calculate_bv_sum(spinel[0], neighbors)
    assert expected in [
        pytest.approx(value, rel=1e-4) for value in spread("valence", "center bond valence", spinel)[2:]
    ]


def test_elements_without_bond_valence_parameters(rock_salt):
    gold = rock_salt.copy()
    gold.replace_species({"Mg": "Au"})
    found = features("valence", gold)
    assert 0 < found["bond valence mean"] < 2


def test_angles(perovskite):
    found = spread("angles", "connection angle", perovskite)
    # Ti-O-Ti and one kind of Sr-O-Sr are straight; Ti-O-Sr and the others at right angles.
    assert found[2:] == pytest.approx([90, 180], abs=0.1)
    distances = spread("angles", "connection distance", perovskite)
    assert distances[2:] == pytest.approx([3.905 * np.sqrt(3) / 2, 3.905 * np.sqrt(2)], rel=1e-5)


def test_multiplicity_weighs_motifs_bonds_and_edges(perovskite):
    """A graph in which the Ti motif stands for three, and edges for two, gives what these would."""
    crystal = view(perovskite)
    is_ti = crystal.center_number == 22
    merged = crystal._replace(
        graph=crystal.graph._replace(
            multiplicity=np.where(is_ti, 3, 1), edge_multiplicity=np.full(len(crystal.graph.sender), 2)
        )
    )
    found = {}
    for group in ("stoichiometry", "coordination", "sharing", "bonds"):
        for quantities in FEATURE_GROUPS[group]:
            found |= dict(zip(quantities.labels, quantities.features(merged), strict=True))
    assert found["motif count per atom"] == pytest.approx(4 / 5)
    assert found["motif coordination mean"] == pytest.approx((3 * 6 + 12) / 4)
    assert found["motif connections mean"] == pytest.approx(2 * (3 * 14 + 26) / 4)
    assert found["motif corner-sharing fraction"] == pytest.approx((3 * 6 + 12) / (3 * 14 + 26))
    assert found["motif bond length mean"] == pytest.approx(3.905 * (18 / 2 + 12 / np.sqrt(2)) / 30, rel=1e-5)
