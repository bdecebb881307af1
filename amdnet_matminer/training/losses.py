"""What a training makes small, and what its epochs are judged by."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from amdnet_matminer.options import Loss


class WeightedLoss(keras.losses.Loss):
    """The mean over all targets of a batch, each with its own weight.

    Padding and missing targets have weight 0; the mean divides by the sum of the
    weights, not by the array's length. Each class is a target: of T classes
    ``"cross-entropy"`` is the log loss divided by T.

    Args:
        kind: Which loss.
    """

    def __init__(self, kind: Loss) -> None:
        super().__init__(reduction="mean_with_sample_weight")
        self.kind = kind

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each target, shape (G, T)."""
        if self.kind == "cross-entropy":
            return -y_true * ops.log_softmax(y_pred, axis=-1)
        error = y_true - y_pred
        return ops.abs(error) if self.kind == "mae" else ops.square(error)


def validation_error(y: NDArray[np.float64], predicted: NDArray, weight: NDArray[np.float64]) -> float:
    """Weighted mean absolute error, the mean over targets.

    Args:
        y: Targets, shape (S, T), NaN where one is missing.
        predicted: Predictions, shape (S, T).
        weight: How much each crystal counts, shape (S,).

    Returns:
        The error; NaN-free targets that nobody has do not count.
    """
    known = np.isfinite(y) * weight[:, None]
    error = (np.abs(np.nan_to_num(y) - predicted) * known).sum(axis=0)
    counted = known.sum(axis=0)
    return float((error[counted > 0] / counted[counted > 0]).mean())


def log_loss(y: NDArray[np.float64], logits: NDArray, weight: NDArray[np.float64]) -> float:
    """Weighted mean cross-entropy.

    Args:
        y: One column a class, 1 for the crystal's own, shape (S, T).
        logits: Outputs of the network, shape (S, T).
        weight: How much each crystal counts, shape (S,).

    Returns:
        The mean of the negative logarithm of the probability of the crystal's class.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probability = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(np.average(-(y * log_probability).sum(axis=1), weights=weight))
