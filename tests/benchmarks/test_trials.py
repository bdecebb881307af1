"""The trials: their networks read crystals as a network has to, and a run is done once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import trial_networks
import trials
from keras import ops

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.graphs import DualGraphConverter, SizeLadder
from amdnet_matminer.graphs.batching import batch_graphs, sizes_of
from amdnet_matminer.network import NetworkConfig, build_network
from amdnet_matminer.training import predict_graphs
from amdnet_matminer.validation.parameters import check_parameters


@pytest.fixture(autouse=True)
def networks():
    trial_networks.register_networks()


def test_every_network_has_its_trial():
    assert list(trial_networks.NETWORKS) == list(trials.NETWORKS)


@pytest.mark.parametrize("name", trials.NETWORKS)
def test_predictions_do_not_depend_on_cell_or_company(name, crystals):
    network = build_network(NetworkConfig.of(name, width=8, n_blocks=1), 0)
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(size=w.shape).astype("float32") / 3 for w in network.weights])
    converter = DualGraphConverter(n_neighbors=16)
    cells = [converter.convert(crystal) for crystal in crystals]
    doubled = [converter.convert(crystal * (1, 1, 2)) for crystal in crystals]
    network.compile()
    ladder = SizeLadder.for_crystals(sizes_of([*cells, *doubled]), 8)
    together = predict_graphs(network, cells, ladder)
    assert np.ptp(together) > 0
    np.testing.assert_allclose(predict_graphs(network, doubled, ladder), together, rtol=1e-3, atol=1e-4)
    alone = np.concatenate([predict_graphs(network, [graph], ladder) for graph in cells])
    np.testing.assert_allclose(alone, together, rtol=1e-4, atol=1e-5)


def test_crystals_breathe_in_training_only(crystals):
    name = "breathing crystals"
    network = build_network(NetworkConfig.of(name, width=8, n_blocks=1), 0)
    graphs = [DualGraphConverter(n_neighbors=16).convert(crystal) for crystal in crystals]
    sizes = sizes_of(graphs)
    batch = batch_graphs(graphs, SizeLadder.for_crystals(sizes, len(graphs)).step_for(sizes.sum(axis=0)))
    usual, again, trained, other = (
        ops.convert_to_numpy(network(batch, training=training))[: len(graphs)]
        for training in (False, False, True, True)
    )
    np.testing.assert_array_equal(usual, again)
    assert 0 < np.abs(trained - usual).max() < 0.1 * np.abs(usual).max()
    assert np.abs(trained - other).max() > 0


class Weights:
    """What a callback sees of a network."""

    stop_training = False

    def __init__(self, value: float) -> None:
        self.value = value

    def get_weights(self):
        return [np.full(2, self.value)]

    def set_weights(self, weights):
        self.value = float(weights[0][0])


def test_epochs_are_judged_by_the_mean_of_weights_and_go_on_from_the_last():
    network = Weights(1.0)
    averaged = trial_networks.AveragedWeights(lambda: ("val_mae", network.value), patience=5)
    averaged.set_model(network)
    averaged.on_train_begin()
    for value in (1.0, 3.0, 5.0):
        network.value = value
        averaged.on_train_batch_end(0)
    expected = (1.0 / 11 + 3.0 * 10 / 11) / 6 + 5.0 * 5 / 6
    logs = {"loss": 1.0}
    averaged.on_epoch_end(0, logs)
    assert logs["val_mae"] == pytest.approx(expected)
    assert network.value == 5.0
    averaged.restore()
    assert network.value == pytest.approx(expected)


def test_a_run_is_done_once(crystals, tmp_path, monkeypatch):
    y = [float(np.mean(crystal.atomic_numbers)) for crystal in crystals]
    table = pd.DataFrame({"formation_energy_per_atom": y, "band_gap": y})
    monkeypatch.setattr(trials, "load_crystals", lambda *_, **__: (list(crystals), table))
    monkeypatch.setattr(trials, "EPOCHS", 2)
    monkeypatch.setitem(trials.TRIALS, "tiny", trials.Trial({"width": 8, "n_blocks": 1}, averaged=True))
    row = trials.run_once("tiny", "band_gap", 0, tmp_path)
    assert np.isfinite(row["mae"])
    assert row["parameters"] > 0
    monkeypatch.setattr(trials, "try_once", None)
    assert trials.run_once("tiny", "band_gap", 0, tmp_path) == row


@pytest.mark.parametrize("trial", trials.TRIALS.values(), ids=list(trials.TRIALS))
def test_every_trial_has_parameters_that_an_estimator_takes(trial):
    check_parameters(AMDNetRegressor().set_params(**trial.parameters).get_params(deep=False))
