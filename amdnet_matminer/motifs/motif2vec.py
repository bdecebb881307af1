"""Motif vectors learned from which motifs neighbour which, and how."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd
from sklearn.utils.validation import check_is_fitted

from amdnet_matminer.motifs.sharing import SHARING_TYPES, sharing_type
from amdnet_matminer.motifs.types import MotifGraph
from amdnet_matminer.motifs.vector_files import LearnedVectors, read_vectors, write_vectors

Counting = Literal["compound", "occurrence"]
Vectors = NDArray[np.float64]
Environment = tuple[str, str]
"""Name of a neighbour, and the sharing type."""

_NOT_FITTED = "this Motif2Vec has learned no motifs yet; call fit(motif_graphs) first"


class MotifParts(NamedTuple):
    """What the name of a motif says."""

    center: str
    """Element symbol, such as ``"Ti"``."""
    ligands: str
    """Formula of the ligands, such as ``"O6"``."""
    geometry: str
    """Such as ``"octahedral"``."""


class Vocabulary(NamedTuple):
    """The V kinds of motifs of some crystals, and the W environments in which they occur."""

    names: NDArray[np.str_]
    """(V,) sorted."""
    counts: NDArray[np.int64]
    """(V,) number of crystals with each."""
    environments: list[Environment]
    """W of them, sorted."""
    matrix: csr_array
    """(V, W) how often each motif occurs in each environment."""
    geometries: NDArray[np.str_]
    """(G,) sorted, those of all motifs, rare ones too."""
    prototypes: Vectors
    """(G, 61) mean fingerprint of each geometry."""


class Motif2Vec(TransformerMixin, BaseEstimator):
    """Vectors of motifs that occur in like environments are alike.

    A row of the environment matrix is a motif name, a column a neighbour's name
    with the sharing type (corner, edge, face), a cell the number of crystals in
    which that pair occurs: Motif2Vec (Banjade et al., Science Advances 7, eabf1754,
    2021). As word counts are, cells are damped by log(1 + n); rows are scaled to
    length 1, and a truncated singular value decomposition shortens them, as in
    Atom2Vec (Zhou et al., PNAS 115, E6411, 2018).

    A motif that was not learned gets the mean vector of those most like it: of the
    same centre and ligand elements, else of the same ligands and geometry, else the
    same ligand elements, else the same geometry, else the geometry that is nearest
    in fingerprint. A motif that never shares a ligand has no environment, and the
    zero vector.

    As a transformer it takes motif graphs and gives the mean vector of each crystal.

    Args:
        n_components: Length of the vectors. Where fewer dimensions exist the last
            components are zero.
        min_count: Motifs in fewer crystals than this are not learned.
        counting: ``"compound"`` counts a pair once for each crystal, as published;
            ``"occurrence"`` adds up how many such neighbours a motif has there.

    Attributes:
        names_: The V motif names learned, sorted, shape (V,).
        counts_: Number of crystals with each, shape (V,).
        vectors_: Their vectors, shape (V, n_components).
        geometries_: The G geometries met, sorted, shape (G,).
        prototypes_: Mean fingerprint of each geometry, shape (G, 61).

    Example:
        >>> motif2vec = Motif2Vec(n_components=8).fit(graphs)  # doctest: +SKIP
        >>> motif2vec.most_similar("TiO6 octahedral", n=3)  # doctest: +SKIP
    """

    names_: NDArray[np.str_]
    counts_: NDArray[np.int64]
    vectors_: Vectors
    geometries_: NDArray[np.str_]
    prototypes_: Vectors

    def __init__(self, n_components: int = 16, min_count: int = 1, counting: Counting = "compound") -> None:
        self.n_components = n_components
        self.min_count = min_count
        self.counting = counting

    def fit(self, X: Iterable[MotifGraph], y: object = None) -> Motif2Vec:
        """Learn the vectors of all motifs in some crystals, whose order does not matter.

        Args:
            X: One motif graph per crystal.
            y: Ignored, there for scikit-learn.

        Returns:
            Itself.

        Raises:
            ValueError: ``n_components`` or ``min_count`` is below 1, or ``counting`` unknown.
        """
        if self.n_components < 1:
            raise ValueError(f"n_components must be at least 1, got {self.n_components}")
        vocabulary = count_environments(X, self.min_count, self.counting)
        self.names_, self.counts_ = vocabulary.names, vocabulary.counts
        self.vectors_ = _shorten(vocabulary.matrix, self.n_components)
        self.geometries_, self.prototypes_ = vocabulary.geometries, vocabulary.prototypes
        return self._index()

    def transform(self, X: Iterable[MotifGraph]) -> Vectors:
        """Give the mean motif vector of each crystal, zeros for one without motifs.

        Args:
            X: S motif graphs.

        Returns:
            The means, shape (S, n_components).

        Raises:
            NotFittedError: Before ``fit``.
        """
        self._check_fitted()
        means = [g.multiplicity @ self.vectors(g) / max(g.multiplicity.sum(), 1) for g in X]
        return np.array(means).reshape(-1, self.vectors_.shape[1])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns of ``transform``.

        Args:
            input_features: Ignored, there for scikit-learn.

        Returns:
            The names, shape (n_components,).

        Raises:
            NotFittedError: Before ``fit``.
        """
        self._check_fitted()
        return np.array([f"motif vector {k + 1}" for k in range(self.vectors_.shape[1])], dtype=object)

    def vectors(self, motif_graph: MotifGraph) -> Vectors:
        """Look up the vectors of a crystal's motifs.

        Args:
            motif_graph: A crystal of M motifs.

        Returns:
            One vector per motif, shape (M, n_components).

        Raises:
            NotFittedError: Before ``fit``.
        """
        self._check_fitted()
        names, fingerprints = motif_graph.name.tolist(), motif_graph.fingerprint
        rows = [self._row(name, fingerprint) for name, fingerprint in zip(names, fingerprints, strict=True)]
        return self._means[np.array(rows, dtype=np.intp)]

    def known(self, motif_graph: MotifGraph) -> NDArray[np.bool_]:
        """Tell which motifs of a crystal were learned.

        Args:
            motif_graph: A crystal of M motifs.

        Returns:
            True where the motif's own vector was learned, shape (M,).

        Raises:
            NotFittedError: Before ``fit``.
        """
        self._check_fitted()
        return np.array([(name,) in self._row_of for name in motif_graph.name.tolist()], dtype=bool)

    def most_similar(
        self, positive: str | Sequence[str], negative: str | Sequence[str] = (), n: int = 10
    ) -> pd.Series:
        """Find the motifs nearest to one, or to a sum and difference of several.

        ``most_similar(["SrO12 cuboctahedral", "TiF6 octahedral"], "TiO6 octahedral")``
        asks: what is among fluorides what strontium's motif is among oxides?

        Args:
            positive: Name or names of motifs, whose unit vectors are added.
            negative: Name or names of motifs, whose unit vectors are subtracted.
            n: How many to find.

        Returns:
            Cosine similarities by motif name, the nearest first, those asked about left out.

        Raises:
            NotFittedError: Before ``fit``.
            ValueError: A motif was not learned; the message suggests others.
        """
        self._check_fitted()
        added, subtracted = (
            [self._learned(name) for name in ([given] if isinstance(given, str) else given)]
            for given in (positive, negative)
        )
        units = normalize(self.vectors_)
        wanted = units[added].sum(axis=0) - units[subtracted].sum(axis=0)
        cosine = units @ wanted / max(np.linalg.norm(wanted), np.finfo(float).tiny)
        found = pd.Series(cosine, index=self.names_, name="cosine similarity")
        return found.drop(self.names_[added + subtracted]).nlargest(n)

    def to_frame(self) -> pd.DataFrame:
        """Tabulate what was learned.

        Returns:
            A row for each motif, by name: its parts, number of crystals, and vector.

        Raises:
            NotFittedError: Before ``fit``.
        """
        self._check_fitted()
        vectors = pd.DataFrame(self.vectors_, self.names_, self.get_feature_names_out())
        parts = pd.DataFrame(map(motif_parts, self.names_.tolist()), self.names_, MotifParts._fields)
        return pd.concat([parts, pd.Series(self.counts_, self.names_, name="crystals"), vectors], axis=1)

    def save(self, path: str | Path) -> None:
        """Write the vectors to a compressed ``.npz`` file, without pickle, in single precision.

        Args:
            path: The file.

        Raises:
            NotFittedError: Before ``fit``.
        """
        self._check_fitted()
        learned = (self.names_, self.counts_, self.vectors_, self.geometries_, self.prototypes_)
        write_vectors(path, self.get_params(), LearnedVectors(*learned))

    @classmethod
    def load(cls, path: str | Path) -> Motif2Vec:
        """Read what ``save`` wrote.

        Args:
            path: The file.

        Returns:
            The fitted model.

        Raises:
            ModelFileError: The file is no such file, damaged, or holds what ``fit`` never gives.
            OSError: The file cannot be read.
        """
        parameters, learned = read_vectors(path)
        model = cls(**parameters)
        model.names_, model.counts_, model.vectors_, model.geometries_, model.prototypes_ = learned
        return model._index()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags

    def _check_fitted(self) -> None:
        check_is_fitted(self, "vectors_", msg=_NOT_FITTED)

    def _learned(self, name: str) -> int:
        if (name,) in self._row_of:
            return self._row_of[(name,)]
        near = get_close_matches(name, self.names_.tolist(), n=3)
        raise ValueError(
            f"{name!r} is not among the {len(self.names_)} motifs learned; "
            + (f"did you mean {', '.join(map(repr, near))}?" if near else "names_ has them all")
        )

    def _index(self) -> Motif2Vec:
        """Prepare the look-up: a mean vector for each name and each set of parts, and zeros at the end.

        The rows of the learned motifs come first, in their own order.
        """
        members: dict[tuple[str, ...], list[int]] = {(n,): [i] for i, n in enumerate(self.names_.tolist())}
        for row, name in enumerate(self.names_.tolist()):
            for key in _likenesses(name):
                members.setdefault(key, []).append(row)
        zeros = np.zeros((1, self.vectors_.shape[1]))
        means = [self.vectors_[rows].mean(axis=0, keepdims=True) for rows in members.values()]
        self._row_of = {key: row for row, key in enumerate(members)}
        self._means = np.concatenate([*means, zeros])
        return self

    def _row(self, name: str, fingerprint: NDArray[np.float32]) -> int:
        """Where in ``_means`` the vector of a motif is."""
        for key in ((name,), *_likenesses(name)):
            if key in self._row_of:
                return self._row_of[key]
        distances = np.linalg.norm(self.prototypes_ - fingerprint, axis=1)
        nearest = (("geometry", self.geometries_[g]) for g in np.argsort(distances, kind="stable"))
        return next((self._row_of[key] for key in nearest if key in self._row_of), len(self._row_of))


