"""Local order parameters: how closely the bonds of a site resemble ideal geometries.

The parameters of Zimmermann and Jain (RSC Adv. 10, 6063, 2020) in the choice of
matminer's ``CrystalNNFingerprint.from_preset("ops")``, for all sites with equal
coordination at once. The bonds of a site with coordination n are its n strongest.
"""

from __future__ import annotations

from functools import lru_cache
from math import asin, cos, inf, pi
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.motifs.labels import FINGERPRINT_LABELS
from amdnet_matminer.motifs.near_neighbors import Candidates
from amdnet_matminer.motifs.types import FloatArray

Array = NDArray[np.float64]

# Two bonds span no plane if the sine of their angle is below this. It is pymatgen's
# limit, so close to rounding that bonds in a straight line may or may not span one;
# a wider limit would be steadier but give other numbers than matminer.
_STRAIGHT = 1e-12
# Bonds are equally strong, and their order is arbitrary, if their weights differ by less.
_TIE = 1e-5


class _Peak(NamedTuple):
    """An order parameter that looks for its best orientation.

    A bond is put at the north pole and another one fixes the prime meridian. The
    other bonds count by a Gaussian of their polar angle around the nearer target
    and by cos^2 of multiples of their azimuth; from the south pole's angle on they
    count by a Gaussian around the south pole instead.
    """

    label: str
    sharpness: float
    """Inverse width of the Gaussian around the targets, in units of 1 / pi."""
    lobes: int
    """Number of maxima of cos^2 around the equator."""
    low: float = 0.5
    """Smaller target of the polar angle, in units of pi."""
    high: float = 0.5
    """Larger target of the polar angle, in units of pi."""
    south: float = inf
    """Least polar angle of the south pole, in radians."""
    south_sharpness: float = 0.0
    """Inverse width of the Gaussian around the south pole, in units of 1 / pi."""
    least_cosine: float = -inf
    """Bonds count whose azimuth has a larger cosine."""


_TETRAHEDRAL = {"low": 0.6081734479693927, "high": 0.6081734479693927}
_TRIGONAL = {"low": 0.66666666667, "high": 0.66666666667}
_PENTAGONAL = {"low": 0.4, "high": 0.8}
_HEXAGONAL = {"low": 0.5 - 0.16666667, "high": 0.5 + 0.16666667}
_THREE_QUARTERS = 2.356194490192345

_PEAKS: dict[int, tuple[_Peak, ...]] = {
    3: (
        _Peak("trigonal planar", 17.5, 2, **_TRIGONAL),
        _Peak("trigonal non-coplanar", 18.33, 3, **_TETRAHEDRAL),
        _Peak("T-shaped", 15.5, 2),
    ),
    4: (
        _Peak("square co-planar", 17.7, 2, south=_THREE_QUARTERS, south_sharpness=13.5),
        _Peak("tetrahedral", 18.5, 3, **_TETRAHEDRAL),
        _Peak(
            "rectangular see-saw-like",
            27,
            4,
            south=_THREE_QUARTERS,
            south_sharpness=11.5,
            least_cosine=cos(0.75 * pi),
        ),
        _Peak("see-saw-like", 15.75, 3, south=_THREE_QUARTERS, south_sharpness=12.75),
        _Peak("trigonal pyramidal", 15.5, 3),
    ),
    5: (
        _Peak("pentagonal planar", 19.333, 2, **_PENTAGONAL),
        _Peak("square pyramidal", 14.9, 4),
        _Peak("trigonal bipyramidal", 16.6, 3, south=_THREE_QUARTERS, south_sharpness=12),
    ),
    6: (
        _Peak("hexagonal planar", 25, 2, south=2.6179938779914944, south_sharpness=7.5, **_HEXAGONAL),
        _Peak("octahedral", 18, 4, south=_THREE_QUARTERS, south_sharpness=15),
        _Peak("pentagonal pyramidal", 13.8, 5),
    ),
    7: (
        _Peak("hexagonal pyramidal", 12.5, 6),
        _Peak("pentagonal bipyramidal", 14.75, 5, south=_THREE_QUARTERS, south_sharpness=12.5),
    ),
    8: (_Peak("hexagonal bipyramidal", 13.6, 6, south=_THREE_QUARTERS, south_sharpness=14.1),),
}
# Angle between two bonds in units of pi and inverse width of the Gaussian around it.
_BENT = {
    "L-shaped": (0.5, 15.15),
    "water-like": (0.5802777777777778, 13.95),
    "bent 120 degrees": (0.666666666667, 13.25),
    "bent 150 degrees": (0.833333333333333, 12.45),
    "linear": (1.0, 8.667),
}
_COLUMN = {label: column for column, label in enumerate(FINGERPRINT_LABELS)}
_WEIGHT_COLUMNS = np.array([_COLUMN[f"wt CN_{n}"] for n in range(1, 25)])
_WITH_GEOMETRY, _LARGEST = 12, 24


