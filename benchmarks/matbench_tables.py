"""Tables of the scores on MatBench: each task a row, ours beside the others on the same crystals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from common import RESULTS
from tables import grid, read, table

from amdnet_matminer.matbench.leaderboard import DATE, FOLDS, TASKS, is_classification, published, unit_of
from amdnet_matminer.matbench.report import with_spread
from amdnet_matminer.matbench.settings import RECIPES
from amdnet_matminer.matbench.tasks import n_official_rows

Result = dict[str, Any]
"""A file as ``amdnet matbench report --publish`` writes it."""

OURS = {"amdnet": "from scratch", "amdnet-finetuned": "fine-tuned"}
"""Networks that are put beside the others, and how a table calls them; all else is in a table of its own."""
PEERS = ("RF", "CGCNN", "ALIGNN", "DeeperGATGNN", "coNGN")
"""How the names of those begin that every table shows."""
NETWORK_SINCE = "2026-11-27T12:10:33+00:00"
"""Date of revision bcf8a34, which made the default network what it is."""
EARLIER = "†: with the default network before, and its settings"


class Board(NamedTuple):
    """All that is known of a task."""

    task: str
    results: Mapping[str, Result]
    """Ours, at least one, by what they are called; all of the same rows."""

    @property
    def name(self) -> str:
        """The task and its unit, or its measure where that is no error."""
        unit = "ROC-AUC" if is_classification(self.task) else unit_of(self.task).replace("unitless", "")
        return self.task.removeprefix("matbench_") + f" ({unit})" * bool(unit)

    @property
    def rows(self) -> str:
        """How many of the official rows ours are of."""
        of = n_official_rows(self.task)
        return f"{self.n_rows:,} of {of:,}" if self.n_rows < of else f"all {of:,}"

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        (number,) = {_n_rows(result) for result in self.results.values()}
        return number

    @property
    def folds(self) -> list[int]:
        """The most folds that one of the networks was run on, or one of ours where no network was."""
        networks = [result for name, result in self.results.items() if name in OURS]
        return max((_folds_of(result) for result in networks or self.results.values()), key=len)

    @property
    def by_fold(self) -> dict[str, list[float]]:
        """What others score on the same rows of each fold, by their published predictions."""
        found = (result.get("peers on these rows") for result in self.results.values())
        return next((peers for peers in found if peers), {})

    def others(self, folds: Sequence[int]) -> dict[str, float]:
        """What others score, from the best on.

        Args:
            folds: Those of ours that they are put beside.

        Returns:
            Of all rows and folds the leaderboard's scores, else the means on the same rows and folds; where
            these are not known of all rows the leaderboard's of five folds, and of fewer rows none.
        """
        is_whole = self.n_rows == n_official_rows(self.task)
        if is_whole and (len(folds) == len(FOLDS) or not self.by_fold):
            scores = {entry.name: entry.mean for entry in published(self.task)}
        else:
            scores = {name: float(np.mean([of[n] for n in folds])) for name, of in self.by_fold.items()}
        return dict(sorted(scores.items(), key=lambda item: item[1], reverse=is_classification(self.task)))

    def score(self, name: str) -> str:
        """The score of one of ours, in bold where all folds are there and it is better than all others."""
        result = self.results.get(name)
        if result is None:
            return ""
        folds = _folds_of(result)
        text = with_spread(result["mean"], result["std"], len(folds))
        if len(folds) < len(FOLDS):
            text += f" (fold {', '.join(map(str, folds))} only)"
        elif (best := next(iter(self.others(folds).values()), None)) is not None:
            ahead = result["mean"] - best if is_classification(self.task) else best - result["mean"]
            text = f"**{text}**" if ahead > 0 else text
        return text + " †" * (name in OURS and _first_date(result) < NETWORK_SINCE)

    def absent_leader(self) -> str:
        """Who leads on all rows and folds, if that is none of those that ours are put beside."""
        leader = published(self.task)[0]
        if any(leader.name.startswith(name) for name in self.others(self.folds)):
            return ""
        return f"{leader.name} of {self.task.removeprefix('matbench_')} ({leader.mean:.4g})"

    def best_other(self) -> str:
        """The best of the others and its score, with its folds where they are not those of ours."""
        differ = ", five folds" * (len(self.folds) < len(FOLDS) and not self.by_fold)
        return next((f"{score:.4g} ({name}{differ})" for name, score in self.others(self.folds).items()), "")

    def peer(self, beginning: str) -> str:
        """The score of another whose name begins so."""
        found = (score for name, score in self.others(self.folds).items() if name.startswith(beginning))
        return next((f"{score:.4g}" for score in found), "")


def boards() -> list[Board]:
    """The tasks that were run, in the leaderboard's order."""
    results = [read(path) for path in sorted(RESULTS.glob("matbench_*.json"))]
    by_task = [(task, {_name_of(r): r for r in results if r["task"] == task}) for task in TASKS]
    return [Board(task, own) for task, own in by_task if own]


