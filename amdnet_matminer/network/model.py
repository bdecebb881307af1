"""The atom-motif dual graph network and its parts, in Keras ops only."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from amdnet_matminer.graphs.batching import Batch, Level
from amdnet_matminer.motifs import FINGERPRINT_LABELS
from amdnet_matminer.network.layers import MLP, GaussianBasis, MEGNetLayer, Set2Set, Tensor, Topology
from amdnet_matminer.validation import HEAVIEST_ELEMENT

Architecture = Literal["amdnet-2021", "megnet"]

EMBEDDING_WIDTH = 16
N_BLOCKS = 3


class Branch(keras.layers.Layer):
    """One level of the crystal, read by three MEGNet blocks into 16 numbers.

    Dense 64 and 32 on nodes, edges and state; blocks with additive skips, those
    after the first with dense 64 and 32 of their own inside the skip; Set2Set on
    nodes and on edges; with the state, 96 numbers through dense 32, 16 and 16.

    Args:
        node_width: Width of the node features.
        n_centers: Number of Gaussians that edge distances are expanded in.
        cutoff: Centre of the last Gaussian, in angstrom.
    """

    def __init__(self, node_width: int, n_centers: int, cutoff: float) -> None:
        super().__init__()
        self.basis = GaussianBasis(n_centers, cutoff)
        self.dense = [[MLP((width, 64, 32)) for width in (node_width, n_centers, 2)]]
        self.dense += [[MLP((32, 64, 32)) for _ in range(3)] for _ in range(N_BLOCKS - 1)]
        self.blocks = [MEGNetLayer(32, (64, 64, 32)) for _ in range(N_BLOCKS)]
        self.read_nodes = Set2Set(32, 16, 3)
        self.read_edges = Set2Set(32, 16, 3)
        self.readout = MLP((96, 32, 16, 16))
        self.built = True

    def call(self, node: Tensor, level: Level, *, n_graphs: Any) -> Tensor:
        """Read a level with node features (N, node_width) into (n_graphs, 16)."""
        t = Topology.of(level)
        state = ops.zeros((n_graphs, 2), dtype=node.dtype)
        values = _each(self.dense[0], (node, self.basis(level.distance), state))
        values = _add(values, self.blocks[0](*values, t))
        for dense, block in zip(self.dense[1:], self.blocks[1:], strict=True):
            values = _add(values, block(*_each(dense, values), t))
        nodes, edges, state = values
        read_nodes = self.read_nodes(nodes, t.weight, t.graph, n_graphs=n_graphs)
        read_edges = self.read_edges(edges, t.edge_weight, t.edge_graph, n_graphs=n_graphs)
        return self.readout(ops.concatenate([read_nodes, read_edges, state], axis=-1))


class NetworkConfig(NamedTuple):
    """What makes one network differ from another; the estimator documents each of these."""

    architecture: Architecture = "amdnet-2021"
    atom_cutoff: float = 5.0
    motif_cutoff: float = 11.0
    rbf_edge_dim_atom: int = 100
    rbf_edge_dim_motif: int = 100


class AMDNet(keras.Model):
    """The dual graph network of Banjade et al. (2021), or its atom branch alone.

    Args:
        config: Architecture and sizes.
        seed: Seed of the initial weights.
    """

    def __init__(self, config: NetworkConfig, seed: int = 0) -> None:
        super().__init__()
        self.embedding = self.add_weight((HEAVIEST_ELEMENT + 1, EMBEDDING_WIDTH), "zeros", name="embedding")
        self.atom_branch = Branch(EMBEDDING_WIDTH, config.rbf_edge_dim_atom, config.atom_cutoff)
        self.motif_branch = None
        if config.architecture == "amdnet-2021":
            self.motif_branch = Branch(
                len(FINGERPRINT_LABELS), config.rbf_edge_dim_motif, config.motif_cutoff
            )
        self.head = MLP((32 if self.motif_branch else 16, 32, 1), linear_output=True)
        self.built = True
        self.set_weights(initial_weights(self, np.random.default_rng(seed)))

    def call(self, batch: Batch) -> Tensor:
        """Predict scaled targets, shape (G, 1), one row per graph, padding included."""
        return self.head(self.merged(batch))

    def merged(self, batch: Batch) -> Tensor:
        """The branches' vectors side by side, shape (G, 32), or (G, 16) for one branch."""
        n_graphs = ops.shape(batch.crystal)[0]
        elements = ops.take(self.embedding, batch.atoms.node, axis=0)
        vectors = [self.atom_branch(elements, batch.atoms, n_graphs=n_graphs)]
        if self.motif_branch is not None:
            vectors.append(self.motif_branch(batch.motifs.node, batch.motifs, n_graphs=n_graphs))
        return ops.concatenate(vectors, axis=-1)


def initial_weights(network: keras.Model, rng: np.random.Generator) -> list[NDArray[np.float32]]:
    """Draw the initial weights of a network, the same on every Keras backend.

    Kernels by Glorot and Bengio (2010), recurrent kernels orthogonal, the embedding
    uniform within 0.05, biases 0: the defaults of the published network.

    Args:
        network: A network of this module.
        rng: Source of the numbers.

    Returns:
        The arrays in the order of ``network.weights``.
    """
    return [_initial_weight(weight.name, tuple(weight.shape), rng) for weight in network.weights]


def _initial_weight(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    if "bias" in name:
        value = np.zeros(shape)
    elif name == "embedding":
        value = rng.uniform(-0.05, 0.05, shape)
    elif name == "recurrent_kernel":
        value = np.linalg.qr(rng.standard_normal(shape[::-1]))[0].T
    else:
        limit = np.sqrt(6.0 / sum(shape))
        value = rng.uniform(-limit, limit, shape)
    return value.astype(np.float32)


def _each(layers: list[MLP], values: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(layer(value) for layer, value in zip(layers, values, strict=True))


def _add(values: tuple[Tensor, ...], updates: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(value + update for value, update in zip(values, updates, strict=True))
