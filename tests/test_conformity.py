"""scikit-learn's estimator checks: its own where X may be anything, else the same on structures."""

from __future__ import annotations

import gc
import io
import multiprocessing
import os
import pickle
from collections.abc import Callable

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
from matminer.featurizers.base import BaseFeaturizer, StackedFeaturizer
from pymatgen.core import Structure
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, RANSACRegressor
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    validation_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.utils import estimator_checks as checks
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from amdnet_matminer import ensembles
from amdnet_matminer.errors import AMDNetError, TargetError
from amdnet_matminer.estimators import AMDNetClassifier, AMDNetEstimator, AMDNetRegressor
from amdnet_matminer.featurizer import MotifFeaturizer

# One tiny configuration for all, so that each network is compiled once.
TINY = {"width": 8, "n_blocks": 1, "epochs": 2, "batch_size": 12, "learning_rate": 0.02, "random_state": 0}
TINY |= {"optimizer": "adamw"}  # compiled in half the time of muon's
REGRESSOR = AMDNetRegressor(**TINY)
CLASSIFIER = AMDNetClassifier(**TINY)
both = pytest.mark.parametrize("model", [REGRESSOR, CLASSIFIER], ids=lambda model: type(model).__name__)

# scikit-learn builds X itself in all its other checks; those have twins below.
WITHOUT_X = [
    checks.check_estimator_cloneable,
    checks.check_estimator_tags_renamed,
    checks.check_valid_tag_types,
    checks.check_estimator_repr,
    checks.check_no_attributes_set_in_init,
    checks.check_mixin_order,
    checks.check_do_not_raise_errors_in_init_or_set_params,
    checks.check_parameters_default_constructible,
    checks.check_get_params_invariance,
    checks.check_set_params,
]


@pytest.fixture(scope="module")
def X(rock_salts: list[Structure]) -> list[Structure]:
    """Three of each oxide."""
    return [crystal for number, crystal in enumerate(rock_salts) if number % 4 < 3]


@pytest.fixture(scope="module")
def volume(X: list[Structure]) -> np.ndarray:
    return np.array([structure.volume for structure in X])


@pytest.fixture(scope="module")
def labels(volume: np.ndarray) -> Callable[[AMDNetEstimator], np.ndarray]:
    """What a model can learn: volumes, or whether they are large."""
    large = np.where(volume > np.median(volume), "large", "small")
    return lambda model: large if is_classifier(model) else volume


@pytest.fixture(scope="module")
def fitted(X: list[Structure], labels: Callable) -> Callable[[AMDNetEstimator], AMDNetEstimator]:
    models = {type(model): clone(model).fit(X, labels(model)) for model in (REGRESSOR, CLASSIFIER)}
    return lambda model: models[type(model)]


def outputs(model: AMDNetEstimator, X: list[Structure]) -> np.ndarray:
    return model.predict_proba(X) if is_classifier(model) else model.predict(X)


class TestWithoutX:
    """What scikit-learn can check by itself."""

    @both
    @pytest.mark.parametrize("check", WITHOUT_X, ids=lambda check: check.__name__)
    def test_check(self, check: Callable, model: AMDNetEstimator) -> None:
        check(type(model).__name__, clone(model))

    @both
    def test_check_estimator_finds_nothing_wrong(self, model: AMDNetEstimator) -> None:
        with pytest.warns(Warning, match="Can't test estimator"):
            results = checks.check_estimator(clone(model), on_fail=None, on_skip="warn")
        assert {result["status"] for result in results} == {"passed"}

    @both
    def test_tags(self, model: AMDNetEstimator) -> None:
        tags = get_tags(model)
        assert tags.target_tags.required
        assert not tags.input_tags.two_d_array
        assert is_classifier(model) is (model is CLASSIFIER)
        assert is_regressor(model) is (model is REGRESSOR)


