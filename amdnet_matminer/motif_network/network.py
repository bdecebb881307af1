"""``MotifNetwork``: find materials by their motifs, and what joins them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, get_args

import networkx as nx
import numpy as np
import pandas as pd
from pymatgen.core import Structure
from scipy.sparse import block_array, csr_array
from scipy.sparse.csgraph import dijkstra
from sklearn.base import BaseEstimator
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted

from amdnet_matminer.errors import DatasetError, StructureError
from amdnet_matminer.files import write_atomically
from amdnet_matminer.motif_network.embedding import Vectors, fit_embedding, numbers_of
from amdnet_matminer.motif_network.files import Content, read_network, write_network
from amdnet_matminer.motif_network.links import (
    Kinds,
    Links,
    inverse_frequency,
    kinds_of,
    links_of,
    unit_words,
)
from amdnet_matminer.motifs import MotifGraph, motif_graphs
from amdnet_matminer.motifs.features import Crystal, Numbers
from amdnet_matminer.motifs.sharing import SHARING_TYPES
from amdnet_matminer.validation import check_structures

By = Literal["motifs", "embedding", "both"]
Sharing = Literal["corner", "edge", "face"]

_WINDOW = 2048
"""Crystals that are held at a time."""
_TIE = 1e-3
"""By how much a link of no weight is longer than one of weight 1: steps of a path count first."""
_NOT_FITTED = "this MotifNetwork has no materials yet; call fit(structures, ids) first, or load one"


class Embedder(Protocol):
    """A fitted model that gives vectors of crystals, such as ``AMDNetRegressor``."""

    def transform(self, X: Any) -> Any:
        """Vectors of S crystals, shape (S, D)."""


class _Described(NamedTuple):
    """What is kept of a crystal."""

    formula: str
    kinds: Kinds
    numbers: Numbers


class MotifNetwork(BaseEstimator):
    """A network of materials and the motifs that they have, to be searched.

    Materials are joined to the kinds of motifs that they have, such as "TiO6 octahedral", with
    the share of the material's motifs, their mean continuous symmetry measure, and how many
    neighbours they share corners, edges and faces with. A link weighs the share, less if the
    motifs are distorted. Such a network was proposed by Aryal et al. (arXiv 2601.17170, 2026).

    Materials also have vectors, of which like ones are near: by default unsupervised, from
    elements, bonds, valences and kinds of motifs; or those of a trained model.

    Args:
        n_components: Largest length of the vectors that the network itself makes.
        embedder: A fitted model whose ``transform`` gives the vectors instead. It is not saved.
        n_jobs: Number of processes that find motifs, as joblib counts them.
        verbose: 1 shows a progress bar while motifs are looked for.

    Attributes:
        ids_: The S ids of the materials.
        formulas_: Their reduced formulas.
        motifs_: The K names of kinds of motifs, sorted.
        links_: The links between them.
        vectors_: The materials' vectors, of length 1, shape (S, D).

    Example:
        >>> network = MotifNetwork().fit(structures, ids)  # doctest: +SKIP
        >>> network.materials_with("TiO6 octahedral", sharing="edge")  # doctest: +SKIP
        >>> network.similar(structures[0], k=5)  # doctest: +SKIP
    """

    ids_: list[str]
    formulas_: list[str]
    motifs_: list[str]
    links_: Links
    vectors_: Vectors

    def __init__(
        self,
        n_components: int = 128,
        embedder: Embedder | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.embedder = embedder
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X: Iterable[Structure], ids: Iterable[Any] | None = None) -> MotifNetwork:
        """Build the network.

        Args:
            X: S ordered crystals: a list, a Series, or a generator that reads them.
            ids: What they are called, each once; None is the index of a Series, else 0, 1, ...

        Returns:
            Itself.

        Raises:
            StructureError: There is no crystal, or one cannot be used; the message names its id.
            DatasetError: Ids are there twice, or not as many as crystals.
            ValueError: ``n_components`` is below 1.
        """
        if self.n_components < 1:
            raise ValueError(f"n_components must be at least 1, got {self.n_components}")
        names = _checked_ids(X, ids)
        described, vectors = self._describe_all(X, names)
        if not described:
            raise StructureError("got no structures", "pass at least one", subject="")
        if names is not None and len(names) != len(described):
            reason = f"got {len(names)} ids of {len(described)} crystals"
            raise DatasetError(reason, "give one id of each", subject="")
        motifs = sorted({name for each in described for name in each.kinds.name})
        links = links_of([each.kinds for each in described], {name: i for i, name in enumerate(motifs)})
        embedding = None
        if self.embedder is None:
            numbers = np.array([each.numbers for each in described])
            matrix = links.matrix(len(motifs))
            embedding = fit_embedding(numbers, matrix, inverse_frequency(matrix), self.n_components)
            vectors = [embedding.vectors(numbers, matrix)]
        ids_ = list(map(str, range(len(described)))) if names is None else names
        formulas = [each.formula for each in described]
        return self._take(Content(ids_, formulas, motifs, links, np.concatenate(vectors), embedding))

    def materials_with(
        self, motif: str, sharing: Sharing | None = None, max_distortion: float | None = None
    ) -> pd.DataFrame:
        """Find the materials that have a kind of motif.

        Args:
            motif: Its name, such as ``"TiO6 octahedral"``.
            sharing: Only where it shares a ``"corner"``, ``"edge"`` or ``"face"`` with a neighbour.
            max_distortion: Only up to this mean symmetry measure, 0 ideal to 100.

        Returns:
            A row for each material, by id, the strongest link first: its formula, the share of
            its motifs, their symmetry measure, and the mean number of neighbours by what is shared.

        Raises:
            NotFittedError: Before ``fit``.
            ValueError: No material has such a motif, or ``sharing`` is unknown; the message says
                which names are nearest.
        """
        check_is_fitted(self, "ids_", msg=_NOT_FITTED)
        _check_choice("sharing", sharing, (None, *SHARING_TYPES))
        rows = self.links_.kind == self._number(motif)
        if sharing is not None:
            rows &= self.links_.sharing[:, SHARING_TYPES.index(sharing)] > 0
        if max_distortion is not None:
            rows &= self.links_.symmetry_measure <= max_distortion
        found = self._links_frame(np.flatnonzero(rows)).drop(columns="motif").set_index("id")
        return found.sort_values("weight", ascending=False, kind="stable")

    def similar(self, structure: Structure | str, k: int = 10, by: By = "both") -> pd.DataFrame:
        """Find the materials most like one.

        Args:
            structure: A crystal, or the id of a material of the network.
            k: Largest number of materials.
            by: ``"motifs"`` compares kinds of motifs and how they are joined, ``"embedding"``
                vectors, ``"both"`` is the mean of the two.

        Returns:
            A row for each material, by id, the most similar first: its formula and the cosine
            similarity. By motifs, only those that have any motif in common with it. A material
            of the network is not similar to itself.

        Raises:
            NotFittedError: Before ``fit``.
            StructureError: The crystal cannot be used, or has no motifs to compare.
            ValueError: There is no material of this id, or an argument is out of range.
        """
        check_is_fitted(self, "ids_", msg=_NOT_FITTED)
        _check_choice("by", by, get_args(By))
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        own = None
        if isinstance(structure, str):
            own = self._material(structure)
            words, vector = self._words[[own]], self.vectors_[own]
        else:
            words, vector = self._query(structure, by)
        if by == "motifs" and words.nnz == 0:
            raise StructureError("has no motifs of this network", "search by='embedding'")
        found = np.zeros(len(self.ids_))
        if by != "embedding":
            found += (self._words @ words.T).toarray()[:, 0]
        if by != "motifs":
            found += self.vectors_ @ vector
        if by == "both":
            found /= 2
        return self._nearest(found, k, own, at_least=0.0 if by == "motifs" else -np.inf)

    def transform(self, X: Iterable[Structure]) -> Vectors:
        """Embed crystals as the network's materials are.

        Args:
            X: S ordered crystals.

        Returns:
            Vectors of length 1, shape (S, D).

        Raises:
            NotFittedError: Before ``fit``.
            StructureError: A crystal cannot be used.
            ValueError: The network was made with an embedder, and loaded without.
        """
        check_is_fitted(self, "ids_", msg=_NOT_FITTED)
        return self._embed(*self._describe_all(X, None))

    def bridge(self, a: str, b: str) -> list[str]:
        """Find a shortest path of materials and motifs from one to another.

        Of the paths with the fewest steps it is the one of the greatest weights.

        Args:
            a: Id of a material, or name of a kind of motif.
            b: The same of the other end.

        Returns:
            Ids and names by turns, from ``a`` to ``b``.

        Raises:
            NotFittedError: Before ``fit``.
            ValueError: One is not in the network, or no path joins them.
        """
        check_is_fitted(self, "ids_", msg=_NOT_FITTED)
        first, last = self._node(a), self._node(b)
        length, before = dijkstra(self._steps, directed=False, indices=first, return_predecessors=True)
        if not np.isfinite(length[last]):
            raise ValueError(f"no path of materials and motifs joins {a!r} and {b!r}")
        path = [last]
        while path[-1] != first:
            path.append(int(before[path[-1]]))
        nodes = [*self.ids_, *self.motifs_]
        return [nodes[i] for i in reversed(path)]

    def hubs(self, n: int = 10) -> pd.DataFrame:
        """The kinds of motifs that most materials have.

        Args:
            n: How many.

        Returns:
            A row for each, by name: number of materials, sum of the weights of the links to these,
            and mean symmetry measure.

        Raises:
            NotFittedError: Before ``fit``.
        """
        return self.to_frame()[1].head(n)

    def communities(self, resolution: float = 1.0) -> pd.Series:
        """Find groups of materials and motifs that are joined more among themselves than to others.

        By the method of Louvain (Blondel et al., J. Stat. Mech. P10008, 2008), as networkx has it.

        Args:
            resolution: Above 1 there are more and smaller groups.

        Returns:
            The number of its group by id or name, 0 the largest; materials first.

        Raises:
            NotFittedError: Before ``fit``.
        """
        graph = self.to_networkx()
        groups = nx.community.louvain_communities(graph, resolution=resolution, seed=0)
        groups.sort(key=lambda group: (-len(group), min(group)))
        number = {node: i for i, group in enumerate(groups) for node in group}
        nodes = pd.Index([*self.ids_, *self.motifs_], name="node")
        return pd.Series([number[i] for i in graph], nodes, name="community")

    def to_networkx(self) -> nx.Graph:
        """The network as a bipartite graph of networkx.

        Returns:
            Its nodes are numbers, materials first, with ``bipartite`` (0 material, 1 motif), ``name``
            (the id, or the name of the motif) and ``formula``; its edges have ``weight``, ``share``,
            ``symmetry_measure``, and the mean number of neighbours by what is shared.

        Raises:
            NotFittedError: Before ``fit``.
        """
        check_is_fitted(self, "ids_", msg=_NOT_FITTED)
        graph = nx.Graph()
        materials = zip(self.ids_, self.formulas_, strict=True)
        graph.add_nodes_from(
            (i, {"bipartite": 0, "name": name, "formula": formula})
            for i, (name, formula) in enumerate(materials)
        )
        n = len(self.ids_)
        graph.add_nodes_from((n + i, {"bipartite": 1, "name": name}) for i, name in enumerate(self.motifs_))
        links = self._links_frame(np.arange(len(self.links_.kind))).drop(columns=["id", "formula", "motif"])
        ends = zip(self.links_.material.tolist(), (n + self.links_.kind).tolist(), strict=True)
        values = links.to_dict("records")
        graph.add_edges_from((*pair, value) for pair, value in zip(ends, values, strict=True))
        return graph

    def to_graphml(self, path: str | Path) -> None:
        """Write the network for Gephi, Cytoscape and the like, whole or not at all.

        Args:
            path: The file, of GraphML.

        Raises:
            NotFittedError: Before ``fit``.
            ValueError: An id has characters that XML does not allow.
            OSError: The file cannot be written.
        """
        write_atomically(path, "\n".join(nx.generate_graphml(self.to_networkx())).encode())

    def to_frame(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Tabulate the network.

        Returns:
            The materials by id: formula and number of kinds of motifs; the kinds of motifs by name,
            the commonest first: number of materials, sum of weights, mean symmetry measure; and a
            row for each link between them.

        Raises:
            NotFittedError: Before ``fit``.
        """
        check_is_fitted(self, "ids_", msg=_NOT_FITTED)
        ids = pd.Index(self.ids_, name="id")
        materials = pd.DataFrame({"formula": self.formulas_, "kinds": np.diff(self.links_.offset)}, ids)
        n = len(self.motifs_)
        counts = np.bincount(self.links_.kind, minlength=n)
        motifs = pd.DataFrame(
            {
                "materials": counts,
                "weight": np.bincount(self.links_.kind, self.links_.weight, n),
                "symmetry_measure": np.bincount(self.links_.kind, self.links_.symmetry_measure, n) / counts,
            },
            pd.Index(self.motifs_, name="motif"),
        ).sort_values(["materials", "weight"], ascending=False)
        return materials, motifs, self._links_frame(np.arange(len(self.links_.kind)))

    def save(self, path: str | Path) -> None:
        """Write the network to one file of plain arrays, without pickle, whole or not at all.

        Args:
            path: The file.

        Raises:
            NotFittedError: Before ``fit``.
            OSError: It cannot be written.
        """
        check_is_fitted(self, "ids_", msg=_NOT_FITTED)
        content = (self.ids_, self.formulas_, self.motifs_, self.links_, self.vectors_, self._embedding)
        write_network(path, self.n_components, Content(*content))

    @classmethod
    def load(cls, path: str | Path, embedder: Embedder | None = None) -> MotifNetwork:
        """Read what ``save`` wrote.

        Args:
            path: The file.
            embedder: The model that the network was fitted with, if it was.

        Returns:
            The network.

        Raises:
            FileNotFoundError: There is no such file.
            ModelFileError: It is no such file, is damaged, or holds what ``fit`` never gives.
        """
        n_components, content = read_network(path)
        return cls(n_components, embedder)._take(content)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags

    @cached_property
    def _words(self) -> csr_array:
        """Kinds of motifs and how they are joined, by inverse frequency, rows of length 1."""
        return self._weighted(self.links_)

    @cached_property
    def _steps(self) -> csr_array:
        """Lengths of links between all nodes, materials first."""
        n, n_kinds = len(self.ids_), len(self.motifs_)
        lengths = 1 + _TIE * (1 - self.links_.weight.astype(np.float64))
        between = csr_array((lengths, (self.links_.material, self.links_.kind)), shape=(n, n_kinds))
        return block_array(
            [[csr_array((n, n)), between], [None, csr_array((n_kinds, n_kinds))]], format="csr"
        )

    @cached_property
    def _number_of(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.motifs_)}

    @cached_property
    def _material_of(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.ids_)}

    def _take(self, content: Content) -> MotifNetwork:
        for derived in ("_words", "_steps", "_number_of", "_material_of", "_frequency"):
            self.__dict__.pop(derived, None)
        self.ids_, self.formulas_, self.motifs_ = content.ids, content.formulas, content.motifs
        self.links_, self.vectors_, self._embedding = content.links, content.vectors, content.embedding
        return self

    @cached_property
    def _frequency(self) -> Numbers:
        return inverse_frequency(self.links_.matrix(len(self.motifs_)))

    def _weighted(self, links: Links) -> csr_array:
        return unit_words(links.matrix(len(self.motifs_)), self._frequency)

    def _describe_all(
        self, structures: Iterable[Structure], names: Sequence[str] | None
    ) -> tuple[list[_Described], list[Vectors]]:
        """What is kept of crystals, and the embedder's vectors of them, if there is one."""
        described: list[_Described] = []
        vectors: list[Vectors] = []
        crystals = iter(structures)
        while window := list(islice(crystals, _WINDOW)):
            with _ids_in_errors(names, len(described)):
                checked = check_structures(window)
                graphs = motif_graphs(checked, n_jobs=self.n_jobs, verbose=bool(self.verbose))
                described += map(_describe, checked, graphs)
            if self.embedder is not None:
                vectors.append(normalize(self.embedder.transform(checked)).astype(np.float32))
        return described, vectors

    def _embed(self, described: list[_Described], vectors: list[Vectors]) -> Vectors:
        if self.embedder is not None:
            return np.concatenate([self.vectors_[:0], *vectors])
        if self._embedding is None:
            raise ValueError("this network has the vectors of a model; load it with embedder=model")
        matrix = links_of([each.kinds for each in described], self._number_of).matrix(len(self.motifs_))
        return self._embedding.vectors(np.array([each.numbers for each in described]), matrix)

    def _query(self, structure: Structure, by: By) -> tuple[csr_array, Vectors]:
        """Words and vector of a new crystal."""
        described, vectors = self._describe_all([structure], None)
        words = self._weighted(links_of([described[0].kinds], self._number_of))
        return words, self.vectors_[:0] if by == "motifs" else self._embed(described, vectors)[0]

    def _nearest(self, similarity: Numbers, k: int, own: int | None, at_least: float) -> pd.DataFrame:
        """The most similar materials, without the one that is asked about."""
        if own is not None:
            similarity[own] = -np.inf
        order = np.argsort(-similarity, kind="stable")[:k]
        kept = order[similarity[order] > at_least]
        ids = pd.Index([self.ids_[i] for i in kept], name="id")
        formulas = [self.formulas_[i] for i in kept]
        return pd.DataFrame({"formula": formulas, "similarity": similarity[kept]}, ids)

    def _links_frame(self, rows: Any) -> pd.DataFrame:
        """Some links as a table."""
        links = self.links_
        material, kind = links.material[rows], links.kind[rows]
        table = pd.DataFrame(
            {
                "id": [self.ids_[i] for i in material],
                "formula": [self.formulas_[i] for i in material],
                "motif": [self.motifs_[i] for i in kind],
                "weight": links.weight[rows],
                "share": links.share[rows],
                "symmetry_measure": links.symmetry_measure[rows],
            }
        )
        return table.assign(**dict(zip(SHARING_TYPES, links.sharing[rows].T, strict=True)))

    def _number(self, motif: str) -> int:
        return _found(motif, self._number_of, "kind of motif")

    def _material(self, name: str) -> int:
        return _found(name, self._material_of, "material")

    def _node(self, name: str) -> int:
        """Number of a material or, after these, of a kind of motif."""
        if name in self._material_of:
            return self._material_of[name]
        if name in self._number_of:
            return len(self.ids_) + self._number_of[name]
        return _found(name, {**self._material_of, **self._number_of}, "material or kind of motif")


