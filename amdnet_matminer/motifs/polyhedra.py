"""The ideal coordination polyhedra: what motif geometries are named after."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymatgen.analysis.chemenv.coordination_environments.coordination_geometries import (
    AllCoordinationGeometries,
)
from scipy.spatial import ConvexHull

Points = NDArray[np.float64]
Indices = NDArray[np.intp]

# Vertices this close to a plane are in it, relative to the size of the polyhedron.
_FLAT = 1e-3

_NAMES: dict[str, str] = {
    "S:1": "single-bonded",
    "L:2": "linear",
    "A:2": "bent",
    "TL:3": "trigonal planar",
    "TY:3": "trigonal non-coplanar",
    "TS:3": "T-shaped",
    "T:4": "tetrahedral",
    "S:4": "square planar",
    "SY:4": "square non-coplanar",
    "SS:4": "see-saw",
    "PP:5": "pentagonal planar",
    "S:5": "square pyramidal",
    "T:5": "trigonal bipyramidal",
    "O:6": "octahedral",
    "T:6": "trigonal prismatic",
    "PP:6": "pentagonal pyramidal",
    "PB:7": "pentagonal bipyramidal",
    "ST:7": "capped trigonal prismatic",
    "ET:7": "end-capped trigonal prismatic",
    "FO:7": "capped octahedral",
    "C:8": "cubic",
    "SA:8": "square antiprismatic",
    "SBT:8": "bicapped trigonal prismatic",
    "TBT:8": "end-bicapped trigonal prismatic",
    "DD:8": "dodecahedral",
    "DDPN:8": "dodecahedral",
    "HB:8": "hexagonal bipyramidal",
    "BO_1:8": "trans-bicapped octahedral",
    "BO_2:8": "vertex-sharing bicapped octahedral",
    "BO_3:8": "edge-sharing bicapped octahedral",
    "TC:9": "triangular cupola",
    "TT_1:9": "tricapped trigonal prismatic",
    "TT_2:9": "one-end tricapped trigonal prismatic",
    "TT_3:9": "two-end tricapped trigonal prismatic",
    "HD:9": "heptagonal bipyramidal",
    "TI:9": "tridiminished icosahedral",
    "SMA:9": "capped square antiprismatic",
    "SS:9": "capped square prismatic",
    "TO_1:9": "vertex-sharing tricapped octahedral",
    "TO_2:9": "aligned tricapped octahedral",
    "TO_3:9": "edge-sharing tricapped octahedral",
    "PP:10": "pentagonal prismatic",
    "PA:10": "pentagonal antiprismatic",
    "SBSA:10": "bicapped square antiprismatic",
    "MI:10": "metabidiminished icosahedral",
    "BS_1:10": "trans-bicapped square prismatic",
    "BS_2:10": "cis-bicapped square prismatic",
    "TBSA:10": "triangle-bicapped square antiprismatic",
    "PCPA:11": "capped pentagonal antiprismatic",
    "H:11": "hendecahedral",
    "DI:11": "diminished icosahedral",
    "I:12": "icosahedral",
    "PBP:12": "bicapped pentagonal prismatic",
    "TT:12": "truncated tetrahedral",
    "C:12": "cuboctahedral",
    "AC:12": "anticuboctahedral",
    "SC:12": "square cupola",
    "HP:12": "hexagonal prismatic",
    "HA:12": "hexagonal antiprismatic",
    "SH:13": "capped hexagonal prismatic",
    "DD:20": "pentagonal dodecahedral",
}
"""Our names of ChemEnv's polyhedra, by its symbols; what is capped is capped on its square faces."""

ISOLATED, OTHER = "isolated", "other"

GEOMETRIES: tuple[str, ...] = (ISOLATED, *dict.fromkeys(_NAMES.values()), OTHER)
"""What a motif can be called; those named by their coordination number alone are "other"."""


class Polyhedra(NamedTuple):
    """The S ideal polyhedra of n vertices, around a centre at the origin."""

    name: tuple[str, ...]
    """S of ``GEOMETRIES``, two of them equal where ChemEnv has two forms."""
    vertex: Points
    """(S, n, 3) scaled so that the squared distances of vertices and centre from their centroid sum to 1."""


