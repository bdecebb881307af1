"""Schedule, best weights and rescue, on a model that needs no network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from amdnet_matminer.training.callbacks import (
    SMALLEST_RATE,
    BestWeights,
    LearningRate,
    Rescue,
    Stop,
    StopFile,
)


class Stub:
    """What the callbacks use of a Keras model."""

    def __init__(self) -> None:
        self.weights = [np.zeros(1)]
        self.stop_training = False
        self.optimizer = keras.optimizers.Adam()
        self.optimizer.build([keras.Variable(np.zeros(1))])

    def get_weights(self) -> list[np.ndarray]:
        return [w.copy() for w in self.weights]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        self.weights = [w.copy() for w in weights]


@pytest.fixture
def model() -> Stub:
    return Stub()


def attach(callback: keras.callbacks.Callback, model: Stub) -> keras.callbacks.Callback:
    callback.set_model(model)
    callback.on_train_begin()
    return callback


def rates(callback: LearningRate, model: Stub, epochs: int) -> Iterator[float]:
    for epoch in range(epochs):
        callback.on_epoch_begin(epoch)
        yield float(model.optimizer.learning_rate)


def test_cosine_rises_shortly_then_falls_to_nothing(model: Stub) -> None:
    values = np.array(list(rates(attach(LearningRate(0.1, "cosine", 100), model), model, 100)))
    assert values.argmax() == 5
    assert values.max() == pytest.approx(0.1, rel=0.01)
    assert values[0] < 0.02
    assert values[-1] < 1e-4
    assert (np.diff(values[6:]) < 0).all()


def test_constant_stays(model: Stub) -> None:
    assert set(rates(attach(LearningRate(0.25, "constant", 10), model), model, 10)) == {0.25}


def test_best_weights_are_restored_and_patience_ends_training(model: Stub) -> None:
    errors = iter([3.0, 1.0, 2.0, 2.0, 2.0])
    best = attach(BestWeights(lambda: ("val_mae", next(errors)), patience=3), model)
    for epoch in range(5):
        model.weights = [np.full(1, float(epoch))]
        logs = {"loss": 9.0}
        best.on_epoch_end(epoch, logs)
        assert model.stop_training == (epoch == 4)
    best.restore()
    assert (best.best, best.best_epoch, model.weights[0][0]) == (1.0, 1, 1.0)


def test_without_validation_the_loss_decides(model: Stub) -> None:
    best = attach(BestWeights(None, patience=3), model)
    for epoch, loss in enumerate([2.0, 0.5, 0.7]):
        best.on_epoch_end(epoch, {"loss": loss})
    assert best.best_epoch == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, 101.0])
def test_an_exploded_loss_halves_the_rate_and_goes_back(model: Stub, bad: float) -> None:
    rate = attach(LearningRate(0.1, "constant", 10), model)
    best = attach(BestWeights(None, patience=9), model)
    rescue = attach(Rescue(rate, best), model)
    for epoch, loss in enumerate([1.0, bad]):
        model.weights = [np.full(1, loss)]
        logs = {"loss": loss}
        best.on_epoch_end(epoch, logs)
        rescue.on_epoch_end(epoch, logs)
    assert model.weights[0][0] == 1.0
    assert rate.rate == 0.05
    assert logs["rescues"] == 1
    assert not model.stop_training


def test_a_rescue_forgets_gradients(model: Stub) -> None:
    for variable in model.optimizer.variables:
        variable.assign(np.ones(variable.shape, dtype=variable.dtype))
    model.optimizer.learning_rate = 0.1
    rate, best = attach(LearningRate(0.1, "constant", 10), model), attach(BestWeights(None, 9), model)
    rescue = attach(Rescue(rate, best), model)
    rescue.on_epoch_end(0, {"loss": np.nan})
    kept = {variable.name: np.asarray(variable) for variable in model.optimizer.variables}
    assert float(kept.pop("learning_rate")) == pytest.approx(0.1)
    assert len(kept) > 1
    assert all((value == 0).all() for value in kept.values())


def test_weights_that_are_no_numbers_are_not_the_best(model: Stub) -> None:
    best = attach(BestWeights(None, patience=3), model)
    best.on_epoch_end(0, {"loss": 2.0})
    model.weights = [np.full(1, np.inf)]
    best.on_epoch_end(1, {"loss": 1.0})
    best.restore()
    assert model.weights[0][0] == 0.0


def test_training_ends_when_the_rate_is_spent(model: Stub) -> None:
    rate = attach(LearningRate(1.5 * SMALLEST_RATE, "constant", 10), model)
    best = attach(BestWeights(None, patience=9), model)
    rescue = attach(Rescue(rate, best), model)
    rescue.on_epoch_end(0, {"loss": np.nan})
    assert model.stop_training


def test_a_file_ends_the_training_after_the_epoch(model: Stub, tmp_path: Path) -> None:
    stop = attach(Stop(StopFile.watched(tmp_path / "STOP")), model)
    stop.on_epoch_end(0, {})
    assert not model.stop_training
    (tmp_path / "STOP").touch()
    stop.on_epoch_end(1, {})
    assert model.stop_training


def test_a_file_from_before_counts_when_it_is_touched(model: Stub, tmp_path: Path) -> None:
    path = tmp_path / "STOP"
    path.touch()
    os.utime(path, (1e9, 1e9))
    stop = attach(Stop(StopFile.watched(path)), model)
    stop.on_epoch_end(0, {})
    assert not model.stop_training
    path.touch()
    stop.on_epoch_end(1, {})
    assert model.stop_training