def fingerprints(direction: Array, candidates: Candidates) -> FloatArray:
    """The 61 numbers of CrystalNN's order-parameter fingerprint.

    For each coordination number from 1 to 24 its likelihood, then the order
    parameters of its strongest bonds, each times the likelihood.

    Args:
        direction: Unit vectors to the neighbours, one per facet, shape (F, 3).
        candidates: The possible bonds of the C sites.

    Returns:
        Labels in ``FINGERPRINT_LABELS``, shape (C, 61).
    """
    likelihood = candidates.likelihood[:, :_LARGEST]
    result = np.zeros((len(likelihood), len(FINGERPRINT_LABELS)), dtype=np.float32)
    result[:, _WEIGHT_COLUMNS[: likelihood.shape[1]]] = likelihood
    bonds = direction[candidates.facet[:, :_WITH_GEOMETRY]]
    for n in range(1, bonds.shape[1] + 1):
        rows = np.flatnonzero(likelihood[:, n - 1])
        if len(rows):
            values = _parameters(bonds[rows, :n], candidates.weight[rows, :n])
            for label, value in values.items():
                result[rows, _COLUMN[f"{label} CN_{n}"]] = likelihood[rows, n - 1] * value
    return result


def _parameters(bonds: Array, weight: Array) -> dict[str, Array]:
    """Order parameters of E environments of n bonds, by label, each of shape (E,).

    Args:
        bonds: Unit vectors along the bonds, shape (E, n, 3).
        weight: Weights of the bonds, falling, shape (E, n).
    """
    n = bonds.shape[1]
    if n == 1:
        return {"sgl_bd": np.ones(len(bonds))}
    if n == 2:
        angle = np.arccos(np.clip(np.einsum("ex,ex->e", bonds[:, 0], bonds[:, 1]), -1.0, 1.0)) / pi
        return {label: np.exp(-0.5 * (width * (angle - at)) ** 2) for label, (at, width) in _BENT.items()}
    if n < 9:
        view = _View.of(bonds)
        found = dict(zip((peak.label for peak in _PEAKS[n]), _peaks(view, n), strict=True))
        return found if n < 8 else found | {"body-centered cubic": _body_centered(view, weight)}
    found = _bond_orientation(bonds)
    return found if n < 12 else found | {"cuboctahedral": _cuboctahedral(_View.of(bonds))}


class _View(NamedTuple):
    """E environments of n bonds as seen with bond j at the north pole and k on the prime meridian."""

    polar: Array
    """(E, n, n) angle between j and k, in radians."""
    other: NDArray[np.bool_]
    """(n, n) whether j and k are different bonds."""
    plane: NDArray[np.bool_]
    """(E, n, n) whether j and k span a plane."""
    azimuth: Array
    """(E, n, n, n) cosine of the angle between the planes of j and k and of j and m."""

    @classmethod
    def of(cls, bonds: Array) -> _View:
        """From the unit vectors along the bonds, shape (E, n, 3)."""
        other = ~np.eye(bonds.shape[1], dtype=bool)
        cosine = np.clip(bonds @ bonds.transpose(0, 2, 1), -1.0, 1.0)
        across = bonds[:, None] - cosine[..., None] * bonds[:, :, None]
        sine = np.sqrt(np.einsum("ejkx,ejkx->ejk", across, across))
        plane = (sine > _STRAIGHT) & other
        across /= np.where(plane, sine, 1.0)[..., None]
        azimuth = across @ across.transpose(0, 1, 3, 2)
        return cls(np.arccos(cosine), other, plane, np.clip(azimuth, -1.0, 1.0, out=azimuth))


def _peaks(view: _View, n: int) -> Array:
    """The P order parameters of ``_PEAKS`` for n bonds, shape (P, E)."""
    peak = _constants(n)
    polar = view.polar / pi
    # Bonds before the south pole's angle count by the target and the azimuth, the others by the south pole
    # alone. The sums over them are matrix products: a loop over orientations would take most of the time.
    north = view.other * (view.polar < peak["south"]).astype(float)
    south = view.other - north
    off_target = np.minimum(np.abs(polar - peak["low"]), np.abs(polar - peak["high"]))
    near = np.exp(-0.5 * (peak["sharpness"] * off_target) ** 2) * north
    pole = np.exp(-0.5 * (peak["south_sharpness"] * (polar - 1)) ** 2) * south
    counts = (view.azimuth > peak["least_cosine"][..., None]).astype(float)
    lobes = counts * _lobes(view.azimuth, tuple(peak.lobes for peak in _PEAKS[n]))
    # The bond on the prime meridian counts too, hence the first term; without a plane it is the only one.
    score = near + view.plane * (_others(pole) + north * _around(lobes, near * view.plane))
    total = north + view.plane * (_others(south) + north * _around(counts, north * view.plane))
    return _best(score, total)


