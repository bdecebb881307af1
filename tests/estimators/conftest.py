"""Crystals whose volumes a network can learn, and tiny models of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pymatgen.core import Structure

from amdnet_matminer.estimators import AMDNetClassifier, AMDNetRegressor

# One configuration for all, so that each network is compiled once.
TINY = {"width": 8, "n_blocks": 1, "batch_size": 12, "learning_rate": 0.02, "epochs": 2, "random_state": 0}


@pytest.fixture(scope="session")
def regressor_of() -> Callable[..., AMDNetRegressor]:
    """``regressor_of(epochs=20)`` is not yet fitted."""
    return lambda **changes: AMDNetRegressor(**TINY | changes)


@pytest.fixture(scope="session")
def classifier_of() -> Callable[..., AMDNetClassifier]:
    """``classifier_of(epochs=20)`` is not yet fitted."""
    return lambda **changes: AMDNetClassifier(**TINY | changes)


@pytest.fixture(scope="session")
def X(rock_salts: list[Structure]) -> list[Structure]:
    return rock_salts


@pytest.fixture(scope="session")
def y(X: list[Structure]) -> np.ndarray:
    return np.array([structure.volume for structure in X])


@pytest.fixture(scope="session")
def targets(X: list[Structure], y: np.ndarray) -> np.ndarray:
    """Volumes, and densities that are not known of every third."""
    both = np.column_stack([y, [structure.density for structure in X]])
    both[::3, 1] = np.nan
    return both


@pytest.fixture(scope="session")
def fitted(regressor_of: Callable, X: list[Structure], y: np.ndarray) -> AMDNetRegressor:
    return regressor_of(epochs=100).fit(X, y)


@pytest.fixture(scope="session")
def ensemble(regressor_of: Callable, X: list[Structure], y: np.ndarray) -> AMDNetRegressor:
    return regressor_of(epochs=20, n_ensemble=3, validation_fraction=0.25).fit(X, y)


@pytest.fixture(scope="session")
def several(regressor_of: Callable, X: list[Structure], targets: np.ndarray) -> AMDNetRegressor:
    return regressor_of(epochs=100, validation_fraction=0.0).fit(X, targets)


@pytest.fixture(scope="session")
def classifier(classifier_of: Callable, X: list[Structure], y: np.ndarray) -> AMDNetClassifier:
    return classifier_of(epochs=60, class_weight={True: 2.0, False: 1.0}).fit(X, y > 18.0)
