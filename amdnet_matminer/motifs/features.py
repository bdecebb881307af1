"""What a crystal's motifs say of it in numbers: the feature groups of ``MotifFeaturizer``."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from matminer.utils.data import MagpieData
from numpy.typing import NDArray
from pymatgen.analysis.bond_valence import BV_PARAMS
from pymatgen.core import Element

from amdnet_matminer.motifs.labels import FINGERPRINT_LABELS
from amdnet_matminer.motifs.motif2vec import motif_parts
from amdnet_matminer.motifs.polyhedra import GEOMETRIES, OTHER
from amdnet_matminer.motifs.sharing import SHARING_TYPES, sharing_type
from amdnet_matminer.motifs.types import DISTORTIONS, MotifGraph

Numbers = NDArray[np.float64]
Sample = tuple[NDArray, NDArray]
"""Values of K quantities in R places, shape (R, K) or (R,), and the weights of the places, shape (R,)."""

ELEMENT_PROPERTIES: dict[str, str] = {
    "Mendeleev number": "MendeleevNumber",
    "atomic weight": "AtomicWeight",
    "melting temperature": "MeltingT",
    "column": "Column",
    "row": "Row",
    "covalent radius": "CovalentRadius",
    "electronegativity": "Electronegativity",
    "s valence electrons": "NsValence",
    "p valence electrons": "NpValence",
    "d valence electrons": "NdValence",
    "f valence electrons": "NfValence",
    "unfilled states": "NUnfilled",
    "elemental volume": "GSvolume_pa",
    "elemental band gap": "GSbandgap",
    "elemental magnetic moment": "GSmagmom",
}
"""Our names of element properties, and Magpie's."""

ELEMENTS = tuple(Element.from_Z(number).symbol for number in range(1, 104))
"""Hydrogen to lawrencium, as in matminer's ``ElementFraction``."""

BOND_VALENCE_SOFTNESS = 0.37
"""The b of bond valences, in angstrom (Brown and Altermatt, Acta Cryst. B 41, 244, 1985)."""

_ANGSTROM_PER_PICOMETRE = 0.01


class Crystal(NamedTuple):
    """A crystal as the feature groups see it: N atoms, M motifs with L bonds, E connections."""

    graph: MotifGraph
    atomic_number: NDArray[np.intp]
    """(N,) of all sites."""
    volume: float
    """Of the unit cell, in cubic angstrom."""

    @property
    def bond_motif(self) -> NDArray[np.intp]:
        """(L,) the motif of each bond."""
        return np.repeat(np.arange(len(self.graph.center)), self.graph.coordination)

    @property
    def bond_ends(self) -> NDArray[np.intp]:
        """(2, L) atomic numbers of the centre and the ligand of each bond."""
        return np.stack([self.center_number[self.bond_motif], self.ligand_number])

    @property
    def bond_weight(self) -> NDArray[np.int32]:
        """(L,) how many bonds of the crystal each stands for."""
        return np.repeat(self.graph.multiplicity, self.graph.coordination)

    @property
    def center_number(self) -> NDArray[np.intp]:
        """(M,) atomic number of each centre."""
        return self.atomic_number[self.graph.center]

    @property
    def ligand_number(self) -> NDArray[np.intp]:
        """(L,) atomic number of each bond's ligand."""
        return self.atomic_number[self.graph.ligand]


class Quantities(NamedTuple):
    """K quantities of the parts of a crystal, and the statistics that are its features."""

    names: tuple[str, ...]
    statistics: tuple[str, ...]
    """Keys of ``STATISTICS``."""
    sample: Callable[[Crystal], Sample]

    @property
    def labels(self) -> list[str]:
        """The names of the features."""
        return [f"motif {name} {statistic}".rstrip() for name in self.names for statistic in self.statistics]

    def features(self, crystal: Crystal) -> Numbers:
        """Compute the features of a crystal, in the order of the labels."""
        return describe(*self.sample(crystal), self.statistics)