class TestFit:
    """Twins of the checks of ``fit``."""

    @both
    def test_unfitted(self, model: AMDNetEstimator, X: list) -> None:
        for method in ("predict", "novelty", "save", *(["predict_proba"] if is_classifier(model) else [])):
            with pytest.raises(NotFittedError, match="not fitted yet"):
                getattr(clone(model), method)(X)

    @both
    def test_fit_returns_self_and_is_fitted(self, model: AMDNetEstimator, X: list, labels: Callable) -> None:
        new = clone(model)
        assert new.fit(X, labels(new)) is new
        check_is_fitted(new)

    @both
    def test_fit_is_idempotent(
        self, model: AMDNetEstimator, X: list, labels: Callable, fitted: Callable
    ) -> None:
        again = clone(model).fit(X[::2], labels(model)[::2]).fit(X, labels(model))
        np.testing.assert_array_equal(outputs(again, X), outputs(fitted(model), X))

    @both
    def test_fit_overwrites_no_parameter_and_no_input(
        self, model: AMDNetEstimator, X: list, labels: Callable
    ) -> None:
        new, y, weight = clone(model), labels(model).copy(), np.ones(len(X))
        before = new.get_params(), [structure.copy() for structure in X], joblib.hash((y, weight))
        public = set(vars(new))
        new.fit(X, y, weight).predict(X)
        assert (new.get_params(), X, joblib.hash((y, weight))) == before
        assert all(name.endswith("_") for name in set(vars(new)) - public)

    @both
    def test_read_only_input(self, model: AMDNetEstimator, X: list, labels: Callable) -> None:
        y, weight = labels(model).copy(), np.ones(len(X))
        for array in (y, weight):
            array.setflags(write=False)
        clone(model).fit(X, y, weight)

    @both
    def test_y_is_required(self, model: AMDNetEstimator, X: list) -> None:
        with pytest.raises(TypeError, match="'y'"):
            clone(model).fit(X)
        with pytest.raises(ValueError, match="label"):
            clone(model).fit(X, None)

    @both
    @pytest.mark.parametrize("empty", [[], np.empty(0, dtype=object), pd.Series([], dtype=object)])
    def test_empty_data(self, model: AMDNetEstimator, empty: object, fitted: Callable) -> None:
        with pytest.raises(AMDNetError, match="no structures; pass at least one"):
            clone(model).fit(empty, [])
        with pytest.raises(AMDNetError, match="no structures; pass at least one"):
            fitted(model).predict(empty)

    @both
    def test_one_sample(self, model: AMDNetEstimator, X: list, labels: Callable) -> None:
        one = clone(model).fit(X[:1], labels(model)[:1])
        assert one.predict(X[:1]).shape == (1,)

    def test_constant_target(self, X: list) -> None:
        model = clone(REGRESSOR).set_params(epochs=60, validation_fraction=0.0).fit(X, np.full(len(X), 5.0))
        np.testing.assert_allclose(model.predict(X), 5.0, atol=0.1)

    def test_one_class(self, X: list) -> None:
        model = clone(CLASSIFIER).fit(X[:2], ["only", "only"])
        assert model.predict(X[:2]).tolist() == ["only"] * 2
        np.testing.assert_array_equal(model.predict_proba(X[:2]), np.ones((2, 1)))

    def test_integer_targets(self, X: list, volume: np.ndarray) -> None:
        rounded = volume.round()
        of_integers, of_floats = (clone(REGRESSOR).fit(X, y) for y in (rounded.astype(int), rounded))
        np.testing.assert_array_equal(of_integers.predict(X), of_floats.predict(X))


