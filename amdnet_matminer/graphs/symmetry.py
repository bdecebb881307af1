"""Smaller graphs that an invariant network reads the same.

Symmetry-equivalent sites have equal surroundings, so such a network gives them
equal states at every layer. One site of each orbit, with its multiplicity and the
edges that end at it, says as much as all of them.
"""

from __future__ import annotations

import numpy as np
import spglib
from pymatgen.core import Structure

from amdnet_matminer.graphs.crystal import DualGraph
from amdnet_matminer.motifs import MotifGraph
from amdnet_matminer.motifs.types import IntArray


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

    The far end of an edge points at the representative of its orbit; ``image`` keeps
    the translation of the atom that was there.

    Args:
        graph: Both graphs of a crystal of N sites.
        orbit: Representative of each site, shape (N,).

    Returns:
        The reduced graphs; multiplicities sum to the counts before.
    """
    atoms, motifs = graph
    return DualGraph(
        atoms._replace(
            atomic_number=atoms.atomic_number[np.unique(orbit)],
            **_reduce_edges(
                atoms.sender, atoms.receiver, orbit, {"image": atoms.image, "distance": atoms.distance}
            ),
            multiplicity=_orbit_sizes(orbit, atoms.multiplicity),
        ),
        _reduce_motifs(motifs, orbit),
    )


def _reduce_motifs(motifs: MotifGraph, site_orbit: IntArray) -> MotifGraph:
    # The motif of the representative site stands for the motifs of all its orbit.
    motif_at = np.zeros(len(site_orbit), dtype=np.int32)
    motif_at[motifs.center] = np.arange(len(motifs.center))
    orbit = motif_at[site_orbit[motifs.center]]
    kept = np.unique(orbit)
    of_kept = np.isin(np.repeat(np.arange(len(orbit)), motifs.coordination), kept)
    edge_fields = ("image", "distance", "n_shared", "angle")
    return motifs._replace(
        **{name: getattr(motifs, name)[kept] for name in ("center", "name", "fingerprint")},
        **{name: getattr(motifs, name)[of_kept] for name in ("ligand", "ligand_image", "bond_length")},
        ligand_offset=np.concatenate([[0], np.cumsum(motifs.coordination[kept])]).astype(np.int32),
        **_reduce_edges(
            motifs.sender, motifs.receiver, orbit, {name: getattr(motifs, name) for name in edge_fields}
        ),
        multiplicity=_orbit_sizes(orbit, motifs.multiplicity),
    )


def _reduce_edges(
    sender: IntArray, receiver: IntArray, orbit: IntArray, fields: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    representatives, position = np.unique(orbit, return_inverse=True)
    kept = np.isin(receiver, representatives)
    ends = {"sender": position[sender[kept]], "receiver": position[receiver[kept]]}
    return {name: index.astype(np.int32) for name, index in ends.items()} | {
        name: values[kept] for name, values in fields.items()
    }


def _orbit_sizes(orbit: IntArray, multiplicity: IntArray) -> IntArray:
    _, position = np.unique(orbit, return_inverse=True)
    return np.bincount(position, weights=multiplicity).astype(np.int32)
