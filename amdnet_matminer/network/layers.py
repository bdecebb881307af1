"""Layers of the MEGNet family (Chen et al., Chemistry of Materials 31, 3564, 2019), in Keras ops.

All layers read flat arrays: nodes (N, .), edges (P, .) and one state per crystal
(G, .). Weighted pools count a node as often as its multiplicity, and padding,
whose weight is 0, not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from amdnet_matminer.graphs.batching import Level

Tensor = Any
"""A tensor of whichever backend Keras runs on."""

# Keeps 0/0 of empty graphs and of padding at 0; far below any true count.
TINY = 1e-12


class Topology(NamedTuple):
    """How the nodes and edges of one level of a batch belong together."""

    sender: Tensor
    """(P,) node index."""
    receiver: Tensor
    """(P,) node index."""
    graph: Tensor
    """(N,) crystal of each node."""
    edge_graph: Tensor
    """(P,) crystal of each edge."""
    weight: Tensor
    """(N, 1) multiplicity of each node."""
    received: Tensor
    """(P, 1) number of equal edges that the edge stands for, at one of the nodes it ends at."""
    edge_weight: Tensor
    """(P, 1) the same at all of these nodes."""

    @classmethod
    def of(cls, level: Level) -> Topology:
        """Complete the topology from the arrays of a level."""
        weight = ops.expand_dims(level.weight, -1)
        received = ops.expand_dims(level.edge_weight, -1)
        return cls(
            sender=level.sender,
            receiver=level.receiver,
            graph=level.graph,
            edge_graph=ops.take(level.graph, level.receiver, axis=0),
            weight=weight,
            received=received,
            edge_weight=received * ops.take(weight, level.receiver, axis=0),
        )


def pool_mean(values: Tensor, weight: Tensor, index: Tensor, n_pools: Any) -> Tensor:
    """Weighted mean of rows that share an index; 0 for a pool without rows.

    Args:
        values: Rows, shape (N, F).
        weight: Weights, shape (N, 1), or (N, F) if every column has its own.
        index: Pool of each row, shape (N,).
        n_pools: Number of pools.

    Returns:
        Means, shape (n_pools, F).
    """
    # In half precision a sum of ones would stop at 256.
    narrow = keras.backend.standardize_dtype(values.dtype)
    wide = keras.backend.result_type(narrow, "float32")
    values, weight = ops.cast(values, wide), ops.cast(weight, wide)
    total = ops.segment_sum(values * weight, index, num_segments=n_pools)
    count = ops.segment_sum(weight, index, num_segments=n_pools)
    return ops.cast(total / ops.maximum(count, TINY), narrow)


def look_up(table: Tensor, index: Tensor) -> Tensor:
    """Rows of a small table of weights.

    A product, since TensorFlow's gradient of ``ops.take`` lists rows as often as they were
    taken, and clipping by norm takes each for one of its own.

    Args:
        table: Weights, shape (K, F).
        index: Which rows, shape (N,).

    Returns:
        The rows, shape (N, F).
    """
    return ops.matmul(ops.one_hot(index, table.shape[0], dtype=table.dtype), table)


class GaussianBasis(keras.layers.Layer):
    r"""Expand distances in Gaussians, :math:`\exp(-(d - c_k)^2 / w^2)`.

    The centres c_k are ``n_centers`` points from 0 to ``cutoff`` angstrom, the
    width w is 0.5 angstrom, as in the published network.
    """

    def __init__(self, n_centers: int, cutoff: float, width: float = 0.5) -> None:
        super().__init__()
        self.centers = np.linspace(0.0, cutoff, n_centers, dtype=np.float32)
        self.width = width

    def call(self, distance: Tensor) -> Tensor:
        """Expand distances of shape (P,) to (P, n_centers)."""
        scaled = ops.subtract(ops.expand_dims(distance, -1), self.centers) / self.width
        return ops.exp(-ops.square(scaled))


class Dropout(keras.layers.Layer):
    """Drop a part of the values in training, and scale the others up for it (Srivastava et al. 2014).

    Unlike that of Keras' own layer, the rate may change without a new compilation.
    """

    def __init__(self) -> None:
        super().__init__()
        self.random = keras.random.SeedGenerator(0)
        self.rate = _Rate()
        self.built = True

    def call(self, values: Tensor, training: bool = False) -> Tensor:
        """Return the values, or in training those that are left, in the same shape."""
        if not training:
            return values
        rate = ops.cast(self.rate.state, values.dtype)
        drawn = keras.random.uniform(ops.shape(values), seed=self.random, dtype=values.dtype)
        return ops.where(drawn >= rate, values / (1.0 - rate), 0.0)


class _Rate(keras.random.SeedGenerator):
    """A number that Keras passes to compiled steps as it does seeds: as a state that is no weight."""

    def __init__(self) -> None:
        self.state = keras.Variable(0.0, dtype="float32", trainable=False, name="rate")


class MLP(keras.layers.Layer):
    """Dense layers one after another, each followed by the activation, the last one if asked.

    Args:
        widths: Input width, then the width of each layer.
        activation: A function, or the name of a Keras activation.
        linear_output: Whether the last layer has no activation.
    """

    def __init__(
        self,
        widths: Sequence[int],
        activation: str | Callable[[Tensor], Tensor] = "relu",
        linear_output: bool = False,
    ) -> None:
        super().__init__()
        self.activation = keras.activations.get(activation)
        self.linear_output = linear_output
        self.kernels = []
        self.biases = []
        for i, (inputs, outputs) in enumerate(pairwise(widths)):
            self.kernels.append(self.add_weight((inputs, outputs), "glorot_uniform", name=f"kernel_{i}"))
            self.biases.append(self.add_weight((outputs,), "zeros", name=f"bias_{i}"))
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        """Map (N, widths[0]) to (N, widths[-1])."""
        return self.after_first(ops.matmul(inputs, self.kernels[0]) + self.biases[0])

    def after_first(self, hidden: Tensor) -> Tensor:
        """Go on from the first layer's output before its activation, shape (N, widths[1])."""
        for kernel, bias in zip(self.kernels[1:], self.biases[1:], strict=True):
            hidden = ops.matmul(self.activation(hidden), kernel) + bias
        return hidden if self.linear_output else self.activation(hidden)


