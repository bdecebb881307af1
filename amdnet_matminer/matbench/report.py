"""The report: our scores beside those of others, with errors and costs, as one page and as Markdown."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any, NamedTuple

import pandas as pd

from amdnet_matminer.files import write_atomically
from amdnet_matminer.matbench.leaderboard import (
    DATE,
    FOLDS,
    NAMES,
    SOURCE,
    TASKS,
    Entry,
    is_classification,
    metric_of,
    peers_of,
    published,
    unit_of,
)
from amdnet_matminer.matbench.models import MODELS
from amdnet_matminer.matbench.options import Options
from amdnet_matminer.matbench.rendering import templates
from amdnet_matminer.matbench.summary import Summary
from amdnet_matminer.plots import parity_plot, plot_elements, unshown_figure


class Table(NamedTuple):
    """A table of texts."""

    heads: list[str]
    rows: list[list[str]]
    own: list[bool]
    """Whether a row is of this run."""


def write_report(found: Sequence[Summary], options: Options) -> list[Path]:
    """Write ``report.html`` and ``report.md``.

    Args:
        found: Of each model and task.
        options: What was asked for.

    Returns:
        The two files.

    Raises:
        DatasetError: The file of peers is none.
        MissingDependencyError: matplotlib is not installed.
    """
    texts = {"report.html": page(found, options.peers), "report.md": markdown(found)}
    for name, text in texts.items():
        write_atomically(options.output_dir / name, text.encode())
    return [options.output_dir / name for name in texts]


def markdown(found: Sequence[Summary]) -> str:
    """The table of all scores, for a README."""
    return templates().get_template("report.md.jinja").render(table=overview(found), source=_source())


def page(found: Sequence[Summary], peers: Path | None = None) -> str:
    """The page, with everything in it.

    Args:
        found: Of each model and task.
        peers: File with scores of others on the same rows.

    Returns:
        HTML that refers to nothing outside.

    Raises:
        DatasetError: ``peers`` is no such file.
        MissingDependencyError: matplotlib is not installed.
    """
    tasks = sorted({summary.task for summary in found}, key=TASKS.index)
    by_task = {task: _best_first([one for one in found if one.task == task]) for task in tasks}
    sections = [_section(task, ours, peers) for task, ours in by_task.items()]
    template = templates(autoescape=True).get_template("report.html.jinja")
    return template.render(overview=overview(found), source=_source(), sections=sections)


def overview(found: Sequence[Summary]) -> Table:
    """A row of each model and task."""
    ordered = sorted(found, key=lambda summary: TASKS.index(summary.task))
    rows = [_overview_row(summary) for summary in ordered]
    return Table(list(rows[0]), [list(row.values()) for row in rows], [True] * len(rows))


def _overview_row(summary: Summary) -> dict[str, str]:
    best, n_published = published(summary.task)[0], len(published(summary.task))
    metric = unit_of(summary.task) if metric_of(summary.task) == "mae" else NAMES["rocauc"]
    return {
        "task": short(summary.task) + ("" if summary.origin.official else " *"),
        "model": MODELS[summary.model].algorithm,
        "pretrained": summary.pretrained or "no",
        "score": f"{with_spread(summary.mean, summary.std, len(summary.numbers))} {metric}".strip(),
        "folds": _folds(summary),
        "rows": _rows(summary),
        "place": f"{summary.place} of {n_published + 1}" if summary.place else "–",
        "best published, all rows": f"{best.mean:.4g} ({best.name})",
        "training of a fold": _training_time(summary),
        "memory": f"{max(summary.measured('peak_memory_mb'), default=float('nan')) / 1e3:.1f} GB",
        "size": f"{max(summary.measured('model_bytes')) / 1e6:.1f} MB",
    }


def _section(task: str, ours: Sequence[Summary], peers: Path | None) -> dict[str, Any]:
    """What the page says of a task."""
    others = [] if peers is None else peers_of(peers, task, ours[0].origin.rows)
    on_all_rows = ours[0].origin.is_complete
    board = published(task) if on_all_rows else others or published(task)
    return {
        "name": task,
        "short": short(task),
        "notes": _notes(ours, bool(others)),
        "board": _board(task, ours, board, comparable=on_all_rows or bool(others)),
        "by_fold": _by_fold(ours, others),
        "runs": _runs(ours),
        "errors": [_errors(summary) for summary in ours],
    }


def _notes(ours: Sequence[Summary], has_peers: bool) -> list[str]:
    origin = ours[0].origin
    notes = [str(origin)[:1].upper() + str(origin)[1:] + "."]
    if not origin.is_complete:
        notes.append("A score on part of the rows is no submission, and has no place on the leaderboard.")
        notes.append(
            "Others are scored on the same rows, from their published predictions."
            if has_peers
            else "Scores of others are of all rows, so they are not to be compared with; see --peers."
        )
    for summary in ours:
        if summary.pretrained is not None:
            notes.append(
                f"{MODELS[summary.model].algorithm} began with the weights of {summary.pretrained}, a model "
                "of other labels, and has no place; those of the leaderboard were trained from scratch."
            )
        if summary.auc is not None:
            notes.append(
                f"{MODELS[summary.model].algorithm}: ROC-AUC of the probabilities {summary.auc:.4f}; "
                "MatBench takes it of the classes."
            )
    return notes


def _board(task: str, ours: Sequence[Summary], others: Sequence[Entry], comparable: bool) -> Table:
    """Scores of others with ours, the best first; what has not all folds has no place."""
    rows: list[tuple[Entry, Summary | None]] = [(entry, None) for entry in others]
    rows += [(Entry(_own_name(summary), summary.mean, summary.std), summary) for summary in ours]
    rows.sort(key=lambda row: row[0].mean, reverse=is_classification(task))
    texts, place = [], 0
    for entry, own in rows:
        counts = comparable and (own is None or (own.has_all_folds and own.pretrained is None))
        place += counts
        spread = f" ± {entry.std:.4f}" if own is None or len(own.numbers) > 1 else ""
        texts.append([str(place) if counts else "–", entry.name, f"{entry.mean:.4f}{spread}"])
    heads = ["", "algorithm", f"{NAMES[metric_of(task)]} {unit_of(task)}".strip()]
    return Table(heads, texts, [own is not None for _, own in rows])


def _by_fold(ours: Sequence[Summary], others: Sequence[Entry]) -> Table:
    """The score of each fold, and of those that are there the mean and the spread."""
    scores = {_own_name(one): dict(zip(one.numbers, one.scores, strict=True)) for one in ours}
    n_own = len(scores)
    scores |= {entry.name: dict(enumerate(entry.folds)) for entry in others}
    rows = [
        [
            name,
            *(f"{of[fold]:.4f}" if fold in of else "–" for fold in FOLDS),
            f"{fmean(of.values()):.4f} ± {pstdev(of.values()):.4f}",
        ]
        for name, of in scores.items()
    ]
    heads = ["algorithm", *(f"fold {fold}" for fold in FOLDS), "mean ± spread"]
    return Table(heads, rows, [k < n_own for k in range(len(rows))])


def _runs(ours: Sequence[Summary]) -> Table:
    """How each model was made."""
    rows = [_run_row(summary) for summary in ours]
    return Table(list(rows[0]), [list(row.values()) for row in rows], [False] * len(rows))


def _run_row(summary: Summary) -> dict[str, str]:
    settings, made = summary.folds[0]["settings"], [fold["made"] for fold in summary.folds]
    done = sorted(int(epochs) for epochs in summary.measured("epochs_done"))
    range_done = " to ".join(dict.fromkeys(str(epochs) for epochs in (done[:1] + done[-1:])))
    asked = settings.get("epochs")
    dates = sorted(stamp["date"][:10] for stamp in made)
    return {
        "model": MODELS[summary.model].algorithm,
        "epochs": "–" if asked is None else f"{asked}, done {range_done}",
        "networks": str(settings.get("n_ensemble", "–")),
        "seed": str(settings.get("random_state", "–")),
        "date": " to ".join(dict.fromkeys((dates[0], dates[-1]))),
        "revision": ", ".join(dict.fromkeys(str(stamp["revision"] or "–")[:18] for stamp in made)),
        "device": _devices(summary),
        "versions": ", ".join(f"{name} {text}" for name, text in made[-1]["versions"].items()),
    }


def _errors(summary: Summary) -> dict[str, Any]:
    """Where a model errs."""
    kinds = summary.errors_by_kind()
    unit = "wrong classes" if is_classification(summary.task) else f"MAE ({unit_of(summary.task)})"
    rows = [
        [division, str(label).partition(": ")[2] or str(label), f"{number:,}", f"{mean:.4g}"]
        for division, table in kinds.items()
        for label, number, mean in table.itertuples()
    ]
    return {
        "name": MODELS[summary.model].algorithm,
        "caption": f"{len(summary.crystals):,} test crystals of {_folds(summary)}",
        "parity": _svg((4.6, 4.2), _draw_predictions, summary),
        "elements": _svg((7.4, 3.9), _draw_elements, summary, unit),
        "kinds": Table(["division", "crystals that are", "number", unit], rows, [False] * len(rows)),
    }


def _draw_predictions(ax: Any, summary: Summary) -> None:
    """Predicted against true values; of a classification how often each probability is given."""
    table = summary.crystals
    if not is_classification(summary.task):
        parity_plot(table.true, table.predicted, "value", unit_of(summary.task), ax=ax)
        return
    for label, name in ((True, "metals"), (False, "not metals")):
        ax.hist(table.predicted[table.true == label], bins=40, range=(0, 1), alpha=0.6, label=name)
    ax.set(xlabel="predicted probability of a metal", ylabel="crystals", yscale="log")
    ax.legend(frameon=False)


def _draw_elements(ax: Any, summary: Summary, label: str) -> None:
    errors = summary.errors_by_element()["mean"]
    plot_elements({str(symbol): float(error) for symbol, error in errors.items()}, label, ax=ax)


def _svg(size: tuple[float, float], draw: Callable[..., None], *arguments: Any) -> str:
    """A picture as the address of what it holds."""
    figure = unshown_figure(size)
    draw(figure.subplots(), *arguments)
    for axes in figure.axes:
        for collection in axes.collections:
            collection.set_rasterized(True)
    picture = BytesIO()
    figure.savefig(picture, format="svg", dpi=150, metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(picture.getvalue()).decode()


def _best_first(ours: Sequence[Summary]) -> list[Summary]:
    return sorted(ours, key=lambda summary: summary.mean, reverse=is_classification(ours[0].task))


def _source() -> str:
    return (
        f"Mean ± standard deviation over MatBench's official folds. Published: {SOURCE}, of {DATE}. "
        "* not the official file by its SHA-256."
    )


def _rows(summary: Summary) -> str:
    origin = summary.origin
    return "all" if origin.is_complete else f"{origin.rows:,} of {origin.of:,}"


def _folds(summary: Summary) -> str:
    return "all folds" if summary.has_all_folds else f"fold {', '.join(map(str, summary.numbers))} only"


def _own_name(summary: Summary) -> str:
    pretrained = "" if summary.pretrained is None else ", pretrained"
    return f"{MODELS[summary.model].algorithm}{pretrained} (this run, {_folds(summary)})"


def _training_time(summary: Summary) -> str:
    seconds = pd.Series(summary.measured("training_s")).mean()
    at_least = "≥ " if any(summary.measured("resumed")) else ""
    return f"{at_least}{duration(seconds)}, {_devices(summary)}"


def _devices(summary: Summary) -> str:
    return ", ".join(dict.fromkeys(fold["measured"]["device"] for fold in summary.folds))


def with_spread(mean: float, std: float, n: int) -> str:
    """The mean of n scores to four digits and, of more than one, their spread to the same decimal."""
    text = f"{mean:#.4g}".rstrip(".")
    decimals = len(text.partition(".")[2])
    return text if n == 1 else f"{text} ± {std:.{decimals}f}"


def duration(seconds: float) -> str:
    """A time in a unit that suits it."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def short(task: str) -> str:
    """A task's name without MatBench's."""
    return task.removeprefix("matbench_")
