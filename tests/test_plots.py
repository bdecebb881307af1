"""The pictures are drawn, show what they should, and say how to get matplotlib when it is absent."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Structure

from amdnet_matminer.errors import MissingDependencyError
from amdnet_matminer.motifs import MotifGraph, motif_graph
from amdnet_matminer.motifs.motif2vec import Motif2Vec
from amdnet_matminer.plots import (
    learning_curve_plot,
    parity_plot,
    plot_contributions,
    plot_elements,
    plot_motif_graph,
    plot_motif_map,
    plot_polyhedra,
    plot_sharing,
    plot_summary,
    view_polyhedra,
)
from amdnet_matminer.plots.scene import explained_crystal
from amdnet_matminer.pretrained import pretrained_motif2vec

HISTORY = {"loss": [3.0, 2.0, 4.0, 1.0], "val_mae": [2.0, 1.5, 2.5, 1.0], "member": [0, 0, 1, 1]}


@pytest.fixture(autouse=True)
def pyplot(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Pyplot without windows, with text as text in SVG, so that it can be read."""
    matplotlib = pytest.importorskip("matplotlib", reason="the plots extra is not installed")
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    matplotlib.use("agg")
    module = importlib.import_module("matplotlib.pyplot")
    yield module
    module.close("all")


def texts(path: Path) -> list[str]:
    """What is written in an SVG picture."""
    from xml.etree import ElementTree

    return [element.text for element in ElementTree.parse(path).iter() if element.tag.endswith("}text")]


