"""Losses and errors against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss as sklearn_log_loss

from amdnet_matminer.training.losses import WeightedLoss, log_loss, validation_error

Y = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], dtype=np.float32)
OUTPUT = np.array([[2.0, -1.0], [0.5, 0.25], [9.0, 9.0]], dtype=np.float32)
WEIGHT = np.array([[1.0, 1.0], [3.0, 3.0], [0.0, 0.0]], dtype=np.float32)


@pytest.mark.parametrize(("kind", "expected"), [("mae", (1 + 1 + 1.5 + 2.25) / 8), ("mse", None)])
def test_weighted_means(kind: str, expected: float | None) -> None:
    expected = expected or (1 + 1 + 3 * 0.25 + 3 * 0.5625) / 8
    assert float(WeightedLoss(kind)(Y, OUTPUT, WEIGHT)) == pytest.approx(expected)


def test_cross_entropy_is_that_of_scikit_learn() -> None:
    probability = np.exp(OUTPUT) / np.exp(OUTPUT).sum(axis=1, keepdims=True)
    expected = sklearn_log_loss(Y.argmax(axis=1), probability, sample_weight=WEIGHT[:, 0])
    assert log_loss(Y, OUTPUT, WEIGHT[:, 0]) == pytest.approx(expected, rel=1e-6)
    # Half of it, because the other column of each row counts as a target with loss 0.
    assert float(WeightedLoss("cross-entropy")(Y, OUTPUT, WEIGHT)) == pytest.approx(expected / 2, rel=1e-5)


def test_cross_entropy_of_large_outputs_is_finite() -> None:
    assert log_loss(Y, 1e4 * OUTPUT, np.ones(3)) == pytest.approx((0 + 2500 + np.log(2)) / 3)


def test_missing_targets_do_not_count() -> None:
    y = np.array([[1.0, np.nan], [2.0, 4.0]])
    assert validation_error(y, np.zeros((2, 2)), np.ones(2)) == pytest.approx((1.5 + 4.0) / 2)
    assert validation_error(y, np.zeros((2, 2)), np.array([1.0, 0.0])) == pytest.approx(1.0)
