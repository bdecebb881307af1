"""Materials and kinds of motifs as a bipartite graph in sparse arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from amdnet_matminer.motifs.labels import LARGEST_MEASURE
from amdnet_matminer.motifs.sharing import SHARING_TYPES, sharing_type
from amdnet_matminer.motifs.types import FloatArray, IntArray, MotifGraph

N_COLUMNS = 1 + len(SHARING_TYPES)
"""Columns of a kind in ``Links.matrix``: itself, and itself joined by corners, edges, faces."""


class Kinds(NamedTuple):
    """The k kinds of motifs of one material."""

    name: list[str]
    """(k,) such as ``"TiO6 octahedral"``, sorted."""
    share: FloatArray
    """(k,) fraction of the material's motifs."""
    symmetry_measure: FloatArray
    """(k,) mean over these motifs."""
    sharing: FloatArray
    """(k, 3) how many neighbours such a motif shares a corner, an edge and a face with, on average."""


class Links(NamedTuple):
    """The B links between S materials and kinds of motifs, material after material."""

    offset: IntArray
    """(S + 1,) the links of material s are rows ``offset[s]:offset[s + 1]``."""
    kind: IntArray
    """(B,) number of the kind of motif."""
    share: FloatArray
    """(B,) as in ``Kinds``, as are the others."""
    symmetry_measure: FloatArray
    """(B,)"""
    sharing: FloatArray
    """(B, 3)"""

    @property
    def material(self) -> IntArray:
        """(B,) number of the material."""
        return np.repeat(np.arange(len(self.offset) - 1, dtype=np.int32), np.diff(self.offset))

    @property
    def weight(self) -> FloatArray:
        """(B,) share times exp(-symmetry measure / 5), so that ideal motifs count most.

        The scale is the measure up to which a motif is named after its polyhedron.
        """
        return self.share * np.exp(-self.symmetry_measure / LARGEST_MEASURE)

    def matrix(self, n_kinds: int) -> csr_array:
        """Materials by kinds and how these are joined, shape (S, 4 * n_kinds).

        Of each kind the weight, and the weight times the fraction of its neighbours with which
        it shares corners, edges and faces.
        """
        fraction = self.sharing / np.maximum(self.sharing.sum(axis=1, keepdims=True), 1e-9)
        values = self.weight[:, None] * np.column_stack([np.ones(len(self.kind)), fraction])
        column = N_COLUMNS * self.kind[:, None].astype(np.int64) + np.arange(N_COLUMNS)
        rows = np.repeat(self.material, N_COLUMNS)
        shape = (len(self.offset) - 1, N_COLUMNS * n_kinds)
        return csr_array((values.ravel(), (rows, column.ravel())), shape=shape)


def kinds_of(graph: MotifGraph) -> Kinds:
    """Sum a crystal's motifs up by their names.

    Args:
        graph: A motif graph, reduced by symmetry or not.

    Returns:
        Its kinds of motifs; none of a crystal without motifs.
    """
    names, kind = np.unique(graph.name, return_inverse=True)
    number = np.bincount(kind, graph.multiplicity, len(names))
    measure = np.bincount(kind, graph.multiplicity * graph.symmetry_measure, len(names)) / number
    column = len(SHARING_TYPES) * kind[graph.receiver] + sharing_type(graph.n_shared)
    neighbors = np.bincount(column, graph.edge_weight, len(names) * len(SHARING_TYPES))
    return Kinds(
        names.tolist(),
        (number / max(number.sum(), 1)).astype(np.float32),
        measure.astype(np.float32),
        (neighbors.reshape(-1, len(SHARING_TYPES)) / number[:, None]).astype(np.float32),
    )


def links_of(materials: Sequence[Kinds], number: Mapping[str, int]) -> Links:
    """Join materials to kinds of motifs.

    Args:
        materials: S of them.
        number: Of each kind, by name; kinds that are not in it are left out.

    Returns:
        The links.
    """
    kept = [np.array([name in number for name in m.name], dtype=bool) for m in materials]
    kinds = [number[name] for m in materials for name in m.name if name in number]
    columns = (
        np.concatenate([values[0][:0], *(v[k] for v, k in zip(values, kept, strict=True))])
        for values in ([getattr(m, field) for m in materials] for field in Kinds._fields[1:])
    )
    offset = np.concatenate([[0], np.cumsum([k.sum() for k in kept])]).astype(np.int32)
    return Links(offset, np.array(kinds, dtype=np.int32), *columns)


def unit_words(matrix: csr_array, frequency: NDArray[np.floating]) -> csr_array:
    """Rows of ``Links.matrix`` by inverse frequency and of length 1; zeros of materials without motifs."""
    words = matrix.multiply(frequency[None, :]).tocsr()
    length = np.sqrt(words.multiply(words).sum(axis=1))
    return (diags_array(1 / np.maximum(length, 1e-30)) @ words).tocsr()


def inverse_frequency(matrix: csr_array) -> NDArray[np.float64]:
    """The weight of each column of S materials, log((1 + S) / (1 + materials that have it)) + 1."""
    count = np.bincount(matrix.nonzero()[1], minlength=matrix.shape[1])
    return np.log((1 + matrix.shape[0]) / (1 + count)) + 1
