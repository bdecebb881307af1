"""A crystal as balls and polyhedra, coloured by what they contribute to a prediction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pymatgen.core import Structure

from amdnet_matminer.errors import MissingDependencyError
from amdnet_matminer.plots.figures import NO_MATPLOTLIB, new_figure, save
from amdnet_matminer.plots.scene import Scene, explained_crystal, turned

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

_LIGHT = np.array([-0.4, 0.5, 0.77])
"""Direction of the light: right, up and towards the eye."""
_PIECES = 24
"""Of each edge of the cell, since parts of it may be before and others behind a polyhedron."""
OPACITY = 0.8
"""Of faces."""

Part = tuple[float, "Artist"]
"""How near to the eye, and what is drawn."""


def plot_polyhedra(
    structure: Structure,
    explanation: pd.DataFrame,
    unit: str = "",
    direction: tuple[float, float] = (12.0, 24.0),
    *,
    path: str | Path | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a crystal whose coordination polyhedra and atoms have the colours of their contributions.

    The cell is drawn with all polyhedra around centres in it and on its faces, whole. Motifs with
    more than 8 ligands are balls, and flat ones have bonds. The view is orthographic.

    Args:
        structure: The crystal.
        explanation: Its rows of what ``explain`` gave.
        unit: Of the target, such as ``"eV"``.
        direction: From where it is seen: degrees above the plane of x and y, and around z from x.
        path: The picture to write, if any; its suffix decides the format.
        ax: Where to draw; a new figure if not given.

    Returns:
        The axes that were drawn into.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ValueError: The explanation is not that of this crystal.
    """
    scene = explained_crystal(structure, explanation)
    ax = new_figure((6.4, 5.2), path).subplots() if ax is None else ax
    paints = contribution_colors(scene)
    seen = turned(scene, direction)
    parts = [*_draw_cell(seen), *_draw_bonds(seen), *_draw_balls(seen, paints), *_draw_faces(seen, paints)]
    for order, (_, artist) in enumerate(sorted(parts, key=lambda part: part[0])):
        artist.set_zorder(2 + order)
        ax.add_artist(artist)
    _frame(ax, seen)
    _name_parts(ax, scene, paints)
    of_unit = f" ({unit})" if unit else ""
    bar = ax.figure.colorbar(paints, ax=ax, shrink=0.7, pad=0.02)
    bar.set_label(f"contribution of each motif or atom{of_unit}")
    save(ax, path)
    return ax


def contribution_colors(scene: Scene) -> ScalarMappable:
    """The colours of contributions: blue lowers the prediction, red raises it, grey does neither.

    Args:
        scene: What is drawn.

    Returns:
        The map from contributions to colours.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize
    except ImportError as error:
        raise MissingDependencyError(*NO_MATPLOTLIB) from error
    reach = float(np.abs(scene.value).max()) or 1.0
    # Made for shaded surfaces (Moreland, Adv. Visual Comput. LNCS 5876, 92, 2009): its ends are not dark.
    return ScalarMappable(Normalize(-reach, reach), "coolwarm")


def _draw_cell(seen: Scene) -> Iterator[Part]:
    from matplotlib.lines import Line2D

    steps = np.linspace(0, 1, _PIECES + 1)[:, None]
    for start, end in seen.cell:
        points = start + steps * (end - start)
        for a, b in pairwise(points):
            line = Line2D([a[0], b[0]], [a[1], b[1]], color="0.25", linewidth=0.8, solid_capstyle="round")
            yield (a[2] + b[2]) / 2, line


def _draw_bonds(seen: Scene) -> Iterator[Part]:
    from matplotlib.lines import Line2D

    for center, ligand in seen.bond:
        a, b = seen.ball[center], seen.ball[ligand]
        line = Line2D([a[0], b[0]], [a[1], b[1]], color="0.55", linewidth=1.2, solid_capstyle="butt")
        yield (a[2] + b[2]) / 2, line


def _draw_balls(seen: Scene, paints: ScalarMappable) -> Iterator[Part]:
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Circle

    colors = paints.to_rgba(seen.value[seen.site])[:, :3]
    for (x, y, depth), radius, color in zip(seen.ball, seen.radius, colors, strict=True):
        # Ever smaller and brighter discs towards the light look like a ball.
        steps = np.linspace(0, 1, 8)
        discs = [Circle((x - 0.3 * s * radius, y + 0.3 * s * radius), radius * (1 - 0.9 * s)) for s in steps]
        shades = [(1 - 0.55 * s) * 0.9 * color + 0.55 * s for s in steps]
        edges = ["0.2", *["none"] * (len(steps) - 1)]
        yield depth, PatchCollection(discs, facecolors=shades, edgecolors=edges, linewidths=0.5)


def _draw_faces(seen: Scene, paints: ScalarMappable) -> Iterator[Part]:
    from matplotlib.patches import Polygon

    colors = paints.to_rgba(seen.value[seen.face_site])[:, :3]
    for corners, color in zip(seen.face, colors, strict=True):
        normal = np.cross(corners[1] - corners[0], corners[2] - corners[1])
        normal /= np.linalg.norm(normal)
        shade = 0.86 + 0.14 * abs(normal @ _LIGHT)
        face = Polygon(corners[:, :2], facecolor=(*(shade * color), OPACITY), edgecolor="0.3", linewidth=0.7)
        face.set_joinstyle("round")
        yield float(corners[:, 2].mean()), face


def _frame(ax: Axes, seen: Scene) -> None:
    points = np.concatenate([seen.cell.reshape(-1, 3), seen.ball])[:, :2]
    margin = seen.radius.max() + 0.2
    # Limits that are not fixed may grow to fill the axes, which then have one size for their legend.
    ax.update_datalim([points.min(axis=0) - margin, points.max(axis=0) + margin])
    ax.margins(0)
    ax.set_aspect("equal", adjustable="datalim")
    ax.autoscale_view()
    ax.set_axis_off()


def _name_parts(ax: Axes, scene: Scene, paints: ScalarMappable) -> None:
    """A legend of kinds of motifs and atoms, with their numbers in the cell and mean colours."""
    from matplotlib.lines import Line2D

    kinds = Counter(zip((~scene.is_motif).tolist(), scene.name, strict=True))
    handles = []
    for (is_atom, name), count in sorted(kinds.items()):
        of_kind = (scene.is_motif != is_atom) & (np.array(scene.name) == name)
        handle = Line2D([], [], linestyle="none", marker="o" if is_atom else "H", label=f"{count} {name}")
        handle.set(markersize=8 if is_atom else 12, markeredgecolor="0.3", markeredgewidth=0.7)
        handle.set_markerfacecolor(tuple(paints.to_rgba(scene.value[of_kind]).mean(axis=0)))
        handles.append(handle)
    ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), frameon=False, ncols=2)
