"""The dual graph network whose levels talk to each other in every block."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
from keras import ops

from amdnet_matminer.architectures import NetworkConfig, register
from amdnet_matminer.graphs.batching import Batch, Bonds, Level
from amdnet_matminer.motifs import FINGERPRINT_LABELS
from amdnet_matminer.motifs.sharing import N_SHARED_KINDS
from amdnet_matminer.network.base import Network, States
from amdnet_matminer.network.elements import GROUP, N_GROUPS, N_PERIODS, PERIOD, RADIUS
from amdnet_matminer.network.layers import (
    MLP,
    Dropout,
    GaussianBasis,
    Tensor,
    Topology,
    look_up,
    pool_mean,
    silu,
)
from amdnet_matminer.validation.structures import HEAVIEST_ELEMENT

HIGHEST_SCORE = 4.0
"""Scores lie between minus this and this: a node counts exp(-4) to exp(4) times."""

N_RADII = 2
"""Radii of each element, which begin as that of its atom and are learned."""

SMALLEST_EXCESS = -2.0
"""In angstrom: where the basis begins that distances less two radii are expanded in."""


class GatedBlock(keras.layers.Layer):
    r"""Update the edges, then the nodes, of one level.

    .. math::
        e'_k = e_k + \mathrm{silu}(W_r v_r + W_s v_s + W_e e_k + b_e) \quad
        g_k = \sigma(e'_k) \quad
        m_i = \frac{\sum_{r_k = i} g_k \odot \mathrm{silu}(e'_k + W_m v_{s_k})}{\sum_{r_k = i} g_k} \quad
        v'_i = v_i + W_o\, \mathrm{silu}(m_i + W_v v_i + W_c c_i + b_v) + b_o

    The edge-gated convolution of Bresson and Laurent (arXiv 1711.07553) with the normalised
    gates of Dwivedi et al. (arXiv 2003.00982), without batch normalisation, and with messages
    that see the edge besides being gated by it, as those of Xie and Grossman (arXiv
    1710.10324) do; the context c is what the other level says of the node. In training,
    dropout is applied before :math:`W_o`.

    Args:
        width: Width of nodes and edges.
        context_width: Width of the context; 0 if there is none.
        dropout: Drops hidden values of nodes in training.
    """

    def __init__(self, width: int, context_width: int, dropout: Dropout) -> None:
        super().__init__()
        self.dropout = dropout
        of_nodes = (width, width)
        self.receiver = self.add_weight(of_nodes, "glorot_uniform", name="kernel_receiver")
        self.sender = self.add_weight(of_nodes, "glorot_uniform", name="kernel_sender")
        self.edge = self.add_weight(of_nodes, "glorot_uniform", name="kernel_edge")
        self.edge_bias = self.add_weight((width,), "zeros", name="bias_edge")
        self.message = self.add_weight(of_nodes, "glorot_uniform", name="kernel_message")
        self.update = MLP((width + context_width, width, width), silu, linear_output=True)
        self.built = True

    def call(
        self, nodes: Tensor, edges: Tensor, context: list[Tensor], t: Topology, training: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Update nodes (N, width) and edges (P, width); context arrays are (N, .)."""
        # Nodes are multiplied before they are gathered: there are far fewer of them than of edges.
        of_receiver = ops.take(ops.matmul(nodes, self.receiver), t.receiver, axis=0)
        of_sender = ops.take(ops.matmul(nodes, self.sender), t.sender, axis=0)
        edges = edges + silu(of_receiver + of_sender + ops.matmul(edges, self.edge) + self.edge_bias)
        sent = silu(edges + ops.take(ops.matmul(nodes, self.message), t.sender, axis=0))
        received = pool_mean(sent, t.received * ops.sigmoid(edges), t.receiver, ops.shape(nodes)[0])
        kernel, bias = self.update.kernels[0], self.update.biases[0]
        known = ops.matmul(ops.concatenate([nodes, *context], axis=-1), kernel)
        hidden = self.dropout(silu(received + known + bias), training=training)
        return nodes + ops.matmul(hidden, self.update.kernels[1]) + self.update.biases[1], edges


class Membership(NamedTuple):
    """How atoms and motifs of a batch belong together."""

    bonds: Bonds
    """Centres and ligands."""
    gate: Tensor
    """(B, width) between 0 and 1, from the bond lengths."""
    weight: Tensor
    """(B, 1) multiplicity of the motif that the bond is of; 0 for padding."""
    is_motif: Tensor
    """(M, 1) 1 for a motif, 0 for padding."""

    def read_atoms(self, atoms: Tensor) -> list[Tensor]:
        """What each motif sees: its centre, and the mean of its ligands, shape (M, width) each."""
        ligands = self.gate * ops.take(atoms, self.bonds.ligand, axis=0)
        once = ops.ones_like(self.weight)
        return [
            ops.take(atoms, self.bonds.center, axis=0),
            pool_mean(ligands, once, self.bonds.motif, ops.shape(self.is_motif)[0]),
        ]

    def read_motifs(self, motifs: Tensor, n_atoms: Any) -> list[Tensor]:
        """What each atom sees: its own motif, and the mean of those it is a ligand of, (N, width) each."""
        around = self.gate * ops.take(motifs, self.bonds.motif, axis=0)
        return [
            ops.segment_sum(motifs * self.is_motif, self.bonds.center, num_segments=n_atoms),
            pool_mean(around, self.weight, self.bonds.ligand, n_atoms),
        ]


def attend(nodes: Tensor, score: Tensor, level: Level, n_graphs: Any) -> Tensor:
    r"""Mean of the nodes of each graph, in which they count as much as they score, channel by channel.

    .. math::
        r_g = \frac{\sum_i w_i\, a_i \odot v_i}{\sum_i w_i\, a_i} \quad
        a_i = \exp(h \tanh(W_a v_i / h))

    An attention as in Li et al. (arXiv 1511.05493), with multiplicities w and scores
    kept within ``HIGHEST_SCORE`` h, so that nothing overflows; without scores a mean.

    Args:
        nodes: Vectors, shape (N, width).
        score: The matrix that scores them, shape (width, width).
        level: Multiplicities and graphs of the nodes.
        n_graphs: Number of graphs.

    Returns:
        One vector per graph, shape (n_graphs, width).
    """
    attention = ops.exp(HIGHEST_SCORE * ops.tanh(ops.matmul(nodes, score) / HIGHEST_SCORE))
    return pool_mean(nodes, ops.expand_dims(level.weight, -1) * attention, level.graph, n_graphs)


@register("amdnet")
class AMDNet(Network):
    """Atoms and motifs, each a graph of gated blocks, that read each other before every block.

    An atom starts from the vectors of its element, of its period and of its group, added; a
    pair of atoms from its distance and from what this is more than their learned radii. A motif
    starts from its order-parameter fingerprint, an edge between motifs from distance, number
    of shared ligands and mean centre-ligand-centre angle. The attentive means of atoms and of
    motifs, side by side, give the targets.

    Args:
        config: Sizes.
    """

    used_parameters = frozenset({"atom_cutoff", "width", "n_blocks"})
    default_n_neighbors = 16
    cross_level: ClassVar[bool] = True
    """Without, the levels meet at the end only, as in the published network; there to be compared with."""
    block: ClassVar[type[GatedBlock]] = GatedBlock
    """What updates a level."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        width = config.width
        vectors = keras.initializers.RandomUniform(-0.1, 0.1)
        self.element = self.add_weight((HEAVIEST_ELEMENT + 1, width), vectors, name="element")
        self.period = self.add_weight((N_PERIODS + 1, width), vectors, name="period")
        self.group = self.add_weight((N_GROUPS + 1, width), vectors, name="group")
        self.radii = self.add_weight((HEAVIEST_ELEMENT + 1, N_RADII), _radii, name="radii")
        self.distance_basis = GaussianBasis(48, config.atom_cutoff)
        self.excess_basis = GaussianBasis(32, 6.0, 0.3)
        self.pair = MLP((48 + 32 * N_RADII, width), silu, linear_output=True)
        self.motif = MLP((len(FINGERPRINT_LABELS), width), silu)
        self.sharing_basis = GaussianBasis(24, 8.0, 0.5)
        self.angle_basis = GaussianBasis(12, 180.0, 20.0)
        self.sharing = MLP((24 + 12 + N_SHARED_KINDS, width), silu, linear_output=True)
        self.length_basis = GaussianBasis(24, 4.0, 0.25)
        self.gate = MLP((24, width), "sigmoid")
        sizes = (width, 2 * width if self.cross_level else 0, self.dropout)
        self.atom_blocks = [self.block(*sizes) for _ in range(config.n_blocks)]
        self.motif_blocks = [self.block(*sizes) for _ in range(config.n_blocks)]
        # Scores begin at 0, so that every node counts the same at first.
        self.atom_score = self.add_weight((width, width), "zeros", name="score_atoms")
        self.motif_score = self.add_weight((width, width), "zeros", name="score_motifs")
        self.head = MLP((2 * width, width, config.n_outputs), silu, linear_output=True)
        self.built = True

    @property
    def not_for_muon(self) -> list[keras.Variable]:
        """What is known of elements, periods and groups, and the scores."""
        return [self.element, self.period, self.group, self.radii, self.atom_score, self.motif_score]

    def call(self, batch: Batch, training: bool = False) -> Tensor:
        """Predict scaled targets, shape (G, n_outputs), one row per graph, padding included."""
        return self.head(self.read(self.states(batch, training), batch))

    def states(self, batch: Batch, training: bool = False) -> States:
        """The last vectors of atoms and of motifs, shape (N, width) and (M, width)."""
        of_atoms, of_motifs = Topology.of(batch.atoms), Topology.of(batch.motifs)
        members = self._membership(batch)
        atoms, pairs = self.first_atoms(batch.atoms), self.first_pairs(batch.atoms)
        motifs, sharing = self.motif(batch.motifs.node), self._sharing(batch.motifs)
        for atom_block, motif_block in zip(self.atom_blocks, self.motif_blocks, strict=True):
            seen_by_atoms = members.read_motifs(motifs, ops.shape(atoms)[0]) if self.cross_level else []
            seen_by_motifs = members.read_atoms(atoms) if self.cross_level else []
            atoms, pairs = atom_block(atoms, pairs, seen_by_atoms, of_atoms, training=training)
            motifs, sharing = motif_block(motifs, sharing, seen_by_motifs, of_motifs, training=training)
        return States(atoms, motifs)

    def first_atoms(self, level: Level) -> Tensor:
        """What each atom starts from, shape (N, width)."""
        period, group = ops.take(PERIOD, level.node), ops.take(GROUP, level.node)
        of_element = look_up(self.element, level.node)
        return of_element + look_up(self.period, period) + look_up(self.group, group)

    def first_pairs(self, level: Level) -> Tensor:
        """What each pair of atoms starts from, shape (P, width)."""
        distance, radii = level.edge[:, :1], look_up(self.radii, level.node)
        excess = distance - ops.take(radii, level.sender, axis=0) - ops.take(radii, level.receiver, axis=0)
        bases = [
            self.distance_basis(distance[:, 0]),
            *(self.excess_basis(excess[:, k] - SMALLEST_EXCESS) for k in range(N_RADII)),
        ]
        return self.pair(ops.concatenate(bases, axis=-1))

    def read(self, states: States, batch: Batch) -> Tensor:
        """The attentive means of atoms and of motifs, side by side, shape (G, 2 width)."""
        n_graphs = ops.shape(batch.crystal)[0]
        of_atoms = attend(states.atoms, self.atom_score, batch.atoms, n_graphs)
        of_motifs = attend(states.motifs, self.motif_score, batch.motifs, n_graphs)
        return ops.concatenate([of_atoms, of_motifs], axis=-1)

    def _membership(self, batch: Batch) -> Membership:
        weight = ops.expand_dims(batch.motifs.weight, -1)
        return Membership(
            bonds=batch.bonds,
            gate=self.gate(self.length_basis(batch.bonds.length)),
            weight=ops.take(weight, batch.bonds.motif, axis=0),
            is_motif=ops.minimum(weight, 1.0),
        )

    def _sharing(self, level: Level) -> Tensor:
        kind = ops.clip(ops.cast(level.edge[:, 1], "int32"), 1, N_SHARED_KINDS) - 1
        parts = [
            self.sharing_basis(level.edge[:, 0]),
            self.angle_basis(level.edge[:, 2]),
            ops.one_hot(kind, N_SHARED_KINDS),
        ]
        return self.sharing(ops.concatenate(parts, axis=-1))


def _radii(shape: tuple[int, ...], dtype: Any = None) -> Tensor:
    """The radii that elements begin with."""
    return ops.convert_to_tensor(np.repeat(RADIUS[:, None], shape[1], axis=1), dtype)
