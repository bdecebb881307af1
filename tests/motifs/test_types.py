"""What a motif graph looks like: in a line, in a notebook, in tables."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Structure

from amdnet_matminer.graphs import DualGraphConverter
from amdnet_matminer.motifs import MotifGraph, motif_graph


def test_in_a_line(spinel: Structure, rutile: Structure, helium_box: Structure) -> None:
    assert repr(motif_graph(rutile)) == "MotifGraph(2 motifs: 2 TiO6 octahedral; 20 connections)"
    assert repr(motif_graph(helium_box)) == "MotifGraph(1 motifs: 1 He isolated; 0 connections)"
    assert repr(MotifGraph.empty()) == "MotifGraph(0 motifs: none; 0 connections)"
    assert "(24 motifs: 16 AlO6 octahedral, 8 MgO4 tetrahedral;" in repr(motif_graph(spinel))
    many = motif_graph(spinel)._replace(name=np.array([f"TiO{n} linear" for n in range(24)]))
    assert len(repr(many)) < 250
    assert "..." in repr(many)


def test_dual_graphs_count_all_that_nodes_stand_for(rutile: Structure) -> None:
    full, reduced = (
        DualGraphConverter(symmetry_reduction=reduction).convert(rutile) for reduction in (False, True)
    )
    assert len(reduced.atoms.atomic_number) == 2
    assert repr(reduced) == repr(full)
    assert repr(full).startswith("DualGraph(AtomGraph(Ti2 O4: 6 atoms, ")
    assert repr(full).endswith("pairs), MotifGraph(2 motifs: 2 TiO6 octahedral; 20 connections))")


def test_in_a_notebook(spinel: Structure) -> None:
    html = motif_graph(spinel)._repr_html_()
    assert html.count("<tr") == 4  # two of the head, and a row for each kind
    assert "AlO6 octahedral" in html
    assert len(html) < 2000
    assert "<table" in MotifGraph.empty()._repr_html_()


def test_tables(perovskite: Structure, helium_box: Structure) -> None:
    graph = motif_graph(perovskite)
    motifs, connections = graph.to_frame()
    assert motifs.name.tolist() == graph.name.tolist()
    assert motifs.coordination.tolist() == [6, 12]
    assert motifs.bond_length.tolist() == pytest.approx([3.905 / 2, 3.905 / np.sqrt(2)], abs=1e-4)
    assert len(connections) == len(graph.sender)
    faces = connections[(connections.receiver_name == "TiO6 octahedral") & (connections.n_shared == 3)]
    assert faces.sender_name.unique().tolist() == ["SrO12 cuboctahedral"]
    assert len(faces) == 8
    assert motif_graph(helium_box).to_frame()[0].bond_length.isna().all()
    assert [len(frame) for frame in MotifGraph.empty().to_frame()] == [0, 0]
