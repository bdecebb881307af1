"""The profile of a training step: what it records is what the network does."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from amdnet_matminer.graphs import DualGraphConverter, SizeLadder, batch_graphs, sizes_of
from amdnet_matminer.network import NetworkConfig, build_network

if keras.backend.backend() != "tensorflow":
    pytest.skip("it replays operations of TensorFlow", allow_module_level=True)
import step_profile


@pytest.mark.parametrize("architecture", ["amdnet", "megnet"])
def test_all_operations_are_recorded_and_then_left_alone(rutile, architecture):
    graphs = [DualGraphConverter(motifs="own" if architecture == "amdnet" else None).convert(rutile)]
    batch = batch_graphs(graphs, SizeLadder.for_crystals(sizes_of(graphs), 1).step_for(sizes_of(graphs)[0]))
    network = build_network(NetworkConfig(architecture, width=8, n_blocks=1))
    before, expected = ops.matmul, np.asarray(network(batch))
    calls = step_profile.record(network, batch)
    assert {call.kind for call in calls} == set(step_profile.KINDS)
    assert ops.matmul is before
    np.testing.assert_array_equal(network(batch), expected)
    products = [call for call in calls if call.kind == "matrix products"]
    assert len(products) > 10
    assert step_profile.flops(calls) > 2 * 8 * 8 * len(batch.atoms.sender)


def test_operations_are_counted():
    product = step_profile.Call("matrix products", ops.matmul, (np.ones((3, 4)), np.ones((4, 5))), {})
    gather = step_profile.Call("gathers", ops.take, (np.ones((3, 4)), np.array([0, 1])), {"axis": 0})
    assert step_profile.flops([product, gather, product]) == 2 * (2 * 3 * 4 * 5)
    seconds = step_profile.replay_seconds([product, gather])
    assert seconds["matrix products"] > 0
    assert seconds["gathers"] > 0
    assert seconds["activations"] == 0
