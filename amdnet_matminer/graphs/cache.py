"""Graphs kept on disk, made once and read one at a time.

A graph has a file of its own, named by a digest of all that it depends on. So
tasks, settings and processes share a folder without knowing of each other.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from math import prod
from pathlib import Path
from struct import Struct
from typing import Any, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import PeriodicSite, Species, Structure

from amdnet_matminer.errors import StructureError
from amdnet_matminer.files import write_atomically
from amdnet_matminer.graphs.batching import Sizes, sizes_of
from amdnet_matminer.graphs.crystal import AtomGraph, DualGraph
from amdnet_matminer.motifs import MotifGraph
from amdnet_matminer.parallel import map_structures

logger = logging.getLogger(__name__)

GRAPH_VERSION = 2
"""To be raised whenever a structure gives another graph than before, or the file has another form."""

HELD_BYTES = 2**30
"""How much of a data set is held once read: to read a graph takes a tenth of the time to learn it."""

Graph = TypeVar("Graph", DualGraph, MotifGraph)

_LEVELS: dict[str, Any] = {"atoms": AtomGraph, "motifs": MotifGraph}
_MARK = b"AMDNet"
_START = Struct("<6sII")
"""The mark, the checksum of key and rest, and the length of the JSON text that tells the arrays' form."""
_IN_MEMORY = {"i": np.int32, "u": np.int32, "f": np.float32, "S": np.str_}


class GraphCache(Generic[Graph]):
    """A folder of graphs, for one way of making them.

    Several processes may use it at once. A truncated or foreign file is made anew.

    Args:
        folder: Where the files are, two levels deep; made if it is not there.
        make: What turns a structure into a graph: ``dual_graph`` or ``motif_graph``.
        **settings: All other arguments of ``make``, as JSON can hold them. The files
            are told apart by these, by the structures and by ``GRAPH_VERSION``.

    Raises:
        OSError: The folder cannot be made.
    """

    def __init__(self, folder: str | Path, make: Callable[..., Graph], **settings: Any) -> None:
        self.folder = Path(folder).expanduser()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._make: Callable[[Structure], Graph] = partial(make, **settings)
        self._maker = json.dumps([GRAPH_VERSION, make.__name__, settings], sort_keys=True).encode()

    def graph(self, structure: Structure) -> Graph:
        """Read the graph of a structure, or make and keep it.

        Args:
            structure: A crystal.

        Returns:
            Its graph.

        Raises:
            StructureError: No graph can be made of the structure.
            OSError: The file cannot be read or written.
        """
        return self.graph_of(self.key(structure), structure)

    def graph_of(self, key: str, structure: Structure) -> Graph:
        """As ``graph``, for a structure whose key is known.

        Args:
            key: What ``key`` says of the structure.
            structure: A crystal.

        Returns:
            Its graph.

        Raises:
            StructureError: No graph can be made of the structure.
            OSError: The file cannot be read or written.
        """
        file = self._file(key)
        if file.exists():
            try:
                return _decode(file.read_bytes(), key)
            except ValueError as error:
                logger.warning("%s %s; it is made anew", file, error)
        graph = self._make(structure)
        file.parent.mkdir(exist_ok=True)
        write_atomically(file, _encode(graph, key), flush=False)
        return graph

    def graphs(
        self: GraphCache[DualGraph],
        structures: Iterable[Structure],
        n_jobs: int | None = None,
        verbose: bool = False,
    ) -> CachedGraphs:
        """Make all graphs that are not there, and give a view of all.

        Args:
            structures: S crystals.
            n_jobs: Number of processes, as joblib counts them.
            verbose: Whether to show a progress bar.

        Returns:
            A sequence of S graphs that reads each when it is asked for.

        Raises:
            StructureError: No graph can be made of a structure.
            OSError: A file cannot be read or written.
        """
        listed = list(structures)
        keys = [self.key(structure) for structure in listed]
        missing = [i for i, key in enumerate(keys) if not self._file(key).exists()]
        wanted = (listed[i] for i in missing)
        for _ in map_structures(self._keep, wanted, n_jobs, "graphs", verbose, missing):
            pass
        return CachedGraphs(self, listed, keys)

    def key(self, structure: Structure) -> str:
        """Digest all that the graph depends on; exact, so the same crystal written differently differs.

        Args:
            structure: A crystal.

        Returns:
            32 hexadecimal digits.

        Raises:
            StructureError: It is no structure.
        """
        if not isinstance(structure, Structure):
            raise StructureError(f"got a {type(structure).__name__}, not a pymatgen Structure; pass one")
        digest = hashlib.blake2b(self._maker, digest_size=16)
        digest.update(repr(([_content(site) for site in structure], structure.lattice.pbc)).encode())
        for array in (structure.lattice.matrix, structure.frac_coords):
            digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        return digest.hexdigest()

    def _keep(self, structure: Structure) -> None:
        self.graph(structure)

    def _file(self, key: str) -> Path:
        return self.folder / key[:2] / key[2:]