def explained(structure: Structure, **contribution: float) -> pd.DataFrame:
    """What ``explain`` could say: contributions by element, from a baseline of 1."""
    graph = motif_graph(structure)
    motifs = dict(zip(graph.center.tolist(), graph.name.tolist(), strict=True))
    rows = []
    for element in dict.fromkeys(site.specie.symbol for site in structure):
        sites = tuple(i for i, site in enumerate(structure) if site.specie.symbol == element)
        name = motifs.get(sites[0], element)
        kind = "motif" if sites[0] in motifs else "atom"
        rows.append((0, kind, name, element, sites, len(sites), contribution[element], 1.0))
    columns = ["crystal", "kind", "name", "element", "sites", "multiplicity", "contribution", "baseline"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(prediction=1.0 + table.contribution.sum())


SUMMARY = pd.DataFrame(
    [("motif", "TiO6 octahedral", 3, 2.0, 1.0, 3.0), ("atom", "O", 1, -1.0, np.nan, np.nan)],
    columns=["kind", "name", "crystals", "effect", "low", "high"],
)


@pytest.fixture
def pictures(rutile: Structure, rutile_graph: MotifGraph) -> dict[str, Callable[..., Any]]:
    """Each function with something to draw."""
    y = np.linspace(0.0, 5.0, 20)
    return {
        "parity": partial(parity_plot, y, y + 0.1),
        "density": partial(parity_plot, np.repeat(y, 200), np.repeat(y + 0.1, 200)),
        "elements": partial(plot_elements, {"Ti": 0.1, "La": 0.2, "O": 0.3}, "MAE (eV)"),
        "learning curve": partial(learning_curve_plot, HISTORY),
        "map": partial(plot_motif_map, pretrained_motif2vec("mp2018"), method="pca"),
        "graph": partial(plot_motif_graph, rutile_graph),
        "contributions": partial(plot_contributions, explained(rutile, Ti=1.0, O=-2.0)),
        "summary": partial(plot_summary, SUMMARY),
        "polyhedra": partial(plot_polyhedra, rutile, explained(rutile, Ti=1.0, O=-2.0)),
    }


@pytest.mark.filterwarnings("error")
def test_pictures_are_shown_drawn_into_axes_or_only_written(
    tmp_path: Path, pyplot: ModuleType, pictures: dict[str, Callable[..., Any]]
) -> None:
    for name, draw in pictures.items():
        assert draw(path=tmp_path / f"{name}.png").get_figure() is not None
        assert (tmp_path / f"{name}.png").stat().st_size > 5000
        assert pyplot.get_fignums() == []
        shown = draw()
        assert shown.get_figure() is pyplot.gcf()
        pyplot.close("all")
        figure, (ax, other) = pyplot.subplots(1, 2, layout="constrained")
        assert draw(ax=ax) is ax
        figure.canvas.draw()
        assert ax.has_data() or ax.patches
        assert not other.has_data()
        pyplot.close("all")


@pytest.mark.filterwarnings("error")
def test_the_three_panels_of_sharing(tmp_path: Path, pyplot: ModuleType, rutile_graph: MotifGraph) -> None:
    assert len(plot_sharing([rutile_graph], path=tmp_path / "sharing.png")) == 3
    assert pyplot.get_fignums() == []
    _, axes = pyplot.subplots(3, 1)
    assert plot_sharing([rutile_graph], axes=axes) is axes


def test_a_subfigure_is_written_with_all_around_it(tmp_path: Path, pyplot: ModuleType) -> None:
    figure = pyplot.figure(layout="constrained")
    left, right = figure.subfigures(1, 2)
    right.subplots().set_title("beside it")
    parity_plot([1.0, 2.0], [1.0, 2.0], ax=left.subplots(), path=tmp_path / "both.svg")
    assert {"beside it", "MAE 0, 2 crystals"} <= set(texts(tmp_path / "both.svg"))


def test_parity_names_quantity_and_unit(tmp_path: Path) -> None:
    parity_plot([0.0, 1.0], [0.5, 1.0], "band gap", "eV", path=tmp_path / "parity.svg")
    written = texts(tmp_path / "parity.svg")
    assert {"true band gap (eV)", "predicted band gap (eV)", "MAE 0.25 eV, 2 crystals"} <= set(written)


@pytest.mark.parametrize(
    ("true", "predicted", "reason"),
    [
        ([1.0], [1.0, 2.0], r"\(1,\) and predicted ones of \(2,\)"),
        ([], [], "pass as many"),
        ([[1.0]], [[1.0]], "in one dimension"),
        ([1.0, np.nan], [1.0, 1.0], "leave out the crystals that have no label"),
    ],
)
def test_parity_refuses(true: list, predicted: list, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parity_plot(true, predicted)


def test_a_learning_curve_has_a_line_for_each_network() -> None:
    ax = learning_curve_plot(HISTORY, "eV")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[3.0, 2.0], [4.0, 1.0]]
    (right,) = (other for other in ax.figure.axes if other is not ax)
    assert right.get_ylabel() == "validation MAE (eV)"
    assert [line.get_xdata().tolist() for line in right.lines] == [[1, 2], [1, 2]]


def test_a_learning_curve_of_a_classifier_or_without_validation() -> None:
    classifier = learning_curve_plot({"loss": [0.5, -0.1], "val_log_loss": [0.6, 0.2]})
    assert [ax.get_ylabel() for ax in classifier.figure.axes][1] == "validation log loss"
    assert [ax.get_yscale() for ax in classifier.figure.axes] == ["linear", "log"]
    assert len(learning_curve_plot({"loss": [3.0, 2.0]}).figure.axes) == 1


@pytest.mark.parametrize("path", [None, "picture.png"])
def test_without_matplotlib_the_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch,
    pictures: dict[str, Callable[..., Any]],
    rutile_graph: MotifGraph,
    path: str | None,
) -> None:
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    for draw in (*pictures.values(), partial(plot_sharing, [rutile_graph])):
        with pytest.raises(MissingDependencyError, match=r"amdnet-matminer\[plots\]"):
            draw(path=path)


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
    plot_motif_map(pretrained_motif2vec("mp2018"), color, method, 120, path=tmp_path / "map.svg")
    written = texts(tmp_path / "map.svg")
    assert legend <= set(written)
    assert any(text.startswith("1") and "motifs" in text for text in written)


def test_map_refuses(tmp_path: Path, rutile_graph: MotifGraph) -> None:
    known = pretrained_motif2vec("mp2018")
    with pytest.raises(ValueError, match="color must be 'geometry' or 'center', got 'size'"):
        plot_motif_map(known, path=tmp_path / "m.png", color="size", method="pca")
    with pytest.raises(ValueError, match="method must be 'tsne' or 'pca', got 'umap'"):
        plot_motif_map(known, path=tmp_path / "m.png", method="umap")
    with pytest.raises(ValueError, match="at least 3 motifs with neighbours, got 1"):
        plot_motif_map(Motif2Vec(2).fit([rutile_graph]), path=tmp_path / "m.png")
    assert not (tmp_path / "m.png").exists()


def test_sharing_of_a_crystal_is_its_percentages(tmp_path: Path, rutile_graph: MotifGraph) -> None:
    plot_sharing([rutile_graph], path=tmp_path / "sharing.svg")
    assert [text for text in texts(tmp_path / "sharing.svg") if text.isdigit()] == ["80", "20"]