def describe(values: NDArray, weight: NDArray, statistics: tuple[str, ...]) -> Numbers:
    """Reduce each of K columns to statistics, column after column.

    Args:
        values: R rows, shape (R, K).
        weight: Positive weight of each row, shape (R,).
        statistics: Keys of ``STATISTICS``.

    Returns:
        The statistics, zeros if there are no rows, shape (K * number of statistics,).
    """
    if len(weight) == 0:
        return np.zeros(values.shape[1] * len(statistics))
    values, share = values.astype(np.float64), weight / weight.sum()
    return np.column_stack([STATISTICS[name](values, share) for name in statistics]).ravel()


def _mean(values: Numbers, share: Numbers) -> Numbers:
    return share @ values


def _std(values: Numbers, share: Numbers) -> Numbers:
    return np.sqrt(share @ (values - share @ values) ** 2)


STATISTICS: dict[str, Callable[[Numbers, Numbers], Numbers]] = {
    "": _mean,
    "fraction": _mean,
    "mean": _mean,
    "std": _std,
    "min": lambda values, share: values.min(axis=0),
    "max": lambda values, share: values.max(axis=0),
}
"""By their name in labels; the mean of true and false is a fraction, the mean of one value that value."""


def _stoichiometry(crystal: Crystal) -> Sample:
    graph, n_motifs = crystal.graph, crystal.graph.multiplicity.sum()
    numbers = [
        n_motifs / len(crystal.atomic_number),
        crystal.volume / n_motifs if n_motifs else 0.0,
        len(set(graph.name.tolist())),
        len(set(crystal.center_number.tolist())),
        len(set(crystal.ligand_number.tolist())),
    ]
    return np.array([numbers]), np.ones(1)


def _center_fractions(crystal: Crystal) -> Sample:
    numbers = np.arange(1, len(ELEMENTS) + 1)
    return np.equal.outer(crystal.center_number, numbers), crystal.graph.multiplicity


def _centers(crystal: Crystal) -> Sample:
    return element_table()[crystal.center_number], crystal.graph.multiplicity


def _ligands(crystal: Crystal) -> Sample:
    return element_table()[crystal.ligand_number], crystal.bond_weight


def _fingerprint(crystal: Crystal) -> Sample:
    return crystal.graph.fingerprint, crystal.graph.multiplicity


def _geometries(crystal: Crystal) -> Sample:
    found = [motif_parts(name).geometry for name in crystal.graph.name.tolist()]
    column = [GEOMETRIES.index(g if g in GEOMETRIES else OTHER) for g in found]
    return np.eye(len(GEOMETRIES))[np.array(column, dtype=np.intp)], crystal.graph.multiplicity


def _distortion(measure: str) -> Callable[[Crystal], Sample]:
    """A measure of distortion, of those motifs for which it has a meaning."""

    def sample(crystal: Crystal) -> Sample:
        values = getattr(crystal.graph, measure)
        known = ~np.isnan(values)
        return values[known, None], crystal.graph.multiplicity[known]

    return sample


def _coordination(crystal: Crystal) -> Sample:
    return crystal.graph.coordination[:, None], crystal.graph.multiplicity


def _ligand_coordination(crystal: Crystal) -> Sample:
    _, count = np.unique(crystal.graph.ligand, return_counts=True)
    return count[:, None], np.ones(len(count))


def _connections(crystal: Crystal) -> Sample:
    graph = crystal.graph
    n_edges = np.bincount(graph.receiver, weights=graph.edge_multiplicity, minlength=len(graph.center))
    return n_edges[:, None], graph.multiplicity


def _sharing(crystal: Crystal) -> Sample:
    return np.eye(len(SHARING_TYPES))[sharing_type(crystal.graph.n_shared)], crystal.graph.edge_weight


def _angles(crystal: Crystal) -> Sample:
    return np.column_stack([crystal.graph.angle, crystal.graph.distance]), crystal.graph.edge_weight


def _bonds(crystal: Crystal) -> Sample:
    ends, length = crystal.bond_ends, crystal.graph.bond_length
    radii = _property("covalent radius")[ends].sum(axis=0) * _ANGSTROM_PER_PICOMETRE
    polarity = np.abs(np.subtract(*_property("electronegativity")[ends]))
    return np.column_stack([length, length / radii, polarity]), crystal.bond_weight


def _bond_valence(crystal: Crystal) -> Sample:
    return _valence(crystal)[:, None], crystal.bond_weight


def _center_valence(crystal: Crystal) -> Sample:
    graph = crystal.graph
    return np.bincount(crystal.bond_motif, _valence(crystal), len(graph.center))[:, None], graph.multiplicity


