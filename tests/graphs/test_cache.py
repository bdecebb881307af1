"""Graphs on disk: the same as made ones, whatever happens to their files."""

from __future__ import annotations

import logging
import pickle
import sqlite3
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from joblib import Parallel, delayed
from pymatgen.core import Lattice, Species, Structure

from amdnet_matminer import AMDNetRegressor, MotifFeaturizer
from amdnet_matminer.errors import StructureError
from amdnet_matminer.graphs import (
    DualGraph,
    DualGraphConverter,
    GraphCache,
    GraphSubset,
    cache,
    dual_graphs,
    sizes_of,
    store,
)
from amdnet_matminer.graphs.serialization import graph_to_bytes
from amdnet_matminer.graphs.store import Store
from amdnet_matminer.motifs import MotifGraph, motif_graph, motif_graphs_of

DEFAULTS = {"atom_cutoff": 5.0, "motifs": "own", "symmetry_reduction": True}


def arrays_of(graph: DualGraph | MotifGraph) -> list[np.ndarray]:
    return (
        [array for level in graph.levels for array in level] if isinstance(graph, DualGraph) else list(graph)
    )


def assert_same(found, expected) -> None:
    assert type(found) is type(expected)
    for array, other in zip(arrays_of(found), arrays_of(expected), strict=True):
        assert array.dtype == other.dtype
        assert array.flags.writeable
        np.testing.assert_array_equal(array, other)


def entries_of(folder: Path) -> dict[str, bytes]:
    """What is in the store of a folder, read without the package."""
    with closing(sqlite3.connect(folder / "graphs.sqlite")) as connection:
        return dict(connection.execute("SELECT key, content FROM graph"))