def test_crystals_count_the_same_in_sharing(tmp_path: Path, rutile, rock_salt) -> None:
    # 80% and 33% corners, 20% and 67% edges, however large the cells are.
    plot_sharing(map(motif_graph, [rutile * (2, 1, 1), rock_salt]), path=tmp_path / "sharing.svg")
    assert [text for text in texts(tmp_path / "sharing.svg") if text.isdigit()] == ["57", "43"]


def test_sharing_needs_connections(tmp_path: Path, helium_box) -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        plot_sharing([motif_graph(helium_box)], path=tmp_path / "sharing.png")


def test_graph_of_motifs_shows_neighbours_per_motif(tmp_path: Path, spinel) -> None:
    plot_motif_graph(motif_graph(spinel), "MgAl2O4", path=tmp_path / "spinel.svg")
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
        plot_motif_graph(graph, path=tmp_path / "graph.png")
        assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")


def test_elements__each_has_a_place_of_its_own() -> None:
    from pymatgen.core import Element

    values = {Element.from_Z(number).symbol: float(number) for number in range(1, 95)}
    ax = plot_elements(values, "number")
    squares = ax.collections[0]
    places = [tuple(place) for place in squares.get_offsets().tolist()]
    assert len(set(places)) == 94
    assert all(1 <= x <= 18 and 1 <= y <= 9.5 for x, y in places)
    assert squares.get_array().tolist() == list(range(1, 95))
    assert [text.get_text() for text in ax.texts][:3] == ["H", "He", "Li"]


def test_bars_lead_from_the_baseline_to_the_prediction(tmp_path: Path, rutile: Structure) -> None:
    explanation = explained(rutile, Ti=0.5, O=-2.0)
    ax = plot_contributions(explanation, "band gap", "eV", path=tmp_path / "bars.svg")
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    assert bars == [(1.0, -1.0), (-1.0, -0.5)]
    assert {"4 O", "2 TiO6 octahedral", "-2", "+0.5", "band gap (eV)"} <= set(texts(tmp_path / "bars.svg"))


def test_the_smallest_of_many_bars_are_one() -> None:
    table = pd.DataFrame({"name": [f"E{i}" for i in range(15)], "contribution": np.arange(15.0)})
    table = table.assign(crystal=0, kind="atom", multiplicity=1, baseline=0.0, prediction=105.0)
    ax = plot_contributions(table)
    assert [label.get_text() for label in ax.get_yticklabels()][-2:] == ["1 E4", "4 others"]
    assert ax.patches[-1].get_x() + ax.patches[-1].get_width() == 105


def test_the_summary_is_ranked_with_counts() -> None:
    ax = plot_summary(SUMMARY, "eV")
    assert [text.get_text() for text in ax.get_yticklabels()] == ["TiO6 octahedral (n = 3)", "O (n = 1)"]
    assert ax.get_xlabel() == "mean effect on the prediction (eV)"
    (line,) = ax.containers[0].lines[2]
    assert line.get_segments()[0][:, 0].tolist() == [1.0, 3.0]
    with pytest.raises(ValueError, match="nothing to draw"):
        plot_summary(SUMMARY[:0])


def test_what_is_no_summary(rutile: Structure) -> None:
    with pytest.raises(ValueError, match="has no 'crystals', 'effect', 'high'; give what summarize_explanat"):
        plot_summary(explained(rutile, Ti=1.0, O=-2.0))


def test_polyhedra_are_whole_and_in_the_cell(rutile: Structure) -> None:
    moved = rutile.copy()
    moved.translate_sites(range(6), [1.0, -2.0, 0.0], to_unit_cell=False)
    for structure in (rutile, moved):
        scene = explained_crystal(structure, explained(structure, Ti=1.0, O=-2.0))
        titanium = scene.ball[scene.is_motif[scene.site]]
        assert len(titanium) == 9  # eight corners of the cell and its centre
        assert len(scene.face) == 9 * 8
        corners = np.unique(np.concatenate(scene.face).round(3), axis=0)
        distances = np.linalg.norm(corners[:, None] - titanium, axis=2)
        assert distances.min(axis=1).max() < 2.1
        assert scene.value.tolist() == [0.5] * 2 + [-0.5] * 4


