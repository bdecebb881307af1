"""What folds tell about a model: scores, place on the leaderboard, errors by chemistry, costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Composition
from sklearn.metrics import roc_auc_score

from matbench_runner.folds import Fold
from matbench_runner.leaderboard import is_classification, metric_of, place
from matbench_runner.options import FOLDS

CHEMISTRIES = (
    ("oxides", ("O",)),
    ("halides", ("F", "Cl", "Br", "I")),
    ("chalcogenides", ("S", "Se", "Te")),
    ("pnictides", ("N", "P", "As", "Sb")),
    ("carbides, borides, silicides, hydrides", ("C", "B", "Si", "Ge", "H")),
)
"""Groups of compounds by their anion."""
METALS = "metals and others"
_ANIONS = ("F", "O", "Cl", "N", "Br", "I", "S", "Se", "C", "H", "P", "As", "Te", "Sb", "B", "Ge", "Si")
"""The most electronegative first; metals that are more so than some of these are no anions."""


class Summary(NamedTuple):
    """A model on a task."""

    task: str
    """Name of the task."""
    model: str
    """One of ``models.MODELS``."""
    folds: list[int]
    """Numbers of the folds that are there."""
    scores: list[float]
    """Of each fold, by the metric that the task is ranked by."""
    mean: float
    """Of the scores."""
    std: float
    """Standard deviation of the scores over the folds."""
    place: int | None
    """On the leaderboard, the best being 1; None until all folds are there."""
    official: bool
    """Whether the crystals are from the official file, by its SHA-256."""
    auc: float | None
    """Of a classification the ROC-AUC of the probabilities, averaged over the folds."""
    training_s: float
    """Time that a fold trained, on average."""
    starts: int
    """The most runs that a fold took; the time is of the last only."""
    device: str
    """What trained."""
    model_bytes: int
    """Size of a trained model."""
    true: NDArray
    """Labels of the test crystals of all folds, shape (S,)."""
    predicted: NDArray[np.float64]
    """Predictions, shape (S,)."""
    formula: list[str]
    """Reduced formulas, S."""


def summarise(folds: Sequence[Fold]) -> Summary:
    """Put together folds of one model and task.

    Args:
        folds: At least one.

    Returns:
        The summary.
    """
    job, measured = folds[0]["job"], [fold["measured"] for fold in folds]
    task = job["task"]
    scores = [fold["recorded"]["scores"][metric_of(task)] for fold in folds]
    mean = float(np.mean(scores))
    return Summary(
        task=task,
        model=job["model"],
        folds=[fold["job"]["fold"] for fold in folds],
        scores=scores,
        mean=mean,
        std=float(np.std(scores)),
        place=place(task, mean) if len(folds) == len(FOLDS) else None,
        official=folds[0]["origin"]["official"],
        auc=_auc(folds) if is_classification(task) else None,
        training_s=float(np.mean([part["training_s"] for part in measured])),
        starts=max(part["starts"] for part in measured),
        device=", ".join(dict.fromkeys(part["device"] for part in measured)),
        model_bytes=max(part["model_bytes"] for part in measured),
        true=np.array([label for fold in folds for label in fold["true"].values()]),
        predicted=np.array([fold["recorded"]["data"][name] for fold in folds for name in fold["true"]]),
        formula=[fold["formula"][name] for fold in folds for name in fold["true"]],
    )


def summaries(folds: Iterable[Fold]) -> list[Summary]:
    """A summary for each model and task among folds, in their order."""
    groups: dict[tuple[str, str], list[Fold]] = defaultdict(list)
    for fold in folds:
        groups[fold["job"]["task"], fold["job"]["model"]].append(fold)
    return [summarise(group) for group in groups.values()]


def chemistry_of(formula: str) -> str:
    """The group in ``CHEMISTRIES`` that a compound belongs to, or ``METALS``."""
    symbols = {element.symbol for element in Composition(formula).elements}
    anion = next((anion for anion in _ANIONS if anion in symbols), None)
    return next((name for name, anions in CHEMISTRIES if anion in anions), METALS)


def errors_of(summary: Summary) -> NDArray[np.float64]:
    """Absolute errors; of a classification 1 for each wrong class and 0 for each right one, shape (S,)."""
    if is_classification(summary.task):
        return np.asarray((summary.predicted > 0.5) != summary.true, dtype=np.float64)
    return np.abs(summary.predicted - summary.true)


def error_by(groups: Sequence[Iterable[str]], errors: NDArray[np.float64]) -> dict[str, tuple[float, int]]:
    """Average errors over groups.

    Args:
        groups: Of each crystal, the groups that it belongs to, S.
        errors: Shape (S,).

    Returns:
        Mean error and number of crystals by group.
    """
    members: dict[str, list[float]] = defaultdict(list)
    for names, error in zip(groups, errors, strict=True):
        for name in names:
            members[name].append(float(error))
    return {name: (float(np.mean(values)), len(values)) for name, values in members.items()}


def as_result(summary: Summary, folds: Sequence[Fold]) -> dict[str, Any]:
    """What benchmarks/results keeps of a summary: scores, settings and costs, without the predictions."""
    own = [
        fold for fold in folds if (fold["job"]["task"], fold["job"]["model"]) == (summary.task, summary.model)
    ]
    measured = [fold["measured"] for fold in own]
    left_out = ("true", "predicted", "formula", "scores", "folds")
    return {name: value for name, value in summary._asdict().items() if name not in left_out} | {
        "metric": metric_of(summary.task),
        "origin": own[0]["origin"],
        "settings": own[0]["settings"],
        "folds": [
            {"fold": number, "scores": fold["recorded"]["scores"]} | part
            for number, fold, part in zip(summary.folds, own, measured, strict=True)
        ],
    }


def _auc(folds: Sequence[Fold]) -> float:
    parts = [
        ([fold["true"][n] for n in fold["true"]], [fold["recorded"]["data"][n] for n in fold["true"]])
        for fold in folds
    ]
    return float(np.mean([roc_auc_score(true, predicted) for true, predicted in parts]))
