"""``MotifNetwork``: find materials by their motifs, and what joins them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

import networkx as nx
import numpy as np
import pandas as pd
from pymatgen.core import Structure
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from amdnet_matminer.errors import StructureError
from amdnet_matminer.files import write_atomically
from amdnet_matminer.motif_network.bipartite import bipartite_graph, find_communities
from amdnet_matminer.motif_network.building import (
    Described,
    Embedder,
    build_content,
    checked_ids,
    describe_crystals,
)
from amdnet_matminer.motif_network.content import Content
from amdnet_matminer.motif_network.embedding import Vectors
from amdnet_matminer.motif_network.files import read_network, write_network
from amdnet_matminer.motif_network.links import Links
from amdnet_matminer.motif_network.searching import By, Index, Sharing
from amdnet_matminer.motif_network.tables import all_links, material_table, motif_table
from amdnet_matminer.motifs.sharing import SHARING_TYPES

_NOT_FITTED = "this MotifNetwork has no materials yet; call fit(structures, ids) first, or load one"


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
        names = checked_ids(X, ids)
        described, vectors = self._describe(X, names)
        return self._take(build_content(described, vectors, names, self.n_components))

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
        index = self._fitted_index()
        _check_choice("sharing", sharing, (None, *SHARING_TYPES))
        return index.materials_with(motif, sharing, max_distortion)

    def similar(
        self, structure: Structure | str | int | np.integer, k: int = 10, by: By = "both"
    ) -> pd.DataFrame:
        """Find the materials most like one.

        Args:
            structure: A crystal, or the id of a material of the network, which may be given
                as a number if it is one.
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
        index = self._fitted_index()
        _check_choice("by", by, get_args(By))
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        own = None
        if isinstance(structure, str | int | np.integer):
            own = index.material(str(structure))
            words, vector = index.words[[own]], self.vectors_[own]
        else:
            described, vectors = self._describe([structure])
            words = index.words_of(index.links_to([described[0].kinds]))
            vector = self.vectors_[:0] if by == "motifs" else self._embed(described, vectors)[0]
        if by == "motifs" and words.nnz == 0:
            raise StructureError("has no motifs of this network", "search by='embedding'")
        return index.similar(words, vector, k, by, own)

    def transform(self, X: Iterable[Structure]) -> Vectors:
        """Embed crystals as the network's materials are.

        Args:
            X: S ordered crystals.

        Returns:
            Vectors of length 1, shape (S, D).

        Raises:
            NotFittedError: Before ``fit``.
            StructureError: There is no crystal, or one cannot be used.
            ValueError: The network was made with an embedder, and loaded without.
        """
        self._fitted_index()
        return self._embed(*self._describe(X))

    @property
    def embeds(self) -> bool:
        """Whether crystals can be given vectors; not where a model made those of the network and is absent.

        Raises:
            NotFittedError: Before ``fit``.
        """
        return self._fitted_index().content.embedding is not None or self.embedder is not None

    def bridge(self, a: str | int | np.integer, b: str | int | np.integer) -> list[str]:
        """Find a shortest path of materials and motifs from one to another.

        Of the paths with the fewest steps it is the one of the greatest weights.

        Args:
            a: Id of a material, or name of a kind of motif; an id may be given as a number if it is one.
            b: The same of the other end.

        Returns:
            Ids and names by turns, from ``a`` to ``b``.

        Raises:
            NotFittedError: Before ``fit``.
            ValueError: One is not in the network, or no path joins them.
        """
        return self._fitted_index().bridge(str(a), str(b))

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
        return motif_table(self._fitted_index().content).head(n)

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
        return find_communities(self._fitted_index().content, resolution)

    def to_networkx(self) -> nx.Graph:
        """The network as a bipartite graph of networkx.

        Returns:
            Its nodes are numbers, materials first, with ``bipartite`` (0 material, 1 motif), ``name``
            (the id, or the name of the motif) and ``formula``; its edges have ``weight``, ``share``,
            ``symmetry_measure``, and the mean number of neighbours by what is shared.

        Raises:
            NotFittedError: Before ``fit``.
        """
        return bipartite_graph(self._fitted_index().content)

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
        content = self._fitted_index().content
        return material_table(content), motif_table(content), all_links(content)

    def save(self, path: str | Path) -> None:
        """Write the network to one file of plain arrays, without pickle, whole or not at all.

        Args:
            path: The file.

        Raises:
            NotFittedError: Before ``fit``.
            OSError: It cannot be written.
        """
        write_network(path, self.n_components, self._fitted_index().content)

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

    def _take(self, content: Content) -> MotifNetwork:
        self.ids_, self.formulas_, self.motifs_ = content.ids, content.formulas, content.motifs
        self.links_, self.vectors_ = content.links, content.vectors
        self._index = Index(content)
        return self

    def _fitted_index(self) -> Index:
        check_is_fitted(self, "ids_", msg=_NOT_FITTED)
        return self._index

    def _describe(
        self, structures: Iterable[Structure], names: Sequence[str] | None = None
    ) -> tuple[list[Described], list[Vectors]]:
        """What is kept of crystals, and the embedder's vectors of them, if there is one."""
        return describe_crystals(structures, names, self.embedder, self.n_jobs, bool(self.verbose))

    def _embed(self, described: list[Described], vectors: list[Vectors]) -> Vectors:
        if self.embedder is not None:
            return np.concatenate([self.vectors_[:0], *vectors])
        embedding = self._index.content.embedding
        if embedding is None:
            raise ValueError("this network has the vectors of a model; load it with embedder=model")
        links = self._index.links_to([each.kinds for each in described])
        numbers = np.array([each.numbers for each in described])
        return embedding.vectors(numbers, links.matrix(len(self.motifs_)))


def _check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}, got {value!r}")
