"""What is read: model files, motif vectors, cached graphs, pickles, structures; for ``fuzz.py``.

Bytes are mutated as they are, and what is behind a checksum is mutated and written anew
with a right one.
"""

from __future__ import annotations

import gzip
import json
import pickle
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fuzz_cases import (
    Act,
    Part,
    mutated_array,
    mutated_bytes,
    mutated_text,
    mutated_tree,
    named_odd_structures,
    planted,
    random_structure,
)
from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.datasets import oxides
from amdnet_matminer.errors import AMDNetError, DatasetError, ModelFileError, StructureError
from amdnet_matminer.graphs import DualGraph, DualGraphConverter, GraphCache, dual_graphs
from amdnet_matminer.graphs.serialization import graph_to_bytes
from amdnet_matminer.motifs import motif_graph
from amdnet_matminer.motifs.motif2vec import Motif2Vec
from amdnet_matminer.original.materials import read_original
from amdnet_matminer.persistence import read_arrays, write_arrays
from amdnet_matminer.structure_files import open_crystals, read_entry
from amdnet_matminer.validation.structures import check_elements, check_structures

TRAP = "amdnet_fuzz_trap"
"""A module that files name and that must never be imported."""


@cache
def crystals() -> pd.Series:
    """What is mutated: the built-in oxides."""
    return oxides().structure


@cache
def _small_model() -> AMDNetRegressor:
    some = crystals()[:8]
    model = AMDNetRegressor(
        width=8, n_blocks=1, rbf_edge_dim_atom=8, rbf_edge_dim_motif=8, epochs=1, random_state=0
    )
    return model.fit(some.tolist(), np.arange(8.0))


def _model_bytes(folder: Path) -> Act:
    """Mutated bytes of a model file: the same content, or a ModelFileError."""
    path = folder / "model.amdnet"
    _small_model().save(path)
    whole, written = path.read_bytes(), repr(read_arrays(path))

    def act(rng: random.Random) -> str:
        path.write_bytes(mutated_bytes(whole, rng))
        if repr(read_arrays(path)) != written:
            raise AssertionError("other content was read")
        return "same content"

    return act


def _models(folder: Path) -> Act:
    """Models whose description or arrays are others, in a whole file: finite predictions, or refused."""
    path = folder / "model.amdnet"
    _small_model().save(path)
    description, weights = read_arrays(path)
    asked = crystals()[:2].tolist()

    def act(rng: random.Random) -> str:
        if rng.random() < 0.5:
            write_arrays(path, mutated_tree(description, rng), weights)
        else:
            write_arrays(path, description, _mutated_one(weights, rng))
        return _finite(AMDNetRegressor.load(path).predict(asked), "predicts")

    return act


def _motif_vectors(folder: Path) -> Act:
    """Motif vectors whose header or arrays are others: finite vectors, or a ModelFileError."""
    path = folder / "vectors.npz"
    graphs = [motif_graph(crystal) for crystal in crystals()[::60]]
    Motif2Vec(4).fit(graphs[1:]).save(path)
    unseen = graphs[0]
    with np.load(path) as file:
        arrays = dict(file)
    header = json.loads(str(arrays["header"]))

    def act(rng: random.Random) -> str:
        changed = dict(arrays)
        if rng.random() < 0.3:
            changed["header"] = np.array(json.dumps(mutated_tree(header, rng)))
        else:
            name = rng.choice(list(arrays))
            changed[name] = mutated_array(arrays[name], rng)
        np.savez(path, **changed)
        return _finite(Motif2Vec.load(path).vectors(unseen), "vectors")

    return act


def _cached_graphs(folder: Path) -> Act:
    """Graphs in a cache whose arrays are others: made anew, or such that predictions are finite."""
    crystal = crystals().iloc[0]
    model = _small_model()
    graphs: GraphCache[DualGraph] = GraphCache(
        folder, dual_graphs, DualGraph, converter=DualGraphConverter(n_neighbors=16)
    )
    true, key = graphs.graph(crystal), graphs.key(crystal)

    def act(rng: random.Random) -> str:
        level = rng.choice(["atoms", "motifs"])
        arrays = getattr(true, level)
        name = rng.choice(arrays._fields)
        other = arrays._replace(**{name: mutated_array(getattr(arrays, name), rng)})
        graphs.store.put([(key, graph_to_bytes(replace(true, **{level: other}), key))])
        predicted = model.set_params(cache_dir=folder).predict([crystal])
        return _finite(predicted, "predicts")

    return act


def _pickle_bytes(folder: Path) -> Act:
    """Mutated bytes of the original's pickles: read, or a DatasetError; never code that runs."""
    path = folder / "materials.pkl"
    whole = pickle.dumps(_original(crystals()[:3].tolist()), protocol=4)

    def act(rng: random.Random) -> str:
        path.write_bytes(mutated_bytes(whole, rng))
        read_original(path)
        return "read"

    return act


def _pickles(folder: Path) -> Act:
    """The original's pickles with other objects in them: read, or a DatasetError; never code that runs."""
    path = folder / "materials.pkl"

    def act(rng: random.Random) -> str:
        content: Any = _original([*crystals()[:2], _odd_object(rng)])
        if rng.random() < 0.2:
            content = rng.choice([content[0], content[:1], content[::-1], _odd_object(rng)])
        path.write_bytes(pickle.dumps(content, protocol=rng.choice((2, 4))))
        with _trap(folder):
            data = read_original(path)
        return "read" if len(data.train.table) + len(data.train.missing) == 1 else "other ids"

    return act


