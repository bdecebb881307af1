"""How accurate is the default network on the NOMAD 2018 competition's 2,400 (Al,Ga,In)2O3 oxides?

    python benchmarks/train_nomad2018.py
    python benchmarks/train_nomad2018.py --init_from mp2018-band-gap      fine-tuned, a result of its own
    python benchmarks/train_nomad2018.py --fold 0 --epochs 30

Band gap and formation energy are learned at once, from all of a fold's training crystals. End it anywhere:
the same command goes on with the same result. Data: nomad2018.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from common import load_crystals, parse, parser_of, write_result
from numpy.typing import NDArray
from pymatgen.core import Structure
from sklearn.model_selection import KFold

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.files import write_atomically
from amdnet_matminer.pretrained import MODELS

TARGETS = {"band_gap": "eV", "formation_energy_per_cation": "eV/cation"}
FOLDS = KFold(5, shuffle=True, random_state=0)


def main() -> None:
    """Train and score the folds, and write the result."""
    parser = parser_of(__doc__)
    parser.add_argument("--fold", nargs="+", type=int, choices=range(5), default=list(range(5)))
    parser.add_argument("--epochs", type=int, default=AMDNetRegressor().epochs)
    parser.add_argument("--init_from", choices=MODELS, help="a shipped model to begin with")
    parser.add_argument("--n_crystals", type=int, help="a random sample (default: all)")
    parser.add_argument("--n_jobs", type=int, default=1, help="processes")
    parser.add_argument("--work", type=Path, default=Path(".training"), help="its folder")
    options = parse(parser)
    options.work.mkdir(parents=True, exist_ok=True)
    structures, table = load_crystals("nomad2018", limit=options.n_crystals)
    y = table[list(TARGETS)].to_numpy(float)
    folds = [run_fold(fold, structures, y, options) for fold in options.fold]
    errors = {
        target: {"unit": unit, "mae": float(np.mean([fold["mae"][target] for fold in folds]))}
        for target, unit in TARGETS.items()
    }
    result = {"data": "nomad2018", "device": "CPU", "n_crystals": len(y), "init_from": options.init_from}
    name = f"train_nomad2018{'-finetuned' if options.init_from else ''}"
    print(write_result(name, result | {"errors": errors, "folds": folds}, options.allow_dirty))


def run_fold(
    fold: int, structures: list[Structure], y: NDArray[np.float64], options: argparse.Namespace
) -> dict[str, Any]:
    """Train and score a fold, unless that has been done.

    Args:
        fold: Its number.
        structures: S crystals.
        y: Their targets, shape (S, 2).
        options: Of the command line.

    Returns:
        Settings, errors, learning curve and time.
    """
    done = options.work / f"nomad2018-{len(y)}-{options.init_from}-{options.epochs}-{fold}.json"
    if done.exists():
        found: dict[str, Any] = json.loads(done.read_text())
        return found
    train, test = list(FOLDS.split(y))[fold]
    model = network(options)
    start = perf_counter()
    model.fit([structures[i] for i in train], y[train])
    seconds = perf_counter() - start
    error = np.abs(model.predict([structures[i] for i in test]) - y[test]).mean(axis=0)
    result = {
        "fold": fold,
        "epochs": options.epochs,
        "n_train": len(train),
        "n_test": len(test),
        "seed": 0,
        "mae": dict(zip(TARGETS, error.tolist(), strict=True)),
        "seconds": round(seconds),
        "history": model.history_,
    }
    write_atomically(done, json.dumps(result).encode())
    print(fold, result["mae"], flush=True)
    return result


def network(options: argparse.Namespace) -> AMDNetRegressor:
    """What is trained on every fold: the default network."""
    return AMDNetRegressor(
        epochs=options.epochs,
        validation_fraction=0.0,
        init_from=options.init_from,
        random_state=0,
        cache_dir=options.work / "graphs",
        checkpoint_dir=options.work / "state",
        n_jobs=options.n_jobs,
        verbose=1,
    )


if __name__ == "__main__":
    main()
