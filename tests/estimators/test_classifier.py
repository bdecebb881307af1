"""Classes: learned, of an ensemble, weighted and kept."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest

from amdnet_matminer.errors import TargetError
from amdnet_matminer.estimators import AMDNetClassifier


def test_the_classifier_learns(classifier: AMDNetClassifier, X: list, y: np.ndarray) -> None:
    assert classifier.score(X, y > 18.0) > 0.9
    assert classifier.predict(X).dtype == bool
    assert classifier.history_["val_log_loss"][-1] < classifier.history_["val_log_loss"][0]


def test_an_ensemble_of_classifiers(classifier_of: Callable, X: list, y: np.ndarray) -> None:
    model = classifier_of(n_ensemble=2).fit(X, y > 18.0)
    single = classifier_of().fit(X, y > 18.0)
    assert not np.allclose(model.predict_proba(X), single.predict_proba(X))
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)


def test_warm_start_keeps_the_classes(classifier: AMDNetClassifier, X: list, y: np.ndarray) -> None:
    model = pickle.loads(pickle.dumps(classifier)).set_params(warm_start=True, epochs=2)
    model.fit(X[:2], [True, True])
    assert model.classes_.tolist() == [False, True]
    with pytest.raises(TargetError, match=r"label 1 \(2\) is none of the classes to be learned, \[False"):
        model.fit(X[:2], [1, 2])


def test_bad_class_weights(classifier_of: Callable, X: list) -> None:
    with pytest.raises(ValueError, match="class_weight must be a number above 0 for every class"):
        classifier_of(class_weight={"a": 0.0, "b": 1.0}).fit(X[:2], ["a", "b"])
    with pytest.raises(ValueError, match="class_weight"):
        classifier_of(class_weight="fair").fit(X[:2], ["a", "b"])


def test_warm_start_takes_new_class_weights(classifier: AMDNetClassifier, X: list) -> None:
    model = pickle.loads(pickle.dumps(classifier)).set_params(warm_start=True, epochs=1)
    model.fit(X[:2], [True, False])
    assert model.class_weight_.tolist() == [1.0, 2.0]
    model.set_params(class_weight={True: 1.0, False: 5.0}).fit(X[:2], [True, False])
    assert model.class_weight_.tolist() == [5.0, 1.0]
    with pytest.raises(ValueError, match="class_weight"):
        model.set_params(class_weight={"other": 1.0}).fit(X[:2], [True, False])
    with pytest.raises(ValueError, match="needs all labels at once"):
        model.set_params(class_weight="balanced").partial_fit(X[:2], [True, False])


def test_a_fit_that_fails_leaves_what_was_learned(
    classifier: AMDNetClassifier, X: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = pickle.loads(pickle.dumps(classifier)).set_params(class_weight=None)
    before = model.predict_proba(X)
    with pytest.raises(TargetError, match="none of the classes to be learned"):
        model.fit(X[:4], ["a", "b", "c", "a"], validation_data=(X[:1], ["d"]))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(AMDNetClassifier, "_train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[:4], ["a", "b", "c", "a"])
    assert model.classes_.tolist() == [False, True]
    assert model.class_weight_.tolist() == [1.0, 2.0]
    np.testing.assert_array_equal(model.predict_proba(X), before)
