"""Tables of the scores on MatBench: each task a row, ours beside the others on the same crystals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from common import RESULTS
from tables import grid, read, table

from amdnet_matminer.matbench.leaderboard import DATE, FOLDS, TASKS, is_classification, published, unit_of
from amdnet_matminer.matbench.settings import RECIPES
from amdnet_matminer.matbench.tasks import n_official_rows

Result = dict[str, Any]
"""A file as ``amdnet matbench report --publish`` writes it."""

OURS = {"amdnet": "new network", "amdnet-finetuned": "from `mp2018-band-gap`"}
"""Models that are put beside the others, and how a table calls them."""
BASELINES = ("amdnet-2021", "rf-motif", "rf-magpie", "mean")
"""Models that are told apart from these."""
PEERS = ("RF", "CGCNN", "ALIGNN", "DeeperGATGNN", "coNGN")
"""How the names of those begin that every table shows."""


class Board(NamedTuple):
    """All that is known of a task."""

    task: str
    results: Mapping[str, Result]
    """Ours, by the name of the model."""

    @property
    def name(self) -> str:
        """The task and its unit."""
        unit = unit_of(self.task).replace("unitless", "")
        return self.task.removeprefix("matbench_") + f" ({unit})" * bool(unit)

    @property
    def rows(self) -> str:
        """How many of the official rows ours are of."""
        of = n_official_rows(self.task)
        return f"{self.n_rows:,} of {of:,}" if self.n_rows < of else f"all {of:,}"

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        first = next(iter(self.results.values()))
        return int(first["origin"].get("rows", n_official_rows(self.task)))

    @property
    def others(self) -> dict[str, float]:
        """What others score, from the best on: of all rows the leaderboard, else on the same rows and folds.

        There are none where nobody's scores on these rows are known.
        """
        if self.n_rows < n_official_rows(self.task):
            numbers = [fold["fold"] for fold in next(iter(self.results.values()))["folds"]]
            scores = {
                name: float(np.mean([folds[n] for n in numbers])) for name, folds in self.by_fold.items()
            }
        else:
            scores = {entry.name: entry.mean for entry in published(self.task)}
        return dict(sorted(scores.items(), key=lambda item: item[1], reverse=is_classification(self.task)))

    @property
    def by_fold(self) -> dict[str, list[float]]:
        """What others score on the same rows of each fold, by their published predictions."""
        found = (result.get("peers on these rows") for result in self.results.values())
        return next((peers for peers in found if peers), {})

    def score(self, model: str) -> str:
        """The score of one of ours, in bold where it is better than that of all others."""
        result = self.results.get(model)
        if result is None:
            return ""
        numbers = [fold["fold"] for fold in result["folds"]]
        spread = f" ± {result['std']:.2g}" if len(numbers) > 1 else ""
        which = "" if len(numbers) == len(FOLDS) else f" (fold {', '.join(map(str, numbers))} only)"
        text = f"{result['mean']:.4g}{spread}{which}"
        best = next(iter(self.others.values()), None)
        sign = -1 if is_classification(self.task) else 1
        is_best = best is not None and not which and sign * result["mean"] < sign * best
        return f"**{text}**" if is_best else text

    def best_other(self) -> str:
        """The best of the others and its score."""
        return next((f"{score:.4g} ({name})" for name, score in self.others.items()), "")

    def peer(self, beginning: str) -> str:
        """The score of another whose name begins so."""
        found = (score for name, score in self.others.items() if name.startswith(beginning))
        return next((f"{score:.4g}" for score in found), "")


def boards() -> list[Board]:
    """The tasks that were run, in the leaderboard's order."""
    results = [read(path) for path in sorted(RESULTS.glob("matbench_*.json"))]
    by_task = [(task, {r["model"]: r for r in results if r["task"] == task}) for task in TASKS]
    return [Board(task, own) for task, own in by_task if own]


def front_page() -> str:
    """The table of the README: a line for each task on which a network was run."""
    rows = [
        [board.name, board.rows, *(board.score(model) for model in OURS), board.best_other()]
        for board in boards()
        if OURS.keys() & board.results.keys()
    ]
    title = "MatBench's official folds, mean absolute error; in bold: better than all published."
    return f"{title}\n\n{grid(['task', 'rows', *OURS.values(), 'best of the others'], rows)}"


def scores() -> str:
    """Scores beside the published ones."""
    every = boards()
    rows = [
        [
            board.name,
            board.rows,
            *(board.score(model) for model in OURS),
            board.best_other(),
            *map(board.peer, PEERS),
        ]
        for board in every
    ]
    title = (
        f"**MatBench.** Official folds, mean ± standard deviation over them, one network, seed 0, CPU. "
        f"Others: the leaderboard of {DATE}; of a task that lacks rows, what they reach on the same rows of "
        "the same folds, by their published predictions. In bold: better than all of them. mp_is_metal is an "
        "area under the ROC curve, all others are mean absolute errors."
    )
    heads = ["task", "rows", *OURS.values(), "best of the others", *PEERS]
    return table(title, heads, rows, *(r for board in every for r in board.results.values()))


def baselines() -> str:
    """What else was run on the same folds."""
    every = [board for board in boards() if set(BASELINES) & board.results.keys()]
    rows = [[board.name, *(board.score(model).strip("*") for model in BASELINES)] for board in every]
    title = (
        "**Beside it on the same folds:** the network as published in 2021, random forests on motif features "
        "and on Magpie's, the mean of the training part."
    )
    return table(title, ["task", *(f"`{name}`" for name in BASELINES)], rows)


def fold_by_fold() -> str:
    """Each fold of the networks, beside the best of the others on the same rows, and what they took."""
    rows = [row for board in boards() for row in _fold_rows(board)]
    title = (
        "**Fold by fold,** beside the best of the others whose predictions are published. Time is that of "
        "one core for training and prediction of the folds together; memory the largest of one."
    )
    heads = ["task", "model", *(f"fold {number}" for number in FOLDS), "time", "memory"]
    return table(title, heads, rows)


def _fold_rows(board: Board) -> list[list[str]]:
    rows = []
    for model, name in OURS.items():
        if model in board.results:
            folds = board.results[model]["folds"]
            by_number = {fold["fold"]: fold["scores"][board.results[model]["metric"]] for fold in folds}
            minutes = sum(fold["training_s"] + fold["prediction_s"] for fold in folds) / 60
            memory = max(fold["peak_memory_mb"] for fold in folds)
            rows.append([name, *_cells(by_number), f"{minutes:.0f} min", f"{memory / 1024:.1f} GB"])
    of_best = next((name for name in board.others if name in board.by_fold), None)
    if rows and of_best is not None:
        rows.append([of_best, *_cells(dict(enumerate(board.by_fold[of_best]))), "", ""])
    return [[board.name if not number else "", *row] for number, row in enumerate(rows)]


def _cells(by_number: Mapping[int, float]) -> Sequence[str]:
    return [f"{by_number[number]:.4g}" if number in by_number else "" for number in FOLDS]


def recipes() -> str:
    """How the networks learn each task, and why so."""
    rows = [
        [task, ", ".join(f"{name} {value}" for name, value in recipe.settings.items()), recipe.reason]
        for task, recipe in RECIPES.items()
    ]
    title = (
        "**Settings of the networks on MatBench**, chosen by the size of a training part and by trials "
        "within training parts; nothing is kept for validation, and all others are the estimator's defaults."
    )
    return table(title, ["task", "settings", "why"], rows)
