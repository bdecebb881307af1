"""The sweep over folders of real files, on a small one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sweep_files
from pymatgen.core import Structure


def test_counts_and_differences(rutile: Structure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "some" / "files"
    (folder / "sub").mkdir(parents=True)
    text = rutile.to(fmt="cif")
    (folder / "good.cif").write_text(text)
    (folder / "sub" / "noted.cif").write_text(text.replace("'Ti2 O4'", "'Ti2 O3'"))
    (folder / "lacking.cif").write_text(text.replace("'Ti2 O4'", "'Ti2 O4 H2'"))
    (folder / "broken.cif").write_text("nothing")
    (folder / "notes.txt").write_text("nothing")
    Structure(rutile.lattice, [{"Ti": 0.5}], [[0, 0, 0]]).to(filename=str(folder / "half.cif"))
    monkeypatch.setattr("sys.argv", ["sweep_files.py", "--allow-dirty", str(folder)])
    monkeypatch.setattr("common.RESULTS", tmp_path)
    sweep_files.main()
    (found,) = json.loads((tmp_path / "sweep_files.json").read_text())["folders"].values()
    (strict,) = found.pop("refused though pymatgen accepts")
    assert strict["file"] == "lacking.cif"
    assert "missing elements: its sites lack H" in strict["reason"]
    assert sum(found.pop("refused").values()) == 3
    assert found == {
        "files": 6,
        "read": 5,
        "skipped": {"of no kind that crystals are read from": 1},
        "crystals": 5,
        "accepted": 2,
        "with notes": 1,
        "accepted though pymatgen refuses": [],
    }
    assert str(tmp_path) not in (tmp_path / "sweep_files.json").read_text()
