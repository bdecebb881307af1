"""Runs folds: of networks each in a process of its own, so that what was trained before changes nothing.

A network that has learned one fold leaves compiled functions behind, and the next fold would be rounded
otherwise than alone. So a fold has the same result after others, beside others and on another machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import groupby
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from amdnet_matminer.errors import AMDNetError
from matbench_runner.device import choose_device
from matbench_runner.files import write_json
from matbench_runner.folds import Job, file_of, read_fold, run_fold, summary_line
from matbench_runner.measures import count_and_bytes, peak_memory
from matbench_runner.models import NETWORKS, keep_graphs, network_of
from matbench_runner.options import Options
from matbench_runner.progress import Progress
from matbench_runner.tasks import Origin, check_files, load_task, said_of

SCRIPT = Path(__file__).resolve().parent.parent / "run_matbench.py"


def all_jobs(options: Options) -> list[Job]:
    """The folds that were asked for; those of a task together, so that they share its crystals."""
    return [
        Job(model, task, fold) for task in options.task for model in options.model for fold in options.fold
    ]


def run_all(options: Options, argv: Sequence[str]) -> None:
    """Train all folds that were asked for and are not there.

    Args:
        options: What was asked for.
        argv: The arguments that say so, for processes that take a fold each.

    Raises:
        AMDNetError: A fold could not be trained, or is there with other settings, or a task's file is not.
    """
    check_files(options)
    jobs = [job for job in all_jobs(options) if not _is_there(job, options)]
    progress = Progress(jobs, options)
    for of_network, group in groupby(jobs, key=lambda job: (job.task, job.model in NETWORKS)):
        run = _run_processes if of_network[1] or options.parallel > 1 else _run_here
        run(list(group), progress, options, argv)


def run_worker(options: Options) -> None:
    """Be the process of one fold, or make graphs for all, and end with the process that asked for it.

    Args:
        options: With the number of the process, which chooses among several GPUs.
    """
    _end_with_parent()
    print(f"device: {choose_device(options.device, options.worker or 0)}", flush=True)
    jobs = all_jobs(options)
    task, origin = _loaded(jobs[0], options)
    if not options.prepare:
        print(summary_line(run_fold(jobs[0], task, origin, options)), flush=True)


def _end_with_parent() -> None:
    """End this process as soon as the one that started it, which holds its standard input, is gone."""

    def wait() -> None:
        # Not sys.stdin.read(), which would hold a lock that the end of the interpreter needs.
        os.read(sys.stdin.fileno(), 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _is_there(job: Job, options: Options) -> bool:
    fold = read_fold(job, options)
    if fold is not None:
        print(f"{summary_line(fold)} (kept from an earlier run)", flush=True)
    return fold is not None


def _run_here(jobs: Sequence[Job], progress: Progress, options: Options, argv: Sequence[str]) -> None:
    """Run folds of one task in this process."""
    task, origin = _loaded(jobs[0], options)
    for job in jobs:
        start = perf_counter()
        print(summary_line(run_fold(job, task, origin, options)), flush=True)
        print(progress.done(job, perf_counter() - start), flush=True)


class _Outcome(NamedTuple):
    """How the process of a fold has ended."""

    job: Job
    code: int
    seconds: float


class _Processes:
    """Starts processes, and ends all that run.

    Args:
        argv: The arguments of this process; of an option given twice the last counts.
        options: What they say.
    """

    def __init__(self, argv: Sequence[str], options: Options) -> None:
        self._command = [sys.executable, str(SCRIPT), *argv]
        threads = str(max(1, (os.cpu_count() or 1) // options.parallel))
        self._environment = {"OMP_NUM_THREADS": threads, "TF_NUM_INTRAOP_THREADS": threads} | os.environ
        self._quiet = ["--quiet"] if options.parallel > 1 else []
        self._running: list[subprocess.Popen] = []

    def run(self, job: Job, number: int, *words: str) -> _Outcome:
        """Run a fold, or what the words ask for."""
        own = ["--model", job.model, "--task", job.task, "--fold", str(job.fold), "--worker", str(number)]
        command = [*self._command, *own, *words, *self._quiet]
        start = perf_counter()
        with subprocess.Popen(command, stdin=subprocess.PIPE, env=self._environment) as process:
            self._running.append(process)
            # Not communicate(), which would close the standard input that keeps the process alive.
            code = process.wait()
        return _Outcome(job, code, perf_counter() - start)

    def run_all(self, jobs: Sequence[Job], at_a_time: int) -> Iterator[_Outcome]:
        """Run folds, several at a time, and tell of each when it has ended; if this is left, end all."""
        with ThreadPoolExecutor(at_a_time) as threads:
            try:
                running = [threads.submit(self.run, job, number) for number, job in enumerate(jobs)]
                for future in as_completed(running):
                    yield future.result()
            finally:
                threads.shutdown(wait=False, cancel_futures=True)
                for process in self._running:
                    process.kill()


def _run_processes(jobs: Sequence[Job], progress: Progress, options: Options, argv: Sequence[str]) -> None:
    """Run folds of one task in processes, which read its crystals themselves and share the graphs."""
    processes = _Processes(argv, options)
    failed = []
    if options.parallel > 1:
        # Once, so that not every process downloads the crystals and makes their graphs.
        downloads = options.data_dir is None and options.stand_in is None
        firsts = {job.model: job for job in jobs if downloads or job.model in NETWORKS}.values()
        failed = [job for job in firsts if processes.run(job, 0, "--prepare").code]
    for outcome in processes.run_all([] if failed else jobs, options.parallel):
        if outcome.code:
            failed.append(outcome.job)
        else:
            print(progress.done(outcome.job, outcome.seconds), flush=True)
    if failed:
        names = "; ".join(map(str, sorted(failed)))
        raise AMDNetError(f"not done: {names}; see above why, and give the command again")


def _loaded(job: Job, options: Options) -> tuple[Any, Origin]:
    """A task with its crystals; for a network, graphs of all of them are made."""
    start, memory = perf_counter(), peak_memory()
    task, origin = load_task(job.task, options)
    loaded = {"n_crystals": len(task.df), "load_s": perf_counter() - start, "base_memory_mb": memory}
    print(f"{task.dataset_name}: {len(task.df)} crystals, {said_of(origin)}", flush=True)
    if job.model in NETWORKS:
        _keep_graphs(job, task, loaded, options)
    return task, origin


def preparation_file(job: Job, options: Options) -> Path:
    """Where it is kept how long graphs took, for ``projection``."""
    return file_of(job, options).with_name("preparation.json")


def _keep_graphs(job: Job, task: Any, loaded: dict[str, Any], options: Options) -> None:
    before = count_and_bytes(options.cache_dir)
    start = perf_counter()
    keep_graphs(network_of(job.model, job.task, options), task.df["structure"])
    seconds = perf_counter() - start
    made, size = (
        after - earlier for after, earlier in zip(count_and_bytes(options.cache_dir), before, strict=True)
    )
    if made:
        graphs = {"graphs_made": made, "graphs_s": seconds, "graph_bytes": size / made}
        write_json(preparation_file(job, options), loaded | graphs)
