"""What the training benchmarks share: errors by kind of crystal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from amdnet_matminer import motif_graphs
from amdnet_matminer.matbench.kinds import SIZES, chemistry_of, interval_labels, mean_errors
from amdnet_matminer.plots import unshown_figure

Array = NDArray[np.float64]
Labels = NDArray[np.str_]

FEWEST = 20
"""Crystals that a row of a card is about, at least."""
GAPS = (0.0, 1.0, 3.0, 5.0)


def errors_by_kind(kinds: dict[str, Labels], error: Array) -> dict[str, dict[str, dict[str, float]]]:
    """Mean absolute errors of kinds of crystals.

    Args:
        kinds: Under the name of each division the label of each crystal, shape (S,).
        error: Absolute errors, shape (S,).

    Returns:
        By division and label the number of crystals and their MAE, in the unit of ``error``.
    """
    tables = {name: mean_errors(labels.tolist(), error) for name, labels in kinds.items()}
    return {
        name: {str(label): {"n": int(n), "mae": float(mae)} for label, n, mae in table.itertuples()}
        for name, table in tables.items()
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
        "chemistry": np.array([chemistry_of(structure.composition) for structure in structures]),
        "elements": np.array([str(min(len(s.composition), 5)) for s in structures]),
        "atoms per cell": interval_labels(np.array([float(len(s)) for s in structures]), SIZES),
        "commonest motif": np.array([_family(g.name) for g in motif_graphs(structures, n_jobs=n_jobs)]),
    }


def _family(names: NDArray[np.str_]) -> str:
    """The geometry that most motifs of a crystal have; their names are formula and geometry."""
    geometries = Counter(name.partition(" ")[2] for name in names.tolist())
    return min(geometries, key=lambda g: (-geometries[g], g)) if geometries else "no motifs"


def draw_errors(result: dict[str, Any], path: Path) -> None:
    """Draw the learning curve, and the errors of the first target by kind of crystal.

    Args:
        result: What ``train_models.py`` writes, with at most five divisions of crystals.
        path: The picture to write.
    """
    target, errors = next(iter(result["errors"].items()))
    figure = unshown_figure((11.0, 6.5))
    curve, *others = figure.subplots(2, 3).flat
    judged = next(name for name in result["history"] if name.startswith("val_"))
    curve.plot(result["history"][judged], color="#0072B2")
    curve.set(title="validation error of the training", xlabel="epoch", yscale="log")
    divisions = errors["by kind"]
    for axes in others[len(divisions) :]:
        axes.set_axis_off()
    for axes, (division, parts) in zip(others, divisions.items(), strict=False):
        shown = {label: part for label, part in parts.items() if part["n"] >= FEWEST}
        names = [f"{label.partition(': ')[2] or label} ({part['n']:,})" for label, part in shown.items()]
        axes.barh(names[::-1], [part["mae"] for part in shown.values()][::-1], color="#0072B2")
        axes.axvline(errors["mae"], color="0.4", linewidth=1)
        axes.set_title(division)
        axes.tick_params(axis="y", labelsize=7)
    measure = f"MAE ({errors['unit']})" if errors["unit"] else "part that is wrong"
    figure.suptitle(f"{target.replace('_', ' ')}: {measure} by kind of crystal; the line is all")
    figure.savefig(path, dpi=130)
