"""The published atom-motif dual graph network: two MEGNets that are joined at their end."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from amdnet_matminer.graphs.batching import Batch, Level
from amdnet_matminer.motifs import FINGERPRINT_LABELS
from amdnet_matminer.network.config import NetworkConfig
from amdnet_matminer.network.layers import MLP, GaussianBasis, MEGNetLayer, Set2Set, Tensor, Topology
from amdnet_matminer.validation import HEAVIEST_ELEMENT

EMBEDDING_WIDTH = 16
N_BLOCKS = 3
PUBLISHED_WIDTH = 32


class Branch(keras.layers.Layer):
    """One level of the crystal, read by three MEGNet blocks into 16 numbers.

    Dense 64 and 32 on nodes, edges and state; blocks with additive skips, those
    after the first with dense 64 and 32 of their own inside the skip; Set2Set on
    nodes and on edges; with the state, 96 numbers through dense 32, 16 and 16.
    These are the published widths; others are in proportion.

    Args:
        width: Width of nodes, edges and state between the blocks, a multiple of 2.
        node_width: Width of the node features.
        n_centers: Number of Gaussians that edge distances are expanded in.
        cutoff: Centre of the last Gaussian, in angstrom.
    """

    def __init__(self, width: int, node_width: int, n_centers: int, cutoff: float) -> None:
        super().__init__()
        self.basis = GaussianBasis(n_centers, cutoff)
        w, half = width, width // 2
        self.dense = [[MLP((inputs, 2 * w, w)) for inputs in (node_width, n_centers, 2)]]
        self.dense += [[MLP((w, 2 * w, w)) for _ in range(3)] for _ in range(N_BLOCKS - 1)]
        self.blocks = [MEGNetLayer(w, (2 * w, 2 * w, w)) for _ in range(N_BLOCKS)]
        self.read_nodes = Set2Set(w, half, 3)
        self.read_edges = Set2Set(w, half, 3)
        self.readout = MLP((3 * w, w, half, half))
        self.built = True

    def call(self, node: Tensor, level: Level, *, n_graphs: Any) -> Tensor:
        """Read a level with node features (N, node_width) into (n_graphs, width / 2)."""
        t = Topology.of(level)
        state = ops.zeros((n_graphs, 2), dtype=node.dtype)
        values = _each(self.dense[0], (node, self.basis(level.edge[:, 0]), state))
        values = _add(values, self.blocks[0](*values, t))
        for dense, block in zip(self.dense[1:], self.blocks[1:], strict=True):
            values = _add(values, block(*_each(dense, values), t))
        nodes, edges, state = values
        read_nodes = self.read_nodes(nodes, t.weight, t.graph, n_graphs=n_graphs)
        read_edges = self.read_edges(edges, t.edge_weight, t.edge_graph, n_graphs=n_graphs)
        return self.readout(ops.concatenate([read_nodes, read_edges, state], axis=-1))


class AMDNet2021(keras.Model):
    """The dual graph network of Banjade et al. (2021), or its atom branch alone.

    Args:
        config: Architecture ``"amdnet-2021"`` or ``"megnet"``, and sizes.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = config.width or PUBLISHED_WIDTH
        self.n_outputs = config.n_outputs
        self.embedding = self.add_weight((HEAVIEST_ELEMENT + 1, EMBEDDING_WIDTH), "zeros", name="embedding")
        self.atom_branch = Branch(width, EMBEDDING_WIDTH, config.rbf_edge_dim_atom, config.atom_cutoff)
        self.motif_branch = None
        if config.architecture == "amdnet-2021":
            self.motif_branch = Branch(
                width, len(FINGERPRINT_LABELS), config.rbf_edge_dim_motif, config.motif_cutoff
            )
        merged = width if self.motif_branch else width // 2
        self.head = MLP((merged, width, config.n_outputs), linear_output=True)
        self.built = True

    def call(self, batch: Batch) -> Tensor:
        """Predict scaled targets, shape (G, n_outputs), one row per graph, padding included."""
        return self.head(self.merged(batch))

    def merged(self, batch: Batch) -> Tensor:
        """The branches' vectors side by side, shape (G, 32) at the published width."""
        n_graphs = ops.shape(batch.crystal)[0]
        elements = ops.take(self.embedding, batch.atoms.node, axis=0)
        vectors = [self.atom_branch(elements, batch.atoms, n_graphs=n_graphs)]
        if self.motif_branch is not None:
            vectors.append(self.motif_branch(batch.motifs.node, batch.motifs, n_graphs=n_graphs))
        return ops.concatenate(vectors, axis=-1)


def _each(layers: list[MLP], values: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(layer(value) for layer, value in zip(layers, values, strict=True))


def _add(values: tuple[Tensor, ...], updates: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(value + update for value, update in zip(values, updates, strict=True))