class Surface(NamedTuple):
    """Edges and faces of a polyhedron of n vertices."""

    edge: Indices
    """(K, 2) vertices of each edge, the smaller number first."""
    ring: Indices
    """(R, 3) face, vertex and the next one around it, anticlockwise from outside; none if it is flat."""
    face: Points
    """(F, n) what takes the vertices to the mean of those of each face."""

    def volume(self, vertex: Points) -> Points:
        """Volume (...) of polyhedra like this one, with their vertices (..., n, 3) elsewhere.

        Faces that are no longer plane are cones to the mean of their vertices.
        """
        face, start, end = self.ring.T
        tip = (self.face @ vertex)[..., face, :]
        return np.linalg.det(np.stack([tip, vertex[..., start, :], vertex[..., end, :]], axis=-2)).sum(-1) / 6


@lru_cache(maxsize=32)
def polyhedra(coordination: int) -> Polyhedra:
    """The ideal polyhedra of a coordination number, from pymatgen's ChemEnv.

    Waroquiers et al., Acta Cryst. B 76, 683 (2020).

    Args:
        coordination: Number n of vertices.

    Returns:
        The polyhedra; none where ChemEnv has none, as for 14 vertices.
    """
    found = AllCoordinationGeometries().get_implemented_geometries(coordination)
    vertex = np.array([shape.points for shape in found]).reshape(len(found), coordination, 3)
    return Polyhedra(
        tuple(_NAMES[shape.mp_symbol] for shape in found),
        vertex / np.sqrt(moment(vertex))[:, None, None],
    )


def moment(vertex: Points) -> Points:
    """Sum of the squared distances of vertices (..., n, 3) and the origin from their common centroid."""
    total = vertex.sum(axis=-2)
    return (vertex**2).sum(axis=(-2, -1)) - (total**2).sum(axis=-1) / (vertex.shape[-2] + 1)


@lru_cache(maxsize=32)
def surfaces(coordination: int) -> tuple[Surface, ...]:
    """Edges and faces of the polyhedra of a coordination number.

    Args:
        coordination: Number n of vertices.

    Returns:
        One for each of ``polyhedra``. Flat ones have the edges of the polygon and no face.
    """
    return tuple(map(_surface, polyhedra(coordination).vertex))


def _surface(vertex: Points) -> Surface:
    n = len(vertex)
    centred = vertex - vertex.mean(axis=0)
    _, size, axes = np.linalg.svd(centred)
    flat = n < 4 or size[2] < _FLAT * size[0]
    rings = [] if flat else face_rings(vertex)
    if n < 4:
        edge = np.stack(np.triu_indices(n, 1), axis=1)
    elif flat:
        edge = ConvexHull(centred @ axes[:2].T).simplices
    else:
        edge = np.concatenate([_steps(ring) for ring in rings])
    steps = [np.insert(_steps(ring), 0, face, axis=1) for face, ring in enumerate(rings)]
    return Surface(
        edge=np.unique(np.sort(edge, axis=1), axis=0).astype(np.intp),
        ring=np.concatenate([np.zeros((0, 3), dtype=np.intp), *steps]),
        face=np.array([np.isin(np.arange(n), ring) / len(ring) for ring in rings]).reshape(-1, n),
    )


def face_rings(vertex: Points) -> list[Indices]:
    """Find the faces of a convex polyhedron.

    Args:
        vertex: Its vertices, not all in a plane, shape (n, 3).

    Returns:
        Of each face the numbers of its vertices, anticlockwise from outside.
    """
    hull = ConvexHull(vertex)
    planes, face = np.unique(np.round(hull.equations / _FLAT), axis=0, return_inverse=True)
    rings = []
    for number, plane in enumerate(planes):
        of_face = np.unique(hull.simplices[face.ravel() == number])
        spoke = vertex[of_face] - vertex[of_face].mean(axis=0)
        normal = plane[:3] / np.linalg.norm(plane[:3])
        around = np.arctan2(np.cross(normal, spoke[0]) @ spoke.T, spoke @ spoke[0])
        rings.append(of_face[np.argsort(around)])
    return rings


def _steps(ring: Indices) -> Indices:
    return np.stack([ring, np.roll(ring, -1)], axis=1)
