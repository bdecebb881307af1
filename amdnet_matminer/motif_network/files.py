"""A network as one file of plain arrays, checked when it is read; nothing in it is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.motif_network.content import Content
from amdnet_matminer.motif_network.embedding import Embedding
from amdnet_matminer.motif_network.links import N_COLUMNS, Links
from amdnet_matminer.motifs.sharing import SHARING_TYPES
from amdnet_matminer.persistence import Count, read_arrays, typed, write_arrays

KIND = "motif network 1"

LARGEST_FILE = 2**34
"""Bytes: a million materials and all their kinds of motifs take a tenth of it."""
_REMEDY = "give a file that MotifNetwork.save wrote"


@dataclass(frozen=True, kw_only=True)
class _Header:
    """The header of the file."""

    kind: str
    n_components: Count
    own_embedding: bool


def write_network(path: str | Path, n_components: int, content: Content) -> None:
    """Write a network, whole or not at all.

    Args:
        path: The file; an existing one is replaced.
        n_components: Of the ``MotifNetwork``.
        content: The network.

    Raises:
        OSError: The file cannot be written.
    """
    header = _Header(kind=KIND, n_components=n_components, own_embedding=content.embedding is not None)
    texts = [_packed(each) for each in content[:3]]
    write_arrays(path, asdict(header), [*texts, *content.links, content.vectors, *(content.embedding or ())])


def read_network(path: str | Path) -> tuple[int, Content]:
    """Read a network.

    Args:
        path: A file that ``write_network`` wrote, or any other.

    Returns:
        ``n_components`` and the network, whose arrays fit each other.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is no such file, is damaged, or holds what no fit gives.
    """
    entry, arrays = read_arrays(path, LARGEST_FILE)
    try:
        header: _Header = typed(entry, _Header)
        if header.kind != KIND:
            raise ValueError(f"it is of the kind {header.kind!r}")
        n_links = len(Links._fields)
        links, (vectors, *rest) = Links(*arrays[3 : 3 + n_links]), arrays[3 + n_links :]
        embedding = Embedding(*rest) if header.own_embedding else None
        ids, formulas, motifs = map(_unpacked, arrays[:3])
        content = Content(ids, formulas, motifs, links, vectors, embedding)
        _check(content)
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"holds no motif network ({error})", _REMEDY, item=path) from error
    return header.n_components, content


def _check(content: Content) -> None:
    n, n_kinds = len(content.ids), len(content.motifs)
    links, n_links = content.links, len(content.links.kind)
    shapes = [(n + 1,), (n_links,), (n_links,), (n_links,), (n_links, len(SHARING_TYPES))]
    for name, array, shape in zip(Links._fields, links, shapes, strict=True):
        if array.shape != shape or array.dtype != (np.int32 if name in ("offset", "kind") else np.float32):
            raise ValueError(f"the {name} of its links are {array.dtype} of shape {array.shape}, not {shape}")
    steps = np.diff(links.offset)
    if links.offset[0] != 0 or links.offset[-1] != n_links or (steps < 0).any():
        raise ValueError("its links are not shared out to the materials")
    if n_links and not 0 <= links.kind.min() <= links.kind.max() < n_kinds:
        raise ValueError("a link ends at no kind of motif")
    if len(content.formulas) != n or len(set(content.ids)) != n or len(set(content.motifs)) != n_kinds:
        raise ValueError("ids, formulas and names of motifs do not fit each other")
    if content.vectors.ndim != 2 or len(content.vectors) != n:
        raise ValueError(f"its vectors are of shape {content.vectors.shape} for {n} materials")
    _check_embedding(content.embedding, N_COLUMNS * n_kinds, content.vectors.shape[1])
    for array in (*links[2:], content.vectors, *(content.embedding or ())):
        if array.dtype != np.float32 or not np.isfinite(array).all():
            raise ValueError("some of its numbers are not finite single precision")


def _check_embedding(embedding: Embedding | None, n_columns: int, n_components: int) -> None:
    if embedding is None:
        return
    n, n_words = len(embedding.mean), embedding.words.shape[-1]
    shapes = [(n,), (n,), (n_columns,), (n_columns, n_words), (n + n_words, n_components)]
    if [array.shape for array in embedding] != shapes:
        raise ValueError("its embedding has arrays that do not fit each other")


def _packed(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Texts as UTF-8, each closed by a zero byte."""
    return np.frombuffer("".join(f"{text}\0" for text in texts).encode(), dtype=np.uint8)


def _unpacked(packed: NDArray) -> list[str]:
    return packed.tobytes().decode().split("\0")[:-1]
