"""Pictures of motifs, and of how well a model does. Needs matplotlib, the ``plots`` extra.

Each function draws into ``ax`` if it is given. Else it makes a figure: with pyplot, so that a
notebook shows it, or, where ``path`` is given, one that pyplot does not know and that is only saved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Element
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import normalize

from amdnet_matminer.errors import MissingDependencyError
from amdnet_matminer.motifs import SHARING_TYPES, MotifGraph, sharing_type
from amdnet_matminer.motifs.motif2vec import Motif2Vec, motif_parts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours that readers with colour-blindness tell apart (Okabe and Ito, 2008), but for its yellow,
# which is faint on white; with more than three of them, markers differ too.
_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_LINES = ("-", "--", ":")
"""Of corners, edges and faces."""
_OTHER = "0.8"
_METHODS = {"tsne": "t-SNE", "pca": "principal components"}
_NO_MATPLOTLIB = ("pictures need matplotlib", "install it with pip install 'amdnet-matminer[plots]'")
_F_BLOCK_GAP = 0.5
"""Rows of the periodic table between the main part and the lanthanoids."""
_MANY = 3000
"""From so many points on, their density is drawn in place of each."""


def parity_plot(
    true: ArrayLike,
    predicted: ArrayLike,
    quantity: str = "value",
    unit: str = "",
    *,
    path: str | Path | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw predicted against true values; of very many the density.

    Args:
        true: Values, shape (S,).
        predicted: Values, shape (S,).
        quantity: What they are, such as ``"band gap"``.
        unit: Their unit, such as ``"eV"``.
        path: The picture to write, if any; its suffix decides the format.
        ax: Where to draw; a new figure if not given.

    Returns:
        The axes that were drawn into.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ValueError: The values are not finite, or not as many of the one as of the other.
    """
    true, predicted = np.asarray(true, dtype=float), np.asarray(predicted, dtype=float)
    if true.ndim != 1 or true.shape != predicted.shape or true.size == 0:
        raise ValueError(
            f"got true values of shape {true.shape} and predicted ones of {predicted.shape}; "
            "pass as many of the one as of the other, in one dimension"
        )
    if not np.isfinite([true, predicted]).all():
        raise ValueError("a value is not finite; leave out the crystals that have no label or no prediction")
    ax = _new_figure((5.2, 4.5), path).subplots() if ax is None else ax
    ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
    ax.plot(ends, ends, color="0.4", linewidth=1, zorder=3)
    if len(true) < _MANY:
        ax.scatter(true, predicted, s=14, alpha=0.6, linewidths=0, color=_COLORS[0])
    else:
        density = ax.hexbin(true, predicted, gridsize=70, bins="log", mincnt=1, cmap="viridis")
        ax.figure.colorbar(density, ax=ax, label="crystals")
    of_unit = f" ({unit})" if unit else ""
    ax.set(xlabel=f"true {quantity}{of_unit}", ylabel=f"predicted {quantity}{of_unit}", aspect="equal")
    ax.set_title(f"MAE {np.abs(true - predicted).mean():.3g} {unit}".rstrip() + f", {len(true):,} crystals")
    _save(ax, path)
    return ax


