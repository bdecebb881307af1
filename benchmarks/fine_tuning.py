"""Does it pay to begin with a shipped model, and with how few crystals?

    python benchmarks/fine_tuning.py --data-dir FILES
    python benchmarks/fine_tuning.py --data-dir FILES --tasks matbench_perovskites --sizes 200 500 --shares 1
    python benchmarks/fine_tuning.py --data-dir FILES --tasks matbench_phonons --sizes 200 --seeds 0

The first two give all that the table has.

Data: MatBench's files, and of each task the training part of its first fold alone, so that no test part is
read. From that part a seed draws the crystals to learn from, and up to 2,000 others to be scored on. All
beginnings have the same crystals and the defaults of ``AMDNetRegressor`` but for ``SETTINGS``, one network
each. Runs are kept one by one in ``--work``, so an interrupted benchmark goes on. Writes
``results/fine_tuning.json`` with all that are there.
"""

from __future__ import annotations

import argparse
import json
from itertools import product
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from common import parse, parser_of, write_result

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.datasets import load_matbench
from amdnet_matminer.files import write_atomically
from amdnet_matminer.matbench.leaderboard import TASKS
from amdnet_matminer.matbench.settings import SEEN, check_pretrained
from amdnet_matminer.matbench.tasks import matbench_task
from amdnet_matminer.pretrained import MODELS

SETTINGS: dict[str, Any] = {"epochs": 100, "validation_fraction": 0.0}
N_SCORED = 2000
DEFAULT_TASKS = ["matbench_perovskites", "matbench_log_gvrh"]
SCRATCH = "scratch"


def main() -> None:
    """Run what is asked for, and write the table of all that has been run."""
    parser = parser_of(__doc__)
    tasks = [task for task in TASKS if task not in SEEN]
    parser.add_argument("--tasks", nargs="+", choices=tasks, default=DEFAULT_TASKS)
    parser.add_argument("--sizes", nargs="+", type=int, default=[200, 500, 1000], help="crystals to learn")
    parser.add_argument("--starts", nargs="+", default=[SCRATCH, "mp-formation-energy"])
    parser.add_argument("--shares", nargs="+", type=float, default=[0.5], help="of the start's weights")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--data-dir", type=Path, help="of the tasks' files (default: matminer's)")
    parser.add_argument("--work", type=Path, default=Path(".fine_tuning"), help="graphs and single runs")
    options = parse(parser)
    if unknown := set(options.starts) - {SCRATCH, *MODELS}:
        parser.error(f"--starts {min(unknown)}: choose of {', '.join((SCRATCH, *MODELS))}")
    for task, start in product(options.tasks, options.starts):
        check_pretrained(task, {"init_from": None if start == SCRATCH else start})
    options.work.mkdir(exist_ok=True)
    for task in options.tasks:
        table = crystals_of(task, options.data_dir)
        for seed, size, start in product(options.seeds, options.sizes, options.starts):
            for share in [1.0] if start == SCRATCH else options.shares:
                what = {"task": task, "size": size, "start": start, "share": share, "seed": seed}
                print(run_once(what, table, options), flush=True)
    rows = [json.loads(path.read_text()) for path in sorted(options.work.glob("*.json"))]
    result = {"settings": SETTINGS, "device": "CPU", "runs": rows}
    print(write_result("fine_tuning", result, options.allow_dirty))


def crystals_of(task: str, data_dir: Path | None) -> pd.DataFrame:
    """The crystals of the training part of a task's first fold: ``structure`` and the label."""
    table = load_matbench(task, data_dir)
    return table[table.index.isin(set(matbench_task(task).validation["fold_0"]["train"]))]


def run_once(what: dict[str, Any], table: pd.DataFrame, options: argparse.Namespace) -> dict[str, Any]:
    """Learn and score, unless that has been done.

    Args:
        what: Task, size, start, share and seed.
        table: Crystals of the task.
        options: Of the command line.

    Returns:
        ``what``, the error in the unit of the label, and processor time.
    """
    done = options.work / ("-".join(str(value) for value in what.values()) + ".json")
    if done.exists():
        found: dict[str, Any] = json.loads(done.read_text())
        return found
    order = np.random.default_rng(what["seed"]).permutation(len(table))
    learned, scored = (table.iloc[rows] for rows in np.split(order, [what["size"]]))
    scored = scored[:N_SCORED]
    start = None if what["start"] == SCRATCH else what["start"]
    model = AMDNetRegressor(init_from=start, init_share=what["share"], random_state=what["seed"], **SETTINGS)
    model.set_params(cache_dir=options.work / "graphs", n_jobs=1)
    label = table.columns[-1]
    begun = process_time()
    model.fit(learned.structure, learned[label])
    seconds = process_time() - begun
    error = model.predict(scored.structure) - scored[label].to_numpy(float)
    row = what | {"mae": float(np.abs(error).mean()), "n_scored": len(scored), "seconds": round(seconds)}
    write_atomically(done, json.dumps(row).encode())
    return row


if __name__ == "__main__":
    main()
