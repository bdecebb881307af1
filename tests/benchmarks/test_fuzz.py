"""A small slice of what ``benchmarks/fuzz.py`` throws at the readers."""

from __future__ import annotations

import importlib
import logging
import random
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and kills processes as on Linux")

CASES = {
    "model_bytes": 200,
    "models": 12,
    "motif_vectors": 40,
    "cached_graphs": 12,
    "pickle_bytes": 50,
    "pickles": 30,
    "structure_texts": 15,
    "structure_trees": 20,
    "structures": 40,
    "command_line": 2,
    "read_only_folder": 1,
    "killed": 6,
    "full_disk": 6,
}


@pytest.fixture(scope="module")
def fuzz(benchmarks: Path) -> ModuleType:
    return importlib.import_module("fuzz")


def test_every_part_is_tried(fuzz: ModuleType) -> None:
    assert CASES.keys() == fuzz.PARTS.keys()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_malformed_input_gives_what_is_right_or_an_error_of_this_package(
    fuzz: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("amdnet_matminer"), "disabled", True)
    found = fuzz.run_part(fuzz.PARTS[name], CASES[name], seed=1)
    assert found["wrong"] == []
    assert sum(found["outcomes"].values()) == CASES[name]
    assert found["slowest_s"] < fuzz.HANG


def test_other_exceptions_and_hangs_are_found(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "HANG", 1)
    findings = fuzz.Findings()
    findings.run("right", lambda: "fine", ())
    findings.run("refused", lambda: int("x"), (ValueError,))
    findings.run("crash", lambda: str(1 / 0), (ValueError,))
    findings.run("hang", lambda: str([None for _ in iter(int, 1)]), (ValueError,))
    assert findings.outcomes == {"fine": 1, "ValueError": 1, "wrong": 2}
    assert "ZeroDivisionError" in findings.wrong[0]
    assert "hangs for more than 1 s" in findings.wrong[1]


def test_imports_and_numbers_that_are_none_are_found(benchmarks: Path, tmp_path: Path) -> None:
    readers = importlib.import_module("fuzz_readers")
    with pytest.raises(AssertionError, match="was imported"), readers._trap(tmp_path):
        importlib.import_module(readers.TRAP)
    with pytest.raises(AssertionError, match="not finite"):
        readers._finite([1.0, np.nan], "predicts")


def test_what_is_mutated_differs(benchmarks: Path) -> None:
    cases = importlib.import_module("fuzz_cases")
    array, tree = np.arange(6, dtype=np.int32), {"a": [1, {"b": 2}]}
    arrays = [cases.mutated_array(array, random.Random(seed)) for seed in range(40)]
    assert len({(a.dtype.str, a.shape, a.tobytes()) for a in arrays}) > 20
    assert array.tolist() == [0, 1, 2, 3, 4, 5]
    trees = [
        cases.planted(cases.mutated_tree(tree, random.Random(seed)), "here", random.Random(seed))
        for seed in range(40)
    ]
    assert all("here" in str(changed) for changed in trees if isinstance(changed, dict) and changed)
    assert tree == {"a": [1, {"b": 2}]}
