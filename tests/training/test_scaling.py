"""Target scaling and its inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from amdnet_matminer.training import TargetScaler

targets = st.tuples(st.integers(1, 12), st.integers(1, 3)).flatmap(
    lambda shape: arrays(float, shape, elements=st.floats(-1e6, 1e6))
)


@given(targets)
@example(np.array([[5e-324], [0.0]]))
def test_the_inverse_brings_targets_back(y: np.ndarray) -> None:
    scaler = TargetScaler.of(y)
    np.testing.assert_allclose(scaler.inverse(scaler.transform(y)), y, rtol=1e-9, atol=1e-6)


def test_scaled_targets_have_mean_0_and_deviation_1() -> None:
    y = np.array([[1.0, 0.0], [2.0, 5.0], [6.0, 1.0]])
    scaled = TargetScaler.of(y).transform(y)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0), 1)


def test_missing_targets_do_not_count() -> None:
    scaler = TargetScaler.of(np.array([[1.0, np.nan], [3.0, 4.0], [np.nan, 8.0]]))
    assert scaler.mean == (2.0, 6.0)
    assert scaler.scale == (1.0, 2.0)


@pytest.mark.parametrize("unit", [1.6e-19, 1e-300, 1e300, 1.0])
def test_units_do_not_matter(unit: float) -> None:
    y = np.array([[1.0, 3.0], [2.0, np.nan], [7.0, 3.5]])
    scaler = TargetScaler.of(unit * y)
    np.testing.assert_allclose(scaler.transform(unit * y), TargetScaler.of(y).transform(y))
    np.testing.assert_allclose(scaler.inverse(scaler.transform(unit * y)), unit * y)


def test_weights_are_repetitions() -> None:
    y = np.array([[1.0, 0.0], [2.0, np.nan], [6.0, 1.0]])
    weighted = TargetScaler.of(y, np.array([3.0, 1.0, 2.0]))
    np.testing.assert_allclose(weighted, TargetScaler.of(np.repeat(y, [3, 1, 2], axis=0)))


@pytest.mark.parametrize(("value", "scale"), [(0.0, 1.0), (3.7, 3.7), (-1e5, 1e5), (1e-30, 1e-30)])
def test_a_constant_target_is_shifted_and_divided_by_its_size(value: float, scale: float) -> None:
    scaler = TargetScaler.of(np.full((5, 1), value))
    assert scaler.scale == (scale,)
    np.testing.assert_allclose(scaler.transform(np.full((5, 1), value)), 0.0, atol=1e-15)
