"""The motif graphs of several crystals as one graph, taken apart."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from amdnet_matminer.crystal_arrays import Indices
from amdnet_matminer.motifs.types import MotifGraph


def split_motifs(union: MotifGraph, offset: Indices) -> list[MotifGraph]:
    """Take the graph of several crystals apart.

    Args:
        union: The motifs of S crystals, whose sites and motifs are numbered throughout.
        offset: First site of each crystal and the number of all, shape (S + 1,).

    Returns:
        The graphs of the crystals, each numbered from 0.
    """
    motifs = np.searchsorted(union.center, offset)
    edges = np.searchsorted(union.receiver, motifs)
    rows = zip(pairwise(motifs.tolist()), pairwise(edges.tolist()), offset.tolist(), strict=False)
    return [_part(union, slice(*of_motifs), slice(*of_edges), site) for of_motifs, of_edges, site in rows]


def _part(union: MotifGraph, motifs: slice, edges: slice, first_site: int) -> MotifGraph:
    ligands = slice(*union.ligand_offset[[motifs.start, motifs.stop]].tolist())
    return MotifGraph(
        center=union.center[motifs] - np.int32(first_site),
        # Not a view: an array of text is as wide as its longest one, here of another crystal.
        name=np.array(union.name[motifs].tolist(), dtype=np.str_),
        symmetry_measure=union.symmetry_measure[motifs],
        bond_angle_variance=union.bond_angle_variance[motifs],
        quadratic_elongation=union.quadratic_elongation[motifs],
        fingerprint=union.fingerprint[motifs],
        ligand=union.ligand[ligands] - np.int32(first_site),
        ligand_image=union.ligand_image[ligands],
        ligand_offset=union.ligand_offset[motifs.start : motifs.stop + 1] - np.int32(ligands.start),
        bond_length=union.bond_length[ligands],
        sender=union.sender[edges] - np.int32(motifs.start),
        receiver=union.receiver[edges] - np.int32(motifs.start),
        image=union.image[edges],
        distance=union.distance[edges],
        n_shared=union.n_shared[edges],
        angle=union.angle[edges],
        multiplicity=union.multiplicity[motifs],
        edge_multiplicity=union.edge_multiplicity[edges],
    )