def overwrite(folder: Path, content: bytes) -> None:
    with closing(sqlite3.connect(folder / "graphs.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE graph SET content = ?", (content,))


@pytest.fixture
def duals(tmp_path) -> GraphCache[DualGraph]:
    return GraphCache(tmp_path, dual_graphs, DualGraph, converter=DualGraphConverter(**DEFAULTS))


@pytest.fixture
def unmade(monkeypatch) -> None:
    """Making a graph is an error."""

    def refuse(*arguments: object, **settings: object) -> None:
        raise AssertionError("made, not read")

    monkeypatch.setattr(GraphCache, "_entries", refuse)
    monkeypatch.setattr(Store, "put", lambda self, entries: refuse() if list(entries) else None)


@pytest.mark.parametrize("reduce", [True, False])
def test_dual_graphs_are_the_same(tmp_path, crystals, reduce, request):
    duals = GraphCache(
        tmp_path,
        dual_graphs,
        DualGraph,
        converter=DualGraphConverter(**DEFAULTS | {"symmetry_reduction": reduce}),
    )
    expected = [DualGraphConverter(symmetry_reduction=reduce).convert(crystal) for crystal in crystals]
    for crystal, graph in zip(crystals, expected, strict=True):
        assert_same(duals.graph(crystal), graph)
    request.getfixturevalue("unmade")
    for crystal, graph in zip(crystals, expected, strict=True):
        assert_same(duals.graph(crystal), graph)


def test_motif_graphs_are_the_same(tmp_path, crystals, request):
    motifs = GraphCache(tmp_path, motif_graphs_of, MotifGraph, engine="fast")
    no_motifs = Structure(Lattice.cubic(4.0), ["O2-"], [[0, 0, 0]])
    for crystal in [*crystals, no_motifs]:
        motifs.graph(crystal)
    request.getfixturevalue("unmade")
    for crystal in [*crystals, no_motifs]:
        assert_same(motifs.graph(crystal), motif_graph(crystal))


def test_entries_are_compact(tmp_path, duals, spinel):
    graph = duals.graph(spinel.copy().perturb(0.05))  # without symmetry, so that all sites are kept
    (content,) = entries_of(tmp_path).values()
    assert len(content) < 0.55 * sum(array.nbytes for array in arrays_of(graph))


def test_the_key_is_of_all_that_the_graph_depends_on(tmp_path, rutile):
    duals = GraphCache(tmp_path, dual_graphs, DualGraph, converter=DualGraphConverter(**DEFAULTS))
    decorated = rutile.copy()
    decorated.add_oxidation_state_by_element({"Ti": 4, "O": -2})
    states = [
        Structure(rutile.lattice, [Species("Ti", q), "O"], [[0] * 3, [0.5] * 3]) for q in (3.001, 3.002)
    ]
    others = [
        Structure(rutile.lattice, rutile.species, rutile.frac_coords + 1e-12),
        Structure(Lattice(rutile.lattice.matrix * (1 + 1e-12)), rutile.species, rutile.frac_coords),
        Structure(rutile.lattice, rutile.species[::-1], rutile.frac_coords),
        Structure(rutile.lattice, ["Zr"] * 2 + ["O"] * 4, rutile.frac_coords),
        rutile * (2, 1, 1),
        decorated,
        *states,
    ]
    keys = [duals.key(structure) for structure in (rutile, *others)]
    makers = [
        GraphCache(tmp_path, motif_graphs_of, MotifGraph, engine=engine) for engine in ("fast", "reference")
    ]
    changes = [{"atom_cutoff": 4.0}, {"motifs": None}, {"symmetry_reduction": False}]
    makers += [
        GraphCache(tmp_path, dual_graphs, DualGraph, converter=DualGraphConverter(**DEFAULTS | change))
        for change in changes
    ]
    keys += [maker.key(rutile) for maker in makers]
    assert len(set(keys)) == len(keys)
    assert duals.key(rutile.copy(site_properties={"magmom": [1] * 6})) == keys[0]


def test_the_key_tells_what_symmetry_tells(duals, rock_salt):
    """Spins and isotopes make sites of one element inequivalent, so the graph has more nodes."""
    pair = rock_salt.get_primitive_structure() * (1, 1, 2)
    ordered = pair.copy()
    ordered.add_spin_by_site([5, -5, 0, 0])
    heavy = pair.copy()
    heavy.replace_species({"Mg": "H"})
    with_one = heavy.copy()
    with_one.replace(0, "D")
    for crystal in (pair, ordered, heavy, with_one):
        assert_same(duals.graph(crystal), DualGraphConverter(**DEFAULTS).convert(crystal))


def test_the_key_changes_with_the_version(tmp_path, rutile, monkeypatch):
    before = GraphCache(tmp_path, dual_graphs, DualGraph, converter=DualGraphConverter(**DEFAULTS)).key(
        rutile
    )
    monkeypatch.setattr(cache, "GRAPH_VERSION", cache.GRAPH_VERSION + 1)
    assert (
        GraphCache(tmp_path, dual_graphs, DualGraph, converter=DualGraphConverter(**DEFAULTS)).key(rutile)
        != before
    )


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[: len(data) // 2], "is damaged"),
        (lambda data: b"PK\x03\x04 a file of another program", "is no graph"),
        (lambda data: "a text", "is no graph"),
        (lambda data: 1, "is no graph"),
    ],
)
def test_a_bad_entry_is_made_anew(tmp_path, duals, rutile, damage, reason, caplog):
    expected = duals.graph(rutile)
    ((key, sound),) = entries_of(tmp_path).items()
    overwrite(tmp_path, damage(sound))
    with caplog.at_level(logging.WARNING, logger="amdnet_matminer"):
        assert_same(duals.graph(rutile), expected)
    assert f"1 of the graphs in {tmp_path / 'graphs.sqlite'} could not be used" in caplog.text
    assert f"{key} {reason}" in caplog.text
    assert entries_of(tmp_path) == {key: sound}


def test_a_sound_entry_of_an_impossible_graph_is_made_anew(tmp_path, duals, rutile, caplog):
    expected = duals.graph(rutile)
    key = duals.key(rutile)
    beyond = expected.atoms._replace(sender=expected.atoms.sender + 100)
    overwrite(tmp_path, graph_to_bytes(replace(expected, atoms=beyond), key))
    assert_same(duals.graph(rutile), expected)
    overwrite(tmp_path, graph_to_bytes(expected.motifs, key))
    assert_same(duals.graph(rutile), expected)
    assert "atoms.sender" in caplog.text


