"""Runs folds: of networks each in a process of its own, so that what was trained before changes nothing.

A network that has learned one fold leaves compiled functions behind, and the next fold would be rounded
otherwise than alone. So a fold has the same result after others, beside others and on another machine.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple

from pymatgen.core import Structure
from tqdm.auto import tqdm

from amdnet_matminer.errors import AMDNetError
from amdnet_matminer.matbench.device import choose_device
from amdnet_matminer.matbench.folds import Job, read_fold, run_fold, summary_line
from amdnet_matminer.matbench.models import MODELS, Machine, settings_of
from amdnet_matminer.matbench.options import Options
from amdnet_matminer.matbench.tasks import check_files, load_task, n_official_rows


def run_all(options: Options) -> None:
    """Train all folds that were asked for and are not there.

    Args:
        options: What was asked for.

    Raises:
        AMDNetError: A fold could not be trained, or is there with other settings, or a task's file is not.
        MissingDependencyError: matbench is not installed.
    """
    jobs = [
        Job(model, task, fold) for task in options.task for model in options.model for fold in options.fold
    ]
    left = [job for job in jobs if not _is_there(job, options)]
    if left:
        check_files(options)
    work = {job: work_of(job, options) for job in left}
    failed: list[Job] = []
    with tqdm(total=sum(work.values()), unit="crystal", unit_scale=True, disable=options.quiet) as bar:
        for task in options.task:
            for outcome in _run_task(task, [job for job in left if job.task == task], options):
                failed += [] if outcome.is_done else [outcome.job]
                bar.update(work[outcome.job])
    if failed:
        names = "; ".join(map(str, sorted(failed)))
        raise AMDNetError(f"not done: {names}", "see above why, and give the command again")


class Outcome(NamedTuple):
    """How a fold has ended."""

    job: Job
    is_done: bool


def work_of(job: Job, options: Options) -> float:
    """What a fold costs: crystals, times the passes that networks make over them."""
    settings = settings_of(job.model, job.task, options)
    passes = settings.get("epochs", 1) * settings.get("n_ensemble", 1)
    return float(options.rows * n_official_rows(job.task) * passes)


def _is_there(job: Job, options: Options) -> bool:
    fold = read_fold(job, options)
    if fold is not None:
        print(f"{summary_line(fold)} (kept from an earlier run)", flush=True)
    return fold is not None


def _run_task(name: str, jobs: Sequence[Job], options: Options) -> Iterator[Outcome]:
    """Run folds of one task: those of networks in processes, after all others."""
    if not jobs:
        return
    networks = [job for job in jobs if MODELS[job.model].is_network]
    yield from _run_here(name, [job for job in jobs if job not in networks], networks, options)
    yield from _run_processes(networks, options)


def _run_here(name: str, jobs: Sequence[Job], networks: Sequence[Job], options: Options) -> Iterator[Outcome]:
    """Run folds in this process, and make the graphs that networks will read, so that each makes none."""
    task, origin = load_task(name, options)
    tqdm.write(f"{name}: {origin}", file=sys.stdout)
    for job in jobs:
        tqdm.write(summary_line(run_fold(job, task, origin, options)), file=sys.stdout)
        yield Outcome(job, True)
    for model in dict.fromkeys(job.model for job in networks):
        keep_graphs(model, name, task.df["structure"].to_list(), options)


def keep_graphs(model: str, task: str, structures: list[Structure], options: Options) -> None:
    """Make the graphs that a network will read, where they are not kept yet."""
    machine = Machine(options.n_jobs, options.cache_dir, verbose=int(not options.quiet))
    network = MODELS[model].make(task, settings_of(model, task, options), machine)
    network.graph_converter().convert_many(
        structures, network.n_jobs, network.cache_dir, bool(network.verbose)
    )


def _run_processes(jobs: Sequence[Job], options: Options) -> Iterator[Outcome]:
    """Run folds in processes, several at a time; if this is left, they end."""
    waiting = list(enumerate(jobs))
    running: dict[Any, tuple[Job, BaseProcess]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < options.parallel:
                number, job = waiting.pop(0)
                process = _started(job, number, options)
                running[process.sentinel] = (job, process)
            for sentinel in wait(list(running)):
                job, process = running.pop(sentinel)
                process.join()
                yield Outcome(job, process.exitcode == 0)
    finally:
        for _, process in running.values():
            process.kill()


def _started(job: Job, number: int, options: Options) -> BaseProcess:
    """Start the process of a fold, with its part of the processors."""
    if options.parallel > 1:
        threads = str(max(1, (os.cpu_count() or 1) // options.parallel))
        for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
            os.environ.setdefault(name, threads)
    # Several processes at a time would write over each other's progress bars.
    options = replace(options, quiet=options.quiet or options.parallel > 1)
    process = get_context("spawn").Process(target=_work, args=(job, number, options))
    process.start()
    return process


def _work(job: Job, number: int, options: Options) -> None:
    """Be the process of one fold, and end with the process that asked for it."""
    # An estimator that is interrupted keeps what it has learned; a fold must not be recorded with that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    choose_device(options.device, number)
    try:
        task, origin = load_task(job.task, options)
        print(summary_line(run_fold(job, task, origin, options)), flush=True)
    except (AMDNetError, OSError) as error:
        sys.exit(f"{job}: {error}")


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
