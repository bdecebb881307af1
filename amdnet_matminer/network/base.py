"""What all networks are, and how they get their initial weights."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.architectures import NetworkConfig, network_class
from amdnet_matminer.backend import refuse_forked_process
from amdnet_matminer.graphs.batching import Batch, Sizes, batch_graphs
from amdnet_matminer.graphs.crystal import AtomGraph, DualGraph
from amdnet_matminer.motifs import MotifGraph
from amdnet_matminer.network.layers import Dropout, Tensor
from amdnet_matminer.options import Optimizer


class States(NamedTuple):
    """What a network has made of the parts of a batch before it reads crystals from them."""

    atoms: Tensor
    """(N, D) a vector for each atom, padding included."""
    motifs: Tensor
    """(M, D) a vector for each motif, padding included."""


class Network(keras.Model):
    """A network that reads batches of dual graphs: what ``architecture`` names.

    An architecture is a subclass under ``@register("name")``. The class says what the
    estimators have to know of it, ``call`` what it computes. Layers are made in
    ``__init__``; those of Keras get their weights when the network is built. Dropout is
    that of ``self.dropout``, whose rate the training sets.

    Args:
        config: Sizes.
    """

    used_parameters: ClassVar[frozenset[str]] = frozenset({"width"})
    """The fields of ``NetworkConfig`` that it reads; others do not make it another network."""
    reads_motifs: ClassVar[bool] = True
    """Whether it reads motifs besides atoms; they are not looked for otherwise."""
    reads_published_motifs: ClassVar[bool] = False
    """Whether motif files of the published code have all that it reads of motifs."""
    default_n_neighbors: ClassVar[int | None] = None
    """Nearest neighbours that an atom reads where the estimator does not say; None: all in the cutoff."""
    default_width: ClassVar[int] = 64
    """Width where the estimator does not say."""
    default_optimizer: ClassVar[Optimizer] = "muon"
    """Optimizer where the estimator does not say."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.n_outputs = config.n_outputs
        self.dropout = Dropout()

    @classmethod
    def check(cls, config: NetworkConfig) -> None:
        """Refuse sizes that it cannot have.

        Args:
            config: Sizes, each in the range that it has for all networks.

        Raises:
            ValueError: A size is none that this network can have; the message says which.
        """

    @property
    def not_for_muon(self) -> list[keras.Variable]:
        """Weights of two axes that Adam does better: tables of vectors, and what begins at 0."""
        return []

    def call(self, batch: Batch, training: bool = False) -> Tensor:
        """Predict scaled targets, shape (G, n_outputs), one row per graph, padding included."""
        raise NotImplementedError

    def states(self, batch: Batch) -> States:
        """The last vectors of atoms and motifs; a network with ``read`` may be explained by them.

        Raises:
            NotImplementedError: The network does not read crystals from such vectors alone.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not read crystals from vectors of atoms and motifs alone, so that "
            "what each of them contributes is not known; take architecture='amdnet', or give the class "
            "methods states(batch) and read(states, batch)"
        )

    def read(self, states: States, batch: Batch) -> Tensor:
        """What ``head`` predicts from, of the vectors of atoms and motifs, shape (G, D).

        Of the batch it may ask which crystals there are, and the weight and crystal of each node.
        """
        raise NotImplementedError

    def merged(self, batch: Batch) -> Tensor:
        """What is read of each crystal before the head makes predictions of it, shape (G, D).

        Raises:
            NotImplementedError: The network does not say, so that its crystals have no vectors.
        """
        if type(self).read is not Network.read:
            return self.read(self.states(batch), batch)
        raise NotImplementedError(
            f"{type(self).__name__} does not say what it reads of a crystal; give the class a method "
            "merged(batch) with a vector for each graph, which its head predicts from"
        )


def build_network(config: NetworkConfig, seed: int = 0) -> Network:
    """Make a network that reads batches of dual graphs.

    Args:
        config: Architecture and sizes.
        seed: Of the initial weights. On one Keras backend it gives always the same.

    Returns:
        The network; ``n_outputs`` is its number of targets.

    Raises:
        RuntimeError: This process was forked from one that has computed.
    """
    refuse_forked_process()
    with _seeded_initializers(seed):
        network = network_class(config.architecture)(config)
        if not network.built:
            network(_ONE_ATOM)
    return network


def initial_weights(config: NetworkConfig, seed: int) -> list[NDArray[np.float32]]:
    """The weights that a new network has.

    Args:
        config: Architecture and sizes.
        seed: As of ``build_network``.

    Returns:
        The arrays in the order of ``network.weights``.
    """
    weights: list[NDArray[np.float32]] = build_network(config, seed).get_weights()
    return weights


@contextmanager
def _seeded_initializers(seed: int) -> Iterator[None]:
    """Let Keras' initializers that have no seed draw the same numbers, and leave Python's as they were."""
    # Keras draws the seed of such an initializer from Python's generator.
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


_ATOM = AtomGraph(
    atomic_number=np.ones(1, dtype=np.int32),
    sender=np.zeros(0, dtype=np.int32),
    receiver=np.zeros(0, dtype=np.int32),
    image=np.zeros((0, 3), dtype=np.int32),
    distance=np.zeros(0, dtype=np.float32),
    multiplicity=np.ones(1, dtype=np.int32),
    edge_multiplicity=np.zeros(0, dtype=np.int32),
)
_ONE_ATOM = batch_graphs([DualGraph(_ATOM, MotifGraph.empty())], Sizes(*[8] * len(Sizes._fields)))
"""A batch to build networks with, whose layers ask what comes in."""


def n_read(config: NetworkConfig) -> int:
    """How many numbers a network reads of a crystal before its head.

    Args:
        config: Architecture and sizes.

    Returns:
        The width of ``merged``.

    Raises:
        NotImplementedError: The network does not say.
    """
    return int(build_network(config).merged(_ONE_ATOM).shape[-1])
