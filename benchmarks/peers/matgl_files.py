"""Predictions a second by matgl of crystals in files, read by pymatgen, in processes of one thread."""

from __future__ import annotations

import gzip
import json
import sys
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

from pymatgen.core import Structure
from speed import report


def share(source: str, number: int, n_shares: int) -> tuple[int, float, float]:
    """Read and predict every so manieth crystal.

    Returns:
        How many, and when it began and ended, its imports and the building of the network not included.
    """
    from matgl_model import build

    model = build(n_threads=1)
    start = perf_counter()
    path = Path(source)
    if path.is_dir():
        files = sorted(path.glob("*.cif"))[number::n_shares]
        structures = (Structure.from_file(file) for file in files)
    else:
        with gzip.open(path, "rt") as file:
            rows = json.load(file)["data"][number::n_shares]
        structures = (Structure.from_dict(row[0]) for row in rows)
    n_done = 0
    for structure in structures:
        model.predict_structure(structure)
        n_done += 1
    return n_done, start, perf_counter()


if __name__ == "__main__":
    n_processes = int(sys.argv[2])
    with get_context("spawn").Pool(n_processes) as pool:
        done = pool.starmap(share, [(sys.argv[1], number, n_processes) for number in range(n_processes)])
    counts, starts, ends = zip(*done, strict=True)
    report(sum(counts), crystals=max(end - start for start, end in zip(starts, ends, strict=True)))
