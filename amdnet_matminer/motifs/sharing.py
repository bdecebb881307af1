"""How motifs share ligands: corners, edges and faces of coordination polyhedra."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.motifs.types import FloatArray, IntArray

SHARING_TYPES: tuple[str, str, str] = ("corner", "edge", "face")
"""Of 1, 2, and 3 or more shared ligands, as published."""

N_SHARED_KINDS = 4
"""Numbers of shared ligands that the network tells apart, 4 and more being one: squares from triangles."""


class Sharing(NamedTuple):
    """The E directed edges of a motif graph; fields as in ``MotifGraph``."""

    sender: IntArray
    receiver: IntArray
    image: IntArray
    distance: FloatArray
    n_shared: IntArray
    angle: FloatArray


def sharing_type(n_shared: IntArray) -> IntArray:
    """Classify edges by their number of shared ligands.

    Args:
        n_shared: Number of shared ligands of each edge, at least 1, shape (E,).

    Returns:
        Index into ``SHARING_TYPES``: 0 corner, 1 edge, 2 face (3 or more), shape (E,).
    """
    return np.clip(n_shared, 1, 3).astype(np.int32) - 1


def share_ligands(
    center_position: NDArray[np.float64],
    ligand_position: NDArray[np.float64],
    lattice: NDArray[np.float64],
    motif: IntArray,
    ligand: IntArray,
    ligand_image: IntArray,
) -> Sharing:
    """Join every two motifs that have a ligand in common.

    Two bonds to one ligand site, ``(m, l, v)`` and ``(n, l, w)``, meet at the same
    atom when the centre n is moved by the lattice translation v - w. So all bonds
    are paired by their ligand site, and pairs with the same ``(m, n, v - w)`` are
    the shared ligands of one edge.

    Args:
        center_position: Cartesian position of the M centres, in angstrom, shape (M, 3).
        ligand_position: Cartesian position of the ligand of each bond, its image
            included, in angstrom, shape (L, 3).
        lattice: Rows are the lattice vectors in angstrom, shape (3, 3).
        motif: Motif index of each bond, shape (L,).
        ligand: Ligand site of each bond, shape (L,).
        ligand_image: Lattice translation of the ligand, shape (L, 3).

    Returns:
        The edges, sorted by receiver, then sender, then image.
    """
    # All pairs at once: an anion of many bonds makes few pairs, and a loop over motifs would be slow.
    first, second = _pairs_within_groups(ligand)
    image = ligand_image[first] - ligand_image[second]
    # A motif shares every ligand with itself; with its own images only some, and these are edges.
    itself = (motif[first] == motif[second]) & ~image.any(axis=1)
    first, second, image = first[~itself], second[~itself], image[~itself]
    low = image.min(axis=0, initial=0)
    span = image.max(axis=0, initial=0) - low + 1
    n = len(center_position)
    # One number for each (receiver, sender, image): sorting rows would cost twice the time.
    key = np.ravel_multi_index((motif[first], motif[second], *(image - low).T), (n, n, *span))
    _, one, edge_of, n_shared = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    receiver, sender, image = motif[first[one]], motif[second[one]], image[one]
    between = center_position[sender] + image @ lattice - center_position[receiver]
    to_receiver = center_position[motif[first]] - ligand_position[first]
    to_sender = center_position[motif[second]] - ligand_position[second]
    angles = np.bincount(edge_of.ravel(), weights=_angle(to_receiver, to_sender), minlength=len(one))
    return Sharing(
        sender=sender.astype(np.int32),
        receiver=receiver.astype(np.int32),
        image=image.astype(np.int32),
        distance=np.linalg.norm(between, axis=1).astype(np.float32),
        n_shared=n_shared.astype(np.int32),
        angle=(angles / np.maximum(n_shared, 1)).astype(np.float32),
    )


def _pairs_within_groups(group: IntArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All ordered pairs of positions with equal ``group``, each position with itself too."""
    order = np.argsort(group, kind="stable")
    _, start, size = np.unique(group[order], return_index=True, return_counts=True)
    first = np.repeat(np.arange(len(group)), np.repeat(size, size))
    n_pairs = np.repeat(size, size)
    step = np.arange(n_pairs.sum()) - np.repeat(np.cumsum(n_pairs) - n_pairs, n_pairs)
    second = np.repeat(np.repeat(start, size), n_pairs) + step
    return order[first], order[second]


def _angle(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles between rows, in degrees."""
    cosine = (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