class TestPrediction:
    """Twins of the checks of ``predict``."""

    @both
    def test_subsets(self, model: AMDNetEstimator, X: list, fitted: Callable) -> None:
        apart = np.concatenate([outputs(fitted(model), X[i : i + 1]) for i in range(len(X))])
        np.testing.assert_allclose(apart, outputs(fitted(model), X), rtol=1e-5)

    @both
    def test_order(self, model: AMDNetEstimator, X: list, fitted: Callable) -> None:
        order = np.random.default_rng(0).permutation(len(X))
        shuffled = outputs(fitted(model), [X[i] for i in order])
        np.testing.assert_allclose(shuffled, outputs(fitted(model), X)[order], rtol=1e-5)

    @both
    def test_containers(self, model: AMDNetEstimator, X: list, fitted: Callable) -> None:
        array = np.empty(len(X), dtype=object)
        array[:] = X
        for container in (tuple(X), array, pd.Series(X, index=range(7, 19)), iter(X)):
            np.testing.assert_array_equal(outputs(fitted(model), container), outputs(fitted(model), X))

    @both
    def test_prediction_changes_nothing(self, model: AMDNetEstimator, X: list, fitted: Callable) -> None:
        before = joblib.hash(vars(fitted(model)))
        outputs(fitted(model), X)
        fitted(model).novelty(X)
        assert joblib.hash(vars(fitted(model))) == before

    @both
    @pytest.mark.parametrize("how", ["pickle", "joblib"])
    def test_pickle(self, how: str, model: AMDNetEstimator, X: list, fitted: Callable) -> None:
        file = io.BytesIO()
        module = pickle if how == "pickle" else joblib
        module.dump(fitted(model), file)
        file.seek(0)
        read = module.load(file)
        np.testing.assert_array_equal(outputs(read, X), outputs(fitted(model), X))
        assert read.get_params() == model.get_params()

    def test_classes(self, X: list, labels: Callable, fitted: Callable) -> None:
        model = fitted(CLASSIFIER)
        probability = model.predict_proba(X)
        assert model.classes_.tolist() == ["large", "small"]
        np.testing.assert_allclose(probability.sum(axis=1), 1.0)
        np.testing.assert_array_equal(model.predict(X), model.classes_[probability.argmax(axis=1)])
        assert model.score(X, labels(model)) == np.mean(model.predict(X) == labels(model))

    def test_score_is_r2(self, X: list, volume: np.ndarray, fitted: Callable) -> None:
        error = fitted(REGRESSOR).predict(X) - volume
        expected = 1.0 - np.square(error).sum() / np.square(volume - volume.mean()).sum()
        assert fitted(REGRESSOR).score(X, volume) == pytest.approx(expected)


class TestSampleWeight:
    """Twins of the checks of sample weights."""

    @both
    def test_equal_weights_change_nothing(
        self, model: AMDNetEstimator, X: list, labels: Callable, fitted: Callable
    ) -> None:
        for weight in ([7] * len(X), pd.Series(np.full(len(X), 1e300), index=range(5, 17))):
            weighted = clone(model).fit(X, labels(model), sample_weight=weight)
            np.testing.assert_array_equal(outputs(weighted, X), outputs(fitted(model), X))

    @both
    def test_weight_0_is_absence(self, model: AMDNetEstimator, X: list, labels: Callable) -> None:
        y, weight = labels(model), np.ones(len(X))
        weight[[1, 4, 8]] = 0.0
        kept = np.flatnonzero(weight)
        without = clone(model).fit([X[i] for i in kept], y[kept])
        weighted = clone(model).fit(X, y, sample_weight=weight)
        np.testing.assert_array_equal(outputs(weighted, X), outputs(without, X))

    @both
    def test_weights_are_repetitions(self, model: AMDNetEstimator, X: list, labels: Callable) -> None:
        """Where batches hold all crystals: then both have the same gradients."""
        whole = clone(model).set_params(batch_size=100, validation_fraction=0.0, epochs=5, dropout=0.0)
        whole.set_params(clip_norm=0.05)  # so that the norm of the gradients matters
        y, weight = labels(model), np.repeat([3, 1, 2, 1], 3)
        repeated = np.repeat(np.arange(len(X)), weight)
        weighted = outputs(clone(whole).fit(X, y, sample_weight=weight), X)
        expected = outputs(clone(whole).fit([X[i] for i in repeated], y[repeated]), X)
        assert np.abs(outputs(clone(whole).fit(X, y), X) - expected).max() > 5e-3
        np.testing.assert_allclose(weighted, expected, atol=3e-4)

    @both
    @pytest.mark.parametrize(
        ("weight", "message"),
        [
            ([1.0] * 11, "12 structures but 11 sample weights"),
            (np.ones((12, 2)), "sample weights must have shape"),
            ([1.0] * 11 + [np.nan], "sample weight 11 is nan"),
            ([1.0] * 11 + [-1.0], "must not be negative"),
            ([0.0] * 12, "at least one must be non-zero"),
            (["heavy"] * 12, "sample weights are not numbers"),
        ],
    )
    def test_weights_that_cannot_be_used(
        self, weight: object, message: str, model: AMDNetEstimator, X: list, labels: Callable
    ) -> None:
        with pytest.raises(AMDNetError, match=message):
            clone(model).fit(X, labels(model), sample_weight=weight)

    def test_class_weight(self, X: list, labels: Callable) -> None:
        y = labels(CLASSIFIER).copy()
        y[np.flatnonzero(y == "small")[:3]] = "large"  # 9 large and 3 small ones
        balanced = clone(CLASSIFIER).set_params(class_weight="balanced").fit(X, y)
        given = clone(CLASSIFIER).set_params(class_weight={"large": 2 / 3, "small": 2.0}).fit(X, y)
        weighted = clone(CLASSIFIER).fit(X, y, sample_weight=np.where(y == "large", 2 / 3, 2.0))
        plain = clone(CLASSIFIER).fit(X, y)
        np.testing.assert_allclose(balanced.predict_proba(X), given.predict_proba(X), rtol=1e-6)
        np.testing.assert_allclose(balanced.predict_proba(X), weighted.predict_proba(X), rtol=1e-6)
        assert not np.allclose(balanced.predict_proba(X), plain.predict_proba(X), atol=1e-3)