def learning_curve_plot(
    history: Mapping[str, Sequence[float]],
    unit: str = "",
    *,
    path: str | Path | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw training loss (left) and validation error (right) over the epochs, a line for each network.

    Args:
        history: The ``history_`` of a fitted estimator.
        unit: Unit of the target, such as ``"eV"``.
        path: The picture to write, if any; its suffix decides the format.
        ax: Where to draw; a new figure if not given.

    Returns:
        The axes of the training loss.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    ax = _new_figure((6.0, 4.0), path).subplots() if ax is None else ax
    _draw_history(ax, history, "loss", "training loss (of the scaled target)", _COLORS[0], "-")
    ax.set_xlabel("epoch")
    if "val_mae" in history:
        label = f"validation MAE ({unit or 'unit of the target'})"
        _draw_history(ax.twinx(), history, "val_mae", label, _COLORS[4], "--")
    elif "val_log_loss" in history:
        _draw_history(ax.twinx(), history, "val_log_loss", "validation log loss", _COLORS[4], "--")
    _save(ax, path)
    return ax


def plot_elements(
    values: Mapping[str, float],
    label: str,
    *,
    path: str | Path | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a value of each element in the periodic table.

    Args:
        values: By symbol, such as errors of the crystals that have the element; at least one.
        label: What they are, with their unit.
        path: The picture to write, if any; its suffix decides the format.
        ax: Where to draw; a new figure if not given.

    Returns:
        The axes that were drawn into.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    ax = _new_figure((7.4, 3.9), path).subplots() if ax is None else ax
    places = np.array([_place_in_table(Element(symbol)) for symbol in values])
    numbers = np.fromiter(values.values(), float)
    squares = ax.scatter(places[:, 0], places[:, 1], c=numbers, s=330, marker="s", cmap="viridis_r")
    middle = (numbers.min() + numbers.max()) / 2
    for (x, y), symbol, number in zip(places, values, numbers, strict=True):
        paint = "white" if number > middle else "black"
        ax.text(x, y, symbol, ha="center", va="center", fontsize=8, color=paint)
    ax.set(xlim=(0.3, 18.7), ylim=(9.9 + _F_BLOCK_GAP, 0.3), aspect="equal")
    ax.set_axis_off()
    ax.figure.colorbar(squares, ax=ax, shrink=0.6, label=label)
    _save(ax, path)
    return ax


def plot_motif_map(
    motif2vec: Motif2Vec,
    color: Literal["geometry", "center"] = "geometry",
    method: Literal["tsne", "pca"] = "tsne",
    n_motifs: int = 800,
    *,
    path: str | Path | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw motif vectors in the plane: motifs with like environments are near each other.

    Args:
        motif2vec: Fitted motif vectors.
        color: What the colours tell: the geometry of the motif, or the group of
            elements that its centre belongs to.
        method: t-SNE, which keeps neighbourhoods, or principal components, which are linear.
        n_motifs: How many to draw, those in the most crystals.
        path: The picture to write, if any; its suffix decides the format.
        ax: Where to draw; a new figure if not given.

    Returns:
        The axes that were drawn into.

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
    label = table.geometry if color == "geometry" else table.center.map(_element_group)
    ax = _new_figure((8.0, 5.5), path).subplots() if ax is None else ax
    shown = label.value_counts().index[: len(_COLORS)].tolist()
    for name, paint, marker in zip(shown, _COLORS, _MARKERS, strict=False):
        x, y = place[(label == name).to_numpy()].T
        ax.scatter(x, y, s=18, color=paint, marker=marker, linewidths=0, alpha=0.8, label=name)
    x, y = place[~label.isin(shown).to_numpy()].T
    if len(x):
        ax.scatter(x, y, s=10, color=_OTHER, linewidths=0, label="other", zorder=0)
    ax.set(xticks=[], yticks=[], title=f"{len(table)} motifs, {_METHODS[method]} of their vectors")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, markerscale=1.6)
    _save(ax, path)
    return ax


def plot_sharing(
    motif_graphs: Iterable[MotifGraph],
    n_geometries: int = 8,
    *,
    path: str | Path | None = None,
    axes: Sequence[Axes] | None = None,
) -> Sequence[Axes]:
    """Draw which geometries share corners, edges and faces with which.

    A row is a geometry; its cells in the three panels are the percentages of its
    connections by kind of sharing and geometry of the neighbour.

    Args:
        motif_graphs: Motif graphs of some crystals, each of which counts the same.
        n_geometries: How many geometries to draw, those of most connections.
        path: The picture to write, if any; its suffix decides the format.
        axes: Where to draw corners, edges and faces; a new figure if not given.

    Returns:
        The three axes.

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
    panels = _new_figure((12.5, 5.2), path).subplots(1, 3) if axes is None else axes
    for k, (ax, sharing) in enumerate(zip(panels, SHARING_TYPES, strict=True)):
        percent = np.array([[100 * shares[a, b, k] / weight[a] for b in shown] for a in shown])
        _draw_percentages(ax, percent)
        ax.set(title=f"{sharing}-sharing (% of connections)", xlabel="geometry of the neighbour")
        ax.set_xticks(range(len(shown)), shown, rotation=45, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(len(shown)), shown if k == 0 else [""] * len(shown))
    panels[0].set_ylabel("geometry of the motif")
    _save(panels[0], path)
    return panels


def plot_motif_graph(
    motif_graph: MotifGraph,
    title: str = "",
    *,
    path: str | Path | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how the motifs of one crystal are joined.

    A circle is a kind of motif, with the number of such motifs in the cell. A line
    joins kinds that share corners, edges or faces; the number at its end, or on a
    loop, is how many such neighbours each motif at that end has, on average.

    Args:
        motif_graph: Of the crystal.
        title: What to write above it, such as the formula.
        path: The picture to write, if any; its suffix decides the format.
        ax: Where to draw; a new figure if not given.

    Returns:
        The axes that were drawn into.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    names, kind = np.unique(motif_graph.name, return_inverse=True)
    n_motifs = np.bincount(kind, motif_graph.multiplicity, len(names))
    neighbors = _neighbors_of_kinds(motif_graph, kind, n_motifs)
    turn = 2 * np.pi * np.arange(len(names)) / max(len(names), 1) + np.pi
    radius = 0.0 if len(names) == 1 else 1.0 / np.sin(np.pi / max(len(names), 3))
    center = radius * np.column_stack([np.cos(turn), np.sin(turn)])
    reach = np.abs(center).max(axis=0, initial=0.2) + 1.3
    if ax is None:
        ax = _new_figure((2.2 * reach[0], 2.2 * reach[1] + 0.6), path).subplots()
    ax.set(xlim=(-reach[0], reach[0]), ylim=(-reach[1], reach[1]), aspect="equal", title=title)
    ax.set_axis_off()
    size = _font_size(ax)
    for a, b, k in np.argwhere(neighbors):
        if a == b:
            _draw_loop(ax, center[a], turn[a] + 0.75 * (k - 1), neighbors[a, a, k], k, size)
        elif a < b:
            _draw_link(ax, center[a], center[b], neighbors[[a, b], [b, a], k], k, size)
    for name, count, where in zip(names.tolist(), n_motifs, center, strict=True):
        _draw_kind(ax, name, count, where, size)
    for k in np.flatnonzero(neighbors.any(axis=(0, 1))):
        ax.plot([], [], _LINES[k], color=_COLORS[k], linewidth=2, label=f"{SHARING_TYPES[k]}-sharing")
    if neighbors.any():
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), frameon=False, ncols=3, fontsize=size)
    _save(ax, path)
    return ax


def _draw_history(
    ax: Axes, history: Mapping[str, Sequence[float]], name: str, label: str, color: str, style: str
) -> None:
    """A line for each member of an ensemble, whose histories follow one another."""
    from matplotlib.ticker import LogLocator, NullFormatter

    values = np.asarray(history[name], dtype=float)
    member = np.asarray(history.get("member", np.zeros(len(values))))
    for number in np.unique(member):
        line = values[member == number]
        ax.plot(np.arange(1, len(line) + 1), line, style, color=color, linewidth=1.4)
    ax.set_ylabel(label, color=color)
    ax.tick_params(axis="y", which="both", colors=color)
    if (values > 0.0).all():
        ax.set_yscale("log")
        # 0.2 is easier to read than the powers of ten that are the default.
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())


def _draw_percentages(ax: Axes, percent: NDArray[np.float64]) -> None:
    ax.imshow(percent, cmap="Blues", vmin=0, vmax=60)
    for (row, column), value in np.ndenumerate(percent):
        if value >= 0.5:
            paint = "white" if value > 35 else "black"
            ax.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=8, color=paint)
    # Thin lines between the cells lead the eye where most of them are empty.
    ax.set_xticks(np.arange(percent.shape[1] - 1) + 0.5, minor=True)
    ax.set_yticks(np.arange(percent.shape[0] - 1) + 0.5, minor=True)
    ax.grid(which="minor", color="0.85", linewidth=0.5)
    ax.tick_params(which="minor", length=0)


def _place_in_table(element: Element) -> tuple[float, float]:
    """Column and row in the periodic table, with the lanthanoids and actinoids below it."""
    if element.is_lanthanoid or element.is_actinoid:
        first, row = (57, 8) if element.is_lanthanoid else (89, 9)
        return float(element.Z - first + 3), row + _F_BLOCK_GAP
    return float(element.group), float(element.row)


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


def _element_group(symbol: str) -> str:
    """Part of the periodic table that an element belongs to, as chemists name them."""
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
        weight = graph.edge_weight
        ends = zip(graph.receiver, graph.sender, sharing_type(graph.n_shared), weight, strict=True)
        for receiver, sender, sharing, count in ends:
            shares[geometry[receiver], geometry[sender], int(sharing)] += count / weight.sum()
    return shares


def _neighbors_of_kinds(
    graph: MotifGraph, kind: NDArray[np.intp], n_motifs: NDArray[Any]
) -> NDArray[np.float64]:
    """Mean number of neighbours of each kind and sharing type that a motif of each kind has, (K, K, 3)."""
    neighbors = np.zeros((len(n_motifs), len(n_motifs), len(SHARING_TYPES)))
    ends = kind[graph.receiver], kind[graph.sender], sharing_type(graph.n_shared)
    np.add.at(neighbors, ends, graph.edge_weight)
    return neighbors / n_motifs[:, None, None]


def _font_size(ax: Axes) -> float:
    """The size that fits the circles of a motif graph, in points."""
    inches = np.asarray(ax.get_window_extent().size) / ax.figure.dpi
    unit = (inches / np.ptp([ax.get_xlim(), ax.get_ylim()], axis=1)).min()
    return float(np.clip(10 * unit, 6, 9.5))


def _draw_kind(ax: Axes, name: str, count: float, where: NDArray[np.float64], size: float) -> None:
    from matplotlib.patches import Circle

    formula, _, geometry = name.partition(" ")
    ax.add_patch(Circle(tuple(where), 0.55, facecolor="0.95", edgecolor="0.4", zorder=2))
    text = f"{formula}\n{geometry.replace(' ', chr(10))}\n× {count:.0f}"
    ax.text(where[0], where[1], text, ha="center", va="center", fontsize=size, zorder=3)


def _draw_link(
    ax: Axes, start: NDArray, end: NDArray, counts: NDArray[np.float64], sharing: int, size: float
) -> None:
    """A bowed line between two circles, with the count of each beside it."""
    from matplotlib.patches import FancyArrowPatch

    # Each type of sharing has a bow of its own, so that lines between the same two circles are apart.
    bow = 0.22 * (sharing - 1)
    style = f"arc3,rad={bow}"
    line = FancyArrowPatch(tuple(start), tuple(end), connectionstyle=style, arrowstyle="-", linewidth=2)
    line.set(linestyle=_LINES[sharing], color=_COLORS[sharing])
    ax.add_patch(line)
    along = end - start
    control = (start + end) / 2 + bow * np.array([along[1], -along[0]])
    near = 0.78 / np.linalg.norm(along)
    for place, count in zip((near, 1 - near), counts, strict=True):
        point = (1 - place) ** 2 * start + 2 * place * (1 - place) * control + place**2 * end
        _write_count(ax, point, count, size)


def _draw_loop(ax: Axes, center: NDArray, turn: float, count: float, sharing: int, size: float) -> None:
    """A line from a circle back to itself, with its count at the tip."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Curve

    sides = [center + 1.5 * np.array([np.cos(turn + side), np.sin(turn + side)]) for side in (-0.5, 0.5)]
    curve = Curve([center, *sides, center], [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4])
    look = {"linestyle": _LINES[sharing], "edgecolor": _COLORS[sharing], "linewidth": 2}
    ax.add_patch(PathPatch(curve, facecolor="none", **look))
    # The middle of such a Bezier curve is at 3/4 of the way to its control points.
    tip = center + 0.75 * (np.mean(sides, axis=0) - center)
    _write_count(ax, tip, count, size)


def _write_count(ax: Axes, point: NDArray, count: float, size: float) -> None:
    box = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"}
    number = f"{count:.2g}" if count < 10 else f"{count:.0f}"
    ax.text(point[0], point[1], number, ha="center", va="center", fontsize=size, bbox=box)


def unshown_figure(size: tuple[float, float]) -> Figure:
    """A figure that is only saved, and leaves pyplot's state alone.

    Args:
        size: Width and height in inches.

    Returns:
        An empty figure, to be filled by the functions that take ``ax``.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(*_NO_MATPLOTLIB) from error
    return Figure(figsize=size, layout="constrained")


def _new_figure(size: tuple[float, float], path: str | Path | None) -> Figure:
    """A figure that is shown, of pyplot, or one that is only saved."""
    if path is not None:
        return unshown_figure(size)
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingDependencyError(*_NO_MATPLOTLIB) from error
    return pyplot.figure(figsize=size, layout="constrained")


def _save(ax: Axes, path: str | Path | None) -> None:
    """Write the whole figure that some axes are in."""
    figure = ax.get_figure(root=True)
    if path is not None and figure is not None:
        figure.savefig(path, dpi=150)
