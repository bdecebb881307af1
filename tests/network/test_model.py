"""The whole network: its size, and what must not change its predictions."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Structure

from amdnet_matminer.architectures import architecture_names
from amdnet_matminer.graphs import DualGraph, DualGraphConverter, SizeLadder, batch_graphs, sizes_of
from amdnet_matminer.network import NetworkConfig, build_network
from amdnet_matminer.network.amdnet import N_RADII
from amdnet_matminer.network.base import initial_weights
from amdnet_matminer.network.elements import RADIUS


@pytest.fixture(scope="module", params=["amdnet", "amdnet-2021"])
def network(request: pytest.FixtureRequest) -> keras.Model:
    return build_network(NetworkConfig.of(request.param), seed=3)


@pytest.fixture(scope="module")
def published() -> keras.Model:
    return build_network(NetworkConfig.of("amdnet-2021"))


@pytest.fixture(scope="module")
def graphs(crystals: list[Structure]) -> list[DualGraph]:
    return [DualGraphConverter(symmetry_reduction=False).convert(crystal) for crystal in crystals]


def predict(network: keras.Model, graphs: list[DualGraph], room: float = 1.0) -> np.ndarray:
    sizes = sizes_of(graphs)
    step = SizeLadder.for_crystals(sizes, len(graphs)).step_for((sizes.sum(axis=0) * room).astype(int))
    return np.asarray(network.merged(batch_graphs(graphs, step)))[: len(graphs)]


def test_the_published_number_of_parameters(published: keras.Model) -> None:
    assert published.count_params() == 338_481


def test_the_atom_branch_alone_has_its_share() -> None:
    network = build_network(NetworkConfig.of("megnet"))
    in_branch = sum(int(np.prod(weight.shape)) for weight in network.atom_branch.weights)
    assert in_branch + 95 * 16 == 168_016
    assert not network.reads_motifs


def test_every_crystal_has_a_finite_prediction_of_its_own(
    network: keras.Model, graphs: list[DualGraph]
) -> None:
    vectors = predict(network, graphs)
    assert np.isfinite(vectors).all()
    assert len(np.unique(vectors.round(6), axis=0)) == len(graphs)


def test_crystals_without_motifs_or_edges_keep_their_place(
    network: keras.Model, graphs: list[DualGraph]
) -> None:
    from amdnet_matminer.motifs import MotifGraph

    bare = [replace(g, motifs=MotifGraph.empty()) for g in graphs]
    mixed = [graphs[0], bare[1], graphs[2], bare[-1]]
    alone = [predict(network, [g])[0] for g in mixed]
    np.testing.assert_allclose(predict(network, mixed), alone, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def alone(network: keras.Model, graphs: list[DualGraph]) -> np.ndarray:
    """What the network says of each graph in a batch of its own."""
    return np.stack([predict(network, [graph])[0] for graph in graphs])


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(7)), room=st.floats(1.0, 4.0))
def test_batching_and_padding_change_nothing(
    network: keras.Model, graphs: list[DualGraph], alone: np.ndarray, order: list[int], room: float
) -> None:
    together = predict(network, [graphs[i] for i in order], room)
    np.testing.assert_allclose(together, alone[order], rtol=1e-4, atol=1e-5)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_site_order_changes_nothing(
    network: keras.Model, perovskite: Structure, corundum: Structure, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    for crystal in (perovskite, corundum):
        shuffled = Structure.from_sites([crystal[i] for i in rng.permutation(len(crystal))])
        pair = [DualGraphConverter(symmetry_reduction=False).convert(s) for s in (crystal, shuffled)]
        np.testing.assert_allclose(*predict(network, pair), rtol=1e-4, atol=1e-5)


def test_supercell_rotation_and_translation_change_nothing(
    network: keras.Model, perovskite: Structure
) -> None:
    from pymatgen.core.operations import SymmOp

    moved = perovskite.copy()
    moved.translate_sites(range(len(moved)), [0.13, 0.27, 0.41])
    moved.apply_operation(SymmOp.from_axis_angle_and_translation([1, 2, 3], 40))
    vectors = predict(
        network, [DualGraphConverter().convert(s) for s in (perovskite, moved, perovskite * (2, 1, 1))]
    )
    np.testing.assert_allclose(vectors[1:], np.stack([vectors[0]] * 2), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("architecture", architecture_names())
def test_the_seed_decides_the_initial_weights_and_nothing_else_does(architecture: str) -> None:
    config = NetworkConfig.of(architecture, width=8)
    random.seed(5)
    before = random.getstate()
    first = initial_weights(config, 3)
    assert random.getstate() == before
    random.seed(6)
    keras.utils.set_random_seed(7)
    same, other = (initial_weights(config, seed) for seed in (3, 4))
    for one, again in zip(first, same, strict=True):
        np.testing.assert_array_equal(one, again)
    assert not np.array_equal(same[0], other[0])


def test_weights_of_one_network_are_drawn_independently() -> None:
    """Initializers that share a seed would give equal arrays to layers of equal shape."""
    network = build_network(NetworkConfig.of(width=8, n_blocks=2), seed=1)
    drawn = [np.asarray(w) for w in network.weights if w.shape == (8, 8) and np.asarray(w).any()]
    assert len(drawn) > 10
    for i, one in enumerate(drawn):
        assert not any(np.array_equal(one, other) for other in drawn[:i])


@pytest.mark.parametrize("architecture", architecture_names())
def test_initial_weights_have_the_published_distributions(architecture: str) -> None:
    network = build_network(NetworkConfig.of(architecture), seed=0)
    for weight in network.weights:
        value = np.abs(np.asarray(weight))
        if "bias" in weight.name or "score" in weight.name:
            assert not value.any()
        elif weight.name == "radii":
            np.testing.assert_array_equal(value, np.stack([RADIUS] * N_RADII, axis=-1))
        elif weight.name in ("element", "period", "group", "embedding"):
            largest = 0.05 if weight.name == "embedding" else 0.1
            assert 0.9 * largest < value.max() <= largest
        elif weight.name != "recurrent_kernel":
            limit = (6.0 / sum(weight.shape)) ** 0.5
            assert 0.8 * limit < value.max() <= limit


def test_recurrent_kernels_start_orthogonal(published: keras.Model) -> None:
    kernel = published.atom_branch.read_nodes.recurrent_kernel.numpy()
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(32), atol=1e-5)


def test_edges_that_count_twice_are_two_edges(network: keras.Model, corundum: Structure) -> None:
    whole = DualGraphConverter(symmetry_reduction=False).convert(corundum)
    merged = DualGraphConverter().convert(corundum)
    assert len(merged.atoms.sender) < len(whole.atoms.sender) / 4
    vectors = predict(network, [whole, merged])
    np.testing.assert_allclose(vectors[0], vectors[1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_one_column_per_target(perovskite: Structure, n_outputs: int) -> None:
    network = build_network(NetworkConfig(width=8, n_blocks=1, n_outputs=n_outputs))
    graphs = [DualGraphConverter().convert(perovskite)]
    step = SizeLadder.for_crystals(sizes_of(graphs), 1).step_for(sizes_of(graphs)[0])
    assert network(batch_graphs(graphs, step)).shape == (step.graphs, n_outputs)


def test_dropout_is_for_training_only(perovskite: Structure) -> None:
    graphs = [DualGraphConverter().convert(perovskite)]
    batch = batch_graphs(graphs, SizeLadder.for_crystals(sizes_of(graphs), 1).step_for(sizes_of(graphs)[0]))
    network, without = (build_network(NetworkConfig(width=8, n_blocks=1), seed=1) for _ in range(2))
    network.dropout.rate.state.assign(0.5)
    expected = np.asarray(without(batch))
    np.testing.assert_array_equal(network(batch), expected)
    np.testing.assert_array_equal(without(batch, training=True), expected)
    drawn = [np.asarray(network(batch, training=True)) for _ in range(2)]
    assert not np.array_equal(drawn[0], expected)
    assert not np.array_equal(drawn[0], drawn[1])


@pytest.mark.parametrize("changed", ["length", "angle", "n_shared", "fingerprint"])
def test_atoms_and_motifs_tell_of_each_other(rutile: Structure, changed: str) -> None:
    """What only the motif level knows reaches the vector that is the mean over atoms."""
    network = build_network(NetworkConfig(width=16, n_blocks=2), seed=1)
    graph = DualGraphConverter().convert(rutile)
    motifs = graph.motifs
    field = "bond_length" if changed == "length" else changed
    other = replace(graph, motifs=motifs._replace(**{field: getattr(motifs, field) + 1}))
    of_atoms = predict(network, [graph, other])[:, :16]
    assert np.abs(of_atoms[0] - of_atoms[1]).max() > 1e-5


def test_mixed_precision_is_near_full_precision(graphs: list[DualGraph], half_precision: Callable) -> None:
    config = NetworkConfig(width=16, n_blocks=2)
    full = build_network(config, seed=2)
    with half_precision():
        mixed = build_network(config, seed=2)
    sizes = sizes_of(graphs)
    batch = batch_graphs(graphs, SizeLadder.for_crystals(sizes, len(graphs)).step_for(sizes.sum(axis=0)))
    exact, near = (np.asarray(network(batch)).astype(np.float32)[: len(graphs)] for network in (full, mixed))
    assert not np.array_equal(exact, near)
    assert np.abs(exact - near).max() < 0.05 * np.abs(exact).max()


def said(network: keras.Model, graph: DualGraph) -> np.ndarray:
    sizes = sizes_of([graph])
    batch = batch_graphs([graph], SizeLadder.for_crystals(sizes, 1).step_for(sizes[0]))
    return np.asarray(network(batch)).astype(np.float32)[:1]


@pytest.mark.parametrize("architecture", ["amdnet", "megnet"])
def test_mixed_precision_counts_many_nodes(
    rock_salt: Structure, half_precision: Callable, architecture: str
) -> None:
    cell = rock_salt * (4, 4, 3)
    graph = DualGraphConverter(symmetry_reduction=False).convert(cell.perturb(0.02))
    assert len(graph.atoms.atomic_number) == 384
    config = NetworkConfig(architecture=architecture, width=16, n_blocks=1)
    full = build_network(config, seed=2)
    with half_precision():
        mixed = build_network(config, seed=2)
    exact, near = (said(network, graph) for network in (full, mixed))
    assert np.abs(exact - near).max() < 0.05 * np.abs(exact).max()
