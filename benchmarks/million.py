"""A million crystals on a small machine: what do features, a graph store, an epoch and predictions take?

    python benchmarks/million.py                        # 100,000, for a tenth of the time
    python benchmarks/million.py --crystals 1000000

Data: crystals of mp2018's training part, again and again, each time with another element of the same group in
the place of one of theirs and with another volume, so that all differ and keep their symmetry; in one parquet
file of pymatgen's dictionaries. ``amdnet featurize`` and ``amdnet predict`` read that file, crystal after
crystal; ``fit`` with ``cache_dir`` is given the structures, so it needs memory for all of them. Each is a
process of its own, with one more for each core: wall time, time of all processors, and the largest memory of
all of them together. Needs psutil and pyarrow. Writes ``results/million.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from common import load_crystals, parse, parser_of, write_result
from pymatgen.core import Element, Structure

MODEL = "mp2018-band-gap"
MILLION = 1_000_000
MOST_VOLUME_CHANGE = 0.05
ROWS = 1000
"""Written to the file at a time."""


def main() -> None:
    """Write the crystals, do all with them that a screening does, and write what it took."""
    parser = parser_of(__doc__)
    parser.add_argument("--crystals", type=int, default=100_000, help="default: %(default)s")
    parser.add_argument("--fit", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parse(parser)
    if options.fit:
        fit(*options.fit)
        return
    with tempfile.TemporaryDirectory() as name:
        result = screened(Path(name), options.crystals)
    print(write_result("million", result, options.allow_dirty))


def screened(folder: Path, n_crystals: int) -> dict[str, Any]:
    """Write crystals to a file and do all with them: what each step took, and the disk."""
    n_processes = os.cpu_count() or 1
    crystals, store = folder / "crystals.parquet", folder / "store"
    write(crystals, n_crystals)
    took = {}
    for what, command in commands(crystals, store, n_processes).items():
        took[what] = measured([*map(str, command)])
        print(what, took[what], flush=True)
    share = n_crystals / MILLION
    return {
        "crystals": n_crystals,
        "processes": n_processes,
        "took": took,
        "disk (MB)": {path.name: size(path) / 2**20 for path in (crystals, store, *folder.glob("*.csv"))},
        "hours for a million, in proportion": {
            what: values["wall (s)"] / 3600 / share for what, values in took.items()
        },
    }


def commands(crystals: Path, store: Path, n_processes: int) -> dict[str, list[Any]]:
    """The command of each step."""
    amdnet = [sys.executable, "-c", "import sys; from amdnet_matminer.cli import main; sys.exit(main())"]
    jobs = ["--n_jobs", n_processes, "--quiet", "--output"]
    folder = crystals.parent
    return {
        "featurize": [*amdnet, "featurize", crystals, *jobs, folder / "features.csv"],
        "predict": [*amdnet, "predict", crystals, "--model", MODEL, *jobs, folder / "gaps.csv"],
        "fit, one epoch": [sys.executable, __file__, "--allow-dirty", "--fit", crystals, store],
    }


def varied(structures: list[Structure], n_crystals: int) -> Iterator[Structure]:
    """Crystals like some that are real, no two alike."""
    rng = np.random.default_rng(0)
    for number in range(n_crystals):
        structure = structures[number % len(structures)].copy()
        old = Element(str(rng.choice(sorted(structure.symbol_set))))
        alike = [element.symbol for element in Element if element.group == old.group and 2 < element.Z < 84]
        if alike and not old.is_rare_earth:
            structure.replace_species({old.symbol: str(rng.choice(alike))})
        structure.scale_lattice(structure.volume * (1 + rng.uniform(-1, 1) * MOST_VOLUME_CHANGE))
        yield structure


def write(path: Path, n_crystals: int) -> None:
    """Write varied crystals to a parquet file of pymatgen's dictionaries as JSON, some at a time."""
    crystals = varied(load_crystals("mp2018", split="train")[0], n_crystals)
    schema = pa.schema([("id", pa.string()), ("structure", pa.string())])
    done = 0
    with pq.ParquetWriter(path, schema) as file:
        while rows := [json.dumps(structure.as_dict(verbosity=0)) for structure in islice(crystals, ROWS)]:
            ids = [f"crystal-{done + i:07d}" for i in range(len(rows))]
            file.write_table(pa.table({"id": ids, "structure": rows}, schema=schema))
            done += len(rows)


def fit(crystals: Path, store: Path) -> None:
    """Make graphs of all crystals in a store, and learn them once."""
    from amdnet_matminer import AMDNetRegressor
    from amdnet_matminer.datasets import read_structures

    structures = list(read_structures(crystals))
    y = [structure.density for structure in structures]
    AMDNetRegressor(epochs=1, cache_dir=store, n_jobs=-1, random_state=0, verbose=0).fit(structures, y)


def measured(command: list[str]) -> dict[str, float]:
    """Run a command, and watch the memory and the time of all its processes."""
    start, largest = perf_counter(), 0
    seconds: dict[int, float] = {}
    with subprocess.Popen(command) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            largest = max(largest, _look(watched, seconds))
            sleep(0.5)
    if process.returncode not in (0, 3):  # 3: some crystals could not be used, which are named
        raise RuntimeError(f"{command} failed")
    return {
        "wall (s)": perf_counter() - start,
        "processors (s)": sum(seconds.values()),
        "largest memory (MB)": largest / 2**20,
    }


def _look(watched: psutil.Process, seconds: dict[int, float]) -> int:
    """Memory that the processes of a tree hold now; writes how long each has computed."""
    held = 0
    for process in [watched, *watched.children(recursive=True)]:
        try:
            times = process.cpu_times()
            held += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
        seconds[process.pid] = times.user + times.system
    return held


def size(path: Path) -> int:
    """Bytes of a file, or of the files of a folder."""
    return sum(
        file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()
    )


if __name__ == "__main__":
    main()
