"""Training batches and ordered predictions."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

import keras
import numpy as np
import pytest
from pymatgen.core import Structure

from amdnet_matminer.graphs import DualGraph, DualGraphConverter, SizeLadder, sizes_of
from amdnet_matminer.network import NetworkConfig
from amdnet_matminer.network.amdnet import AMDNet
from amdnet_matminer.training import Compilation, Labelled, compiled_network, predict_graphs
from amdnet_matminer.training.batches import stream, training_batches


@pytest.fixture(scope="module")
def graphs(crystals: list[Structure]) -> list[DualGraph]:
    return [DualGraphConverter().convert(crystal) for crystal in crystals] * 3


class AtomCounter:
    """In place of a network: predicts the number of atoms of each crystal, and its tenfold."""

    n_outputs = 2

    def predict_on_batch(self, batch: object) -> np.ndarray:
        counts = np.bincount(batch.atoms.graph, batch.atoms.weight, minlength=len(batch.crystal))
        return np.stack([counts, 10 * counts], axis=1)


def labelled(graphs: list[DualGraph], y: np.ndarray) -> Labelled:
    return Labelled(graphs, y, np.ones(len(graphs)))


def test_an_epoch_has_every_target_once(graphs: list[DualGraph]) -> None:
    data = labelled(graphs, np.arange(1.0, len(graphs) + 1)[:, None])
    batches = training_batches(data, 6, SizeLadder.for_crystals(sizes_of(graphs), 4), seed=0)
    epochs = [list(islice(batches, 6)) for _ in range(2)]
    for epoch in epochs:
        targets = np.concatenate([target[weight == 1] for _, target, weight in epoch])
        assert sorted(targets) == data.y[:, 0].tolist()
        assert all((target[weight == 0] == 0).all() for _, target, weight in epoch)
    first_targets = [[b[1].ravel().tolist() for b in epoch] for epoch in epochs]
    assert first_targets[0] != first_targets[1]


def test_fit_reads_the_same_batches_from_a_data_set_that_is_not_tuned(graphs: list[DualGraph]) -> None:
    data = labelled(graphs, np.arange(1.0, len(graphs) + 1)[:, None])
    ladder = SizeLadder.for_crystals(sizes_of(graphs), 4)
    streamed = stream(training_batches(data, 6, ladder, seed=0))
    if keras.backend.backend() == "tensorflow":
        assert not streamed.options().autotune.enabled
    made_again = islice(training_batches(data, 6, ladder, seed=0), 12)
    for got, expected in zip(islice(streamed, 12), made_again, strict=True):
        for read, made in zip(keras.tree.flatten(got), keras.tree.flatten(expected), strict=True):
            np.testing.assert_array_equal(read, made)


def test_targets_stay_with_their_crystals(graphs: list[DualGraph]) -> None:
    n_atoms = np.array([g.atoms.multiplicity.sum() for g in graphs], dtype=float)
    data = labelled(graphs, np.stack([n_atoms, 10 * n_atoms], axis=1))
    ladder = SizeLadder.for_crystals(sizes_of(graphs), 4)
    for batch, target, weight in islice(training_batches(data, 6, ladder, seed=1), 6):
        counted = AtomCounter().predict_on_batch(batch)
        np.testing.assert_array_equal(counted[weight == 1], target[weight == 1])


def test_a_later_epoch_is_the_same_after_a_new_start(graphs: list[DualGraph]) -> None:
    data = labelled(graphs, np.arange(1.0, len(graphs) + 1)[:, None])
    ladder = SizeLadder.for_crystals(sizes_of(graphs), 4)
    through = list(islice(training_batches(data, 6, ladder, seed=5), 18))[12:]
    anew = list(islice(training_batches(data, 6, ladder, seed=5, first_epoch=2), 6))
    assert [t.tolist() for _, t, _ in through] == [t.tolist() for _, t, _ in anew]


def test_missing_targets_and_light_crystals_count_less(graphs: list[DualGraph]) -> None:
    y = np.ones((len(graphs), 2))
    y[3, 1] = np.nan
    data = Labelled(graphs, y, np.linspace(0, 1, len(graphs)))
    (_, target, weight), *_ = training_batches_of_one(data)
    assert np.isfinite(target).all()
    assert weight.sum() == pytest.approx(2 * data.weight.sum() - data.weight[3], rel=1e-6)


def training_batches_of_one(data: Labelled) -> list:
    ladder = SizeLadder.for_crystals(sizes_of(data.graphs), len(data.y))
    return list(islice(training_batches(data, 1, ladder, seed=0), 1))


@pytest.mark.parametrize("batch_size", [1, 2, 5, 64])
def test_predictions_keep_the_order(graphs: list[DualGraph], batch_size: int) -> None:
    ladder = SizeLadder.for_crystals(sizes_of(graphs[:2]), batch_size)
    expected = np.array([g.atoms.multiplicity.sum() for g in graphs])
    predicted = predict_graphs(AtomCounter(), graphs, ladder)
    np.testing.assert_array_equal(predicted, np.stack([expected, 10 * expected], axis=1))


@pytest.mark.parametrize(("copies", "usual"), [(1, 4), (40, 128)])
def test_many_crystals_are_predicted_in_larger_batches(
    graphs: list[DualGraph], copies: int, usual: int
) -> None:
    class Measured(AtomCounter):
        rows = 0

        def predict_on_batch(self, batch: object) -> np.ndarray:
            self.rows = max(self.rows, int(batch.crystal.sum()))
            return super().predict_on_batch(batch)

    network = Measured()
    ladder = SizeLadder.for_crystals(sizes_of(graphs), 4)
    predicted = predict_graphs(network, copies * graphs, ladder)
    assert 0.8 * usual <= network.rows <= 1.1 * usual
    expected = [g.atoms.multiplicity.sum() for g in copies * graphs]
    np.testing.assert_array_equal(predicted[:, 0], expected)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory of a Linux process")
def test_a_thousand_predictions_trace_nothing_and_take_no_memory(
    graphs: list[DualGraph], monkeypatch: pytest.MonkeyPatch
) -> None:
    def megabytes() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    ladder = SizeLadder.for_crystals(sizes_of(graphs), 4)
    with compiled_network(Compilation(NetworkConfig(width=8, n_blocks=1))) as network:
        for _ in range(100):
            predict_graphs(network, graphs[:4], ladder)
        before = megabytes()
        monkeypatch.setattr(AMDNet, "call", None)  # tracing again would call it
        for _ in range(1000):
            predict_graphs(network, graphs[:4], ladder)
    assert megabytes() - before < 20