class TestPartialFit:
    """Twins of the checks of ``partial_fit``, and what scikit-learn's incremental classifiers share."""

    def test_classes_that_come_later(self, X: list, labels: Callable) -> None:
        y = labels(CLASSIFIER)
        model = clone(CLASSIFIER).partial_fit(X[:2], y[:2], classes=["small", "medium", "large"])
        assert model.classes_.tolist() == ["large", "medium", "small"]
        model.partial_fit(X, y, ["medium", "large", "small"])
        assert model.predict_proba(X).shape == (12, 3)
        with pytest.raises(ValueError, match="is not the same as on last call to partial_fit"):
            model.partial_fit(X, y, classes=["large", "small"])

    def test_classes_that_are_not_told(self, X: list) -> None:
        with pytest.raises(TargetError, match=r"label 1 \('b'\) is none of the classes to be learned"):
            clone(CLASSIFIER).partial_fit(X[:2], ["a", "b"], classes=["a", "c"])

    def test_balanced_weights_need_all_labels(self, X: list, labels: Callable) -> None:
        y = labels(CLASSIFIER)
        model = clone(CLASSIFIER).set_params(class_weight="balanced")
        with pytest.raises(ValueError, match="needs all labels at once"):
            model.partial_fit(X, y)
        model.fit(X, y).partial_fit(X, y)


class TestUnits:
    """Targets and weights of any size."""

    @pytest.mark.parametrize("unit", [1.6e-19, 1e-50, 1e300])
    def test_units_of_targets_do_not_matter(
        self, unit: float, X: list, volume: np.ndarray, fitted: Callable
    ) -> None:
        model = clone(REGRESSOR).fit(X, unit * volume)
        np.testing.assert_allclose(model.predict(X) / unit, fitted(REGRESSOR).predict(X), rtol=1e-5)

    def test_weights_apart_by_more_than_32_bits(self, X: list, labels: Callable) -> None:
        weight = np.full(12, 1e-50)
        weight[:4] = 1e250
        for model in (REGRESSOR, CLASSIFIER):
            weighted = clone(model).set_params(batch_size=3).fit(X, labels(model), weight)
            assert np.isfinite(outputs(weighted, X)).all()

    @pytest.mark.parametrize("unit", [1e-10, 1e20])
    def test_unscaled_targets_that_32_bits_cannot_hold(
        self, unit: float, X: list, volume: np.ndarray
    ) -> None:
        with pytest.raises(TargetError, match=r"labels reach .*; fit anew with scale_targets=True"):
            clone(REGRESSOR).set_params(scale_targets=False).fit(X, unit * volume)

    def test_later_targets_in_another_unit(self, X: list, volume: np.ndarray) -> None:
        model = clone(REGRESSOR).partial_fit(X, volume)
        with pytest.raises(TargetError, match="labels reach"):
            model.partial_fit(X, 1e30 * volume)


