"""MatBench's structure tasks on the official folds: the command ``amdnet matbench``, from a checkout.

    python benchmarks/run_matbench.py                                     # mp_gap and mp_e_form, all folds
    python benchmarks/run_matbench.py --task matbench_phonons --fold 0 --data-dir folder/with/task/files
    python benchmarks/run_matbench.py --task all --model amdnet rf-motif rf-magpie mean --parallel 2
    python benchmarks/run_matbench.py --task matbench_mp_gap --rows 0.1   # a quick look, no submission
    python benchmarks/run_matbench.py report                              # also folds copied from elsewhere
    python benchmarks/run_matbench.py check
    python benchmarks/run_matbench.py report --publish benchmarks/results # of the folds so far

Each model sees the training and validation part of a fold only. A fold that is done is a file in
``<output-dir>/folds``; end the program anywhere, and the same command goes on with the same result.
In the end ``<output-dir>`` has a folder ``matbench_v0.1_<model>`` to submit, and ``report.html``;
nothing is written elsewhere. Where the crystal data have ``matbench/leaderboard_on_these_rows.json``, the
report shows what others reach on the same rows; ``--peers`` names another such file. Needs matbench 0.6:
pip install --no-deps matbench==0.6
"""

from __future__ import annotations

import sys
from pathlib import Path

from common import data_folder

from amdnet_matminer.cli import main

PEERS = "matbench/leaderboard_on_these_rows.json"


def default_peers() -> list[str]:
    """The option that names the scores of others on the same rows; none, and a note, without their file."""
    try:
        file = data_folder() / PEERS
    except FileNotFoundError:
        file = Path(PEERS)
    if file.is_file():
        return ["--peers", str(file)]
    print(
        f"no scores of others on the same rows: the crystal data have no {PEERS}, see --peers",
        file=sys.stderr,
    )
    return []


if __name__ == "__main__":
    sys.exit(main(["matbench", *default_peers(), *sys.argv[1:]]))