def _best(score: Array, total: Array) -> Array:
    """Largest ratio over the orientations, where one counts anything; shape (..., E)."""
    ratio = np.divide(score, total, where=total > 0.5, out=np.zeros_like(score))
    return ratio.max(axis=(-2, -1))


def _others(value: Array) -> Array:
    """For each j and k the sum over all m but k of values of j and m, shape (..., n, n)."""
    return value.sum(axis=-1, keepdims=True) - value


def _around(azimuthal: Array, polar: Array) -> Array:
    """For each j and k the sum over all m but k of a factor of j, k and m times one of j and m.

    The first factor is 1 for m = k, the second 0 for m = j.
    """
    return np.matmul(azimuthal, polar[..., None])[..., 0] - polar


def _lobes(azimuth: Array, lobes: tuple[int, ...]) -> Array:
    """cos^2 with given numbers of maxima, from the cosine; shape (P, E, n, n, n)."""
    chebyshev = [np.ones_like(azimuth), azimuth]
    while len(chebyshev) <= max(lobes):
        chebyshev.append(2 * azimuth * chebyshev[-1] - chebyshev[-2])
    return 0.5 + 0.5 * np.stack([chebyshev[order] for order in lobes])


@lru_cache(maxsize=16)
def _constants(n: int) -> dict[str, Array]:
    """The numbers of ``_PEAKS[n]`` by name, each of shape (P, 1, 1, 1)."""
    columns = zip(*_PEAKS[n], strict=True)
    named = dict(zip(_Peak._fields, columns, strict=True))
    del named["label"]
    return {name: np.array(column).reshape(-1, 1, 1, 1) for name, column in named.items()}


def _body_centered(view: _View, weight: Array) -> Array:
    """Peters's parameter for the eight corners of a cube (J. Chem. Phys. 131, 244103, 2009), shape (E,).

    It takes each pair of bonds in one direction, from the stronger to the weaker.
    Where both are equally strong the order is arbitrary, so it is averaged over.
    """
    south = 2.5261129449194057
    north = view.polar < south
    pole = 6 * np.exp(-0.5 * (15 * (view.polar / pi - 1)) ** 2) * ~north
    off = (view.polar - pi / 2) / asin(1 / 3)
    near = off * np.exp(0.5 - 0.5 * off**2) * view.plane
    three = view.azimuth * (4 * view.azimuth**2 - 3)
    side = np.where(view.polar > pi / 2, 1.0, -1.0)
    score = pole + view.plane * north * side * _around(three, near)
    lead = weight[:, :, None] - weight[:, None]
    forward = np.where(np.abs(lead) < _TIE, 0.5, lead > 0) * view.other
    n = weight.shape[1]
    return (score * forward).sum(axis=(1, 2)) / (0.5 * n * (6 + (n - 2) * (n - 3)))


def _cuboctahedral(view: _View) -> Array:
    """Likeness to a cuboctahedron, shape (E,)."""
    upper, lower, south = 1.3089969389957472, 1.8325957145940461, 2.792526803190927
    polar = view.polar / pi
    pole = 1.8 * (view.polar >= south)
    equator = (view.polar > upper) & (view.polar < lower) & view.plane
    slope = ((view.polar < upper) | (view.polar > lower)) & (view.polar < south) & view.plane
    flat = np.exp(-0.5 * (25.5 * (polar - 0.5)) ** 2) * equator
    tilted = np.exp(-0.5 * (31.25 * np.minimum(np.abs(polar - 1 / 3), np.abs(polar - 2 / 3))) ** 2) * slope
    sine = np.sqrt(1 - view.azimuth**2)
    bend = np.exp(-0.5 * (0.0556 * (sine - 0.81649658)) ** 2)
    aside = _around(view.azimuth**2, flat) + np.matmul(bend, tilted[..., None])[..., 0]
    score = pole * np.exp(-0.5 * (28.75 * (polar - 1)) ** 2) + equator * aside
    return _best(score, pole + equator * _others((equator | slope).astype(float)))


def _bond_orientation(bonds: Array) -> dict[str, Array]:
    """Steinhardt's q2, q4 and q6 (Phys. Rev. B 28, 784, 1983), each of shape (E,).

    By the addition theorem of the spherical harmonics, q_l is the root of the mean
    Legendre polynomial of the cosines.
    """
    x = (bonds @ bonds.transpose(0, 2, 1)) ** 2
    legendre = {
        "q2": (3 * x - 1) / 2,
        "q4": ((35 * x - 30) * x + 3) / 8,
        "q6": (((231 * x - 315) * x + 105) * x - 5) / 16,
    }
    return {label: np.sqrt(np.maximum(p.mean(axis=(1, 2)), 0.0)) for label, p in legendre.items()}