def test_large_motifs_are_balls_and_flat_ones_have_bonds(perovskite: Structure) -> None:
    scene = explained_crystal(perovskite, explained(perovskite, Sr=1.0, Ti=0.0, O=-2.0))
    assert set(scene.face_site.tolist()) == {1}
    assert len(scene.bond) == 0
    square = Structure(np.diag([4.0, 4.0, 9.0]), ["Ni", "O", "O"], [[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0]])
    scene = explained_crystal(square, explained(square, Ni=1.0, O=-2.0))
    assert not scene.face
    assert len(scene.bond) == 8 * 4  # at each corner of the cell


def test_an_explanation_of_another_crystal_is_refused(rutile: Structure, rock_salt: Structure) -> None:
    explanation = explained(rutile, Ti=1.0, O=-2.0)
    with pytest.raises(ValueError, match="explanation of 2 crystals"):
        plot_contributions(pd.concat([explanation, explanation.assign(crystal=1)]))
    renamed = explanation.replace("TiO6 octahedral", "TiO6 cubic")
    for show in (plot_polyhedra, view_polyhedra):
        with pytest.raises(ValueError, match="not of this crystal, MgO of 8 sites"):
            show(rock_salt, explanation)
        with pytest.raises(ValueError, match="other motifs than this crystal"):
            show(rutile, renamed)


def calls(view: Any, function: str) -> list[dict[str, Any]]:
    """What the page of a view passes to a function of 3Dmol.js."""
    return [json.loads(text) for text in re.findall(rf"\.{function}\((.*)\);\n", view.write_html())]


def test_the_view_has_the_balls_faces_and_colors_of_the_picture(rutile: Structure) -> None:
    pytest.importorskip("py3Dmol", reason="the view extra is not installed")
    explanation = explained(rutile, Ti=1.0, O=-2.0)
    view, scene = view_polyhedra(rutile, explanation, "eV"), explained_crystal(rutile, explanation)
    balls, faces = calls(view, "addSphere"), calls(view, "addCustom")
    assert len(balls) == len(scene.ball)
    assert len(faces) == 9 * 8  # of octahedra at the corners of the cell and at its centre
    assert len(calls(view, "addLine")) == 12 + 9 * 12  # edges of the cell and of the octahedra
    assert {ball["color"] for ball in balls} == {"#b40426", "#3b4cc0"}
    assert {face["color"] for face in faces} == {"#b40426"}
    assert all('"TiO6 octahedral: +0.5 eV"' in face["hover_callback"] for face in faces)
    titanium = np.array([list(b["center"].values()) for b in balls if b["color"] == "#b40426"])
    corners = np.array([list(corner.values()) for face in faces for corner in face["vertexArr"]])
    assert np.linalg.norm(corners[:, None] - titanium, axis=2).min(axis=1).max() < 2.1
    assert all(face["faceArr"] == [0, 1, 2] for face in faces)


def test_the_view_is_turned_as_the_picture_is(rutile: Structure) -> None:
    pytest.importorskip("py3Dmol", reason="the view extra is not installed")
    view = view_polyhedra(rutile, explained(rutile, Ti=1.0, O=-2.0), direction=(90.0, -90.0))
    # Seen down z with x to the right.
    balls = np.array([list(ball["center"].values()) for ball in calls(view, "addSphere")])
    scene = explained_crystal(rutile, explained(rutile, Ti=1.0, O=-2.0))
    np.testing.assert_allclose(balls, scene.ball, atol=1e-3)


def test_the_view_has_squares_as_two_triangles_and_bonds_of_flat_motifs() -> None:
    pytest.importorskip("py3Dmol", reason="the view extra is not installed")
    cubes = Structure(np.eye(3) * 4.1, ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    faces = calls(view_polyhedra(cubes, explained(cubes, Cs=1.0, Cl=-2.0)), "addCustom")
    assert len(faces) == 8 * 6
    assert all(face["faceArr"] == [0, 1, 2, 0, 2, 3] for face in faces)
    square = Structure(np.diag([4.0, 4.0, 9.0]), ["Ni", "O", "O"], [[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0]])
    view = view_polyhedra(square, explained(square, Ni=1.0, O=-2.0))
    assert len(calls(view, "addCylinder")) == 8 * 4
    assert not calls(view, "addCustom")


@pytest.mark.parametrize(("package", "extra"), [("py3Dmol", "view"), ("matplotlib.cm", "plots")])
def test_without_a_package_of_the_view_the_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch, rutile: Structure, package: str, extra: str
) -> None:
    pytest.importorskip("py3Dmol", reason="the view extra is not installed")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=rf"pip install 'amdnet-matminer\[{extra}\]'"):
        view_polyhedra(rutile, explained(rutile, Ti=1.0, O=-2.0))
