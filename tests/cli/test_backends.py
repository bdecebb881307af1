"""The commands on the workers of a Dask and of a Ray cluster of two processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def mixed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crystals, and one that fails, in the middle."""
    there = tmp_path_factory.mktemp("mixed")
    for file in folder.glob("*.cif"):
        (there / file.name).write_bytes(file.read_bytes())
    (there / "perovskite-broken.cif").write_text("data_broken\n_cell_length_a 4\n")
    return there


@pytest.fixture(params=["dask", "ray"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    pytest.importorskip({"dask": "distributed", "ray": "ray"}[request.param], reason="it is not installed")
    # Workers import the package from where this process does.
    monkeypatch.setenv(
        "PYTHONPATH", str(Path(__file__).parents[2]) + os.pathsep + os.environ.get("PYTHONPATH", "")
    )
    return request.param


def test_the_same_predictions(
    run: Callable, mixed: Path, model_file: Path, tmp_path: Path, backend: str
) -> None:
    words = ["predict", mixed, "--load_name", model_file, "--quiet", "--output"]
    code, *_ = run(*words, tmp_path / "here.csv")
    assert code == 3
    code, *_ = run(*words, tmp_path / "there.csv", "--n_jobs", 2, "--backend", backend)
    assert code == 3
    here, there = (pd.read_csv(tmp_path / name, index_col="id") for name in ("here.csv", "there.csv"))
    assert there.index.tolist() == here.index.tolist()
    assert there.error.dropna().to_dict() == here.error.dropna().to_dict()
    assert list(there.error.dropna().index) == ["perovskite-broken"]
    assert there.prediction.to_numpy() == pytest.approx(here.prediction.to_numpy(), rel=1e-5, nan_ok=True)


def test_features_by_a_scheduler_that_runs(run: Callable, mixed: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="it is not installed")
    words = ["featurize", mixed, "--quiet", "--output"]
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None, processes=True) as cluster:
        where = ["--backend", "dask", "--scheduler", cluster.scheduler_address]
        assert run(*words, tmp_path / "there.csv", *where)[0] == 3
    assert run(*words, tmp_path / "here.csv")[0] == 3
    assert (tmp_path / "there.csv").read_text() == (tmp_path / "here.csv").read_text()


def test_a_scheduler_without_a_backend(run: Callable, mixed: Path) -> None:
    code, output, error = run("featurize", mixed, "--scheduler", "host:1")
    assert (code, output) == (2, "")
    assert "--scheduler needs --backend" in error
