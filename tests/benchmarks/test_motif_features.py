"""The measures of the motif benchmark, on data with known answers."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from matminer.featurizers.structure import DensityFeatures

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    spec = importlib.util.spec_from_file_location("motif_features", ROOT / "benchmarks" / "motif_features.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_purity_of_two_clusters_against_shuffled_labels(benchmark):
    rng = np.random.default_rng(0)
    label = np.repeat(["a", "b"], 60)
    vectors = rng.normal(size=(120, 3)) * 0.1 + np.where(label == "a", 5, -5)[:, None]
    nearest, cluster = benchmark.neighbors(vectors), (vectors[:, 0] > 0).astype(int)
    for measure, found in ((benchmark.neighbor_purity, nearest), (benchmark.cluster_purity, cluster)):
        purity = benchmark.against_shuffled(measure, found, label)
        assert purity["found"] == 1
        assert purity["shuffled"] < 0.75
    apart = benchmark.against_shuffled(benchmark.neighbor_purity, nearest, label, "a")
    assert apart["shuffled"] == pytest.approx(0.5, abs=0.1)


def test_kept_features_are_computed_once(benchmark, tmp_path, rutile, rock_salt, monkeypatch):
    options = argparse.Namespace(cache=tmp_path)
    first = benchmark.kept("density", DensityFeatures(), [rutile], pd.Series(["r"]), options)
    monkeypatch.setattr(
        DensityFeatures,
        "featurize",
        lambda self, structure: pytest.fail("computed twice") if structure is rutile else [7] * 3,
    )
    both = benchmark.kept("density", DensityFeatures(), [rock_salt, rutile], pd.Series(["m", "r"]), options)
    assert both.tolist() == [[7, 7, 7], first[0].tolist()]


def test_score_is_the_error_on_what_was_held_out(benchmark):
    from sklearn.dummy import DummyRegressor

    y = np.array([1.0, 3.0, 7.0])
    assert benchmark.score(DummyRegressor(), np.zeros((3, 1)), y, np.array([True, True, False])) == 5
