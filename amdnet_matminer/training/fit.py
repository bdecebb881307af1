"""The fit of a network to labelled crystals."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.graphs import DualGraph, SizeLadder
from amdnet_matminer.training.batches import predict_graphs, training_batches
from amdnet_matminer.training.callbacks import BestWeights, LearningRate, Progress, Rescue
from amdnet_matminer.training.scaling import TargetScaler

logger = logging.getLogger(__name__)

Schedule = Literal["cosine", "constant"]


class Labelled(NamedTuple):
    """Crystals with their targets."""

    graphs: Sequence[DualGraph]
    """S crystals."""
    y: NDArray[np.float64]
    """(S,) in the unit of the target."""


class Settings(NamedTuple):
    """How to train; the estimator documents each of these."""

    epochs: int
    batch_size: int
    learning_rate: float
    schedule: Schedule
    patience: int
    verbose: int


def train(
    network: keras.Model,
    training: Labelled,
    validation: Labelled | None,
    scaler: TargetScaler,
    ladder: SizeLadder,
    settings: Settings,
    rng: np.random.Generator,
) -> dict[str, list[float]]:
    """Fit a network, leaving it with the weights of its best epoch.

    An interrupt (Ctrl-C) ends the training early and keeps the best weights.

    Args:
        network: A compiled network with initial weights, changed in place.
        training: What to learn from.
        validation: What to judge epochs by; None judges by the training loss.
        scaler: How targets are scaled.
        ladder: The array sizes that batches are padded to.
        settings: How to train.
        rng: Source of the shuffling.

    Returns:
        One list per quantity with an entry per epoch: ``loss`` (scaled),
        ``learning_rate``, ``rescues`` (so far), and ``val_mae`` in the target's unit.
    """
    for variable in network.optimizer.variables:
        variable.assign(np.zeros(variable.shape, dtype=variable.dtype))
    n_batches = -(-len(training.y) // settings.batch_size)
    batches = training_batches(training.graphs, scaler.transform(training.y), n_batches, ladder, rng)

    rate = LearningRate(settings.learning_rate, settings.schedule, settings.epochs)
    error = partial(_mean_error, network, validation, scaler, ladder) if validation else None
    best = BestWeights(error, settings.patience)
    callbacks = [rate, best, Rescue(rate, best)]
    if settings.verbose:
        callbacks.append(Progress(settings.epochs))
    history = keras.callbacks.History()
    try:
        network.fit(
            batches,
            steps_per_epoch=n_batches,
            epochs=settings.epochs,
            callbacks=[*callbacks, history],
            shuffle=False,
            verbose=0,
        )
    except KeyboardInterrupt:
        logger.warning("training interrupted after %d epochs; the best weights are kept", len(history.epoch))
    best.restore()
    return history.history


def _mean_error(network: keras.Model, data: Labelled, scaler: TargetScaler, ladder: SizeLadder) -> float:
    return float(np.abs(scaler.inverse(predict_graphs(network, data.graphs, ladder)) - data.y).mean())
