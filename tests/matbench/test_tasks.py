"""Official folds, restricted to the rows that are there."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from matminer.utils.io import store_dataframe_as_json
from pymatgen.core import Structure

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.matbench.tasks import load_task

TASK = "matbench_dielectric"
N_OFFICIAL = 4764


@pytest.fixture
def partial(tmp_path: Path, rutile: Structure, rock_salt: Structure) -> Callable[[list[int]], list[str]]:
    """Write a file of matbench_dielectric with some rows, whose targets are their numbers."""

    def write(rows: list[int]) -> list[str]:
        crystals = [(rutile, rock_salt)[row % 2] for row in rows]
        table = pd.DataFrame({"structure": crystals, "n": [float(row) for row in rows]}, index=rows)
        store_dataframe_as_json(table, str(tmp_path / f"{TASK}.json.gz"), compression="gz", pbar=False)
        return ["--data-dir", str(tmp_path), "--task", TASK]

    return write


def row_of(name: str) -> int:
    """MatBench numbers rows from 1."""
    return int(name.rpartition("-")[2]) - 1


def test_rows_that_are_not_there_are_left_out_of_the_official_folds(
    partial: Callable, options_of: Callable
) -> None:
    from matbench.metadata import mbv01_validation

    rows = sorted({*range(0, N_OFFICIAL, 91), 4763})
    task, origin = load_task(TASK, options_of(*partial(rows)))
    assert (origin.rows, origin.of, origin.is_complete, origin.official) == (
        len(rows),
        N_OFFICIAL,
        False,
        False,
    )
    assert origin.rows_in_words() == "official folds, 54 of 4,764 rows"
    tested = []
    for number, (fold, official) in enumerate(mbv01_validation.splits[TASK].items()):
        structures, targets = task.get_train_and_val_data(number)
        tests, true = task.get_test_data(number, as_type="tuple", include_target=True)
        assert set(tests.index) < set(official.test), fold
        assert set(structures.index) < set(official.train)
        assert len(tests) + len(structures) == len(rows)
        for name, value in pd.concat([targets, true]).items():
            assert row_of(name) == value
        tested += list(true)
    assert sorted(tested) == rows


def test_a_part_of_the_rows_evenly(partial: Callable, options_of: Callable) -> None:
    task, origin = load_task(TASK, options_of(*partial(list(range(300))), "--rows", "0.1"))
    assert (origin.rows, origin.asked) == (30, 0.1)
    rows = sorted(map(row_of, task.df.index))
    assert (rows[0], rows[-1]) == (0, 299)
    assert {b - a for a, b in pairwise(rows)} <= {10, 11}


def test_too_few_rows_for_the_folds(partial: Callable, options_of: Callable) -> None:
    with pytest.raises(DatasetError, match=r"matbench_dielectric has no row of fold_\d's test part"):
        load_task(TASK, options_of(*partial([0, 1, 2])))


def test_the_official_file_is_told_by_its_hash(shared_data: Path, options_of: Callable) -> None:
    options = options_of("--data-dir", str(shared_data / "matbench"))
    task, origin = load_task("matbench_phonons", options)
    assert origin.official
    assert origin.is_complete
    assert str(origin) == "official folds, all 1,265 rows; matbench_phonons.json.gz is the official file"
    assert len(task.df) == 1265
