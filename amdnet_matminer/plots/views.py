"""A crystal as balls and polyhedra that can be turned, coloured by what they contribute to a prediction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pymatgen.core import Structure

from amdnet_matminer.errors import MissingDependencyError
from amdnet_matminer.plots.polyhedra import OPACITY, contribution_colors
from amdnet_matminer.plots.scene import Points, Scene, explained_crystal, turned

if TYPE_CHECKING:
    import py3Dmol

_HOVER_DELAY = 50
"""Milliseconds."""
_ZOOM = 1.4
"""``zoomTo`` leaves wide margins around what has no model of a molecule."""
_HIDE_LABEL = "function(shape, viewer) {viewer.removeLabel(viewer.contribution);}"


def view_polyhedra(
    structure: Structure,
    explanation: pd.DataFrame,
    unit: str = "",
    direction: tuple[float, float] = (12.0, 24.0),
) -> py3Dmol.view:
    """Show a crystal as ``plot_polyhedra`` draws it, to be turned and zoomed in a notebook or browser.

    A ball or polyhedron under the mouse is labelled with its name and contribution.

    Args:
        structure: The crystal.
        explanation: Its rows of what ``explain`` gave.
        unit: Of the target, such as ``"eV"``.
        direction: From where it is seen first: degrees above the plane of x and y, and around z from x.

    Returns:
        The view. A notebook shows it, and its ``write_html`` writes a page; both load 3Dmol.js
        (Rego and Koes, Bioinformatics 31, 1322, 2015) from the network.

    Raises:
        MissingDependencyError: py3Dmol or matplotlib, which has the colours, is not installed.
        ValueError: The explanation is not that of this crystal.
    """
    seen = turned(explained_crystal(structure, explanation), direction)
    view = _empty_view()
    for start, end in seen.cell:
        view.addLine({"start": _point(start), "end": _point(end), "color": "#404040"})
    for center, ligand in seen.bond:
        ends = {"start": _point(seen.ball[center]), "end": _point(seen.ball[ligand])}
        view.addCylinder({**ends, "radius": 0.06, "color": "#8c8c8c"})
    styles = _styles(seen, unit)
    for site, center, radius in zip(seen.site, seen.ball, seen.radius, strict=True):
        view.addSphere({"center": _point(center), "radius": float(radius), **styles[site]})
    for site, corners in zip(seen.face_site, seen.face, strict=True):
        view.addCustom({**_mesh(corners), "opacity": OPACITY, **styles[site]})
        for start, end in _outline(corners):
            view.addLine({"start": _point(start), "end": _point(end), "color": "#4d4d4d"})
    view.zoomTo()
    view.zoom(_ZOOM)
    return view


def _empty_view() -> py3Dmol.view:
    try:
        import py3Dmol
    except ImportError as error:
        reason = "interactive views need py3Dmol"
        raise MissingDependencyError(reason, "install it with pip install 'amdnet-matminer[view]'") from error
    view = py3Dmol.view()
    view.setProjection("orthographic")
    view.setHoverDuration(_HOVER_DELAY)
    return view


def _styles(scene: Scene, unit: str) -> list[dict[str, Any]]:
    """The colour of each site, and the label under the mouse."""
    colors = contribution_colors(scene).to_rgba(scene.value)
    from matplotlib.colors import to_hex

    styles = []
    for name, value, color in zip(scene.name, scene.value, colors, strict=True):
        text = json.dumps(f"{name}: {value:+.3g} {unit}".rstrip())
        place = "{position: shape.boundingSphere.center, inFront: true}"
        show = f"function(shape, viewer) {{viewer.contribution = viewer.addLabel({text}, {place});}}"
        hover = {"hoverable": True, "hover_callback": show, "unhover_callback": _HIDE_LABEL}
        styles.append({"color": to_hex(color), **hover})
    return styles


def _mesh(corners: Points) -> dict[str, Any]:
    """A face as triangles around its first corner."""
    triangles = [number for i in range(1, len(corners) - 1) for number in (0, i, i + 1)]
    # Only of what is clickable 3Dmol.js keeps the triangles, by which it knows what is under the mouse.
    return {"vertexArr": [_point(corner) for corner in corners], "faceArr": triangles, "clickable": True}


def _outline(corners: Points) -> list[tuple[Points, Points]]:
    """Edges of a face that are not left to its neighbour, which has them the other way round."""
    ends = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    return [(start, end) for start, end in ends if start.tolist() < end.tolist()]


def _point(place: Points) -> dict[str, float]:
    """In angstrom, as 3Dmol.js has points."""
    return dict(zip("xyz", place.round(4).tolist(), strict=True))
