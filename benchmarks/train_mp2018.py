"""Train on the Materials Project snapshot 2018.6.1, score on its validation part, and ship the models.

    python benchmarks/train_mp2018.py                                  the models that come with the package
    python benchmarks/train_mp2018.py --run oxides oxides-megnet       the same budget, metal oxides only
    python benchmarks/train_mp2018.py --run band-gap --n_train 5000    a point of the learning curve
    python benchmarks/train_mp2018.py --ship                           put trained models into the package

End it anywhere: the same command goes on and ends with the same models. Epochs are judged by the
validation part, which takes no other part in training; the test part is not read. Results go to
``results/train_mp2018-<run>.json``, models to the folder ``--work``. Needs the crystal data (AMDNET_DATA).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from accuracy import (
    GAPS,
    draw_errors,
    errors_by_kind,
    interval_labels,
    kinds_of,
    model_card,
    write_first_target,
)
from common import load_crystals, write_result
from pymatgen.core import Structure

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.pretrained import pretrained_model_file

TARGETS = {"band_gap": "eV", "formation_energy_per_atom": "eV/atom"}


class Run(NamedTuple):
    """All that makes one training differ from another."""

    targets: tuple[str, ...]
    """What is learned, all at once; the first is what the training is for."""
    parameters: dict[str, Any]
    """Of ``AMDNetRegressor``, where they differ from its own defaults."""
    oxides: bool = False
    """Whether metal oxides only, or all chemistries."""
    ships: str | None = None
    """What the package calls the model of the first target."""


BOTH = tuple(TARGETS)
RUNS = {
    "band-gap": Run(BOTH, {"epochs": 45}, ships="mp2018-band-gap"),
    "formation-energy": Run(BOTH[1:], {"epochs": 45, "dropout": 0.0}, ships="mp2018-formation-energy"),
    "oxides": Run(BOTH[:1], {"epochs": 15}, oxides=True),
    "oxides-megnet": Run(BOTH[:1], {"epochs": 15, "architecture": "megnet"}, oxides=True),
}


def main() -> None:
    """Train, score and ship the runs that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", nargs="+", choices=RUNS, default=["band-gap", "formation-energy"])
    parser.add_argument("--n_train", type=int, help="a random sample of the training part (default: all)")
    parser.add_argument("--n_validation", type=int, help="the same of the validation part")
    parser.add_argument("--epochs", type=int, help="instead of the run's own")
    parser.add_argument("--n_jobs", type=int, default=1, help="processes")
    parser.add_argument("--work", type=Path, default=Path(".training"), help="its folder")
    parser.add_argument("--ship", action="store_true", help="put the models into the package")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    for name in options.run:
        path = run(name, options)
        print(path)
        shipped = RUNS[name].ships
        if options.ship and shipped is not None:
            ship(shipped, options.work / f"{name}.amdnet", path)


def run(name: str, options: argparse.Namespace) -> Path:
    """Train, or read what was trained, then score.

    Args:
        name: Of the run.
        options: Of the command line.

    Returns:
        The result file.
    """
    chosen = RUNS[name]
    name += f"-{options.n_train}" if options.n_train else ""
    file = options.work / f"{name}.amdnet"
    validation = load("val", chosen, options.n_validation)
    if not file.exists():
        train(chosen, validation, file, options)
    model = AMDNetRegressor.load(file).set_params(cache_dir=options.work / "graphs", n_jobs=options.n_jobs)
    result = {"run": name, "data": "mp2018", "device": "CPU", **json.loads(seconds_file(file).read_text())}
    result |= describe(model) | score(model, chosen.targets, *validation, options.n_jobs)
    path = write_result(f"train_mp2018-{name}", result)
    draw_errors(result, path.with_suffix(".png"))
    return path


def load(split: str, chosen: Run, limit: int | None) -> tuple[list[Structure], pd.DataFrame]:
    """The crystals of a part and their table."""
    return load_crystals("mp2018", split=split, oxides=chosen.oxides, limit=limit)


def train(
    chosen: Run, validation: tuple[list[Structure], pd.DataFrame], file: Path, options: argparse.Namespace
) -> None:
    """Train a model and keep it, with the seconds that this process has spent on it.

    Args:
        chosen: What to train.
        validation: The crystals that judge epochs, and their table.
        file: Where the model goes.
        options: Of the command line.
    """
    parameters = chosen.parameters | ({"epochs": options.epochs} if options.epochs else {})
    model = AMDNetRegressor(
        **parameters,
        random_state=0,
        cache_dir=options.work / "graphs",
        checkpoint_dir=options.work / "state",
        n_jobs=options.n_jobs,
        verbose=1,
    )
    structures, table = load("train", chosen, options.n_train)
    expected = [part[list(chosen.targets)].to_numpy(float) for part in (table, validation[1])]
    start = perf_counter()
    model.fit(structures, expected[0], validation_data=(validation[0], expected[1]))
    seconds_file(file).write_text(json.dumps({"seconds": round(perf_counter() - start)}))
    model.save(file)


def seconds_file(model: Path) -> Path:
    """Where it is kept how long a training took."""
    return model.with_suffix(".json")


def describe(model: AMDNetRegressor) -> dict[str, Any]:
    """Settings, sizes and learning curve of a model."""
    local = ("cache_dir", "checkpoint_dir", "init_from", "n_jobs", "verbose")
    return {
        "seeds": list(range(model.n_ensemble)),
        "settings": {name: value for name, value in model.get_params().items() if name not in local},
        "n_train": model.training_["n_crystals"],
        "parameters_per_network": sum(weight.size for weight in model.weights_[0]),
        "epochs_done": model.n_iter_,
        "history": model.history_,
    }


def score(
    model: AMDNetRegressor,
    targets: Sequence[str],
    structures: list[Structure],
    table: pd.DataFrame,
    n_jobs: int,
) -> dict[str, Any]:
    """Errors on the validation part, of all crystals and by kind, and of one network alone.

    Args:
        model: A fitted model of T targets.
        targets: Their names, T.
        structures: S crystals.
        table: Their targets.
        n_jobs: Number of processes.

    Returns:
        Under ``errors``, by target.
    """
    gaps = interval_labels(table["band_gap"].to_numpy(float), GAPS)
    kinds = kinds_of(structures, n_jobs) | {"band gap (eV)": gaps}
    predicted = model.predict(structures).reshape(len(structures), -1)
    one = copy(model)
    one.weights_ = model.weights_[:1]
    of_one = one.predict(structures).reshape(predicted.shape)
    result = {}
    for column, target in enumerate(targets):
        y = table[target].to_numpy(float)
        floor = 0.0 if target == "band_gap" else -np.inf
        error, error_of_one = (np.abs(np.maximum(p[:, column], floor) - y) for p in (predicted, of_one))
        result[target] = {
            "unit": TARGETS[target],
            "mae": float(error.mean()),
            "mae_of_one_network": float(error_of_one.mean()),
            "median": float(np.median(error)),
            "by kind": errors_by_kind(kinds, error),
        }
    return {"n_validation": len(structures), "errors": result}


def ship(name: str, file: Path, result: Path) -> None:
    """Put a model into the package, with its card.

    Args:
        name: What the package calls it.
        file: The model.
        result: Its result file.
    """
    shipped = pretrained_model_file(name)
    write_first_target(AMDNetRegressor.load(file), shipped, non_negative="gap" in name)
    card = model_card(name, shipped.stat().st_size, json.loads(result.read_text()))
    shipped.with_suffix(".md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
