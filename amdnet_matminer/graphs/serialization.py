"""Graphs as bytes, and back, whoever wrote them.

A mark and a checksum, then JSON with type and shape of every array, then the arrays,
field by field. Nothing in the bytes is run, and what comes of them is a sound graph.
"""

from __future__ import annotations

import json
import re
import zlib
from math import prod
from struct import Struct
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.errors import StructureError
from amdnet_matminer.graphs.checks import check_graph
from amdnet_matminer.graphs.crystal import AtomGraph, DualGraph
from amdnet_matminer.motifs import MotifGraph

Graph = TypeVar("Graph", DualGraph, MotifGraph)

_MARK = b"AMDNet"
_START = Struct("<6sII")
"""The mark, the checksum of key and rest, and the length of the JSON text."""
_STORED = re.compile(r"[<|]([iufS])\d{1,4}")
_IN_MEMORY = {"i": np.int32, "u": np.int32, "f": np.float32, "S": np.str_}
_LEVELS: dict[type, dict[str, Any]] = {
    DualGraph: {"atoms": AtomGraph, "motifs": MotifGraph},
    MotifGraph: {"motifs": MotifGraph},
}


def graph_to_bytes(graph: DualGraph | MotifGraph, key: str) -> bytes:
    """Write a graph.

    Args:
        graph: A graph.
        key: What it is of; to be named again to read it.

    Returns:
        The bytes, the same ones for equal graphs.
    """
    levels: dict[str, Any] = {"motifs": graph}
    if isinstance(graph, DualGraph):
        levels = {name: getattr(graph, name) for name in _LEVELS[DualGraph]}
    packed = {name: [_packed(field) for field in level] for name, level in levels.items()}
    forms = {name: [(a.dtype.str, a.shape) for a in arrays] for name, arrays in packed.items()}
    text = json.dumps(forms, separators=(",", ":")).encode()
    rest = b"".join([text, *(array.tobytes() for arrays in packed.values() for array in arrays)])
    return _START.pack(_MARK, _checksum(rest, key), len(text)) + rest


def graph_from_bytes(data: bytes, key: str, kind: type[Graph]) -> Graph:
    """Read a graph.

    Args:
        data: What ``graph_to_bytes`` made, or anything else.
        key: What the graph is to be of.
        kind: What it is to be.

    Returns:
        A graph of that kind, sound by ``check_graph``.

    Raises:
        ValueError: It is not in the bytes; the message goes on after the name of an entry.
    """
    if data[: len(_MARK)] != _MARK or len(data) < _START.size:
        raise ValueError("is no graph")
    _, checksum, length = _START.unpack_from(data)
    if checksum != _checksum(memoryview(data)[_START.size :], key):
        raise ValueError("is damaged")
    arrays = _START.size + length
    try:
        graph = _graph(json.loads(data[_START.size : arrays]), memoryview(data)[arrays:], kind)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"holds no {kind.__name__} ({error})") from error
    try:
        check_graph(graph)
    except StructureError as error:
        raise ValueError(error.reason) from error
    return graph


def _graph(forms: dict[str, list], data: memoryview, kind: type[Graph]) -> Graph:
    levels = _LEVELS[kind]
    if list(forms) != list(levels):
        raise ValueError(f"its levels are {list(forms)}, not {list(levels)}")
    arrays = iter(_arrays([form for level in forms.values() for form in level], data))
    # A level with a field too many or too few fails as a call with such arguments does.
    made = {name: levels[name](*(next(arrays) for _ in form)) for name, form in forms.items()}
    return kind(**made) if kind is DualGraph else made["motifs"]


def _arrays(forms: list, data: memoryview) -> list[NDArray]:
    """The stored arrays, in the types that graphs have."""
    arrays: list[NDArray] = []
    start = 0
    for dtype, shape in forms:
        if not (found := _STORED.fullmatch(dtype)) or min(shape, default=0) < 0:
            raise ValueError(f"an array is of {dtype!r} and shape {shape}")
        stored = np.frombuffer(data, dtype, prod(shape), start).reshape(shape)
        start += stored.nbytes
        array: NDArray = stored.astype(_IN_MEMORY[found[1]])
        if found[1] in "iu" and stored.itemsize > array.itemsize and not np.array_equal(array, stored):
            raise ValueError("an integer needs more than 32 bits")
        arrays.append(array)
    if start != len(data):
        raise ValueError("bytes are left over")
    return arrays


def _packed(array: NDArray) -> NDArray:
    """An array in as few bytes as hold its values exactly."""
    if array.dtype.kind == "U":
        return array.astype("S")
    if array.dtype.kind == "i" and array.size:
        ends = (np.min_scalar_type(array.min()), np.min_scalar_type(array.max()))
        return array.astype(np.result_type(*ends))
    return array


def _checksum(rest: bytes | memoryview, key: str) -> int:
    return zlib.crc32(rest, zlib.crc32(key.encode()))
