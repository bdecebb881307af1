"""``amdnet explain`` on files."""

from __future__ import annotations

import pandas as pd
import pytest

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
