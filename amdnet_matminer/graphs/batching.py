"""Several crystals laid end to end in arrays of a few fixed sizes.

Compiled networks want the same array shapes again and again. So crystals are
dealt into batches of nearly equal size, and each batch is padded to a step of a
coarse ladder of sizes, all padding in one dummy graph at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.graphs.crystal import AtomGraph, DualGraph
from amdnet_matminer.motifs import MotifGraph
from amdnet_matminer.motifs.types import FloatArray, IntArray


class Level(NamedTuple):
    """The atoms, or the motifs, of a batch: N nodes and P directed edges, padding included."""

    node: IntArray | FloatArray
    """(N,) atomic numbers, or (N, 61) motif fingerprints."""
    weight: FloatArray
    """(N,) multiplicity; 0 for padding."""
    graph: IntArray
    """(N,) index of the node's crystal."""
    sender: IntArray
    """(P,) node index."""
    receiver: IntArray
    """(P,) node index."""
    distance: FloatArray
    """(P,) in angstrom."""


class Batch(NamedTuple):
    """Several dual graphs end to end; the only input that the network knows."""

    crystal: FloatArray
    """(G,) 1 for a crystal, 0 for padding; the last graph is always padding."""
    atoms: Level
    motifs: Level


class Sizes(NamedTuple):
    """How many graphs, atoms, atom pairs, motifs and motif edges there are."""

    graphs: int
    atoms: int
    pairs: int
    motifs: int
    edges: int


def sizes_of(graphs: Sequence[DualGraph]) -> NDArray[np.int64]:
    """Count the parts of each crystal.

    Args:
        graphs: S crystals; a view of graphs on disk has counted them before.

    Returns:
        Columns in the order of ``Sizes``, shape (S, 5).
    """
    if hasattr(graphs, "sizes"):
        sizes: NDArray[np.int64] = graphs.sizes
        return sizes
    counts = [
        (1, len(g.atoms.atomic_number), len(g.atoms.sender), len(g.motifs.center), len(g.motifs.sender))
        for g in graphs
    ]
    return np.array(counts, dtype=np.int64).reshape(-1, 5)


class SizeLadder(NamedTuple):
    """The array sizes that batches are padded to: a first step and a growth from step to step."""

    first: tuple[float, ...]
    """What a typical batch needs, in the order of ``Sizes``."""
    growth: float = 1.2
    """Ratio of each step to the one before."""

    @classmethod
    def for_crystals(cls, sizes: NDArray[np.int64], batch_size: int) -> SizeLadder:
        """A ladder whose first step holds ``batch_size`` average crystals, with a little room.

        Args:
            sizes: Counts of the S crystals, as ``sizes_of`` gives them, shape (S, 5).
            batch_size: Number of crystals in a batch.

        Returns:
            The ladder.
        """
        typical = np.maximum(sizes.mean(axis=0), 1.0) * min(batch_size, len(sizes))
        return cls(tuple((typical * np.array([1.0, 1.05, 1.05, 1.05, 1.05])).tolist()))

    def step_for(self, needed: NDArray[np.int64]) -> Sizes:
        """The smallest step that holds a batch.

        Args:
            needed: Summed counts of the batch, shape (5,).

        Returns:
            Array sizes, with room for the padding graph and its nodes.
        """
        excess = float((needed / np.array(self.first)).max())
        # Rounding must not push a batch that fills a step exactly onto the next one.
        step = max(0, int(np.ceil(np.log(excess) / np.log(self.growth) - 1e-9)))
        room = np.ceil(np.array(self.first) * self.growth**step - 1e-6).astype(int)
        return Sizes(*(np.maximum(room, needed) + np.array([1, 1, 0, 1, 0])).tolist())


def deal(
    sizes: NDArray[np.int64], n_batches: int, rng: np.random.Generator | None = None
) -> list[NDArray[np.int64]]:
    """Deal crystals into batches of nearly equal size, as cards are dealt from a sorted deck.

    Sorted by size and cut into strata of ``n_batches`` crystals; every batch gets
    one crystal of each stratum, a random one if ``rng`` is given.

    Args:
        sizes: Counts of the S crystals, shape (S, 5).
        n_batches: Number of batches.
        rng: Source of the random choice within the strata.

    Returns:
        The crystal indices of each batch; together every crystal once.
    """
    largest_first = np.argsort(-sizes[:, 1:].sum(axis=1), kind="stable")
    hands: list[list[int]] = [[] for _ in range(n_batches)]
    for round_, start in enumerate(range(0, len(sizes), n_batches)):
        stratum = largest_first[start : start + n_batches]
        if rng is not None:
            places = rng.permutation(n_batches)[: len(stratum)]
        else:
            # To and fro, so that no batch gets the larger one every time.
            places = np.arange(n_batches)[:: 1 if round_ % 2 == 0 else -1][: len(stratum)]
        for crystal, place in zip(stratum.tolist(), places.tolist(), strict=True):
            hands[place].append(crystal)
    return [np.array(hand, dtype=np.int64) for hand in hands]


def batch_graphs(graphs: Sequence[DualGraph], sizes: Sizes) -> Batch:
    """Lay crystals end to end and pad them to fixed sizes.

    Args:
        graphs: The crystals of the batch, in order.
        sizes: Array sizes; at least one graph, atom and motif more than the crystals have.

    Returns:
        The batch; crystal i of ``graphs`` is graph i.

    Raises:
        ValueError: The crystals do not fit.
    """
    needed = Sizes(*sizes_of(graphs).sum(axis=0).tolist())
    spare = np.array(sizes) - np.array(needed)
    if (spare < np.array([1, 1, 0, 1, 0])).any():
        raise ValueError(f"crystals need {needed} and padding nodes, which exceeds {sizes}")
    crystal = np.zeros(sizes.graphs, dtype=np.float32)
    crystal[: len(graphs)] = 1.0
    atoms = [g.atoms for g in graphs]
    motifs = [g.motifs for g in graphs]
    return Batch(
        crystal,
        _lay(atoms, [a.atomic_number for a in atoms], sizes.graphs, sizes.atoms, sizes.pairs),
        _lay(motifs, [m.fingerprint for m in motifs], sizes.graphs, sizes.motifs, sizes.edges),
    )


def _lay(
    levels: Sequence[AtomGraph] | Sequence[MotifGraph],
    nodes: Sequence[IntArray | FloatArray],
    n_graphs: int,
    n_nodes: int,
    n_edges: int,
) -> Level:
    """One level of several crystals, end to end, padded to ``n_nodes`` and ``n_edges``."""
    counts = [len(node) for node in nodes]
    shift = np.repeat(np.cumsum([0, *counts[:-1]]), [len(level.sender) for level in levels])
    sender = np.concatenate([level.sender for level in levels]) + shift
    receiver = np.concatenate([level.receiver for level in levels]) + shift
    return Level(
        node=_pad(np.concatenate(nodes), n_nodes, 0),
        weight=_pad(np.concatenate([level.multiplicity for level in levels]).astype(np.float32), n_nodes, 0),
        graph=_pad(np.repeat(np.arange(len(counts), dtype=np.int32), counts), n_nodes, n_graphs - 1),
        sender=_pad(sender.astype(np.int32), n_edges, n_nodes - 1),
        receiver=_pad(receiver.astype(np.int32), n_edges, n_nodes - 1),
        distance=_pad(np.concatenate([level.distance for level in levels]), n_edges, 0),
    )


def _pad(array: NDArray, length: int, value: int) -> NDArray:
    padded = np.full((length, *array.shape[1:]), value, dtype=array.dtype)
    padded[: len(array)] = array
    return padded
