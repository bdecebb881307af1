"""What is asked of a network: which materials have a motif, which are alike, what joins two."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from scipy.sparse import block_array, csr_array
from scipy.sparse.csgraph import dijkstra

from amdnet_matminer.motif_network.content import Content
from amdnet_matminer.motif_network.embedding import Vectors
from amdnet_matminer.motif_network.links import Kinds, Links, inverse_frequency, links_of, unit_words
from amdnet_matminer.motif_network.tables import link_table
from amdnet_matminer.motifs.features import Numbers
from amdnet_matminer.motifs.sharing import SHARING_TYPES

By = Literal["motifs", "embedding", "both"]
Sharing = Literal["corner", "edge", "face"]

_TIE = 1e-3
"""By how much a link of no weight is longer than one of weight 1: steps of a path count first."""

_MOST_OFFERED = 5
"""Names that are offered in place of one that is not in the network."""


class Index:
    """A network of S materials with what its queries look up, made when it is first needed.

    Args:
        content: The network.
    """

    def __init__(self, content: Content) -> None:
        self.content = content

    def materials_with(
        self, motif: str, sharing: Sharing | None, max_distortion: float | None
    ) -> pd.DataFrame:
        """Find materials by a kind of motif.

        Args:
            motif: Its name.
            sharing: What it shares with a neighbour, if that matters.
            max_distortion: Largest mean symmetry measure, if that matters.

        Returns:
            A row for each material, by id, the strongest link first.

        Raises:
            ValueError: No material has such a motif.
        """
        links = self.content.links
        rows = links.kind == _found(motif, self._number_of, "kind of motif")
        if sharing is not None:
            rows &= links.sharing[:, SHARING_TYPES.index(sharing)] > 0
        if max_distortion is not None:
            rows &= links.symmetry_measure <= max_distortion
        found = link_table(self.content, np.flatnonzero(rows)).drop(columns="motif").set_index("id")
        return found.sort_values("weight", ascending=False, kind="stable")

    def material(self, name: str) -> int:
        """The number of a material.

        Args:
            name: Its id.

        Returns:
            Its row.

        Raises:
            ValueError: There is none of this id.
        """
        return _found(name, self._material_of, "material")

    def links_to(self, materials: list[Kinds]) -> Links:
        """Join other materials to the kinds of motifs of this network.

        Args:
            materials: Their kinds; those that the network does not have are left out.

        Returns:
            The links.
        """
        return links_of(materials, self._number_of)

    def words_of(self, links: Links) -> csr_array:
        """Kinds of motifs and how they are joined, by inverse frequency.

        Args:
            links: Of R materials to the kinds of this network.

        Returns:
            Rows of length 1, shape (R, 4 K).
        """
        return unit_words(links.matrix(len(self.content.motifs)), self._frequency)

    def similar(
        self, words: csr_array, vector: Vectors, k: int, by: By, own: int | None = None
    ) -> pd.DataFrame:
        """Find the materials most like one.

        Args:
            words: As ``words_of`` gives them, of one material; not read by embedding.
            vector: Of length 1, shape (D,); not read by motifs.
            k: Largest number of materials.
            by: What is compared.
            own: The number of the material itself, if it is in the network.

        Returns:
            A row for each material, by id, the most similar first; by motifs those that have any in common.
        """
        found = np.zeros(len(self.content.ids))
        if by != "embedding":
            found += (self.words @ words.T).toarray()[:, 0]
        if by != "motifs":
            found += self.content.vectors @ vector
        if by == "both":
            found /= 2
        return self._nearest(found, k, own, at_least=0.0 if by == "motifs" else -np.inf)

    def bridge(self, a: str, b: str) -> list[str]:
        """Find a shortest path, of those with the fewest steps the one of the greatest weights.

        Args:
            a: Id of a material, or name of a kind of motif.
            b: The same of the other end.

        Returns:
            Ids and names by turns.

        Raises:
            ValueError: One is not in the network, or no path joins them.
        """
        first, last = self._node(a), self._node(b)
        length, before = dijkstra(self._steps, directed=False, indices=first, return_predecessors=True)
        if not np.isfinite(length[last]):
            raise ValueError(f"no path of materials and motifs joins {a!r} and {b!r}")
        path = [last]
        while path[-1] != first:
            path.append(int(before[path[-1]]))
        nodes = [*self.content.ids, *self.content.motifs]
        return [nodes[i] for i in reversed(path)]

    @cached_property
    def words(self) -> csr_array:
        """The words of the network's own materials, shape (S, 4 K)."""
        return self.words_of(self.content.links)

    @cached_property
    def _steps(self) -> csr_array:
        """Lengths of links between all nodes, materials first."""
        links, n, n_kinds = self.content.links, len(self.content.ids), len(self.content.motifs)
        lengths = 1 + _TIE * (1 - links.weight.astype(np.float64))
        between = csr_array((lengths, (links.material, links.kind)), shape=(n, n_kinds))
        return block_array(
            [[csr_array((n, n)), between], [None, csr_array((n_kinds, n_kinds))]], format="csr"
        )

    @cached_property
    def _number_of(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.content.motifs)}

    @cached_property
    def _material_of(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.content.ids)}

    @cached_property
    def _frequency(self) -> Numbers:
        return inverse_frequency(self.content.links.matrix(len(self.content.motifs)))

    def _nearest(self, similarity: Numbers, k: int, own: int | None, at_least: float) -> pd.DataFrame:
        """The most similar materials, without the one that is asked about."""
        if own is not None:
            similarity[own] = -np.inf
        order = np.argsort(-similarity, kind="stable")[:k]
        kept = order[similarity[order] > at_least]
        ids = pd.Index([self.content.ids[i] for i in kept], name="id")
        formulas = [self.content.formulas[i] for i in kept]
        return pd.DataFrame({"formula": formulas, "similarity": similarity[kept]}, ids)

    def _node(self, name: str) -> int:
        """Number of a material or, after these, of a kind of motif."""
        if name in self._material_of:
            return self._material_of[name]
        if name in self._number_of:
            return len(self.content.ids) + self._number_of[name]
        return _found(name, {**self._material_of, **self._number_of}, "material or kind of motif")


def _found(name: str, number: dict[str, int], what: str) -> int:
    if name in number:
        return number[name]
    # A part of a name, such as the formula of a motif, is less like the whole than what difflib offers.
    near = [known for known in number if known.startswith(name)][:_MOST_OFFERED]
    near = near or get_close_matches(name, number, n=_MOST_OFFERED)
    raise ValueError(
        f"there is no {what} {name!r} among the {len(number)} of this network"
        + (f"; did you mean {', '.join(map(repr, near))}?" if near else "; to_frame() has them all")
    )