class LazyGraphs(Sequence[DualGraph]):
    """Graphs that are read when they are asked for; a slice of them reads nothing."""

    @overload
    def __getitem__(self, index: int) -> DualGraph: ...
    @overload
    def __getitem__(self, index: slice) -> GraphSubset: ...
    def __getitem__(self, index: int | slice) -> DualGraph | GraphSubset:
        if isinstance(index, slice):
            return GraphSubset(self, np.arange(len(self))[index])
        return self._read(index)

    def _read(self, index: int) -> DualGraph:
        raise NotImplementedError


class CachedGraphs(LazyGraphs):
    """Graphs of S structures, read from a cache when they are asked for; the first ``HELD_BYTES`` are held.

    Args:
        cache: Where the graphs are.
        structures: Of which a graph is made anew should its file be lost, S.
        keys: What the cache calls them, S.
    """

    def __init__(
        self, cache: GraphCache[DualGraph], structures: Sequence[Structure], keys: Sequence[str]
    ) -> None:
        self._cache = cache
        self._structures = structures
        self._keys = keys
        self._held: dict[int, DualGraph] = {}
        self._room = HELD_BYTES

    def __getstate__(self) -> dict[str, Any]:
        """Another process reads the graphs for itself, which is less than to send them."""
        return self.__dict__ | {"_held": {}, "_room": HELD_BYTES}

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Counts as ``sizes_of`` gives them, shape (S, 6); the graphs are read once for these."""
        return np.array([sizes_of([graph])[0] for graph in self], dtype=np.int64).reshape(
            -1, len(Sizes._fields)
        )

    def __len__(self) -> int:
        return len(self._keys)

    def _read(self, index: int) -> DualGraph:
        held = self._held.get(index)
        if held is not None:
            return held
        graph = self._cache.graph_of(self._keys[index], self._structures[index])
        if self._room > 0:
            self._held[index] = graph
            self._room -= sum(array.nbytes for level in graph for array in level)
        return graph


class GraphSubset(LazyGraphs):
    """Some graphs of a sequence, chosen by index, without reading them.

    Args:
        graphs: The sequence.
        indices: Which graphs of it, in what order, shape (T,).
    """

    def __init__(self, graphs: Sequence[DualGraph], indices: NDArray[np.integer]) -> None:
        self._graphs = graphs
        self._indices = indices

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Counts as ``sizes_of`` gives them, shape (T, 6)."""
        return sizes_of(self._graphs)[self._indices]

    def __len__(self) -> int:
        return len(self._indices)

    def _read(self, index: int) -> DualGraph:
        return self._graphs[int(self._indices[index])]


def _content(site: PeriodicSite) -> list[tuple[str, float | None, float]]:
    """Element, oxidation state and amount of all that is on a site; names would round the state."""
    return [
        (specie.symbol, specie.oxi_state if isinstance(specie, Species) else None, amount)
        for specie, amount in site.species.items()
    ]


def _encode(graph: DualGraph | MotifGraph, key: str) -> bytes:
    levels = graph._asdict() if isinstance(graph, DualGraph) else {"motifs": graph}
    packed = {name: [_packed(field) for field in level] for name, level in levels.items()}
    forms = {name: [(a.dtype.str, a.shape) for a in arrays] for name, arrays in packed.items()}
    text = json.dumps(forms, separators=(",", ":")).encode()
    rest = b"".join([text, *(array.tobytes() for arrays in packed.values() for array in arrays)])
    return _START.pack(_MARK, _checksum(rest, key), len(text)) + rest


def _decode(data: bytes, key: str) -> Any:
    """The graph in a file; ValueError says what is wrong with the file."""
    if data[: len(_MARK)] != _MARK or len(data) < _START.size:
        raise ValueError("is no graph file")
    _, checksum, length = _START.unpack_from(data)
    if checksum != _checksum(memoryview(data)[_START.size :], key):
        raise ValueError("is damaged")
    forms = json.loads(data[_START.size : _START.size + length])
    arrays = _arrays(data, _START.size + length, forms)
    levels = {name: _LEVELS[name](*(next(arrays) for _ in form)) for name, form in forms.items()}
    return DualGraph(**levels) if "atoms" in levels else levels["motifs"]


def _arrays(data: bytes, start: int, forms: dict[str, list]) -> Iterator[NDArray]:
    """The arrays of a file, in the types that graphs have."""
    for dtype, shape in (form for level in forms.values() for form in level):
        stored = np.frombuffer(data, dtype, prod(shape), start).reshape(shape)
        start += stored.nbytes
        yield stored.astype(_IN_MEMORY[stored.dtype.kind])


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
