"""Several crystals laid end to end in arrays of a few fixed sizes.

Compiled networks want the same array shapes again and again. So crystals are
shared out to batches of nearly equal size, most of which need the same shapes, and
each batch is padded to a step of a coarse ladder of sizes, all padding in one
dummy graph at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

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
    edge: FloatArray
    """(P, F) distance in angstrom; for motifs also the number of shared ligands and the angle in degrees."""
    edge_weight: FloatArray
    """(P,) number of equal edges that the edge stands for; 0 for padding."""


class Bonds(NamedTuple):
    """Which atoms the motifs of a batch are made of: M motifs with B ligands in all, padding included."""

    center: IntArray
    """(M,) atom index of each motif's centre."""
    motif: IntArray
    """(B,) motif index."""
    ligand: IntArray
    """(B,) atom index."""
    length: FloatArray
    """(B,) in angstrom."""


class Batch(NamedTuple):
    """Several dual graphs end to end; the only input that the network knows."""

    crystal: FloatArray
    """(G,) 1 for a crystal, 0 for padding; the last graph is always padding."""
    atoms: Level
    motifs: Level
    bonds: Bonds


class Sizes(NamedTuple):
    """How many graphs, atoms, atom pairs, motifs, motif edges and bonds of motifs there are."""

    graphs: int
    atoms: int
    pairs: int
    motifs: int
    edges: int
    bonds: int


MOST_EXCHANGED = 64
"""Batches that crystals change places between at a time; more take longer and are hardly more equal."""

SHARES = 8
"""Array sizes are multiples of this, so that a batch can be cut into as many equal parts for devices."""

PADDING = Sizes(graphs=1, atoms=1, pairs=0, motifs=1, edges=0, bonds=0)
"""What padding needs at least: edges and bonds that fill an array need ends."""


