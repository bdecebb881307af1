"""How accurate are networks trained on crystals of the Materials Project, and on which are they not?

    python benchmarks/train_models.py --run band-gap                   all chemistries, both targets at once
    python benchmarks/train_models.py --run moduli moduli-finetuned    of bulk and shear, both at once
    python benchmarks/train_models.py --run oxides oxides-megnet       the same budget, metal oxides only
    python benchmarks/train_models.py --run band-gap --n_train 5000    a point of the learning curve

Data: mp2018, and matbench_elastic for the moduli. End it anywhere: the same command goes on and ends with the
same models. Epochs are judged by the validation part, which takes no other part in training and is what is
scored: the published one of mp2018, whose test part is not read, and a random tenth of the moduli. Results go
to ``results/train_<data>-<run>.json``, models to the folder ``--work``, from where ``make_pretrained.py``
takes those of the package.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from accuracy import GAPS, draw_errors, errors_by_kind, kinds_of
from common import load_crystals, parse, parser_of, write_result
from pymatgen.core import Structure

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.files import write_atomically
from amdnet_matminer.matbench.kinds import interval_labels

TARGETS = {
    "band_gap": "eV",
    "formation_energy_per_atom": "eV/atom",
    "log10_K_VRH": "log10(GPa)",
    "log10_G_VRH": "log10(GPa)",
}
"""Units."""
ELASTIC = "matbench_elastic"


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
    data: str = "mp2018"
    """Which crystals."""


GAP, ENERGY, BULK, SHEAR = TARGETS
MODULI = (BULK, SHEAR)
RUNS = {
    "band-gap": Run((GAP, ENERGY), {"epochs": 36}),
    "formation-energy": Run((ENERGY,), {"epochs": 36, "dropout": 0.0}),
    "band-gap-1": Run((GAP, ENERGY), {"epochs": 36}, seed=1),
    "formation-energy-1": Run((ENERGY,), {"epochs": 36, "dropout": 0.0}, seed=1),
    "oxides": Run((GAP,), {"epochs": 15}, oxides=True),
    "oxides-megnet": Run((GAP,), {"epochs": 15, "architecture": "megnet"}, oxides=True),
    "moduli": Run(MODULI, {"epochs": 100}, data=ELASTIC),
    "moduli-finetuned": Run(MODULI, {"epochs": 100, "init_from": "mp2018-formation-energy"}, data=ELASTIC),
}


def main() -> None:
    """Train and score the runs that are asked for."""
    parser = parser_of(__doc__)
    parser.add_argument("--run", nargs="+", choices=RUNS, default=["band-gap", "formation-energy"])
    add_options(parser)
    options = parse(parser)
    for name in options.run:
        print(run(name, options))


def add_options(parser: argparse.ArgumentParser) -> None:
    """What may be asked for of every run."""
    parser.add_argument("--n_train", type=int, help="a random sample of the training part (default: all)")
    parser.add_argument("--n_validation", type=int, help="the same of the validation part")
    parser.add_argument("--epochs", type=int, help="instead of the run's own")
    parser.add_argument("--n_jobs", type=int, default=1, help="processes")
    parser.add_argument("--work", type=Path, default=Path(".training"), help="its folder")


def run(name: str, options: argparse.Namespace) -> Path:
    """Train, or read what was trained, then score.

    Args:
        name: Of the run.
        options: Of the command line.

    Returns:
        The result file.
    """
    chosen = RUNS[name]
    options.work.mkdir(parents=True, exist_ok=True)
    file = model_file(name, options)
    validation = load("val", chosen, options.n_validation)
    if not file.exists():
        train(chosen, validation, file, options)
    model = AMDNetRegressor.load(file).set_params(cache_dir=options.work / "graphs", n_jobs=options.n_jobs)
    result = {"run": name, "data": chosen.data, "device": "CPU", **json.loads(seconds_file(file).read_text())}
    result |= {"init_from": chosen.parameters.get("init_from")}
    result |= describe(model) | score(model, chosen.targets, *validation, options.n_jobs)
    path = write_result(f"train_{chosen.data}-{file.stem}", result, options.allow_dirty)
    draw_errors(result, path.with_suffix(".png"))
    return path


def model_file(name: str, options: argparse.Namespace) -> Path:
    """Where the model of a run is kept."""
    return Path(options.work / f"{name}{f'-{options.n_train}' if options.n_train else ''}.amdnet")


def load(split: str, chosen: Run, limit: int | None) -> tuple[list[Structure], pd.DataFrame]:
    """The crystals of a part, ``"train"`` or ``"val"``, and their table."""
    if chosen.data == "mp2018":
        return load_crystals("mp2018", split=split, oxides=chosen.oxides, limit=limit)
    structures, table = load_crystals(chosen.data)
    held, kept = np.split(np.random.default_rng(0).permutation(len(table)), [len(table) // 10])
    part = np.sort((held if split == "val" else kept)[:limit])
    return [structures[i] for i in part], table.iloc[part].reset_index(drop=True)


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
    seconds = {"seconds": round(perf_counter() - start)}
    write_atomically(seconds_file(file), json.dumps(seconds).encode())
    model.save(file)


def seconds_file(model: Path) -> Path:
    """Where it is kept how long a training took."""
    return model.with_suffix(".json")


def describe(model: AMDNetRegressor) -> dict[str, Any]:
    """Settings, sizes and learning curve of a model."""
    local = ("cache_dir", "checkpoint_dir", "init_from", "n_jobs", "stop_file", "verbose")
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
    kinds = kinds_of(structures, n_jobs)
    if GAP in table:
        kinds["band gap (eV)"] = interval_labels(table[GAP].to_numpy(float), GAPS)
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


if __name__ == "__main__":
    main()
