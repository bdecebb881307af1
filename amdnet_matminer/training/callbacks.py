"""What happens between the epochs: learning rate, best weights, rescue, progress."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple, Self

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.persistence import read_arrays, write_arrays

logger = logging.getLogger(__name__)

SMALLEST_RATE = 1e-7
"""Training stops when rescues have halved the learning rate below this."""

SECONDS_BETWEEN_CHECKPOINTS = 30.0

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


class EpochSeed(keras.callbacks.Callback):
    """Begin the network's random numbers anew in every epoch, so that a training can go on from any.

    Args:
        seed: With the number of an epoch it determines what is random in it.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Set the state of every generator that the network has."""
        rng = np.random.default_rng([self.seed, epoch])
        for variable in self.model.variables:
            if variable.name == "seed_generator_state":
                variable.assign(np.array([rng.integers(2**31), 0], dtype=variable.dtype))


class BestWeights(keras.callbacks.Callback):
    """Keep the weights of the best epoch and stop when it is long ago.

    Args:
        validation_error: Gives name and value of the error to judge an epoch by; None
            judges by the training loss.
        patience: Number of epochs without a better one after which training stops.
    """

    def __init__(self, validation_error: Callable[[], tuple[str, float]] | None, patience: int) -> None:
        super().__init__()
        self.validation_error = validation_error
        self.patience = patience
        self.best = np.inf
        self.best_epoch = 0
        self.epoch = 0
        self.weights: list[NDArray] | None = None

    @property
    def is_over(self) -> bool:
        """Whether the best epoch is so long ago that training ends."""
        return self.epoch - self.best_epoch >= self.patience

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Start from the initial weights, should no epoch be any good."""
        if self.weights is None:
            self.weights = self.model.get_weights()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Judge the epoch."""
        name, error = "loss", logs["loss"]
        if self.validation_error is not None:
            name, error = self.validation_error()
            logs[name] = error
        self.epoch = epoch
        if error < self.best:
            weights = self.model.get_weights()
            # A training loss is measured before the last step, which may have spoilt them.
            if all(np.isfinite(array).all() for array in weights):
                self.best, self.best_epoch, self.weights = error, epoch, weights
        self.model.stop_training |= self.is_over

    def restore(self) -> None:
        """Put the best weights into the network."""
        self.model.set_weights(self.weights)


class Rescue(keras.callbacks.Callback):
    """When the loss is not finite or explodes, halve the rate and go on from the best weights.

    The means of gradients that the optimizer keeps begin anew.

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
            forget_gradients(self.model.optimizer)
            self.model.stop_training |= self.rate.rate < SMALLEST_RATE
        else:
            self.last_loss = loss
        logs["rescues"] = self.n_rescues


def forget_gradients(optimizer: keras.optimizers.Optimizer) -> None:
    """Begin the running means of gradients anew; what was not finite would stay so in them.

    Args:
        optimizer: One that is built, whose rate and weight decay stay.
    """
    for variable in optimizer.variables:
        if variable.name not in ("learning_rate", "weight_decay"):
            variable.assign(np.zeros(variable.shape, dtype=variable.dtype))


class StopFile(NamedTuple):
    """A file that ends a training when somebody makes or touches it."""

    path: Path
    stale: int | None
    """Time of modification, in ns since the epoch, of one that was there before; None if none was."""

    @classmethod
    def watched(cls, path: str | Path) -> Self:
        """A file as it is before the training.

        Args:
            path: The file, which need not exist.
        """
        path = Path(path)
        return cls(path, _modified(path))

    def appeared(self) -> bool:
        """Whether it was made or touched since."""
        return _modified(self.path) not in (None, self.stale)


class Stop(keras.callbacks.Callback):
    """End the training after the epoch in which a file has appeared.

    Args:
        file: The file.
    """

    def __init__(self, file: StopFile) -> None:
        super().__init__()
        self.file = file

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Look for the file."""
        if self.file.appeared():
            logger.warning(
                "%s ends the training after %d epochs; the best weights are kept", self.file.path, epoch + 1
            )
            self.model.stop_training = True


class Checkpoint(keras.callbacks.Callback):
    """Record the epochs, and keep the state of the training in a file, so that it can go on after a kill.

    Args:
        path: The file, written at most every ``SECONDS_BETWEEN_CHECKPOINTS``; None keeps none.
        rate: Part of the state.
        best: Part of the state.
        rescue: Part of the state.
    """

    def __init__(self, path: Path | None, rate: LearningRate, best: BestWeights, rescue: Rescue) -> None:
        super().__init__()
        self.path = path
        self.rate = rate
        self.best = best
        self.rescue = rescue
        self.epoch = 0
        self.history: dict[str, list[float]] = {}
        self.written = monotonic()

    def resume(self) -> int:
        """Go back to the state in the file, if there is one.

        Returns:
            The epoch to go on with.
        """
        if self.path is None or not self.path.exists():
            return 0
        try:
            state, arrays = read_arrays(self.path)
        except ModelFileError as error:
            logger.warning("%s; the training starts anew", error)
            return 0
        self.epoch, self.history = state["epoch"], state["history"]
        self.rate.rate = state["rate"]
        self.best.best, self.best.best_epoch, self.best.epoch = state["best"]
        self.rescue.n_rescues, self.rescue.last_loss = state["rescue"]
        n_weights = len(self.model.weights)
        self.model.set_weights(arrays[:n_weights])
        self.best.weights = arrays[n_weights : 2 * n_weights]
        for variable, value in zip(self.model.optimizer.variables, arrays[2 * n_weights :], strict=True):
            variable.assign(value)
        return self.epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Record the epoch; write the state if it is time."""
        self.epoch = epoch + 1
        for name, value in logs.items():
            self.history.setdefault(name, []).append(float(value))
        if self.path is not None and monotonic() - self.written > SECONDS_BETWEEN_CHECKPOINTS:
            self._write(self.path)
            self.written = monotonic()

    def _write(self, path: Path) -> None:
        state = {
            "epoch": self.epoch,
            "history": self.history,
            "rate": self.rate.rate,
            "best": [self.best.best, self.best.best_epoch, self.best.epoch],
            "rescue": [self.rescue.n_rescues, self.rescue.last_loss],
        }
        optimizer = [np.asarray(variable) for variable in self.model.optimizer.variables]
        write_arrays(path, state, [*self.model.get_weights(), *(self.best.weights or []), *optimizer])


class Progress(keras.callbacks.Callback):
    """A progress bar over the epochs.

    Args:
        epochs: Largest number of epochs.
        done: Number of epochs done before.
    """

    def __init__(self, epochs: int, done: int = 0) -> None:
        super().__init__()
        self.epochs = epochs
        self.done = done

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Open the bar."""
        self.bar = tqdm(total=self.epochs, initial=self.done, desc="training", unit="epoch")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Show the epoch's loss and error."""
        shown: dict[str, object] = {
            name: f"{logs[name]:.4g}" for name in logs if name == "loss" or name[:4] == "val_"
        }
        self.bar.set_postfix(shown, refresh=False)
        self.bar.update()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Close the bar."""
        self.bar.close()


def _modified(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
