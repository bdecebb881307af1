"""The fit of a small network: what it learns, and that it goes on where it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Structure

from amdnet_matminer.graphs import DualGraphConverter, SizeLadder, sizes_of
from amdnet_matminer.network import NetworkConfig
from amdnet_matminer.network.base import initial_weights
from amdnet_matminer.training import (
    Compilation,
    Labelled,
    Settings,
    TargetScaler,
    compiled_network,
    predict_graphs,
    train,
)
from amdnet_matminer.training import callbacks as callbacks_module

SMALL = Compilation(NetworkConfig(width=8, n_blocks=1))
SETTINGS = Settings("mae", 6, 8, 0.01, "cosine", 6, dropout=0.1)


@pytest.fixture(scope="module")
def data(crystals: list[Structure]) -> Labelled:
    graphs = [DualGraphConverter().convert(crystal) for crystal in crystals] * 2
    y = np.array([[float(g.atoms.atomic_number.mean())] for g in graphs])
    return Labelled(graphs, y, np.ones(len(graphs)))


def fit(data: Labelled, settings: Settings = SETTINGS, checkpoint: Path | None = None) -> tuple:
    """History and final weights of a fit from always the same start."""
    ladder = SizeLadder.for_crystals(sizes_of(data.graphs), settings.batch_size)
    with compiled_network(SMALL) as network:
        network.set_weights(initial_weights(SMALL.network, 0))
        history = train(network, data, data, TargetScaler.of(data.y), ladder, settings, 3, checkpoint)
        return history, network.get_weights()


def test_an_interrupted_fit_ends_as_an_uninterrupted_one(
    data: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, weights = fit(data)
    monkeypatch.setattr(callbacks_module, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    state = tmp_path / "state"

    class Kill(callbacks_module.LearningRate):
        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            if epoch == 3:
                raise RuntimeError("killed")
            super().on_epoch_begin(epoch, logs)

    with monkeypatch.context() as patch:
        patch.setattr("amdnet_matminer.training.fit.LearningRate", Kill)
        with pytest.raises(RuntimeError, match="killed"):
            fit(data, checkpoint=state)
    assert state.exists()
    history, resumed = fit(data, checkpoint=state)
    assert history == expected
    for one, other in zip(weights, resumed, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_same_fit_twice_drops_the_same(data: Labelled) -> None:
    first, second = fit(data), fit(data)
    assert first[0] == second[0]
    for one, other in zip(first[1], second[1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_finished_checkpoint_is_not_trained_on(
    data: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks_module, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    first = fit(data, SETTINGS._replace(epochs=2), tmp_path / "state")
    again = fit(data, SETTINGS._replace(epochs=2), tmp_path / "state")
    assert first[0] == again[0]
    np.testing.assert_array_equal(first[1][0], again[1][0])


def test_a_damaged_checkpoint_is_named_and_replaced(
    data: Labelled, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "state"
    state.write_bytes(b"half a checkpoi")
    history, _ = fit(data, SETTINGS._replace(epochs=1), state)
    assert len(history["loss"]) == 1
    assert "the training starts anew" in caplog.text


def test_predictions_are_compiled_once(data: Labelled, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither does calling again trace anew, nor do other crystals in other numbers."""
    ladder = SizeLadder.for_crystals(sizes_of(data.graphs), 8)
    with compiled_network(SMALL) as network:
        predict_graphs(network, data.graphs[:3], ladder)

        def not_again(batch: object) -> None:
            raise AssertionError("traced anew")

        # A compiled step runs no Python code of the network.
        monkeypatch.setattr(network, "call", not_again)
        for n in (1, 2, 5, 3):
            assert predict_graphs(network, data.graphs[:n], ladder).shape == (n, 1)
        monkeypatch.undo()
