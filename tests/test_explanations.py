"""What motifs and atoms contribute: all of it, the same for every cell, and what was planted."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from keras import ops
from pymatgen.core import Structure
from scipy.stats import spearmanr
from sklearn.exceptions import NotFittedError

from amdnet_matminer import AMDNetClassifier, AMDNetRegressor
from amdnet_matminer.architectures import NetworkConfig
from amdnet_matminer.errors import DatasetError
from amdnet_matminer.explanations import summarize_explanation
from amdnet_matminer.motifs import MotifGraph
from amdnet_matminer.network.base import initial_weights
from amdnet_matminer.network.gradients import log_odds

SMALL = {"width": 8, "n_blocks": 1, "epochs": 1, "random_state": 0}
COLUMNS = [
    *("crystal", "kind", "name", "element", "sites"),
    *("multiplicity", "contribution", "baseline", "prediction"),
]


@pytest.fixture(scope="module")
def model(crystals: list[Structure]) -> AMDNetRegressor:
    labels = np.stack([np.arange(len(crystals)), np.arange(len(crystals)) ** 2], axis=1)
    return AMDNetRegressor(n_ensemble=2, **SMALL).fit(crystals, labels)


def sums(explanation: pd.DataFrame) -> np.ndarray:
    """Baseline and contributions of each crystal."""
    of_crystals = explanation.groupby("crystal", sort=False)
    return (of_crystals.baseline.first() + of_crystals.contribution.sum()).to_numpy()


def predictions(explanation: pd.DataFrame) -> np.ndarray:
    return explanation.groupby("crystal", sort=False).prediction.first().to_numpy()


@pytest.mark.parametrize("target", [0, 1])
def test_contributions_add_up_to_predictions(model: AMDNetRegressor, crystals, target: int) -> None:
    explanation = model.explain(crystals, target=target)
    assert explanation.columns.tolist() == COLUMNS
    np.testing.assert_allclose(sums(explanation), model.predict(crystals)[:, target], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(predictions(explanation), sums(explanation), rtol=1e-5, atol=1e-5)
    assert explanation.baseline.nunique() == 1
    assert explanation.contribution.abs().min() > 0


def test_every_site_is_in_one_row(model: AMDNetRegressor, crystals: list[Structure]) -> None:
    explanation = model.explain(pd.Series(crystals, list("abcdefg")), target=0)
    for name, crystal in zip("abcdefg", crystals, strict=True):
        rows = explanation[explanation.crystal == name]
        assert sorted(sum(rows.sites, ())) == list(range(len(crystal)))
        assert rows.sites.map(len).tolist() == rows.multiplicity.tolist()
        for row in rows.itertuples():
            assert {crystal[site].specie.symbol for site in row.sites} == {row.element}
    rutile = explanation[explanation.crystal == "a"]
    assert rutile[["kind", "name", "multiplicity"]].to_numpy().tolist() == [
        ["motif", "TiO6 octahedral", 2],
        ["atom", "O", 4],
    ]


def test_cell_order_and_symmetry_change_nothing(model: AMDNetRegressor, perovskite: Structure) -> None:
    whole = copy(model)
    whole.converter_ = replace(model.converter_, symmetry_reduction=False)
    supercell = Structure.from_sites((perovskite * (2, 1, 1)).sites[::-1])
    explanations = [model.explain([perovskite, supercell], target=0), whole.explain([perovskite], target=0)]
    by_name = [
        rows.groupby("name").contribution.sum()
        for explanation in explanations
        for _, rows in explanation.groupby("crystal")
    ]
    assert len(explanations[1]) == len(perovskite) > len(by_name[0]) == 3
    for other in by_name[1:]:
        np.testing.assert_allclose(by_name[0], other, rtol=1e-3, atol=1e-5)


def test_an_extensive_target_is_of_the_cell(model: AMDNetRegressor, rutile: Structure) -> None:
    extensive = copy(model)
    extensive.fitted_params_ = model.fitted_params_ | {"extensive": True}
    cells = [rutile, rutile * (2, 1, 1)]
    explanation = extensive.explain(cells, target=0)
    np.testing.assert_allclose(sums(explanation), extensive.predict(cells)[:, 0], rtol=1e-5)
    one, two = (rows.contribution.to_numpy() for _, rows in explanation.groupby("crystal"))
    np.testing.assert_allclose(2 * one, two, rtol=1e-3)


def test_a_classifier_explains_log_odds(model: AMDNetRegressor, crystals: list[Structure]) -> None:
    classifier = AMDNetClassifier(width=8, n_blocks=1)
    vars(classifier).update(vars(model._member(0)))
    classifier.classes_ = np.array(["insulator", "metal"])
    probability = classifier.predict_proba(crystals)[:, 1]
    explanation = classifier.explain(crystals)
    odds = np.log(probability / (1 - probability))
    np.testing.assert_allclose(sums(explanation), odds, rtol=1e-4, atol=1e-5)
    opposite = classifier.explain(crystals, target="insulator")
    np.testing.assert_allclose(opposite.contribution, -explanation.contribution, rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match=r"target must be one of \['insulator', 'metal'\], got 'oxide'"):
        classifier.explain(crystals, "oxide")


def test_log_odds_of_several_classes() -> None:
    logits = np.array([[0.0, 2.0, -1.0], [50.0, 0.0, 0.0]], dtype=np.float32)
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = np.log(probability[:, 1] / (1 - probability[:, 1]))
    found = ops.convert_to_numpy(log_odds(ops.convert_to_tensor(logits), 1))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_crystal_without_motifs_has_atoms(model: AMDNetRegressor, rutile: Structure) -> None:
    graph = replace(model.converter_.convert(rutile), motifs=MotifGraph.empty())
    explanation = model.explain([graph], target=0)
    assert explanation.kind.tolist() == ["atom", "atom"]
    np.testing.assert_allclose(sums(explanation), model.predict([graph])[:, 0], rtol=1e-5)
    assert model.embed([graph], "motif").shape == (0, 16)


def test_what_cannot_be_explained(model: AMDNetRegressor, rutile: Structure) -> None:
    with pytest.raises(ValueError, match=r"target must be one of \[0, 1\], got None"):
        model.explain([rutile])
    with pytest.raises(ValueError, match="got 2"):
        model.explain([rutile], target=2)
    with pytest.raises(ValueError, match=r"level must be one of \['motif', 'atom'\], got 'bond'"):
        model.embed([rutile], "bond")
    with pytest.raises(NotFittedError):
        AMDNetRegressor().explain([rutile])


def test_crystals_of_one_id_are_refused(model: AMDNetRegressor, rutile: Structure) -> None:
    """In a summary they would be one crystal, of twice the contributions."""
    twice = pd.Series([rutile, rutile], ["a", "a"])
    for explain in (partial(model.explain, target=0), partial(model.embed, level="motif")):
        with pytest.raises(DatasetError, match="id 'a' is there more than once; give each crystal its own"):
            explain(twice)


@pytest.mark.parametrize("architecture", ["megnet", "amdnet-2021"])
def test_networks_that_read_more_than_nodes_are_refused(architecture: str, model, rutile) -> None:
    other = copy(model)
    other.config_ = NetworkConfig.of(architecture, width=4, n_outputs=2)
    other.weights_ = [initial_weights(other.config_, 0)]
    for ask in (partial(other.explain, target=0), partial(other.embed, level="motif")):
        with pytest.raises(NotImplementedError, match=r"alone.*; take architecture='amdnet'"):
            ask([rutile])


def test_graphs_are_explained_too(model: AMDNetRegressor, crystals: list[Structure]) -> None:
    of_structures, of_graphs = (
        model.explain(given, target=0) for given in (crystals, model.converter_.convert_many(crystals))
    )
    np.testing.assert_allclose(of_graphs.contribution, of_structures.contribution, rtol=1e-4, atol=1e-6)
    assert of_graphs.sites.map(len).eq(1).all()


def test_vectors_of_nodes_are_those_that_crystals_are_read_from(model: AMDNetRegressor, crystals) -> None:
    """Scores begin at 0 and an epoch hardly moves them, so that crystals are nearly means of their nodes."""
    for level, part in (("atom", slice(0, 8)), ("motif", slice(8, 16))):
        vectors = model.embed(crystals, level)
        assert vectors.index.names == ["crystal", "name", "sites", "multiplicity"]
        first = vectors.iloc[:, :8].mul(vectors.index.get_level_values("multiplicity"), axis=0)
        count = vectors.reset_index("multiplicity").multiplicity.groupby("crystal").sum()
        mean = first.groupby("crystal").sum().div(count, axis=0)
        expected = model.transform(crystals)[mean.index, part]
        assert np.abs(mean.to_numpy() - expected).max() < 0.05 * np.abs(expected).max()


def mixed_rock_salts(rock_salt: Structure, n: int) -> tuple[list[Structure], np.ndarray, dict[str, float]]:
    """Rock salts of up to four metals, and a label that is the mean of a value planted on each motif."""
    rng = np.random.default_rng(0)
    metals = ["Mg", "Ca", "Sr", "Ba", "Ti", "V", "Mn", "Fe", "Co", "Ni", "Zn", "Cd"]
    planted = dict(zip(metals, rng.permutation(len(metals)).astype(float), strict=True))
    chosen = rng.choice(metals, (n, 4))
    crystals = []
    for row in chosen:
        crystals.append(rock_salt.copy())
        for site, metal in enumerate(row):
            crystals[-1].replace(site, str(metal))
    labels = np.array([np.mean([planted[metal] for metal in row]) for row in chosen])
    return crystals, labels, {f"{metal}O6 octahedral": value for metal, value in planted.items()}


def test_what_was_planted_on_motifs_is_found_and_of_shuffled_labels_is_not(rock_salt: Structure) -> None:
    crystals, labels, planted = mixed_rock_salts(rock_salt, 60)
    model = AMDNetRegressor(width=8, n_blocks=1, epochs=40, batch_size=8, validation_fraction=0)
    model.set_params(random_state=0, learning_rate=1e-2)
    graphs = model.graph_converter().convert_many(crystals)
    found = []
    for y in (labels, np.random.default_rng(1).permutation(labels)):
        summary = summarize_explanation(model.fit(graphs, y).explain(graphs))
        effect = summary[summary.kind == "motif"].set_index("name").effect
        assert set(effect.index) == set(planted)
        found.append(spearmanr(effect, [planted[name] for name in effect.index]).statistic)
    assert found[0] > 0.9
    assert abs(found[1]) < 0.5


def test_the_summary_of_many_crystals() -> None:
    explanation = pd.DataFrame(
        [
            (0, "motif", "TiO6 octahedral", 1, 1.0),
            (0, "motif", "TiO6 octahedral", 2, 2.0),
            (0, "motif", "SrO12 cuboctahedral", 1, -1.0),
            (0, "atom", "O", 3, 0.5),
            (1, "motif", "TiO6 octahedral", 2, 2.0),
        ],
        columns=["crystal", "kind", "name", "multiplicity", "contribution"],
    )
    summary = summarize_explanation(explanation)
    assert summary.name.tolist() == ["TiO6 octahedral", "O", "SrO12 cuboctahedral"]
    first, _, last = summary.itertuples()
    assert (first.crystals, first.share, first.contribution, first.effect) == (2, 0.875, 2.5, 3.0)
    # Two effects, 4 and 2, whose mean is known to 1: times Student's t of one degree of freedom.
    assert (first.high - first.effect, first.effect - first.low) == pytest.approx((12.706, 12.706), abs=1e-3)
    assert (last.crystals, last.effect) == (1, -4.0)
    assert np.isnan([last.low, last.high]).all()
