"""What a fitted model says, of structures and of ready graphs, and the networks that it is made of."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Structure
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from amdnet_matminer.errors import StructureError
from amdnet_matminer.estimators import AMDNetClassifier, AMDNetRegressor


def test_odd_crystals_are_predicted(fitted: AMDNetRegressor, crystals: list[Structure]) -> None:
    assert np.isfinite(fitted.predict(crystals)).all()


def test_symmetry_reduction_is_only_a_matter_of_speed(
    fitted: AMDNetRegressor, crystals: list[Structure]
) -> None:
    whole = pickle.loads(pickle.dumps(fitted))
    whole.converter_ = replace(fitted.converter_, symmetry_reduction=False)
    np.testing.assert_allclose(whole.predict(crystals), fitted.predict(crystals), rtol=1e-4)


def test_novelty(
    fitted: AMDNetRegressor, X: list, rutile: Structure, rock_salt: Structure, copper: Structure
) -> None:
    np.testing.assert_array_equal(fitted.novelty(X), 0.0)
    # Its motif is new, and so is one atom in three; of MgO nothing is.
    np.testing.assert_array_equal(fitted.novelty([rutile, rock_salt, copper]), [1.0, 0.0, 1.0])


@pytest.fixture(scope="module")
def graphs(regressor_of: Callable, X: list) -> list:
    return list(regressor_of().graph_converter().convert_many(X))


def test_they_are_fitted_and_predicted_as_structures_are(
    regressor_of: Callable, graphs: list, X: list, y: np.ndarray
) -> None:
    given = {"validation_fraction": 0.25, "extensive": True}
    of_structures = regressor_of(**given).fit(X, y)
    of_graphs = regressor_of(**given).fit(graphs, y)
    np.testing.assert_array_equal(of_graphs.predict(graphs), of_structures.predict(X))
    np.testing.assert_array_equal(of_graphs.novelty(graphs), of_structures.novelty(X))
    assert of_graphs.training_ == of_structures.training_
    assert of_graphs.converter_ == graphs[0].converter


@pytest.mark.parametrize("form", ["series", "array", "column", "cached"])
def test_in_many_forms(form: str, fitted: AMDNetRegressor, graphs: list, X: list, tmp_path: Path) -> None:
    if form == "cached":
        held = fitted.converter_.convert_many(X, cache_dir=tmp_path)
    elif form == "series":
        held = pd.Series(graphs, index=range(5, 21))
    else:
        held = np.empty(16, dtype=object)
        held[:] = graphs
        held = held[:, None] if form == "column" else held
    np.testing.assert_array_equal(fitted.predict(held), fitted.predict(X))


def test_cross_validation(regressor_of: Callable, graphs: list, X: list, y: np.ndarray) -> None:
    model = regressor_of()
    scores = [cross_val_score(model, crystals, y, cv=2, error_score="raise") for crystals in (graphs, X)]
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"atom_cutoff": 4.0}, r"^graph 1 was made with atom_cutoff 4\.0, not 5\.0; make it with"),
        ({"n_neighbors": 3, "motifs": None}, "n_neighbors 3, not 16, motifs None, not 'own'"),
    ],
)
def test_of_another_converter(
    changes: dict, message: str, fitted: AMDNetRegressor, graphs: list, rutile: Structure
) -> None:
    other = replace(fitted.converter_, **changes).convert(rutile)
    with pytest.raises(StructureError, match=message):
        fitted.predict([graphs[0], other])


def test_of_no_converter_or_broken_or_mixed(fitted: AMDNetRegressor, graphs: list, X: list) -> None:
    graph = graphs[0]
    atoms, motifs = graph.levels
    outside = replace(graph, atoms=atoms._replace(sender=atoms.sender + 100))
    for bad, message in (
        (replace(graph, converter=None), "graph 1 is not known to be made by a converter"),
        (replace(graph, converter="another"), "graph 1 is not known to be made by a converter"),
        (replace(graph, converter=mock.ANY), "graph 1 is not known to be made by a converter"),
        (outside, r"structure 1 has a graph with atoms\.sender from 100 "),
        (
            replace(graph, atoms=atoms._replace(distance=atoms.distance * np.nan)),
            r"structure 1 has a graph with atoms\.distance from nan",
        ),
        (
            replace(graph, motifs=motifs._replace(center=motifs.center - 9)),
            r"structure 1 has a graph with motifs\.center from -",
        ),
        (X[0], "structure 1 is a Structure among graphs; give structures only or graphs only"),
    ):
        for use in (fitted.predict, fitted.novelty, lambda X: clone(fitted).fit(X, [1.0, 2.0])):
            with pytest.raises(StructureError, match=message):
                use([graph, bad])


def test_join_takes_apart_members_together(ensemble: AMDNetRegressor, X: list) -> None:
    joined = AMDNetRegressor.join(ensemble.members_)
    np.testing.assert_array_equal(joined.predict(X), ensemble.predict(X))
    assert joined.std_factor_ == 1.0
    assert (joined.n_ensemble, joined.history_, joined.n_iter_) == (3, ensemble.history_, 60)
    assert joined.training_ == ensemble.training_


def test_models_of_cells_and_of_atoms_do_not_join(regressor_of: Callable, X: list, y: np.ndarray) -> None:
    models = [
        regressor_of(extensive=extensive, scale_targets=False, epochs=1).fit(X, y)
        for extensive in (False, True)
    ]
    with pytest.raises(ValueError, match="model 1 was fitted with extensive=True, model 0 with False"):
        AMDNetRegressor.join(models)


def test_one_was_judged_by_validation_data_and_one_was_not(
    regressor_of: Callable, X: list, y: np.ndarray
) -> None:
    alone = regressor_of(validation_fraction=0.0).fit(X, y, validation_data=(X, y))
    models = [alone, regressor_of(validation_fraction=0.0).fit(X, y)]
    judged, not_judged = AMDNetRegressor.join(models).members_
    assert judged.history_ == alone.history_
    assert np.isnan(not_judged.history_["val_mae"]).all()


def test_one_target_of_several_joins_a_model_of_it_alone(
    regressor_of: Callable, several: AMDNetRegressor, X: list, targets: np.ndarray, tmp_path: Path
) -> None:
    both = several.predict(X)
    alone = regressor_of(validation_fraction=0.0).fit(X, targets[:, 0])
    taken = several.of_target(0)
    np.testing.assert_allclose(taken.predict(X), both[:, 0], rtol=1e-5)
    assert taken.training_ == alone.training_
    AMDNetRegressor.join([taken, alone]).save(tmp_path / "volume.amdnet")
    joined = AMDNetRegressor.load(tmp_path / "volume.amdnet")
    np.testing.assert_allclose(joined.predict(X), (both[:, 0] + alone.predict(X)) / 2, rtol=1e-5)
    assert (joined.predict(X, return_std=True)[1] > 0).all()


def test_one_target_may_be_cut_at_0_where_others_are_not(several: AMDNetRegressor, X: list) -> None:
    shifted = pickle.loads(pickle.dumps(several))
    shifted.scaler_ = several.scaler_._replace(mean=(0.0, 0.0))
    predicted = shifted.of_target(1).predict(X)
    assert predicted.min() < 0
    cut = shifted.of_target(1, non_negative=True)
    np.testing.assert_array_equal(cut.predict(X), np.maximum(predicted, 0.0))
    with pytest.raises(IndexError, match="target must be from 0 to 1, got 2"):
        several.of_target(2)


def test_members_are_models(ensemble: AMDNetRegressor, X: list, tmp_path: Path) -> None:
    member = ensemble.members_[1]
    assert type(member) is AMDNetRegressor
    assert (member.n_ensemble, member.n_iter_, len(member.members_)) == (1, 20, 1)
    member.save(tmp_path / "one.amdnet")
    loaded = AMDNetRegressor.load(tmp_path / "one.amdnet")
    np.testing.assert_array_equal(loaded.predict(X), member.predict(X))


def test_join_says_what_differs(
    regressor_of: Callable, fitted: AMDNetRegressor, classifier: AMDNetClassifier, X: list, y: np.ndarray
) -> None:
    for other, message in (
        (regressor_of().fit(X, 2.0 * y), "scaler_ of model 1 is"),
        (regressor_of(atom_cutoff=4.0).fit(X, y), "config_ of model 1 is"),
        (regressor_of(n_neighbors=4).fit(X, y), "converter_ of model 1 is"),
        (classifier, "model 1 is a AMDNetClassifier, model 0 a AMDNetRegressor"),
    ):
        with pytest.raises(ValueError, match=message):
            AMDNetRegressor.join([fitted, other])
    with pytest.raises(ValueError, match="no models"):
        AMDNetRegressor.join([])


@pytest.mark.parametrize(
    "changes",
    [
        {"atom_cutoff": 3.0, "n_neighbors": 2, "symmetry_reduction": False},
        {"architecture": "megnet", "width": 16, "n_blocks": 3, "optimizer": "adamw"},
        {"extensive": True, "non_negative": True, "scale_targets": False, "loss": "mse"},
    ],
)
def test_neither_predictions_nor_the_file_change(
    changes: dict, fitted: AMDNetRegressor, X: list, tmp_path: Path
) -> None:
    model = pickle.loads(pickle.dumps(fitted)).set_params(**changes)
    np.testing.assert_array_equal(model.predict(X), fitted.predict(X))
    np.testing.assert_array_equal(model.members_[0].predict(X), fitted.predict(X))
    for name, saved in (("changed", model), ("before", fitted)):
        saved.save(tmp_path / name)
    assert (tmp_path / "changed").read_bytes() == (tmp_path / "before").read_bytes()


def test_a_fit_that_goes_on_keeps_what_scales_targets(
    fitted: AMDNetRegressor, X: list, y: np.ndarray
) -> None:
    model = pickle.loads(pickle.dumps(fitted)).set_params(warm_start=True, extensive=True)
    with pytest.raises(ValueError, match="extensive must be what the fit before had"):
        model.fit(X, y)
