"""MatBench's structure tasks on the official folds: the command ``amdnet matbench``, from a checkout.

    python benchmarks/run_matbench.py                                     # mp_gap and mp_e_form, all folds
    python benchmarks/run_matbench.py --task matbench_phonons --fold 0 --data-dir folder/with/task/files
    python benchmarks/run_matbench.py --task all --model amdnet rf-motif rf-magpie mean --parallel 2
    python benchmarks/run_matbench.py --task matbench_mp_gap --rows 0.1   # a quick look, no submission
    python benchmarks/run_matbench.py report                              # also folds copied from elsewhere
    python benchmarks/run_matbench.py check
    python benchmarks/run_matbench.py report --publish benchmarks/results

Each model sees the training and validation part of a fold only. A fold that is done is a file in
``<output-dir>/folds``; end the program anywhere, and the same command goes on with the same result.
In the end ``<output-dir>`` has a folder ``matbench_v0.1_<model>`` to submit, and ``report.html``;
nothing is written elsewhere. Needs matbench 0.6: pip install --no-deps matbench==0.6
"""

from __future__ import annotations

import sys

from amdnet_matminer.cli import main

if __name__ == "__main__":
    sys.exit(main(["matbench", *sys.argv[1:]]))
