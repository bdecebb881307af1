"""How the motifs of one crystal are joined."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.motifs import SHARING_TYPES, MotifGraph, sharing_type
from amdnet_matminer.plots.figures import COLORS, LINES, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
        ax = new_figure((2.2 * reach[0], 2.2 * reach[1] + 0.6), path).subplots()
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
        ax.plot([], [], LINES[k], color=COLORS[k], linewidth=2, label=f"{SHARING_TYPES[k]}-sharing")
    if neighbors.any():
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), frameon=False, ncols=3, fontsize=size)
    save(ax, path)
    return ax


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
    line.set(linestyle=LINES[sharing], color=COLORS[sharing])
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
    look = {"linestyle": LINES[sharing], "edgecolor": COLORS[sharing], "linewidth": 2}
    ax.add_patch(PathPatch(curve, facecolor="none", **look))
    # The middle of such a Bezier curve is at 3/4 of the way to its control points.
    tip = center + 0.75 * (np.mean(sides, axis=0) - center)
    _write_count(ax, tip, count, size)


def _write_count(ax: Axes, point: NDArray, count: float, size: float) -> None:
    box = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"}
    number = f"{count:.2g}" if count < 10 else f"{count:.0f}"
    ax.text(point[0], point[1], number, ha="center", va="center", fontsize=size, bbox=box)
