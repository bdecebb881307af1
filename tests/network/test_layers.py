"""The layers equal those of the megnet package, and read graphs as sets."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from amdnet_matminer.graphs.batching import Level
from amdnet_matminer.network.layers import (
    GaussianBasis,
    MEGNetLayer,
    Set2Set,
    Topology,
    hard_sigmoid,
    look_up,
    pool_mean,
)

UNITS = (8, 8, 5)


def random_level(rng: np.random.Generator, counts: tuple[int, ...], n_edges: int) -> Level:
    """Random graphs of ``counts`` nodes and ``n_edges`` edges each, sorted by receiver."""
    start = np.cumsum([0, *counts[:-1]])
    ends = [
        first + rng.integers(count, size=(2, n_edges)) for first, count in zip(start, counts, strict=True)
    ]
    receiver, sender = np.concatenate(ends, axis=1)
    order = np.argsort(receiver, kind="stable")
    return Level(
        node=np.zeros(sum(counts), dtype=np.int32),
        weight=np.ones(sum(counts), dtype=np.float32),
        graph=np.repeat(np.arange(len(counts)), counts).astype(np.int32),
        sender=sender[order].astype(np.int32),
        receiver=receiver[order].astype(np.int32),
        edge=rng.uniform(1, 5, (len(receiver), 1)).astype(np.float32),
        edge_weight=np.ones(len(receiver), dtype=np.float32),
    )


def fill(layer: object, rng: np.random.Generator) -> None:
    layer.set_weights([rng.normal(size=w.shape).astype(np.float32) for w in layer.weights])


def test_megnet_layer_equals_megnets_own() -> None:
    peer = pytest.importorskip("megnet.layers.graph.megnet", reason="the peer's layer is the oracle")
    rng = np.random.default_rng(0)
    level = random_level(rng, (4, 7, 2), 12)
    nodes, edges, state = (rng.normal(size=(n, 6)).astype(np.float32) for n in (13, len(level.sender), 3))
    ours = MEGNetLayer(6, UNITS)
    fill(ours, rng)
    topology = Topology.of(Level(*map(ops.convert_to_tensor, level)))
    result = ours(nodes, edges, state, topology)
    theirs = peer.MEGNetLayer(list(UNITS), list(UNITS), list(UNITS), pool_method="mean", activation="relu")
    index = [x[None] for x in (level.receiver, level.sender, level.graph, level.graph[level.receiver])]
    inputs = [ops.convert_to_tensor(x) for x in (nodes[None], edges[None], state[None], *index)]
    theirs.build([x.shape for x in inputs])
    for kind, mlp in (("e", ours.phi_e), ("v", ours.phi_v), ("u", ours.phi_u)):
        for i, (kernel, bias) in enumerate(zip(mlp.kernels, mlp.biases, strict=True)):
            getattr(theirs, f"phi_{kind}_weights")[i].assign(kernel)
            getattr(theirs, f"phi_{kind}_biases")[i].assign(bias)
    for mine, expected in zip(result, theirs.call(inputs), strict=True):
        np.testing.assert_allclose(np.asarray(mine), np.asarray(expected)[0], rtol=1e-4, atol=1e-4)


def test_set2set_equals_megnets_own() -> None:
    peer = pytest.importorskip("megnet.layers.readout.set2set", reason="the peer's layer is the oracle")
    rng = np.random.default_rng(1)
    graph = np.repeat([0, 1, 2], [3, 1, 6]).astype(np.int32)
    vectors = rng.normal(size=(10, 6)).astype(np.float32)
    ours = Set2Set(6, 4, 3)
    fill(ours, rng)
    theirs = peer.Set2Set(T=3, n_hidden=4, recurrent_activation=hard_sigmoid)
    theirs.build([(1, 10, 6), (1, 10)])
    names = ("m_weight", "m_bias", "recurrent_kernel", "recurrent_bias")
    for name, weight in zip(names, ours.weights, strict=True):
        getattr(theirs, name).assign(weight)
    expected = theirs.call([ops.convert_to_tensor(vectors[None]), ops.convert_to_tensor(graph[None])])
    result = ours(vectors, np.ones((10, 1), dtype=np.float32), graph, n_graphs=3)
    np.testing.assert_allclose(np.asarray(result), np.asarray(expected)[0], rtol=1e-5, atol=1e-5)


def test_set2set_counts_a_vector_as_often_as_its_weight() -> None:
    rng = np.random.default_rng(2)
    layer = Set2Set(6, 4, 3)
    fill(layer, rng)
    vectors = rng.normal(size=(3, 6)).astype(np.float32)
    weight = np.array([[2], [1], [3]], dtype=np.float32)
    once = layer(vectors, weight, np.zeros(3, dtype=np.int32), n_graphs=1)
    repeated = np.repeat(vectors, [2, 1, 3], axis=0)
    often = layer(repeated, np.ones((6, 1), dtype=np.float32), np.zeros(6, dtype=np.int32), n_graphs=1)
    np.testing.assert_allclose(np.asarray(once), np.asarray(often), rtol=1e-5, atol=1e-6)


def test_set2set_reads_large_scores_and_empty_sets() -> None:
    """The published softmax overflows at scores beyond 88, and cannot read an empty set."""
    layer = Set2Set(6, 4, 3)
    fill(layer, np.random.default_rng(3))
    vectors = np.full((2, 6), 1e3, dtype=np.float32)
    result = np.asarray(
        layer(vectors, np.ones((2, 1), dtype=np.float32), np.zeros(2, dtype=np.int32), n_graphs=2)
    )
    assert np.isfinite(result).all()
    np.testing.assert_array_equal(result[1, 4:], 0.0)


def test_pool_mean_by_hand() -> None:
    values = np.array([[1.0], [3.0], [10.0]], dtype=np.float32)
    weight = np.array([[1.0], [3.0], [2.0]], dtype=np.float32)
    pooled = pool_mean(values, weight, np.array([0, 0, 2], dtype=np.int32), 3)
    np.testing.assert_allclose(np.asarray(pooled), [[2.5], [0.0], [10.0]])


def test_gaussians_by_hand() -> None:
    expanded = np.asarray(GaussianBasis(3, 1.0)(np.array([0.5], dtype=np.float32)))
    np.testing.assert_allclose(expanded, [[np.exp(-1.0), 1.0, np.exp(-1.0)]], rtol=1e-6)


def test_hard_sigmoid_is_that_of_keras_2() -> None:
    x = np.array([-3.0, -2.5, 0.0, 1.0, 2.5, 3.0], dtype=np.float32)
    np.testing.assert_allclose(np.asarray(hard_sigmoid(x)), [0, 0, 0.5, 0.7, 1, 1], atol=1e-7)


def test_rows_are_looked_up():
    table = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.testing.assert_array_equal(look_up(table, np.array([3, 0, 3], dtype=np.int32)), table[[3, 0, 3]])
