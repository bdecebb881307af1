"""From a crystal structure to its motif graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.errors import StructureError
from amdnet_matminer.motifs.centers import site_roles
from amdnet_matminer.motifs.fast import fast_environments
from amdnet_matminer.motifs.labels import motif_names
from amdnet_matminer.motifs.reference import reference_environments
from amdnet_matminer.motifs.sharing import share_ligands
from amdnet_matminer.motifs.symmetry_measure import nearest_polyhedra
from amdnet_matminer.motifs.types import BOND_RULES, BondRule, Environments, IntArray, MotifGraph
from amdnet_matminer.motifs.union import split_motifs
from amdnet_matminer.parallel import map_structures, try_structures
from amdnet_matminer.symmetry import SiteOrbits, site_orbits
from amdnet_matminer.validation.structures import check_structure

EngineName = Literal["fast", "reference"]
OnError = Literal["raise", "return"]
_ENGINES: dict[str, Callable[[CrystalArrays, IntArray, SiteOrbits, BondRule], Environments]] = {
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
    return motif_graphs_of([structure], engine, bonds)[0]


def motif_graphs_of(
    structures: Sequence[Any], engine: EngineName = "fast", bonds: BondRule = "either"
) -> list[MotifGraph]:
    """As ``motif_graph``, of some crystals at once, which takes less time than one after another.

    Args:
        structures: S crystals.
        engine: As in ``motif_graph``.
        bonds: As in ``motif_graph``.

    Returns:
        S motif graphs.

    Raises:
        StructureError: One of the structures cannot be used.
    """
    crystals = CrystalArrays.of([check_structure(structure) for structure in structures])
    n_sites = len(crystals.kind)
    # The reference takes nothing for granted, and equivalent sites are asked for one by one.
    orbits = site_orbits(crystals) if engine == "fast" else SiteOrbits.single(n_sites)
    motifs = find_motifs(crystals, orbits, np.arange(n_sites), engine, bonds)
    return split_motifs(motifs, crystals.offset)


def find_motifs(
    crystals: CrystalArrays,
    orbits: SiteOrbits,
    receivers: NDArray[np.integer],
    engine: EngineName = "fast",
    bonds: BondRule = "own",
) -> MotifGraph:
    """Find the motifs of some crystals, as one graph.

    Args:
        crystals: The crystals, of N sites in all.
        orbits: Their symmetry.
        receivers: Sites whose motifs receive edges; others only send them.
        engine: As in ``motif_graph``.
        bonds: As in ``motif_graph``.

    Returns:
        The motifs of all crystals, whose sites and motifs are numbered throughout.

    Raises:
        StructureError: The bonds of a site cannot be found.
    """
    center, is_ligand = site_roles(crystals)
    environments = _keep_ligands(_ENGINES[engine](crystals, center, orbits, bonds), is_ligand)
    motif = np.repeat(np.arange(len(center)), np.diff(environments.offset))
    bond = crystals.between(center[motif], environments.neighbor, environments.image)
    edges = share_ligands(crystals, center, environments, bond, np.isin(center, receivers))
    # Motifs that an operation makes of each other are described once.
    sources, source_of = np.unique(orbits.source[center], return_inverse=True)
    source = np.searchsorted(center, sources)
    described = environments.of(source)
    nearest = nearest_polyhedra(bond[np.isin(motif, source)], described.offset)
    names = motif_names(crystals, center[source], described, nearest.name, nearest.measure)
    return MotifGraph(
        center=center,
        name=np.array(names, dtype=np.str_)[source_of],
        symmetry_measure=nearest.measure[source_of].astype(np.float32),
        bond_angle_variance=nearest.bond_angle_variance[source_of].astype(np.float32),
        quadratic_elongation=nearest.quadratic_elongation[source_of].astype(np.float32),
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
    return find(partial(motif_graphs_of, engine=engine, bonds=bonds), structures, n_jobs, "motifs", verbose)


def _check_choice(name: str, value: str, choices: Iterable[str]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {sorted(choices)}, got {value!r}")


def _keep_ligands(found: Environments, is_ligand: NDArray[np.bool_]) -> Environments:
    """Drop the bonds between centres where there are anions: they join no polyhedra."""
    kept = is_ligand[found.neighbor]
    before = np.concatenate([[0], np.cumsum(kept)])
    return found._replace(
        neighbor=found.neighbor[kept], image=found.image[kept], offset=before[found.offset].astype(np.int32)
    )
