"""Smaller graphs that an invariant network reads the same.

Symmetry-equivalent sites have equal surroundings, so such a network gives them
equal states at every layer. One site of each orbit, with its multiplicity and the
edges that end at it, says as much as all of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import spglib
from pymatgen.core import Structure

from amdnet_matminer.graphs.crystal import AtomGraph, DualGraph
from amdnet_matminer.motifs import MotifGraph
from amdnet_matminer.motifs.types import IntArray

EQUAL = {"distance": 1e-3, "n_shared": 1, "angle": 0.1}
"""Edges of equal ends are equal if these agree within so much, in angstrom and degrees."""


def site_orbits(structure: Structure, tolerance: float) -> IntArray:
    """Find which sites are equivalent by the symmetry of the crystal.

    Args:
        structure: A crystal of N sites.
        tolerance: How far atoms may be from their ideal places, in angstrom.

    Returns:
        The first site of each site's orbit, shape (N,). Where spglib finds no
        symmetry every site is its own.
    """
    lattice, positions = structure.lattice.matrix.tolist(), structure.frac_coords.tolist()
    cell = (lattice, positions, structure.atomic_numbers)
    try:
        symmetry = spglib.get_symmetry_dataset(cell, symprec=tolerance)
    except spglib.SpglibError:  # a cell too odd for spglib is still a crystal, only not a smaller one
        symmetry = None
    if symmetry is None:
        return np.arange(len(structure), dtype=np.int32)
    # Of the primitive cell: the symmetry of an oblong supercell alone would leave out rotations.
    _, first, orbit = np.unique(symmetry.crystallographic_orbits, return_index=True, return_inverse=True)
    return first[orbit].astype(np.int32)


def reduce_by_symmetry(graph: DualGraph, orbit: IntArray) -> DualGraph:
    """Keep one atom and one motif of each orbit, with the edges that end at it.

    The far end of an edge points at the representative of its orbit. Edges that then
    have equal ends and equal features are one edge, with their number; ``image`` is
    the translation of the first of them. Ligands name sites of the reduced graph.

    Args:
        graph: Both graphs of a crystal of N sites.
        orbit: Representative of each site, shape (N,).

    Returns:
        The reduced graphs; multiplicities sum to the counts before.
    """
    atoms = graph.atoms
    return replace(
        graph,
        atoms=atoms._replace(
            atomic_number=atoms.atomic_number[np.unique(orbit)],
            **_reduce_edges(atoms, orbit, ("distance",)),
            multiplicity=_orbit_sizes(orbit, atoms.multiplicity),
        ),
        motifs=_reduce_motifs(graph.motifs, orbit),
    )


def _reduce_motifs(motifs: MotifGraph, site_orbit: IntArray) -> MotifGraph:
    # The motif of the representative site stands for the motifs of all its orbit.
    motif_at = np.zeros(len(site_orbit), dtype=np.int32)
    motif_at[motifs.center] = np.arange(len(motifs.center))
    orbit = motif_at[site_orbit[motifs.center]]
    kept = np.unique(orbit)
    of_kept = np.isin(np.repeat(np.arange(len(orbit)), motifs.coordination), kept)
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
        ligand_offset=np.concatenate([[0], np.cumsum(motifs.coordination[kept])]).astype(np.int32),
        **_reduce_edges(motifs, orbit, ("distance", "n_shared", "angle")),
        multiplicity=_orbit_sizes(orbit, motifs.multiplicity),
    )


def _reduce_edges(
    level: AtomGraph | MotifGraph, orbit: IntArray, features: tuple[str, ...]
) -> dict[str, np.ndarray]:
    representatives, place = np.unique(orbit, return_inverse=True)
    # A node receives the edges of its own site only: those of equivalent sites are the same ones again.
    kept = np.flatnonzero(np.isin(level.receiver, representatives))
    ends = place[level.receiver[kept]], place[level.sender[kept]]
    # Rounded to what counts as equal, so that np.unique finds edges whose features differ by noise.
    columns = [np.round(getattr(level, name)[kept] / EQUAL[name]) for name in features]
    _, first, edge = np.unique(np.stack([*ends, *columns]), axis=1, return_index=True, return_inverse=True)
    merged = {name: getattr(level, name)[kept[first]] for name in ("image", *features)}
    number = np.bincount(edge.ravel(), level.edge_multiplicity[kept], minlength=len(first))
    integers = {"receiver": ends[0][first], "sender": ends[1][first], "edge_multiplicity": number}
    return merged | {name: values.astype(np.int32) for name, values in integers.items()}


def _orbit_sizes(orbit: IntArray, multiplicity: IntArray) -> IntArray:
    _, place = np.unique(orbit, return_inverse=True)
    return np.bincount(place, weights=multiplicity).astype(np.int32)
