"""Smaller graphs that an invariant network reads the same.

Symmetry-equivalent sites have equal surroundings, so such a network gives them
equal states at every layer. One site of each orbit, with its multiplicity and the
edges that end at it, says as much as all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from amdnet_matminer.crystal_arrays import Indices
from amdnet_matminer.graphs.crystal import AtomGraph
from amdnet_matminer.motifs import MotifGraph

EQUAL = {"distance": 1e-3, "n_shared": 1, "angle": 0.1}
"""Edges of equal ends are equal if these agree within so much, in angstrom and degrees."""


def reduce_atoms(atoms: AtomGraph, orbit: Indices) -> AtomGraph:
    """Keep one atom of each orbit, with the edges that it receives.

    The far end of an edge points at the representative of its orbit. Edges that then
    have equal ends and equal features are one edge, with their number; ``image`` is
    the translation of the first of them.

    Args:
        atoms: The atoms of crystals of N sites.
        orbit: Representative of each site, shape (N,); of the edges, those that it receives are read.

    Returns:
        The reduced graph; multiplicities sum to the counts before.
    """
    representatives, place = np.unique(orbit, return_inverse=True)
    return atoms._replace(
        atomic_number=atoms.atomic_number[representatives],
        **_reduce_edges(atoms, orbit, ("distance",)),
        multiplicity=np.bincount(place, atoms.multiplicity).astype(np.int32),
    )


def reduce_motifs(motifs: MotifGraph, site_orbit: Indices) -> MotifGraph:
    """Keep one motif of each orbit, as ``reduce_atoms`` does; ligands name sites of the reduced graph.

    Args:
        motifs: The motifs of crystals of N sites.
        site_orbit: Representative of each site, shape (N,).

    Returns:
        The reduced graph.
    """
    # The motif of the representative site stands for the motifs of all its orbit.
    motif_at = np.zeros(len(site_orbit), dtype=np.intp)
    motif_at[motifs.center] = np.arange(len(motifs.center))
    orbit = motif_at[site_orbit[motifs.center]]
    kept, motif = np.unique(orbit, return_inverse=True)
    is_kept = np.zeros(len(orbit), dtype=np.bool_)
    is_kept[kept] = True
    coordination = motifs.coordination
    of_kept = np.repeat(is_kept, coordination)
    place = np.unique(site_orbit, return_inverse=True)[1].astype(np.int32)
    return motifs._replace(
        center=place[motifs.center[kept]],
        name=motifs.name[kept],
        symmetry_measure=motifs.symmetry_measure[kept],
        bond_angle_variance=motifs.bond_angle_variance[kept],
        quadratic_elongation=motifs.quadratic_elongation[kept],
        fingerprint=motifs.fingerprint[kept],
        ligand=place[motifs.ligand[of_kept]],
        ligand_image=motifs.ligand_image[of_kept],
        bond_length=motifs.bond_length[of_kept],
        ligand_offset=np.concatenate([[0], np.cumsum(coordination[kept])]).astype(np.int32),
        **_reduce_edges(motifs, orbit, ("distance", "n_shared", "angle")),
        multiplicity=np.bincount(motif, motifs.multiplicity, len(kept)).astype(np.int32),
    )


def _reduce_edges(level: AtomGraph | MotifGraph, orbit: Indices, features: tuple[str, ...]) -> dict[str, Any]:
    representatives, place = np.unique(orbit, return_inverse=True)
    # A node receives the edges of its own site only: those of equivalent sites are the same ones again.
    own = np.zeros(len(orbit), dtype=np.bool_)
    own[representatives] = True
    kept = np.flatnonzero(own[level.receiver])
    receiver, sender = place[level.receiver[kept]], place[level.sender[kept]]
    # Rounded to what counts as equal, so that edges whose features differ by noise are equal.
    columns = [np.round(getattr(level, name)[kept] / EQUAL[name]) for name in features]
    order = np.lexsort((*columns[::-1], sender, receiver))
    differs = np.zeros(len(order), dtype=np.bool_)
    for column in (receiver, sender, *columns):
        differs[1:] |= np.diff(column[order]) != 0
    differs[:1] = True
    start = np.flatnonzero(differs)
    first = order[start]
    number = np.add.reduceat(level.edge_multiplicity[kept][order], start)
    merged = {name: getattr(level, name)[kept[first]] for name in ("image", *features)}
    integers = {"receiver": receiver[first], "sender": sender[first], "edge_multiplicity": number}
    return merged | {name: values.astype(np.int32) for name, values in integers.items()}
