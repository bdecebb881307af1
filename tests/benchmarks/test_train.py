"""The training benchmarks end to end, on few crystals and with a tiny network."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import train_mp2018
import train_nomad2018

from amdnet_matminer import AMDNetRegressor, datasets

TINY = {"width": 8, "n_blocks": 1, "batch_size": 4}


@pytest.fixture
def written(monkeypatch, tmp_path):
    kept = {}

    def write(name, result):
        kept[name] = json.loads(json.dumps(result))
        (tmp_path / f"{name}.json").write_text(json.dumps(result))
        return tmp_path / f"{name}.json"

    for script in (train_mp2018, train_nomad2018):
        monkeypatch.setattr(script, "write_result", write)
    return kept


@pytest.fixture
def data(monkeypatch):
    table = datasets.oxides().iloc[:12]
    structures = list(table.structure)
    gap = np.linspace(0, 4, len(table))
    labels = {"band_gap": gap, "formation_energy_per_atom": -gap, "formation_energy_per_cation": -2 * gap}

    def load(name, **options):
        limit = options.get("limit") or len(table)
        return structures[:limit], pd.DataFrame(labels).iloc[:limit]

    for script in (train_mp2018, train_nomad2018):
        monkeypatch.setattr(script, "load_crystals", load)


def test_runs_are_trained_once_scored_and_shipped(data, written, tmp_path, monkeypatch):
    for name in [run for shipped in train_mp2018.SHIPPED.values() for run in shipped.runs]:
        tiny = train_mp2018.RUNS[name]._replace(parameters=TINY | {"epochs": 2})
        monkeypatch.setitem(train_mp2018.RUNS, name, tiny)
    both = train_mp2018.Shipped("formation_energy_per_atom", ("formation-energy", "band-gap"))
    monkeypatch.setitem(train_mp2018.SHIPPED, "mp2018-formation-energy", both)
    monkeypatch.setattr(train_mp2018, "pretrained_model_file", lambda name: tmp_path / f"{name}.amdnet")
    monkeypatch.setattr("sys.argv", ["train_mp2018.py", "--work", str(tmp_path / "work")])
    train_mp2018.main()
    result = written["train_mp2018-band-gap"]
    assert result["n_train"] == result["n_validation"] == 12
    assert set(result["errors"]) == {"band_gap", "formation_energy_per_atom"}
    by_kind = result["errors"]["band_gap"]["by kind"]
    assert sum(part["n"] for part in by_kind["chemistry"].values()) == 12
    assert len(result["history"]["val_mae"]) == 2
    for name, target, n_networks in (
        ("mp2018-band-gap", "band_gap", 2),
        ("mp2018-formation-energy", "formation_energy", 2),
    ):
        model = AMDNetRegressor.load(tmp_path / f"{name}.amdnet")
        assert len(model.weights_) == n_networks
        assert model.non_negative is (target == "band_gap")
        assert target in (tmp_path / f"{name}.md").read_text()
        assert len(written[f"pretrained-{name}"]["members"]) == n_networks
    assert (tmp_path / "train_mp2018-band-gap.png").stat().st_size > 10_000

    monkeypatch.setattr(train_mp2018, "train", None)
    before = dict(written)
    train_mp2018.main()
    assert written == before


def test_folds_are_trained_once_and_cover_all(data, written, tmp_path, monkeypatch):
    class Tiny(AMDNetRegressor):
        def __init__(self, **parameters):
            super().__init__(**TINY | parameters)

    monkeypatch.setattr(train_nomad2018, "AMDNetRegressor", Tiny)
    monkeypatch.setattr("sys.argv", ["train_nomad2018.py", "--epochs", "1", "--work", str(tmp_path)])
    train_nomad2018.main()
    result = written["train_nomad2018"]
    assert sum(fold["n_test"] for fold in result["folds"]) == 12
    mean = np.mean([fold["mae"]["band_gap"] for fold in result["folds"]])
    assert result["errors"]["band_gap"]["mae"] == pytest.approx(mean)

    monkeypatch.setattr(Tiny, "fit", lambda *_: pytest.fail("trained again"))
    train_nomad2018.main()
    assert written["train_nomad2018"] == result
