"""How far the bond angles and lengths of motifs are from those of their ideal polyhedron.

Both measures are those of Robinson, Gibbs and Ribbe, Science 172, 567 (1971), who define
them for tetrahedra and octahedra, written so that they hold for every polyhedron: each
angle is compared with the one of the ideal polyhedron at the same edge, and squared bond
lengths with those of the ideal polyhedron of the same volume.
"""

from __future__ import annotations

import numpy as np

from amdnet_matminer.motifs.polyhedra import Points, Surface

# A motif with less than this part of the volume that the ideal polyhedron has at the same mean squared
# bond length is flat: what volume is left of it is rounding. Real motifs have at least a thirtieth.
_FLAT = 1e-3


def angle_variances(bond: Points, vertex: Points, surface: Surface) -> Points:
    """Bond-angle variance, the sum of (angle - ideal angle)^2 over the m edges divided by m - 1.

    Args:
        bond: Vectors from centre to ligand of E motifs, ligands in the order of the vertices
            that they are at, shape (E, n, 3).
        vertex: Of the ideal polyhedron, shape (n, 3).
        surface: Its edges.

    Returns:
        In square degrees, NaN where there are no edges, shape (E,).
    """
    n_edges = len(surface.edge)
    if n_edges == 0:
        return np.full(len(bond), np.nan)
    deviation = _angles(bond, surface) - _angles(vertex, surface)
    return (deviation**2).sum(axis=-1) / max(n_edges - 1, 1)


def elongations(bond: Points, vertex: Points, surface: Surface) -> Points:
    """Quadratic elongation, the mean squared bond length over that of the ideal polyhedron of equal volume.

    Args:
        bond: As in ``angle_variances``.
        vertex: As in ``angle_variances``.
        surface: The faces.

    Returns:
        1 where ideal, NaN where there is no volume, shape (E,).
    """
    if len(surface.face) == 0:
        return np.full(len(bond), np.nan)
    size = (bond**2).sum(axis=(-2, -1)) / (vertex**2).sum()
    # Of the ideal polyhedron of this size; negative where the mirror image fits.
    part = np.abs(surface.volume(bond)) / (surface.volume(vertex) * size**1.5)
    return np.where(part > _FLAT, part, np.nan) ** (-2 / 3)


def _angles(vertex: Points, surface: Surface) -> Points:
    """At the centre between the ends of each edge, in degrees."""
    unit = vertex / np.linalg.norm(vertex, axis=-1, keepdims=True)
    first, second = surface.edge.T
    cosine = (unit[..., first, :] * unit[..., second, :]).sum(axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
