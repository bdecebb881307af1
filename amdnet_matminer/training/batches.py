"""Batches for the network: shuffled ones to train on, ordered predictions."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.graphs import Batch, DualGraph, SizeLadder, batch_graphs, deal, sizes_of


class TrainingBatches(keras.utils.PyDataset):
    """Random batches of crystals with scaled targets, dealt anew for every epoch.

    Args:
        graphs: S crystals.
        y: Scaled targets, shape (S,).
        batch_size: Largest number of crystals in a batch.
        ladder: The array sizes that batches are padded to.
        rng: Source of the shuffling.
    """

    def __init__(
        self,
        graphs: Sequence[DualGraph],
        y: NDArray[np.float64],
        batch_size: int,
        ladder: SizeLadder,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        self.graphs = graphs
        self.y = y
        self.ladder = ladder
        self.rng = rng
        self.sizes = sizes_of(graphs)
        self.n_batches = -(-len(graphs) // batch_size)
        self.on_epoch_end()

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        return self.n_batches

    def __getitem__(self, index: int) -> tuple[Batch, NDArray[np.float32], NDArray[np.float32]]:
        """A batch, its targets (G, 1) and its weights (G,), 0 for padding."""
        members = self.hands[index]
        step = self.ladder.step_for(self.sizes[members].sum(axis=0))
        batch = batch_graphs([self.graphs[i] for i in members], step)
        target = np.zeros((step.graphs, 1), dtype=np.float32)
        target[: len(members), 0] = self.y[members]
        return batch, target, batch.crystal

    def on_epoch_end(self) -> None:
        """Deal the crystals anew."""
        self.hands = deal(self.sizes, self.n_batches, self.rng)


def predict_graphs(network: keras.Model, graphs: Sequence[DualGraph], ladder: SizeLadder) -> NDArray[np.float32]:
    """Predict scaled targets of crystals, in their order.

    Args:
        network: A compiled network.
        graphs: S crystals.
        ladder: The array sizes that batches are padded to, those of training, so
            that nothing is compiled anew.

    Returns:
        Scaled predictions, shape (S,).
    """
    sizes = sizes_of(graphs)
    n_batches = int(np.ceil((sizes.sum(axis=0) / np.array(ladder.first)).max()))
    predicted = np.empty(len(graphs), dtype=np.float32)
    for members in deal(sizes, n_batches):
        batch = batch_graphs([graphs[i] for i in members], ladder.step_for(sizes[members].sum(axis=0)))
        predicted[members] = np.asarray(network.predict_on_batch(batch))[: len(members), 0]
    return predicted
