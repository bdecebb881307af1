"""What the training benchmarks share: errors by kind of crystal, shipped files and their cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pymatgen.core import Structure

from amdnet_matminer import AMDNetRegressor, motif_graphs
from amdnet_matminer.persistence import read_model, write_model

Array = NDArray[np.float64]
Labels = NDArray[np.str_]

NONMETALS = {1, 2, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 32, 33, 34, 35, 36, 51, 52, 53, 54, 85, 86}
"""Atomic numbers of the elements that make no oxide a metal oxide."""
ATOMS = (8, 24, 60)
FEWEST = 20
"""Crystals that a row of a card is about, at least."""
LIMITS = """Motifs are called by the geometry that most of a crystal's motifs have; rows of fewer than
{fewest} crystals are left out.

## Limits

The labels are computed, not measured: PBE band gaps are too small by about a third to a half, and
two snapshots of the Materials Project differ by 0.056 eV and 0.014 eV/atom on average. Structures
should be relaxed with the same functional. A model knows neither magnetism nor charge, temperature nor
disorder. The table tells the weakest kinds, such as elements. `novelty` tells which motifs and elements
were not in the training data. Do not score these models on other parts of the Materials Project, such as
MatBench's mp tasks: the same crystals are in them.
"""
GAPS = (0.0, 1.0, 3.0, 5.0)


def errors_by_kind(kinds: dict[str, Labels], error: Array) -> dict[str, dict[str, dict[str, float]]]:
    """Mean absolute errors of kinds of crystals.

    Args:
        kinds: Under the name of each division the label of each crystal, shape (S,).
        error: Absolute errors, shape (S,).

    Returns:
        By division and label the number of crystals and their MAE, in the unit of ``error``.
    """
    return {
        name: {
            str(label): {"n": int((labels == label).sum()), "mae": float(error[labels == label].mean())}
            for label in sorted(set(labels.tolist()))
        }
        for name, labels in kinds.items()
    }


def kinds_of(structures: Sequence[Structure], n_jobs: int) -> dict[str, Labels]:
    """Divide crystals by chemistry, size and motifs.

    Args:
        structures: S crystals.
        n_jobs: Number of processes, as joblib counts them.

    Returns:
        The label of each crystal in each division, shape (S,).
    """
    return {
        "chemistry": np.array([_chemistry(structure) for structure in structures]),
        "elements": np.array([str(min(len(s.composition), 5)) for s in structures]),
        "atoms per cell": interval_labels(np.array([float(len(s)) for s in structures]), ATOMS),
        "commonest motif": np.array([_family(g.name) for g in motif_graphs(structures, n_jobs=n_jobs)]),
    }


def interval_labels(values: Array, ends: Sequence[float]) -> Labels:
    """Say between which of some ends values are.

    Args:
        values: Numbers, shape (S,).
        ends: The largest number of each interval but the last, ascending.

    Returns:
        Labels that sort as the intervals do, shape (S,).
    """
    names = [f"up to {ends[0]:g}", *(f"to {end:g}" for end in ends[1:]), f"above {ends[-1]:g}"]
    places = np.searchsorted(np.array(ends), values)
    return np.array([f"{place + 1}: {names[place]}" for place in places])


def _chemistry(structure: Structure) -> str:
    numbers = set(structure.atomic_numbers)
    if numbers <= NONMETALS:
        return "no metal"
    if not numbers & NONMETALS:
        return "intermetallic"
    return "metal oxide" if 8 in numbers else "other compound"


def _family(names: NDArray[np.str_]) -> str:
    """The geometry that most motifs of a crystal have; their names are formula and geometry."""
    geometries = Counter(name.partition(" ")[2] for name in names.tolist())
    return min(geometries, key=lambda g: (-geometries[g], g)) if geometries else "no motifs"


def draw_errors(result: dict[str, Any], path: Path) -> None:
    """Draw the learning curve, and the errors of the first target by kind of crystal.

    Args:
        result: What ``train_mp2018.py`` writes, with five divisions of crystals.
        path: The picture to write.
    """
    target, errors = next(iter(result["errors"].items()))
    figure = Figure(figsize=(11.0, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    curve, *others = figure.subplots(2, 3).flat
    curve.plot(result["history"]["val_mae"], color="#0072B2")
    curve.set(title="validation error of the training", xlabel="epoch", yscale="log")
    for axes, (division, parts) in zip(others, errors["by kind"].items(), strict=True):
        shown = {label: part for label, part in parts.items() if part["n"] >= FEWEST}
        names = [f"{label.partition(': ')[2] or label} ({part['n']:,})" for label, part in shown.items()]
        axes.barh(names[::-1], [part["mae"] for part in shown.values()][::-1], color="#0072B2")
        axes.axvline(errors["mae"], color="0.4", linewidth=1)
        axes.set_title(division)
        axes.tick_params(axis="y", labelsize=7)
    figure.suptitle(f"{target.replace('_', ' ')}: MAE ({errors['unit']}) by kind of crystal; the line is all")
    figure.savefig(path, dpi=130)


def join_members(parts: Sequence[tuple[AMDNetRegressor, int]], path: Path, **parameters: Any) -> None:
    """Write what several models say of one target as one model, an ensemble of their networks.

    Args:
        parts: Fitted models of the same architecture and scaling, each with the column of the target.
        path: The file to write.
        **parameters: To set, such as ``non_negative``.

    Raises:
        ValueError: The models scale the target otherwise.
    """
    scalings = [(model.scaler_.mean[column], model.scaler_.scale[column]) for model, column in parts]
    if not np.allclose(scalings, scalings[0], rtol=1e-9):
        raise ValueError(f"the models were not trained on the same crystals: targets scaled by {scalings}")
    (first, column), *_ = parts
    first.save(path)
    description, _ = read_model(path)
    # Kernel (width, T) and bias (T,) of the last layer are the last arrays of a network.
    networks = [
        [*weights[:-2], *(array[..., own : own + 1] for array in weights[-2:])]
        for model, own in parts
        for weights in model.weights_
    ]
    description["scaler"] = {"mean": scalings[0][:1], "scale": scalings[0][1:]}
    description["training"]["target"] = [description["training"]["target"][column]]
    description["target_shape"] = []
    description["parameters"] |= parameters | {"n_ensemble": len(networks)}
    write_model(path, description, [array for weights in networks for array in weights])


def model_card(name: str, size: int, result: dict[str, Any]) -> str:
    """Tell what a shipped model is from its result file.

    Args:
        name: Of the model.
        size: Of its file in bytes.
        result: What ``train_mp2018.py`` has written of it.

    Returns:
        Markdown.
    """
    ((_, errors),) = result["errors"].items()
    heading = f'# Model `{name}`\n\n`AMDNetRegressor.from_pretrained("{name}")`\n\n| | |\n|---|---|'
    lines = [heading, *(f"| {key} | {value} |" for key, value in _facts(size, result).items())]
    lines += ["", f"## Error on the validation part ({errors['unit']})", ""]
    lines += ["| kind | crystals | MAE |", "|---|---|---|"]
    lines += [
        f"| {division}: {label.partition(': ')[2] or label} | {part['n']:,} | {part['mae']:.3f} |"
        for division, parts in errors["by kind"].items()
        for label, part in parts.items()
        if part["n"] >= FEWEST
    ]
    return "\n".join([*lines, "", LIMITS.format(fewest=FEWEST)])


def _facts(size: int, result: dict[str, Any]) -> dict[str, str]:
    """The first table of a card."""
    ((target, errors),) = result["errors"].items()
    unit, members = errors["unit"], result["members"]
    return {
        "predicts": f"{target} in {unit}, as the Materials Project has it (PBE, PBE+U)",
        "data": f"{result['n_train']:,} crystals, the training part of the Materials Project snapshot "
        "2018.6.1 (the published MEGNet/ALIGNN split) as far as structures could be had, all chemistries",
        "licence of the data": "Materials Project, CC BY 4.0: A. Jain et al., APL Materials 1, 011002 "
        "(2013), doi 10.1063/1.4812323",
        "networks": f"{len(members)} of {result['parameters_per_network']:,} parameters: "
        + "; ".join(f"{name}, MAE {error:.4f}" for name, error in members.items()),
        "settings": "those of the runs of these names in `benchmarks/train_mp2018.py`",
        "training": f"{result['seconds'] / 60:.0f} minutes on {result['device']}; epochs judged by the "
        "validation part",
        "spread": "none, there is one network"
        if len(members) == 1
        else f"of {100 * result['within one std']:.0f}% of the validation part the error is below the "
        "standard deviation of `return_std=True`, which was scaled on it to be so for 68%",
        "error": f"MAE {errors['mae']:.4f} {unit}, median {errors['median']:.4f}, on the "
        f"{result['n_validation']:,} crystals of the validation part",
        "file": f"{size / 1e6:.1f} MB, plain arrays without pickle",
        "to make it again": "`python benchmarks/train_mp2018.py`",
    }
