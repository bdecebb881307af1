"""The benchmark of screening: the files that all programs are given hold the crystals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import screening
from pymatgen.core import Structure

from amdnet_matminer.datasets import read_structures


@pytest.mark.parametrize("write", [screening._write_json, screening._write_cifs])
def test_files_hold_the_crystals_in_order(write, crystals: list[Structure], tmp_path: Path) -> None:
    read = read_structures(write(tmp_path, crystals))
    assert read.index.tolist() == [f"crystal-{i:06d}" for i in range(len(crystals))]
    for ours, written in zip(crystals, read, strict=True):
        assert ours.composition == written.composition
        np.testing.assert_allclose(ours.volume, written.volume, rtol=1e-6)
