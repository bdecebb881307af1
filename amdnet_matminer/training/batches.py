"""Batches for the network: random ones to train on, ordered predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.graphs import Batch, DualGraph, SizeLadder, batch_graphs, deal, sizes_of

TrainingBatch = tuple[Batch, NDArray[np.float32], NDArray[np.float32]]
"""A batch, its scaled targets (G, 1) and its weights (G,), 0 for padding."""


def training_batches(
    graphs: Sequence[DualGraph],
    y: NDArray[np.float64],
    n_batches: int,
    ladder: SizeLadder,
    rng: np.random.Generator,
) -> Iterator[TrainingBatch]:
    """Random batches without end, the crystals dealt anew every ``n_batches``.

    Args:
        graphs: S crystals.
        y: Scaled targets, shape (S,).
        n_batches: Number of batches in an epoch.
        ladder: The array sizes that batches are padded to.
        rng: Source of the shuffling.

    Yields:
        What Keras trains on.
    """
    sizes = sizes_of(graphs)
    while True:
        for members in deal(sizes, n_batches, rng):
            step = ladder.step_for(sizes[members].sum(axis=0))
            batch = batch_graphs([graphs[i] for i in members], step)
            target = np.zeros((step.graphs, 1), dtype=np.float32)
            target[: len(members), 0] = y[members]
            yield batch, target, batch.crystal


def predict_graphs(
    network: keras.Model, graphs: Sequence[DualGraph], ladder: SizeLadder
) -> NDArray[np.float32]:
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
    n_batches = min(len(graphs), int(np.ceil((sizes.sum(axis=0) / np.array(ladder.first)).max())))
    predicted = np.empty(len(graphs), dtype=np.float32)
    for members in deal(sizes, n_batches):
        batch = batch_graphs([graphs[i] for i in members], ladder.step_for(sizes[members].sum(axis=0)))
        predicted[members] = np.asarray(network.predict_on_batch(batch))[: len(members), 0]
    return predicted
