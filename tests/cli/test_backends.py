"""The commands on the workers of a Dask and of a Ray cluster of two processes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import joblib
import pandas as pd
import pytest
from joblib.parallel import BACKENDS, ThreadingBackend

from amdnet_matminer.cli import backends


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


class Recording(ThreadingBackend):
    """In place of that of a cluster of three workers, with all that was asked for."""

    asked: ClassVar[list[int]] = []

    def effective_n_jobs(self, n_jobs: int) -> int:
        self.asked.append(n_jobs)
        return 3 if n_jobs < 0 else n_jobs


@pytest.mark.parametrize("command", ["featurize", "predict"])
@pytest.mark.parametrize(
    ("words", "n_workers", "n_jobs"), [([], joblib.cpu_count(), {-1}), (["--n_jobs", 2], 2, {2})]
)
def test_all_workers_unless_fewer_are_asked_for(
    run: Callable,
    folder: Path,
    model_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    words: list[object],
    n_workers: int,
    n_jobs: set[int],
) -> None:
    started: list[int] = []

    @contextmanager
    def cluster(scheduler: str | None, n_workers: int) -> Iterator[None]:
        started.append(n_workers)
        yield

    monkeypatch.setitem(backends._CLUSTERS, "ray", cluster)
    monkeypatch.setitem(BACKENDS, "ray", Recording)
    monkeypatch.setattr(Recording, "asked", [])
    model = ["--load_name", model_file] if command == "predict" else []
    assert run(command, folder, *model, "--backend", "ray", *words, "--quiet")[0] == 0
    assert started == [n_workers]
    assert set(Recording.asked) == n_jobs


def test_processes_that_are_asked_for() -> None:
    def count(backend: str | None, n_jobs: int | None) -> int:
        return backends.count_of_jobs(argparse.Namespace(backend=backend, n_jobs=n_jobs))

    assert [count(None, None), count("dask", None), count("ray", None)] == [1, -1, -1]
    assert [count(backend, n_jobs) for backend in (None, "ray") for n_jobs in (1, 3, -1)] == [1, 3, -1] * 2


def test_a_scheduler_without_a_backend(run: Callable, mixed: Path) -> None:
    code, output, error = run("featurize", mixed, "--scheduler", "host:1")
    assert (code, output) == (2, "")
    assert "--scheduler needs --backend" in error
