"""Target scaling and its inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amdnet_matminer.training import TargetScaler

targets = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20).map(np.array)


@given(targets)
def test_the_inverse_brings_targets_back(y: np.ndarray) -> None:
    scaler = TargetScaler.of(y)
    np.testing.assert_allclose(scaler.inverse(scaler.transform(y)), y, rtol=1e-9, atol=1e-6)


def test_scaled_targets_have_mean_0_and_deviation_1() -> None:
    scaled = TargetScaler.of(y := np.array([1.0, 2.0, 6.0])).transform(y)
    assert scaled.mean() == pytest.approx(0)
    assert scaled.std() == pytest.approx(1)


@pytest.mark.parametrize("value", [0.0, 3.7, -1e5])
def test_a_constant_target_is_only_shifted(value: float) -> None:
    scaler = TargetScaler.of(np.full(5, value))
    assert scaler.scale == 1.0
    np.testing.assert_array_equal(scaler.transform(np.full(5, value)), 0.0)
