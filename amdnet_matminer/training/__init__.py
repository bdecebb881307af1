"""The fit: batches, schedule, callbacks, target scaling."""

from __future__ import annotations

import amdnet_matminer.backend  # noqa: F401  first of all, so that Keras starts quietly
from amdnet_matminer.training.batches import predict_graphs
from amdnet_matminer.training.compiled import Loss, compiled_network
from amdnet_matminer.training.fit import Labelled, Schedule, Settings, train
from amdnet_matminer.training.scaling import TargetScaler

__all__ = [
    "Labelled",
    "Loss",
    "Schedule",
    "Settings",
    "TargetScaler",
    "compiled_network",
    "predict_graphs",
    "train",
]
