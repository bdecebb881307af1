"""What is published, and what others reach on the same rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.matbench import leaderboard as board

GAP = "matbench_mp_gap"


def test_tasks_and_scores_are_those_of_matbench() -> None:
    from matbench.metadata import mbv01_metadata

    structure_tasks = {name for name, task in mbv01_metadata.items() if task.input_type == "structure"}
    assert set(board.TASKS) == structure_tasks
    for task in board.TASKS:
        assert board.is_classification(task) == (mbv01_metadata[task].task_type == "classification")
        entries = board.published(task)
        dummy = next(entry for entry in entries if entry.name == "Dummy")
        expected = 0.5 if board.is_classification(task) else mbv01_metadata[task].mad
        assert dummy.mean == pytest.approx(expected, rel=3e-3)
        means = [entry.mean for entry in entries]
        assert means == sorted(means, reverse=board.is_classification(task))
        assert board.place(task, means[0]) == 1
        worse = 0.9 if board.is_classification(task) else 1.1
        assert board.place(task, worse * means[-1]) == len(means) + 1
    assert board.DATE == "2024-01"


def test_peers_on_the_same_rows(tmp_path: Path) -> None:
    file = tmp_path / "peers.json"
    scores = {"rows": 7, "of": 9, "A": {"folds": [1.0, 3.0], "all_rows": 5.0}, "B": {"folds": [1.0, 1.0]}}
    file.write_text(json.dumps({GAP: scores}))
    first, second = board.peers_of(file, GAP, 7)
    assert (first.name, first.mean, first.std, first.folds) == ("B", 1.0, 0.0, (1.0, 1.0))
    assert (second.name, second.mean, second.std) == ("A", 2.0, 1.0)
    assert board.peers_of(file, GAP, 8) == []
    assert board.peers_of(file, "matbench_phonons", 7) == []


@pytest.mark.parametrize("text", ["[", "[]", '{"matbench_mp_gap": {"rows": 1, "A": {"mae": 2}}}'])
def test_peers__no_such_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "peers.json").write_text(text)
    with pytest.raises(DatasetError, match=r"peers\.json does not tell scores"):
        board.peers_of(tmp_path / "peers.json", GAP, 1)


def test_peers__as_they_are_published(shared_data: Path) -> None:
    file = shared_data / "matbench" / "leaderboard_on_these_rows.json"
    entries = {entry.name: entry for entry in board.peers_of(file, GAP, 82_316)}
    assert entries["ALIGNN"].mean == pytest.approx(0.1841, abs=5e-5)
    assert len(entries["ALIGNN"].folds) == 5