def _describe(structure: Structure, graph: MotifGraph) -> _Described:
    crystal = Crystal(graph, np.array(structure.atomic_numbers), structure.volume)
    return _Described(structure.composition.reduced_formula, kinds_of(graph), numbers_of(crystal))


def _checked_ids(structures: Any, ids: Iterable[Any] | None) -> list[str] | None:
    """Ids as text, each once, without what would end them in a file."""
    if ids is None:
        ids = structures.index if isinstance(structures, pd.Series) else None
    if ids is None:
        return None
    names = list(map(str, ids))
    repeated = pd.Index(names)[pd.Index(names).duplicated()]
    if len(repeated):
        raise DatasetError(
            "is there more than once", "give each crystal its own", item=repeated[0], subject="id"
        )
    if broken := next((name for name in names if "\0" in name), None):
        raise DatasetError("has a zero byte", "give it another", item=broken, subject="id")
    return names


@contextmanager
def _ids_in_errors(names: Sequence[str] | None, start: int) -> Iterator[None]:
    """Let errors name the crystals of a window as their owner does."""
    try:
        yield
    except StructureError as error:
        if error.index is None:
            raise
        number = start + error.index
        if names is None or number >= len(names):
            raise error.at(index=number) from error.__cause__
        raise error.at(item=names[number], index=None) from error.__cause__


def _found(name: str, number: dict[str, int], what: str) -> int:
    if name in number:
        return number[name]
    near = get_close_matches(name, number, n=3)
    raise ValueError(
        f"there is no {what} {name!r} among the {len(number)} of this network"
        + (f"; did you mean {', '.join(map(repr, near))}?" if near else "; to_frame() has them all")
    )


def _check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}, got {value!r}")
