"""The typed graphs of one crystal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from pymatgen.core import Structure

from amdnet_matminer.motifs import MotifGraph
from amdnet_matminer.motifs.types import FloatArray, IntArray


class AtomGraph(NamedTuple):
    """The atoms of one crystal and all pairs of them within a cutoff.

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


class DualGraph(NamedTuple):
    """One crystal read twice, as atoms and as motifs."""

    atoms: AtomGraph
    motifs: MotifGraph


def atom_graph(structure: Structure, cutoff: float = 5.0) -> AtomGraph:
    """Connect every atom with all neighbours within ``cutoff``.

    Args:
        structure: An ordered crystal of N sites.
        cutoff: Largest distance of a pair, in angstrom.

    Returns:
        The graph; an atom without neighbours stays, as a node without pairs.
    """
    receiver, sender, image, distance = structure.get_neighbor_list(cutoff)
    return AtomGraph(
        atomic_number=np.array(structure.atomic_numbers, dtype=np.int32),
        sender=sender.astype(np.int32),
        receiver=receiver.astype(np.int32),
        image=image.astype(np.int32).reshape(-1, 3),
        distance=distance.astype(np.float32),
        multiplicity=np.ones(len(structure), dtype=np.int32),
    )
