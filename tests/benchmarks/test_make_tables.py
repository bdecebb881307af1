"""The tables of the front page."""

from __future__ import annotations

from typing import Any

import make_tables
import pytest


@pytest.fixture
def result() -> dict[str, Any]:
    fold = {"training_s": 60.0, "prediction_s": 0.0}
    return {
        "task": "matbench_mp_gap",
        "model": "amdnet",
        "metric": "mae",
        "mean": 0.2,
        "std": 0.01,
        "settings": {"n_ensemble": 1},
        "origin": {"rows": 106_113, "of": 106_113},
        "peers on these rows": {"RF": [0.34] * 5, "ALIGNN": [0.16, 0.18, 0.18, 0.2, 0.18]},
        "folds": [fold | {"fold": number} for number in range(5)],
    }


def test_matbench(result: dict[str, Any]) -> None:
    leaderboard = make_tables.read(make_tables.ROOT / "amdnet_matminer" / "matbench" / "leaderboard.json")
    tasks = leaderboard["tasks"]
    name = "matbench_mp_gap, five folds"
    row = make_tables._matbench_row(result, tasks)
    peers = ["0.3452", "0.2972", "0.1861", "0.1694", "0.1697"]
    assert row == [name, "all", "amdnet", "0.2 ± 0.01 eV", "0.1559 (coGN)", *peers, "5 min"]
    result["origin"]["rows"] = 82_316
    row = make_tables._matbench_row(result, tasks)
    assert row[1] == "82,316 of 106,113"
    assert row[4:10] == ["0.18 (ALIGNN)", "0.34", "", "0.18", "", ""]
    result["peers on these rows"] = {}
    assert make_tables._matbench_row(result, tasks)[4:10] == [""] * 6


def test_matbench__others_on_the_same_folds(result: dict[str, Any]) -> None:
    leaderboard = make_tables.read(make_tables.ROOT / "amdnet_matminer" / "matbench" / "leaderboard.json")
    result |= {"folds": result["folds"][:2], "pretrained": "a-model"}
    result["origin"]["rows"] = 82_316
    row = make_tables._matbench_row(result, leaderboard["tasks"])
    assert row[0] == "matbench_mp_gap, fold 0, 1 only"
    assert row[2] == "amdnet, pretrained: a-model"
    assert row[4] == "0.17 (ALIGNN)"


def test_a_table_tells_the_commits_it_is_of() -> None:
    results = [
        {"date": "2026-02-01", "revision": "b" * 40},
        {"date": "2026-01-01", "revision": "a" * 40 + "-dirty"},
        {"date": "2026-03-01", "revision": "b" * 40},
        {"date": "2026-04-01", "revision": None},
    ]
    text = make_tables.table("**Title.**", ["x"], [["1"]], *results)
    assert text.splitlines()[0] == "**Title.** Revisions aaaaaaa+, bbbbbbb, unknown."
