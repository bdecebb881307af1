"""From a crystal structure to its motif graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from pymatgen.core import Structure

from amdnet_matminer.motifs.centers import center_sites
from amdnet_matminer.motifs.fast import fast_environments
from amdnet_matminer.motifs.labels import motif_names
from amdnet_matminer.motifs.reference import reference_environments
from amdnet_matminer.motifs.sharing import share_ligands
from amdnet_matminer.motifs.types import Environments, IntArray, MotifGraph
from amdnet_matminer.validation import check_structure

EngineName = Literal["fast", "reference"]
_ENGINES: dict[str, Callable[[Structure, IntArray], Environments]] = {
    "fast": fast_environments,
    "reference": reference_environments,
}


def motif_graph(structure: Structure, engine: EngineName = "fast") -> MotifGraph:
    """Find the structure motifs of a crystal and how they share ligands.

    A motif is a centre with its bonded anions, a coordination polyhedron
    (Pauling's first rule; Banjade et al., Science Advances 7, eabf1754, 2021).
    Bonds are those of pymatgen's CrystalNN. In a crystal without anions, an
    element or an alloy, every site is a centre and all its bonds are ligands.

    Args:
        structure: An ordered crystal, of any chemistry and in any site order.
        engine: What finds the bonds and fingerprints: ``"fast"``, our own array
            arithmetic, or ``"reference"``, pymatgen and matminer as they are, a
            hundred times slower.

    Returns:
        The motif graph, centres in the order of the sites.

    Raises:
        StructureError: The structure is disordered, empty or has overlapping atoms.
        ValueError: The engine is unknown.
    """
    check_structure(structure)
    if engine not in _ENGINES:
        raise ValueError(f"engine must be one of {sorted(_ENGINES)}, got {engine!r}")
    center, anions = center_sites(structure)
    environments = _keep_ligands(_ENGINES[engine](structure, center), structure, anions)
    motif = np.repeat(np.arange(len(center), dtype=np.int32), np.diff(environments.offset))
    lattice = structure.lattice.matrix
    position = structure.cart_coords
    ligand_position = position[environments.neighbor] + environments.image @ lattice
    bond = ligand_position - position[center[motif]]
    edges = share_ligands(
        position[center], ligand_position, lattice, motif, environments.neighbor, environments.image
    )
    return MotifGraph(
        center=center,
        name=motif_names(
            structure, center, environments.neighbor, environments.offset, environments.fingerprint
        ),
        fingerprint=environments.fingerprint,
        ligand=environments.neighbor,
        ligand_image=environments.image,
        ligand_offset=environments.offset,
        bond_length=np.linalg.norm(bond, axis=1).astype(np.float32),
        multiplicity=np.ones(len(center), dtype=np.int32),
        **edges._asdict(),
    )


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
