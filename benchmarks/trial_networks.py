"""Networks that are tried beside ``"amdnet"``, one thing changed in each, and weights that are averaged."""

from __future__ import annotations

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
from amdnet_matminer.validation import HEAVIEST_ELEMENT

ELEMENTS = [Element.from_Z(z) for z in range(1, HEAVIEST_ELEMENT + 1)]
MEAN_RADIUS = 1.5
"""In angstrom, for elements whose atomic radius nobody has measured."""


def of_elements(values: list[Any], dtype: str) -> np.ndarray:
    """A number for each atomic number, 0 for none, which padding has."""
    return np.array([0, *values], dtype=dtype)


class PeriodsAndGroups(AMDNet):
    """An element's vector is that of its own, of its period and of its group, added."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        start = keras.initializers.RandomUniform(-0.1, 0.1)
        self.row = self.add_weight((10, config.width), start, name="row")
        self.group = self.add_weight((19, config.width), start, name="group")
        self.row_of = of_elements([element.row for element in ELEMENTS], "int32")
        self.group_of = of_elements([element.group for element in ELEMENTS], "int32")

    @property
    def not_for_muon(self) -> list[keras.Variable]:
        """Tables of vectors, and scores."""
        return [*super().not_for_muon, self.row, self.group]

    def first_atoms(self, level: Level) -> Tensor:
        """Vectors of atoms, shape (N, width)."""
        row = ops.take(self.row, ops.take(self.row_of, level.node), axis=0)
        group = ops.take(self.group, ops.take(self.group_of, level.node), axis=0)
        return super().first_atoms(level) + row + group


class RelativeDistances(AMDNet):
    """A pair also starts from what its distance is more than the sum of the two atomic radii."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        radii = [float(element.atomic_radius or MEAN_RADIUS) for element in ELEMENTS]
        self.radius = of_elements(radii, "float32")
        self.excess_basis = GaussianBasis(32, 6.0, 0.3)
        self.excess = MLP((32, config.width), silu, linear_output=True)

    def first_pairs(self, level: Level) -> Tensor:
        """Vectors of pairs, shape (P, width)."""
        radius = ops.take(self.radius, level.node)
        apart = level.edge[:, 0] - ops.take(radius, level.sender) - ops.take(radius, level.receiver)
        # Atoms may be nearer than their radii; the basis begins at 0.
        return super().first_pairs(level) + self.excess(self.excess_basis(apart + 2.0))


class NormalisedGates(GatedBlock):
    """Messages are a mean weighted by their gates."""

    def receive(self, edges: Tensor, sent: Tensor, t: Topology, n_nodes: Any) -> Tensor:
        """What each node receives, shape (N, width)."""
        return pool_mean(sent, t.received * ops.sigmoid(edges), t.receiver, n_nodes)


class WithNormalisedGates(AMDNet):
    """Blocks whose messages are a mean weighted by their gates."""

    block = NormalisedGates


class Together(PeriodsAndGroups, RelativeDistances):
    """What helps alone: periods and groups, relative distances, and gates that are normalised."""

    block = NormalisedGates


class NormedBlock(GatedBlock):
    """Nodes and contexts are brought to a root mean square of 1 before they are read."""

    def call(
        self, nodes: Tensor, edges: Tensor, context: list[Tensor], t: Topology, training: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Update nodes (N, width) and edges (P, width)."""
        read = normed(nodes)
        changed, edges = super().call(read, edges, [normed(c) for c in context], t, training)
        return nodes + changed - read, edges


def normed(values: Tensor) -> Tensor:
    """Rows divided by their root mean square; padding stays at 0."""
    return values * ops.rsqrt(ops.mean(ops.square(values), axis=-1, keepdims=True) + 1e-3)


class WithNormedBlocks(AMDNet):
    """Blocks that read nodes of one size."""

    block = NormedBlock


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


class Offsets(AMDNet):
    """The mean of a number for each element is added to the prediction."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.offset = self.add_weight((HEAVIEST_ELEMENT + 1, config.n_outputs), "zeros", name="offset")

    @property
    def not_for_muon(self) -> list[keras.Variable]:
        """Tables of vectors, and scores."""
        return [*super().not_for_muon, self.offset]

    def call(self, batch: Batch, training: bool = False) -> Tensor:
        """Scaled predictions, shape (G, n_outputs)."""
        level = batch.atoms
        weight = ops.expand_dims(level.weight, -1)
        offsets = ops.take(self.offset, level.node, axis=0)
        mean = pool_mean(offsets, weight, level.graph, ops.shape(batch.crystal)[0])
        return super().call(batch, training=training) + mean


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


def _stretched(level: Level, size: Tensor) -> Level:
    """A level whose edges are so many times as long; their length is the first column."""
    times = ops.expand_dims(ops.take(size, ops.take(level.graph, level.receiver)), -1)
    return level._replace(edge=ops.concatenate([level.edge[:, :1] * times, level.edge[:, 1:]], axis=-1))


class Trembling(AMDNet):
    """In training the distance of each pair of atoms is a little wrong."""

    change = 0.02
    """Standard deviation, in angstrom."""

    def states(self, batch: Batch, training: bool = False) -> States:
        """The last vectors of atoms and motifs."""
        if training:
            edge = ops.convert_to_tensor(batch.atoms.edge)
            drawn = keras.random.normal(ops.shape(edge), seed=self.dropout.random)
            batch = batch._replace(atoms=batch.atoms._replace(edge=edge + self.change * drawn))
        return super().states(batch, training)


NETWORKS = {
    "periods and groups": PeriodsAndGroups,
    "relative distances": RelativeDistances,
    "normalised gates": WithNormalisedGates,
    "these three together": Together,
    "normed blocks": WithNormedBlocks,
    "parts add up": PartsAddUp,
    "offsets of elements": Offsets,
    "breathing crystals": Breathing,
    "trembling distances": Trembling,
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