class TestValidationData:
    """Errors name what was passed in."""

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda X, y: X, "validation_data must be .*, got list of 12"),
            (lambda X, y: (X,), r"validation_data must be \(structures, labels\) or .*, got tuple of 1"),
            (lambda X, y: {"X": X, "y": y}, "validation_data must be .*, got dict"),
            (lambda X, y: (X, y[:-1]), "validation_data: got 12 structures but 11 labels"),
            (lambda X, y: (X, y, -y), "validation_data: sample weights must not be negative"),
            (lambda X, y: ([*X, None], [*y, 0.0]), "validation_data: structure 12 is missing"),
            (lambda X, y: (X, [*y[1:], np.inf]), "validation_data: label 11 is inf"),
            (lambda X, y: ([], []), "validation_data: got no structures"),
        ],
    )
    def test_malformed(self, make: Callable, message: str, X: list, volume: np.ndarray) -> None:
        with pytest.raises(ValueError, match=message):
            clone(REGRESSOR).fit(X, volume, validation_data=make(X, volume))

    def test_a_fraction_that_leaves_nothing(self, X: list, volume: np.ndarray) -> None:
        with pytest.raises(ValueError, match=r"validation_fraction=0\.99 leaves none of 12 crystals"):
            clone(REGRESSOR).set_params(validation_fraction=0.99).fit(X, volume)


def test_a_process_forked_after_a_fit_leaves_what_is_unused_to_its_parent(fitted: Callable) -> None:
    """To collect functions of TensorFlow crashed the children of matminer's pools now and then."""
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system does not fork")
    fitted(REGRESSOR)

    class Unused:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            os._exit(3)

    def collect() -> None:
        gc.collect()
        os._exit(0)

    gc.disable()
    try:
        Unused()
        child = multiprocessing.get_context("fork").Process(target=collect)
        child.start()
        child.join(60)
    finally:
        Unused.__del__ = lambda _: None  # type: ignore[method-assign]
        gc.enable()
    assert child.exitcode == 0


def test_a_process_forked_after_a_fit_says_so(X: list, fitted: Callable) -> None:
    """Where it would hang: TensorFlow and JAX."""
    if keras.backend.backend() == "torch" or "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("nothing hangs here")
    ours, theirs = multiprocessing.Pipe()

    def predict() -> None:
        try:
            theirs.send(fitted(REGRESSOR).predict(X))
        except RuntimeError as error:
            theirs.send(str(error))

    fitted(REGRESSOR)
    child = multiprocessing.get_context("fork").Process(target=predict)
    child.start()
    try:
        assert ours.poll(60)
        assert "forked from one that had computed" in ours.recv()
    finally:
        child.kill()


