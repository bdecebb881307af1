"""Band gap and formation energy of real oxides: the network, a random forest on motif vectors, the mean.

    python benchmarks/oxides.py
    python benchmarks/oxides.py --n_train 500 --target band_gap --epochs 50

Trains on a random sample of the training split of the Materials Project 2018 set and scores on
a sample of its validation split. The network judges epochs by a tenth of the training sample, so
the scored crystals take no part in any choice. Needs the crystal data (AMDNET_DATA).
"""

from __future__ import annotations

import argparse
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from common import load_crystals, write_result
from pymatgen.core import Structure
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline

from amdnet_matminer import AMDNetRegressor, MotifFeaturizer

UNITS = {"band_gap": "eV", "formation_energy_per_atom": "eV/atom"}
Part = tuple[list[Structure], pd.DataFrame]


def main() -> None:
    """Train and score every model on every target, and write the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n_train", type=int, default=2000)
    parser.add_argument("--n_test", type=int, default=400)
    parser.add_argument("--target", nargs="+", choices=UNITS, default=list(UNITS))
    parser.add_argument("--epochs", type=int, help="default: the estimator's")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    train = load_crystals("mp2018", split="train", oxides=True, limit=options.n_train)
    test = load_crystals("mp2018", split="val", oxides=True, limit=options.n_test)
    for target in options.target:
        scores = {name: score(model, train, test, target) for name, model in models(options).items()}
        result = {
            "data": "mp2018 oxides, train and val split, random samples of seed 0",
            "target": target,
            "unit": UNITS[target],
            "n_training": len(train[0]),
            "n_test": len(test[0]),
            "seed": options.seed,
            "models": scores,
        }
        print(write_result(f"oxides-{target}", result))


def models(options: argparse.Namespace) -> dict[str, Any]:
    """Unfitted models that take structures, by name."""
    given = {} if options.epochs is None else {"epochs": options.epochs}
    forest = RandomForestRegressor(n_estimators=300, random_state=options.seed, n_jobs=-1)
    return {
        "mean value": DummyRegressor(),
        "random forest on motif vectors": make_pipeline(MotifFeaturizer(), forest),
        "amdnet-2021": AMDNetRegressor(random_state=options.seed, n_jobs=-1, verbose=1, **given),
    }


def score(model: Any, train: Part, test: Part, target: str) -> dict[str, Any]:
    """Fit on the training sample and give the error on the test sample."""
    start = perf_counter()
    model.fit(train[0], train[1][target].to_numpy())
    error = np.abs(model.predict(test[0]) - test[1][target].to_numpy())
    seconds = perf_counter() - start
    result: dict[str, Any] = {"mae": float(error.mean()), "seconds": round(seconds, 1)}
    if isinstance(model, AMDNetRegressor):
        settings = {k: v for k, v in model.get_params().items() if k not in ("n_jobs", "verbose")}
        result |= {"epochs_done": model.n_iter_, "settings": settings}
    print(f"{target:26s} {type(model).__name__:16s} MAE {result['mae']:.4f} in {result['seconds']:.0f} s")
    return result


if __name__ == "__main__":
    main()
