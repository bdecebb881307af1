"""A small slice of what ``benchmarks/fuzz.py`` throws at the readers."""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and kills processes as on Linux")


@pytest.fixture(scope="module")
def fuzz(benchmarks: Path) -> ModuleType:
    return importlib.import_module("fuzz")


@pytest.mark.parametrize(
    ("part", "n"), [("model_files", 40), ("pickles", 10), ("structure_files", 5), ("structures", 10)]
)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_malformed_input_is_answered_with_an_error_of_this_package(
    fuzz: ModuleType, part: str, n: int, seed: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = fuzz.PARTS[part][0](n, seed, Path(folder))
    assert found["wrong"] == []
    assert found["cases"] >= n
    assert found["slowest_s"] < fuzz.HANG


@pytest.mark.parametrize("part", ["model_descriptions", "command_line", "killed", "full_disk"])
def test_nothing_is_lost_and_no_traceback_is_shown(fuzz: ModuleType, part: str, tmp_path: Path) -> None:
    found = fuzz.PARTS[part][0](2, 1, tmp_path)
    assert found["wrong"] == []
    assert found["cases"] >= 2


def test_other_exceptions_and_hangs_are_found(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "HANG", 1)
    findings = fuzz.Findings()
    findings.run("right", lambda: "fine", ())
    findings.run("refused", lambda: int("x"), (ValueError,))
    findings.run("crash", lambda: str(1 / 0), (ValueError,))
    findings.run("hang", lambda: str([None for _ in iter(int, 1)]), (ValueError,))
    told = findings.told()
    assert told["outcomes"] == {"fine": 1, "ValueError": 1, "wrong": 2}
    assert "ZeroDivisionError" in told["wrong"][0]
    assert "hangs for more than 1 s" in told["wrong"][1]
