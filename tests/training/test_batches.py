"""Training batches and ordered predictions."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from pymatgen.core import Structure

from amdnet_matminer.graphs import DualGraph, SizeLadder, dual_graph, sizes_of
from amdnet_matminer.training import predict_graphs
from amdnet_matminer.training.batches import training_batches


@pytest.fixture(scope="module")
def graphs(crystals: list[Structure]) -> list[DualGraph]:
    return [dual_graph(crystal) for crystal in crystals] * 3


class AtomCounter:
    """In place of a network: predicts the number of atoms of each crystal."""

    def predict_on_batch(self, batch: object) -> np.ndarray:
        counts = np.bincount(batch.atoms.graph, batch.atoms.weight, minlength=len(batch.crystal))
        return counts[:, None]


def test_an_epoch_has_every_target_once(graphs: list[DualGraph]) -> None:
    y = np.arange(1.0, len(graphs) + 1)
    ladder = SizeLadder.for_crystals(sizes_of(graphs), 4)
    batches = training_batches(graphs, y, 6, ladder, np.random.default_rng(0))
    epochs = [list(islice(batches, 6)) for _ in range(2)]
    for epoch in epochs:
        targets = np.concatenate([target[weight == 1, 0] for _, target, weight in epoch])
        assert sorted(targets) == y.tolist()
        assert all((target[weight == 0] == 0).all() for _, target, weight in epoch)
    first_targets = [[b[1].ravel().tolist() for b in epoch] for epoch in epochs]
    assert first_targets[0] != first_targets[1]


def test_targets_stay_with_their_crystals(graphs: list[DualGraph]) -> None:
    y = np.array([g.atoms.multiplicity.sum() for g in graphs], dtype=float)
    ladder = SizeLadder.for_crystals(sizes_of(graphs), 4)
    for batch, target, weight in islice(training_batches(graphs, y, 6, ladder, np.random.default_rng(1)), 6):
        counted = AtomCounter().predict_on_batch(batch)
        np.testing.assert_array_equal(counted[weight == 1], target[weight == 1])


@pytest.mark.parametrize("batch_size", [1, 2, 5, 64])
def test_predictions_keep_the_order(graphs: list[DualGraph], batch_size: int) -> None:
    ladder = SizeLadder.for_crystals(sizes_of(graphs[:2]), batch_size)
    expected = [g.atoms.multiplicity.sum() for g in graphs]
    np.testing.assert_array_equal(predict_graphs(AtomCounter(), graphs, ladder), expected)
