"""Result files: what a benchmark's results keep of a task and model, without the predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from amdnet_matminer.matbench.folds import write_json
from amdnet_matminer.matbench.leaderboard import metric_of, peers_of
from amdnet_matminer.matbench.provenance import check_clean, stamp
from amdnet_matminer.matbench.summary import Summary


def publish(summary: Summary, folder: Path, peers: Path | None = None) -> Path:
    """Write a result file.

    Args:
        summary: Of some folds; of fewer than all it is marked as incomplete.
        folder: Where the file goes.
        peers: A file that ``leaderboard.peers_of`` reads, whose scores are put beside ours.

    Returns:
        The file, ``<task>-<model>.json``, of an ensemble with its size.

    Raises:
        AMDNetError: A fold, or this checkout, is of no clean commit.
    """
    check_clean()
    check_clean(*(fold["made"]["revision"] for fold in summary.folds))
    networks = summary.folds[0]["settings"].get("n_ensemble", 1)
    file = folder / f"{summary.task}-{summary.model}{f'-x{networks}' if networks > 1 else ''}.json"
    write_json(file, stamp() | as_result(summary, peers), indent=2)
    return file


def as_result(summary: Summary, peers: Path | None = None) -> dict[str, Any]:
    """What a result file holds besides its own stamp.

    Args:
        summary: Of some folds.
        peers: As for ``publish``.

    Returns:
        Scores, settings and costs; of each fold the revision that it was made by.
    """
    # Of others the score of each fold, so that they can be compared on those that are here.
    others = [] if peers is None else peers_of(peers, summary.task, summary.origin.rows)
    return {
        "task": summary.task,
        "model": summary.model,
        "metric": metric_of(summary.task),
        "mean": summary.mean,
        "std": summary.std,
        "complete": summary.has_all_folds,
        "pretrained": summary.pretrained,
        "place": summary.place,
        "auc": summary.auc,
        "rows": summary.origin.rows_in_words(),
        "origin": summary.origin._asdict(),
        "peers on these rows": {entry.name: list(entry.folds) for entry in others},
        "settings": summary.folds[0]["settings"],
        "folds": [
            {
                "fold": fold["job"]["fold"],
                "scores": fold["recorded"]["scores"],
                "date": fold["made"]["date"],
                "revision": fold["made"]["revision"],
            }
            | fold["measured"]
            for fold in summary.folds
        ],
    }
