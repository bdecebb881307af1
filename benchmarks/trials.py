r"""Which networks and recipes generalise better? Each is tried with one thing changed, on a small budget.

    python benchmarks/trials.py                                   every trial, two seeds
    python benchmarks/trials.py --trials amdnet "averaged weights" --targets band_gap --seeds 0

Data: 8,000 crystals of mp2018's training part, 15 epochs, scored on 2,000 of its validation part, which also
judge the epochs; the test part is not read. ``fit`` gets what each trial says; all else is its default, but
for the dropout, which is 0 as for the shipped formation energies. Runs are kept one by one in ``--work``,
so an interrupted benchmark goes on. Writes ``results/trials.json`` with all that are there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from time import process_time
from types import MappingProxyType
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from common import load_crystals, parse, parser_of, write_result

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.files import write_atomically

UNITS = {"formation_energy_per_atom": "eV/atom", "band_gap": "eV"}
N_TRAIN, N_VALIDATION, EPOCHS = 8000, 2000, 15


class Trial(NamedTuple):
    """What is other than usual."""

    parameters: Mapping[str, Any] = MappingProxyType({})
    """Of ``AMDNetRegressor``; an architecture of ``trial_networks`` among them."""
    averaged: bool = False
    """Whether weights are averaged over steps."""


# Named here too, since Keras is imported only when a trial is run.
NETWORKS = (
    "electronegativities",
    "pairs times elements",
    "local scale",
    "the mean in every block",
    "parts add up",
    "a gate for metals",
    "composition beside",
    "normalised vectors",
    "breathing crystals",
)
TRIALS = {
    "amdnet": Trial(),
    **{name: Trial({"architecture": name}) for name in NETWORKS},
    "averaged weights": Trial(averaged=True),
}


def main() -> None:
    """Run the trials that are asked for, and write the table of all that have been run."""
    parser = parser_of(__doc__)
    parser.add_argument("--trials", nargs="+", choices=TRIALS, default=list(TRIALS))
    parser.add_argument("--targets", nargs="+", choices=UNITS, default=list(UNITS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--work", type=Path, default=Path(".trials"), help="folder of graphs and single runs")
    options = parse(parser)
    options.work.mkdir(exist_ok=True)
    for seed in options.seeds:
        for target in options.targets:
            for name in options.trials:
                print(name, target, seed, run_once(name, target, seed, options.work), flush=True)
    rows = [json.loads(path.read_text()) for path in sorted(options.work.glob("*.json"))]
    sizes = {"n_train": N_TRAIN, "n_validation": N_VALIDATION, "epochs": EPOCHS, "device": "CPU"}
    print(write_result("trials", sizes | {"data": "mp2018", "runs": rows}, options.allow_dirty))


def run_once(name: str, target: str, seed: int, work: Path) -> dict[str, Any]:
    """Try one thing with one seed, unless that has been done.

    Args:
        name: Of the trial.
        target: What is scored.
        seed: Of weights and shuffling.
        work: Folder of the runs.

    Returns:
        Error in the unit of the target, parameters, and processor time.
    """
    done = work / f"{name} {target} {seed}.json".replace(" ", "-")
    if done.exists():
        found: dict[str, Any] = json.loads(done.read_text())
        return found
    row = {"trial": name, "target": target, "seed": seed} | try_once(TRIALS[name], target, seed, work)
    write_atomically(done, json.dumps(row).encode())
    return row


def try_once(trial: Trial, target: str, seed: int, work: Path) -> dict[str, Any]:
    """Train and score.

    Args:
        trial: What to try.
        target: What is scored.
        seed: Of weights and shuffling.
        work: Folder that keeps the graphs.

    Returns:
        As ``run_once``.
    """
    from trial_networks import AveragedWeights, register_networks

    register_networks()
    parts = [
        load_crystals("mp2018", split=p, limit=n) for p, n in (("train", N_TRAIN), ("val", N_VALIDATION))
    ]
    (training, y), (validation, expected) = (
        (structures, table[target].to_numpy(float)) for structures, table in parts
    )
    model = AMDNetRegressor(epochs=EPOCHS, dropout=0.0, random_state=seed, cache_dir=work / "graphs")
    model.set_params(**trial.parameters)
    averaging = mock.patch("amdnet_matminer.training.fit.BestWeights", AveragedWeights)
    start = process_time()
    with averaging if trial.averaged else nullcontext():
        model.fit(training, y, validation_data=(validation, expected))
    seconds = process_time() - start
    predicted = model.predict(validation)
    # No gap is below 0.
    predicted = np.maximum(predicted, 0.0) if target == "band_gap" else predicted
    return {
        "mae": float(np.abs(predicted - expected).mean()),
        "training_loss": model.history_["loss"][-1],
        "parameters": sum(weight.size for weight in model.weights_[0]),
        "seconds": round(seconds),
    }


if __name__ == "__main__":
    main()
