"""Pictures of motifs, and of how well a model does. Needs matplotlib, the ``plots`` extra."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Element
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import normalize

from amdnet_matminer.errors import MissingDependencyError
from amdnet_matminer.motifs import SHARING_TYPES, MotifGraph, sharing_type
from amdnet_matminer.motifs.motif2vec import Motif2Vec, motif_parts

# Colours that readers with colour-blindness tell apart: Okabe and Ito, 2008.
_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#000000")
_OTHER = "0.8"
_METHODS = {"tsne": "t-SNE", "pca": "principal components"}


def parity_plot(true: ArrayLike, predicted: ArrayLike, quantity: str, path: str | Path) -> None:
    """Draw predicted against true values.

    Args:
        true: Values, shape (S,).
        predicted: Values, shape (S,).
        quantity: What they are, with the unit.
        path: The picture to write; its suffix decides the format.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    true, predicted = np.asarray(true), np.asarray(predicted)
    figure, axes = _figure((4.5, 4.5))
    both = np.concatenate([true, predicted])
    ends = [both.min(), both.max()]
    axes.plot(ends, ends, color="0.6", linewidth=1)
    axes.scatter(true, predicted, s=12, alpha=0.6, linewidths=0)
    axes.set(xlabel=f"true {quantity}", ylabel=f"predicted {quantity}", aspect="equal")
    axes.set_title(f"MAE {np.abs(true - predicted).mean():.3g}, {len(true)} crystals")
    figure.savefig(path, dpi=150)


