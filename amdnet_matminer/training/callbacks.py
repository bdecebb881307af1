"""What happens between the epochs: learning rate, best weights, rescue, progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from tqdm.auto import tqdm

SMALLEST_RATE = 1e-7
"""Training stops when rescues have halved the learning rate below this."""

EXPLOSION = 100.0
"""A loss that grows by this factor in one epoch counts as an explosion."""


class LearningRate(keras.callbacks.Callback):
    """Set the learning rate of every epoch: a constant, or warm-up and a cosine down to 0.

    It changes between epochs only: within one, JAX does not see what a callback sets.

    Args:
        rate: Highest learning rate.
        schedule: ``"cosine"`` (Loshchilov and Hutter, arXiv 1608.03983) with a
            linear warm-up over the first twentieth, or ``"constant"``.
        epochs: Number of epochs of the whole training.
    """

    def __init__(self, rate: float, schedule: str, epochs: int) -> None:
        super().__init__()
        self.rate = rate
        self.schedule = schedule
        self.epochs = epochs

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Set the rate of the epoch that comes."""
        self.model.optimizer.learning_rate = self.rate * self._shape(epoch)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Record the rate."""
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)

    def _shape(self, epoch: int) -> float:
        if self.schedule == "constant":
            return 1.0
        warm_up = (epoch + 1) / (1 + self.epochs / 20)
        return min(1.0, warm_up) * 0.5 * (1.0 + np.cos(np.pi * epoch / self.epochs))


class BestWeights(keras.callbacks.Callback):
    """Keep the weights of the best epoch and stop when it is long ago.

    Args:
        validation_error: Gives the error to judge an epoch by; None judges by the
            training loss.
        patience: Number of epochs without a better one after which training stops.
    """

    def __init__(self, validation_error: Callable[[], float] | None, patience: int) -> None:
        super().__init__()
        self.validation_error = validation_error
        self.patience = patience
        self.best = np.inf
        self.best_epoch = 0

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Start from the initial weights, should no epoch be any good."""
        self.weights = self.model.get_weights()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Judge the epoch."""
        error = logs["loss"]
        if self.validation_error is not None:
            error = logs["val_mae"] = self.validation_error()
        if error < self.best:
            self.best, self.best_epoch, self.weights = error, epoch, self.model.get_weights()
        elif epoch - self.best_epoch >= self.patience:
            self.model.stop_training = True

    def restore(self) -> None:
        """Put the best weights into the network."""
        self.model.set_weights(self.weights)


class Rescue(keras.callbacks.Callback):
    """When the loss is not finite or explodes, halve the rate and go on from the best weights.

    Args:
        rate: The learning rate to halve.
        best: Where the best weights are.
    """

    def __init__(self, rate: LearningRate, best: BestWeights) -> None:
        super().__init__()
        self.rate = rate
        self.best = best
        self.n_rescues = 0
        self.last_loss = np.inf

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Look at the loss of the epoch."""
        loss = logs["loss"]
        if not np.isfinite(loss) or loss > EXPLOSION * self.last_loss:
            self.n_rescues += 1
            self.rate.rate *= 0.5
            self.best.restore()
            self.model.stop_training |= self.rate.rate < SMALLEST_RATE
        else:
            self.last_loss = loss
        logs["rescues"] = self.n_rescues


class Progress(keras.callbacks.Callback):
    """A progress bar over the epochs.

    Args:
        epochs: Largest number of epochs.
    """

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs = epochs

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Open the bar."""
        self.bar = tqdm(total=self.epochs, desc="training", unit="epoch")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Show the epoch's loss and error."""
        shown: dict[str, object] = {name: f"{logs[name]:.4g}" for name in ("loss", "val_mae") if name in logs}
        self.bar.set_postfix(shown, refresh=False)
        self.bar.update()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Close the bar."""
        self.bar.close()
