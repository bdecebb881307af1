"""Target scaling and its inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from amdnet_matminer.training import TargetScaler

targets = st.tuples(st.integers(1, 12), st.integers(1, 3)).flatmap(
    lambda shape: arrays(float, shape, elements=st.floats(-1e6, 1e6))
)


@given(targets)
def test_the_inverse_brings_targets_back(y: np.ndarray) -> None:
    scaler = TargetScaler.of(y)
    np.testing.assert_allclose(scaler.inverse(scaler.transform(y)), y, rtol=1e-9, atol=1e-6)


def test_scaled_targets_have_mean_0_and_deviation_1() -> None:
    y = np.array([[1.0, 0.0], [2.0, 5.0], [6.0, 1.0]])
    scaled = TargetScaler.of(y).transform(y)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0), 1)


def test_missing_targets_do_not_count() -> None:
    scaler = TargetScaler.of(np.array([[1.0, np.nan], [3.0, 7.0]]))
    assert scaler.mean == (2.0, 7.0)
    assert scaler.scale == (1.0, 1.0)


@pytest.mark.parametrize("value", [0.0, 3.7, -1e5])
def test_a_constant_target_is_only_shifted(value: float) -> None:
    scaler = TargetScaler.of(np.full((5, 1), value))
    assert scaler.scale == (1.0,)
    np.testing.assert_array_equal(scaler.transform(np.full((5, 1), value)), 0.0)
