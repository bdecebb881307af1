"""Batches for the network: random ones to train on, ordered predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, count
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import keras
import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.graphs import Batch, DualGraph, SizeLadder, balanced_batches, batch_graphs, sizes_of
from amdnet_matminer.network import Network

BATCH_SIZE = 32
"""Crystals in a batch of few; a step of this size is fast on every machine."""

PREDICTED_AT_ONCE = 128
"""On a CPU, batches of so many crystals are predicted 1.3 to 1.6 times as fast as batches of 32."""

TrainingBatch = tuple[Batch, NDArray[np.float32], NDArray[np.float32]]
"""A batch, its targets (G, T) and their weights (G, T), 0 for padding and for missing targets."""


class Labelled(NamedTuple):
    """Crystals with their targets."""

    graphs: Sequence[DualGraph]
    """S crystals."""
    y: NDArray[np.float64]
    """(S, T) in the units of the targets, NaN where one is missing."""
    weight: NDArray[np.float64]
    """(S,) how much each crystal counts."""


def training_batches(
    data: Labelled, n_batches: int, ladder: SizeLadder, seed: int, first_epoch: int = 0
) -> Iterator[TrainingBatch]:
    """Random batches without end, the crystals shared out anew every ``n_batches``.

    Args:
        data: S crystals with scaled targets.
        n_batches: Number of batches in an epoch.
        ladder: The array sizes that batches are padded to.
        seed: Of the shuffling; with the number of an epoch it determines its batches,
            so that a training that goes on sees what it would have seen.
        first_epoch: Number of the first epoch.

    Yields:
        What Keras trains on.
    """
    sizes = sizes_of(data.graphs)
    weight = np.isfinite(data.y) * data.weight[:, None]
    y = np.nan_to_num(data.y)
    for epoch in count(first_epoch):
        for members in balanced_batches(sizes, n_batches, np.random.default_rng([seed, epoch])):
            step = ladder.step_for(sizes[members].sum(axis=0))
            batch = batch_graphs([data.graphs[i] for i in members], step)
            yield batch, _rows(y[members], step.graphs), _rows(weight[members], step.graphs)


def stream(batches: Iterator[TrainingBatch]) -> Any:
    """What Keras' ``fit`` is to read the batches from, made in a thread beside the steps.

    With TensorFlow Keras would make a data set of them that TensorFlow tunes. The tuner has nothing
    to tune here, sleeps for 10 ms, 20, 40 and so on up to a minute, and often cannot be woken, so that
    the end of a fit waits until it has slept. So the data set is made here, and not tuned.

    Args:
        batches: All of the same types, and of the same shapes but for the first dimension.

    Returns:
        A ``tf.data.Dataset``, or the batches themselves for other backends.
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf

    first = next(batches)
    signature = tf.nest.map_structure(
        lambda array: tf.TensorSpec([None, *array.shape[1:]], array.dtype), first
    )
    options = tf.data.Options()
    options.autotune.enabled = False
    data = tf.data.Dataset.from_generator(lambda: chain([first], batches), output_signature=signature)
    return data.prefetch(2).with_options(options)


def predict_graphs(network: Network, graphs: Sequence[DualGraph], ladder: SizeLadder) -> NDArray[np.float32]:
    """Predict scaled targets of crystals, in their order.

    Args:
        network: A compiled network of T outputs.
        graphs: S crystals.
        ladder: The array sizes that batches are padded to; many crystals are predicted in
            larger batches.

    Returns:
        Scaled predictions, shape (S, T).
    """
    predicted = np.empty((len(graphs), network.n_outputs), dtype=np.float32)
    for members, batch in prediction_batches(graphs, ladder):
        predicted[members] = np.asarray(network.predict_on_batch(batch))[: len(members)]
    return predicted


def read_graphs(network: Network, graphs: Sequence[DualGraph], ladder: SizeLadder) -> NDArray[np.float32]:
    """What the network reads of crystals before its head, in their order.

    Args:
        network: A network that reads D numbers of a crystal.
        graphs: S crystals.
        ladder: As of ``predict_graphs``.

    Returns:
        Vectors, shape (S, D).

    Raises:
        NotImplementedError: The network does not say what it reads.
    """
    parts = [
        (members, keras.ops.convert_to_numpy(network.merged(batch))[: len(members)].astype(np.float32))
        for members, batch in prediction_batches(graphs, ladder)
    ]
    read = np.concatenate([vectors for _, vectors in parts])
    read[np.concatenate([members for members, _ in parts])] = read.copy()
    return read


def prediction_batches(
    graphs: Sequence[DualGraph], ladder: SizeLadder
) -> Iterator[tuple[NDArray[np.int64], Batch]]:
    """Share crystals out to batches to be read.

    Args:
        graphs: S crystals.
        ladder: As of ``predict_graphs``.

    Yields:
        Which crystals are in each batch, in its order, and the batch.
    """
    sizes = sizes_of(graphs)
    large = ladder.holding(PREDICTED_AT_ONCE)
    if large.n_batches(sizes) > 1:
        ladder = large
    for members in balanced_batches(sizes, ladder.n_batches(sizes), np.random.default_rng(0)):
        step = ladder.step_for(sizes[members].sum(axis=0))
        yield members, batch_graphs([graphs[i] for i in members], step)


_ladders: WeakKeyDictionary[Network, SizeLadder] = WeakKeyDictionary()


def prediction_ladder(network: Network, graphs: Sequence[DualGraph]) -> SizeLadder:
    """The array sizes to predict crystals with.

    Args:
        network: A compiled network. What it has been compiled for before serves again, so
            that windows of a screening share it, unless these crystals are of other sizes.
        graphs: S crystals.

    Returns:
        The sizes.
    """
    sizes = sizes_of(graphs)
    wanted = SizeLadder.for_crystals(sizes, BATCH_SIZE).holding(BATCH_SIZE)
    known = _ladders.get(network)
    if known is not None:
        ratio = max(w / k for w, k in zip(wanted.first, known.holding(BATCH_SIZE).first, strict=True))
        if 0.5 < ratio < 2.0:
            return known
    _ladders[network] = wanted
    return wanted


def _rows(values: NDArray, n_rows: int) -> NDArray[np.float32]:
    filled = np.zeros((n_rows, values.shape[1]), dtype=np.float32)
    filled[: len(values)] = values
    return filled
