"""What rate and memory has ``amdnet predict``, from a file of crystals to a file of predictions?

    python benchmarks/screening.py --model gap.amdnet

Data: mp2018, repeated if there are fewer, in one file as users have them. Without --model a network with the
default settings is fitted for two epochs first: speed does not depend on what was
learned. Writes results/screening.json if all crystals are asked for.
"""

from __future__ import annotations

import itertools
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
from common import load_crystals, parse, parser_of, write_result
from matminer.utils.io import store_dataframe_as_json

from amdnet_matminer import AMDNetRegressor

N_CRYSTALS = 10_000
N_TRAINING = 100


def main() -> None:
    """Write the crystals, predict them in a process of its own, and tell the time."""
    parser = parser_of(__doc__)
    parser.add_argument("--model", type=Path, help="a saved model (default: one is fitted)")
    parser.add_argument("--crystals", type=int, default=N_CRYSTALS, help="default: %(default)s")
    parser.add_argument("--n_jobs", type=int, default=2, help="default: %(default)s")
    arguments = parse(parser)
    with tempfile.TemporaryDirectory() as folder:
        model = arguments.model or _fitted(Path(folder) / "model.amdnet")
        result = _timed(Path(folder), model, arguments.crystals, arguments.n_jobs)
    print(result)
    if arguments.crystals == N_CRYSTALS:
        write_result("screening", result, arguments.allow_dirty)


def _fitted(path: Path) -> Path:
    structures, table = load_crystals("mp2018", split="train", limit=N_TRAINING, seed=1)
    AMDNetRegressor(epochs=2, random_state=0).fit(structures, table["band_gap"]).save(path)
    return path


def _timed(folder: Path, model: Path, n_crystals: int, n_jobs: int) -> dict[str, Any]:
    """The whole command, start of Python and TensorFlow included."""
    structures, _ = load_crystals("mp2018", split="train", limit=n_crystals, seed=0)
    repeated = list(itertools.islice(itertools.cycle(structures), n_crystals))
    crystals, predictions = folder / "crystals.json.gz", folder / "predictions.csv"
    frame = pd.DataFrame({"structure": repeated}, [f"crystal-{i}" for i in range(n_crystals)])
    store_dataframe_as_json(frame, str(crystals), compression="gz", pbar=False)
    words = ["predict", crystals, "--load_name", model, "--output", predictions, "--n_jobs", n_jobs]
    command = [sys.executable, "-c", "import sys; from amdnet_matminer.cli import main; sys.exit(main())"]
    start = time.perf_counter()
    done = subprocess.run([*command, *map(str, words)], check=False)
    seconds = time.perf_counter() - start
    written = pd.read_csv(predictions, index_col="id")
    return {
        "crystals": n_crystals,
        "distinct": len(structures),
        "median_atoms": float(pd.Series(map(len, repeated)).median()),
        "architecture": AMDNetRegressor.load(model).architecture,
        "n_jobs": n_jobs,
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "seconds": round(seconds, 1),
        "crystals_per_second": round(n_crystals / seconds, 1),
        "predicted": int(written.prediction.notna().sum()),
        "in_order": written.index.tolist() == frame.index.tolist(),
        "exit_code": done.returncode,
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
    }


if __name__ == "__main__":
    main()
