"""The benchmark of fine-tuning, on few crystals."""

from __future__ import annotations

import json

import fine_tuning
import pytest

from amdnet_matminer.datasets import oxides


@pytest.fixture
def written(monkeypatch, tmp_path):
    kept = {}
    table = oxides().iloc[:30][["structure", "ewald_energy_per_atom"]]
    table.index = [f"mb-phonons-{number:04d}" for number in range(1, 31)]
    monkeypatch.setattr(fine_tuning, "load_matbench", lambda task, folder: table)
    monkeypatch.setitem(fine_tuning.SETTINGS, "epochs", 1)
    monkeypatch.setattr(fine_tuning, "N_SCORED", 3)
    monkeypatch.setattr(fine_tuning, "write_result", lambda name, result, dirty: kept.update({name: result}))
    return kept


def run(monkeypatch, work, *words):
    given = ["fine_tuning.py", "--allow-dirty", "--tasks", "matbench_phonons", "--work", work, *words]
    monkeypatch.setattr("sys.argv", list(map(str, given)))
    fine_tuning.main()


def test_every_beginning_learns_the_same_crystals_once(written, monkeypatch, tmp_path):
    words = ("--sizes", 5, "--seeds", 0, "--starts", "scratch", "mp2018-band-gap")
    run(monkeypatch, tmp_path, *words)
    runs = written["fine_tuning"]["runs"]
    assert [(row["start"], row["share"], row["n_scored"]) for row in runs] == [
        ("mp2018-band-gap", 0.5, 3),
        ("scratch", 1.0, 3),
    ]
    assert runs[0]["mae"] != runs[1]["mae"]
    monkeypatch.setattr(fine_tuning, "AMDNetRegressor", None)
    run(monkeypatch, tmp_path, *words)
    assert json.dumps(written["fine_tuning"]["runs"]) == json.dumps(runs)


def test_no_test_crystal_is_read(written):
    assert 15 <= len(fine_tuning.crystals_of("matbench_phonons", None)) < 30


def test_an_unknown_start_is_refused(written, monkeypatch, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(monkeypatch, tmp_path, "--starts", "mp-gap")
    assert "--starts mp-gap: choose of scratch, " in capsys.readouterr().err