class TestColumns:
    """Meta-estimators of scikit-learn that want X to be a table: one column of structures."""

    @pytest.fixture(params=["array", "dataframe"])
    def column(self, request: pytest.FixtureRequest, X: list) -> object:
        frame = pd.DataFrame({"structure": X})
        return frame if request.param == "dataframe" else frame.to_numpy()

    def test_prediction(self, column: object, X: list, fitted: Callable) -> None:
        for model in map(fitted, (REGRESSOR, CLASSIFIER)):
            np.testing.assert_array_equal(outputs(model, column), outputs(model, X))

    @pytest.mark.parametrize(
        "meta",
        [
            BaggingRegressor(clone(REGRESSOR), n_estimators=2, random_state=0),
            AdaBoostRegressor(clone(REGRESSOR), n_estimators=2, random_state=0),
            BaggingClassifier(clone(CLASSIFIER), n_estimators=2, random_state=0),
            AdaBoostClassifier(clone(CLASSIFIER).set_params(epochs=20), n_estimators=2),
            OneVsRestClassifier(clone(CLASSIFIER)),
            CalibratedClassifierCV(clone(CLASSIFIER), cv=2),
        ],
        ids=lambda meta: type(meta).__name__,
    )
    def test_meta_estimators(self, meta: BaseEstimator, column: object, labels: Callable) -> None:
        y = labels(meta)
        fitted = clone(meta).fit(column, y)
        assert fitted.predict(column).shape == (12,)
        assert np.isfinite(fitted.score(column, y))

    @pytest.mark.parametrize(
        "wrap",
        [
            RegressorChain,
            MultiOutputRegressor,
            lambda model: RANSACRegressor(model, min_samples=6, max_trials=2),
            lambda model: SelfTrainingClassifier(model, max_iter=1),
            OneVsOneClassifier,
        ],
        ids=["chain", "targets", "ransac", "self-training", "one-vs-one"],
    )
    def test_those_that_turn_tables_into_numbers(self, wrap: Callable, X: list, volume: np.ndarray) -> None:
        """They get row numbers, and a first step looks the structures up."""
        table = pd.DataFrame({"structure": X}).to_numpy()
        look_up = FunctionTransformer(lambda rows: table[np.asarray(rows)[:, 0].astype(int)])
        of_classes = wrap in (OneVsOneClassifier,) or is_classifier(wrap(clone(CLASSIFIER)))
        meta = wrap(make_pipeline(look_up, clone(CLASSIFIER if of_classes else REGRESSOR)))
        y = np.arange(12) % 3 - 1 if of_classes else volume
        if wrap in (RegressorChain, MultiOutputRegressor):
            y = np.stack([volume, -volume], axis=1)
        rows = np.arange(12)[:, None]
        assert meta.fit(rows, y).predict(rows).shape == y.shape

    def test_permutation_importance(self, column: object, volume: np.ndarray, fitted: Callable) -> None:
        found = permutation_importance(fitted(REGRESSOR), column, volume, n_repeats=2, random_state=0)
        assert found.importances.shape == (1, 2)
        assert np.isfinite(found.importances).all()

    def test_column_transformer(self, X: list, volume: np.ndarray) -> None:
        table = pd.DataFrame({"structure": X, "pressure": volume})
        motifs = MotifFeaturizer(features=["coordination"])
        columns = ColumnTransformer(
            [("motifs", motifs, ["structure"]), ("rest", "passthrough", ["pressure"])]
        )
        found = columns.fit_transform(table)
        np.testing.assert_array_equal(found[:, :-1], motifs.transform(X))
        np.testing.assert_array_equal(found[:, -1], volume)

    def test_in_a_stacked_featurizer(self, X: list, fitted: Callable) -> None:
        """matminer's, whose featurizer gives a row of one structure."""

        class Itself(BaseFeaturizer):
            def featurize(self, structure: Structure) -> list[Structure]:
                return [structure]

            feature_labels = citations = implementors = None

        of_model = StackedFeaturizer(Itself(), fitted(REGRESSOR), name="volume")
        np.testing.assert_allclose(of_model.featurize(X[0]), [fitted(REGRESSOR).predict(X[:1])], rtol=1e-6)
        of_classes = StackedFeaturizer(Itself(), fitted(CLASSIFIER), class_names=["large", "small"])
        np.testing.assert_allclose(of_classes.featurize(X[0]), fitted(CLASSIFIER).predict_proba(X[:1])[0, :1])


