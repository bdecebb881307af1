"""Motif graphs of many crystals, in one process, several, and on a Dask cluster."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from pymatgen.core import Lattice, Structure

from amdnet_matminer import motif_graph, motif_graphs
from amdnet_matminer.errors import StructureError
from amdnet_matminer.motifs import MotifGraph


@pytest.fixture(scope="module")
def expected(crystals) -> list[MotifGraph]:
    return [motif_graph(crystal) for crystal in crystals]


@pytest.fixture(scope="module")
def with_bad_ones(crystals) -> list:
    """The crystals with a disordered one, one with atoms at one place, and no crystal at all."""
    disordered = Structure(Lattice.cubic(4), [{"Mg": 0.5, "Ca": 0.5}], [[0, 0, 0]])
    overlapping = Structure(Lattice.cubic(4), ["O", "O"], [[0, 0, 0], [0, 0, 0.001]])
    return [disordered, *crystals, overlapping, "MgO"]


def assert_same(found, expected) -> None:
    for graph, other in zip(found, expected, strict=True):
        for field, same in zip(graph, other, strict=True):
            np.testing.assert_array_equal(field, same)


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("container", [list, iter, pd.Series])
def test_graphs_come_in_order(crystals, expected, n_jobs, container):
    assert_same(motif_graphs(container(crystals), n_jobs=n_jobs), expected)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_bad_crystals_do_not_stop_the_rest(with_bad_ones, expected, n_jobs):
    disordered, *graphs, overlapping, word = motif_graphs(with_bad_ones, n_jobs=n_jobs, on_error="return")
    assert_same(graphs, expected)
    failures = {0: disordered, 8: overlapping, 9: word}
    reasons = {0: "site 0 is disordered", 8: "sites 0 and 1 are at one place", 9: "is the text"}
    for index, failure in failures.items():
        assert isinstance(failure, StructureError)
        assert failure.index == index
        assert reasons[index] in str(failure)


def test_a_bad_crystal_is_raised(with_bad_ones):
    graphs = motif_graphs(with_bad_ones[1:])
    with pytest.raises(StructureError, match=r"structure 7, sites 0 and 1 are at one place"):
        list(graphs)


def test_the_engine_is_used(perovskite):
    (graph,) = motif_graphs([perovskite], engine="reference")
    np.testing.assert_array_equal(graph.fingerprint, motif_graph(perovskite, "reference").fingerprint)
    assert not np.array_equal(graph.fingerprint, motif_graph(perovskite).fingerprint)


@pytest.mark.parametrize("wrong", [{"engine": "guess"}, {"on_error": "ignore"}])
def test_wrong_choices_are_named_at_once(crystals, wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must be one of"):
        motif_graphs(crystals, **wrong)


def test_real_crystals_in_two_processes(load_crystals):
    structures, _ = load_crystals("mp2018", limit=60, seed=7)
    assert_same(motif_graphs(structures, n_jobs=2), map(motif_graph, structures))


def test_on_a_dask_cluster(with_bad_ones, expected):
    distributed = pytest.importorskip("distributed", reason="needs Dask: pip install dask[distributed]")

    def modules() -> set[str]:
        import sys

        return set(sys.modules)

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        with parallel_config("dask", n_jobs=2):
            _, *graphs, _, failure = motif_graphs(with_bad_ones * 5, on_error="return")
        workers = client.run(modules)
    rows = [row for row in range(len(with_bad_ones) * 5) if 0 < row % 10 < 8]
    assert_same([graphs[row - 1] for row in rows], expected * 5)
    assert "structure 49 is the text 'MgO'" in str(failure)
    assert len(workers) == 2
    for loaded in workers.values():
        assert "amdnet_matminer.motifs" in loaded
        assert not loaded & {"jax", "keras", "tensorflow", "torch"}