class MEGNetLayer(keras.layers.Layer):
    r"""Update edges, then nodes, then the state of each crystal.

    .. math::
        e'_k = \phi_e(v_r, v_s, e_k, u) \quad
        v'_i = \phi_v(\langle e'_k \rangle_{r_k = i}, v_i, u) \quad
        u' = \phi_u(\langle e' \rangle, \langle v' \rangle, u)

    Chen et al. (2019), equations 1 to 7, with means for all pools; each
    :math:`\phi` is an MLP whose last layer has no activation.

    Args:
        width: Width of nodes, edges and state that come in.
        units: Widths of the layers of each MLP.
        activation: Name of a Keras activation.
    """

    def __init__(self, width: int, units: Sequence[int], activation: str = "relu") -> None:
        super().__init__()
        self.width = width
        out = units[-1]
        self.phi_e = MLP((4 * width, *units), activation, linear_output=True)
        self.phi_v = MLP((out + 2 * width, *units), activation, linear_output=True)
        self.phi_u = MLP((2 * out + width, *units), activation, linear_output=True)
        self.built = True

    def call(
        self, nodes: Tensor, edges: Tensor, state: Tensor, topology: Topology
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Update nodes (N, width), edges (P, width) and state (G, width) to the last of ``units``."""
        t = topology
        edges = self._update_edges(nodes, edges, state, t)
        n_nodes, n_graphs = ops.shape(nodes)[0], ops.shape(state)[0]
        received = pool_mean(edges, t.received, t.receiver, n_nodes)
        nodes = self.phi_v(ops.concatenate([received, nodes, ops.take(state, t.graph, axis=0)], axis=-1))
        edge_mean = pool_mean(edges, t.edge_weight, t.edge_graph, n_graphs)
        node_mean = pool_mean(nodes, t.weight, t.graph, n_graphs)
        return nodes, edges, self.phi_u(ops.concatenate([edge_mean, node_mean, state], axis=-1))

    def _update_edges(self, nodes: Tensor, edges: Tensor, state: Tensor, t: Topology) -> Tensor:
        # The first layer is linear in each part, so nodes and states are projected
        # before they are gathered: there are far fewer of them than of edges.
        kernel, w = self.phi_e.kernels[0], self.width
        of_receiver = ops.take(ops.matmul(nodes, kernel[:w]), t.receiver, axis=0)
        of_sender = ops.take(ops.matmul(nodes, kernel[w : 2 * w]), t.sender, axis=0)
        of_state = ops.take(ops.matmul(state, kernel[3 * w :]), t.edge_graph, axis=0)
        of_edge = ops.matmul(edges, kernel[2 * w : 3 * w])
        return self.phi_e.after_first(of_receiver + of_sender + of_edge + of_state + self.phi_e.biases[0])


class Set2Set(keras.layers.Layer):
    """Read a set of vectors into one, by an LSTM that attends to the set (Vinyals et al., arXiv 1511.06391).

    As in the published network, the LSTM passes on its hidden state but not its
    cell state, and its gates are the hard sigmoid clip(0.2 x + 0.5, 0, 1).

    Args:
        width: Width of the vectors.
        units: Width of the hidden state; the result has twice as many.
        steps: Number of LSTM steps.
    """

    def __init__(self, width: int, units: int, steps: int) -> None:
        super().__init__()
        self.units = units
        self.steps = steps
        self.kernel = self.add_weight((width, units), "glorot_uniform", name="kernel")
        self.bias = self.add_weight((units,), "zeros", name="bias")
        self.recurrent_kernel = self.add_weight((2 * units, 4 * units), "orthogonal", name="recurrent_kernel")
        self.recurrent_bias = self.add_weight((4 * units,), "zeros", name="recurrent_bias")

    def call(self, vectors: Tensor, weight: Tensor, graph: Tensor, *, n_graphs: Any) -> Tensor:
        """Read vectors (N, width) with weights (N, 1) into (n_graphs, 2 * units).

        A graph without vectors is read as an empty set: its attention part is 0.
        """
        memory = ops.matmul(vectors, self.kernel) + self.bias
        read = ops.zeros((n_graphs, 2 * self.units), dtype=memory.dtype)
        for _ in range(self.steps):
            hidden = self._lstm(read)
            attended = self._attend(memory, hidden, weight, graph, n_graphs)
            read = ops.concatenate([hidden, attended], axis=-1)
        return read

    def _lstm(self, read: Tensor) -> Tensor:
        # The forget gate multiplies a cell state that is always 0, so it is left out.
        gates = ops.matmul(read, self.recurrent_kernel) + self.recurrent_bias
        n = self.units
        cell = hard_sigmoid(gates[:, :n]) * ops.tanh(gates[:, 2 * n : 3 * n])
        return hard_sigmoid(gates[:, 3 * n :]) * ops.tanh(cell)

    def _attend(self, memory: Tensor, hidden: Tensor, weight: Tensor, graph: Tensor, n_graphs: Any) -> Tensor:
        score = ops.sum(memory * ops.take(hidden, graph, axis=0), axis=-1, keepdims=True)
        highest = ops.stop_gradient(ops.segment_max(score, graph, num_segments=n_graphs))
        # Nothing scores above the highest of its own graph, so the exponential cannot overflow.
        attention = weight * ops.exp(score - ops.take(highest, graph, axis=0))
        return pool_mean(memory, attention, graph, n_graphs)


def silu(x: Tensor) -> Tensor:
    """The input times its sigmoid (Hendrycks and Gimpel, arXiv 1606.08415).

    TensorFlow's own keeps the graph of every network that has used it for as long as the
    process lives, since its gradient is registered by name.
    """
    return x * ops.sigmoid(x)


def hard_sigmoid(x: Tensor) -> Tensor:
    """clip(0.2 x + 0.5, 0, 1), the hard sigmoid of Keras 2; that of Keras 3 is another."""
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)
