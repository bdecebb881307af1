"""Motif vectors as a file: a ``.npz`` of plain arrays, checked when it is read; nothing in it is run."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.files import write_atomically
from amdnet_matminer.motifs.labels import FINGERPRINT_LABELS

FORMAT = "amdnet_matminer motif vectors 1"

LARGEST = 2**28
"""Bytes that a file may unpack to: a hundred times the vectors that come with the package."""

_FAULTS = (
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    MemoryError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What damaged bytes lead numpy and zipfile to."""

_KINDS = {"names": "U", "counts": "iu", "vectors": "f", "geometries": "U", "prototypes": "f"}


class LearnedVectors(NamedTuple):
    """What motif vectors consist of: M motifs, G geometries, D components."""

    names: NDArray[np.str_]
    """(M,) names of motifs, each once."""
    counts: NDArray[np.int64]
    """(M,) number of crystals with such a motif."""
    vectors: NDArray[np.float64]
    """(M, D)."""
    geometries: NDArray[np.str_]
    """(G,) names of geometries, each once."""
    prototypes: NDArray[np.float64]
    """(G, 61) mean fingerprint of each geometry."""


def write_vectors(path: str | Path, parameters: dict[str, Any], learned: LearnedVectors) -> None:
    """Write motif vectors, whole or not at all, in single precision.

    Args:
        path: The file.
        parameters: Of the ``Motif2Vec``, as JSON can hold them.
        learned: The arrays.

    Raises:
        OSError: The file cannot be written.
    """
    header = json.dumps({"format": FORMAT, "parameters": parameters}, sort_keys=True)
    single = {name: getattr(learned, name).astype(np.float32) for name in ("vectors", "prototypes")}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, header=np.array(header), **learned._asdict() | single)
    write_atomically(path, buffer.getvalue())


def read_vectors(path: str | Path) -> tuple[dict[str, Any], LearnedVectors]:
    """Read motif vectors.

    Args:
        path: A file that ``write_vectors`` wrote, or any other.

    Returns:
        The parameters and the arrays, of the types, shapes and ranges that they must be of.

    Raises:
        ModelFileError: The file is no such file, damaged, or holds what no fit gives.
        OSError: The file cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > LARGEST:
                raise ValueError(f"it unpacks to more than {LARGEST} bytes")
        with np.load(path, allow_pickle=False) as file:
            parameters = _parameters(str(file["header"]))
            learned = LearnedVectors(*(_array(name, file[name]) for name in LearnedVectors._fields))
        _check(parameters, learned)
    except _FAULTS as error:
        reason = f"holds no motif vectors ({error or type(error).__name__})"
        raise ModelFileError(reason, "write it with save", item=path) from error
    return parameters, learned


def _parameters(header: str) -> dict[str, Any]:
    try:
        content = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise ValueError("its header is no JSON") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"its header does not say that the format is {FORMAT!r}")
    parameters = content.get("parameters")
    if not isinstance(parameters, dict) or set(parameters) != {"n_components", "min_count", "counting"}:
        raise ValueError("its header does not have the parameters of Motif2Vec")
    return parameters


def _array(name: str, array: NDArray) -> NDArray:
    """An array in the type that it has in memory."""
    if array.dtype.kind not in _KINDS[name]:
        raise ValueError(f"{name} are of type {array.dtype}")
    return array.astype({"f": np.float64, "i": np.int64, "u": np.int64, "U": np.str_}[array.dtype.kind])


def _check(parameters: dict[str, Any], learned: LearnedVectors) -> None:
    for name in ("n_components", "min_count"):
        if type(parameters[name]) is not int or parameters[name] < 1:
            raise ValueError(f"{name} is {parameters[name]!r}")
    if parameters["counting"] not in ("compound", "occurrence"):
        raise ValueError(f"counting is {parameters['counting']!r}")
    n_motifs, n_geometries = len(np.atleast_1d(learned.names)), len(np.atleast_1d(learned.geometries))
    shapes = (
        (n_motifs,),
        (n_motifs,),
        (n_motifs, parameters["n_components"]),
        (n_geometries,),
        (n_geometries, len(FINGERPRINT_LABELS)),
    )
    for name, array, shape in zip(learned._fields, learned, shapes, strict=True):
        if array.shape != shape:
            raise ValueError(f"{name} are of shape {array.shape}, not {shape}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"some of the {name} are not finite")
        if array.dtype.kind == "U" and (len(np.unique(array)) < len(array) or "" in array):
            raise ValueError(f"some of the {name} are empty or there twice")
    if (learned.counts < 1).any():
        raise ValueError("some of the counts are below 1")
