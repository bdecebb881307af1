"""The tables of scores on MatBench."""

from __future__ import annotations

from typing import Any

import matbench_tables
import pytest
from matbench_tables import Board


@pytest.fixture
def result() -> dict[str, Any]:
    fold = {"training_s": 60.0, "prediction_s": 0.0, "peak_memory_mb": 2048.0, "scores": {"mae": 0.175}}
    return {
        "date": "2026-01-01",
        "revision": "a" * 40,
        "task": "matbench_mp_gap",
        "model": "amdnet",
        "metric": "mae",
        "mean": 0.175,
        "std": 0.01,
        "origin": {"rows": 106_113, "of": 106_113},
        "peers on these rows": {"RF": [0.34] * 5, "ALIGNN": [0.16, 0.18, 0.18, 0.2, 0.18]},
        "folds": [fold | {"fold": number} for number in range(5)],
    }


def board(*results: dict[str, Any]) -> Board:
    return Board("matbench_mp_gap", {result["model"]: result for result in results})


def test_all_rows_are_put_beside_the_leaderboard(result: dict[str, Any]) -> None:
    every = board(result)
    assert (every.name, every.rows) == ("mp_gap (eV)", "all 106,113")
    assert every.best_other() == "0.1559 (coGN)"
    assert every.score("amdnet") == "0.175 ± 0.01"
    assert every.score("amdnet-finetuned") == ""
    assert [every.peer(name) for name in ("RF", "ALIGNN", "nobody")] == ["0.3452", "0.1861", ""]


def test_part_of_the_rows_is_put_beside_others_on_the_same_rows(result: dict[str, Any]) -> None:
    result["origin"]["rows"] = 82_316
    part = board(result)
    assert part.rows == "82,316 of 106,113"
    assert part.best_other() == "0.18 (ALIGNN)"
    assert part.score("amdnet") == "**0.175 ± 0.01**"
    assert part.peer("CGCNN") == ""


def test_part_of_the_folds_is_put_beside_others_on_the_same_folds_and_never_called_best(
    result: dict[str, Any],
) -> None:
    result["origin"]["rows"] = 82_316
    result |= {"folds": result["folds"][1:2], "mean": 0.1}
    part = board(result)
    assert part.best_other() == "0.18 (ALIGNN)"
    assert part.score("amdnet") == "0.1 (fold 1 only)"


def test_nothing_is_best_where_others_are_not_known(result: dict[str, Any]) -> None:
    result["origin"]["rows"] = 82_316
    alone = board(result | {"peers on these rows": {}})
    assert (alone.best_other(), alone.score("amdnet")) == ("", "0.175 ± 0.01")
    beside = board(result | {"peers on these rows": {}}, result | {"model": "mean"})
    assert beside.best_other() == "0.18 (ALIGNN)"


def test_of_an_area_under_a_curve_the_largest_is_the_best(result: dict[str, Any]) -> None:
    result |= {"metric": "rocauc", "mean": 0.95, "peers on these rows": {"A": [0.9] * 5, "B": [0.92] * 5}}
    result["origin"] = {"rows": 82_316, "of": 106_113}
    metal = Board("matbench_mp_is_metal", {"amdnet": result})
    assert metal.best_other() == "0.92 (B)"
    assert metal.score("amdnet").startswith("**")


def test_folds_are_put_beside_the_best_whose_folds_are_known(
    result: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matbench_tables, "boards", lambda: [board(result)])
    *_, ours, others = matbench_tables.fold_by_fold().strip().splitlines()
    assert ours == "| mp_gap (eV) | new network | " + "0.175 | " * 5 + "5 min | 2.0 GB |"
    assert others == "|  | ALIGNN | 0.16 | 0.18 | 0.18 | 0.2 | 0.18 |  |  |"


def test_the_front_page_has_tasks_on_which_a_network_was_run(
    result: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = Board("matbench_phonons", {"mean": result | {"model": "mean"}})
    monkeypatch.setattr(matbench_tables, "boards", lambda: [board(result), alone])
    *_, last = matbench_tables.front_page().splitlines()
    assert last == "| mp_gap (eV) | all 106,113 | 0.175 ± 0.01 |  | 0.1559 (coGN) |"
    assert matbench_tables.baselines().endswith("0.175 ± 0.01 |\n\n")
