"""A crystal as balls, bonds and whole polyhedra, with what each contributes: what its pictures show."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pymatgen.core import Element, Structure

from amdnet_matminer.motifs import BOND_RULES, MotifGraph, motif_graph
from amdnet_matminer.motifs.polyhedra import face_rings

Points = NDArray[np.float64]
Place = tuple[int, int, int, int]
"""A site and the lattice translation of one of its copies."""

LARGEST_COORDINATION = 8
"""Of polyhedra that are drawn; larger ones would hide all that is between them, and stay balls."""
_EDGE = 1e-4
"""Atoms this close to a face of the cell, as a fraction of it, are also drawn at the opposite one."""
_FLAT = 1e-2
"""Ligands whose extent across a plane is this fraction of that along it are drawn as bonds alone."""
_RADIUS = 0.32
"""Of balls, in atomic radii."""


class Scene(NamedTuple):
    """What is drawn of a crystal, in angstrom."""

    site: NDArray[np.intp]
    """(B,) of each ball."""
    ball: Points
    """(B, 3)"""
    radius: Points
    """(B,)"""
    bond: NDArray[np.intp]
    """(K, 2) balls of a centre and its ligand, where they make no polyhedron."""
    face_site: NDArray[np.intp]
    """(F,) centre of the polyhedron that has the face."""
    face: list[Points]
    """(F,) corners of each face, anticlockwise from outside, shape (n, 3)."""
    cell: Points
    """(12, 2, 3) ends of the edges of the cell."""
    value: Points
    """(S,) what each site contributes."""
    name: list[str]
    """(S,) of the motif around the site, or its element."""
    is_motif: NDArray[np.bool_]
    """(S,)"""


def explained_crystal(structure: Structure, explanation: pd.DataFrame) -> Scene:
    """Gather what is drawn of a crystal: its cell, and all polyhedra around centres in it, whole.

    Args:
        structure: The crystal, of S sites.
        explanation: What ``explain`` said of it.

    Returns:
        The scene.

    Raises:
        ValueError: The explanation is not that of this crystal.
    """
    rows = _rows_by_site(structure, explanation)
    graph = _motifs_of(structure, explanation)
    copies = _copies_in_cell(structure.frac_coords)
    places = {place: None for shifts in copies.values() for place in shifts}  # an ordered set
    drawn = np.flatnonzero(graph.coordination <= LARGEST_COORDINATION).tolist()
    polyhedra = [(place, _ligands(graph, m, place)) for m in drawn for place in copies[graph.center[m]]]
    for _, ligands in polyhedra:
        places.update(dict.fromkeys(ligands))
    number = {place: i for i, place in enumerate(places)}
    site, shift = np.array([place[0] for place in places]), np.array([place[1:] for place in places])
    ball = (structure.frac_coords[site] + shift) @ structure.lattice.matrix
    numbered = [(number[center], [number[place] for place in ligands]) for center, ligands in polyhedra]
    surfaces = [(center, ligands, _faces(ball[ligands])) for center, ligands in numbered]
    faces = [(site[center], corners) for center, _, surface in surfaces for corners in surface]
    bonds = [(center, ligand) for center, ligands, surface in surfaces if not surface for ligand in ligands]
    return Scene(
        site=site,
        ball=ball,
        radius=_RADIUS * np.array([_radius(structure[i].specie.symbol) for i in site]),
        bond=np.array(bonds, dtype=np.intp).reshape(-1, 2),
        face_site=np.array([center for center, _ in faces], dtype=np.intp),
        face=[corners for _, corners in faces],
        cell=_cell_edges(structure.lattice.matrix),
        value=(rows.contribution / rows.multiplicity).to_numpy(),
        name=rows.name.tolist(),
        is_motif=(rows.kind == "motif").to_numpy(),
    )


def turned(scene: Scene, direction: tuple[float, float]) -> Scene:
    """Turn a scene into axes to the right, up and towards the eye.

    Args:
        scene: What is drawn, in the axes of the lattice.
        direction: From where it is seen: degrees above the plane of x and y, and around z from x.

    Returns:
        The same in these axes.
    """
    up, around = np.radians(direction)
    eye = np.array([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)])
    right = np.array([-np.sin(around), np.cos(around), 0.0])
    axes = np.column_stack([right, np.cross(eye, right), eye])
    return scene._replace(
        ball=scene.ball @ axes, face=[corners @ axes for corners in scene.face], cell=scene.cell @ axes
    )


def one_crystal(explanation: pd.DataFrame) -> pd.DataFrame:
    """Check that an explanation is of one crystal.

    Args:
        explanation: What ``explain`` gave.

    Returns:
        The same.

    Raises:
        ValueError: It is of none or of several.
    """
    if (n := explanation.crystal.nunique()) != 1:
        raise ValueError(f"got an explanation of {n} crystals; pass the rows of one, by column 'crystal'")
    return explanation


def _rows_by_site(structure: Structure, explanation: pd.DataFrame) -> pd.DataFrame:
    rows = one_crystal(explanation).explode("sites").set_index("sites").sort_index()
    elements = [site.specie.symbol for site in structure]
    if rows.index.tolist() != list(range(len(elements))) or rows.element.tolist() != elements:
        raise ValueError(
            f"the explanation is not of this crystal, {structure.composition.reduced_formula} of "
            f"{len(structure)} sites; pass the structure that was explained, not one whose sites differ"
        )
    return rows


def _motifs_of(structure: Structure, explanation: pd.DataFrame) -> MotifGraph:
    """The motifs by the rule of bonds by which the model found those that it explains."""
    rows = explanation[explanation.kind == "motif"]
    names = {site: name for sites, name in zip(rows.sites, rows.name, strict=True) for site in sites}
    if not names:
        return MotifGraph.empty()
    for rule in BOND_RULES:
        graph = motif_graph(structure, bonds=rule)
        if dict(zip(graph.center.tolist(), graph.name.tolist(), strict=True)) == names:
            return graph
    raise ValueError("the explanation has other motifs than this crystal; pass the one that was explained")


def _copies_in_cell(fractional: Points) -> dict[int, list[Place]]:
    """The copies of each site in the cell and on its faces."""
    home = -np.floor(fractional + _EDGE).astype(int)
    inside = fractional + home
    copies = {}
    for site, (shift, at_edge) in enumerate(zip(home, np.abs(inside) < _EDGE, strict=True)):
        steps = product(*([0, 1] if edge else [0] for edge in at_edge))
        moved = [(shift + step).tolist() for step in steps]
        copies[site] = [(site, a, b, c) for a, b, c in moved]
    return copies


def _ligands(graph: MotifGraph, motif: int, center: Place) -> list[Place]:
    """The ligands of a copy of a motif."""
    rows = slice(*graph.ligand_offset[motif : motif + 2])
    images = graph.ligand_image[rows] + np.array(center[1:])
    return [(site, *image) for site, image in zip(graph.ligand[rows].tolist(), images.tolist(), strict=True)]


def _faces(vertex: Points) -> list[Points]:
    """The faces of a polyhedron; none of a flat one."""
    if len(vertex) < 4:
        return []
    extent = np.linalg.svd(vertex - vertex.mean(axis=0), compute_uv=False)
    return [] if extent[2] < _FLAT * extent[0] else [vertex[ring] for ring in face_rings(vertex)]


def _cell_edges(lattice: Points) -> Points:
    corners = np.array(list(product([0, 1], repeat=3)))
    ends = [(a, b) for a, b in product(corners, corners) if (b - a).sum() == 1 and ((b - a) >= 0).all()]
    return np.array(ends) @ lattice


def _radius(symbol: str) -> float:
    """In angstrom; of what has none that is known, that of a middling atom."""
    return float(Element(symbol).atomic_radius or 1.3)
