"""Does memory that is given back to the system and fetched again cost time?

    python benchmarks/memory.py
    python benchmarks/memory.py --backends tensorflow "tensorflow without XLA" jax    # where JAX is installed

Ten epochs of the default network on 1,000 oxides of mp2018's training part, and five predictions of all of
them, in a process of its own each time, with glibc's usual settings and with those of KEPT, alternately:
wall, user and system seconds, page faults, and the largest memory. Writes ``results/memory.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd
from common import load_crystals, parse, parser_of, write_result

KEPT = {
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
}
"""glibc's thresholds at their largest sensible values: freed memory stays in the process."""

BACKENDS = ("tensorflow", "tensorflow without XLA", "jax")
N_CRYSTALS = 1000


def main() -> None:
    """Run all combinations by turns, and write their medians."""
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=BACKENDS[:2])
    parser.add_argument("--worker", choices=BACKENDS, help=argparse.SUPPRESS)
    options = parse(parser)
    if options.worker:
        work(options.worker)
        return
    rows = [
        {"backend": backend, "kept": kept, **row}
        for _ in range(options.rounds)
        for backend in options.backends
        for kept in (False, True)
        for row in measured(backend, kept)
    ]
    medians = pd.DataFrame(rows).groupby(["backend", "kept", "phase"]).median().round(2).reset_index()
    result = {"crystals": N_CRYSTALS, "rounds": options.rounds, "medians": medians.to_dict("records")}
    print(write_result("memory", result, options.allow_dirty))


def measured(backend: str, kept: bool) -> list[dict[str, Any]]:
    """What a worker says of its phases."""
    environment = os.environ | {"KERAS_BACKEND": backend.split()[0]} | (KEPT if kept else {})
    command = [sys.executable, str(Path(__file__).resolve()), "--allow-dirty", "--worker", backend]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{backend} failed: {done.stderr[-2000:]}")
    rows: list[dict[str, Any]] = json.loads(done.stdout.strip().splitlines()[-1])
    print(backend, kept, rows, flush=True)
    return rows


def work(backend: str) -> None:
    """Train and predict, compiled before, and print what each took."""
    from training_speed import Bench

    structures, table = load_crystals("mp2018", split="train", oxides=True, limit=N_CRYSTALS)
    bench = Bench(structures, table["formation_energy_per_atom"].to_numpy(float), "amdnet")
    bench.compilation = bench.compilation._replace(xla=backend == "tensorflow")

    def predictions() -> None:
        for _ in range(5):
            bench.predict()

    phases = {"10 epochs": lambda: bench.train(10), "5 predictions": predictions}
    bench.train(2)
    predictions()
    rows = []
    for phase, call in phases.items():
        start, before = perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        call()
        after = resource.getrusage(resource.RUSAGE_SELF)
        rows.append(
            {
                "phase": phase,
                "wall": perf_counter() - start,
                "user": after.ru_utime - before.ru_utime,
                "system": after.ru_stime - before.ru_stime,
                "page faults (million)": (after.ru_minflt - before.ru_minflt) / 1e6,
                "largest memory (MB)": after.ru_maxrss / 1024,
            }
        )
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
