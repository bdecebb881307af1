"""From a crystal structure to its motif graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Literal, overload

import numpy as np
from pymatgen.core import Structure

from amdnet_matminer.errors import StructureError
from amdnet_matminer.motifs.centers import center_sites
from amdnet_matminer.motifs.fast import fast_environments
from amdnet_matminer.motifs.labels import motif_names
from amdnet_matminer.motifs.reference import reference_environments
from amdnet_matminer.motifs.sharing import share_ligands
from amdnet_matminer.motifs.symmetry_measure import nearest_polyhedra
from amdnet_matminer.motifs.types import BOND_RULES, BondRule, Environments, IntArray, MotifGraph
from amdnet_matminer.parallel import map_structures, try_structures
from amdnet_matminer.validation import check_structure

EngineName = Literal["fast", "reference"]
OnError = Literal["raise", "return"]
_ENGINES: dict[str, Callable[[Structure, IntArray, BondRule], Environments]] = {
    "fast": fast_environments,
    "reference": reference_environments,
}


def motif_graph(structure: Structure, engine: EngineName = "fast", bonds: BondRule = "either") -> MotifGraph:
    """Find the structure motifs of a crystal and how they share ligands.

    A motif is a centre with its bonded anions, a coordination polyhedron
    (Pauling's first rule; Banjade et al., Science Advances 7, eabf1754, 2021).
    In a crystal without anions, an element or an alloy, every site is a centre and
    all its bonds are ligands.

    Bonds are those of pymatgen's CrystalNN, which looks at one site at a time, so an
    anion may list a centre that does not list it: 4% of the motifs lack ligands by
    their own lists. pymatgen's ``get_bonded_structure``, and robocrystallographer with
    it, count a bond that either end lists. Fingerprints are of the centre's own list by
    either rule.

    Args:
        structure: An ordered crystal, of any chemistry and in any site order: a pymatgen
            structure, or what ``as_structure`` makes one of.
        engine: What finds the bonds and fingerprints: ``"fast"``, our own array
            arithmetic, or ``"reference"``, pymatgen and matminer as they are, a
            hundred times slower.
        bonds: Whose list makes a bond: ``"either"`` end's, or the centre's ``"own"``,
            as AMDNet was published, and as the networks of this package read motifs.

    Returns:
        The motif graph, centres in the order of the sites.

    Raises:
        StructureError: The structure is disordered, empty or has overlapping atoms.
        ValueError: The engine or the rule of bonds is unknown.
    """
    _check_choice("engine", engine, _ENGINES)
    _check_choice("bonds", bonds, BOND_RULES)
    return find_motifs(check_structure(structure), engine, bonds)


def find_motifs(structure: Structure, engine: EngineName = "fast", bonds: BondRule = "own") -> MotifGraph:
    """As ``motif_graph``, of a structure that has been checked."""
    center, anions = center_sites(structure)
    environments = _keep_ligands(_ENGINES[engine](structure, center, bonds), structure, anions)
    motif = np.repeat(np.arange(len(center), dtype=np.int32), np.diff(environments.offset))
    lattice = structure.lattice.matrix
    position = structure.cart_coords
    ligand_position = position[environments.neighbor] + environments.image @ lattice
    bond = ligand_position - position[center[motif]]
    edges = share_ligands(
        position[center], ligand_position, lattice, motif, environments.neighbor, environments.image
    )
    nearest = nearest_polyhedra(bond, environments.offset)
    return MotifGraph(
        center=center,
        name=motif_names(structure, center, environments, nearest.name, nearest.measure),
        symmetry_measure=nearest.measure.astype(np.float32),
        bond_angle_variance=nearest.bond_angle_variance.astype(np.float32),
        quadratic_elongation=nearest.quadratic_elongation.astype(np.float32),
        fingerprint=environments.fingerprint,
        ligand=environments.neighbor,
        ligand_image=environments.image,
        ligand_offset=environments.offset,
        bond_length=np.linalg.norm(bond, axis=1).astype(np.float32),
        multiplicity=np.ones(len(center), dtype=np.int32),
        edge_multiplicity=np.ones(len(edges.sender), dtype=np.int32),
        **edges._asdict(),
    )


@overload
def motif_graphs(
    structures: Iterable[Structure],
    engine: EngineName = ...,
    bonds: BondRule = ...,
    n_jobs: int | None = ...,
    on_error: Literal["raise"] = ...,
    verbose: bool = ...,
) -> Iterator[MotifGraph]: ...
@overload
def motif_graphs(
    structures: Iterable[Structure],
    engine: EngineName = ...,
    bonds: BondRule = ...,
    n_jobs: int | None = ...,
    *,
    on_error: Literal["return"],
    verbose: bool = ...,
) -> Iterator[MotifGraph | StructureError]: ...
def motif_graphs(
    structures: Iterable[Structure],
    engine: EngineName = "fast",
    bonds: BondRule = "either",
    n_jobs: int | None = None,
    on_error: OnError = "raise",
    verbose: bool = False,
) -> Iterator[MotifGraph | StructureError]:
    """Find the motifs of many crystals, in order, holding only a few seconds of work in memory.

    Work is spread by joblib, to processes of this computer or, with
    ``joblib.parallel_config``, to those of Dask or Ray.

    Args:
        structures: The crystals: a list, a Series, or a generator that reads them.
        engine: As in ``motif_graph``.
        bonds: As in ``motif_graph``.
        n_jobs: Number of processes as joblib counts them, -1 for all processors;
            None is one, unless a ``joblib.parallel_config`` says otherwise.
        on_error: ``"raise"`` stops at the first crystal that fails; ``"return"``
            gives, in its place, the error that would have been raised.
        verbose: Whether to show a progress bar.

    Returns:
        An iterator with one motif graph per structure; work begins when it is read.

    Raises:
        StructureError: A crystal cannot be used; the message names its index and the reason.
        ValueError: The engine, the rule of bonds or ``on_error`` is unknown.

    Example:
        >>> graphs = list(motif_graphs(structures, n_jobs=2, on_error="return"))  # doctest: +SKIP
        >>> failed = {i: g for i, g in enumerate(graphs) if isinstance(g, Exception)}  # doctest: +SKIP
    """
    _check_choice("engine", engine, _ENGINES)
    _check_choice("bonds", bonds, BOND_RULES)
    _check_choice("on_error", on_error, ("raise", "return"))
    find = map_structures if on_error == "raise" else try_structures
    return find(partial(motif_graph, engine=engine, bonds=bonds), structures, n_jobs, "motifs", verbose)


def _check_choice(name: str, value: str, choices: Iterable[str]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {sorted(choices)}, got {value!r}")


def _keep_ligands(found: Environments, structure: Structure, anions: frozenset[str]) -> Environments:
    """Drop the bonds between centres where there are anions: they join no polyhedra."""
    if not anions:
        return found
    is_anion = np.array([site.specie.symbol in anions for site in structure])
    kept = is_anion[found.neighbor]
    before = np.concatenate([[0], np.cumsum(kept)])
    return found._replace(
        neighbor=found.neighbor[kept], image=found.image[kept], offset=before[found.offset].astype(np.int32)
    )
