"""Work on many structures: order, failures, memory, and what workers load."""

from __future__ import annotations

import sys
import weakref
from functools import partial

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor
from pymatgen.core import Lattice, Structure

from amdnet_matminer import parallel
from amdnet_matminer.errors import StructureError
from amdnet_matminer.graphs import DualGraphConverter
from amdnet_matminer.parallel import (
    CHUNK,
    CHUNK_SITES,
    attempt,
    chunked,
    each,
    map_structures,
    try_structures,
)


@pytest.fixture(scope="module")
def cells() -> list[Structure]:
    """Cells of one atom, told apart by their volume."""
    return [Structure(Lattice.cubic(2 + i / 10), ["Po"], [[0, 0, 0]]) for i in range(100)]


def volumes_below(limit: float):
    """Work that fails on larger cells; made here so that workers get it by value."""

    def volumes(structures: list[Structure]) -> list[float]:
        if max(structure.volume for structure in structures) > limit:
            raise RuntimeError("too large")
        return [structure.volume for structure in structures]

    return volumes


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_order_is_kept(cells, n_jobs):
    found = map_structures(volumes_below(1e6), iter(cells), n_jobs)
    np.testing.assert_array_equal(list(found), [cell.volume for cell in cells])


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_failures_stay_in_their_place(cells, n_jobs):
    mixed = [cells[99], *cells[:40], cells[98]]
    found = list(try_structures(volumes_below(1000), mixed, n_jobs))
    assert found[1:-1] == [cell.volume for cell in cells[:40]]
    assert all(isinstance(failure, StructureError) for failure in (found[0], found[-1]))
    assert str(found[-1]).startswith("structure 41 (Po1) failed: RuntimeError: too large; remove it")


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_the_first_failure_of_several_is_raised(cells, n_jobs):
    found = map_structures(volumes_below(500), cells, n_jobs)
    with pytest.raises(StructureError, match=r"structure 60 \(Po1\) failed: RuntimeError: too large"):
        list(found)


def test_the_cause_is_kept(cells):
    with pytest.raises(StructureError) as caught:
        list(map_structures(volumes_below(0), cells))
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_errors_that_no_process_can_send(cells):
    def fail(structures: list[Structure]) -> None:
        raise RuntimeError("of this process only", (i for i in range(3)))

    (failure,) = try_structures(fail, cells[:1], n_jobs=2)
    assert "RuntimeError: ('of this process only', <generator" in str(failure)


def test_a_full_disk_is_no_structures_fault(cells):
    def write(structures: list[Structure]) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        list(try_structures(write, cells))


def test_errors_name_the_given_indices(cells):
    found = map_structures(volumes_below(0), cells[:2], indices=[7, 9])
    with pytest.raises(StructureError, match=r"structure 7 "):
        next(found)


def test_chunks_are_small_in_number_and_in_sites(cells):
    numbered = list(enumerate(cells))
    assert [len(chunk) for chunk in chunked(numbered)] == [32, 32, 32, 4]
    assert [len(chunk) for chunk in chunked(numbered[:7], most=3)] == [3, 3, 1]
    large = cells[0] * (CHUNK_SITES // 2, 1, 1)
    assert [len(chunk) for chunk in chunked(enumerate([large] * 5))] == [2, 2, 1]


def test_a_failure_costs_few_calls(cells):
    """Sound structures beside one that fails are worked on in halves, not one by one."""
    calls = []

    def work(structures: list[Structure]) -> list[float]:
        calls.append(len(structures))
        return volumes_below(cells[40].volume)(structures)

    numbered = [*enumerate(cells[:31]), (31, cells[50])]
    found = attempt(work, numbered)
    assert found[:31] == [cell.volume for cell in cells[:31]]
    assert str(found[31]).startswith("structure 31 ")
    assert calls == [32, 16, 16, 8, 8, 4, 4, 2, 2, 1, 1]


def test_work_that_loses_a_structure_is_an_error(cells):
    def loses(structures: list[Structure]) -> list[float]:
        return [structure.volume for structure in structures if structure.volume < cells[5].volume]

    found = list(try_structures(loses, cells[:8]))
    assert found[:5] == [cell.volume for cell in cells[:5]]
    assert [str(failure).split(";")[0] for failure in found[5:]] == [
        f"structure {i} (Po1) failed: RuntimeError: 0 results for 1 structures" for i in (5, 6, 7)
    ]


def test_no_structures():
    assert list(map_structures(list, [], n_jobs=2)) == []


def test_memory_does_not_grow_with_the_number_of_structures(cells, monkeypatch):
    """Structures are taken, and results held, a window at a time."""
    monkeypatch.setattr(parallel, "WINDOW_SECONDS", 0.0)
    alive: weakref.WeakSet = weakref.WeakSet()
    n_taken = n_read = most_alive = most_ahead = 0

    def take():
        nonlocal n_taken
        for _ in range(20):
            for cell in cells:
                n_taken += 1
                yield cell

    class Result:
        def __init__(self, structure: Structure) -> None:
            pass

    for result in map_structures(partial(each, Result), take()):
        n_read += 1
        alive.add(result)
        most_alive = max(most_alive, len(alive))
        most_ahead = max(most_ahead, n_taken - n_read)
    assert n_read == 2000
    assert most_alive <= 2 * CHUNK + 1
    assert most_ahead <= CHUNK


def test_windows_grow_to_take_seconds(cells, monkeypatch):
    """No more than two workers can idle at the end of a window, so few windows are better."""
    monkeypatch.setattr(parallel, "WINDOW_SECONDS", 1e3)
    taken: list[int] = []
    monkeypatch.setattr(parallel, "perf_counter", lambda: taken.append(1) or 0.0)
    list(map_structures(lambda some: [0] * len(some), cells))
    assert len(taken) == 2 * 3  # 32, 64 and 4


@pytest.mark.parametrize("verbose", [False, True])
def test_progress_bar(cells, verbose, capsys):
    list(map_structures(lambda some: [0] * len(some), cells, description="cells", verbose=verbose))
    assert ("cells: 100%" in capsys.readouterr().err) == verbose


def test_workers_import_no_deep_learning(perovskite):
    def modules(structures: list[Structure]) -> list[set[str]]:
        DualGraphConverter().convert_few(structures)
        return [set(sys.modules)]

    get_reusable_executor().shutdown(wait=True)  # the workers of other tests may have loaded anything
    (loaded,) = map_structures(modules, [perovskite], n_jobs=2)
    assert "amdnet_matminer.graphs" in loaded
    assert not loaded & {"jax", "keras", "tensorflow", "torch"}
