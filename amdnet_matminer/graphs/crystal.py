"""The typed graphs of one crystal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Composition, Element, Structure

from amdnet_matminer.crystal_arrays import CrystalArrays, Indices
from amdnet_matminer.motifs import MotifGraph
from amdnet_matminer.motifs.types import FloatArray, IntArray
from amdnet_matminer.validation.parameters import check_ranges

if TYPE_CHECKING:
    from amdnet_matminer.graphs.converter import DualGraphConverter


class AtomGraph(NamedTuple):
    """The atoms of one crystal and the pairs of neighbours among them.

    N atoms, P directed pairs; a pair runs from ``sender`` (translated by
    ``image``) to ``receiver`` (in the home cell). Periodic images are pairs of
    their own.
    """

    atomic_number: IntArray
    """(N,) atomic number Z."""
    sender: IntArray
    """(P,) atom index."""
    receiver: IntArray
    """(P,) atom index."""
    image: IntArray
    """(P, 3) lattice translation of the sender."""
    distance: FloatArray
    """(P,) in angstrom."""
    multiplicity: IntArray
    """(N,) number of symmetry-equivalent atoms that the node stands for."""
    edge_multiplicity: IntArray
    """(P,) number of pairs of equal ends and distance that the edge stands for."""

    def __repr__(self) -> str:
        """Formula and counts: ``AtomGraph(Ti2 O4: 6 atoms, 190 pairs)``."""
        numbers, counts = self.atomic_number.tolist(), self.multiplicity.tolist()
        amounts: Counter[str] = Counter()
        for number, count in zip(numbers, counts, strict=True):
            amounts[Element.from_Z(number).symbol] += count
        formula = Composition(amounts).formula
        n_pairs = int((self.multiplicity[self.receiver] * self.edge_multiplicity).sum())
        return f"AtomGraph({formula}: {self.multiplicity.sum()} atoms, {n_pairs} pairs)"


# No tuple, since numpy would take a list of such for an array of several dimensions.
@dataclass(frozen=True, eq=False)
class DualGraph:
    """One crystal read twice, as atoms and as motifs."""

    atoms: AtomGraph
    motifs: MotifGraph
    converter: DualGraphConverter | None = None
    """How the graph was made; None if by other means, so that no estimator takes it."""

    @property
    def levels(self) -> tuple[AtomGraph, MotifGraph]:
        """Atoms and motifs."""
        return self.atoms, self.motifs

    @property
    def n_atoms(self) -> int:
        """Number of atoms in the cell."""
        return int(self.atoms.multiplicity.sum())

    def __repr__(self) -> str:
        """Both levels in a line."""
        return f"DualGraph({self.atoms!r}, {self.motifs!r})"


SHELL_WIDTH = 0.02
"""Neighbours whose distances differ by less than this are equally near, in angstrom."""


def atom_graph(structure: Structure, cutoff: float = 5.0, n_neighbors: int | None = None) -> AtomGraph:
    """Connect every atom with its neighbours within ``cutoff``.

    Args:
        structure: An ordered crystal of N sites.
        cutoff: Largest distance of a pair, in angstrom.
        n_neighbors: If given, each atom receives only from this many, the nearest,
            and from those as near as the last of them.

    Returns:
        The graph; an atom without neighbours stays, as a node without pairs.

    Raises:
        ValueError: ``cutoff`` or ``n_neighbors`` is out of its range.
    """
    check_ranges({"cutoff": cutoff, "n_neighbors": n_neighbors})
    return connect_atoms(CrystalArrays.of([structure]), np.arange(len(structure)), cutoff, n_neighbors)


def connect_atoms(
    crystals: CrystalArrays, receivers: NDArray[np.integer], cutoff: float, n_neighbors: int | None
) -> AtomGraph:
    """As ``atom_graph``, of some crystals as one graph whose atoms are numbered throughout.

    Args:
        crystals: The crystals.
        receivers: Sites that receive pairs, ascending; others only send.
        cutoff: As in ``atom_graph``.
        n_neighbors: As in ``atom_graph``.

    Returns:
        The graph, pairs in the order of their receivers.
    """
    center, sender, image, distance = crystals.neighbors_within(cutoff, receivers)
    if n_neighbors is not None:
        near = _nearest(center, distance, n_neighbors)
        center, sender, image, distance = center[near], sender[near], image[near], distance[near]
    return AtomGraph(
        atomic_number=crystals.atomic_number,
        sender=sender.astype(np.int32),
        receiver=receivers[center].astype(np.int32),
        image=image,
        distance=distance.astype(np.float32),
        multiplicity=np.ones(len(crystals.kind), dtype=np.int32),
        edge_multiplicity=np.ones(len(distance), dtype=np.int32),
    )


def split_atoms(union: AtomGraph, offset: Indices) -> list[AtomGraph]:
    """Take the graph of several crystals apart.

    Args:
        union: The atoms of S crystals, numbered throughout.
        offset: First atom of each crystal and the number of all, shape (S + 1,).

    Returns:
        The graphs of the crystals, each numbered from 0.
    """
    pairs = np.searchsorted(union.receiver, offset)
    parts = []
    for (first, end), (first_pair, end_pair) in zip(
        pairwise(offset.tolist()), pairwise(pairs.tolist()), strict=True
    ):
        nodes, edges = slice(first, end), slice(first_pair, end_pair)
        parts.append(
            AtomGraph(
                atomic_number=union.atomic_number[nodes],
                sender=union.sender[edges] - np.int32(first),
                receiver=union.receiver[edges] - np.int32(first),
                image=union.image[edges],
                distance=union.distance[edges],
                multiplicity=union.multiplicity[nodes],
                edge_multiplicity=union.edge_multiplicity[edges],
            )
        )
    return parts


def _nearest(receiver: Indices, distance: NDArray[np.float64], n_neighbors: int) -> Indices:
    """Which pairs join a receiver to one of its nearest neighbours, nearest first."""
    order = np.lexsort((distance, receiver))
    _, start, count = np.unique(receiver[order], return_index=True, return_counts=True)
    last = distance[order][start + np.minimum(count, n_neighbors) - 1]
    return order[distance[order] < np.repeat(last, count) + SHELL_WIDTH]
