"""Numbers: several of them, with a spread, and data that are no good."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.base import clone
from sklearn.metrics import r2_score

from amdnet_matminer.errors import StructureError, TargetError
from amdnet_matminer.estimators import AMDNetRegressor


def test_several_targets_some_missing(
    several: AMDNetRegressor, targets: np.ndarray, X: list, y: np.ndarray
) -> None:
    predicted = several.predict(X)
    assert predicted.shape == (16, 2)
    for column, true in zip(predicted.T, (y, [s.density for s in X]), strict=True):
        # Those without a label too: that they are missing does not count as 0.
        assert np.corrcoef(column, true)[0, 1] > 0.9
        assert np.abs(column - true).mean() < 0.5 * np.std(true)
    assert several.training_["target"][1]["count"] == np.isfinite(targets[:, 1]).sum() == 10


def test_one_column_stays_a_column(regressor_of: Callable, X: list, y: np.ndarray) -> None:
    column, vector = (regressor_of().fit(X, target).predict(X) for target in (y[:, None], y))
    np.testing.assert_array_equal(column, vector[:, None])


def test_extensive_targets_grow_with_the_cell(regressor_of: Callable, X: list, y: np.ndarray) -> None:
    model = regressor_of(extensive=True).fit(X, y)
    per_atom = regressor_of().fit(X, y / 2)
    np.testing.assert_allclose(model.predict(X), 2 * per_atom.predict(X), rtol=1e-6)
    cells = [structure * (2, 1, 1) for structure in X[:3]]
    np.testing.assert_allclose(model.predict(cells), 2 * model.predict(X[:3]), rtol=1e-4)


def test_non_negative(regressor_of: Callable, X: list, y: np.ndarray) -> None:
    free, cut = (
        regressor_of(epochs=60, non_negative=switch).fit(X, y - y.mean()).predict(X)
        for switch in (False, True)
    )
    assert free.min() < 0 < free.max()
    np.testing.assert_array_equal(cut, np.maximum(free, 0))


def test_mean_and_spread(ensemble: AMDNetRegressor, X: list) -> None:
    mean, std = ensemble.predict(X, return_std=True)
    members = [member.predict(X) for member in ensemble.members_]
    np.testing.assert_allclose(mean, np.mean(members, axis=0), rtol=1e-6)
    np.testing.assert_array_equal(mean, ensemble.predict(X))
    np.testing.assert_allclose(std, ensemble.std_factor_ * np.std(members, axis=0, ddof=1), rtol=1e-3)
    assert set(ensemble.history_["member"]) == {0, 1, 2}
    assert ensemble.n_iter_ == 60


def test_std_is_calibrated_on_the_validation_data(regressor_of: Callable, X: list, y: np.ndarray) -> None:
    held = np.arange(len(X)) % 4 == 0
    training = [s for s, kept in zip(X, ~held, strict=True) if kept]
    validation = [s for s, kept in zip(X, held, strict=True) if kept]
    model = regressor_of(epochs=20, n_ensemble=2)
    model.fit(training, y[~held], validation_data=(validation, y[held]))
    mean, std = model.predict(validation, return_std=True)
    assert np.quantile(np.abs(mean - y[held]) / std, 0.6827) == pytest.approx(1.0, rel=1e-3)


def test_a_larger_ensemble_has_the_same_first_members(
    ensemble: AMDNetRegressor, X: list, y: np.ndarray
) -> None:
    single = clone(ensemble).set_params(n_ensemble=1).fit(X, y)
    for one, first in zip(single.weights_[0], ensemble.weights_[0], strict=True):
        np.testing.assert_array_equal(one, first)


def test_a_single_network_has_no_std(fitted: AMDNetRegressor, X: list) -> None:
    with pytest.raises(ValueError, match="no spread; set n_ensemble to 2 or more"):
        fitted.predict(X, return_std=True)


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


def test_a_target_that_is_all_in_the_validation_part(regressor_of: Callable, X: list, y: np.ndarray) -> None:
    targets = np.column_stack([y, np.full(16, np.nan)])
    order = np.random.default_rng(np.random.RandomState(0).randint(2**31)).permutation(16)
    targets[order[0], 1] = 1.0
    with pytest.raises(TargetError, match=r"target 1 has no label .* pass validation_data, or set"):
        regressor_of().fit(X, targets)


def test_labels_that_are_missing_do_not_count_in_the_score(
    several: AMDNetRegressor, X: list, targets: np.ndarray
) -> None:
    told, known = several.predict(X), np.isfinite(targets[:, 1])
    alone = [r2_score(targets[:, 0], told[:, 0]), r2_score(targets[known, 1], told[known, 1])]
    assert several.score(X, targets) == pytest.approx(np.mean(alone))
    weight = np.arange(len(X)) + 1.0
    complete = np.nan_to_num(targets, nan=5.0)
    assert several.score(X, complete, weight) == pytest.approx(r2_score(complete, told, sample_weight=weight))
    with pytest.raises(TargetError, match="but 3 labels"):
        several.score(X, targets[:3])
