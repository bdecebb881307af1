"""Voronoi cells of chosen sites of a crystal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.errors import StructureError
from amdnet_matminer.motifs.types import IntArray

SEARCH_RADIUS = 7.0
"""Atoms within this, in angstrom, bound a Voronoi cell: CrystalNN's ``search_cutoff``."""

# A vertex farther than this, in angstrom, is at infinity: the cell is open.
_FARTHEST_VERTEX = 1e6
# Facets smaller than this, in square angstrom, are the touching corners of cells.
_SMALLEST_FACET = 1e-12

Vectors = NDArray[np.float64]


class Facets(NamedTuple):
    """The F facets of the Voronoi cells of C sites, cell after cell."""

    cell: NDArray[np.int64]
    """(F,) position of the facet's site among the C sites, ascending."""
    neighbor: NDArray[np.int64]
    """(F,) index of the site on the other side."""
    image: IntArray
    """(F, 3) lattice translation of the neighbour."""
    vector: Vectors
    """(F, 3) from the site to the neighbour, in angstrom."""
    distance: Vectors
    """(F,) length of ``vector``, in angstrom."""
    area: Vectors
    """(F,) in square angstrom."""
    solid_angle: Vectors
    """(F,) of the facet seen from the site, in steradian."""


_NO_FACETS = Facets(
    cell=np.empty(0, dtype=np.int64),
    neighbor=np.empty(0, dtype=np.int64),
    image=np.empty((0, 3), dtype=np.int32),
    vector=np.empty((0, 3)),
    distance=np.empty(0),
    area=np.empty(0),
    solid_angle=np.empty(0),
)


def voronoi_facets(
    crystals: CrystalArrays, sites: NDArray[np.integer], radius: float = SEARCH_RADIUS
) -> Facets:
    """Find the facets of the Voronoi cells of chosen sites.

    A cell is bounded by the atoms within ``radius`` of its site, as in CrystalNN;
    where these leave it open (a surface, a layer), the radius of that site doubles
    until the cell closes, at the latest at the longest diagonal of the unit cell.
    A site with no atom within ``radius`` gets no facets.

    Each cell is the polar dual of a convex hull (Qhull) around the points
    2 d / |d|^2, d running over the vectors to the atoms. No lattice reduction or
    supercell is needed, and everything is in double precision.

    Args:
        crystals: The crystals of the sites.
        sites: The C sites to look at, ascending, shape (C,).
        radius: Of the sphere of atoms to start from, in angstrom.

    Returns:
        The facets of all cells.

    Raises:
        StructureError: A cell cannot be closed.
    """
    facets, opened = _cells(_surroundings(crystals, sites, radius), len(sites))
    found = [facets]
    of_crystal = crystals.crystal[sites[opened]]
    for crystal in np.unique(of_crystal).tolist():
        group = opened[of_crystal == crystal]
        longest = _longest_diagonal(crystals.lattice[crystal]) + 0.01
        if radius > longest:
            raise StructureError(
                "has an open Voronoi cell",
                "the unit cell is too flat, take another one, for instance structure.get_reduced_structure()",
                site=int(sites[group[0]] - crystals.offset[crystal]),
            )
        rest = voronoi_facets(crystals, sites[group], min(2 * radius, longest + 0.001))
        found.append(rest._replace(cell=group[rest.cell]))
    return _merge(found) if len(found) > 1 else facets


def _surroundings(crystals: CrystalArrays, sites: NDArray[np.integer], radius: float) -> Facets:
    """All atoms within a radius of the sites, nothing measured yet, sorted by site."""
    cell, neighbor, image, distance = crystals.neighbors_within(radius, sites)
    vector = crystals.between(sites[cell], neighbor, image)
    nothing = np.zeros(len(cell))
    return Facets(cell, neighbor, image, vector, distance, nothing, nothing)


def _cells(around: Facets, n_cells: int) -> tuple[Facets, NDArray[np.int64]]:
    """Facets of the closed cells, and which cells are open."""
    start = np.searchsorted(around.cell, np.arange(n_cells + 1)).tolist()
    dual = around.vector * (2.0 / around.distance**2)[:, None]
    hulls: list[ConvexHull] = []
    first: list[int] = []
    opened: list[int] = []
    for cell, (begin, end) in enumerate(pairwise(start)):
        hull = _closed_hull(dual[begin:end])
        if hull is not None:
            hulls.append(hull)
            first.append(begin)
        elif begin < end:
            opened.append(cell)
    return _measure(around, hulls, first) if hulls else _NO_FACETS, np.array(opened, dtype=np.int64)


