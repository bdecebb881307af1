"""From crystal structures to the dual graphs that networks read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Structure

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.errors import StructureError
from amdnet_matminer.graphs.cache import GraphCache, LazyGraphs
from amdnet_matminer.graphs.checks import check_graph
from amdnet_matminer.graphs.crystal import DualGraph, connect_atoms, split_atoms
from amdnet_matminer.graphs.reduction import reduce_atoms, reduce_motifs
from amdnet_matminer.motifs import BOND_RULES, BondRule, MotifGraph, find_motifs, split_motifs
from amdnet_matminer.parallel import map_structures
from amdnet_matminer.symmetry import site_orbits
from amdnet_matminer.validation.parameters import check_ranges
from amdnet_matminer.validation.structures import check_elements, check_structure, check_structures, listed


@dataclass(frozen=True)
class DualGraphConverter:
    """What turns crystals into graphs; equal converters make equal graphs.

    An estimator has one, ``converter_``, and takes graphs of an equal one in the place of
    structures, so that they are made once for many fits:

    Example:
        >>> from pymatgen.core import Lattice, Structure
        >>> salt = Structure.from_spacegroup(
        ...     "Fm-3m", Lattice.cubic(4.212), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
        ... )
        >>> graph = DualGraphConverter(n_neighbors=6).convert(salt)
        >>> graph.n_atoms, graph.motifs.name.tolist()
        (8, ['MgO6 octahedral'])

    Args:
        atom_cutoff: Largest distance of an atom pair, in angstrom.
        n_neighbors: If given, each atom is joined to this many nearest neighbours only.
        motifs: Whose list makes a bond of a motif, a rule of ``motif_graph``; None leaves the
            motif graph empty, for networks that read atoms only.
        symmetry_reduction: Whether one atom and one motif of each orbit are kept,
            with multiplicities, instead of all.

    Raises:
        ValueError: There is no such rule, or a parameter is out of its range.
    """

    atom_cutoff: float = 5.0
    n_neighbors: int | None = None
    motifs: BondRule | None = "own"
    symmetry_reduction: bool = True

    def __post_init__(self) -> None:
        check_ranges(asdict(self))
        if self.motifs is not None and self.motifs not in BOND_RULES:
            raise ValueError(f"motifs must be None or one of {sorted(BOND_RULES)}, got {self.motifs!r}")

    def convert(self, structure: Structure) -> DualGraph:
        """Read a crystal as a graph of atoms and a graph of motifs.

        Args:
            structure: A crystal.

        Returns:
            Both graphs.

        Raises:
            StructureError: The structure cannot be used.
        """
        return self.convert_few([structure])[0]

    def convert_few(self, structures: Sequence[Any]) -> list[DualGraph]:
        """Read some crystals at once, which takes less time than one after another, but memory for all.

        Args:
            structures: S crystals.

        Returns:
            S graphs.

        Raises:
            StructureError: A structure cannot be used.
        """
        checked = [check_structure(structure) for structure in structures]
        check_elements(checked)
        return dual_graphs(checked, self)

    def convert_many(
        self,
        structures: Iterable[Structure],
        n_jobs: int | None = None,
        cache_dir: str | Path | None = None,
        verbose: bool = False,
    ) -> Sequence[DualGraph]:
        """Read many crystals; all are checked before the first graph is made.

        Args:
            structures: S crystals.
            n_jobs: Number of processes, as joblib counts them.
            cache_dir: Folder that keeps graphs; they then are read when asked for. None
                holds them in memory.
            verbose: Whether to show a progress bar.

        Returns:
            S graphs.

        Raises:
            StructureError: A structure cannot be used.
            OSError: A file in the folder cannot be read or written.
        """
        return self.convert_checked(self.check(structures), n_jobs, cache_dir, verbose)

    def check(self, crystals: Iterable[Any]) -> Sequence[Any]:
        """Check crystals before anything is done with them.

        Args:
            crystals: S structures, or S graphs that an equal converter made.

        Returns:
            The same, as a sequence.

        Raises:
            StructureError: One cannot be used, or is a graph of another converter.
        """
        if isinstance(crystals, LazyGraphs) and len(
            crystals
        ):  # of one converter, and checked when they are read
            self._check_maker(crystals[0], 0)
            return crystals
        # As scikit-learn has them in one column, a graph may be a row.
        items = [
            item[0] if isinstance(item, np.ndarray) and item.shape == (1,) else item
            for item in listed(crystals)
        ]
        if not any(isinstance(item, DualGraph) for item in items):
            structures = check_structures(items)
            check_elements(structures)
            return structures
        for index, item in enumerate(items):
            self._check_maker(item, index)
            try:
                check_graph(item)
            except StructureError as error:
                raise error.at(index=index) from error.__cause__
        return items

    def convert_checked(
        self,
        crystals: Sequence[Any],
        n_jobs: int | None = None,
        cache_dir: str | Path | None = None,
        verbose: bool = False,
    ) -> Sequence[DualGraph]:
        """As ``convert_many``, of what ``check`` gave; graphs stay as they are."""
        if isinstance(crystals, LazyGraphs) or isinstance(crystals[0], DualGraph):
            return crystals
        if cache_dir is not None:
            cache = GraphCache(cache_dir, dual_graphs, DualGraph, converter=self)
            return cache.graphs(crystals, n_jobs, verbose)
        work = partial(dual_graphs, converter=self)
        return list(map_structures(work, crystals, n_jobs, "graphs", verbose))

    def _check_maker(self, item: Any, index: int) -> None:
        if not isinstance(item, DualGraph):
            reason = f"is a {type(item).__name__} among graphs"
            raise StructureError(reason, "give structures only or graphs only", index=index)
        if not isinstance(item.converter, DualGraphConverter):
            reason = "is not known to be made by a converter"
        elif item.converter == self:
            return
        else:
            there, here = asdict(item.converter), asdict(self)
            differing = [
                f"{name} {there[name]!r}, not {here[name]!r}" for name in here if here[name] != there[name]
            ]
            reason = f"was made with {', '.join(differing)}"
        remedy = "make it with the model's converter, converter_ or, before a fit, graph_converter()"
        raise StructureError(reason, remedy, index=index, subject="graph")


def dual_graphs(structures: Sequence[Structure], converter: DualGraphConverter) -> list[DualGraph]:
    """Read some crystals that have been checked, all at once.

    Args:
        structures: S crystals.
        converter: How they are read.

    Returns:
        S graphs.

    Raises:
        StructureError: No graph can be made of one of them.
    """
    crystals = CrystalArrays.of(structures)
    sites = np.arange(len(crystals.kind))
    orbits = site_orbits(crystals)
    kept = np.unique(orbits.representative) if converter.symmetry_reduction else sites
    atoms = connect_atoms(crystals, kept, converter.atom_cutoff, converter.n_neighbors)
    motifs = find_motifs(crystals, orbits, kept, bonds=converter.motifs) if converter.motifs else None
    if converter.symmetry_reduction:
        atoms = reduce_atoms(atoms, orbits.representative)
        motifs = motifs and reduce_motifs(motifs, orbits.representative)
    offset = np.searchsorted(kept, crystals.offset)
    levels = zip(
        split_atoms(atoms, offset),
        split_motifs(motifs, offset) if motifs else [MotifGraph.empty()] * len(crystals),
        strict=True,
    )
    return [DualGraph(atoms, motifs, converter) for atoms, motifs in levels]
