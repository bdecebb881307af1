"""What each network of an ensemble says of the nodes of crystals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.graphs import Batch, DualGraph
from amdnet_matminer.graphs import batching as layout
from amdnet_matminer.network import Network
from amdnet_matminer.network.gradients import Quantity, integrated_gradients, states_of
from amdnet_matminer.training import (
    Compilation,
    compiled_network,
    precision,
    prediction_batches,
    prediction_ladder,
)
from amdnet_matminer.validation.parameters import place_of

Level = Literal["motif", "atom"]
LEVELS: tuple[Level, ...] = get_args(Level)
Weights = list[NDArray[np.float32]]
T = TypeVar("T")


class Contributions(NamedTuple):
    """What the nodes of one crystal's graph contribute to its prediction."""

    atoms: NDArray[np.float64]
    """(N,) of each atom, with all that it stands for."""
    motifs: NDArray[np.float64]
    """(M,) of each motif, with all that it stands for."""
    baseline: float
    """What is said of nodes that tell nothing."""
    prediction: float
    """The baseline and all contributions."""

    def times(self, factor: float) -> Contributions:
        """All of it, so many times."""
        atoms, motifs, baseline, prediction = self
        return Contributions(factor * atoms, factor * motifs, factor * baseline, factor * prediction)


def explain_members(
    compilation: Compilation, weights: Sequence[Weights], graphs: Sequence[DualGraph], quantity: Quantity
) -> list[Contributions]:
    """Share out what an ensemble says of crystals to their atoms and motifs.

    Args:
        compilation: Of the network.
        weights: Of the M members.
        graphs: S crystals.
        quantity: What is explained, as of ``integrated_gradients``.

    Returns:
        The mean over the members, for each crystal.

    Raises:
        NotImplementedError: The network does not read crystals from states of atoms and motifs.
    """

    def ask(network: Network, batch: Batch) -> Iterable[Contributions]:
        found = integrated_gradients(network, batch, quantity)
        nodes = _by_crystal(found.atoms, batch.atoms), _by_crystal(found.motifs, batch.motifs)
        # Graphs of padding are the last.
        return map(Contributions, *nodes, found.baseline.tolist(), found.value.tolist())

    members = _ask_members(ask, compilation, weights, graphs)
    return [
        Contributions(*(np.mean(values, axis=0) for values in zip(*answers, strict=True)))
        for answers in zip(*members, strict=True)
    ]


def embed_members(
    compilation: Compilation, weights: Sequence[Weights], graphs: Sequence[DualGraph], level: Level
) -> NDArray[np.float32]:
    """The last vectors of motifs or of atoms.

    Args:
        compilation: Of a network that has D numbers for each.
        weights: Of the M members.
        graphs: S crystals, of N nodes in all.
        level: Which nodes.

    Returns:
        Those of all members side by side, crystal after crystal, shape (N, M D).

    Raises:
        NotImplementedError: The network has no such vectors.
        ValueError: There is no such level.
    """
    place = place_of("level", level, LEVELS)

    def ask(network: Network, batch: Batch) -> list[NDArray[np.float32]]:
        vectors = states_of(network, batch)
        return _by_crystal((vectors.motifs, vectors.atoms)[place], (batch.motifs, batch.atoms)[place])

    members = _ask_members(ask, compilation, weights, graphs)
    return np.concatenate([np.concatenate(answers) for answers in members], axis=1)


def _ask_members(
    ask: Callable[[Network, Batch], Iterable[T]],
    compilation: Compilation,
    weights: Sequence[Weights],
    graphs: Sequence[DualGraph],
) -> list[list[T]]:
    """What each member answers to each crystal; ``ask`` has an answer for each of a batch, in order."""
    members = []
    with precision("float32"), compiled_network(compilation, only_predicts=True) as network:
        ladder = prediction_ladder(network, graphs)
        for arrays in weights:
            network.set_weights(arrays)
            answers: dict[int, T] = {}
            for crystals, batch in prediction_batches(graphs, ladder):
                answers |= zip(crystals.tolist(), ask(network, batch), strict=False)
            members.append([answers[number] for number in range(len(graphs))])
    return members


def _by_crystal(values: NDArray[Any], level: layout.Level) -> list[NDArray[Any]]:
    """The values of the nodes of each graph of a batch that is no padding."""
    n_graphs = int(level.graph.max())  # nodes of padding are always there, in the last graph
    return np.split(values, np.searchsorted(level.graph, np.arange(1, n_graphs + 1)))[:-1]
