"""The pictures are drawn, show what they should, and say how to get matplotlib when it is absent."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from amdnet_matminer.errors import MissingDependencyError
from amdnet_matminer.motifs import MotifGraph, motif_graph
from amdnet_matminer.motifs.motif2vec import Motif2Vec
from amdnet_matminer.plots import (
    learning_curve_plot,
    parity_plot,
    plot_motif_graph,
    plot_motif_map,
    plot_sharing,
)
from amdnet_matminer.pretrained import pretrained_motif2vec


@pytest.fixture(autouse=True)
def matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Matplotlib with text as text in SVG, so that it can be read."""
    module = pytest.importorskip("matplotlib", reason="the plots extra is not installed")
    monkeypatch.setitem(module.rcParams, "svg.fonttype", "none")


def texts(path: Path) -> list[str]:
    """What is written in an SVG picture."""
    from xml.etree import ElementTree

    return [element.text for element in ElementTree.parse(path).iter() if element.tag.endswith("}text")]


def test_pictures_are_written(tmp_path: Path) -> None:
    y = np.linspace(0, 5, 20)
    parity_plot(y, y + 0.1, "band gap (eV)", tmp_path / "parity.png")
    learning_curve_plot({"loss": [3.0, 2.0], "val_mae": [2.0, 1.5]}, tmp_path / "curve.svg")
    learning_curve_plot({"loss": [3.0, 2.0]}, tmp_path / "curve.png")
    assert (tmp_path / "parity.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "curve.svg").read_text()
    assert (tmp_path / "curve.png").stat().st_size > 5000


def test_without_matplotlib_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rutile_graph: MotifGraph
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for draw in (
        lambda path: parity_plot([1.0], [1.0], "x", path),
        lambda path: plot_motif_graph(rutile_graph, path),
        lambda path: plot_sharing([rutile_graph], path),
        lambda path: plot_motif_map(pretrained_motif2vec("mp2018"), path, method="pca"),
    ):
        with pytest.raises(MissingDependencyError, match=r"amdnet-matminer\[plots\]"):
            draw(tmp_path / "p.png")


@pytest.fixture
def rutile_graph(rutile) -> MotifGraph:
    return motif_graph(rutile)


@pytest.mark.parametrize(
    ("color", "method", "legend"),
    [
        ("geometry", "pca", {"octahedral", "tetrahedral", "other"}),
        ("center", "tsne", {"transition metal", "alkali metal", "rare earth metal"}),
    ],
)
def test_map_of_motifs(tmp_path: Path, color: str, method: str, legend: set[str]) -> None:
    plot_motif_map(pretrained_motif2vec("mp2018"), tmp_path / "map.svg", color, method, n_motifs=120)
    written = texts(tmp_path / "map.svg")
    assert legend <= set(written)
    assert any(text.startswith("1") and "motifs" in text for text in written)


def test_map_refuses(tmp_path: Path, rutile_graph: MotifGraph) -> None:
    known = pretrained_motif2vec("mp2018")
    with pytest.raises(ValueError, match="color must be 'geometry' or 'center', got 'size'"):
        plot_motif_map(known, tmp_path / "m.png", color="size", method="pca")
    with pytest.raises(ValueError, match="method must be 'tsne' or 'pca', got 'umap'"):
        plot_motif_map(known, tmp_path / "m.png", method="umap")
    with pytest.raises(ValueError, match="at least 3 motifs with neighbours, got 1"):
        plot_motif_map(Motif2Vec(2).fit([rutile_graph]), tmp_path / "m.png")
    assert not (tmp_path / "m.png").exists()


def test_sharing_of_a_crystal_is_its_percentages(tmp_path: Path, rutile_graph: MotifGraph) -> None:
    plot_sharing([rutile_graph], tmp_path / "sharing.svg")
    assert [text for text in texts(tmp_path / "sharing.svg") if text.isdigit()] == ["80", "20"]


def test_crystals_count_the_same_in_sharing(tmp_path: Path, rutile, rock_salt) -> None:
    # 80% and 33% corners, 20% and 67% edges, however large the cells are.
    plot_sharing(map(motif_graph, [rutile * (2, 1, 1), rock_salt]), tmp_path / "sharing.svg")
    assert [text for text in texts(tmp_path / "sharing.svg") if text.isdigit()] == ["57", "43"]


def test_sharing_needs_connections(tmp_path: Path, helium_box) -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        plot_sharing([motif_graph(helium_box)], tmp_path / "sharing.png")


def test_graph_of_motifs_shows_neighbours_per_motif(tmp_path: Path, spinel) -> None:
    plot_motif_graph(motif_graph(spinel), tmp_path / "spinel.svg", "MgAl2O4")
    written = texts(tmp_path / "spinel.svg")
    assert {"MgAl2O4", "AlO6", "octahedral", "MgO4", "tetrahedral", "edge-sharing"} <= set(written)
    # Al: 6 edges among themselves, 6 corners to Mg; Mg: 12 corners to Al.
    assert sorted(text for text in written if text.isdigit()) == ["12", "6", "6"]
    assert "× 16" in written


def test_graph_of_many_kinds_or_none(tmp_path: Path, load_crystals) -> None:
    structures, _ = load_crystals("mp2018", split="val", oxides=True, limit=60, seed=1)
    graphs = [MotifGraph.empty(), *map(motif_graph, structures)]
    richest = max(graphs, key=lambda graph: len(set(graph.name.tolist())))
    assert len(set(richest.name.tolist())) > 4
    for graph in (graphs[0], richest):
        plot_motif_graph(graph, tmp_path / "graph.png")
        assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