def count_environments(
    motif_graphs: Iterable[MotifGraph], min_count: int = 1, counting: Counting = "compound"
) -> Vocabulary:
    """Count which motifs occur in some crystals, and beside which others.

    Args:
        motif_graphs: One motif graph per crystal; read once.
        min_count: Motifs in fewer crystals than this are left out.
        counting: As in ``Motif2Vec``.

    Returns:
        The vocabulary and its environment matrix.

    Raises:
        ValueError: ``min_count`` is below 1, or ``counting`` unknown.
    """
    if min_count < 1:
        raise ValueError(f"min_count must be at least 1, got {min_count}")
    if counting not in ("compound", "occurrence"):
        raise ValueError(f"counting must be 'compound' or 'occurrence', got {counting!r}")
    crystals: Counter[str] = Counter()
    pairs: dict[tuple[str, Environment], float] = defaultdict(float)
    shapes: dict[str, list[NDArray[np.float32]]] = defaultdict(list)
    for graph in motif_graphs:
        names, kind = np.unique(graph.name, return_inverse=True)
        crystals.update(names.tolist())
        for pair, n_neighbors in _pairs(graph, names.tolist(), kind):
            pairs[pair] += 1 if counting == "compound" else n_neighbors
        for k, name in enumerate(names.tolist()):
            shapes[motif_parts(name).geometry].append(graph.fingerprint[kind == k].mean(axis=0))
    learned = sorted(name for name, count in crystals.items() if count >= min_count)
    environments, matrix = _environment_matrix(learned, pairs)
    geometries = sorted(shapes)
    return Vocabulary(
        names=np.array(learned, dtype=np.str_),
        counts=np.array([crystals[name] for name in learned], dtype=np.int64),
        environments=environments,
        matrix=matrix,
        geometries=np.array(geometries, dtype=np.str_),
        prototypes=np.array([np.mean(shapes[g], axis=0) for g in geometries]).reshape(-1, 61),
    )