def learning_curve_plot(history: Mapping[str, Sequence[float]], path: str | Path) -> None:
    """Draw loss and validation error over the epochs.

    Args:
        history: The ``history_`` of a fitted estimator.
        path: The picture to write; its suffix decides the format.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    figure, axes = _figure((5.5, 4.0))
    epochs = np.arange(1, len(history["loss"]) + 1)
    axes.plot(epochs, history["loss"], label="training loss (scaled)")
    if "val_mae" in history:
        axes.plot(epochs, history["val_mae"], label="validation MAE (unit of the target)")
    axes.set(xlabel="epoch", yscale="log")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


def plot_motif_map(
    motif2vec: Motif2Vec,
    path: str | Path,
    color: Literal["geometry", "center"] = "geometry",
    method: Literal["tsne", "pca"] = "tsne",
    n_motifs: int = 800,
) -> None:
    """Draw motif vectors in the plane: motifs with like environments are near each other.

    Args:
        motif2vec: Fitted motif vectors.
        path: The picture to write; its suffix decides the format.
        color: What the colours tell: the geometry of the motif, or the block of the
            periodic table that its centre is in.
        method: t-SNE, which keeps neighbourhoods, or principal components, which are linear.
        n_motifs: How many to draw, those in the most crystals.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        NotFittedError: ``motif2vec`` is not fitted.
        ValueError: ``color`` or ``method`` is unknown, or there are fewer than 3 motifs.
    """
    if color not in ("geometry", "center"):
        raise ValueError(f"color must be 'geometry' or 'center', got {color!r}")
    table = motif2vec.to_frame().nlargest(n_motifs, "crystals")
    table = table[table.filter(like="motif vector").any(axis=1)]
    place = _in_plane(normalize(table.filter(like="motif vector").to_numpy()), method)
    label = table.geometry if color == "geometry" else table.center.map(_block)
    figure, axes = _figure((8.0, 5.5))
    shown = label.value_counts().index[: len(_COLORS)].tolist()
    groups = [("other", _OTHER), *zip(shown, _COLORS, strict=False)]
    for name, paint in groups:
        of_group = (~label.isin(shown) if name == "other" else label == name).to_numpy()
        if of_group.any():
            axes.scatter(*place[of_group].T, s=16, color=paint, linewidths=0, alpha=0.8, label=name)
    axes.set(xticks=[], yticks=[], title=f"{len(table)} motifs, {_METHODS[method]} of their vectors")
    figure.legend(loc="outside right upper", frameon=False, markerscale=1.6)
    figure.savefig(path, dpi=150)


def plot_sharing(motif_graphs: Iterable[MotifGraph], path: str | Path, n_geometries: int = 8) -> None:
    """Draw which geometries share corners, edges and faces with which.

    A row is a geometry; its cells in the three panels are the percentages of its
    connections by kind of sharing and geometry of the neighbour.

    Args:
        motif_graphs: Motif graphs of some crystals, each of which counts the same.
        path: The picture to write; its suffix decides the format.
        n_geometries: How many geometries to draw, those of most connections.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ValueError: The crystals have no connections.
    """
    shares = _sharing_by_geometry(motif_graphs)
    weight: Counter[str] = Counter()
    for (geometry, _, _), share in shares.items():
        weight[geometry] += share
    if not weight:
        raise ValueError("no motif of these crystals shares ligands; there is nothing to draw")
    shown = [geometry for geometry, _ in weight.most_common(n_geometries)]
    figure, panels = _figure((12.5, 5.2), len(SHARING_TYPES))
    for k, (axes, sharing) in enumerate(zip(panels, SHARING_TYPES, strict=True)):
        percent = np.array([[100 * shares[a, b, k] / weight[a] for b in shown] for a in shown])
        axes.imshow(percent, cmap="Blues", vmin=0, vmax=60)
        for (row, column), value in np.ndenumerate(percent):
            if value >= 0.5:
                paint = "white" if value > 35 else "black"
                axes.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=8, color=paint)
        axes.set(title=f"{sharing}-sharing, % of connections", xlabel="with")
        axes.set_xticks(range(len(shown)), shown, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(shown)), shown if k == 0 else [])
    figure.savefig(path, dpi=150)


def plot_motif_graph(motif_graph: MotifGraph, path: str | Path, title: str = "") -> None:
    """Draw how the motifs of one crystal are joined.

    A circle is a kind of motif, with the number of such motifs in the cell. A line
    joins kinds that share corners, edges or faces; the number at its end, or on a
    loop, is how many such neighbours each motif at that end has, on average.

    Args:
        motif_graph: Of the crystal.
        path: The picture to write; its suffix decides the format.
        title: What to write above it, such as the formula.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    names, kind = np.unique(motif_graph.name, return_inverse=True)
    n_motifs = np.bincount(kind, motif_graph.multiplicity, len(names))
    neighbors = _neighbors_of_kinds(motif_graph, kind, n_motifs)
    turn = 2 * np.pi * np.arange(len(names)) / max(len(names), 1) + np.pi
    radius = 0.0 if len(names) == 1 else 1.0 / np.sin(np.pi / max(len(names), 3))
    center = radius * np.column_stack([np.cos(turn), np.sin(turn)])
    reach = np.maximum(np.abs(center).max(axis=0, initial=0.0) + 1.6, [2.4, 1.6])
    figure, axes = _figure(tuple(2.2 * reach))
    for a, b, k in np.argwhere(neighbors):
        if a == b:
            _draw_loop(axes, center[a], turn[a] + 0.75 * (k - 1), neighbors[a, a, k], _COLORS[k])
        elif a < b:
            _draw_link(axes, center[a], center[b], neighbors[[a, b], [b, a], k], 0.22 * (k - 1), _COLORS[k])
    for name, count, where in zip(names.tolist(), n_motifs, center, strict=True):
        _draw_kind(axes, name, count, where)
    for k, sharing in enumerate(SHARING_TYPES):
        axes.plot([], [], color=_COLORS[k], linewidth=2, label=f"{sharing}-sharing")
    axes.set(xlim=(-reach[0], reach[0]), ylim=(-reach[1], reach[1]), aspect="equal", title=title)
    axes.set_axis_off()
    figure.legend(loc="outside lower center", frameon=False, ncols=len(SHARING_TYPES))
    figure.savefig(path, dpi=150)


def _in_plane(vectors: NDArray[np.float64], method: str) -> NDArray[np.float64]:
    """Two coordinates for each vector."""
    if len(vectors) < 3:
        raise ValueError(f"a map needs at least 3 motifs with neighbours, got {len(vectors)}")
    if method == "pca":
        return PCA(2).fit_transform(vectors)
    if method == "tsne":
        perplexity = min(30.0, (len(vectors) - 1) / 3)
        return TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(vectors)
    raise ValueError(f"method must be 'tsne' or 'pca', got {method!r}")