class TestMetaEstimators:
    """Estimators of scikit-learn around one of structures."""

    def test_pipeline(self, X: list, volume: np.ndarray, fitted: Callable) -> None:
        pipeline = make_pipeline(FunctionTransformer(list), clone(REGRESSOR))
        pipeline.fit(pd.Series(X), volume, amdnetregressor__sample_weight=np.ones(len(X)))
        np.testing.assert_array_equal(pipeline.predict(X), fitted(REGRESSOR).predict(X))

    def test_grid_search(self, X: list, volume: np.ndarray) -> None:
        grid = {"net__learning_rate": [1e-6, 0.05]}
        pipeline = Pipeline([("net", clone(REGRESSOR).set_params(epochs=15))])
        folds = KFold(2, shuffle=True, random_state=0)
        search = GridSearchCV(pipeline, grid, cv=folds, error_score="raise").fit(X, volume)
        assert search.best_params_ == {"net__learning_rate": 0.05}
        assert search.predict(X[:2]).shape == (2,)

    def test_other_processes(self, X: list, volume: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
        """Which start from nothing but the pickled estimator."""
        here, there = (cross_val_score(REGRESSOR, X, volume, cv=KFold(2), n_jobs=n) for n in (1, 2))
        np.testing.assert_array_equal(there, here)
        # The same two, which have compiled the network now, train the members of an ensemble.
        monkeypatch.setattr(ensembles, "STEPS_WORTH_A_PROCESS", 1)
        alone, spread = (clone(REGRESSOR).set_params(n_ensemble=2, n_jobs=n).fit(X, volume) for n in (1, 2))
        np.testing.assert_array_equal(spread.predict(X), alone.predict(X))

    def test_cross_validation(self, X: list, labels: Callable) -> None:
        assert np.isfinite(cross_val_score(REGRESSOR, X, labels(REGRESSOR), cv=3, error_score="raise")).all()
        probability = cross_val_predict(CLASSIFIER, X, labels(CLASSIFIER), cv=2, method="predict_proba")
        assert probability.shape == (12, 2)

    def test_cross_val_predict_leaves_out_what_it_predicts(self, X: list, volume: np.ndarray) -> None:
        predicted = cross_val_predict(REGRESSOR, X, volume, cv=2)
        half = clone(REGRESSOR).fit(X[6:], volume[6:])
        np.testing.assert_array_equal(predicted[:6], half.predict(X[:6]))

    def test_transformed_target(self, X: list, volume: np.ndarray) -> None:
        shifted = TransformedTargetRegressor(clone(REGRESSOR), transformer=StandardScaler()).fit(X, volume)
        scaled = clone(REGRESSOR).fit(X, (volume - volume.mean()) / volume.std()).predict(X)
        np.testing.assert_allclose(shifted.predict(X), volume.mean() + volume.std() * scaled, rtol=1e-5)

    def test_voting(self, X: list, volume: np.ndarray) -> None:
        members = [("a", clone(REGRESSOR)), ("b", clone(REGRESSOR).set_params(random_state=1))]
        votes = VotingRegressor(members).fit(X, volume)
        expected = np.mean([clone(member).fit(X, volume).predict(X) for _, member in members], axis=0)
        np.testing.assert_allclose(votes.predict(X), expected)

    def test_stacking(self, X: list, volume: np.ndarray) -> None:
        stack = StackingRegressor([("net", clone(REGRESSOR))], LinearRegression(), cv=2).fit(X, volume)
        assert stack.predict(X).shape == (12,)
        base = clone(REGRESSOR).fit(X, volume).predict(X)
        np.testing.assert_allclose(stack.predict(X), stack.final_estimator_.predict(base[:, None]))

    def test_learning_curve(self, X: list, volume: np.ndarray) -> None:
        sizes, train, test = learning_curve(
            REGRESSOR, X, volume, train_sizes=[3, 6], cv=2, error_score="raise"
        )
        assert sizes.tolist() == [3, 6]
        assert train.shape == test.shape == (2, 2)
        assert np.isfinite([train, test]).all()

    def test_validation_curve(self, X: list, volume: np.ndarray) -> None:
        train, _ = validation_curve(
            clone(REGRESSOR).set_params(epochs=30, validation_fraction=0.0),
            X,
            volume,
            param_name="learning_rate",
            param_range=[1e-6, 0.05],
            cv=2,
            error_score="raise",
        )
        assert train[1].mean() > train[0].mean()

    def test_frozen(self, X: list, volume: np.ndarray, fitted: Callable) -> None:
        search = GridSearchCV(
            clone(REGRESSOR).set_params(init_from=FrozenEstimator(fitted(REGRESSOR)), init_share=1.0),
            {"learning_rate": [1e-9, 1e-8]},
            cv=2,
            error_score="raise",
        ).fit(X, volume)
        for old, new in zip(fitted(REGRESSOR).weights_[0], search.best_estimator_.weights_[0], strict=True):
            np.testing.assert_allclose(new, old, atol=1e-6)
