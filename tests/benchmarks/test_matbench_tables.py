"""The tables of scores on MatBench."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matbench_tables
import pytest
from matbench_tables import Board


@pytest.fixture
def result() -> dict[str, Any]:
    fold = {"training_s": 60.0, "prediction_s": 0.0, "peak_memory_mb": 2048.0, "scores": {"mae": 0.175}}
    return {
        "date": "2026-12-01",
        "revision": "a" * 40,
        "task": "matbench_mp_gap",
        "model": "amdnet",
        "metric": "mae",
        "mean": 0.175,
        "std": 0.01,
        "settings": {"n_ensemble": 1},
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
    assert every.score("amdnet") == "0.1750 ± 0.0100"
    assert every.score("amdnet-finetuned") == ""
    assert [every.peer(name) for name in ("RF", "ALIGNN", "nobody")] == ["0.3452", "0.1861", ""]


def test_part_of_the_rows_is_put_beside_others_on_the_same_rows(result: dict[str, Any]) -> None:
    result["origin"]["rows"] = 82_316
    part = board(result)
    assert part.rows == "82,316 of 106,113"
    assert part.best_other() == "0.18 (ALIGNN)"
    assert part.score("amdnet") == "**0.1750 ± 0.0100**"
    assert part.peer("CGCNN") == ""


def test_a_leader_that_ours_are_not_put_beside_is_named(result: dict[str, Any]) -> None:
    assert board(result).absent_leader() == ""
    result["origin"]["rows"] = 82_316
    assert board(result).absent_leader() == "coGN of mp_gap (0.1559)"
    result["peers on these rows"]["coGN"] = [0.15] * 5
    assert board(result).absent_leader() == ""


def test_the_time_of_a_fold_that_was_gone_on_with_is_a_least_one(result: dict[str, Any]) -> None:
    rows = matbench_tables._fold_rows(board(result))
    assert rows[0][-2:] == ["5 min", "2.0 GB"]
    result["folds"][2]["resumed"] = True
    assert matbench_tables._fold_rows(board(result))[0][-2] == "≥ 5 min"


@pytest.mark.parametrize("n_rows", [82_316, 106_113])
def test_part_of_the_folds_is_put_beside_others_on_the_same_folds_and_never_called_best(
    result: dict[str, Any], n_rows: int
) -> None:
    result["origin"]["rows"] = n_rows
    result |= {"folds": result["folds"][:1], "mean": 0.1}
    part = board(result)
    assert part.best_other() == "0.16 (ALIGNN)"
    assert part.score("amdnet") == "0.1000 (fold 0 only)"


def test_folds_of_others_that_are_not_known_are_told(result: dict[str, Any]) -> None:
    result |= {"folds": result["folds"][1:3], "peers on these rows": {}}
    assert board(result).best_other() == "0.1559 (coGN, five folds)"


def test_a_score_is_put_beside_others_on_its_own_folds(result: dict[str, Any]) -> None:
    result["origin"]["rows"] = 82_316
    begun = result | {"folds": result["folds"][:1], "mean": 0.1}
    tuned = result | {"model": "amdnet-finetuned", "mean": 0.17}
    both = board(begun, tuned)
    assert both.score("amdnet") == "0.1000 (fold 0 only)"
    assert both.score("amdnet-finetuned") == "**0.1700 ± 0.0100**"
    assert both.best_other() == "0.18 (ALIGNN)"


def test_nothing_is_best_where_others_are_not_known(result: dict[str, Any]) -> None:
    result["origin"]["rows"] = 82_316
    alone = board(result | {"peers on these rows": {}})
    assert (alone.best_other(), alone.score("amdnet")) == ("", "0.1750 ± 0.0100")
    beside = board(result | {"peers on these rows": {}}, result | {"model": "mean"})
    assert beside.best_other() == "0.18 (ALIGNN)"


def test_results_of_other_rows_are_not_mixed(result: dict[str, Any]) -> None:
    other = result | {"model": "mean", "origin": {"rows": 82_316, "of": 106_113}}
    with pytest.raises(ValueError, match="too many values"):
        board(result, other).best_other()


def test_of_an_area_under_a_curve_the_largest_is_the_best(result: dict[str, Any]) -> None:
    result |= {"task": "matbench_mp_is_metal", "metric": "rocauc", "mean": 0.95}
    result |= {"peers on these rows": {"A": [0.9] * 5, "B": [0.92] * 5}}
    result["origin"] = {"rows": 82_316, "of": 106_113}
    metal = Board("matbench_mp_is_metal", {"amdnet": result})
    assert metal.best_other() == "0.92 (B)"
    assert metal.score("amdnet") == "**0.9500 ± 0.0100**"
    result["mean"] = 0.91
    assert metal.score("amdnet") == "0.9100 ± 0.0100"


def test_a_network_before_todays_is_marked(result: dict[str, Any]) -> None:
    result["folds"][2]["date"] = "2026-11-27T12:10:32+00:00"
    assert board(result).score("amdnet") == "0.1750 ± 0.0100 †"


def test_folds_are_put_beside_the_best_whose_folds_are_known(
    result: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matbench_tables, "boards", lambda: [board(result)])
    *_, ours, others = matbench_tables.fold_by_fold().strip().splitlines()
    assert ours == "| mp_gap (eV) | from scratch | " + "0.175 | " * 5 + "5 min | 2.0 GB |"
    assert others == "|  | ALIGNN | 0.16 | 0.18 | 0.18 | 0.2 | 0.18 |  |  |"


def test_no_result_is_left_out(
    result: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    several = result | {"settings": {"n_ensemble": 5}, "mean": 0.15}
    forest = result | {"task": "matbench_phonons", "model": "rf-motif"}
    forest["origin"] = {"rows": 1265, "of": 1265}
    tuned = result | {"model": "amdnet-finetuned", "pretrained": "a-model"}
    for number, one in enumerate((result, several, forest, tuned)):
        (tmp_path / f"matbench_{number}.json").write_text(json.dumps(one))
    monkeypatch.setattr(matbench_tables, "RESULTS", tmp_path)
    page = matbench_tables.front_page()
    assert "begun from half of the weights of `a-model`" in page
    score = "0.1750 ± 0.0100"
    assert page.splitlines()[-1] == f"| mp_gap (eV) | all 106,113 | {score} | {score} | 0.1559 (coGN) |"
    head, _, gaps, phonons = matbench_tables.baselines().strip().splitlines()[-4:]
    assert head == "| task | `amdnet, 5 networks` | `rf-motif` |"
    assert gaps == "| mp_gap (eV) | 0.1500 ± 0.0100 |  |"
    assert phonons == "| phonons (1/cm) |  | 0.1750 ± 0.0100 |"
