"""Regressor and classifier on structures: what they learn, say, keep and refuse."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score

from amdnet_matminer.errors import ModelFileError, StructureError, TargetError
from amdnet_matminer.estimators import AMDNetClassifier, AMDNetRegressor
from amdnet_matminer.persistence import read_model
from amdnet_matminer.training import callbacks
from amdnet_matminer.training import fit as fit_module

# One configuration for all, so that each network is compiled once.
TINY = {"width": 8, "n_blocks": 1, "batch_size": 12, "learning_rate": 0.02, "random_state": 0}
SHORT = TINY | {"epochs": 2}


@pytest.fixture(scope="module")
def X() -> list[Structure]:
    """Rock salts whose volume a network can learn."""
    return [
        Structure.from_spacegroup(
            "Fm-3m", Lattice.cubic(4.0 + 0.1 * i + 0.02 * j), [metal, "O"], [[0] * 3, [0.5] * 3]
        ).get_primitive_structure()
        for i, metal in enumerate(["Mg", "Ca", "Sr", "Ba"])
        for j in range(4)
    ]


@pytest.fixture(scope="module")
def y(X: list[Structure]) -> np.ndarray:
    return np.array([structure.volume for structure in X])


@pytest.fixture(scope="module")
def fitted(X: list[Structure], y: np.ndarray) -> AMDNetRegressor:
    return AMDNetRegressor(**TINY, epochs=100).fit(X, y)


@pytest.fixture(scope="module")
def ensemble(X: list[Structure], y: np.ndarray) -> AMDNetRegressor:
    return AMDNetRegressor(**TINY, epochs=20, n_ensemble=3, validation_fraction=0.25).fit(X, y)


@pytest.fixture(scope="module")
def classifier(X: list[Structure], y: np.ndarray) -> AMDNetClassifier:
    return AMDNetClassifier(**TINY, epochs=60, class_weight={True: 2.0, False: 1.0}).fit(X, y > 18.0)


@pytest.fixture(scope="module")
def targets(X: list[Structure], y: np.ndarray) -> np.ndarray:
    """Volumes, and densities that are not known of every third."""
    both = np.column_stack([y, [structure.density for structure in X]])
    both[::3, 1] = np.nan
    return both


@pytest.fixture(scope="module")
def several(X: list[Structure], targets: np.ndarray) -> AMDNetRegressor:
    return AMDNetRegressor(**TINY, epochs=100, validation_fraction=0.0).fit(X, targets)


class TestTraining:
    """What ``fit`` does."""

    def test_the_network_learns(self, fitted: AMDNetRegressor, X: list, y: np.ndarray) -> None:
        assert fitted.score(X, y) > 0.9
        assert fitted.history_["loss"][-1] < 0.3 * fitted.history_["loss"][0]

    def test_half_precision_learns_too(self, X: list, y: np.ndarray, half_precision: Callable) -> None:
        with half_precision():
            model = AMDNetRegressor(**TINY, epochs=60).fit(X, y)
            half = model.predict(X)
        assert model.score(X, y) > 0.8
        # In full precision the same weights say nearly the same, but not quite.
        assert 0 < np.abs(model.predict(X) - half).max() < 0.1 * np.ptp(y)

    def test_history_has_an_entry_per_epoch(self, fitted: AMDNetRegressor) -> None:
        assert set(fitted.history_) == {"loss", "val_mae", "learning_rate", "rescues"}
        assert {len(values) for values in fitted.history_.values()} == {fitted.n_iter_}
        assert fitted.history_["rescues"][-1] == 0

    def test_best_weights_are_kept(self, X: list, y: np.ndarray) -> None:
        model = AMDNetRegressor(**TINY, epochs=4).fit(X[:12], y[:12], validation_data=(X[12:], y[12:]))
        error = np.abs(model.predict(X[12:]) - y[12:]).mean()
        assert error == pytest.approx(min(model.history_["val_mae"]), rel=1e-4)

    def test_the_seed_decides(self, X: list, y: np.ndarray) -> None:
        first, same, other = (
            AMDNetRegressor(**SHORT | {"random_state": seed}).fit(X, y).predict(X) for seed in (0, 0, 1)
        )
        np.testing.assert_array_equal(first, same)
        assert not np.allclose(first, other)

    def test_an_interrupt_keeps_the_best_model(
        self, X: list, y: np.ndarray, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fit_module, "Rescue", stopping_after(2, KeyboardInterrupt))
        model = AMDNetRegressor(**TINY, epochs=50).fit(X, y)
        assert model.n_iter_ < 50
        assert np.isfinite(model.predict(X)).all()

    def test_an_exploding_training_is_rescued(self, X: list, y: np.ndarray) -> None:
        model = AMDNetRegressor(**SHORT | {"learning_rate": 1e18, "epochs": 4, "schedule": "constant"})
        model.fit(X, y)
        assert model.history_["rescues"][-1] >= 1
        assert model.history_["learning_rate"][-1] < 1e18
        assert np.isfinite(model.predict(X)).all()

    def test_odd_crystals_are_predicted(self, fitted: AMDNetRegressor, crystals: list[Structure]) -> None:
        assert np.isfinite(fitted.predict(crystals)).all()

    def test_symmetry_reduction_is_only_a_matter_of_speed(
        self, fitted: AMDNetRegressor, crystals: list[Structure]
    ) -> None:
        whole = pickle.loads(pickle.dumps(fitted))
        whole.converter_ = replace(fitted.converter_, symmetry_reduction=False)
        np.testing.assert_allclose(whole.predict(crystals), fitted.predict(crystals), rtol=1e-4)


class TestLabels:
    """Several targets, targets that grow with the cell, classes."""

    def test_several_targets_some_missing(
        self, several: AMDNetRegressor, targets: np.ndarray, X: list, y: np.ndarray
    ) -> None:
        predicted = several.predict(X)
        assert predicted.shape == (16, 2)
        for column, true in zip(predicted.T, (y, [s.density for s in X]), strict=True):
            # Those without a label too: that they are missing does not count as 0.
            assert np.corrcoef(column, true)[0, 1] > 0.9
            assert np.abs(column - true).mean() < 0.5 * np.std(true)
        assert several.training_["target"][1]["count"] == np.isfinite(targets[:, 1]).sum() == 10

    def test_one_column_stays_a_column(self, X: list, y: np.ndarray) -> None:
        column, vector = (AMDNetRegressor(**SHORT).fit(X, target).predict(X) for target in (y[:, None], y))
        np.testing.assert_array_equal(column, vector[:, None])

    def test_extensive_targets_grow_with_the_cell(self, X: list, y: np.ndarray) -> None:
        model = AMDNetRegressor(**SHORT, extensive=True).fit(X, y)
        per_atom = AMDNetRegressor(**SHORT).fit(X, y / 2)
        np.testing.assert_allclose(model.predict(X), 2 * per_atom.predict(X), rtol=1e-6)
        cells = [structure * (2, 1, 1) for structure in X[:3]]
        np.testing.assert_allclose(model.predict(cells), 2 * model.predict(X[:3]), rtol=1e-4)

    def test_non_negative(self, fitted: AMDNetRegressor, X: list, y: np.ndarray) -> None:
        free, cut = (
            AMDNetRegressor(**TINY, epochs=60, non_negative=switch).fit(X, y - y.mean()).predict(X)
            for switch in (False, True)
        )
        assert free.min() < 0 < free.max()
        np.testing.assert_array_equal(cut, np.maximum(free, 0))

    def test_the_classifier_learns(self, classifier: AMDNetClassifier, X: list, y: np.ndarray) -> None:
        assert classifier.score(X, y > 18.0) > 0.9
        assert classifier.predict(X).dtype == bool
        assert classifier.history_["val_log_loss"][-1] < classifier.history_["val_log_loss"][0]

    def test_an_ensemble_of_classifiers(self, X: list, y: np.ndarray) -> None:
        model = AMDNetClassifier(**SHORT, n_ensemble=2).fit(X, y > 18.0)
        single = AMDNetClassifier(**SHORT).fit(X, y > 18.0)
        assert not np.allclose(model.predict_proba(X), single.predict_proba(X))
        np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)


class TestUncertainty:
    """Standard deviations of ensembles, and crystals unlike the training data."""

    def test_mean_and_spread(self, ensemble: AMDNetRegressor, X: list) -> None:
        mean, std = ensemble.predict(X, return_std=True)
        members = [member.predict(X) for member in ensemble.members_]
        np.testing.assert_allclose(mean, np.mean(members, axis=0), rtol=1e-6)
        np.testing.assert_array_equal(mean, ensemble.predict(X))
        np.testing.assert_allclose(std, ensemble.std_factor_ * np.std(members, axis=0, ddof=1), rtol=1e-3)
        assert set(ensemble.history_["member"]) == {0, 1, 2}
        assert ensemble.n_iter_ == 60

    def test_std_is_calibrated_on_the_validation_data(self, X: list, y: np.ndarray) -> None:
        held = np.arange(len(X)) % 4 == 0
        training = [s for s, kept in zip(X, ~held, strict=True) if kept]
        validation = [s for s, kept in zip(X, held, strict=True) if kept]
        model = AMDNetRegressor(**TINY, epochs=20, n_ensemble=2)
        model.fit(training, y[~held], validation_data=(validation, y[held]))
        mean, std = model.predict(validation, return_std=True)
        assert np.quantile(np.abs(mean - y[held]) / std, 0.6827) == pytest.approx(1.0, rel=1e-3)

    def test_a_larger_ensemble_has_the_same_first_members(
        self, ensemble: AMDNetRegressor, X: list, y: np.ndarray
    ) -> None:
        single = clone(ensemble).set_params(n_ensemble=1).fit(X, y)
        for one, first in zip(single.weights_[0], ensemble.weights_[0], strict=True):
            np.testing.assert_array_equal(one, first)

    def test_a_single_network_has_no_std(self, fitted: AMDNetRegressor, X: list) -> None:
        with pytest.raises(ValueError, match="no spread; set n_ensemble to 2 or more"):
            fitted.predict(X, return_std=True)

    def test_novelty(
        self, fitted: AMDNetRegressor, X: list, rutile: Structure, rock_salt: Structure, copper: Structure
    ) -> None:
        np.testing.assert_array_equal(fitted.novelty(X), 0.0)
        # Its motif is new, and so is one atom in three; of MgO nothing is.
        np.testing.assert_array_equal(fitted.novelty([rutile, rock_salt, copper]), [1.0, 0.0, 1.0])


class TestGoingOn:
    """Training that begins with weights, and after a kill."""

    def test_warm_start_goes_on(self, X: list, y: np.ndarray) -> None:
        model = AMDNetRegressor(**TINY, epochs=30, warm_start=True).fit(X, y)
        scaler, first = model.scaler_, model.history_["loss"]
        model.fit(X[:8], y[:8])
        assert model.scaler_ == scaler
        assert model.history_["loss"][0] < 0.5 * first[0]
        assert model.novelty(X).max() == 0.0

    def test_warm_start_keeps_the_classes(self, classifier: AMDNetClassifier, X: list, y: np.ndarray) -> None:
        model = pickle.loads(pickle.dumps(classifier)).set_params(warm_start=True, epochs=2)
        model.fit(X[:2], [True, True])
        assert model.classes_.tolist() == [False, True]
        with pytest.raises(TargetError, match=r"label 1 \(2\) is none of the classes to be learned, \[False"):
            model.fit(X[:2], [1, 2])

    def test_partial_fit_is_one_pass(self, X: list, y: np.ndarray) -> None:
        model = AMDNetRegressor(**SHORT)
        losses = []
        for _ in range(8):
            assert model.partial_fit(X, y) is model
            losses += model.history_["loss"]
        assert len(losses) == 8
        assert losses[-1] < 0.9 * losses[0]
        assert model.history_["learning_rate"] == [pytest.approx(0.02)]
        model.partial_fit(X[:4], y[:4] + 100.0)
        assert abs(model.scaler_.mean[0] - y.mean()) < 1e-9

    @pytest.mark.parametrize("as_path", [True, False])
    @pytest.mark.parametrize("share", [0.25, 1.0])
    def test_init_from_begins_with_a_share_of_its_weights(
        self, share: float, as_path: bool, fitted: AMDNetRegressor, X: list, y: np.ndarray, tmp_path: Path
    ) -> None:
        fitted.save(tmp_path / "model.amdnet")
        source = tmp_path / "model.amdnet" if as_path else fitted
        given = TINY | {"learning_rate": 1e-9, "epochs": 1, "validation_fraction": 0.0, "n_ensemble": 2}
        drawn = AMDNetRegressor(**given).fit(X, y)
        tuned = AMDNetRegressor(**given, init_from=source, init_share=share).fit(X, 10.0 * y)
        for weights, others in zip(tuned.weights_, drawn.weights_, strict=True):
            for new, old, other in zip(weights, fitted.weights_[0], others, strict=True):
                np.testing.assert_allclose(new, share * old + (1 - share) * other, atol=1e-6)
        assert tuned.scaler_.scale[0] == pytest.approx(10.0 * y.std())

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"width": 16}, r"of another network: width \(8 there, 16 here\)"),
            (
                {"init_from": LinearRegression()},
                "init_from must be the path of a saved model, .* a fitted",
            ),
            ({"init_from": AMDNetRegressor()}, "give a path or a FrozenEstimator"),
        ],
    )
    def test_init_from_that_does_not_fit(
        self, changes: dict, message: str, fitted: AMDNetRegressor, X: list, y: np.ndarray
    ) -> None:
        with pytest.raises(ValueError, match=message):
            AMDNetRegressor(**SHORT | {"init_from": fitted} | changes).fit(X, y)

    def test_a_killed_training_goes_on(
        self, X: list, y: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given = TINY | {"epochs": 6, "n_ensemble": 2, "validation_fraction": 0.25}
        expected = AMDNetRegressor(**given).fit(X, y)
        model = AMDNetRegressor(**given, checkpoint_dir=tmp_path / "state")
        monkeypatch.setattr(callbacks, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
        with monkeypatch.context() as patch:
            patch.setattr(fit_module, "Rescue", stopping_after(10, SystemExit))
            with pytest.raises(SystemExit):
                model.fit(X, y)
        assert len(list((tmp_path / "state").iterdir())) == 2
        epochs = []
        with monkeypatch.context() as patch:
            patch.setattr(fit_module, "Rescue", stopping_after(100, SystemExit, epochs))
            model.fit(X, y)
        assert len(epochs) <= 3
        assert list((tmp_path / "state").iterdir()) == []
        np.testing.assert_allclose(model.predict(X), expected.predict(X), rtol=1e-6)
        assert set(model.history_) == set(expected.history_)
        for name, values in model.history_.items():
            np.testing.assert_allclose(values, expected.history_[name], rtol=1e-6)

    def test_another_training_does_not_go_on_from_it(
        self, X: list, y: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(callbacks, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
        crystals, weight = [*X[:-1], X[0]], np.arange(1.0, 17.0)
        for changes, data in (
            ({}, (X, y)),
            ({}, (X, y + 1e-6)),
            ({}, (crystals, y)),
            ({}, (X, y, weight)),
            ({"random_state": 1}, (X, y)),
            ({"learning_rate": 0.021}, (X, y)),
        ):
            monkeypatch.setattr(fit_module, "Rescue", stopping_after(1, SystemExit))
            with pytest.raises(SystemExit):
                AMDNetRegressor(**SHORT | changes, checkpoint_dir=tmp_path).fit(*data)
        assert len(list(tmp_path.iterdir())) == 6
        # The first one again: its second epoch is the last, so it ends and leaves the others' files.
        monkeypatch.setattr(fit_module, "Rescue", stopping_after(1, SystemExit))
        AMDNetRegressor(**SHORT, verbose=1, checkpoint_dir=tmp_path).fit(X, y)
        assert len(list(tmp_path.iterdir())) == 5

    def test_a_checkpoint_needs_a_seed(self, X: list, y: np.ndarray, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="random_state must be a number where there is a checkpoint_dir"):
            AMDNetRegressor(checkpoint_dir=tmp_path).fit(X, y)


class TestGraphs:
    """Ready graphs in the place of structures."""

    @pytest.fixture(scope="class")
    def graphs(self, X: list) -> list:
        return list(AMDNetRegressor(**SHORT).graph_converter().convert_many(X))

    def test_they_are_fitted_and_predicted_as_structures_are(
        self, graphs: list, X: list, y: np.ndarray
    ) -> None:
        given = SHORT | {"validation_fraction": 0.25, "extensive": True}
        of_structures = AMDNetRegressor(**given).fit(X, y)
        of_graphs = AMDNetRegressor(**given).fit(graphs, y)
        np.testing.assert_array_equal(of_graphs.predict(graphs), of_structures.predict(X))
        np.testing.assert_array_equal(of_graphs.novelty(graphs), of_structures.novelty(X))
        assert of_graphs.training_ == of_structures.training_
        assert of_graphs.converter_ == graphs[0].converter

    @pytest.mark.parametrize("form", ["series", "array", "column", "cached"])
    def test_in_many_forms(
        self, form: str, fitted: AMDNetRegressor, graphs: list, X: list, tmp_path: Path
    ) -> None:
        if form == "cached":
            held = fitted.converter_.convert_many(X, cache_dir=tmp_path)
        elif form == "series":
            held = pd.Series(graphs, index=range(5, 21))
        else:
            held = np.empty(16, dtype=object)
            held[:] = graphs
            held = held[:, None] if form == "column" else held
        np.testing.assert_array_equal(fitted.predict(held), fitted.predict(X))

    def test_cross_validation(self, graphs: list, X: list, y: np.ndarray) -> None:
        model = AMDNetRegressor(**SHORT)
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
        self, changes: dict, message: str, fitted: AMDNetRegressor, graphs: list, rutile: Structure
    ) -> None:
        other = replace(fitted.converter_, **changes).convert(rutile)
        with pytest.raises(StructureError, match=message):
            fitted.predict([graphs[0], other])

    def test_of_no_converter_or_broken_or_mixed(self, fitted: AMDNetRegressor, graphs: list, X: list) -> None:
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


class TestMembers:
    """The networks of an ensemble as models."""

    def test_join_takes_apart_members_together(self, ensemble: AMDNetRegressor, X: list) -> None:
        joined = AMDNetRegressor.join(ensemble.members_)
        np.testing.assert_array_equal(joined.predict(X), ensemble.predict(X))
        assert joined.std_factor_ == 1.0
        assert (joined.n_ensemble, joined.history_, joined.n_iter_) == (3, ensemble.history_, 60)
        assert joined.training_ == ensemble.training_

    def test_one_was_judged_by_validation_data_and_one_was_not(self, X: list, y: np.ndarray) -> None:
        alone = AMDNetRegressor(**SHORT, validation_fraction=0.0).fit(X, y, validation_data=(X, y))
        models = [alone, AMDNetRegressor(**SHORT, validation_fraction=0.0).fit(X, y)]
        judged, not_judged = AMDNetRegressor.join(models).members_
        assert judged.history_ == alone.history_
        assert np.isnan(not_judged.history_["val_mae"]).all()

    def test_one_target_of_several_joins_a_model_of_it_alone(
        self, several: AMDNetRegressor, X: list, targets: np.ndarray, tmp_path: Path
    ) -> None:
        both = several.predict(X)
        alone = AMDNetRegressor(**SHORT, validation_fraction=0.0).fit(X, targets[:, 0])
        taken = several.of_target(0)
        np.testing.assert_allclose(taken.predict(X), both[:, 0], rtol=1e-5)
        assert taken.training_ == alone.training_
        AMDNetRegressor.join([taken, alone]).save(tmp_path / "volume.amdnet")
        joined = AMDNetRegressor.load(tmp_path / "volume.amdnet")
        np.testing.assert_allclose(joined.predict(X), (both[:, 0] + alone.predict(X)) / 2, rtol=1e-5)
        assert (joined.predict(X, return_std=True)[1] > 0).all()

    def test_one_target_may_be_cut_at_0_where_others_are_not(self, several: AMDNetRegressor, X: list) -> None:
        shifted = pickle.loads(pickle.dumps(several))
        shifted.scaler_ = several.scaler_._replace(mean=(0.0, 0.0))
        predicted = shifted.of_target(1).predict(X)
        assert predicted.min() < 0
        cut = shifted.of_target(1, non_negative=True)
        np.testing.assert_array_equal(cut.predict(X), np.maximum(predicted, 0.0))
        with pytest.raises(IndexError, match="target must be from 0 to 1, got 2"):
            several.of_target(2)

    def test_members_are_models(self, ensemble: AMDNetRegressor, X: list, tmp_path: Path) -> None:
        member = ensemble.members_[1]
        assert type(member) is AMDNetRegressor
        assert (member.n_ensemble, member.n_iter_, len(member.members_)) == (1, 20, 1)
        member.save(tmp_path / "one.amdnet")
        loaded = AMDNetRegressor.load(tmp_path / "one.amdnet")
        np.testing.assert_array_equal(loaded.predict(X), member.predict(X))

    def test_join_says_what_differs(
        self, fitted: AMDNetRegressor, classifier: AMDNetClassifier, X: list, y: np.ndarray
    ) -> None:
        for other, message in (
            (AMDNetRegressor(**SHORT).fit(X, 2.0 * y), "scaler_ of model 1 is"),
            (AMDNetRegressor(**SHORT, atom_cutoff=4.0).fit(X, y), "config_ of model 1 is"),
            (AMDNetRegressor(**SHORT, n_neighbors=4).fit(X, y), "converter_ of model 1 is"),
            (classifier, "model 1 is a AMDNetClassifier, model 0 a AMDNetRegressor"),
        ):
            with pytest.raises(ValueError, match=message):
                AMDNetRegressor.join([fitted, other])
        with pytest.raises(ValueError, match="no models"):
            AMDNetRegressor.join([])


class TestWhatWasFitted:
    """``set_params`` after a fit says how the next one is done."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"atom_cutoff": 3.0, "n_neighbors": 2, "symmetry_reduction": False},
            {"architecture": "megnet", "width": 16, "n_blocks": 3, "optimizer": "adamw"},
            {"extensive": True, "non_negative": True, "scale_targets": False, "loss": "mse"},
        ],
    )
    def test_neither_predictions_nor_the_file_change(
        self, changes: dict, fitted: AMDNetRegressor, X: list, tmp_path: Path
    ) -> None:
        model = pickle.loads(pickle.dumps(fitted)).set_params(**changes)
        np.testing.assert_array_equal(model.predict(X), fitted.predict(X))
        np.testing.assert_array_equal(model.members_[0].predict(X), fitted.predict(X))
        for name, saved in (("changed", model), ("before", fitted)):
            saved.save(tmp_path / name)
        assert (tmp_path / "changed").read_bytes() == (tmp_path / "before").read_bytes()

    def test_a_fit_that_goes_on_keeps_what_scales_targets(
        self, fitted: AMDNetRegressor, X: list, y: np.ndarray
    ) -> None:
        model = pickle.loads(pickle.dumps(fitted)).set_params(warm_start=True, extensive=True)
        with pytest.raises(ValueError, match="extensive must be what the fit before had"):
            model.fit(X, y)


