"""Networks that are tried beside ``"amdnet"``, one thing changed in each, and weights that are averaged."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
from keras import ops
from pymatgen.core import Element

from amdnet_matminer.architectures import NetworkConfig, register
from amdnet_matminer.graphs.batching import Batch, Level
from amdnet_matminer.network.amdnet import AMDNet, GatedBlock
from amdnet_matminer.network.base import States
from amdnet_matminer.network.layers import MLP, GaussianBasis, Tensor, Topology, pool_mean, silu
from amdnet_matminer.training.callbacks import BestWeights
from amdnet_matminer.validation.structures import HEAVIEST_ELEMENT

ELEMENTS = [Element.from_Z(z) for z in range(1, HEAVIEST_ELEMENT + 1)]


class Electronegativities(AMDNet):
    """A pair also starts from the difference of the electronegativities of its elements (Pauling)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that noble gases have none
            values = [1.5 if np.isnan(element.X) else element.X for element in ELEMENTS]
        self.electronegativity = np.array([0.0, *values], dtype="float32")  # none of padding
        self.difference_basis = GaussianBasis(32, 6.6, 0.4)
        self.difference = MLP((32, config.width), silu, linear_output=True)

    def first_pairs(self, level: Level) -> Tensor:
        """Vectors of pairs, shape (P, width)."""
        value = ops.take(self.electronegativity, level.node)
        difference = ops.take(value, level.sender) - ops.take(value, level.receiver)
        return super().first_pairs(level) + self.difference(self.difference_basis(difference + 3.3))


class PairVectors(AMDNet):
    """What a pair starts from is also multiplied by vectors of its two elements."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        start = keras.initializers.RandomUniform(-0.1, 0.1)
        self.as_sender = self.add_weight((HEAVIEST_ELEMENT + 1, config.width), start, name="as_sender")
        self.as_receiver = self.add_weight((HEAVIEST_ELEMENT + 1, config.width), start, name="as_receiver")

    @property
    def not_for_muon(self) -> list[keras.Variable]:
        """Tables of vectors, and scores."""
        return [*super().not_for_muon, self.as_sender, self.as_receiver]

    def first_pairs(self, level: Level) -> Tensor:
        """Vectors of pairs, shape (P, width)."""
        sender = ops.take(ops.take(self.as_sender, level.node, axis=0), level.sender, axis=0)
        receiver = ops.take(ops.take(self.as_receiver, level.node, axis=0), level.receiver, axis=0)
        return super().first_pairs(level) * (1.0 + sender) * (1.0 + receiver)


class LocalScale(AMDNet):
    """A pair also starts from its distance over the least distance of its receiver."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.ratio_basis = GaussianBasis(32, 2.0, 0.1)
        self.ratio = MLP((32, config.width), silu, linear_output=True)

    def first_pairs(self, level: Level) -> Tensor:
        """Vectors of pairs, shape (P, width)."""
        # Padding is no neighbour.
        distance = ops.where(level.edge_weight > 0, level.edge[:, 0], 1e3)
        nearest = -ops.segment_max(-distance, level.receiver, num_segments=ops.shape(level.node)[0])
        ratio = distance / ops.maximum(ops.take(nearest, level.receiver), 0.1)
        return super().first_pairs(level) + self.ratio(self.ratio_basis(ratio - 1.0))


class KnowsMean(AMDNet):
    """In every block atoms and motifs also see the mean of all atoms."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        sizes = (config.width, 3 * config.width, self.dropout)
        self.atom_blocks = [self.block(*sizes) for _ in range(config.n_blocks)]
        self.motif_blocks = [self.block(*sizes) for _ in range(config.n_blocks)]

    def states(self, batch: Batch, training: bool = False) -> States:
        """The last vectors of atoms and motifs."""
        of_atoms, of_motifs = Topology.of(batch.atoms), Topology.of(batch.motifs)
        members, n_graphs = self._membership(batch), ops.shape(batch.crystal)[0]
        atoms, pairs = self.first_atoms(batch.atoms), self.first_pairs(batch.atoms)
        motifs, sharing = self.motif(batch.motifs.node), self._sharing(batch.motifs)
        for atom_block, motif_block in zip(self.atom_blocks, self.motif_blocks, strict=True):
            mean = pool_mean(atoms, of_atoms.weight, of_atoms.graph, n_graphs)
            seen_by_atoms = members.read_motifs(motifs, ops.shape(atoms)[0])
            seen_by_atoms.append(ops.take(mean, of_atoms.graph, axis=0))
            seen_by_motifs = [*members.read_atoms(atoms), ops.take(mean, of_motifs.graph, axis=0)]
            atoms, pairs = atom_block(atoms, pairs, seen_by_atoms, of_atoms, training=training)
            motifs, sharing = motif_block(motifs, sharing, seen_by_motifs, of_motifs, training=training)
        return States(atoms, motifs)


class PartsAddUp(AMDNet):
    """Predictions are means over what is predicted of each atom and of each motif."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.of_atom = MLP((config.width, config.width, config.n_outputs), silu, linear_output=True)
        self.of_motif = MLP((config.width, config.width, config.n_outputs), silu, linear_output=True)

    def call(self, batch: Batch, training: bool = False) -> Tensor:
        """Scaled predictions, shape (G, n_outputs)."""
        states, n_graphs = self.states(batch, training), ops.shape(batch.crystal)[0]
        parts = [
            pool_mean(head(nodes), ops.expand_dims(level.weight, -1), level.graph, n_graphs)
            for head, nodes, level in (
                (self.of_atom, states.atoms, batch.atoms),
                (self.of_motif, states.motifs, batch.motifs),
            )
        ]
        return parts[0] + parts[1]


