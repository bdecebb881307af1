"""The fit: batches, schedule, callbacks, target scaling."""

from __future__ import annotations

import amdnet_matminer.backend  # noqa: F401  first of all, so that Keras starts quietly
from amdnet_matminer.training.batches import (
    Labelled,
    predict_graphs,
    prediction_batches,
    prediction_ladder,
    read_graphs,
)
from amdnet_matminer.training.callbacks import StopFile
from amdnet_matminer.training.compiled import Compilation, compiled_network, precision, xla_pays
from amdnet_matminer.training.fit import Settings, train
from amdnet_matminer.training.scaling import TargetScaler

__all__ = [
    "Compilation",
    "Labelled",
    "Settings",
    "StopFile",
    "TargetScaler",
    "compiled_network",
    "precision",
    "predict_graphs",
    "prediction_batches",
    "prediction_ladder",
    "read_graphs",
    "train",
    "xla_pays",
]