def _closed_hull(dual: Vectors) -> ConvexHull | None:
    """Hull of the dual points of one cell, None if the cell is open."""
    if len(dual) < 4:
        return None
    try:
        hull = ConvexHull(dual)
    except QhullError:  # All points are in one plane.
        return None
    return hull if hull.equations[:, 3].max() < -1 / _FARTHEST_VERTEX else None


def _measure(around: Facets, hulls: list[ConvexHull], first: list[int]) -> Facets:
    """Areas and solid angles of the facets, from the dual hulls and the row of their first points.

    A hull's simplex is a vertex of the Voronoi cell, where the facets of three
    atoms meet; two adjacent simplices are a Voronoi edge between two facets. The
    triangles that the edges of a facet span with one of its vertices make it up.
    """
    n_vertices = np.array([len(hull.simplices) for hull in hulls])
    simplices = np.concatenate([hull.simplices for hull in hulls]) + np.repeat(first, n_vertices)[:, None]
    shift = np.repeat(np.cumsum(n_vertices) - n_vertices, n_vertices)[:, None]
    adjacent = np.concatenate([hull.neighbors for hull in hulls]) + shift
    plane = np.concatenate([hull.equations for hull in hulls])
    # Each Voronoi edge is met from both of its simplices: it is taken from the one of the smaller number.
    begin, opposite = np.nonzero(adjacent > np.arange(len(adjacent))[:, None])
    # Qhull lists a simplex's neighbours by the corner opposite to them: the edge is of the other two corners.
    facet = np.concatenate([simplices[begin, opposite - 1], simplices[begin, opposite - 2]])
    apex = np.empty(len(around.cell), dtype=np.int64)
    apex[simplices.ravel()] = np.repeat(np.arange(len(simplices)), 3)
    # Where a facet's triangles begin does not matter, so any of its vertices is its apex.
    vertex = plane[:, :3] / -plane[:, 3:]
    volume, angle = _tetrahedra(vertex, apex[facet], begin, adjacent[begin, opposite])
    n_points = len(around.cell)
    area = np.bincount(facet, weights=volume, minlength=n_points) / around.distance
    solid_angle = np.bincount(facet, weights=angle, minlength=n_points).astype(np.float64)
    kept = np.flatnonzero(area > _SMALLEST_FACET)
    return Facets._make(field[kept] for field in around._replace(area=area, solid_angle=solid_angle))


def _tetrahedra(
    vertex: Vectors, apex: NDArray[np.int64], begin: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[Vectors, Vectors]:
    """Six-fold volumes and solid angles of the tetrahedra from the site to apex, begin and end.

    The edges from ``begin`` to ``end`` (E,) belong to two facets each, with an apex
    in ``apex`` (2 E,). Formula of Van Oosterom and Strackee, IEEE Trans. Biomed.
    Eng. 30, 125 (1983).
    """
    length = np.sqrt(np.einsum("ij,ij->i", vertex, vertex))
    b, c = vertex[begin], vertex[end]
    b_c = np.einsum("ij,ij->i", b, c)
    cross = b[:, [1, 2, 0]] * c[:, [2, 0, 1]] - b[:, [2, 0, 1]] * c[:, [1, 2, 0]]
    a = vertex[apex].reshape(2, -1, 3)
    volume = np.abs(np.einsum("fij,ij->fi", a, cross))
    la, lb, lc = length[apex].reshape(2, -1), length[begin], length[end]
    below = la * (lb * lc + b_c) + np.einsum("fij,ij->fi", a, b) * lc + np.einsum("fij,ij->fi", a, c) * lb
    return volume.ravel(), 2 * np.arctan2(volume, below).ravel()


def _longest_diagonal(lattice: Vectors) -> float:
    corners = np.array([[1, 1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]])
    return float(np.linalg.norm(corners @ lattice, axis=1).max())


def _merge(parts: Sequence[Facets]) -> Facets:
    """Facets of different cells together, sorted by cell."""
    order = np.argsort(np.concatenate([part.cell for part in parts]), kind="stable")
    columns: Iterator[Any] = zip(*parts, strict=True)
    return Facets._make(np.concatenate(column)[order] for column in columns)
