"""The names that options can take, in one place that imports no deep-learning library."""

from __future__ import annotations

from typing import Literal

Optimizer = Literal["muon", "adamw"]

Schedule = Literal["cosine", "constant"]

RegressionLoss = Literal["mae", "mse"]

Loss = Literal[RegressionLoss, "cross-entropy"]
"""Of scaled targets; cross-entropy is of the outputs' softmax with one column a class."""
