"""Data as they are published, and results of a clean commit only."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import common
import numpy as np
import pandas as pd
import pytest
from public_data import load_public
from pymatgen.core import Structure

from amdnet_matminer.errors import AMDNetError
from amdnet_matminer.matbench import provenance

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def mp2018(tmp_path: Path, rutile: Structure, rock_salt: Structure, copper: Structure) -> Path:
    """Three crystals in the form in which MEGNet published the Materials Project."""
    entries = [
        {
            "material_id": f"mp-{number}",
            "structure": crystal.to(fmt="cif"),
            "band_gap": float(number),
            "formation_energy_per_atom": -float(number),
        }
        for number, crystal in enumerate([rutile, rock_salt, copper])
    ]
    (tmp_path / "mp.2018.6.1.json").write_text(json.dumps(entries))
    split = {"train": ["mp-2", "mp-0"], "val": {"mp-1": 7.0}, "test": []}
    (tmp_path / "mp.2018.6.1.split.json").write_text(json.dumps(split))
    return tmp_path


@pytest.fixture
def nomad2018(tmp_path: Path, corundum: Structure) -> Path:
    """Two crystals in the form of the competition."""
    lines = ["# made by a test"]
    lines += [f"lattice_vector {x:.6f} {y:.6f} {z:.6f}" for x, y, z in corundum.lattice.matrix]
    lines += ["atom {:.6f} {:.6f} {:.6f} {}".format(*site.coords, site.specie) for site in corundum]
    for number in (1, 2):
        folder = tmp_path / "nomad2018" / "train" / str(number)
        folder.mkdir(parents=True)
        (folder / "geometry.xyz").write_text("\n".join(lines))
    table = {"id": [1, 2], "spacegroup": [167, 167], "number_of_total_atoms": [30, 30]}
    table |= {"formation_energy_ev_natom": [0.1, 0.2], "bandgap_energy_ev": [3.0, 4.0]}
    pd.DataFrame(table).to_csv(tmp_path / "nomad2018" / "train.csv", index=False)
    return tmp_path


def test_mp2018(mp2018: Path, rutile: Structure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMDNET_DATA", str(mp2018))
    structures, table = common.load_crystals("mp2018", split="train")
    assert table.to_dict("list") == {
        "id": ["mp-0", "mp-2"],
        "band_gap": [0.0, 2.0],
        "formation_energy_per_atom": [0.0, -2.0],
    }
    assert structures[0].matches(rutile)
    assert [s.composition.reduced_formula for s in structures] == ["TiO2", "Cu"]
    assert common.load_crystals("mp2018", split="val")[1].id.to_list() == ["mp-1"]
    assert common.load_crystals("mp2018", oxides=True)[1].id.to_list() == ["mp-0", "mp-1"]
    assert len(common.load_crystals("mp2018", limit=2)[0]) == 2


def test_mp2018__a_crystal_of_the_split_is_not_there(mp2018: Path) -> None:
    (mp2018 / "mp.2018.6.1.split.json").write_text(json.dumps({"train": ["mp-9"]}))
    with pytest.raises(ValueError, match=r"has no crystal 'mp-9', which mp\.2018\.6\.1\.split\.json names"):
        load_public(mp2018, "mp2018", split="train")
    with pytest.raises(ValueError, match="has no part 'val'; choose of train"):
        load_public(mp2018, "mp2018", split="val")
    with pytest.raises(ValueError, match="no data set 'oqmd'; choose of mp2018, nomad2018"):
        load_public(mp2018, "oqmd")


def test_nomad2018(nomad2018: Path, corundum: Structure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMDNET_DATA", str(nomad2018))
    structures, table = common.load_crystals("nomad2018")
    assert table.band_gap.to_list() == [3.0, 4.0]
    assert table.formation_energy_per_cation.to_list() == [0.1, 0.2]
    assert isinstance(structures[1], Structure)
    np.testing.assert_allclose(structures[1].lattice.matrix, corundum.lattice.matrix, atol=1e-5)
    assert structures[1].species == corundum.species
    np.testing.assert_allclose(structures[1].distance_matrix, corundum.distance_matrix, atol=1e-4)


def test_no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMDNET_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="AMDNET_DATA"):
        common.load_crystals("mp2018")


@pytest.fixture
def at_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str | None], None]:
    """Let this checkout be of a commit, and results go to a folder of the test."""
    monkeypatch.setattr(common, "RESULTS", tmp_path / "results")
    return lambda name: monkeypatch.setattr(provenance, "revision", lambda: name)


def test_results_are_of_a_clean_commit(at_commit: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    at_commit(COMMIT)
    kept = json.loads(common.write_result("a", {"mae": 1.0}).read_text())
    assert (kept["revision"], kept["mae"]) == (COMMIT, 1.0)
    assert {"date", "machine", "versions"} <= set(kept)
    at_commit(f"{COMMIT}-dirty")
    with pytest.raises(AMDNetError, match="commit first"):
        common.write_result("b", {})
    assert not (common.RESULTS / "b.json").exists()
    kept = json.loads(common.write_result("b", {}, allow_dirty=True).read_text())
    assert kept["revision"] == f"{COMMIT}-dirty"


def test_a_script_refuses_before_its_work(at_commit: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    at_commit(None)
    monkeypatch.setattr("sys.argv", ["script.py"])
    with pytest.raises(AMDNetError, match="no git checkout; commit first"):
        common.parse(common.parser_of("A script."))
    monkeypatch.setattr("sys.argv", ["script.py", "--allow-dirty"])
    assert common.parse(common.parser_of("A script.")).allow_dirty
