"""Train on the Materials Project snapshot 2018.6.1, score on its validation part, and ship the models.

    python benchmarks/train_mp2018.py                                  the models that come with the package
    python benchmarks/train_mp2018.py --run oxides oxides-megnet       the same budget, metal oxides only
    python benchmarks/train_mp2018.py --run band-gap --n_train 5000    a point of the learning curve

End it anywhere: the same command goes on and ends with the same models. Epochs are judged by the
validation part, which takes no other part in training; the test part is not read. Results go to
``results/train_mp2018-<run>.json`` and ``results/pretrained-<model>.json``, models to the folder
``--work`` and, where all runs that one is made of are there, into the package. Needs the crystal data
(AMDNET_DATA).
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
from accuracy import GAPS, draw_errors, errors_by_kind, interval_labels, join_members, kinds_of, model_card
from common import load_crystals, write_result
from pymatgen.core import Structure

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.pretrained import pretrained_model_file
from amdnet_matminer.uncertainty import std_factor

TARGETS = {"band_gap": "eV", "formation_energy_per_atom": "eV/atom"}


class Run(NamedTuple):
    """All that makes one training differ from another."""

    targets: tuple[str, ...]
    """What is learned, all at once."""
    parameters: dict[str, Any]
    """Of ``AMDNetRegressor``, where they differ from its own defaults."""
    oxides: bool = False
    """Whether metal oxides only, or all chemistries."""
    seed: int = 0
    """Of the first weights, the order of crystals and the dropout."""


GAP, ENERGY = TARGETS
RUNS = {
    "band-gap": Run((GAP, ENERGY), {"epochs": 36}),
    "formation-energy": Run((ENERGY,), {"epochs": 36, "dropout": 0.0}),
    "band-gap-1": Run((GAP, ENERGY), {"epochs": 36}, seed=1),
    "formation-energy-1": Run((ENERGY,), {"epochs": 36, "dropout": 0.0}, seed=1),
    "oxides": Run((GAP,), {"epochs": 15}, oxides=True),
    "oxides-megnet": Run((GAP,), {"epochs": 15, "architecture": "megnet"}, oxides=True),
}


class Shipped(NamedTuple):
    """A model of the package: the mean of what some runs say of a target."""

    target: str
    runs: tuple[str, ...]


SHIPPED = {
    "mp2018-band-gap": Shipped(GAP, ("band-gap", "band-gap-1")),
    "mp2018-formation-energy": Shipped(ENERGY, ("formation-energy", "formation-energy-1")),
}


def main() -> None:
    """Train and score the runs that are asked for, and ship the models that are complete."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--run", nargs="+", choices=RUNS, default=[run for model in SHIPPED.values() for run in model.runs]
    )
    parser.add_argument("--n_train", type=int, help="a random sample of the training part (default: all)")
    parser.add_argument("--n_validation", type=int, help="the same of the validation part")
    parser.add_argument("--epochs", type=int, help="instead of the run's own")
    parser.add_argument("--n_jobs", type=int, default=1, help="processes")
    parser.add_argument("--work", type=Path, default=Path(".training"), help="its folder")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    for name in options.run:
        print(run(name, options))
    for name, shipped in SHIPPED.items():
        if set(shipped.runs) & set(options.run) and all(_file(run, options).exists() for run in shipped.runs):
            print(ship(name, shipped, options))


def run(name: str, options: argparse.Namespace) -> Path:
    """Train, or read what was trained, then score.

    Args:
        name: Of the run.
        options: Of the command line.

    Returns:
        The result file.
    """
    chosen = RUNS[name]
    file = _file(name, options)
    validation = load("val", chosen, options.n_validation)
    if not file.exists():
        train(chosen, validation, file, options)
    model = AMDNetRegressor.load(file).set_params(cache_dir=options.work / "graphs", n_jobs=options.n_jobs)
    result = {"run": name, "data": "mp2018", "device": "CPU", **json.loads(seconds_file(file).read_text())}
    result |= describe(model) | score(model, chosen.targets, *validation, options.n_jobs)
    path = write_result(f"train_mp2018-{file.stem}", result)
    draw_errors(result, path.with_suffix(".png"))
    return path


def _file(name: str, options: argparse.Namespace) -> Path:
    """Where the model of a run is kept."""
    return Path(options.work / f"{name}{f'-{options.n_train}' if options.n_train else ''}.amdnet")


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
        random_state=chosen.seed,
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
    """Errors on the validation part, of all crystals and by kind.

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
    result = {}
    for column, target in enumerate(targets):
        y = table[target].to_numpy(float)
        floor = 0.0 if target == GAP else -np.inf
        error = np.abs(np.maximum(predicted[:, column], floor) - y)
        result[target] = {
            "unit": TARGETS[target],
            "mae": float(error.mean()),
            "median": float(np.median(error)),
            "by kind": errors_by_kind(kinds, error),
        }
    return {"n_validation": len(structures), "errors": result}


def one_network(model: AMDNetRegressor, place: int) -> AMDNetRegressor:
    """A network of an ensemble as a model of its own."""
    one = copy(model)
    one.weights_ = model.weights_[place : place + 1]
    return one


def ship(name: str, shipped: Shipped, options: argparse.Namespace) -> Path:
    """Put a model into the package, with its card.

    Args:
        name: What the package calls it.
        shipped: What it is made of.
        options: Of the command line.

    Returns:
        Its result file.
    """
    path, target = pretrained_model_file(name), shipped.target
    runs = {run: AMDNetRegressor.load(_file(run, options)) for run in shipped.runs}
    parts = [(model, RUNS[run].targets.index(target)) for run, model in runs.items()]
    join_members(parts, path, non_negative=target == GAP, n_jobs=None, verbose=0)
    model = AMDNetRegressor.load(path).set_params(cache_dir=options.work / "graphs", n_jobs=options.n_jobs)
    structures, table = load("val", RUNS[shipped.runs[0]], options.n_validation)
    y = table[target].to_numpy(float)
    result = {"data": "mp2018", "device": "CPU", "n_train": model.training_["n_crystals"]}
    result |= {
        "parameters_per_network": sum(weight.size for weight in model.weights_[0]),
        "seconds": sum(json.loads(seconds_file(_file(run, options)).read_text())["seconds"] for run in runs),
        "members": {
            run: float(np.abs(one_network(model, place).predict(structures) - y).mean())
            for place, run in enumerate(runs)
        },
    }
    if len(model.weights_) > 1:
        mean, std = model.predict(structures, return_std=True)
        model.std_factor_ = std_factor(mean - y, std)
        model.save(path)
        result["within one std"] = float((np.abs(mean - y) <= model.std_factor_ * std).mean())
    result |= score(model, (target,), structures, table, options.n_jobs)
    card = model_card(name, path.stat().st_size, result)
    path.with_suffix(".md").write_text(card, encoding="utf-8")
    return write_result(f"pretrained-{name}", result)


if __name__ == "__main__":
    main()
