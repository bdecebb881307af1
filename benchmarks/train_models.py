"""How accurate are networks trained on crystals of the Materials Project, and on which are they not?

    python benchmarks/train_models.py --run band-gap                   all chemistries, both targets at once
    python benchmarks/train_models.py --run moduli moduli-finetuned    of bulk and shear, both at once
    python benchmarks/train_models.py --run mp-band-gap                a shipped model goes on with more
    python benchmarks/train_models.py --run mp-is-metal                from the gaps to a gap or none
    python benchmarks/train_models.py --run oxides oxides-megnet       the same budget, metal oxides only
    python benchmarks/train_models.py --run band-gap --n_train 5000    a point of the learning curve

Data: mp2018; matbench_elastic for the moduli; for "mp" also the crystals of matbench_mp that are neither in
mp2018 nor like one of its validation and test parts. End it anywhere: the same command goes on and ends with
the same models. Epochs are judged by the validation part, which takes no other part in training and is what
is scored: the published one of mp2018, whose test part is not read, for "mp" with a random fiftieth of the
other crystals, and a random tenth of the moduli. Results go to ``results/train_<data>-<run>.json``, models to
the folder ``--work``, from where ``make_pretrained.py`` takes those of the package.
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
from sklearn.metrics import log_loss, roc_auc_score

from amdnet_matminer import AMDNetClassifier, AMDNetRegressor
from amdnet_matminer.estimators import AMDNetEstimator
from amdnet_matminer.files import write_atomically
from amdnet_matminer.matbench.kinds import interval_labels

TARGETS = {
    "band_gap": "eV",
    "formation_energy_per_atom": "eV/atom",
    "log10_K_VRH": "log10(GPa)",
    "log10_G_VRH": "log10(GPa)",
    "is_metal": "",
}
"""Units; the last one is a class, True without a gap."""
ELASTIC = "matbench_elastic"
MP = "mp"
"""mp2018 and what there is beside it in matbench_mp."""
LARGE_ERROR = 0.5
"""In the unit of a target: an error that is a wrong answer."""
VOLUMES = (20.0, 40.0, 100.0)
"""Of an atom in cubic angstrom; solids have less than 100."""


class Run(NamedTuple):
    """All that makes one training differ from another."""

    targets: tuple[str, ...]
    """What is learned, all at once."""
    parameters: dict[str, Any]
    """Of the estimator, where they differ from its own defaults."""
    oxides: bool = False
    """Whether metal oxides only, or all chemistries."""
    seed: int = 0
    """Of the first weights, the order of crystals and the dropout."""
    data: str = "mp2018"
    """Which crystals."""

    @property
    def estimator(self) -> type[AMDNetEstimator]:
        """What learns it."""
        return AMDNetClassifier if self.targets == (METAL,) else AMDNetRegressor


GAP, ENERGY, BULK, SHEAR, METAL = TARGETS
MODULI = (BULK, SHEAR)
GO_ON = {"init_share": 1.0}
"""From the weights as they are."""
GO_ON_SLOWLY = GO_ON | {"learning_rate": 7e-4}
"""At a third of the default rate: at that one, what many epochs have refined is lost at first."""
RUNS = {
    "band-gap": Run((GAP, ENERGY), {"epochs": 32}),
    "formation-energy": Run((ENERGY,), {"epochs": 36, "dropout": 0.0}),
    "band-gap-1": Run((GAP, ENERGY), {"epochs": 32}, seed=1),
    "formation-energy-1": Run((ENERGY,), {"epochs": 36, "dropout": 0.0}, seed=1),
    "oxides": Run((GAP,), {"epochs": 15}, oxides=True),
    "oxides-megnet": Run((GAP,), {"epochs": 15, "architecture": "megnet"}, oxides=True),
    "mp-band-gap": Run(
        (GAP, ENERGY),
        {"epochs": 8, "init_from": "mp2018-band-gap", "n_ensemble": 2} | GO_ON_SLOWLY,
        data=MP,
    ),
    "mp-formation-energy": Run(
        (ENERGY,),
        {"epochs": 8, "dropout": 0.0, "init_from": "mp2018-formation-energy", "n_ensemble": 2} | GO_ON_SLOWLY,
        data=MP,
    ),
    "mp-is-metal": Run((METAL,), {"epochs": 8, "init_from": "mp-band-gap"} | GO_ON_SLOWLY, data=MP),
    "moduli": Run(MODULI, {"epochs": 50}, data=ELASTIC),
    "moduli-finetuned": Run(
        MODULI, {"epochs": 50, "init_from": "mp2018-formation-energy"} | GO_ON, data=ELASTIC
    ),
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
    model = AMDNetEstimator.load(file).set_params(cache_dir=options.work / "graphs", n_jobs=options.n_jobs)
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
    if chosen.data == MP:
        return load_all_of_mp(split, limit)
    structures, table = load_crystals(chosen.data)
    return taken(part_of(np.arange(len(table)), split, 10)[:limit], structures, table)


def load_all_of_mp(split: str, limit: int | None) -> tuple[list[Structure], pd.DataFrame]:
    """A part of mp2018 and of what else there is in matbench_mp; the column ``origin`` says which.

    Labels that a crystal does not have are NaN.
    """
    structures, table = load_crystals("mp2018", split=split)
    others, labels = load_crystals("matbench_mp")
    labels = labels.rename(columns={"gap_pbe": GAP, "e_form": ENERGY})
    new = np.flatnonzero(labels.apart_from_mp2018_val_test & ~labels.in_mp2018_train)
    others, labels = taken(part_of(new, split, 50), others, labels)
    columns = [GAP, ENERGY, "origin"]
    both = [table.assign(origin="mp2018")[columns], labels.assign(origin="beside it")[columns]]
    every, joined = [*structures, *others], pd.concat(both, ignore_index=True)
    joined[METAL] = joined[GAP].eq(0.0).where(joined[GAP].notna())
    if limit is None or limit >= len(every):
        return every, joined
    return taken(np.random.default_rng(0).choice(len(every), limit, replace=False), every, joined)


def part_of(rows: np.ndarray, split: str, one_in: int) -> np.ndarray:
    """Of rows those that are held for validation, one in so many at random, or the others."""
    held, kept = np.split(np.random.default_rng(0).permutation(rows), [len(rows) // one_in])
    return held if split == "val" else kept


def taken(
    rows: np.ndarray, structures: list[Structure], table: pd.DataFrame
) -> tuple[list[Structure], pd.DataFrame]:
    """Some of the crystals, in their order."""
    rows = np.sort(rows)
    return [structures[i] for i in rows], table.iloc[rows].reset_index(drop=True)


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
    model = chosen.estimator(
        **parameters,
        random_state=chosen.seed,
        cache_dir=options.work / "graphs",
        checkpoint_dir=options.work / "state",
        n_jobs=options.n_jobs,
        verbose=1,
    )
    training = with_labels(*load("train", chosen, options.n_train), chosen.targets)
    start = perf_counter()
    model.fit(*training, validation_data=with_labels(*validation, chosen.targets))
    seconds = {"seconds": round(perf_counter() - start)}
    write_atomically(seconds_file(file), json.dumps(seconds).encode())
    model.save(file)


def with_labels(
    structures: list[Structure], table: pd.DataFrame, targets: Sequence[str]
) -> tuple[list[Structure], np.ndarray]:
    """The crystals that have one of some labels or more, and these, shape (S, T); of classes (S,)."""
    y = table[list(targets)].to_numpy(float)
    known = np.flatnonzero(np.isfinite(y).any(axis=1))
    return [structures[i] for i in known], y[known, 0].astype(bool) if METAL in targets else y[known]


def seconds_file(model: Path) -> Path:
    """Where it is kept how long a training took."""
    return model.with_suffix(".json")


def describe(model: AMDNetEstimator) -> dict[str, Any]:
    """Settings, sizes and learning curve of a model."""
    local = ("cache_dir", "checkpoint_dir", "init_from", "n_jobs", "stop_file", "verbose")
    return {
        "settings": {name: value for name, value in model.get_params().items() if name not in local},
        "n_train": model.training_["n_crystals"],
        "parameters_per_network": sum(weight.size for weight in model.weights_[0]),
        "epochs_done": model.n_iter_,
        "history": model.history_,
    }


def divisions(structures: list[Structure], table: pd.DataFrame, n_jobs: int) -> dict[str, np.ndarray]:
    """Under the name of each division of the crystals the label of each."""
    kinds = kinds_of(structures, n_jobs)
    if GAP in table:
        gap = table[GAP].to_numpy(float)
        kinds["band gap (eV)"] = np.where(np.isnan(gap), "unknown", interval_labels(gap, GAPS))
    if "origin" in table:
        kinds["origin"] = table.origin.to_numpy(str)
        volumes = np.array([structure.volume / len(structure) for structure in structures])
        kinds["volume of an atom (cubic angstrom)"] = interval_labels(volumes, VOLUMES)
        kinds["hydrogen"] = np.array(["with" if "H" in s.composition else "without" for s in structures])
    return kinds


def score(
    model: AMDNetEstimator,
    targets: Sequence[str],
    structures: list[Structure],
    table: pd.DataFrame,
    n_jobs: int,
) -> dict[str, Any]:
    """Errors on the validation part, of all crystals that have the label, and by kind.

    Of a class the error is 1 where the likelier one is wrong, else 0.

    Args:
        model: A fitted model of T targets.
        targets: Their names, T.
        structures: S crystals.
        table: Their targets.
        n_jobs: Number of processes.

    Returns:
        Under ``errors``, by target.
    """
    kinds = divisions(structures, table, n_jobs)
    predicted = said_by(model, structures)
    result = {}
    for column, target in enumerate(targets):
        y = table[target].to_numpy(float)
        known = np.isfinite(y)
        error = errors_of(target, predicted[:, column], y)[known]
        result[target] = {
            "unit": TARGETS[target],
            "mae": float(error.mean()),
            "median": float(np.median(error)),
            "large": float((error > LARGE_ERROR).mean()),
            **told_metals(target, predicted[known, column], y[known]),
            "by kind": errors_by_kind({name: labels[known] for name, labels in kinds.items()}, error),
        }
    return {"n_validation": len(structures), "errors": result}


def said_by(model: AMDNetEstimator, structures: list[Structure]) -> np.ndarray:
    """What a model predicts, shape (S, T); of a classifier the probability of its last class, (S, 1)."""
    if isinstance(model, AMDNetClassifier):
        return model.predict_proba(structures)[:, -1:]
    return model.predict(structures).reshape(len(structures), -1)


def errors_of(target: str, predicted: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Absolute errors, NaN without a label; of a class whether the likelier one is wrong."""
    if target == METAL:
        return np.where(np.isnan(y), np.nan, (predicted > 0.5) != y)
    return np.abs(np.maximum(predicted, 0.0 if target == GAP else -np.inf) - y)


def told_metals(target: str, predicted: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """How well metals are told, by small gaps or by their probability, if both kinds are there.

    Of a probability p also how far it can be trusted: the mean of -ln p of what is true, and the difference
    of p and the part of metals, mean over ten bins of p weighted by their crystals (expected calibration
    error; Naeini et al., AAAI 29, 2901, 2015).
    """
    is_metal = y == (0.0 if target == GAP else 1.0)
    if target not in (GAP, METAL) or len(set(is_metal)) < 2:
        return {}
    if target == GAP:
        return {"auc of metals": float(roc_auc_score(is_metal, -predicted))}
    bins = np.minimum((10 * predicted).astype(int), 9)
    surplus = np.bincount(bins, predicted - is_metal)
    return {
        "auc of metals": float(roc_auc_score(is_metal, predicted)),
        "log loss": float(log_loss(is_metal, predicted)),
        "calibration error": float(np.abs(surplus).sum() / len(y)),
    }


if __name__ == "__main__":
    main()
