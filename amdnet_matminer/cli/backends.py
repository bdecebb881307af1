"""Where the processes of a command run: on this computer, or on those of a Dask or Ray cluster."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import joblib

from amdnet_matminer.errors import MissingDependencyError


def add_backend(parser: argparse.ArgumentParser) -> None:
    """The options that say which cluster does the work.

    Args:
        parser: Of a command with ``add_common``.
    """
    parser.add_argument(
        "--backend",
        choices=_CLUSTERS,
        help="read crystals and make graphs on all workers of a cluster, which have this package and see the "
        "same files, or on --n_jobs of them (default: on this computer, in --n_jobs processes)",
    )
    parser.add_argument(
        "--scheduler",
        metavar="HOST:PORT",
        help="of the cluster (default: one of --n_jobs processes, or of as many as there are processors, is "
        "started on this computer)",
    )
    # So that an explicit 1 can be told from none: joblib gives work in one process to no worker.
    parser.set_defaults(n_jobs=None)


def count_of_jobs(arguments: argparse.Namespace) -> int:
    """In how many processes to work, as joblib counts them.

    Args:
        arguments: Of a command with ``add_backend``.

    Returns:
        What the user gave; else 1, or -1, all workers, on a cluster.
    """
    if arguments.n_jobs is not None:
        return arguments.n_jobs
    return 1 if arguments.backend is None else -1


@contextmanager
def backend(arguments: argparse.Namespace) -> Iterator[None]:
    """Run what joblib spreads where the options say, and leave the cluster at the end.

    Args:
        arguments: Of a command with ``add_backend``.

    Raises:
        MissingDependencyError: Dask or Ray is not installed.
        OSError: There is no scheduler at the address.
    """
    if arguments.backend is None:
        if arguments.scheduler is not None:
            arguments.parser.error("--scheduler needs --backend")
        yield
        return
    n_jobs = count_of_jobs(arguments)
    n_workers = joblib.cpu_count() if n_jobs < 0 else n_jobs
    with (
        _CLUSTERS[arguments.backend](arguments.scheduler, n_workers),
        joblib.parallel_config(arguments.backend),
    ):
        yield


@contextmanager
def _dask(scheduler: str | None, n_workers: int) -> Iterator[None]:
    try:
        from distributed import Client
    except ImportError as error:
        raise _missing("distributed") from error
    # One thread each: what is spread computes, and holds Python's lock.
    local = {} if scheduler else {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": None}
    with Client(scheduler, **local):
        yield


@contextmanager
def _ray(scheduler: str | None, n_workers: int) -> Iterator[None]:
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise _missing("ray") from error
    where = {"address": scheduler} if scheduler else {"num_cpus": n_workers, "include_dashboard": False}
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **where)
    except ConnectionError as error:
        raise OSError(f"there is no Ray cluster at {scheduler}: {error}") from error
    try:
        register_ray()
        yield
    finally:
        ray.shutdown()


def _missing(package: str) -> MissingDependencyError:
    return MissingDependencyError(f"this backend needs {package}", f"install it with pip install '{package}'")


_CLUSTERS: dict[str, Callable[[str | None, int], AbstractContextManager[None]]] = {"dask": _dask, "ray": _ray}
