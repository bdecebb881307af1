"""Parameters that are no good."""

from __future__ import annotations

import numpy as np
import pytest

from amdnet_matminer.estimators import AMDNetRegressor


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
