"""Files that would do harm, or give wrong numbers, and what happens when they are opened.

python benchmarks/hostile_files.py

makes each, opens it as a user would, and writes the table of SECURITY.md. The tests do
the same and hold the table to it.
"""

from __future__ import annotations

import gzip
import json
import logging
import logging.handlers
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pandas as pd
from common import ROOT
from pymatgen.core import Lattice, Structure

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.datasets import read_structures
from amdnet_matminer.errors import AMDNetError, DatasetError, ModelFileError, StructureError
from amdnet_matminer.graphs import DualGraph, DualGraphConverter, GraphCache, dual_graphs
from amdnet_matminer.graphs.serialization import graph_to_bytes
from amdnet_matminer.motifs import motif_graph
from amdnet_matminer.motifs.motif2vec import Motif2Vec
from amdnet_matminer.network import NetworkConfig, build_network
from amdnet_matminer.network.published import load_published_weights
from amdnet_matminer.original.materials import read_original
from amdnet_matminer.persistence import read_arrays, write_arrays
from amdnet_matminer.validation.structures import check_structures

DOCUMENT = ROOT / "SECURITY.md"
MARKERS = ("<!-- table -->", "<!-- /table -->")
TRAP = "amdnet_hostile_trap"
"""A module that files name; its import is what must not happen."""


class Case(NamedTuple):
    """A hostile file."""

    kind: str
    """What it pretends to be."""
    hostile: str
    """What is wrong with it."""
    open_in: Callable[[Path], str | None]
    """Makes it in an empty folder and opens it as a user would; gives what came of it."""
    refusal: type[AMDNetError] | None = None
    """The error that is the right answer; none if the file is of use in spite of it."""
    reason: str = ""
    """What the error says, or what came of it."""

    def answer(self) -> str:
        """What happens now, for the table."""
        return f"refused: {self.reason} (`{self.refusal.__name__}`)" if self.refusal else self.reason


def check(case: Case, folder: Path) -> None:
    """Make and open a hostile file, and see that what happens is what the table says.

    Args:
        case: The file.
        folder: An empty one.

    Raises:
        AssertionError: Something else happens.
    """
    outcome: str | AMDNetError | None
    with _trap(folder):
        try:
            outcome = case.open_in(folder)
        except AMDNetError as error:
            outcome = error
    if case.refusal is None:
        assert outcome == case.reason, f"came to {outcome!r}"
    else:
        assert isinstance(outcome, case.refusal), f"came to {outcome!r}"
        assert case.reason in str(outcome), f"says {outcome}"


def table() -> str:
    """The table of SECURITY.md."""
    rows = [f"| {case.kind} | {case.hostile} | {case.answer()} |" for case in CASES]
    return "\n".join(["| file | with | what happens |", "| --- | --- | --- |", *rows])


def with_table(text: str) -> str:
    """A text with the table between its markers."""
    before, after = text.partition(MARKERS[0])[0], text.partition(MARKERS[1])[2]
    return f"{before}{MARKERS[0]}\n\n{table()}\n\n{MARKERS[1]}{after}"


@cache
def _crystal() -> Structure:
    """Rock salt MgO."""
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.212), ["Mg", "O"], [[0, 0, 0], [0.5] * 3])


class _Trapped:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"import {TRAP}",)


# Structures.


