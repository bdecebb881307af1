"""Reduced graphs: fewer nodes, the same predictions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from amdnet_matminer.graphs import (
    AtomGraph,
    DualGraph,
    DualGraphConverter,
    SizeLadder,
    batch_graphs,
    sizes_of,
)
from amdnet_matminer.motifs import MotifGraph
from amdnet_matminer.network import NetworkConfig, build_network

SYSTEMS = {
    "triclinic": Lattice.from_parameters(4.1, 4.9, 5.3, 82, 95, 101),
    "monoclinic": Lattice.monoclinic(4.3, 4.9, 5.2, 99),
    "orthorhombic": Lattice.orthorhombic(4.2, 4.8, 5.5),
    "tetragonal": Lattice.tetragonal(4.4, 5.1),
    "trigonal": Lattice.rhombohedral(4.6, 70),
    "hexagonal": Lattice.hexagonal(4.3, 5.0),
    "cubic": Lattice.cubic(4.5),
}
GROUPS = {
    "triclinic": "P-1",
    "monoclinic": "P2/m",
    "orthorhombic": "Pmmm",
    "tetragonal": "P4/mmm",
    "trigonal": "R-3m:R",
    "hexagonal": "P6/mmm",
    "cubic": "Pm-3m",
}


def predictions(graphs: list[DualGraph], architecture: str) -> np.ndarray:
    sizes = sizes_of(graphs)
    batch = batch_graphs(graphs, SizeLadder.for_crystals(sizes, len(graphs)).step_for(sizes.sum(axis=0)))
    return np.asarray(build_network(NetworkConfig.of(architecture), seed=1).merged(batch))[: len(graphs)]


@pytest.mark.parametrize("architecture", ["amdnet", "amdnet-2021"])
@pytest.mark.parametrize("system", GROUPS)
def test_predictions_are_those_of_the_whole_graph(system: str, architecture: str) -> None:
    crystal = Structure.from_spacegroup(
        GROUPS[system], SYSTEMS[system], ["Ti", "O"], [[0, 0, 0], [0.28, 0.28, 0.28]]
    )
    whole, reduced = (
        DualGraphConverter(symmetry_reduction=switch).convert(crystal) for switch in (False, True)
    )
    assert len(reduced.atoms.sender) < len(whole.atoms.sender)
    assert reduced.atoms.multiplicity.sum() == len(crystal)
    assert reduced.motifs.multiplicity.sum() == len(whole.motifs.center)
    np.testing.assert_allclose(*predictions([whole, reduced], architecture), rtol=2e-5, atol=2e-6)


def test_a_crystal_without_symmetry_stays_whole() -> None:
    rng = np.random.default_rng(0)
    crystal = Structure(SYSTEMS["triclinic"], ["Mg", "Si", "O", "O", "O"], rng.random((5, 3)))
    whole, reduced = (
        DualGraphConverter(symmetry_reduction=switch).convert(crystal) for switch in (False, True)
    )
    np.testing.assert_array_equal(whole.atoms.atomic_number, reduced.atoms.atomic_number)
    np.testing.assert_array_equal(whole.motifs.fingerprint, reduced.motifs.fingerprint)
    np.testing.assert_array_equal(whole.motifs.ligand, reduced.motifs.ligand)
    for before, after in zip(whole.levels, reduced.levels, strict=True):
        expected, found = edges(before), edges(after)
        np.testing.assert_array_equal(expected[:, :2], found[:, :2])
        np.testing.assert_allclose(expected[:, 2], found[:, 2], atol=1e-3)


def edges(level: AtomGraph | MotifGraph) -> np.ndarray:
    """Ends and length of every edge, equal ones as often as they occur, in one order."""
    rows = np.stack([level.receiver, level.sender, level.distance], axis=1)
    rows = np.repeat(rows, level.edge_multiplicity, axis=0)
    return rows[np.lexsort(rows.T[::-1])]


def test_equal_edges_are_one(rock_salt: Structure) -> None:
    reduced = DualGraphConverter(n_neighbors=6).convert(rock_salt)
    assert reduced.atoms.sender.tolist() == [1, 0]
    assert reduced.atoms.edge_multiplicity.tolist() == [6, 6]
    assert dict(
        zip(reduced.motifs.n_shared.tolist(), reduced.motifs.edge_multiplicity.tolist(), strict=True)
    ) == {
        1: 6,
        2: 12,
    }


def test_reduced_motifs_keep_their_ligands(perovskite: Structure) -> None:
    doubled = perovskite * (2, 1, 1)
    reduced = DualGraphConverter().convert(doubled).motifs
    assert reduced.name.tolist() == ["TiO6 octahedral", "SrO12 cuboctahedral"]
    assert reduced.multiplicity.tolist() == [2, 2]
    assert reduced.coordination.tolist() == [6, 12]
    np.testing.assert_allclose(reduced.bond_length[:6], 3.905 / 2, rtol=1e-5)


@pytest.mark.parametrize("architecture", ["amdnet", "amdnet-2021"])
def test_real_crystals_within_the_tolerance(load_crystals: Callable, architecture: str) -> None:
    """At the default tolerance predictions move by less than a thousandth of their spread."""
    crystals = [s for s in load_crystals("mp2018", limit=60, seed=3)[0] if len(s) <= 20]
    whole = predictions(
        [DualGraphConverter(symmetry_reduction=False).convert(s) for s in crystals], architecture
    )
    reduced = predictions([DualGraphConverter().convert(s) for s in crystals], architecture)
    moved = np.abs(whole - reduced).max()
    assert moved < 1e-3 * np.std(whole, axis=0).max()
