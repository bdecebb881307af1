"""The training benchmarks end to end, on few crystals and with a tiny network."""

from __future__ import annotations

import json

import make_pretrained
import motif_features
import numpy as np
import pandas as pd
import pytest
import train_models
import train_nomad2018

from amdnet_matminer import AMDNetClassifier, AMDNetRegressor, Motif2Vec, datasets, pretrained

TINY = {"width": 8, "n_blocks": 1, "batch_size": 4}
TINY |= {"optimizer": "adamw"}  # compiled in half the time of muon's
SCRIPTS = (train_models, train_nomad2018, make_pretrained)


@pytest.fixture
def written(monkeypatch, tmp_path):
    kept = {}

    def write(name, result, allow_dirty):
        assert allow_dirty
        kept[name] = json.loads(json.dumps(result))
        (tmp_path / f"{name}.json").write_text(json.dumps(result))
        return tmp_path / f"{name}.json"

    for script in SCRIPTS:
        monkeypatch.setattr(script, "write_result", write)
    return kept


@pytest.fixture
def data(monkeypatch):
    table = datasets.oxides().iloc[:12]
    structures = list(table.structure)
    gap = np.linspace(0, 4, len(table))
    labels = {"band_gap": gap, "formation_energy_per_atom": -gap, "formation_energy_per_cation": -2 * gap}
    moduli = {"log10_K_VRH": gap, "log10_G_VRH": gap / 2}
    known = {"in_mp2018_train": np.arange(12) < 2, "apart_from_mp2018_val_test": np.arange(12) < 10}
    third_lacks = np.where(np.arange(12) == 3, np.nan, gap)
    others = {"gap_pbe": third_lacks, "e_form": np.roll(third_lacks, 1) + 10} | known

    def load(name, **options):
        limit = options.get("limit") or len(table)
        columns = {"matbench_elastic": moduli, "matbench_mp": others}.get(name, labels)
        return structures[:limit], pd.DataFrame(columns).iloc[:limit]

    for script in SCRIPTS:
        monkeypatch.setattr(script, "load_crystals", load)


def given(monkeypatch, *words):
    monkeypatch.setattr("sys.argv", ["script.py", "--allow-dirty", *map(str, words)])


def test_models_are_trained_once_scored_and_shipped_with_a_card(data, written, tmp_path, monkeypatch):
    for name in [run for shipped in make_pretrained.SHIPPED.values() for run in shipped.runs]:
        run = train_models.RUNS[name]
        monkeypatch.setitem(
            train_models.RUNS, name, run._replace(parameters=run.parameters | TINY | {"epochs": 2})
        )
    # Those that go on do so from the tiny ones.
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path)
    both = make_pretrained.Shipped(("formation_energy_per_atom",), ("formation-energy", "band-gap"))
    monkeypatch.setitem(make_pretrained.SHIPPED, "mp2018-formation-energy", both)
    given(monkeypatch, "--work", tmp_path / "work", "--output", tmp_path, "--what", *make_pretrained.SHIPPED)
    make_pretrained.main()
    result = written["train_mp2018-band-gap"]
    assert result["n_train"] == result["n_validation"] == 12
    assert set(result["errors"]) == {"band_gap", "formation_energy_per_atom"}
    by_kind = result["errors"]["band_gap"]["by kind"]
    by_kind_of_all = by_kind.keys()
    assert sum(part["n"] for part in by_kind["chemistry"].values()) == 12
    assert len(result["history"]["val_mae"]) == 2
    for name, target in (("mp2018-band-gap", "band_gap"), ("mp2018-formation-energy", "formation_energy")):
        model = AMDNetRegressor.load(tmp_path / f"{name}.amdnet")
        assert model.n_ensemble == 2
        assert model.non_negative is (target == "band_gap")
        assert target in (tmp_path / f"{name}.md").read_text()
        assert len(written[f"pretrained-{name}"]["members"]) == 2
    assert (tmp_path / "train_mp2018-band-gap.png").stat().st_size > 10_000
    moduli = written["pretrained-mp-moduli"]
    assert (moduli["n_train"], moduli["n_validation"]) == (11, 1)
    assert list(moduli["errors"]) == ["log10_K_VRH", "log10_G_VRH"]
    assert all(len(errors) == 2 for errors in moduli["members"].values())
    went_on = written["pretrained-mp-formation-energy"]
    assert (
        went_on["before"]["formation_energy_per_atom"]["mae"]
        != went_on["errors"]["formation_energy_per_atom"]["mae"]
    )
    assert -1 <= went_on["rank correlation of error and std"] <= 1
    assert list(went_on["members"]) == ["mp-formation-energy 1", "mp-formation-energy 2"]
    gap_card = (tmp_path / "mp-band-gap.md").read_text()
    assert "`mp2018-band-gap`, from which the networks went on, has MAE" in gap_card
    assert "told by a small gap" in gap_card
    metals = written["pretrained-mp-is-metal"]
    assert (metals["n_train"], metals["errors"].keys()) == (12 + 7, {"is_metal"})
    classifier = AMDNetClassifier.load(tmp_path / "mp-is-metal.amdnet")
    wrong = np.mean(classifier.predict(datasets.oxides().structure[:12]) != (np.arange(12) == 0))
    assert (classifier.classes_.tolist(), metals["errors"]["is_metal"]["mae"]) == ([False, True], wrong)
    metal_card = (tmp_path / "mp-is-metal.md").read_text()
    assert '`AMDNetClassifier.from_pretrained("mp-is-metal")`' in metal_card
    assert "by the small gaps of `mp-band-gap`, from which the network went on" in metal_card
    card = (tmp_path / "mp-moduli.md").read_text()
    assert "log10_K_VRH in log10(GPa) and log10_G_VRH in log10(GPa)" in card
    assert AMDNetRegressor.load(tmp_path / "mp-moduli.amdnet").predict(
        datasets.oxides().structure[:3]
    ).shape == (3, 2)
    assert (
        written["train_matbench_elastic-moduli"]["errors"]["log10_K_VRH"]["by kind"].keys() < by_kind_of_all
    )

    monkeypatch.setattr(train_models, "train", None)
    before = dict(written)
    make_pretrained.main()
    assert written == before


