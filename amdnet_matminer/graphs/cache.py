"""Graphs kept on disk, made once and read one at a time.

A graph is an entry of a store, under a digest of all that it depends on. So
tasks, settings and processes share a folder without knowing of each other.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Generic, overload

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import PeriodicSite, Species, Structure

from amdnet_matminer.errors import StructureError
from amdnet_matminer.graphs.batching import Sizes, sizes_of
from amdnet_matminer.graphs.crystal import DualGraph
from amdnet_matminer.graphs.serialization import Graph, graph_from_bytes, graph_to_bytes
from amdnet_matminer.graphs.store import Store
from amdnet_matminer.parallel import map_structures

logger = logging.getLogger(__name__)

GRAPH_VERSION = 7
"""To be raised whenever a structure gives another graph than before, or the file has another form."""

HELD_BYTES = 2**30
"""How much of a data set is held once read: to read a graph takes a tenth of the time to learn it."""

WRITTEN_AT_ONCE = 256
"""Graphs; a kill loses at most so many."""

_REPORTED: set[Path] = set()
"""Folders of whose bad entries this process has told."""


class GraphCache(Generic[Graph]):
    """Graphs in the store of a folder, for one way of making them.

    Several processes may use it at once. A truncated, foreign or unsound entry is made anew,
    of which one warning of each process tells. What a ``Store`` does about a file that is damaged,
    and a folder that is not writable, holds here too.

    Args:
        folder: Where the store is; made if it is not there.
        make: What turns structures into graphs: ``dual_graphs`` or ``motif_graphs_of``.
        kind: What ``make`` gives: ``DualGraph`` or ``MotifGraph``.
        **settings: All other arguments of ``make``: a ``converter``, or what JSON can hold.
            The entries are told apart by these, by the structures and by ``GRAPH_VERSION``.

    Raises:
        OSError: The folder cannot be made.
    """

    def __init__(
        self, folder: str | Path, make: Callable[..., list[Graph]], kind: type[Graph], **settings: Any
    ) -> None:
        self.store = Store(folder)
        self._kind: type[Graph] = kind
        self._bad: list[str] = []
        self._settings = settings
        self._make: Callable[[Sequence[Structure]], list[Graph]] = partial(make, **settings)
        self._maker = json.dumps(
            [GRAPH_VERSION, make.__name__, settings], sort_keys=True, default=asdict
        ).encode()

    def graph(self, structure: Structure) -> Graph:
        """Read the graph of a structure, or make and keep it.

        Args:
            structure: A crystal.

        Returns:
            Its graph.

        Raises:
            StructureError: No graph can be made of the structure.
            OSError: The store cannot be read or written.
        """
        graph = self.graph_of(self.key(structure), structure)
        self.report_bad_entries()
        return graph

    def graph_of(self, key: str, structure: Structure) -> Graph:
        """As ``graph``, for a structure whose key is known, and without a report of a bad entry.

        Args:
            key: What ``key`` says of the structure.
            structure: A crystal.

        Returns:
            Its graph.

        Raises:
            StructureError: No graph can be made of the structure.
            OSError: The store cannot be read or written.
        """
        try:
            content = self.store.get(key)
            if content is not None:
                graph = graph_from_bytes(content, key, self._kind)
                # The entry does not hold the converter, which all of the cache's graphs have.
                return replace(graph, **self._settings) if isinstance(graph, DualGraph) else graph
        except ValueError as error:
            self._bad.append(f"{key} {error}")
        (graph,) = self._make([structure])
        self.store.put([(key, graph_to_bytes(graph, key))])
        return graph

    def graphs(
        self: GraphCache[DualGraph],
        structures: Iterable[Structure],
        n_jobs: int | None = None,
        verbose: bool = False,
    ) -> CachedGraphs:
        """Make all graphs that are not there, and give a view of all.

        Other processes make the graphs, and this one writes them: they need not see the folder.

        Args:
            structures: S crystals.
            n_jobs: Number of processes, as joblib counts them.
            verbose: Whether to show a progress bar.

        Returns:
            A sequence of S graphs that reads each when it is asked for.

        Raises:
            StructureError: No graph can be made of a structure.
            OSError: The store cannot be read or written.
        """
        listed = list(structures)
        return CachedGraphs(self, listed, self._keep(listed, n_jobs, verbose))

    def all_graphs(
        self, structures: Sequence[Structure], n_jobs: int | None = None, verbose: bool = False
    ) -> list[Graph]:
        """Make all graphs that are not there, and read all into memory.

        Args:
            structures: S crystals.
            n_jobs: Number of processes, as joblib counts them.
            verbose: Whether to show a progress bar.

        Returns:
            S graphs.

        Raises:
            StructureError: No graph can be made of a structure.
            OSError: The store cannot be read or written.
        """
        keys = self._keep(structures, n_jobs, verbose)
        graphs = [self.graph_of(key, structure) for key, structure in zip(keys, structures, strict=True)]
        self.report_bad_entries()
        return graphs

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
            raise StructureError(f"is a {type(structure).__name__}, not a pymatgen Structure", "pass one")
        digest = hashlib.blake2b(self._maker, digest_size=16)
        digest.update(repr(([_content(site) for site in structure], structure.lattice.pbc)).encode())
        for array in (structure.lattice.matrix, structure.frac_coords):
            digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        return digest.hexdigest()

    def report_bad_entries(self) -> None:
        """Warn of the entries that could not be used, once in a process."""
        if self._bad and self.store.file not in _REPORTED:
            _REPORTED.add(self.store.file)
            logger.warning(
                "%d of the graphs in %s could not be used and are made anew, as others will be "
                "without another word: %s",
                len(self._bad),
                self.store.file,
                self._bad[0],
            )
        self._bad.clear()

    def _keep(self, structures: Sequence[Structure], n_jobs: int | None, verbose: bool) -> list[str]:
        """Make the graphs that are not there, and give the keys of all."""
        keys = [self.key(structure) for structure in structures]
        known = self.store.known(keys)
        missing = [i for i, key in enumerate(keys) if key not in known]
        wanted = (structures[i] for i in missing)
        self._write(map_structures(self._entries, wanted, n_jobs, "graphs", verbose, missing))
        return keys

    def _entries(self, structures: Sequence[Structure]) -> list[tuple[str, bytes]]:
        keys = map(self.key, structures)
        pairs = zip(keys, self._make(structures), strict=True)
        return [(key, graph_to_bytes(graph, key)) for key, graph in pairs]

    def _write(self, entries: Iterable[tuple[str, bytes]]) -> None:
        """Write entries while they come, those before an error too."""
        waiting: list[tuple[str, bytes]] = []
        try:
            for entry in entries:
                waiting.append(entry)
                if len(waiting) == WRITTEN_AT_ONCE:
                    self.store.put(waiting)
                    waiting = []
        finally:
            self.store.put(waiting)


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
        structures: Of which a graph is made anew should its entry be lost, S.
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
        sizes = [sizes_of([self._unreported(index)])[0] for index in range(len(self))]
        self._cache.report_bad_entries()
        return np.array(sizes, dtype=np.int64).reshape(-1, len(Sizes._fields))

    def __len__(self) -> int:
        return len(self._keys)

    def _read(self, index: int) -> DualGraph:
        graph = self._unreported(index)
        self._cache.report_bad_entries()
        return graph

    def _unreported(self, index: int) -> DualGraph:
        held = self._held.get(index)
        if held is not None:
            return held
        graph = self._cache.graph_of(self._keys[index], self._structures[index])
        if self._room > 0:
            self._held[index] = graph
            self._room -= sum(array.nbytes for level in graph.levels for array in level)
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
    """What is on a site: name with isotope and spin, exact oxidation state, which names round, and amount."""
    return [
        (str(specie), specie.oxi_state if isinstance(specie, Species) else None, amount)
        for specie, amount in site.species.items()
    ]