def _structure_texts(folder: Path) -> Act:
    """Mutated CIF and JSON texts, from reading to the graph that the network reads."""

    def act(rng: random.Random) -> str:
        crystal = crystals().iloc[rng.randrange(len(crystals()))]
        kind = rng.choice(["cif", "json"])
        text = str(CifWriter(crystal)) if kind == "cif" else crystal.to_json()
        path = folder / f"mutated.{kind}"
        path.write_text(mutated_text(text, rng), encoding="utf-8", errors="replace")
        return _graph_of(_read_one(path))

    return act


def _structure_trees(folder: Path) -> Act:
    """JSON of structures, alone and in tables, with other values and modules to import in it."""

    def act(rng: random.Random) -> str:
        crystal = crystals().iloc[rng.randrange(len(crystals()))]
        module = {"@module": TRAP, "@class": "Trap"}
        tree = planted(mutated_tree(crystal.as_dict(), rng), module, rng)
        path = folder / f"mutated.{rng.choice(['json', 'json.gz', 'csv'])}"
        _write_tree(path, tree)
        with _trap(folder):
            return _graph_of(_read_one(path))

    return act


def _structures(folder: Path) -> Act:
    """Objects that are no crystal, or one that cannot be: a graph, or a StructureError."""
    named = list(named_odd_structures().values())

    def act(rng: random.Random) -> str:
        try:
            structure = rng.choice(named)() if rng.random() < 0.1 else random_structure(rng)
        except (ValueError, TypeError, np.linalg.LinAlgError):
            return "refused by pymatgen"
        return _graph_of(structure)

    return act


READERS = {
    "model_bytes": Part(_model_bytes, (ModelFileError,), 100_000),
    "models": Part(_models, (ModelFileError,), 500),
    "motif_vectors": Part(_motif_vectors, (ModelFileError,), 2_000),
    "cached_graphs": Part(_cached_graphs, (), 500),
    "pickle_bytes": Part(_pickle_bytes, (DatasetError,), 5_000),
    "pickles": Part(_pickles, (DatasetError,), 1_000),
    "structure_texts": Part(_structure_texts, (AMDNetError,), 2_000),
    "structure_trees": Part(_structure_trees, (AMDNetError,), 2_000),
    "structures": Part(_structures, (StructureError,), 2_000),
}
"""Readers, and how many cases each gets."""


def _original(structures: list[Any]) -> tuple[pd.DataFrame, tuple[list[str], ...]]:
    """What a material file of the original holds."""
    ids = ["a", "b", "c"]
    table = pd.DataFrame({"structure": structures, "band_gap": 1.0}, index=ids)
    return table, tuple([key] for key in ids[::-1])


def _odd_object(rng: random.Random) -> Any:
    """What may be in a pickle in the place of a structure."""
    kind = rng.randrange(5)
    if kind == 0:
        return partial(exec, f"import {TRAP}")
    if kind == 1:
        nested: Any = "deep"
        for _ in range(200):
            nested = rng.choice([(nested, nested), [nested], {"key": nested}])
        return nested
    if kind == 2:
        return mutated_array(np.arange(6.0), rng)
    if kind == 3:
        return rng.choice((None, "Fe", {}, [], 1e308, float("nan"), Structure))
    crystal = deepcopy(crystals().iloc[0])
    part = rng.choice([crystal, crystal.lattice, crystal[0]]).__dict__
    part[rng.choice(list(part))] = rng.choice((None, "Fe", [], 1.0, np.full((3, 3), np.nan), -1))
    return crystal


def _read_one(path: Path) -> Any:
    (entry,) = open_crystals(path).entries
    return read_entry(entry)


def _write_tree(path: Path, tree: Any) -> None:
    """Write what stands for a structure as a file of its own, or as the cell of a table."""
    if path.suffix == ".csv":
        pd.DataFrame({"structure": [json.dumps(tree)]}, index=["a"]).to_csv(path, index_label="id")
    elif path.suffix == ".gz":
        table = {"index": ["a"], "columns": ["structure"], "data": [[tree]]}
        path.write_bytes(gzip.compress(json.dumps(table).encode()))
    else:
        path.write_text(json.dumps(tree))


def _graph_of(crystal: Any) -> str:
    (structure,) = check_structures([crystal])
    check_elements([structure])
    graph = DualGraphConverter().convert(structure)
    return _finite([*graph.atoms.distance, *graph.motifs.fingerprint.flat], "graph")


def _finite(values: Any, outcome: str) -> str:
    if not np.isfinite(values).all():
        raise AssertionError(f"got {values}, which is not finite")
    return outcome


def _mutated_one(arrays: list[Any], rng: random.Random) -> list[Any]:
    """The arrays with one changed, lacking or doubled."""
    place = rng.randrange(len(arrays))
    other = rng.choice([[], [arrays[place]] * 2, *[[mutated_array(arrays[place], rng)]] * 8])
    return [*arrays[:place], *other, *arrays[place + 1 :]]


@contextmanager
def _trap(folder: Path) -> Iterator[None]:
    """Fail if the module that files name is imported."""
    (folder / f"{TRAP}.py").touch()
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        if sys.modules.pop(TRAP, None) is not None:
            raise AssertionError("a module that the file names was imported")