class TestFiles:
    """``save`` and ``load``."""

    def test_a_regressor_is_read_as_it_was(
        self, ensemble: AMDNetRegressor, X: list, rutile: Structure, tmp_path: Path
    ) -> None:
        ensemble.save(tmp_path / "model.amdnet")
        loaded = AMDNetRegressor.load(tmp_path / "model.amdnet")
        loaded.save(tmp_path / "again.amdnet")
        assert (tmp_path / "again.amdnet").read_bytes() == (tmp_path / "model.amdnet").read_bytes()
        for read, kept in zip(
            loaded.predict(X, return_std=True), ensemble.predict(X, return_std=True), strict=True
        ):
            np.testing.assert_array_equal(read, kept)
        np.testing.assert_array_equal(loaded.novelty([rutile]), ensemble.novelty([rutile]))
        assert loaded.get_params() == ensemble.get_params()
        same = set(vars(ensemble)) - {"weights_"}
        assert set(vars(loaded)) - {"weights_"} == same
        assert {name: vars(loaded)[name] for name in same} == {name: vars(ensemble)[name] for name in same}

    def test_a_classifier_is_read_as_it_was(
        self, classifier: AMDNetClassifier, X: list, tmp_path: Path
    ) -> None:
        classifier.save(tmp_path / "model.amdnet")
        loaded = AMDNetClassifier.load(tmp_path / "model.amdnet")
        np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
        np.testing.assert_array_equal(loaded.predict(X), classifier.predict(X))
        assert loaded.get_params() == classifier.get_params()
        assert loaded.classes_.dtype == bool

    def test_what_the_file_tells(self, fitted: AMDNetRegressor, tmp_path: Path) -> None:
        fitted.save(tmp_path / "model.amdnet")
        header, _ = read_model(tmp_path / "model.amdnet")
        assert header.training.n_crystals == 16
        assert list(header.training.elements) == ["O", "Mg", "Ca", "Sr", "Ba"]
        assert list(header.motifs) == [f"{metal}O6 octahedral" for metal in ("Ba", "Ca", "Mg", "Sr")]
        assert min(header.history["val_mae"]) == min(fitted.history_["val_mae"])

    def test_parameters_of_numpy_and_of_this_computer(self, fitted: AMDNetRegressor, tmp_path: Path) -> None:
        model = pickle.loads(pickle.dumps(fitted))
        model.fitted_params_ |= {"epochs": np.int64(7), "random_state": np.random.RandomState(0)}
        model.set_params(cache_dir=tmp_path, checkpoint_dir=tmp_path, init_from=fitted)
        model.save(tmp_path / "model.amdnet")
        loaded = AMDNetRegressor.load(tmp_path / "model.amdnet")
        assert (loaded.epochs, loaded.random_state) == (7, None)
        assert (loaded.cache_dir, loaded.checkpoint_dir, loaded.init_from) == (None, None, None)

    def test_a_model_that_does_not_say_what_it_has_seen(
        self, fitted: AMDNetRegressor, X: list, tmp_path: Path
    ) -> None:
        model = pickle.loads(pickle.dumps(fitted))
        model.domain_ = None
        model.save(tmp_path / "model.amdnet")
        loaded = AMDNetRegressor.load(tmp_path / "model.amdnet")
        with pytest.raises(ValueError, match="does not say which motifs it was fitted to; fit it anew"):
            loaded.novelty(X)

    def test_the_other_class(self, fitted: AMDNetRegressor, tmp_path: Path) -> None:
        fitted.save(tmp_path / "model.amdnet")
        with pytest.raises(ModelFileError, match="holds no AMDNetClassifier but a AMDNetRegressor"):
            AMDNetClassifier.load(tmp_path / "model.amdnet")

    @pytest.mark.parametrize(
        ("attribute", "value"),
        [
            ("weights_", lambda model: [model.weights_[0][:-1]]),
            ("weights_", lambda model: [[*model.weights_[0], np.zeros(3)]]),
            ("target_shape_", lambda model: (2,)),
        ],
    )
    def test_what_does_not_fit_is_refused(
        self, attribute: str, value: Callable, fitted: AMDNetRegressor, tmp_path: Path
    ) -> None:
        broken = pickle.loads(pickle.dumps(fitted))
        setattr(broken, attribute, value(fitted))
        broken.save(tmp_path / "model.amdnet")
        with pytest.raises(ModelFileError, match="does not hold a sound AMDNetRegressor"):
            AMDNetRegressor.load(tmp_path / "model.amdnet")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda s, y: ([*s[:3], "MgO"], y[:4]), StructureError, "structure 3 is the text 'MgO'"),
        (lambda s, y: (s[0], y[:1]), StructureError, "a list of structures"),
        (lambda s, y: (s[:3], [1.0, np.nan, 2.0]), TargetError, "label 1 is nan"),
        (lambda s, y: (s[:3], y[:2]), TargetError, "3 structures but 2 labels"),
        (lambda s, y: (s[:3], [[1.0, np.nan]] * 3), TargetError, "target 1 has no label at all"),
        (
            lambda s, y: (s[:3], y[:3], None, (s[:2], np.ones((2, 2)))),
            TargetError,
            r"labels have shape \(2, 2\), but those that decided on the targets \('n_structures',\)",
        ),
        (
            lambda s, y: ([s[0], Structure(Lattice.cubic(5), ["Cm"], [[0] * 3])], y[:2]),
            StructureError,
            "structure 1, site 0 is Cm",
        ),
        (
            lambda s, y: ([s[0], Structure(Lattice.cubic(5), [{"Mg": 0.5, "Ca": 0.5}], [[0] * 3])], y[:2]),
            StructureError,
            "structure 1, site 0 is disordered",
        ),
    ],
)
def test_bad_data_are_named(make: Callable, error: type, message: str, X: list, y: np.ndarray) -> None:
    with pytest.raises(error, match=message):
        AMDNetRegressor(epochs=1).fit(*make(X, y))


