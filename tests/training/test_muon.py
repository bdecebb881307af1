from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from amdnet_matminer.training.muon import Muon

SHAPES = [(8, 4), (4, 8), (8, 4), (5,), (6, 6), (4, 8), (6, 6), (9, 3)]


def after_steps(kind: type[keras.optimizers.Muon], clip_norm: float | None) -> list[np.ndarray]:
    """Weights and states after some steps along gradients that are always the same."""
    rng = np.random.default_rng(0)
    weights = [
        keras.Variable(rng.normal(size=shape), dtype="float32", name=f"weight_{i}")
        for i, shape in enumerate(SHAPES)
    ]
    optimizer = kind(1e-2, global_clipnorm=clip_norm, exclude_layers=["weight_6"])
    optimizer.build(weights)
    for _ in range(4):
        gradients = [ops.convert_to_tensor(rng.normal(size=shape), "float32") for shape in SHAPES]
        optimizer.apply(gradients, weights)
    return [ops.convert_to_numpy(variable) for variable in [*weights, *optimizer.variables]]


@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_steps_and_states_are_those_of_keras(clip_norm: float | None) -> None:
    expected = after_steps(keras.optimizers.Muon, clip_norm)
    for ours, theirs in zip(after_steps(Muon, clip_norm), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
