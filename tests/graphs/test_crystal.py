"""Atom graphs against known coordination shells."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from amdnet_matminer.errors import StructureError
from amdnet_matminer.graphs import DualGraphConverter, atom_graph


def test_shells_of_rock_salt(rock_salt: Structure) -> None:
    graph = atom_graph(rock_salt, 4.3)
    shells = np.unique(graph.distance[graph.receiver == 0].round(3), return_counts=True)
    np.testing.assert_allclose(shells[0], [2.106, 2.978, 3.648, 4.212], atol=2e-3)
    assert shells[1].tolist() == [6, 12, 8, 6]


def test_images_are_pairs_of_their_own() -> None:
    graph = atom_graph(Structure(Lattice.cubic(3.0), ["Po"], [[0, 0, 0]]), 3.1)
    assert len(graph.sender) == 6
    assert len(np.unique(graph.image, axis=0)) == 6


def test_every_pair_has_its_reverse(corundum: Structure) -> None:
    graph = atom_graph(corundum, 4.0)
    pairs = {
        (int(s), int(r), *image.tolist())
        for s, r, image in zip(graph.sender, graph.receiver, graph.image, strict=True)
    }
    assert len(pairs) == len(graph.sender)
    assert {(r, s, -a, -b, -c) for s, r, a, b, c in pairs} == pairs


def test_distances_are_those_of_the_images(corundum: Structure) -> None:
    graph = atom_graph(corundum, 4.0)
    apart = corundum.frac_coords[graph.sender] + graph.image - corundum.frac_coords[graph.receiver]
    length = np.linalg.norm(apart @ corundum.lattice.matrix, axis=1)
    np.testing.assert_allclose(graph.distance, length, rtol=1e-5)


def test_an_isolated_atom_stays(helium_box: Structure) -> None:
    graph = DualGraphConverter().convert(helium_box)
    assert graph.atoms.atomic_number.tolist() == [2]
    assert len(graph.atoms.sender) == 0
    assert graph.motifs.name.tolist() == ["He isolated"]


def test_without_motifs_only_atoms_are_read(perovskite: Structure) -> None:
    graph = DualGraphConverter(motifs=None).convert(perovskite)
    assert len(graph.motifs.center) == 0
    assert graph.atoms.multiplicity.sum() == 5


def test_overlapping_atoms_are_refused() -> None:
    double = Structure(Lattice.cubic(4), ["Mg", "O", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.501]])
    with pytest.raises(StructureError, match="sites 1 and 2 are at one place"):
        DualGraphConverter().convert(double)


def test_the_nearest_and_those_as_near(rock_salt: Structure) -> None:
    shells = {1: 6, 6: 6, 7: 18, 18: 18, 20: 26}
    for n_neighbors, kept in shells.items():
        graph = atom_graph(rock_salt, 4.0, n_neighbors)
        assert np.bincount(graph.receiver).tolist() == [kept] * len(rock_salt)
        assert graph.distance.max() == pytest.approx(
            np.sort(atom_graph(rock_salt, 4.0).distance)[kept * 8 - 1]
        )


def test_fewer_neighbors_than_asked_for_are_all_kept(helium_box: Structure, corundum: Structure) -> None:
    assert len(atom_graph(helium_box, 5.0, 12).sender) == 0
    assert len(atom_graph(corundum, 2.5, 99).sender) == len(atom_graph(corundum, 2.5).sender)


def test_parameters_out_of_range(rock_salt: Structure) -> None:
    for cutoff in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match=r"^cutoff must be a number above 0, at most 20, got"):
            atom_graph(rock_salt, cutoff)
    for n_neighbors in (0, -3, 2.5):
        with pytest.raises(ValueError, match=r"^n_neighbors must be None or an integer from 1 to 1000, got"):
            atom_graph(rock_salt, n_neighbors=n_neighbors)
