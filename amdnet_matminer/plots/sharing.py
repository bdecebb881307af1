"""Which geometries share corners, edges and faces with which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.motifs import SHARING_TYPES, MotifGraph, sharing_type
from amdnet_matminer.motifs.motif2vec import motif_parts
from amdnet_matminer.plots.figures import new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    panels = new_figure((12.5, 5.2), path).subplots(1, 3) if axes is None else axes
    for k, (ax, sharing) in enumerate(zip(panels, SHARING_TYPES, strict=True)):
        percent = np.array([[100 * shares[a, b, k] / weight[a] for b in shown] for a in shown])
        _draw_percentages(ax, percent)
        ax.set(title=f"{sharing}-sharing (% of connections)", xlabel="geometry of the neighbour")
        ax.set_xticks(range(len(shown)), shown, rotation=45, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(len(shown)), shown if k == 0 else [""] * len(shown))
    panels[0].set_ylabel("geometry of the motif")
    save(panels[0], path)
    return panels


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
