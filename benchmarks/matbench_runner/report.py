"""The report: our scores beside the leaderboard's, with errors and costs, as one page and as Markdown."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from matbench_runner.figures import by_chemistry, by_element, parity
from matbench_runner.files import write_whole
from matbench_runner.leaderboard import DATE, NAMES, SOURCE, TASKS, Entry, metric_of, published, unit_of
from matbench_runner.models import MODELS
from matbench_runner.options import FOLDS, Options
from matbench_runner.progress import duration
from matbench_runner.results import folds_of, models_with_folds
from matbench_runner.summary import Summary, summaries

HEADS = ("task", "model", "score", "folds", "place", "best published", "training of a fold", "size")
_OWN = ' class="own"'
_STYLE = """
:root { color-scheme: light; --ink: #1c2733; --soft: #5b6b7b; --line: #d9e0e7; --own: #e7f1fb;
  --link: #1f5f99; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.2rem 1rem 3rem; color: var(--ink); line-height: 1.5;
  font-family: system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; margin: 0.3rem 0; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 0.5rem; border-bottom: 1px solid var(--line);
  padding-bottom: 0.2rem; }
p, figcaption { color: var(--soft); }
nav a { color: var(--link); margin-right: 0.9rem; display: inline-block; padding: 0.2rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.28rem 0.8rem 0.28rem 0.3rem; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
.board td:nth-child(2) { white-space: normal; }
tr.own td { background: var(--own); font-weight: 600; }
summary { cursor: pointer; padding: 0.5rem 0; font-weight: 600; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1rem; }
figure { margin: 0; }
figure.wide { grid-column: 1 / -1; overflow-x: auto; }
img { width: 100%; height: auto; }
figure.wide img { min-width: 32rem; }
"""


def write_report(options: Options) -> list[Path]:
    """Write ``report.html`` and ``report.md`` of all folds that are there.

    Args:
        options: What was asked for.

    Returns:
        The two files.

    Raises:
        AMDNetError: Folds of a task differ in settings or crystals.
        MissingDependencyError: matplotlib is not installed.
    """
    folds = [fold for model in models_with_folds(options) for fold in folds_of(model, options)]
    found = sorted(summaries(folds), key=lambda summary: TASKS.index(summary.task))
    files = [options.folder / "report.html", options.folder / "report.md"]
    for file, text in zip(files, (page(found), markdown(found)), strict=True):
        write_whole(file, text)
    return files


def markdown(found: Sequence[Summary]) -> str:
    """The table of all scores, for a README."""
    lines = [HEADS, ["---"] * len(HEADS), *(_cells(summary) for summary in found)]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    return f"{table}\n\n{_source_note()}\n"


def page(found: Sequence[Summary]) -> str:
    """The page, with everything in it."""
    tasks = list(dict.fromkeys(summary.task for summary in found))
    links = "".join(f'<a href="#{task}">{_short(task)}</a>' for task in tasks)
    body = [
        "<h1>AMDNet on MatBench</h1>",
        f"<p>{escape(_source_note())}</p>",
        f"<nav>{links}</nav>",
        _table(HEADS, [(_cells(summary), False) for summary in found]),
        *(_section(task, [summary for summary in found if summary.task == task]) for task in tasks),
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>AMDNet on MatBench</title><style>{_STYLE}</style>"
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{"".join(body)}</body></html>\n'


def ranked(task: str, found: Iterable[Summary]) -> list[tuple[Entry, Summary | None]]:
    """Published scores and ours, the best first; the latter with their summaries."""
    ours: list[tuple[Entry, Summary | None]] = [
        (Entry(_own_name(summary), summary.mean, summary.std), summary) for summary in found
    ]
    both = [(entry, None) for entry in published(task)] + ours
    return sorted(both, key=lambda row: row[0].mean, reverse=metric_of(task) == "rocauc")


def _section(task: str, found: Sequence[Summary]) -> str:
    heads = ["", "algorithm", f"{NAMES[metric_of(task)]} {unit_of(task)}".strip()]
    details = "".join(
        _errors(summary, opened=not number) for number, summary in enumerate(_best_first(found))
    )
    board = _table(heads, _board(task, found), kind=' class="board"')
    return f'<section id="{task}"><h2>{task}</h2>{_notes(found)}{board}{details}</section>'


def _board(task: str, found: Sequence[Summary]) -> Iterator[tuple[list[str], bool]]:
    """The leaderboard with ours; what has not all folds has no place."""
    place = 0
    for entry, own in ranked(task, found):
        counts = own is None or own.place is not None
        place += counts
        spread = f" ± {entry.std:.4f}" if own is None or len(own.folds) > 1 else ""
        yield [str(place) if counts else "–", entry.name, f"{entry.mean:.4f}{spread}"], own is not None


def _notes(found: Sequence[Summary]) -> str:
    notes = []
    if not all(summary.official for summary in found):
        notes.append("The crystals are not from the official file by its SHA-256.")
    for summary in found:
        if summary.auc is not None:
            notes.append(
                f"{MODELS[summary.model]}: ROC-AUC of the probabilities {summary.auc:.4f}; "
                "MatBench takes it of the classes."
            )
    return "".join(f"<p>{escape(note)}</p>" for note in notes)


def _errors(summary: Summary, opened: bool) -> str:
    """Pictures of where a model errs."""
    name = escape(MODELS[summary.model])
    shown = (
        _figure(parity(summary), f"{name}: {len(summary.true):,} test crystals of {_folds(summary)}"),
        _figure(by_chemistry(summary), "Error by chemistry, with the number of crystals"),
        _figure(by_element(summary), "Error of the crystals that have an element", ' class="wide"'),
    )
    state = " open" if opened else ""
    return (
        f"<details{state}><summary>Errors of {name}</summary>"
        f'<div class="figures">{"".join(shown)}</div></details>'
    )


def _figure(svg: str, caption: str, kind: str = "") -> str:
    image = "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
    return f'<figure{kind}><img alt="{caption}" src="{image}"><figcaption>{caption}</figcaption></figure>'


def _table(heads: Sequence[str], rows: Iterable[tuple[Sequence[str], bool]], kind: str = "") -> str:
    """A table; rows that are marked are ours."""
    body = "".join(f"<tr{_OWN if own else ''}>{_in_tags('td', cells)}</tr>" for cells, own in rows)
    head = f"<thead><tr>{_in_tags('th', heads)}</tr></thead>"
    return f'<div class="scroll"><table{kind}>{head}<tbody>{body}</tbody></table></div>'


def _in_tags(tag: str, texts: Iterable[str]) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)


def _cells(summary: Summary) -> list[str]:
    """A model on a task, under ``HEADS``."""
    best = published(summary.task)[0]
    score = f"{summary.mean:.4g} ± {summary.std:.2g}" if len(summary.folds) > 1 else f"{summary.mean:.4g}"
    n_published = len(published(summary.task))
    at_least = "≥ " if summary.starts > 1 else ""
    return [
        _short(summary.task) + ("" if summary.official else " *"),
        MODELS[summary.model],
        f"{score} {_in_unit(summary.task)}".strip(),
        _folds(summary),
        f"{summary.place} of {n_published + 1}" if summary.place else "–",
        f"{best.mean:.4g} ({best.name})",
        f"{at_least}{duration(summary.training_s)}, {summary.device}",
        f"{summary.model_bytes / 1e6:.1f} MB",
    ]


def _source_note() -> str:
    return (
        f"Mean ± standard deviation over MatBench's official folds. Published: {SOURCE}, of {DATE}. "
        "* not the official file by its SHA-256."
    )


def _best_first(found: Sequence[Summary]) -> list[Summary]:
    return [own for _, own in ranked(found[0].task, found) if own is not None]


def _folds(summary: Summary) -> str:
    if len(summary.folds) == len(FOLDS):
        return "all folds"
    return f"fold {', '.join(map(str, summary.folds))} only"


def _own_name(summary: Summary) -> str:
    return f"{MODELS[summary.model]} (this run, {_folds(summary)})"


def _in_unit(task: str) -> str:
    return unit_of(task) if metric_of(task) == "mae" else NAMES[metric_of(task)]


def _short(task: str) -> str:
    return task.removeprefix("matbench_")