def _block(symbol: str) -> str:
    """Where in the periodic table an element is, as chemists group them."""
    element = Element(symbol)
    kinds = {
        "alkali metal": element.is_alkali,
        "alkaline earth metal": element.is_alkaline,
        "rare earth metal": element.is_rare_earth,
        "actinide": element.is_actinoid,
        "transition metal": element.is_transition_metal,
        "post-transition metal": element.is_post_transition_metal,
    }
    return next((kind for kind, belongs in kinds.items() if belongs), "metalloid or nonmetal")


def _sharing_by_geometry(motif_graphs: Iterable[MotifGraph]) -> Counter[tuple[str, str, int]]:
    """Mean fraction of a crystal's connections by geometry, neighbour's geometry and sharing type."""
    shares: Counter[tuple[str, str, int]] = Counter()
    for graph in motif_graphs:
        geometry = [motif_parts(name).geometry for name in graph.name.tolist()]
        weight = graph.multiplicity[graph.receiver] * graph.edge_multiplicity
        ends = zip(graph.receiver, graph.sender, sharing_type(graph.n_shared), weight, strict=True)
        for receiver, sender, sharing, count in ends:
            shares[geometry[receiver], geometry[sender], int(sharing)] += count / weight.sum()
    return shares


def _neighbors_of_kinds(
    graph: MotifGraph, kind: NDArray[np.intp], n_motifs: NDArray[Any]
) -> NDArray[np.float64]:
    """Mean number of neighbours of each kind and sharing type that a motif of each kind has, (K, K, 3)."""
    neighbors = np.zeros((len(n_motifs), len(n_motifs), len(SHARING_TYPES)))
    weight = graph.multiplicity[graph.receiver] * graph.edge_multiplicity
    np.add.at(neighbors, (kind[graph.receiver], kind[graph.sender], sharing_type(graph.n_shared)), weight)
    return neighbors / n_motifs[:, None, None]


def _draw_kind(axes: Any, name: str, count: float, where: NDArray[np.float64]) -> None:
    from matplotlib.patches import Circle

    formula, _, geometry = name.partition(" ")
    axes.add_patch(Circle(tuple(where), 0.55, facecolor="0.95", edgecolor="0.4", zorder=2))
    text = f"{formula}\n{geometry.replace(' ', chr(10))}\n× {count:.0f}"
    axes.text(*where, text, ha="center", va="center", fontsize=9, zorder=3)


def _draw_link(
    axes: Any, start: NDArray, end: NDArray, counts: NDArray[np.float64], bend: float, color: str
) -> None:
    """A bowed line between two circles, with the count of each beside it."""
    from matplotlib.patches import FancyArrowPatch

    style = f"arc3,rad={bend}"
    line = FancyArrowPatch(
        tuple(start), tuple(end), connectionstyle=style, arrowstyle="-", color=color, linewidth=1.6
    )
    axes.add_patch(line)
    along = end - start
    control = (start + end) / 2 + bend * np.array([along[1], -along[0]])
    near = 0.78 / np.linalg.norm(along)
    for place, count in zip((near, 1 - near), counts, strict=True):
        point = (1 - place) ** 2 * start + 2 * place * (1 - place) * control + place**2 * end
        _write_count(axes, point, count, color)


def _draw_loop(axes: Any, center: NDArray, turn: float, count: float, color: str) -> None:
    """A line from a circle back to itself, with its count at the tip."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Curve

    sides = [center + 1.5 * np.array([np.cos(turn + side), np.sin(turn + side)]) for side in (-0.5, 0.5)]
    curve = Curve([center, *sides, center], [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4])
    axes.add_patch(PathPatch(curve, facecolor="none", edgecolor=color, linewidth=2))
    # The middle of such a Bezier curve is at 3/4 of the way to its control points.
    _write_count(axes, center + 0.75 * (np.mean(sides, axis=0) - center), count, color)


def _write_count(axes: Any, point: NDArray, count: float, color: str) -> None:
    box = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"}
    number = f"{count:.2g}" if count < 10 else f"{count:.0f}"
    axes.text(*point, number, color=color, ha="center", va="center", fontsize=9, bbox=box)


def _figure(size: tuple[float, float], n_columns: int = 1) -> tuple[Any, Any]:
    """A figure and its axes, an array of them if there are several columns."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            "pictures need matplotlib; install it with pip install 'amdnet-matminer[plots]'"
        ) from error
    # A figure of its own: pyplot would change the caller's global state and backend.
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, n_columns)