def sizes_of(graphs: Sequence[DualGraph]) -> NDArray[np.int64]:
    """Count the parts of each crystal.

    Args:
        graphs: S crystals; a view of graphs on disk has counted them before.

    Returns:
        Columns in the order of ``Sizes``, shape (S, 6).
    """
    if hasattr(graphs, "sizes"):
        sizes: NDArray[np.int64] = graphs.sizes
        return sizes
    counts = [
        (1, len(a.atomic_number), len(a.sender), len(m.center), len(m.sender), len(m.ligand))
        for a, m in (graph.levels for graph in graphs)
    ]
    return np.array(counts, dtype=np.int64).reshape(-1, len(Sizes._fields))


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
            sizes: Counts of the S crystals, as ``sizes_of`` gives them, shape (S, 6).
            batch_size: Number of crystals in a batch.

        Returns:
            The ladder.
        """
        typical = np.maximum(sizes.mean(axis=0), 1.0) * min(batch_size, len(sizes))
        typical[1:] *= 1.05
        return cls(tuple(typical.tolist()))

    def holding(self, batch_size: int) -> SizeLadder:
        """The ladder whose first step holds as many crystals at least.

        Args:
            batch_size: Number of average crystals.

        Returns:
            A ladder in the same proportions, or this one if it does already.
        """
        factor = max(1.0, batch_size / self.first[0])
        return SizeLadder(tuple(factor * count for count in self.first), self.growth)

    def n_batches(self, sizes: NDArray[np.int64]) -> int:
        """How many batches of the first step's size it takes to hold crystals.

        Args:
            sizes: Counts of the S crystals, shape (S, 6).

        Returns:
            The number, S at most.
        """
        return min(len(sizes), int(np.ceil((sizes.sum(axis=0) / np.array(self.first)).max())))

    def step_for(self, needed: NDArray[np.int64]) -> Sizes:
        """The smallest step that holds a batch.

        Args:
            needed: Summed counts of the batch, shape (6,).

        Returns:
            Array sizes, with room for the padding graph and its nodes, multiples of ``SHARES``.
        """
        excess = float((needed / np.array(self.first)).max())
        # Rounding must not push a batch that fills a step exactly onto the next one.
        step = max(0, int(np.ceil(np.log(excess) / np.log(self.growth) - 1e-9)))
        room = np.ceil(np.array(self.first) * self.growth**step - 1e-6).astype(int)
        shares = np.ceil((np.maximum(room, needed) + np.array(PADDING)) / SHARES).astype(int)
        return Sizes(*(shares * SHARES).tolist())


def balanced_batches(
    sizes: NDArray[np.int64], n_batches: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Share crystals out to random batches of nearly equal size, by each of the counts.

    Sorted by size and cut into strata of ``n_batches`` crystals, a random one of each stratum
    for every batch. Then, from the largest crystals on, those of a stratum change places such
    that the squares of the batches' counts sum to the least: of batches that hold r without
    crystals of sizes s, the one assignment for which the sum of s · r is least.

    Args:
        sizes: Counts of the S crystals, shape (S, 6).
        n_batches: Number of batches.
        rng: Source of the random choices.

    Returns:
        The crystal indices of each batch; together every crystal once.
    """
    share = sizes[:, 1:] / np.maximum(sizes[:, 1:].mean(axis=0), 1.0)
    n_strata = -(-len(sizes) // n_batches)
    nobody = len(sizes)
    strata = np.full((n_strata, n_batches), nobody)
    strata.flat[:nobody] = np.argsort(-share.max(axis=1), kind="stable")
    strata = rng.permuted(strata, axis=1)
    share = np.vstack([share, np.zeros(share.shape[1])])
    filled = share[strata].sum(axis=0)
    # Adding a crystal of sizes s to a batch that holds r makes its squares sum to |r|² + 2 r·s + |s|². All
    # |r|² and |s|² are given, so which crystals go where is a matter of r·s only: a linear assignment.
    for stratum in strata:
        for group in np.array_split(rng.permutation(n_batches), -(-n_batches // MOST_EXCHANGED)):
            moved = stratum[group]
            others = filled[group] - share[moved]
            _, crystal = linear_sum_assignment((others - others.mean(axis=0)) @ share[moved].T)
            stratum[group] = moved[crystal]
            filled[group] = others + share[stratum[group]]
    return [members[members != nobody] for members in strata.T]


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
    if (spare < np.array(PADDING)).any():
        raise ValueError(f"crystals need {needed} and padding nodes, which exceeds {sizes}")
    crystal = np.zeros(sizes.graphs, dtype=np.float32)
    crystal[: len(graphs)] = 1.0
    atoms, motifs = zip(*(graph.levels for graph in graphs), strict=True)
    return Batch(
        crystal,
        _lay(atoms, [a.atomic_number for a in atoms], ("distance",), sizes.graphs, sizes.atoms, sizes.pairs),
        _lay(
            motifs,
            [m.fingerprint for m in motifs],
            ("distance", "n_shared", "angle"),
            sizes.graphs,
            sizes.motifs,
            sizes.edges,
        ),
        _bonds(motifs, [len(a.atomic_number) for a in atoms], sizes),
    )


def _lay(
    levels: Sequence[AtomGraph] | Sequence[MotifGraph],
    nodes: Sequence[IntArray | FloatArray],
    features: tuple[str, ...],
    n_graphs: int,
    n_nodes: int,
    n_edges: int,
) -> Level:
    """One level of several crystals, end to end, padded to ``n_nodes`` and ``n_edges``."""
    counts = [len(node) for node in nodes]
    shift = _starts(counts, [len(level.sender) for level in levels])
    edge = [np.concatenate([getattr(level, name) for level in levels]) for name in features]
    return Level(
        node=_pad(nodes, n_nodes),
        weight=_pad([level.multiplicity for level in levels], n_nodes).astype(np.float32),
        graph=_pad([np.repeat(np.arange(len(counts), dtype=np.int32), counts)], n_nodes, n_graphs - 1),
        sender=_pad([level.sender for level in levels], n_edges, n_nodes - 1, shift),
        receiver=_pad([level.receiver for level in levels], n_edges, n_nodes - 1, shift),
        edge=_pad([np.stack(edge, axis=1)], n_edges).astype(np.float32),
        edge_weight=_pad([level.edge_multiplicity for level in levels], n_edges).astype(np.float32),
    )


def _bonds(motifs: Sequence[MotifGraph], n_atoms: list[int], sizes: Sizes) -> Bonds:
    """The atoms of the motifs of several crystals, end to end."""
    n_motifs, n_bonds = [len(m.center) for m in motifs], [len(m.ligand) for m in motifs]
    owner = [np.repeat(np.arange(len(m.center), dtype=np.int32), m.coordination) for m in motifs]
    return Bonds(
        center=_pad([m.center for m in motifs], sizes.motifs, sizes.atoms - 1, _starts(n_atoms, n_motifs)),
        motif=_pad(owner, sizes.bonds, sizes.motifs - 1, _starts(n_motifs, n_bonds)),
        ligand=_pad([m.ligand for m in motifs], sizes.bonds, sizes.atoms - 1, _starts(n_atoms, n_bonds)),
        length=_pad([m.bond_length for m in motifs], sizes.bonds),
    )


def _starts(counts: list[int], repeats: list[int]) -> IntArray:
    """Where the nodes of each crystal start, repeated for each of its indices."""
    return np.repeat(np.cumsum([0, *counts[:-1]]).astype(np.int32), repeats)


def _pad(parts: Sequence[NDArray], length: int, value: int = 0, shift: IntArray | int = 0) -> NDArray:
    """Arrays end to end, shifted, and filled with ``value`` up to ``length`` rows."""
    joined = np.concatenate(parts)
    padded = np.full((length, *joined.shape[1:]), value, dtype=joined.dtype)
    padded[: len(joined)] = joined + shift
    return padded
