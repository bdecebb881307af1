"""The published atom-motif dual graph network, two MEGNets that are joined at their end, and one alone."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from amdnet_matminer.architectures import NetworkConfig, register
from amdnet_matminer.graphs.batching import Batch, Level
from amdnet_matminer.motifs import FINGERPRINT_LABELS
from amdnet_matminer.network.base import Network
from amdnet_matminer.network.layers import (
    MLP,
    GaussianBasis,
    MEGNetLayer,
    Set2Set,
    Tensor,
    Topology,
    look_up,
)
from amdnet_matminer.validation.structures import HEAVIEST_ELEMENT

EMBEDDING_WIDTH = 16
N_BLOCKS = 3


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


@register("megnet")
class MEGNet(Network):
    """The atom branch of the published network alone, which is a MEGNet.

    Args:
        config: Sizes.
    """

    used_parameters = frozenset({"atom_cutoff", "rbf_edge_dim_atom", "width"})
    reads_motifs = False
    default_width = 32
    n_branches: ClassVar[int] = 1

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        width = config.width
        self.embedding = self.add_weight(
            (HEAVIEST_ELEMENT + 1, EMBEDDING_WIDTH),
            keras.initializers.RandomUniform(-0.05, 0.05),
            name="embedding",
        )
        self.atom_branch = Branch(width, EMBEDDING_WIDTH, config.rbf_edge_dim_atom, config.atom_cutoff)
        self.head = MLP((self.n_branches * width // 2, width, config.n_outputs), linear_output=True)
        self.built = True

    @classmethod
    def check(cls, config: NetworkConfig) -> None:
        """Refuse an odd width: a branch ends with half of it."""
        if config.width % 2:
            raise ValueError(f"width must be even for {config.architecture!r}, got {config.width}")

    @property
    def not_for_muon(self) -> list[keras.Variable]:
        """The vectors of elements."""
        return [self.embedding]

    def call(self, batch: Batch, training: bool = False) -> Tensor:
        """Predict scaled targets, shape (G, n_outputs), one row per graph, padding included."""
        return self.head(self.merged(batch))

    def merged(self, batch: Batch) -> Tensor:
        """The vector of the atoms, shape (G, width / 2)."""
        elements = look_up(self.embedding, batch.atoms.node)
        vector: Tensor = self.atom_branch(elements, batch.atoms, n_graphs=ops.shape(batch.crystal)[0])
        return vector


@register("amdnet-2021")
class AMDNet2021(MEGNet):
    """The dual graph network of Banjade et al. (2021).

    Args:
        config: Sizes.
    """

    used_parameters = MEGNet.used_parameters | {"motif_cutoff", "rbf_edge_dim_motif"}
    reads_motifs = True
    reads_published_motifs = True
    n_branches = 2

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.motif_branch = Branch(
            config.width, len(FINGERPRINT_LABELS), config.rbf_edge_dim_motif, config.motif_cutoff
        )

    def merged(self, batch: Batch) -> Tensor:
        """The vectors of atoms and motifs side by side, shape (G, width)."""
        of_motifs = self.motif_branch(batch.motifs.node, batch.motifs, n_graphs=ops.shape(batch.crystal)[0])
        return ops.concatenate([super().merged(batch), of_motifs], axis=-1)


def _each(layers: list[MLP], values: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(layer(value) for layer, value in zip(layers, values, strict=True))


def _add(values: tuple[Tensor, ...], updates: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(value + update for value, update in zip(values, updates, strict=True))
