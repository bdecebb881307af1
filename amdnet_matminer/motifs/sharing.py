"""How motifs share ligands: corners, edges and faces of coordination polyhedra."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.crystal_arrays import CrystalArrays, Indices, Vectors, spans
from amdnet_matminer.motifs.types import Environments, FloatArray, IntArray

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
    crystals: CrystalArrays,
    center: IntArray,
    environments: Environments,
    bond: Vectors,
    joined: NDArray[np.bool_],
) -> Sharing:
    """Join every two motifs that have a ligand in common.

    Two bonds to one ligand site, ``(m, l, v)`` and ``(n, l, w)``, meet at the same
    atom when the centre n is moved by the lattice translation v - w. So all bonds
    are paired by their ligand site, and pairs with the same ``(m, n, v - w)`` are
    the shared ligands of one edge.

    Args:
        crystals: The crystals of the motifs.
        center: Site index of the M centres, shape (M,).
        environments: Their L ligands.
        bond: Vector from centre to ligand in angstrom, shape (L, 3).
        joined: Whether a motif is to receive edges, shape (M,).

    Returns:
        The edges, sorted by receiver, then sender, then image.
    """
    motif = np.repeat(np.arange(len(center), dtype=np.int32), np.diff(environments.offset))
    # All pairs at once: an anion of many bonds makes few pairs, and a loop over motifs would be slow.
    first, second = _pairs_of_groups(environments.neighbor, joined[motif])
    image = environments.image[first] - environments.image[second]
    # A motif shares every ligand with itself; with its own images only some, and these are edges.
    other = (motif[first] != motif[second]) | image.any(axis=1)
    first, second, image = first[other], second[other], image[other]
    low = image.min(axis=0, initial=0)
    span = image.max(axis=0, initial=0) - low + 1
    n = len(center)
    # One number for each (receiver, sender, image): sorting rows would cost twice the time.
    key = np.ravel_multi_index((motif[first], motif[second], *(image - low).T), (n, n, *span))
    _, one, edge_of, n_shared = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    receiver, sender, image = motif[first[one]], motif[second[one]], image[one]
    between = crystals.between(center[receiver], center[sender], image)
    angles = np.bincount(edge_of.ravel(), weights=_angle(bond[first], bond[second]), minlength=len(one))
    return Sharing(
        sender=sender.astype(np.int32),
        receiver=receiver.astype(np.int32),
        image=image.astype(np.int32),
        distance=np.linalg.norm(between, axis=1).astype(np.float32),
        n_shared=n_shared.astype(np.int32),
        angle=(angles / np.maximum(n_shared, 1)).astype(np.float32),
    )


def _pairs_of_groups(group: IntArray, leads: NDArray[np.bool_]) -> tuple[Indices, Indices]:
    """All ordered pairs of positions with equal ``group`` whose first one leads; each with itself too."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    first = np.flatnonzero(leads)
    start = np.searchsorted(ordered, group[first])
    size = np.searchsorted(ordered, group[first], side="right") - start
    return np.repeat(first, size), order[spans(start, size)]


def _angle(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles between rows, in degrees."""
    cosine = (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