class MetalGate(AMDNet):
    """Predictions lie between a floor, which is learned and that of metals, and what a second head says."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.floor = self.add_weight((config.n_outputs,), "zeros", name="floor")
        self.has_gap = MLP((2 * config.width, config.width, config.n_outputs), silu, linear_output=True)

    def call(self, batch: Batch, training: bool = False) -> Tensor:
        """Scaled predictions, shape (G, n_outputs)."""
        read = self.read(self.states(batch, training), batch)
        return self.floor + ops.sigmoid(self.has_gap(read)) * (self.head(read) - self.floor)


class KnowsComposition(AMDNet):
    """What is made of the mean of the first vectors of atoms, which no neighbour has changed, is added."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.of_composition = MLP((config.width, config.width, config.n_outputs), silu, linear_output=True)

    def call(self, batch: Batch, training: bool = False) -> Tensor:
        """Scaled predictions, shape (G, n_outputs)."""
        weight, n_graphs = ops.expand_dims(batch.atoms.weight, -1), ops.shape(batch.crystal)[0]
        composition = pool_mean(self.first_atoms(batch.atoms), weight, batch.atoms.graph, n_graphs)
        return super().call(batch, training) + self.of_composition(composition)


class NormalisedBlock(GatedBlock):
    """What a block adds to nodes and edges it makes of vectors of mean square 1 (arXiv 1910.07467)."""

    def call(
        self, nodes: Tensor, edges: Tensor, context: list[Tensor], t: Topology, training: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Update nodes (N, width) and edges (P, width)."""
        node, edge = _normalised(nodes), _normalised(edges)
        new_nodes, new_edges = super().call(node, edge, context, t, training)
        return nodes + new_nodes - node, edges + new_edges - edge


class Normalised(AMDNet):
    """Blocks see vectors of mean square 1."""

    block = NormalisedBlock


class Breathing(AMDNet):
    """In training each crystal is a little larger or smaller than it is.

    Relaxed crystals are at a minimum of their energy, so a change of size changes it in second order only:
    with 100 GPa and 15 cubic angstrom an atom, 0.5% in length by 1 meV/atom.
    """

    change = 0.005

    def states(self, batch: Batch, training: bool = False) -> States:
        """The last vectors of atoms and motifs."""
        if not training:
            return super().states(batch)
        drawn = keras.random.normal(ops.shape(batch.crystal), seed=self.dropout.random)
        size = 1.0 + self.change * drawn
        of_bonds = ops.take(size, ops.take(batch.atoms.graph, batch.bonds.ligand))
        resized = batch._replace(
            atoms=_stretched(batch.atoms, size),
            motifs=_stretched(batch.motifs, size),
            bonds=batch.bonds._replace(length=batch.bonds.length * of_bonds),
        )
        return super().states(resized, training)


def _normalised(vectors: Tensor) -> Tensor:
    """Rows of mean square 1, but for those that are 0."""
    return vectors * ops.rsqrt(ops.mean(ops.square(vectors), axis=-1, keepdims=True) + 1e-6)


def _stretched(level: Level, size: Tensor) -> Level:
    """A level whose edges are so many times as long; their length is the first column."""
    times = ops.expand_dims(ops.take(size, ops.take(level.graph, level.receiver)), -1)
    return level._replace(edge=ops.concatenate([level.edge[:, :1] * times, level.edge[:, 1:]], axis=-1))


NETWORKS = {
    "electronegativities": Electronegativities,
    "pairs times elements": PairVectors,
    "local scale": LocalScale,
    "the mean in every block": KnowsMean,
    "parts add up": PartsAddUp,
    "a gate for metals": MetalGate,
    "composition beside": KnowsComposition,
    "normalised vectors": Normalised,
    "breathing crystals": Breathing,
}


def register_networks() -> None:
    """Make them known as architectures."""
    for name, network in NETWORKS.items():
        register(name)(network)


class AveragedWeights(BestWeights):
    """Judge and keep the running mean of the weights (Polyak and Juditsky 1992) in place of the last ones."""

    decay = 0.998
    steps = 0

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Begin the mean with the initial weights."""
        super().on_train_begin(logs)
        self.mean = self.model.get_weights()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Take the step's weights into the mean."""
        decay = min(self.decay, self.steps / (self.steps + 10.0))
        weights = self.model.get_weights()
        self.mean = [decay * m + (1 - decay) * w for m, w in zip(self.mean, weights, strict=True)]
        self.steps += 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Judge the epoch by the mean, and let the training go on from where it was."""
        current = self.model.get_weights()
        self.model.set_weights(self.mean)
        super().on_epoch_end(epoch, logs)
        self.model.set_weights(current)
