"""The continuous symmetry measure: how far a motif is from the ideal polyhedron nearest to it.

Pinsky and Avnir, Inorg. Chem. 37, 5575 (1998), as ChemEnv has it (Waroquiers et al.,
Acta Cryst. B 76, 683, 2020): the sum of the squared distances between the atoms of
the motif and those of the polyhedron, turned, mirrored, scaled and numbered to fit
best, as a percentage of the size of the motif. Centre and ligands count alike, about
their common centroid.

With d and p the atoms of both, numbered alike, the best fit is the one of the largest
overlap, the sum of the singular values of H = sum of d p^T, and the measure is
100 (1 - overlap^2 / sum of d^2 / sum of p^2).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from amdnet_matminer.motifs.distortion import angle_variances, elongations
from amdnet_matminer.motifs.polyhedra import Indices, Points, moment, polyhedra, surfaces

MOST = 100.0
"""The measure where no polyhedron has as many vertices as the motif has ligands."""

# Up to this many ligands all numberings are tried: 147 for 6 ligands, but 3,192 for 7.
_FEW = 6
# For more: pairs of ligands that pairs of vertices are laid along, and how often the best of these fits are
# numbered and turned anew.
_PAIRS, _ROUNDS = 4, 2
# How many fits are numbered and turned, and how many of those anew. Of a motif farther than _FAR from all
# polyhedra many fits are alike, and of 4% the best was not among so few: these are searched once more.
_FITS, _MORE_FITS = (32, 2), (128, 4)
_FAR = 3.0
# Motifs that are searched at once, for the memory of their fits.
_BLOCK = 16
# Two vertices this close to a line (cosine) are no pair.
_ALONG = 0.95
# Motifs are equal whose sorted scalar products agree within this, in square angstrom.
_EQUAL = 1e-3

Single = NDArray[np.float32]


class _Placed(NamedTuple):
    """The polyhedra of n vertices, numbered or turned in K ways."""

    vertex: Points
    """(n, 3, K)"""
    shape: Indices
    """(K,) position among ``polyhedra(n)``."""


class Nearest(NamedTuple):
    """The ideal polyhedra nearest to M motifs, and how far they are; NaN is what has no meaning there."""

    name: list[str]
    """(M,) empty where there is no polyhedron of as many vertices."""
    measure: Points
    """(M,) continuous symmetry measure, in [0, 100]: 100 where there is no polyhedron, and 0
    without ligands, where none can be out of place."""
    bond_angle_variance: Points
    """(M,) bond-angle variance in square degrees."""
    quadratic_elongation: Points
    """(M,) quadratic elongation."""


class _Fit(NamedTuple):
    """E motifs of n ligands on the polyhedra nearest to them."""

    overlap: Points
    """(E,) the largest one."""
    shape: Indices
    """(E,) position among ``polyhedra(n)``."""
    ligand: Indices
    """(E, n) the ligand at each vertex."""


def nearest_polyhedra(bond: Points, offset: NDArray[np.integer]) -> Nearest:
    """Find the ideal polyhedron that each motif resembles most.

    Args:
        bond: Vectors from centre to ligand, in angstrom, motif after motif, shape (L, 3).
        offset: First bond of each of the M motifs, shape (M + 1,).

    Returns:
        The polyhedra and the distances from them.
    """
    coordination = np.diff(offset)
    names = np.full(len(coordination), "", dtype=object)
    values = np.full((3, len(coordination)), np.nan)
    values[0] = np.where(coordination > 0, MOST, 0.0)
    for n in np.unique(coordination[coordination > 0]).tolist():
        if polyhedra(n).name:
            of_n = np.flatnonzero(coordination == n)
            shape, values[:, of_n] = _nearest(bond[offset[of_n, None] + np.arange(n)])
            names[of_n] = np.array(polyhedra(n).name, dtype=object)[shape]
    return Nearest(names.tolist(), *values)


def _nearest(bonds: Points) -> tuple[Indices, Points]:
    """Position among ``polyhedra(n)`` of the nearest to each of E motifs (E, n, 3), and distances (3, E)."""
    first, kind = _kinds(bonds)
    motifs = bonds[first]
    fit = _try_all(motifs) if bonds.shape[1] <= _FEW else _search_each(motifs)
    return fit.shape[kind], np.stack([_measures(motifs, fit), *_distortions(motifs, fit)])[:, kind]


def _measures(motifs: Points, fit: _Fit) -> Points:
    """Continuous symmetry measure of each of E motifs, shape (E,)."""
    measure: Points = np.clip(MOST * (1 - fit.overlap**2 / moment(motifs)), 0.0, MOST)
    return measure


def _distortions(motifs: Points, fit: _Fit) -> Points:
    """Bond-angle variance and quadratic elongation of each of E motifs, shape (2, E)."""
    found = np.empty((2, len(motifs)))
    n = motifs.shape[1]
    for shape in np.unique(fit.shape).tolist():
        of_shape = np.flatnonzero(fit.shape == shape)
        bond = motifs[of_shape[:, None], fit.ligand[of_shape]]
        ideal = polyhedra(n).vertex[shape], surfaces(n)[shape]
        found[:, of_shape] = angle_variances(bond, *ideal), elongations(bond, *ideal)
    return found


def _kinds(bonds: Points) -> tuple[list[int], list[int]]:
    """First of each kind of motif, and the kind of each: equivalent sites have equal motifs."""
    product = np.sort(np.sort(bonds @ bonds.transpose(0, 2, 1), axis=2), axis=1)
    number: dict[bytes, int] = {}
    first: list[int] = []
    kind: list[int] = []
    for motif, row in enumerate(np.rint(product / _EQUAL).astype(np.int32)):
        kind.append(number.setdefault(row.tobytes(), len(number)))
        if len(number) > len(first):
            first.append(motif)
    return first, kind


def _try_all(bonds: Points) -> _Fit:
    """E motifs (E, n, 3) on their polyhedra, from all numberings."""
    ways, ligand = _numberings(bonds.shape[1])
    h = np.tensordot(bonds, ways.vertex, axes=(1, 0)) - _of_centroid(bonds, ways.vertex)
    best = _sum_of_singular_values(h.transpose(1, 2, 0, 3).astype(np.float32)).argmax(axis=1)
    exact = np.linalg.svd(h[np.arange(len(bonds)), :, :, best], compute_uv=False).sum(axis=1)
    return _Fit(exact, ways.shape[best], ligand[best])


def _of_centroid(bonds: Points, vertex: Points) -> Points:
    """What H (..., 3, 3, K) loses when motif and polyhedron are moved to their centroids."""
    return bonds.sum(axis=-2)[..., None, None] * (vertex.sum(axis=0) / (len(vertex) + 1))


def _sum_of_singular_values(h: Single) -> Single:
    """Of matrices (3, 3, ...), to five digits.

    The sum x obeys x^2 = f + 2 (e + 2 d x)^(1/2), where f and e are the sums of the squared
    elements and minors and d is the size of the determinant. Each round cuts the error
    to a ninth at most.
    """
    one, two = [1, 2, 0], [2, 0, 1]
    up, down = h[one], h[two]
    minor = up[:, one] * down[:, two] - up[:, two] * down[:, one]
    f, e = (h**2).sum(axis=(0, 1)), (minor**2).sum(axis=(0, 1))
    d = np.abs((h[0] * minor[0]).sum(axis=0))
    x: Single = np.sqrt(3 * f)
    for _ in range(5):
        x = np.sqrt(f + 2 * np.sqrt(e + 2 * d * x))
    return x


@lru_cache(maxsize=_FEW)
def _numberings(n: int) -> tuple[_Placed, Indices]:
    """The polyhedra with their vertices in all orders but those that their symmetry makes equal.

    Also the ligand at each vertex, shape (K, n), when the ligands are numbered so.
    """
    order = np.array(list(permutations(range(n))))
    vertices, shapes, ligands = [], [], []
    for shape, vertex in enumerate(polyhedra(n).vertex):
        product = (vertex @ vertex.T)[order[:, :, None], order[:, None]].reshape(len(order), -1)
        _, kept = np.unique(np.round(product, 3), axis=0, return_index=True)
        vertices.append(vertex[order[kept]])
        ligands.append(np.argsort(order[kept], axis=1))
        shapes += [shape] * len(kept)
    placed = _Placed(np.concatenate(vertices).transpose(1, 2, 0), np.array(shapes))
    return placed, np.concatenate(ligands)


def _search_each(motifs: Points) -> _Fit:
    """E motifs (E, n, 3) on their polyhedra, as far as a search finds."""
    fit = _search_blocks(motifs, *_FITS)
    far = np.flatnonzero(_measures(motifs, fit) > _FAR)
    if len(far):
        for part, better in zip(fit, _search_blocks(motifs[far], *_MORE_FITS), strict=True):
            part[far] = better
    return fit


def _search_blocks(motifs: Points, n_closer: int, n_closest: int) -> _Fit:
    """As ``_search``, for any number of motifs."""
    starts = range(0, len(motifs), _BLOCK)
    blocks = [_search(motifs[first : first + _BLOCK], n_closer, n_closest) for first in starts]
    return _Fit(*map(np.concatenate, zip(*blocks, strict=True)))


def _search(bonds: Points, n_closer: int, n_closest: int) -> _Fit:
    """Some motifs (E, n, 3) on their polyhedra.

    Two vertices of a polyhedron are laid along two ligands, in all ways that its symmetry
    does not make equal. The best of these fits are numbered by optimal assignment, and
    then turned and numbered anew. Near a polyhedron this finds it; a motif that is like none
    may be a little nearer to one than found.
    """
    n_motifs, n = bonds.shape[:2]
    ways = _orientations(n)
    pairs = [part[..., None] for part in _spread_pairs(bonds)]
    frames = _frames(*(np.take_along_axis(bonds, part, axis=1) for part in pairs))
    turned = (bonds[:, None] @ frames).astype(np.float32)
    fit = turned[:, :, None] @ ways.vertex
    # No numbering fits better than it would if ligands could share vertices, or vertices ligands.
    bound = np.minimum(fit.max(axis=2).sum(axis=2), fit.max(axis=3).sum(axis=2))
    bound -= turned.sum(axis=2) @ ways.vertex.sum(axis=0) / (n + 1)
    chosen = np.argsort(-bound.reshape(n_motifs, -1), axis=1)[:, :n_closer]
    motif = np.repeat(np.arange(n_motifs), chosen.shape[1])
    pair, way = np.unravel_index(chosen.ravel(), bound.shape[1:])
    order = _assign(fit[motif, pair, :, :, way])
    overlap, fit = _turn(bonds[motif], ways.vertex[..., way], order)
    for _ in range(_ROUNDS):
        best = _largest(overlap, n_motifs, n_closest)
        motif, way = motif[best], way[best]
        order = _assign(fit[best])
        overlap, fit = _turn(bonds[motif], ways.vertex[..., way], order)
    best = _largest(overlap, n_motifs, 1)
    return _Fit(overlap[best], ways.shape[way[best]], order[best])


def _largest(values: Points, n_motifs: int, number: int) -> Indices:
    """Where the largest of the values (K,) are that each motif has equally many of, so many of each."""
    of_motif = np.argsort(-values.reshape(n_motifs, -1), axis=1)[:, :number]
    return (of_motif + np.arange(n_motifs)[:, None] * (len(values) // n_motifs)).ravel()


def _assign(fit: Points) -> Indices:
    """The ligand of each vertex (K, n), for the largest sum of the fits (K, n vertices, n ligands)."""
    return np.array([linear_sum_assignment(each, maximize=True)[1] for each in fit])


def _turn(bonds: Points, vertex: Points, order: Indices) -> tuple[Points, Points]:
    """Overlaps (K,) of motifs (K, n, 3) on numbered polyhedra (n, 3, K), and fits when they are turned so."""
    numbered = np.take_along_axis(bonds, order[..., None], axis=1)
    place = vertex.transpose(2, 0, 1)
    h = numbered.transpose(0, 2, 1) @ place
    h -= bonds.sum(axis=1)[:, :, None] * (place.sum(axis=1) / (len(vertex) + 1))[:, None]
    u, singular, v = np.linalg.svd(h)
    return singular.sum(axis=1), place @ (bonds @ (u @ v)).transpose(0, 2, 1)


@lru_cache(maxsize=16)
def _orientations(n: int) -> _Placed:
    """The polyhedra, and their mirror images, seen from the frames of all pairs of vertices."""
    laid, shapes = [], []
    for shape, vertex in enumerate(polyhedra(n).vertex):
        unit = vertex / np.linalg.norm(vertex, axis=1)[:, None]
        first, second = np.nonzero(np.abs(unit @ unit.T) < _ALONG)
        frames = _frames(vertex[first], vertex[second])
        seen = vertex @ np.concatenate([frames, frames * [1, 1, -1]])
        alike = [np.round(each[np.lexsort(np.round(each.T, 3))], 2).ravel() + 0.0 for each in seen]
        _, kept = np.unique(alike, axis=0, return_index=True)
        laid.append(seen[kept])
        shapes += [shape] * len(kept)
    return _Placed(np.concatenate(laid).transpose(1, 2, 0).astype(np.float32), np.array(shapes))


def _frames(first: Points, second: Points) -> Points:
    """Axes in columns (..., 3, 3): of pairs of points (..., 3) the first on x, the second in the xy plane."""
    x = first / np.linalg.norm(first, axis=-1, keepdims=True)
    y = second - (second * x).sum(axis=-1, keepdims=True) * x
    y /= np.linalg.norm(y, axis=-1, keepdims=True)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def _spread_pairs(bonds: Points) -> tuple[Indices, Indices]:
    """Some pairs of ligands of motifs (E, n, 3), from those at right angles to those half way to a line."""
    first, second = np.triu_indices(bonds.shape[1], 1)
    unit = bonds / np.linalg.norm(bonds, axis=-1, keepdims=True)
    angle = np.abs((unit[:, first] * unit[:, second]).sum(axis=-1))
    half = len(first) // 2
    chosen = np.argsort(angle, axis=1, kind="stable")[:, : half : -(-half // _PAIRS)]
    return first[chosen], second[chosen]
