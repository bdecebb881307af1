"""``save`` and ``load``."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Structure

from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.estimators import AMDNetClassifier, AMDNetRegressor
from amdnet_matminer.persistence import read_model


def test_a_regressor_is_read_as_it_was(
    ensemble: AMDNetRegressor, X: list, rutile: Structure, tmp_path: Path
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


def test_a_classifier_is_read_as_it_was(classifier: AMDNetClassifier, X: list, tmp_path: Path) -> None:
    classifier.save(tmp_path / "model.amdnet")
    loaded = AMDNetClassifier.load(tmp_path / "model.amdnet")
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
    np.testing.assert_array_equal(loaded.predict(X), classifier.predict(X))
    assert loaded.get_params() == classifier.get_params()
    assert loaded.classes_.dtype == bool


def test_what_the_file_tells(fitted: AMDNetRegressor, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model.amdnet")
    header, _ = read_model(tmp_path / "model.amdnet")
    assert header.training.n_crystals == 16
    assert list(header.training.elements) == ["O", "Mg", "Ca", "Sr", "Ba"]
    assert list(header.motifs) == [f"{metal}O6 octahedral" for metal in ("Ba", "Ca", "Mg", "Sr")]
    assert min(header.history["val_mae"]) == min(fitted.history_["val_mae"])


def test_parameters_of_numpy_and_of_this_computer(fitted: AMDNetRegressor, tmp_path: Path) -> None:
    model = pickle.loads(pickle.dumps(fitted))
    model.fitted_params_ |= {"epochs": np.int64(7), "random_state": np.random.RandomState(0)}
    model.set_params(cache_dir=tmp_path, checkpoint_dir=tmp_path, init_from=fitted)
    model.save(tmp_path / "model.amdnet")
    loaded = AMDNetRegressor.load(tmp_path / "model.amdnet")
    assert (loaded.epochs, loaded.random_state) == (7, None)
    assert (loaded.cache_dir, loaded.checkpoint_dir, loaded.init_from) == (None, None, None)


def test_a_model_that_does_not_say_what_it_has_seen(fitted: AMDNetRegressor, X: list, tmp_path: Path) -> None:
    model = pickle.loads(pickle.dumps(fitted))
    model.domain_ = None
    model.save(tmp_path / "model.amdnet")
    loaded = AMDNetRegressor.load(tmp_path / "model.amdnet")
    with pytest.raises(ValueError, match="does not say which motifs it was fitted to; fit it anew"):
        loaded.novelty(X)


def test_the_other_class(fitted: AMDNetRegressor, tmp_path: Path) -> None:
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
    attribute: str, value: Callable, fitted: AMDNetRegressor, tmp_path: Path
) -> None:
    broken = pickle.loads(pickle.dumps(fitted))
    setattr(broken, attribute, value(fitted))
    broken.save(tmp_path / "model.amdnet")
    with pytest.raises(ModelFileError, match="does not hold a sound AMDNetRegressor"):
        AMDNetRegressor.load(tmp_path / "model.amdnet")