def _tree(folder: Path, change: Callable[[dict[str, Any]], Any], name: str = "crystal.json") -> str:
    """Read a crystal whose dictionary was changed."""
    tree = _crystal().as_dict()
    change(tree)
    content: Any = tree
    if name.endswith(".gz"):
        content = {"index": ["a"], "columns": ["structure"], "data": [[tree]]}
    text = json.dumps(content).encode()
    (folder / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    (found,) = check_structures(read_structures(folder / name))
    return "read as if it were not there" if found == _crystal() else f"read as {found}"


def _name_a_module(tree: dict[str, Any]) -> None:
    tree["sites"][0]["properties"] = {"magmom": {"@module": TRAP, "@class": "Trap"}}


def _bytes(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return f"read {len(read_structures(folder / name))}"


def _bomb(folder: Path) -> str:
    return _bytes(folder, "bomb.json.gz", gzip.compress(bytes(10**8)))


STRUCTURES = [
    Case(
        "JSON of a structure",
        "a module to import among the properties of a site",
        partial(_tree, change=_name_a_module),
        None,
        "read as if it were not there",
    ),
    Case(
        "MatBench-style `.json.gz`",
        "the same in its column of structures",
        partial(_tree, change=_name_a_module, name="table.json.gz"),
        None,
        "read as if it were not there",
    ),
    Case(
        "`.json.gz`",
        "0.1 MB that unpack to 100",
        _bomb,
        DatasetError,
        "unpacks to more than 64 MiB, which is too much",
    ),
    Case(
        "JSON of a structure",
        "100,000 nested lists",
        partial(_bytes, name="deep.json", content=b"[" * 10**5),
        DatasetError,
        "cannot be read",
    ),
    Case(
        "JSON of a structure",
        "a coordinate that is infinite",
        partial(_tree, change=lambda tree: tree["sites"][0].update(abc=[float("inf"), 0, 0])),
        StructureError,
        "has a lattice or coordinates that are not finite",
    ),
]


# Models.


@cache
def _small_model() -> AMDNetRegressor:
    small: dict[str, Any] = {"width": 8, "n_blocks": 1, "rbf_edge_dim_atom": 8, "rbf_edge_dim_motif": 8}
    model = AMDNetRegressor(**small, epochs=1, random_state=0)
    return model.fit([_crystal()] * 4, [1.0, 2.0, 3.0, 4.0])


def _model(folder: Path, change: Callable[[dict[str, Any], list[Any]], Any]) -> str:
    """Load a model whose header or weights were changed, and predict with it."""
    path = folder / "model.amdnet"
    _small_model().save(path)
    header, weights = read_arrays(path)
    change(header, weights)
    write_arrays(path, header, weights)
    return f"predicts {AMDNetRegressor.load(path).predict([_crystal()])}"


def _parameter(name: str, value: Any) -> Callable[[Path], str]:
    return partial(_model, change=lambda header, _: header["parameters"].update({name: value}))


def _header(*names: str, value: Any) -> Callable[[Path], str]:
    def change(header: dict[str, Any], _: list[Any]) -> None:
        for name in names[:-1]:
            header = header[name]
        header[names[-1]] = value

    return partial(_model, change=change)


def _weights(make: Callable[[Any], Any]) -> Callable[[Path], str]:
    def change(_: dict[str, Any], weights: list[Any]) -> None:
        weights[-1] = make(weights[-1])

    return partial(_model, change=change)


MODELS = [
    Case(
        "model",
        "a folder to write graphs to",
        _parameter("cache_dir", "/tmp/elsewhere"),
        ModelFileError,
        "a file has no parameters ['cache_dir']",
    ),
    Case(
        "model",
        "a folder to write checkpoints to",
        _parameter("checkpoint_dir", "/tmp/elsewhere"),
        ModelFileError,
        "a file has no parameters ['checkpoint_dir']",
    ),
    Case(
        "model",
        "another file to read",
        _parameter("init_from", "/etc/hostname"),
        ModelFileError,
        "a file has no parameters ['init_from']",
    ),
    Case(
        "model",
        "3,000 processes",
        _parameter("n_jobs", 3000),
        ModelFileError,
        "a file has no parameters ['n_jobs']",
    ),
    Case(
        "model",
        "a width of 20,000",
        _parameter("width", 20_000),
        ModelFileError,
        "width must be None or an integer from 1 to 512",
    ),
    Case(
        "model",
        "100,000 blocks",
        _parameter("n_blocks", 100_000),
        ModelFileError,
        "n_blocks must be an integer from 1 to 32",
    ),
    Case(
        "model",
        "a cut-off of 200 angstrom",
        _parameter("atom_cutoff", 200.0),
        ModelFileError,
        "atom_cutoff must be a number above 0, at most 20",
    ),
    Case(
        "model",
        "100,000 neighbours",
        _parameter("n_neighbors", 100_000),
        ModelFileError,
        "n_neighbors must be None or an integer from 1 to 1000",
    ),
    Case(
        "model",
        "a network that is not known",
        _parameter("architecture", "os.system"),
        ModelFileError,
        "architecture must be one of",
    ),
    Case(
        "model",
        "a field that is not known",
        _header("ladder", value={"first": [0], "growth": -1}),
        ModelFileError,
        "unknown fields ['ladder']",
    ),
    Case(
        "model",
        "a scale of zero",
        _header("scale", value=[0.0]),
        ModelFileError,
        "Expected `float` > 0.0 - at `$.scale[0]`",
    ),
    Case(
        "model",
        "a mean that is no number",
        _header("mean", value=[float("nan")]),
        ModelFileError,
        "at `$.mean[0]`",
    ),
    Case(
        "model",
        "a negative factor of the spread",
        _header("labels", "std_factor", value=-1.0),
        ModelFileError,
        "Expected `float` >= 0.0 - at `$.std_factor`",
    ),
    Case(
        "model",
        "no weights",
        partial(_model, change=lambda _, weights: weights.__delitem__(slice(1, None))),
        ModelFileError,
        "it has 0 arrays of weights",
    ),
    Case(
        "model",
        "weights that are no numbers",
        _weights(lambda a: a * np.nan),
        ModelFileError,
        "are not all numbers below 1e+06",
    ),
    Case(
        "model",
        "weights that are infinite",
        _weights(lambda a: a + np.inf),
        ModelFileError,
        "are not all numbers below 1e+06",
    ),
    Case(
        "model",
        "weights of 1e30",
        _weights(lambda a: a * 0 + np.float32(1e30)),
        ModelFileError,
        "are not all numbers below 1e+06",
    ),
    Case(
        "model",
        "weights that are truth values",
        _weights(lambda a: a > 0),
        ModelFileError,
        "are (1,) bool instead of (1,) float32",
    ),
    Case(
        "model",
        "weights of another shape",
        _weights(lambda a: a[:-1]),
        ModelFileError,
        "are (0,) float32 instead of (1,) float32",
    ),
]


# Motif vectors.


def _vectors(folder: Path, change: Callable[[dict[str, Any]], Any]) -> str:
    """Load motif vectors of which an array was changed."""
    path = folder / "vectors.npz"
    Motif2Vec(2).fit([motif_graph(_crystal())]).save(path)
    with np.load(path) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(path, **arrays)
    return f"read {len(Motif2Vec.load(path).names_)} motifs"


def _array(name: str, change: Callable[[Any], Any]) -> Callable[[Path], str]:
    return partial(_vectors, change=lambda arrays: arrays.update({name: change(arrays[name])}))


def _double(arrays: dict[str, Any]) -> None:
    for name in ("names", "counts", "vectors"):
        arrays[name] = arrays[name].repeat(2, axis=0)


VECTORS = [
    Case(
        "Motif2Vec",
        "an array of pickled objects",
        _array("counts", lambda _: np.array([_Trapped()], object)),
        ModelFileError,
        "Object arrays cannot be loaded when allow_pickle=False",
    ),
    Case(
        "Motif2Vec",
        "names that are numbers",
        _array("names", lambda _: np.array([1])),
        ModelFileError,
        "names are of type int64",
    ),
    Case(
        "Motif2Vec",
        "a name twice",
        partial(_vectors, change=_double),
        ModelFileError,
        "some of the names are empty or there twice",
    ),
    Case(
        "Motif2Vec",
        "vectors that are not finite",
        _array("vectors", lambda a: a * np.nan),
        ModelFileError,
        "some of the vectors are not finite",
    ),
    Case(
        "Motif2Vec",
        "fewer vectors than names",
        _array("vectors", lambda a: a[:0]),
        ModelFileError,
        "vectors are of shape (0, 2), not (1, 2)",
    ),
    Case(
        "Motif2Vec",
        "prototypes of 5 numbers",
        _array("prototypes", lambda a: a[:, :5]),
        ModelFileError,
        "prototypes are of shape (1, 5), not (1, 61)",
    ),
    Case(
        "Motif2Vec",
        "a header of 100,000 nested lists",
        _array("header", lambda _: np.array("[" * 10**5)),
        ModelFileError,
        "its header is no JSON",
    ),
]


# Cached graphs.


def _cached(folder: Path, change: Callable[[DualGraph], Any]) -> str:
    """Ask a cache for a graph whose entry, with a right checksum, is of another."""
    graphs = GraphCache(folder, dual_graphs, DualGraph, converter=DualGraphConverter())
    true, key = graphs.graph(_crystal()), graphs.key(_crystal())
    graphs.store.put([(key, graph_to_bytes(change(true), key))])
    reports = logging.handlers.BufferingHandler(10)
    logger = logging.getLogger("amdnet_matminer.graphs")
    logger.addHandler(reports)
    found = graphs.graph(_crystal())
    logger.removeHandler(reports)
    same = all(map(np.array_equal, (*true.atoms, *true.motifs), (*found.atoms, *found.motifs)))
    return f"{'made anew' if same else 'read as it is'}, {'and' if reports.buffer else 'not'} reported"


def _atoms(**changes: Callable[[Any], Any]) -> Callable[[Path], str]:
    def change(graph: DualGraph) -> DualGraph:
        changed = {name: other(getattr(graph.atoms, name)) for name, other in changes.items()}
        return replace(graph, atoms=graph.atoms._replace(**changed))

    return partial(_cached, change=change)


_ANEW = (None, "made anew, and reported")
CACHED_GRAPHS = [
    Case("cached graph", "an atom index out of range", _atoms(sender=lambda a: a + 100), *_ANEW),
    Case("cached graph", "an element beyond the table", _atoms(atomic_number=lambda a: a + 200), *_ANEW),
    Case("cached graph", "a multiplicity of zero", _atoms(multiplicity=lambda a: a * 0), *_ANEW),
    Case("cached graph", "a distance that is no number", _atoms(distance=lambda a: a * np.nan), *_ANEW),
    Case(
        "cached graph", "another kind of graph", partial(_cached, change=lambda graph: graph.motifs), *_ANEW
    ),
]


# Pickles of the original.


def _material_file(folder: Path, structure: Any) -> str:
    table = pd.DataFrame({"structure": [structure], "band_gap": [1.0]}, index=["a"])
    return _pickle(folder, pickle.dumps((table, (["a"], [], []))))


def _pickle(folder: Path, content: bytes) -> str:
    (folder / "materials.pkl").write_bytes(content)
    data = read_original(folder / "materials.pkl")
    return f"read {len(data.train.table)}"


PICKLES = [
    Case(
        "pickle of the original",
        "code to run",
        partial(_material_file, structure=_Trapped()),
        DatasetError,
        "asks for builtins.exec",
    ),
    Case(
        "pickle of the original",
        "a tuple of tuples, doubled 60 times, as a key",
        partial(_pickle, content=b"\x80\x02})" + b"2\x86" * 60 + b"Ns."),
        DatasetError,
        "has a tuple as a key, which tables of crystals do not need",
    ),
    Case(
        "pickle of the original",
        "100,000 nested lists",
        partial(_pickle, content=b"\x80\x02" + b"]" * 10**5 + b"a" * (10**5 - 1) + b"."),
        DatasetError,
        "cannot be read",
    ),
]


# Models of the original.


def _published(folder: Path, place: Callable[[h5py.File, Path], Any]) -> None:
    """Load a model of the original's form that keeps an array elsewhere on this computer."""
    other = folder / "other"
    other.write_bytes(bytes(10**4))
    with h5py.File(folder / "model.hdf5", "w") as file:
        place(file, other)
    load_published_weights(build_network(NetworkConfig("amdnet-2021")), folder / "model.hdf5")


def _external(file: h5py.File, other: Path) -> None:
    group = file.create_group("model_weights/embedding/embedding")
    group.create_dataset("embeddings:0", (95, 16), "f4", external=[(str(other), 0, h5py.h5f.UNLIMITED)])


def _linked(file: h5py.File, other: Path) -> None:
    file["model_weights"] = h5py.ExternalLink(str(other), "/")


PUBLISHED = [
    Case(
        "`.hdf5` of the original",
        "an array that is in another file",
        partial(_published, place=_external),
        ModelFileError,
        "is in another file, which is not opened",
    ),
    Case(
        "`.hdf5` of the original",
        "a link to another file",
        partial(_published, place=_linked),
        ModelFileError,
        "are in another file, which is not opened",
    ),
]

CASES = [*STRUCTURES, *MODELS, *VECTORS, *CACHED_GRAPHS, *PICKLES, *PUBLISHED]


@contextmanager
def _trap(folder: Path) -> Iterator[None]:
    """Fail if the module that files name is imported."""
    place = folder / "trap"
    place.mkdir()
    (place / f"{TRAP}.py").touch()
    sys.path.insert(0, str(place))
    try:
        yield
    finally:
        sys.path.remove(str(place))
        if sys.modules.pop(TRAP, None) is not None:
            raise AssertionError("the module that the file names was imported")


def main() -> None:
    """Check all and write the table."""
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            check(case, Path(folder))
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