def motif_parts(name: str) -> MotifParts:
    """Take the name of a motif apart.

    Args:
        name: Such as ``"TiO6 octahedral"``.

    Returns:
        Its centre, ligands and geometry.
    """
    formula, _, geometry = name.partition(" ")
    center = re.match("[A-Z][a-z]?", formula)
    symbol = center.group() if center else formula
    return MotifParts(symbol, formula.removeprefix(symbol), geometry)


def _likenesses(name: str) -> tuple[tuple[str, ...], ...]:
    """What a motif has in common with others, the most telling first."""
    center, ligands, geometry = motif_parts(name)
    elements = re.sub("[0-9]", "", ligands)
    return (
        ("center and elements", center, elements),
        ("ligands and geometry", ligands, geometry),
        ("elements", elements),
        ("geometry", geometry),
    )


def _pairs(
    graph: MotifGraph, names: list[str], kind: NDArray[np.intp]
) -> Iterator[tuple[tuple[str, Environment], float]]:
    """The (name, environment) pairs of a crystal, and how many such neighbours a motif of that name has."""
    shape = (len(names), len(names), len(SHARING_TYPES))
    edges = np.zeros(shape)
    ends = kind[graph.receiver], kind[graph.sender], sharing_type(graph.n_shared)
    np.add.at(edges, ends, graph.edge_weight)
    n_motifs = np.bincount(kind, weights=graph.multiplicity)
    for receiver, sender, sharing in np.argwhere(edges):
        environment = (names[sender], SHARING_TYPES[sharing])
        yield (names[receiver], environment), edges[receiver, sender, sharing] / n_motifs[receiver]