def test_a_huge_entry_is_not_read(duals, rutile, monkeypatch, caplog):
    expected = duals.graph(rutile)
    monkeypatch.setattr(store, "LARGEST_ENTRY", 10)
    assert_same(duals.graph(rutile), expected)
    assert "is larger than 10 bytes" in caplog.text


def test_many_bad_entries_are_one_warning(tmp_path, duals, crystals, caplog):
    expected = list(duals.graphs(crystals))
    overwrite(tmp_path, b"")
    graphs = duals.graphs(crystals)
    assert graphs.sizes.tolist() == sizes_of(expected).tolist()
    overwrite(tmp_path, b"")
    for crystal, graph in zip(crystals, expected, strict=True):
        assert_same(duals.graph(crystal), graph)
    (record,) = caplog.records
    assert f"{len(crystals)} of the graphs in" in record.getMessage()


def test_the_entry_of_another_structure_is_not_taken(tmp_path, duals, rutile, perovskite, caplog):
    duals.graph(rutile)
    (foreign,) = entries_of(tmp_path).values()
    expected = duals.graph(perovskite)
    overwrite(tmp_path, foreign)
    assert_same(duals.graph(perovskite), expected)
    assert "is damaged" in caplog.text


def test_graphs_made_before_an_error_are_kept(tmp_path, duals, crystals):
    disordered = Structure(Lattice.cubic(4), [{"Mg": 0.5, "Ca": 0.5}], [[0, 0, 0]])
    with pytest.raises(StructureError, match="structure 3"):
        duals.graphs([*crystals[:3], disordered], n_jobs=2)
    assert set(entries_of(tmp_path)) == {duals.key(crystal) for crystal in crystals[:3]}


def test_structures_that_cannot_be_used(tmp_path, duals, crystals):
    disordered = Structure(Lattice.cubic(4), [{"Mg": 0.5, "Ca": 0.5}], [[0, 0, 0]])
    duals.graph(crystals[1])
    with pytest.raises(StructureError, match=r"structure 2 \(Ca0\.5 Mg0\.5\) failed"):
        duals.graphs([*crystals[:2], disordered])
    with pytest.raises(StructureError, match="is a str, not a pymatgen Structure"):
        duals.graph("MgO")


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        GraphCache(tmp_path / "file", dual_graphs, DualGraph, converter=DualGraphConverter(**DEFAULTS))


def test_many_writers_and_readers_at_once(tmp_path, crystals):
    """Four threads of two processes each make and read the same graphs."""

    def work(folder: Path) -> list[int]:
        shared = GraphCache(folder, dual_graphs, DualGraph, converter=DualGraphConverter(**DEFAULTS))
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(shared.graph, crystals[::2] * 8))
        return [len(graph.atoms.sender) for graph in found]

    expected = [len(DualGraphConverter().convert(crystal).atoms.sender) for crystal in crystals[::2]] * 8
    assert Parallel(n_jobs=2)(delayed(work)(tmp_path) for _ in range(2)) == [expected] * 2
    assert len(entries_of(tmp_path)) == len(crystals[::2])


