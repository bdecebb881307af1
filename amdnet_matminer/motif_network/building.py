"""From crystals to a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from pymatgen.core import Structure
from sklearn.preprocessing import normalize

from amdnet_matminer.errors import DatasetError, StructureError
from amdnet_matminer.motif_network.content import Content
from amdnet_matminer.motif_network.embedding import Vectors, fit_embedding, numbers_of
from amdnet_matminer.motif_network.links import Kinds, inverse_frequency, kinds_of, links_of
from amdnet_matminer.motifs import MotifGraph, motif_graphs
from amdnet_matminer.motifs.features import Crystal, Numbers
from amdnet_matminer.validation.structures import check_structures

_WINDOW = 2048
"""Crystals that are held at a time."""


class Embedder(Protocol):
    """A fitted model that gives vectors of crystals, such as ``AMDNetRegressor``."""

    def transform(self, X: Any) -> Any:
        """Vectors of S crystals, shape (S, D)."""


class Described(NamedTuple):
    """What is kept of a crystal."""

    formula: str
    kinds: Kinds
    numbers: Numbers


def describe_crystals(
    structures: Iterable[Structure],
    names: Sequence[str] | None,
    embedder: Embedder | None,
    n_jobs: int | None,
    verbose: bool,
) -> tuple[list[Described], list[Vectors]]:
    """Find what a network keeps of crystals.

    Args:
        structures: The crystals.
        names: What errors call them; None their numbers.
        embedder: The model that gives their vectors, if any.
        n_jobs: Number of processes that find motifs.
        verbose: Whether a progress bar is shown.

    Returns:
        What is kept of each, and the embedder's vectors of length 1, window after window; none
        without an embedder.

    Raises:
        StructureError: There is no crystal, or one cannot be used.
    """
    described: list[Described] = []
    vectors: list[Vectors] = []
    crystals = iter(structures)
    while window := list(islice(crystals, _WINDOW)):
        with _ids_in_errors(names, len(described)):
            checked = check_structures(window)
            graphs = motif_graphs(checked, n_jobs=n_jobs, verbose=verbose)
            described += map(_describe, checked, graphs)
        if embedder is not None:
            vectors.append(normalize(embedder.transform(checked)).astype(np.float32))
    if not described:
        raise StructureError("got no structures", "pass at least one", subject="")
    return described, vectors


def build_content(
    described: list[Described], vectors: list[Vectors], names: list[str] | None, n_components: int
) -> Content:
    """Join materials to the kinds of their motifs, and embed those of which no model gave vectors.

    Args:
        described: What is kept of each of S materials, one at least.
        vectors: Those that a model gave; none if the network makes its own.
        names: The materials' ids; None calls them 0, 1, ...
        n_components: Largest length of vectors that the network makes.

    Returns:
        The network.

    Raises:
        DatasetError: There are not as many ids.
    """
    if names is not None and len(names) != len(described):
        reason = f"got {len(names)} ids of {len(described)} crystals"
        raise DatasetError(reason, "give one id of each", subject="")
    motifs = sorted({name for each in described for name in each.kinds.name})
    links = links_of([each.kinds for each in described], {name: i for i, name in enumerate(motifs)})
    embedding = None
    if not vectors:
        numbers = np.array([each.numbers for each in described])
        matrix = links.matrix(len(motifs))
        embedding = fit_embedding(numbers, matrix, inverse_frequency(matrix), n_components)
        vectors = [embedding.vectors(numbers, matrix)]
    ids = list(map(str, range(len(described)))) if names is None else names
    formulas = [each.formula for each in described]
    return Content(ids, formulas, motifs, links, np.concatenate(vectors), embedding)


def checked_ids(structures: Any, ids: Iterable[Any] | None) -> list[str] | None:
    """Ids as text, each once, without what would end them in a file.

    Args:
        structures: The crystals; a Series has ids of its own.
        ids: What they are called, if anything was said.

    Returns:
        The ids; None if there are none.

    Raises:
        DatasetError: One is there twice, or has a zero byte.
    """
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


def _describe(structure: Structure, graph: MotifGraph) -> Described:
    crystal = Crystal(graph, np.array(structure.atomic_numbers), structure.volume)
    return Described(structure.composition.reduced_formula, kinds_of(graph), numbers_of(crystal))


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