def test_a_target_that_is_all_in_the_validation_part(X: list, y: np.ndarray) -> None:
    targets = np.column_stack([y, np.full(16, np.nan)])
    order = np.random.default_rng(np.random.RandomState(0).randint(2**31)).permutation(16)
    targets[order[0], 1] = 1.0
    with pytest.raises(TargetError, match=r"target 1 has no label .* pass validation_data, or set"):
        AMDNetRegressor(**SHORT).fit(X, targets)


def test_bad_class_weights(X: list) -> None:
    with pytest.raises(ValueError, match="class_weight must be a number above 0 for every class"):
        AMDNetClassifier(**SHORT, class_weight={"a": 0.0, "b": 1.0}).fit(X[:2], ["a", "b"])
    with pytest.raises(ValueError, match="class_weight"):
        AMDNetClassifier(**SHORT, class_weight="fair").fit(X[:2], ["a", "b"])


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("architecture", "resnet"),
        ("epochs", 0),
        ("learning_rate", -1.0),
        ("validation_fraction", 1.0),
        ("loss", "cross-entropy"),
        ("batch_size", 2.5),
        ("n_ensemble", 0),
    ],
)
def test_bad_parameters_are_named(parameter: str, value: object, X: list, y: np.ndarray) -> None:
    with pytest.raises(ValueError, match=f"^{parameter} must be"):
        AMDNetRegressor(**{parameter: value}).fit(X, y)


def stopping_after(n_epochs: int, error: type[BaseException], done: list[int] | None = None) -> type:
    """A rescue that ends the program after so many epochs, once their state is written."""
    epochs = [] if done is None else done

    class Stopping(fit_module.Rescue):
        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            if len(epochs) == n_epochs:
                raise error
            epochs.append(epoch)

    return Stopping
