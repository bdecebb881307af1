"""Motif vectors learned from which motifs neighbour which, and how."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd
from sklearn.utils.validation import check_is_fitted

from amdnet_matminer.motifs.sharing import sharing_type
from amdnet_matminer.motifs.types import MotifGraph

Vectors = NDArray[np.float64]
_Environment = tuple[str, int]
_NOT_FITTED = "this Motif2Vec has learned no motifs yet; call fit(motif_graphs) first"


class Motif2Vec(BaseEstimator):
    """Vectors of motifs that occur in like environments are alike.

    A row of the environment matrix is a motif name, a column a neighbour's name
    with the sharing type (corner, edge, face), a cell the number of crystals in
    which that pair occurs. Rows are scaled to length 1 and a truncated singular
    value decomposition shortens them to ``n_components`` numbers: Motif2Vec
    (Banjade et al., Science Advances 7, eabf1754, 2021) for the matrix, Atom2Vec
    (Zhou et al., PNAS 115, E6411, 2018) for the decomposition.

    A motif that was not in the training crystals gets the mean vector of those
    most like it: of the same centre and geometry, else of the same ligands and
    geometry, else of the same geometry, else zeros. A motif that never shares a
    ligand has no environment, and the zero vector.

    Args:
        n_components: Length of the vectors. Where fewer dimensions exist the last
            components are zero.

    Attributes:
        names_: The V motif names learned, sorted, shape (V,).
        counts_: Number of crystals with each, shape (V,).
        vectors_: Their vectors, shape (V, n_components).
    """

    names_: NDArray[np.str_]
    counts_: NDArray[np.int64]
    vectors_: Vectors

    def __init__(self, n_components: int = 16) -> None:
        self.n_components = n_components

    def fit(self, motif_graphs: Iterable[MotifGraph], y: object = None) -> Motif2Vec:
        """Learn the vectors of all motifs in some crystals.

        The order of the crystals does not matter, nor do repeats within a crystal.

        Args:
            motif_graphs: One motif graph per crystal.
            y: Ignored, there for scikit-learn.

        Returns:
            Itself.

        Raises:
            ValueError: ``n_components`` is below 1.
        """
        if self.n_components < 1:
            raise ValueError(f"n_components must be at least 1, got {self.n_components}")
        crystals: Counter[str] = Counter()
        pairs: Counter[tuple[str, _Environment]] = Counter()
        for graph in motif_graphs:
            crystals.update(set(graph.name.tolist()))
            pairs.update(_environments(graph))
        self.names_ = np.array(sorted(crystals), dtype=np.str_)
        self.counts_ = np.array([crystals[name] for name in self.names_.tolist()], dtype=np.int64)
        self.vectors_ = _shorten(_environment_matrix(self.names_, pairs), self.n_components)
        self._vector_of = _vectors_by_key(self.names_, self.vectors_)
        return self

    def vectors(self, motif_graph: MotifGraph) -> Vectors:
        """Look up the vectors of a crystal's motifs.

        Args:
            motif_graph: A crystal of M motifs.

        Returns:
            One vector per motif, shape (M, n_components).

        Raises:
            NotFittedError: Before ``fit``.
        """
        check_is_fitted(self, "vectors_", msg=_NOT_FITTED)
        vectors = np.zeros((len(motif_graph.name), self.vectors_.shape[1]))
        for m, name in enumerate(motif_graph.name.tolist()):
            nearest = next((key for key in _keys(name) if key in self._vector_of), None)
            if nearest is not None:
                vectors[m] = self._vector_of[nearest]
        return vectors

    def known(self, motif_graph: MotifGraph) -> NDArray[np.bool_]:
        """Tell which motifs of a crystal were in the training crystals.

        Args:
            motif_graph: A crystal of M motifs.

        Returns:
            True where the motif's own vector was learned, shape (M,).

        Raises:
            NotFittedError: Before ``fit``.
        """
        check_is_fitted(self, "vectors_", msg=_NOT_FITTED)
        return np.isin(motif_graph.name, self.names_)


def _environments(graph: MotifGraph) -> set[tuple[str, _Environment]]:
    """What each motif of a crystal has beside it: (name, (neighbour's name, sharing type))."""
    receivers, senders = graph.name[graph.receiver].tolist(), graph.name[graph.sender].tolist()
    return set(zip(receivers, zip(senders, sharing_type(graph.n_shared).tolist(), strict=True), strict=True))


def _environment_matrix(names: NDArray[np.str_], pairs: Counter[tuple[str, _Environment]]) -> csr_array:
    """Counts of the pairs, shape (V, number of environments), columns sorted."""
    row = {name: i for i, name in enumerate(names.tolist())}
    column = {environment: j for j, environment in enumerate(sorted({pair[1] for pair in pairs}))}
    rows = [row[name] for name, _ in pairs]
    columns = [column[environment] for _, environment in pairs]
    counts = np.array(list(pairs.values()), dtype=np.float64)
    return csr_array((counts, (rows, columns)), shape=(len(row), len(column)))


def _shorten(matrix: csr_array, n_components: int) -> Vectors:
    """Project the normalised rows on the leading singular vectors, U S of A = U S V^T."""
    vectors = np.zeros((matrix.shape[0], n_components))
    k = min(n_components, *matrix.shape)
    if k > 0:
        # Halko et al., SIAM Review 53, 217 (2011). The seed is fixed and signs are
        # chosen by the largest entry, so equal crystals give equal vectors.
        left, singular, _ = randomized_svd(normalize(matrix), k, n_oversamples=64, n_iter=10, random_state=0)
        vectors[:, :k] = left * singular
    return vectors


def _vectors_by_key(names: NDArray[np.str_], vectors: Vectors) -> dict[tuple[str, ...], Vectors]:
    """The vector of every name, and the mean vector of all names that share a part."""
    rows = defaultdict(list)
    for row, name in enumerate(names.tolist()):
        for key in _keys(name):
            rows[key].append(row)
    return {key: vectors[members].mean(axis=0) for key, members in rows.items()}


def _keys(name: str) -> tuple[tuple[str, ...], ...]:
    """A motif's name, then its parts, the most telling first."""
    formula, _, geometry = name.partition(" ")
    center = re.match("[A-Z][a-z]?", formula)
    symbol = center.group() if center else formula
    ligands = formula.removeprefix(symbol)
    return (name,), ("center", symbol, geometry), ("ligands", ligands, geometry), ("geometry", geometry)
