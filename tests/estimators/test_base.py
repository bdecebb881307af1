"""Training: what it learns and keeps, and how it goes on."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from amdnet_matminer.errors import TargetError
from amdnet_matminer.estimators import AMDNetRegressor
from amdnet_matminer.training import callbacks
from amdnet_matminer.training import fit as fit_module


def test_the_network_learns(fitted: AMDNetRegressor, X: list, y: np.ndarray) -> None:
    assert fitted.score(X, y) > 0.9
    assert fitted.history_["loss"][-1] < 0.3 * fitted.history_["loss"][0]


def test_half_precision_learns_too(
    regressor_of: Callable, X: list, y: np.ndarray, half_precision: Callable
) -> None:
    with half_precision():
        model = regressor_of(epochs=60).fit(X, y)
        half = model.predict(X)
    assert model.score(X, y) > 0.8
    # In full precision the same weights say nearly the same, but not quite.
    assert 0 < np.abs(model.predict(X) - half).max() < 0.1 * np.ptp(y)


def test_what_is_inside_is_read_in_full_precision(
    fitted: AMDNetRegressor, X: list, half_precision: Callable
) -> None:
    vectors, parts, states = fitted.transform(X), fitted.explain(X[:2]), fitted.embed(X[:2], "atom")
    with half_precision():
        np.testing.assert_array_equal(fitted.transform(X), vectors)
        pd.testing.assert_frame_equal(fitted.explain(X[:2]), parts)
        pd.testing.assert_frame_equal(fitted.embed(X[:2], "atom"), states)


def test_history_has_an_entry_per_epoch(fitted: AMDNetRegressor) -> None:
    assert set(fitted.history_) == {"loss", "val_mae", "learning_rate", "rescues"}
    assert {len(values) for values in fitted.history_.values()} == {fitted.n_iter_}
    assert fitted.history_["rescues"][-1] == 0


def test_best_weights_are_kept(regressor_of: Callable, X: list, y: np.ndarray) -> None:
    model = regressor_of(epochs=4).fit(X[:12], y[:12], validation_data=(X[12:], y[12:]))
    error = np.abs(model.predict(X[12:]) - y[12:]).mean()
    assert error == pytest.approx(min(model.history_["val_mae"]), rel=1e-4)


def test_the_seed_decides(regressor_of: Callable, X: list, y: np.ndarray) -> None:
    first, same, other = (regressor_of(random_state=seed).fit(X, y).predict(X) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert not np.allclose(first, other)


def test_an_interrupt_keeps_the_best_model(
    regressor_of: Callable, X: list, y: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit_module, "Rescue", stopping_after(2, KeyboardInterrupt))
    model = regressor_of(epochs=50).fit(X, y)
    assert model.n_iter_ < 50
    assert np.isfinite(model.predict(X)).all()


def test_an_exploding_training_is_rescued(regressor_of: Callable, X: list, y: np.ndarray) -> None:
    model = regressor_of(learning_rate=1e18, epochs=4, schedule="constant")
    model.fit(X, y)
    assert model.history_["rescues"][-1] >= 1
    assert model.history_["learning_rate"][-1] < 1e18
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_a_training_goes_on_after_a_loss_that_was_no_number(
    regressor_of: Callable, X: list, y: np.ndarray, optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = callbacks.EpochSeed.on_epoch_begin

    def spoil(self: callbacks.EpochSeed, epoch: int, logs: dict | None = None) -> None:
        begin(self, epoch, logs)
        if epoch == 3:
            variable = self.model.trainable_variables[0]
            variable.assign(np.full(variable.shape, np.nan, dtype=np.float32))

    monkeypatch.setattr(callbacks.EpochSeed, "on_epoch_begin", spoil)
    model = regressor_of(optimizer=optimizer, epochs=12, schedule="constant").fit(X, y)
    loss = np.array(model.history_["loss"])
    assert np.flatnonzero(~np.isfinite(loss)).tolist() == [3]
    assert model.history_["rescues"][-1] == 1
    assert loss[-1] < loss[:3].min()


def test_warm_start_goes_on(regressor_of: Callable, X: list, y: np.ndarray) -> None:
    model = regressor_of(epochs=30, warm_start=True).fit(X, y)
    scaler, first = model.scaler_, model.history_["loss"]
    model.fit(X[:8], y[:8])
    assert model.scaler_ == scaler
    assert model.history_["loss"][0] < 0.5 * first[0]
    assert model.novelty(X).max() == 0.0


def test_partial_fit_is_one_pass(regressor_of: Callable, X: list, y: np.ndarray) -> None:
    model = regressor_of()
    losses = []
    for _ in range(8):
        assert model.partial_fit(X, y) is model
        losses += model.history_["loss"]
    assert len(losses) == 8
    assert losses[-1] < 0.9 * losses[0]
    assert model.history_["learning_rate"] == [pytest.approx(0.02)]
    model.partial_fit(X[:4], y[:4] + 100.0)
    assert abs(model.scaler_.mean[0] - y.mean()) < 1e-9


@pytest.mark.parametrize("as_path", [True, False])
@pytest.mark.parametrize("share", [0.25, 1.0])
def test_init_from_begins_with_a_share_of_its_weights(
    regressor_of: Callable,
    share: float,
    as_path: bool,
    fitted: AMDNetRegressor,
    X: list,
    y: np.ndarray,
    tmp_path: Path,
) -> None:
    fitted.save(tmp_path / "model.amdnet")
    source = tmp_path / "model.amdnet" if as_path else fitted
    given = {"learning_rate": 1e-9, "epochs": 1, "validation_fraction": 0.0, "n_ensemble": 2}
    drawn = regressor_of(**given).fit(X, y)
    tuned = regressor_of(**given, init_from=source, init_share=share).fit(X, 10.0 * y)
    for weights, others in zip(tuned.weights_, drawn.weights_, strict=True):
        for new, old, other in zip(weights, fitted.weights_[0], others, strict=True):
            np.testing.assert_allclose(new, share * old + (1 - share) * other, atol=1e-6)
    assert tuned.scaler_.scale[0] == pytest.approx(10.0 * y.std())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 16}, r"of another network: width \(8 there, 16 here\)"),
        (
            {"init_from": LinearRegression()},
            "init_from must be the path of a saved model, .* a fitted",
        ),
        ({"init_from": AMDNetRegressor()}, "give a path or a FrozenEstimator"),
    ],
)
def test_init_from_that_does_not_fit(
    regressor_of: Callable, changes: dict, message: str, fitted: AMDNetRegressor, X: list, y: np.ndarray
) -> None:
    with pytest.raises(ValueError, match=message):
        regressor_of(**{"init_from": fitted} | changes).fit(X, y)


def test_a_killed_training_goes_on(
    regressor_of: Callable, X: list, y: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"epochs": 6, "n_ensemble": 2, "validation_fraction": 0.25}
    expected = regressor_of(**given).fit(X, y)
    model = regressor_of(**given, checkpoint_dir=tmp_path / "state")
    monkeypatch.setattr(callbacks, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(fit_module, "Rescue", stopping_after(10, SystemExit))
        with pytest.raises(SystemExit):
            model.fit(X, y)
    assert len(list((tmp_path / "state").iterdir())) == 2
    epochs = []
    with monkeypatch.context() as patch:
        patch.setattr(fit_module, "Rescue", stopping_after(100, SystemExit, epochs))
        model.fit(X, y)
    assert len(epochs) <= 3
    assert list((tmp_path / "state").iterdir()) == []
    np.testing.assert_allclose(model.predict(X), expected.predict(X), rtol=1e-6)
    assert set(model.history_) == set(expected.history_)
    for name, values in model.history_.items():
        np.testing.assert_allclose(values, expected.history_[name], rtol=1e-6)


def test_another_training_does_not_go_on_from_it(
    regressor_of: Callable, X: list, y: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    crystals, weight = [*X[:-1], X[0]], np.arange(1.0, 17.0)
    for changes, data in (
        ({}, (X, y)),
        ({}, (X, y + 1e-6)),
        ({}, (crystals, y)),
        ({}, (X, y, weight)),
        ({"random_state": 1}, (X, y)),
        ({"learning_rate": 0.021}, (X, y)),
    ):
        monkeypatch.setattr(fit_module, "Rescue", stopping_after(1, SystemExit))
        with pytest.raises(SystemExit):
            regressor_of(**changes, checkpoint_dir=tmp_path).fit(*data)
    assert len(list(tmp_path.iterdir())) == 6
    # The first one again: its second epoch is the last, so it ends and leaves the others' files.
    monkeypatch.setattr(fit_module, "Rescue", stopping_after(1, SystemExit))
    regressor_of(verbose=1, checkpoint_dir=tmp_path).fit(X, y)
    assert len(list(tmp_path.iterdir())) == 5


def test_a_checkpoint_needs_a_seed(X: list, y: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="random_state must be a number where there is a checkpoint_dir"):
        AMDNetRegressor(checkpoint_dir=tmp_path).fit(X, y)


def stopping_after(n_epochs: int, error: type[BaseException], done: list[int] | None = None) -> type:
    """A rescue that ends the program after so many epochs, once their state is written."""
    epochs = [] if done is None else done

    class Stopping(fit_module.Rescue):
        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            if len(epochs) == n_epochs:
                raise error
            epochs.append(epoch)

    return Stopping


def test_a_target_that_only_crystals_without_weight_have_is_named(
    regressor_of: Callable, X: list, targets: np.ndarray
) -> None:
    weight = np.isnan(targets[:, 1]).astype(float)
    with pytest.raises(TargetError, match=r"target 1 has no label at all .* give weight to crystals"):
        regressor_of(validation_fraction=0.0).fit(X, targets, sample_weight=weight)


def test_a_validation_part_without_labels_judges_nothing(regressor_of: Callable, X: list) -> None:
    y = np.full((len(X), 2), np.nan)
    y[:2] = 1.0  # seed 0 keeps none of the two
    with pytest.raises(TargetError, match=r"part kept for validation has no label .*; pass validation_data"):
        regressor_of(validation_fraction=0.1).fit(X, y)


def test_what_a_model_has_seen_stays_unknown_where_it_is_not_told(
    fitted: AMDNetRegressor, X: list, y: np.ndarray
) -> None:
    model = copy(fitted).set_params(warm_start=True, epochs=1)
    model.domain_ = None
    assert model.fit(X[:4], y[:4]).domain_ is None
    with pytest.raises(ValueError, match="does not say which motifs"):
        model.novelty(X)


def test_an_interrupt_before_anything_is_learned_is_one(
    regressor_of: Callable, X: list, y: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("amdnet_matminer.network.Network.fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        regressor_of().fit(X, y)