def front_page() -> str:
    """The table of the README: a line for each task on which a network was run."""
    every = [board for board in boards() if OURS.keys() & board.results.keys()]
    rows = [
        [board.name, board.rows, *(board.score(name) for name in OURS), board.best_other()] for board in every
    ]
    title = (
        "MatBench's official folds, mean absolute error of one network (of mp_is_metal the area under the "
        "ROC curve of the classes), and the best of the others on the same rows whose score there is known; "
        "in bold: better than that. "
        f"{_beginnings(every)} {EARLIER}.{_absent(every)}"
    )
    return f"{title}\n\n{grid(['task', 'rows', *OURS.values(), 'best of the others'], rows)}"


def scores() -> str:
    """Scores beside the published ones."""
    every = boards()
    rows = [
        [
            board.name,
            board.rows,
            *(board.score(name) for name in OURS),
            board.best_other(),
            *map(board.peer, PEERS),
        ]
        for board in every
    ]
    title = (
        "**MatBench.** Official folds, mean ± standard deviation over them, one network, seed 0, CPU. "
        f"{_beginnings(every)} Others: the leaderboard of {DATE}; of a task that lacks rows, what they reach "
        "on the same rows of the same folds, by their published predictions. In bold: better than all of "
        "them. mp_is_metal is an area under the ROC curve, all others are mean absolute errors. "
        f"{EARLIER}.{_absent(every)}"
    )
    heads = ["task", "rows", *OURS.values(), "best of the others", *PEERS]
    return table(title, heads, rows, *(r for board in every for r in board.results.values()))


def baselines() -> str:
    """All else that was run on the same folds."""
    every = [board for board in boards() if board.results.keys() - OURS.keys()]
    names = sorted({name for board in every for name in board.results} - OURS.keys())
    rows = [[board.name, *(board.score(name).strip("*") for name in names)] for board in every]
    title = (
        "**Beside it on the same folds:** the network as published in 2021, random forests on motif features "
        "and on Magpie's, the mean of the training part."
    )
    return table(title, ["task", *(f"`{name}`" for name in names)], rows)


def fold_by_fold() -> str:
    """Each fold of the networks, beside the best of the others on the same rows, and what they took."""
    rows = [row for board in boards() for row in _fold_rows(board)]
    title = (
        "**Fold by fold,** beside the best of the others whose predictions are published. Time is that on "
        "the clock for training and prediction of the folds together, mostly on one core beside other "
        "programs, so that it compares nothing; ≥: of a fold that was gone on with only the last run counts. "
        "Memory is the largest of one."
    )
    heads = ["task", "model", *(f"fold {number}" for number in FOLDS), "time", "memory"]
    return table(title, heads, rows)


def _fold_rows(board: Board) -> list[list[str]]:
    rows = [[OURS[name], *_fold_cells(board.results[name])] for name in OURS if name in board.results]
    of_best = next((name for name in board.others(board.folds) if name in board.by_fold), None)
    if rows and of_best is not None:
        rows.append([of_best, *(f"{score:.4g}" for score in board.by_fold[of_best]), "", ""])
    return [[board.name if not number else "", *row] for number, row in enumerate(rows)]


def _fold_cells(result: Result) -> list[str]:
    """The score of each fold, time and memory."""
    folds = result["folds"]
    by_number = {fold["fold"]: f"{fold['scores'][result['metric']]:.4g}" for fold in folds}
    minutes = sum(fold["training_s"] + fold["prediction_s"] for fold in folds) / 60
    at_least = "≥ " * any(fold.get("resumed") for fold in folds)
    memory = max(fold["peak_memory_mb"] for fold in folds) / 1e3
    time = f"{at_least}{minutes:.0f} min"
    return [*(by_number.get(number, "") for number in FOLDS), time, f"{memory:.1f} GB"]


def _name_of(result: Result) -> str:
    """What a result is called: its model, of an ensemble with the number of networks."""
    networks = result["settings"].get("n_ensemble", 1)
    return str(result["model"]) + (f", {networks} networks" if networks > 1 else "")


def _beginnings(every: Sequence[Board]) -> str:
    """What the pretrained networks among the results began with."""
    starts = {r["pretrained"] for board in every for r in board.results.values() if r.get("pretrained")}
    names = ", ".join(f"`{start}`" for start in sorted(starts))
    return f"Fine-tuned: begun from half of the weights of {names}." if names else ""


def _absent(every: Sequence[Board]) -> str:
    """A sentence on the leaders that ours could not be put beside."""
    names = [name for board in every if (name := board.absent_leader())]
    others = "Where rows or folds are missing, the others are those whose predictions are known"
    return f" {others}; not among them are the leaders on all rows {', '.join(names)}." if names else ""


def _n_rows(result: Result) -> int:
    return int(result["origin"].get("rows", n_official_rows(result["task"])))


def _folds_of(result: Result) -> list[int]:
    return [fold["fold"] for fold in result["folds"]]


def _first_date(result: Result) -> str:
    """When the first fold was made, as far as it is known."""
    return min(fold.get("date", result["date"]) for fold in result["folds"])


def recipes() -> str:
    """How the networks learn each task, and why so."""
    rows = [
        [task, ", ".join(f"{name} {value}" for name, value in recipe.settings.items()), recipe.reason]
        for task, recipe in RECIPES.items()
    ]
    title = (
        "**Settings of the networks on MatBench**, chosen by the size of a training part and by trials "
        "within training parts, but for the epochs of the mp tasks; nothing is kept for validation, and all "
        "others are the estimator's defaults."
    )
    return table(title, ["task", "settings", "why"], rows)
