"""``amdnet featurize``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from amdnet_matminer import MotifFeaturizer
from amdnet_matminer.datasets import read_structures


def test_same_as_the_featurizer(run: Callable, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "features.csv"
    assert run("featurize", folder, "--output", file, "--quiet") == (0, "", "")
    written = pd.read_csv(file, index_col="id")
    structures = read_structures(folder)
    featurizer = MotifFeaturizer()
    featurizer.set_n_jobs(1)
    assert written.to_numpy() == pytest.approx(featurizer.fit_transform(structures), abs=1e-9)
    assert list(written) == featurizer.feature_labels()
    assert written.index.tolist() == structures.index.tolist()


def test_comes_without_tensorflow(run_apart: Callable, folder: Path) -> None:
    loaded = "print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    done = run_apart("featurize", folder / "rock-salt-MgO.cif", then=loaded)
    assert "\nrock-salt-MgO," in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