def _environment_matrix(
    names: list[str], pairs: dict[tuple[str, Environment], float]
) -> tuple[list[Environment], csr_array]:
    """The environments of the named motifs with other named motifs, and the matrix of their counts."""
    row = {name: i for i, name in enumerate(names)}
    kept = {pair: count for pair, count in pairs.items() if pair[0] in row and pair[1][0] in row}
    environments = sorted({environment for _, environment in kept})
    column = {environment: j for j, environment in enumerate(environments)}
    rows = [row[name] for name, _ in kept]
    columns = [column[environment] for _, environment in kept]
    counts = np.array(list(kept.values()), dtype=np.float64)
    return environments, csr_array((counts, (rows, columns)), shape=(len(row), len(column)))


def _shorten(matrix: csr_array, n_components: int) -> Vectors:
    """Project the damped, normalised rows on the leading singular vectors, U S of A = U S V^T."""
    vectors = np.zeros((matrix.shape[0], n_components))
    k = min(n_components, *matrix.shape)
    if k > 0:
        # Halko et al., SIAM Review 53, 217 (2011). The seed is fixed and signs are
        # chosen by the largest entry, so equal crystals give equal vectors.
        rows = normalize(matrix.log1p())
        left, singular, _ = randomized_svd(rows, k, n_oversamples=64, n_iter=10, random_state=0)
        vectors[:, :k] = left * singular
    return vectors
