"""The fit of a network to labelled crystals."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import keras

from amdnet_matminer.graphs import SizeLadder
from amdnet_matminer.network import Network
from amdnet_matminer.options import Loss, Schedule
from amdnet_matminer.training.batches import Labelled, predict_graphs, stream, training_batches
from amdnet_matminer.training.callbacks import (
    BestWeights,
    Checkpoint,
    EpochSeed,
    LearningRate,
    Progress,
    Rescue,
    Stop,
    StopFile,
    forget_gradients,
)
from amdnet_matminer.training.losses import log_loss, validation_error
from amdnet_matminer.training.scaling import TargetScaler

logger = logging.getLogger(__name__)


class Settings(NamedTuple):
    """How to train; the estimator documents each of these."""

    loss: Loss
    epochs: int
    batch_size: int
    learning_rate: float
    schedule: Schedule
    patience: int
    dropout: float = 0.0
    weight_decay: float = 0.0
    verbose: int = 0
    stop_file: StopFile | None = None

    def n_batches(self, n_crystals: int) -> int:
        """Number of batches in an epoch."""
        return -(-n_crystals // self.batch_size)


def train(
    network: Network,
    training: Labelled,
    validation: Labelled | None,
    scaler: TargetScaler,
    ladder: SizeLadder,
    settings: Settings,
    seed: int,
    checkpoint: Path | None = None,
) -> dict[str, list[float]]:
    """Fit a network, leaving it with the weights of its best epoch.

    An interrupt (Ctrl-C) ends the training early and keeps the best weights; so does the
    settings' ``stop_file``, at the end of an epoch.

    Args:
        network: A compiled network with initial weights, changed in place.
        training: What to learn from.
        validation: What to judge epochs by; None judges by the training loss.
        scaler: How targets are scaled.
        ladder: The array sizes that batches are padded to.
        settings: How to train.
        seed: Of the shuffling and of the dropout.
        checkpoint: A file that keeps the state of the training; if it is there, the
            training goes on from it. It is left for the caller to remove.

    Returns:
        One list per quantity with an entry per epoch: ``loss`` (``WeightedLoss``),
        ``learning_rate``, ``rescues`` (so far), and the validation error:
        ``val_log_loss`` for cross-entropy, else ``val_mae``, in the target's unit or,
        of several targets, the mean over them in units of their scales.
    """
    _begin_anew(network, settings)
    rate = LearningRate(settings.learning_rate, settings.schedule, settings.epochs)
    error = _validation(network, validation, scaler, ladder, settings.loss) if validation else None
    best = BestWeights(error, settings.patience)
    rescue = Rescue(rate, best)
    state = Checkpoint(checkpoint, rate, best, rescue)
    state.set_model(network)
    first = state.resume()
    callbacks = [rate, EpochSeed(seed), best, rescue, state, *_asked_for(settings, first)]
    n_batches = settings.n_batches(len(training.y))
    scaled = training._replace(y=scaler.transform(training.y))
    try:
        network.fit(
            stream(training_batches(scaled, n_batches, ladder, seed, first)),
            steps_per_epoch=n_batches,
            initial_epoch=first,
            epochs=settings.epochs if not best.is_over else first,
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )
    except KeyboardInterrupt:
        if best.weights is None:  # nothing has been learned
            raise
        logger.warning("training interrupted after %d epochs; the best weights are kept", state.epoch)
    best.restore()
    return state.history


def _begin_anew(network: Network, settings: Settings) -> None:
    """Forget the optimizer's state, and set what a network takes without another compilation."""
    forget_gradients(network.optimizer)
    network.dropout.rate.state.assign(settings.dropout)
    network.optimizer.weight_decay.assign(settings.weight_decay)


def _asked_for(settings: Settings, first_epoch: int) -> Iterator[keras.callbacks.Callback]:
    """The callbacks that there are only where somebody wants them."""
    if settings.stop_file is not None:
        yield Stop(settings.stop_file)
    if settings.verbose:
        yield Progress(settings.epochs, first_epoch)


def _validation(
    network: Network, data: Labelled, scaler: TargetScaler, ladder: SizeLadder, loss: Loss
) -> Callable[[], tuple[str, float]]:
    """Name and value of the error on data that takes no part in training."""

    def measure() -> tuple[str, float]:
        predicted = predict_graphs(network, data.graphs, ladder)
        if loss == "cross-entropy":
            return "val_log_loss", log_loss(data.y, predicted, data.weight)
        unit = scaler.scale[0] if len(scaler.scale) == 1 else 1.0
        return "val_mae", unit * validation_error(scaler.transform(data.y), predicted, data.weight)

    return measure