def _ligand_valence(crystal: Crystal) -> Sample:
    _, ligand = np.unique(crystal.graph.ligand, return_inverse=True)
    sums = np.bincount(ligand, _valence(crystal))
    return sums[:, None], np.ones(len(sums))


def _valence(crystal: Crystal) -> Numbers:
    """Bond valences, exp((R - d) / b), shape (L,)."""
    length = _bond_valence_lengths()[tuple(crystal.bond_ends)]
    return np.exp((length - crystal.graph.bond_length) / BOND_VALENCE_SOFTNESS)


@lru_cache(maxsize=1)
def _bond_valence_lengths() -> Numbers:
    """Length of a bond of valence 1 between two elements, in angstrom, shape (119, 119).

    O'Keeffe and Brese, J. Am. Chem. Soc. 113, 3226 (1991), equation 3. For elements
    that they do not list, covalent radius and Pauling electronegativity stand in.
    """
    r = _property("covalent radius") * _ANGSTROM_PER_PICOMETRE
    c = _property("electronegativity").copy()
    for element, parameters in BV_PARAMS.items():
        r[element.Z], c[element.Z] = parameters["r"], parameters["c"]
    r[0] = c[0] = 1.0
    ionic = np.outer(r, r) * np.subtract.outer(np.sqrt(c), np.sqrt(c)) ** 2
    return np.add.outer(r, r) - ionic / np.add.outer(c * r, c * r)


def _property(name: str) -> Numbers:
    """A property of the elements by atomic number, shape (119,)."""
    return element_table()[:, list(ELEMENT_PROPERTIES).index(name)]


@lru_cache(maxsize=1)
def element_table() -> Numbers:
    """Magpie's properties of the elements by atomic number, gaps filled with the mean; shape (119, K)."""
    magpie = MagpieData(impute_nan=True)
    table = np.zeros((119, len(ELEMENT_PROPERTIES)))
    for number in range(1, len(table)):
        element = Element.from_Z(number)
        table[number] = [magpie.get_elemental_property(element, p) for p in ELEMENT_PROPERTIES.values()]
    return table


_SPREAD = ("mean", "std", "min", "max")

FEATURE_GROUPS: dict[str, tuple[Quantities, ...]] = {
    "stoichiometry": (
        Quantities(
            ("count per atom", "volume", "distinct names", "distinct centers", "distinct ligands"),
            ("",),
            _stoichiometry,
        ),
    ),
    "centers": (
        Quantities(tuple(f"{symbol}-centered" for symbol in ELEMENTS), ("fraction",), _center_fractions),
    ),
    "elements": (
        Quantities(tuple(f"center {name}" for name in ELEMENT_PROPERTIES), _SPREAD, _centers),
        Quantities(tuple(f"ligand {name}" for name in ELEMENT_PROPERTIES), _SPREAD, _ligands),
    ),
    "fingerprint": (
        Quantities(
            tuple(f"fingerprint {label}" for label in FINGERPRINT_LABELS), ("mean", "std"), _fingerprint
        ),
    ),
    "geometries": (Quantities(GEOMETRIES, ("fraction",), _geometries),),
    "distortion": tuple(
        Quantities((measure.replace("_", " "),), _SPREAD, _distortion(measure)) for measure in DISTORTIONS
    ),
    "coordination": (
        Quantities(("coordination",), _SPREAD, _coordination),
        Quantities(("ligand coordination",), _SPREAD, _ligand_coordination),
    ),
    "sharing": (
        Quantities(("connections",), _SPREAD, _connections),
        Quantities(tuple(f"{sharing}-sharing" for sharing in SHARING_TYPES), ("fraction",), _sharing),
    ),
    "bonds": (Quantities(("bond length", "relative bond length", "bond polarity"), _SPREAD, _bonds),),
    "valence": (
        Quantities(("bond valence",), _SPREAD, _bond_valence),
        Quantities(("center bond valence",), _SPREAD, _center_valence),
        Quantities(("ligand bond valence",), _SPREAD, _ligand_valence),
    ),
    "angles": (Quantities(("connection angle", "connection distance"), _SPREAD, _angles),),
}
"""All groups but the motif vectors, which are learned."""
