"""``amdnet explain`` on files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from pymatgen.core import Structure

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.cli import main


def test_contributions_of_files_add_up(tmp_path, rutile, capsys) -> None:
    rutile.to(tmp_path / "rutile.cif")
    (tmp_path / "broken.cif").write_text("no crystal")
    command = ["explain", str(tmp_path / "rutile.cif"), str(tmp_path / "broken.cif"), "--quiet"]
    assert main([*command, "--model", "mp2018-band-gap", "--output", str(tmp_path / "out.csv")]) == 3
    table = pd.read_csv(tmp_path / "out.csv", index_col="id")
    rows = table.loc["rutile"]
    assert set(rows["name"]) == {"TiO6 octahedral", "O"}
    total = rows.contribution.sum() + rows.baseline.iloc[0]
    assert total == pytest.approx(rows.prediction.iloc[0], abs=1e-5)
    assert "broken" in capsys.readouterr().err


@pytest.fixture(scope="module")
def two_targets(rutile: Structure, rock_salt: Structure, tmp_path_factory) -> Path:
    model = AMDNetRegressor(width=8, n_blocks=1, epochs=1, validation_fraction=0, random_state=0)
    model.fit([rutile, rock_salt], [[0.0, 1.0], [1.0, 5.0]])
    file = tmp_path_factory.mktemp("models") / "two.amdnet"
    model.save(file)
    return file


def test_one_of_several_targets(two_targets: Path, rutile: Structure, tmp_path, run) -> None:
    crystal, out = tmp_path / "rutile.cif", tmp_path / "out.csv"
    rutile.to(crystal)
    command = ("explain", crystal, "--load_name", two_targets, "--quiet", "--output", out)
    predicted = AMDNetRegressor.load(two_targets).predict([rutile])[0]
    for target in (0, 1):
        code, _, errors = run(*command, "--target", target)
        assert code == 0, errors
        assert pd.read_csv(out).prediction.iloc[0] == pytest.approx(predicted[target], abs=1e-4)
    code, _, errors = run(*command)
    assert code == 1
    assert "has 2 targets; name one by --target, from 0 to 1" in errors
    for target in (2, -1):
        code, _, errors = run(*command, f"--target={target}")
        assert code == 2
        assert f"--target must be from 0 to 1 for {two_targets}, got {target}" in errors


def test_a_model_without_motifs_is_refused(model_file: Path, folder: Path, run) -> None:
    code, _, errors = run("explain", folder / "rutile-TiO2.cif", "--load_name", model_file, "--quiet")
    assert code == 1
    assert "is of 'megnet'" in errors
    assert "give a model of 'amdnet'" in errors