def test_what_is_beside_mp2018_is_trained_on_but_what_is_like_its_held_out_parts(
    data, written, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        train_models, "part_of", lambda rows, split, _: rows[:3] if split == "val" else rows[3:]
    )
    tiny = train_models.Run(("band_gap", "formation_energy_per_atom"), TINY | {"epochs": 1}, data="mp")
    monkeypatch.setitem(train_models.RUNS, "mp-band-gap", tiny)
    given(monkeypatch, "--work", tmp_path, "--run", "mp-band-gap")
    train_models.main()
    structures, table = train_models.load("train", tiny, None)
    assert len(structures) == len(table) == 12 + 5
    assert (table.formation_energy_per_atom[12:] > 10).all()
    result = written["train_mp-mp-band-gap"]
    gaps, energies = result["errors"]["band_gap"], result["errors"]["formation_energy_per_atom"]
    counts = [{o: part["n"] for o, part in of["by kind"]["origin"].items()} for of in (gaps, energies)]
    assert counts == [{"beside it": 2, "mp2018": 12}] * 2
    assert energies["large"] > 0


def test_the_held_out_part_is_a_random_one():
    held, kept = (train_models.part_of(np.arange(100, 200), split, 50) for split in ("val", "train"))
    assert (len(held), len(kept)) == (2, 98)
    assert sorted([*held, *kept]) == list(range(100, 200))
    assert held.tolist() != [100, 101]


def test_vectors_are_fitted_and_shipped_with_a_card(data, written, tmp_path, monkeypatch):
    for name, value in (("n_components", 4), ("min_count", 1)):
        monkeypatch.setitem(motif_features.PRESET, name, value)
    given(monkeypatch, "--work", tmp_path / "work", "--output", tmp_path, "--what", "vectors")
    make_pretrained.main()
    vectors = Motif2Vec.load(tmp_path / "mp2018.npz")
    result = written["motif_vectors_preset"]
    assert (result["crystals"], result["motifs"]) == (12, len(vectors.names_))
    card = (tmp_path / "mp2018.md").read_text()
    assert f"a vector of 4 numbers for each of {result['motifs']} motifs" in card
    assert 'Motif2Vec(n_components=4, min_count=1, counting="occurrence")' in card
    assert "of the 12 crystals of the validation part: 100.0% of the motifs are known" in card
    assert "`python benchmarks/make_pretrained.py --what vectors`" in card


def test_folds_are_trained_once_and_cover_all(data, written, tmp_path, monkeypatch):
    class Tiny(AMDNetRegressor):
        def __init__(self, **parameters):
            super().__init__(**TINY | parameters)

    monkeypatch.setattr(train_nomad2018, "AMDNetRegressor", Tiny)
    given(monkeypatch, "--epochs", 1, "--work", tmp_path)
    train_nomad2018.main()
    result = written["train_nomad2018"]
    assert sum(fold["n_test"] for fold in result["folds"]) == 12
    mean = np.mean([fold["mae"]["band_gap"] for fold in result["folds"]])
    assert result["errors"]["band_gap"]["mae"] == pytest.approx(mean)

    monkeypatch.setattr(Tiny, "fit", lambda *_: pytest.fail("trained again"))
    train_nomad2018.main()
    assert written["train_nomad2018"] == result
