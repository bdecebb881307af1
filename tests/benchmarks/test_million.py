"""The benchmark of very many crystals: they differ, and what watches processes sees them."""

from __future__ import annotations

import sys

import million
import pytest
from pymatgen.core import Structure


def test_varied_crystals_differ_and_keep_their_symmetry(crystals: list[Structure]) -> None:
    originals = [structure.copy() for structure in crystals]
    varied = list(million.varied(crystals, 3 * len(crystals)))
    assert crystals == originals
    for number, structure in enumerate(varied):
        one = crystals[number % len(crystals)]
        assert structure.get_space_group_info()[1] == one.get_space_group_info()[1]
        assert structure.volume == pytest.approx(one.volume, rel=million.MOST_VOLUME_CHANGE)
    assert len({round(structure.volume, 9) for structure in varied}) == len(varied)


def test_time_and_memory_of_all_processes_count() -> None:
    child = "x = bytearray(300 * 2**20); import time; t = time.time()\nwhile time.time() - t < 3: pass"
    took = million.measured(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"]
    )
    assert took["largest memory (MB)"] > 300
    assert took["processors (s)"] > 0.3
    assert took["wall (s)"] > 3


def test_a_command_that_fails_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="failed"):
        million.measured([sys.executable, "-c", "raise SystemExit(1)"])