class TestCachedGraphs:
    @pytest.mark.parametrize("n_jobs", [None, 2])
    def test_are_made_once(self, duals, crystals, n_jobs, request):
        duals.graph(crystals[2])
        duals.graphs(crystals, n_jobs)
        request.getfixturevalue("unmade")
        graphs = duals.graphs(crystals)
        assert len(graphs) == len(crystals)
        for graph, crystal in zip(graphs, crystals, strict=True):
            assert_same(graph, DualGraphConverter().convert(crystal))

    @pytest.mark.parametrize("n_held", [0, 2])
    def test_are_held_up_to_a_limit(self, duals, crystals, n_held, monkeypatch):
        def size(graph):
            return sum(array.nbytes for level in graph.levels for array in level)

        limit = sum(size(graph) for graph in duals.graphs(crystals[:n_held]))
        monkeypatch.setattr(cache, "HELD_BYTES", limit)
        graphs = duals.graphs(crystals)
        alive = [weakref.ref(graph.atoms.sender) for graph in graphs]
        assert [ref() is not None for ref in alive[:-1]] == [i < n_held for i in range(len(crystals) - 1)]
        assert_same(graphs[0], DualGraphConverter().convert(crystals[0]))

    def test_what_is_held_is_not_sent_to_other_processes(self, duals, crystals):
        graphs = duals.graphs(crystals)
        size = len(pickle.dumps(graphs))
        assert_same(graphs[0], DualGraphConverter().convert(crystals[0]))
        assert len(pickle.dumps(graphs)) == size
        assert_same(pickle.loads(pickle.dumps(graphs))[0], graphs[0])

    def test_sizes(self, duals, crystals):
        expected = sizes_of([DualGraphConverter().convert(crystal) for crystal in crystals])
        graphs = duals.graphs(crystals)
        np.testing.assert_array_equal(graphs.sizes, expected)
        np.testing.assert_array_equal(graphs[1:4].sizes, expected[1:4])
        assert duals.graphs([]).sizes.shape == (0, 6)

    def test_a_lost_entry_is_made_anew(self, tmp_path, duals, crystals):
        graphs = duals.graphs(crystals)
        with closing(sqlite3.connect(tmp_path / "graphs.sqlite", isolation_level=None)) as connection:
            connection.execute("DELETE FROM graph")
        assert_same(graphs[3], DualGraphConverter().convert(crystals[3]))

    def test_indices(self, duals, crystals):
        graphs = duals.graphs(crystals)
        assert_same(graphs[np.int64(-1)], DualGraphConverter().convert(crystals[-1]))
        with pytest.raises(IndexError):
            graphs[len(crystals)]


@pytest.mark.parametrize("lazy", [True, False])
def test_a_subset_of_a_subset(duals, crystals, lazy):
    graphs = (
        duals.graphs(crystals) if lazy else [DualGraphConverter().convert(crystal) for crystal in crystals]
    )
    subset = GraphSubset(graphs, np.array([4, 0, 2, 2]))
    assert len(subset) == 4
    for graph, i in zip(subset, [4, 0, 2, 2], strict=True):
        assert_same(graph, graphs[i])
    assert_same(subset[1:][::-1][2], graphs[0])
    np.testing.assert_array_equal(subset.sizes, sizes_of([graphs[i] for i in [4, 0, 2, 2]]))


def test_training_with_a_cache_is_training_without(tmp_path, crystals, request):
    y = np.arange(float(len(crystals)))
    settings = {"epochs": 2, "batch_size": 2, "width": 8, "n_blocks": 1, "random_state": 0}
    plain = AMDNetRegressor(**settings, validation_fraction=0.3).fit(crystals, y)
    cached = AMDNetRegressor(**settings, validation_fraction=0.3, cache_dir=tmp_path / "new").fit(crystals, y)
    assert cached.history_ == plain.history_
    assert len(entries_of(tmp_path / "new")) == len(crystals)
    request.getfixturevalue("unmade")
    np.testing.assert_array_equal(cached.predict(crystals), plain.predict(crystals))


def test_a_saved_model_does_not_know_the_folder(tmp_path, crystals):
    model = AMDNetRegressor(epochs=1, batch_size=2, width=8, n_blocks=1, cache_dir=tmp_path)
    model.fit(crystals[:3], [1.0, 2.0, 3.0]).save(tmp_path / "model.amdnet")
    assert AMDNetRegressor.load(tmp_path / "model.amdnet").cache_dir is None


def test_featurizer_with_a_cache(tmp_path, crystals, request):
    plain, cached = MotifFeaturizer(n_components=2), MotifFeaturizer(n_components=2, cache_dir=tmp_path)
    for featurizer in (plain, cached):
        featurizer.set_n_jobs(1)
    expected = plain.fit_transform(crystals)
    np.testing.assert_array_equal(cached.fit_transform(crystals), expected)
    assert len(entries_of(tmp_path)) == len(crystals)
    request.getfixturevalue("unmade")
    np.testing.assert_array_equal(cached.transform(crystals), expected)
    assert cached.featurize(crystals[0]) == expected[0].tolist()
