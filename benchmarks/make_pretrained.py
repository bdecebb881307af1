"""What comes with the package: motif vectors, trained models, and the card of each.

    python benchmarks/make_pretrained.py                                   all of it
    python benchmarks/make_pretrained.py --what vectors                    the motif vectors alone
    python benchmarks/make_pretrained.py --what mp2018-band-gap
    python benchmarks/make_pretrained.py --what domains                    after motifs are named otherwise

Data: mp2018; for mp-band-gap and mp-formation-energy also what there is beside it in matbench_mp, on all of
which the package's models of mp2018 go on, and mp-is-metal from mp-band-gap; and matbench_elastic for the
moduli. The models are made of runs
of ``train_models.py``, which are trained here unless the folder ``--work`` has them; end it anywhere, and the
same command goes on. What is made goes into the package, results to ``results/motif_vectors_preset.json`` and
``results/pretrained-<model>.json``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from cards import model_card, vectors_card
from common import load_crystals, parse, parser_of, write_result
from motif_features import PRESET, graphs_of
from pymatgen.core import Structure
from scipy.stats import spearmanr
from train_models import (
    ENERGY,
    GAP,
    METAL,
    MODULI,
    MP,
    RUNS,
    Run,
    errors_of,
    load,
    model_file,
    run,
    said_by,
    score,
    seconds_file,
)

from amdnet_matminer import AMDNetRegressor, Motif2Vec
from amdnet_matminer.estimators import AMDNetEstimator
from amdnet_matminer.pretrained import FOLDER
from amdnet_matminer.uncertainty import Domain, std_factor

VECTORS = "mp2018"


class Shipped(NamedTuple):
    """A model of the package: the mean of what some runs say of targets that all of them learned."""

    targets: tuple[str, ...]
    runs: tuple[str, ...]


SHIPPED = {
    "mp2018-band-gap": Shipped((GAP,), ("band-gap", "band-gap-1")),
    "mp2018-formation-energy": Shipped((ENERGY,), ("formation-energy", "formation-energy-1")),
    "mp-band-gap": Shipped((GAP,), ("mp-band-gap",)),
    "mp-formation-energy": Shipped((ENERGY,), ("mp-formation-energy",)),
    "mp-is-metal": Shipped((METAL,), ("mp-is-metal",)),
    "mp-moduli": Shipped(MODULI, ("moduli", "moduli-finetuned")),
}


def main() -> None:
    """Make what is asked for."""
    parser = parser_of(__doc__)
    everything = ["vectors", *SHIPPED]
    parser.add_argument("--what", nargs="+", choices=[*everything, "domains"], default=everything)
    parser.add_argument("--n_jobs", type=int, default=1, help="processes")
    parser.add_argument("--work", type=Path, default=Path(".training"), help="its folder")
    parser.add_argument("--output", type=Path, default=FOLDER, help="instead of the package's own folder")
    # What is shipped is made of whole runs.
    parser.set_defaults(n_train=None, n_validation=None, epochs=None)
    options = parse(parser)
    makers = {"vectors": make_vectors, "domains": name_domains}
    for name in options.what:
        print(makers[name](options) if name in makers else make_model(name, options))


def make_vectors(options: argparse.Namespace) -> Path:
    """Fit motif vectors to all training crystals, see what they cover, and write their card.

    Args:
        options: Of the command line.

    Returns:
        The result file.
    """
    options.cache = options.work
    train = graphs_of(load_crystals("mp2018", split="train")[0], options)
    start = perf_counter()
    model = Motif2Vec(**PRESET).fit(train)
    seconds = perf_counter() - start
    file = options.output / f"{VECTORS}.npz"
    model.save(file)
    known = [model.known(g) for g in graphs_of(load_crystals("mp2018", split="val")[0], options)]
    result = {
        "settings": PRESET,
        "crystals": len(train),
        "motifs": len(model.names_),
        "bytes": file.stat().st_size,
        "seconds": round(seconds, 1),
        "validation_crystals": len(known),
        "validation_motifs_known": float(np.concatenate(known).mean()),
        "validation_crystals_all_known": float(np.mean([each.all() for each in known])),
    }
    file.with_suffix(".md").write_text(vectors_card(VECTORS, result), encoding="utf-8")
    return write_result("motif_vectors_preset", result, options.allow_dirty)


def name_domains(options: argparse.Namespace) -> list[Path]:
    """Name the motifs that the models have seen as motifs are named now; the networks stay as they are.

    Args:
        options: Of the command line.

    Returns:
        The models' files.
    """
    options.cache = options.work
    files = []
    for name, shipped in SHIPPED.items():
        structures, _ = load("train", RUNS[shipped.runs[0]], None)
        names = {name for g in graphs_of(structures, options, bonds="own") for name in g.name.tolist()}
        elements = {number for structure in structures for number in structure.atomic_numbers}
        files.append(options.output / f"{name}.amdnet")
        model = AMDNetEstimator.load(files[-1])
        model.domain_ = Domain(frozenset(names), frozenset(elements))
        model.save(files[-1])
    return files


def make_model(name: str, options: argparse.Namespace) -> Path:
    """Train the runs that a model is made of, join them, score it and write its card.

    Args:
        name: What the package calls it.
        options: Of the command line.

    Returns:
        Its result file.
    """
    path, shipped = options.output / f"{name}.amdnet", SHIPPED[name]
    for part in shipped.runs:
        print(run(part, options))
    files = {part: model_file(part, options) for part in shipped.runs}
    parts = [only(AMDNetEstimator.load(file), shipped.targets, RUNS[part]) for part, file in files.items()]
    model = type(parts[0]).join(parts)
    # In half precision a file is half as large, and predictions change by a thousandth of their error.
    model.weights_ = [[weight.astype(np.float16).astype(np.float32) for weight in m] for m in model.weights_]
    model.save(path)
    seconds = sum(json.loads(seconds_file(file).read_text())["seconds"] for file in files.values())
    data = RUNS[shipped.runs[0]].data
    result = {"data": data, "device": "CPU", "seconds": seconds} | describe(path, shipped, options)
    card = model_card(name, path.stat().st_size, result)
    path.with_suffix(".md").write_text(card, encoding="utf-8")
    return write_result(f"pretrained-{name}", result, options.allow_dirty)


def only(model: AMDNetEstimator, targets: tuple[str, ...], learned: Run) -> AMDNetEstimator:
    """A model of some of the targets that a run has learned: of one of them, or of all."""
    if not isinstance(model, AMDNetRegressor) or (len(targets) > 1 and targets == learned.targets):
        return model
    (target,) = targets
    return model.of_target(learned.targets.index(target), non_negative=target == GAP)


def describe(path: Path, shipped: Shipped, options: argparse.Namespace) -> dict[str, Any]:
    """Score a joined model on the validation part, and calibrate its spread there.

    Args:
        path: Of the model, which is saved anew with the spread calibrated.
        shipped: What it is made of.
        options: Of the command line.

    Returns:
        Sizes and errors, those of the model that it went on from among them; of metals those of its gaps.
    """
    model = AMDNetEstimator.load(path).set_params(cache_dir=options.work / "graphs", n_jobs=options.n_jobs)
    chosen = RUNS[shipped.runs[0]]
    structures, table = load("val", chosen, options.n_validation)
    y = table[list(shipped.targets)].to_numpy(float)
    result = {
        "n_train": model.training_["n_crystals"],
        "parameters_per_network": sum(weight.size for weight in model.weights_[0]),
        "members": {
            name: mean_errors_of(member, shipped.targets, structures, y)
            for member, name in zip(model.members_, names_of_members(model, shipped), strict=True)
        },
    }
    if len(model.weights_) > 1 and isinstance(model, AMDNetRegressor):
        result |= calibrate(model, structures, y)
        model.save(path)
    result |= score(model, shipped.targets, structures, table, options.n_jobs)
    if chosen.data == MP:
        # The card says what was gained.
        start = chosen.parameters["init_from"]
        before = AMDNetRegressor.from_pretrained(start).set_params(n_jobs=options.n_jobs)
        errors = score(before, SHIPPED[start].targets, structures, table, options.n_jobs)["errors"]
        result |= {"init_from": start, "before": errors}
    return result


def calibrate(model: AMDNetRegressor, structures: list[Structure], y: np.ndarray) -> dict[str, float]:
    """Scale the spread of an ensemble to its errors of labels, shape (S, T), and see what it tells."""
    y = y.reshape(len(y), *model.target_shape_)
    mean, std = model.predict(structures, return_std=True)
    model.std_factor_ = std_factor(mean - y, std)
    return usefulness(np.abs(mean - y), model.std_factor_ * std)


def mean_errors_of(
    model: AMDNetEstimator, targets: tuple[str, ...], structures: list[Structure], y: np.ndarray
) -> list[float]:
    """Of each target the mean error of a model, of classes the part that is wrong."""
    said = said_by(model, structures)
    return [float(np.nanmean(errors_of(target, said[:, k], y[:, k]))) for k, target in enumerate(targets)]


def names_of_members(model: AMDNetEstimator, shipped: Shipped) -> list[str]:
    """What the networks of a joined model are called: by their runs, with a number where one made several."""
    each = len(model.weights_) // len(shipped.runs)
    return [f"{run} {k + 1}" if each > 1 else run for run in shipped.runs for k in range(each)]


def usefulness(error: np.ndarray, std: np.ndarray) -> dict[str, float]:
    """How well the spread of an ensemble tells errors, of all that are known.

    Args:
        error: Absolute errors, NaN where there is no label, any shape.
        std: Calibrated standard deviations, the same shape.
    """
    known = np.isfinite(error)
    return {
        "within one std": float((error <= std)[known].mean()),
        "rank correlation of error and std": float(spearmanr(error[known], std[known]).statistic),
    }


if __name__ == "__main__":
    main()
