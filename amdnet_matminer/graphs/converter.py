"""From a crystal structure to the dual graph that a network reads."""

from __future__ import annotations

from pymatgen.core import Structure

from amdnet_matminer.graphs.crystal import DualGraph, atom_graph
from amdnet_matminer.graphs.symmetry import reduce_by_symmetry, site_orbits
from amdnet_matminer.motifs import MotifGraph, motif_graph
from amdnet_matminer.motifs.types import BondRule

SYMMETRY_TOLERANCE = 0.01
"""How far atoms may be from their ideal places and still count as equivalent, in angstrom."""


def dual_graph(
    structure: Structure,
    atom_cutoff: float = 5.0,
    n_neighbors: int | None = None,
    with_motifs: bool = True,
    symmetry_reduction: bool = True,
    bonds: BondRule = "own",
) -> DualGraph:
    """Read a crystal as a graph of atoms and a graph of motifs.

    Args:
        structure: A crystal that ``check_structure`` accepts.
        atom_cutoff: Largest distance of an atom pair, in angstrom.
        n_neighbors: If given, each atom is joined to this many nearest neighbours only.
        with_motifs: Whether motifs are looked for; without, the motif graph is
            empty, for networks that read atoms only.
        symmetry_reduction: Whether one atom and one motif of each orbit are kept,
            with multiplicities, instead of all.
        bonds: Whose list makes a bond of a motif, as in ``motif_graph``.

    Returns:
        Both graphs of the crystal.

    Raises:
        StructureError: The structure is disordered, empty or has overlapping atoms.
    """
    motifs = motif_graph(structure, bonds=bonds) if with_motifs else MotifGraph.empty()
    graph = DualGraph(atom_graph(structure, atom_cutoff, n_neighbors), motifs)
    if not symmetry_reduction:
        return graph
    return reduce_by_symmetry(graph, site_orbits(structure, SYMMETRY_TOLERANCE))
