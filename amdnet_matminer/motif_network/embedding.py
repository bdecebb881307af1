"""Vectors of materials from their motifs, without labels: like materials are near.

Parts of a description, such as valences or elements, are standardised and weighted, and
kinds of motifs enter as words of a text do, by term frequency and inverse document
frequency, shortened by a truncated singular value decomposition. The leading principal
components of all that, scaled to length 1, are the vector.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd

from amdnet_matminer.motif_network.links import unit_words
from amdnet_matminer.motifs.features import (
    ELEMENT_PROPERTIES,
    ELEMENTS,
    FEATURE_GROUPS,
    Crystal,
    Numbers,
    describe,
    element_table,
)

Vectors = NDArray[np.floating]

WEIGHTS: dict[str, float] = {
    "elements": 0.6,
    "composition": 4.0,
    "contrast": 0.6,
    "spread": 0.3,
    "centers": 0.5,
    "ligands": 0.5,
    "bonds": 0.3,
    "valence": 1.0,
    "ligand valence": 2.0,
    "stoichiometry": 0.3,
    "volume": 0.6,
}
"""Mean squared distance that each part contributes, chosen on crystals of the Materials Project that no
result is given of: their band gaps and formation energies from the nearest of others."""

KINDS_WEIGHT = 0.2
"""The same of the kinds of motifs."""

PROPERTY_WEIGHTS: dict[str, float] = dict.fromkeys(ELEMENT_PROPERTIES, 1.0) | {
    "electronegativity": 4.0,
    "d valence electrons": 9.0,
    "elemental band gap": 2.0,
    "melting temperature": 2.0,
    "unfilled states": 0.5,
    **dict.fromkeys(("atomic weight", "s valence electrons", "f valence electrons"), 0.0),
    **dict.fromkeys(("elemental volume", "elemental magnetic moment"), 0.0),
}
"""By which the weights of numbers of each property of the elements are multiplied, chosen likewise."""

_CONTRAST = ("column", "electronegativity")
_KIND_COMPONENTS = 64
_FARTHEST = 4.0
"""Standard deviations beyond which a number is taken for an outlier."""


class Embedding(NamedTuple):
    """What turns P numbers and the kinds of motifs of a material into a vector of length D."""

    mean: Vectors
    """(P,) of the materials."""
    scale: Vectors
    """(P,) by which a deviation is multiplied."""
    frequency: Vectors
    """(K,) inverse document frequency of the columns of ``Links.matrix``."""
    words: Vectors
    """(K, W) leading right singular vectors of these, W <= 64."""
    components: Vectors
    """(P + W, D) principal axes."""

    def vectors(self, numbers: Numbers, kinds: csr_array) -> Vectors:
        """The vectors (S, D) of S materials, of length 1."""
        joined = self._joined(numbers, kinds) @ self.components
        return normalize(joined).astype(np.float32)

    def _joined(self, numbers: Numbers, kinds: csr_array) -> Numbers:
        deviation = (numbers - self.mean) * self.scale
        limit = _FARTHEST * _column_weights()
        limit[: len(ELEMENTS)] = np.inf
        words = np.sqrt(KINDS_WEIGHT) * (unit_words(kinds, self.frequency) @ self.words)
        return np.hstack([np.clip(deviation, -limit, limit), words])


def fit_embedding(numbers: Numbers, kinds: csr_array, frequency: Numbers, n_components: int) -> Embedding:
    """Learn to embed materials.

    Args:
        numbers: As ``numbers_of`` gives them, shape (S, P).
        kinds: ``Links.matrix``, shape (S, K).
        frequency: ``inverse_frequency`` of it, shape (K,).
        n_components: Largest length D of the vectors.

    Returns:
        The embedding.
    """
    spread = numbers.std(axis=0)
    # One scale for all elements: rare ones would otherwise count most.
    spread[: len(ELEMENTS)] = np.sqrt(np.mean(spread[: len(ELEMENTS)] ** 2))
    weight = _column_weights()
    scale = np.divide(weight, spread, where=spread > 1e-9, out=np.zeros_like(spread))
    words = np.zeros((kinds.shape[1], 0))
    made = Embedding(numbers.mean(axis=0), scale, frequency, words, words)
    k = min(_KIND_COMPONENTS, *kinds.shape)
    if k > 0:
        words = randomized_svd(unit_words(kinds, frequency), k, random_state=0)[2].T
    joined = made._replace(words=words)._joined(numbers, kinds)
    _, axes = np.linalg.eigh(joined.T @ joined)
    made = made._replace(words=words, components=axes[:, ::-1][:, :n_components])
    return Embedding(*(array.astype(np.float32) for array in made))


def numbers_of(crystal: Crystal) -> Numbers:
    """The P numbers of all parts of a crystal, in the order of ``WEIGHTS``.

    Args:
        crystal: Any crystal; what is said of motifs is 0 where there are none.

    Returns:
        The numbers, shape (P,).
    """
    n_atoms = len(crystal.atomic_number)
    atoms = describe(
        element_table()[crystal.atomic_number], np.ones(n_atoms), ("mean", "std", "min", "max")
    ).reshape(-1, 4)
    motifs = [quantities.features(crystal).reshape(-1, 4) for quantities in FEATURE_GROUPS["elements"]]
    *valences, ligand_valence = (quantities.features(crystal) for quantities in FEATURE_GROUPS["valence"])
    fractions = np.bincount(crystal.atomic_number, minlength=119)[1 : len(ELEMENTS) + 1] / n_atoms
    parts = {
        "elements": np.sqrt(fractions),
        "composition": atoms[:, 0],
        "contrast": atoms[[name in _CONTRAST for name in ELEMENT_PROPERTIES], 1],
        "spread": atoms[:, 1:],
        "centers": motifs[0][:, 0],
        "ligands": motifs[1][:, 0],
        "bonds": FEATURE_GROUPS["bonds"][0].features(crystal),
        "valence": np.concatenate(valences),
        "ligand valence": ligand_valence,
        "stoichiometry": np.array([crystal.graph.multiplicity.sum() / n_atoms]),
        "volume": np.array([np.log(crystal.volume / n_atoms)]),
    }
    return np.concatenate([parts[name].ravel() for name in WEIGHTS])


@lru_cache(maxsize=1)
def _column_weights() -> Numbers:
    """Root of the weight of each number, shape (P,): the numbers of a part share the part's."""
    by_property = np.array(list(PROPERTY_WEIGHTS.values()))
    parts = {
        "elements": np.ones(len(ELEMENTS)),
        "composition": by_property,
        "contrast": by_property[[name in _CONTRAST for name in PROPERTY_WEIGHTS]],
        "spread": np.repeat(by_property, 3),
        "centers": by_property,
        "ligands": by_property,
        "bonds": np.ones(12),
        "valence": np.ones(8),
        "ligand valence": np.ones(4),
        "stoichiometry": np.ones(1),
        "volume": np.ones(1),
    }
    return np.sqrt(np.concatenate([WEIGHTS[name] / len(part) * part for name, part in parts.items()]))
