"""Files of crystals: every kind gives the same crystals, in order, and faults with their names."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from matminer.utils.io import store_dataframe_as_json
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.cif import CifWriter

from amdnet_matminer import structure_files
from amdnet_matminer.datasets import read_dataset, read_structures
from amdnet_matminer.errors import DatasetError, MissingDependencyError
from amdnet_matminer.structure_files import open_crystals, read_entry

IDS = ["rutile", "rock salt", "corundum"]


@pytest.fixture
def table(rutile: Structure, rock_salt: Structure, corundum: Structure) -> pd.DataFrame:
    crystals = [rutile, rock_salt, corundum]
    return pd.DataFrame({"structure": crystals, "gap": [3.0, 7.8, 8.8]}, pd.Index(IDS, name="id"))


def as_json(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(structure=[json.dumps(s.as_dict()) for s in table.structure])


def as_cif(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(structure=[str(CifWriter(s)) for s in table.structure])


def write_json(table: pd.DataFrame, path: Path) -> None:
    store_dataframe_as_json(table, str(path), pbar=False)


def write_ase(table: pd.DataFrame, path: Path) -> None:
    frames = [AseAtomsAdaptor.get_atoms(s, msonable=False) for s in table.structure]
    for atoms, key in zip(frames, table.index, strict=True):
        atoms.info = {"id": key}
    pytest.importorskip("ase.io").write(path, frames)


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "all.json": write_json,
    "all.json.gz": write_json,
    "json.csv": lambda table, path: as_json(table).to_csv(path),
    "cif.csv": lambda table, path: as_cif(table).to_csv(path),
    "json.csv.gz": lambda table, path: as_json(table).to_csv(path),
    "json.parquet": lambda table, path: as_json(table).to_parquet(path),
    "all.xyz": write_ase,
    "all.extxyz": write_ase,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_gives_the_same_crystals(table: pd.DataFrame, tmp_path: Path, name: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    WRITERS[name](table, tmp_path / name)
    crystals = open_crystals(tmp_path / name)
    assert crystals.total == 3
    entries = list(crystals.entries)
    assert [entry.id for entry in entries] == IDS
    for entry, structure in zip(entries, table.structure, strict=True):
        assert read_entry(entry).matches(structure, primitive_cell=False)


@pytest.mark.parametrize("name", ["all.json", "json.csv", "json.parquet"])
def test_tables_bring_their_labels(table: pd.DataFrame, tmp_path: Path, name: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    WRITERS[name](table, tmp_path / name)
    data = read_dataset(tmp_path / name, column="gap")
    assert data.gap.to_dict() == table.gap.to_dict()
    assert data.structure["corundum"] == table.structure["corundum"]


def test_parquet_without_an_index_counts_its_rows(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(structure_files, "_CHUNK", 2)
    as_json(table).reset_index(drop=True).to_parquet(tmp_path / "all.parquet")
    assert read_structures(tmp_path / "all.parquet").index.tolist() == ["0", "1", "2"]


def test_frames_of_ase_without_a_name(table: pd.DataFrame, tmp_path: Path) -> None:
    io = pytest.importorskip("ase.io")
    io.write(tmp_path / "run.traj", [AseAtomsAdaptor.get_atoms(s) for s in table.structure])
    crystals = open_crystals(tmp_path / "run.traj")
    assert crystals.total is None
    assert [entry.id for entry in crystals.entries] == ["run-0", "run-1", "run-2"]


def test_files_are_parsed_one_at_a_time(table: pd.DataFrame, tmp_path: Path) -> None:
    """A broken file is told when its turn comes, and the others are read."""
    for name, structure in table.structure.items():
        structure.to(filename=str(tmp_path / f"{name}.cif"))
    (tmp_path / "quartz.cif").write_text("no CIF")
    entries = {entry.id: entry for entry in open_crystals(tmp_path).entries}
    assert list(entries) == ["corundum", "quartz", "rock salt", "rutile"]
    assert read_entry(entries["rutile"]).matches(table.structure["rutile"])
    with pytest.raises(DatasetError, match=r"quartz\.cif"):
        read_entry(entries["quartz"])


def test_rows_of_a_csv_are_read_when_asked_for(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(structure_files, "_CHUNK", 1)
    as_json(table).to_csv(tmp_path / "all.csv")
    held, frames = [], structure_files.frame_entries

    def watch(parts: Iterator[pd.DataFrame]) -> Iterator:
        return frames(held.append(part) or part for part in parts)

    monkeypatch.setattr(structure_files, "frame_entries", watch)
    entries = iter(open_crystals(tmp_path / "all.csv").entries)
    assert next(entries).id == "rutile"
    assert len(held) == 1


def test_patterns_and_several_paths(table: pd.DataFrame, tmp_path: Path) -> None:
    for number, (name, structure) in enumerate(table.structure.items()):
        (tmp_path / f"run-{number}").mkdir()
        structure.to(filename=str(tmp_path / f"run-{number}" / f"{name}.cif"))
    crystals = open_crystals(f"{tmp_path}/**/*.cif")
    assert (crystals.total, [entry.id for entry in crystals.entries]) == (3, sorted(IDS))
    assert read_structures(tmp_path / "run-0", tmp_path / "run-2").index.tolist() == ["rutile", "corundum"]
    with pytest.raises(DatasetError, match="has no structures"):
        open_crystals(f"{tmp_path}/*/*.vasp")
    with pytest.raises(DatasetError, match="more than one row for 'rutile'"):
        read_structures(tmp_path / "run-0", tmp_path / "run-0")


def test_names_that_are_not_ascii(rutile: Structure, tmp_path: Path) -> None:
    folder = tmp_path / "Kristalle für β-TiO₂"
    folder.mkdir()
    rutile.to(filename=str(folder / "Руд-金红石.cif"))
    assert read_structures(folder).index.tolist() == ["Руд-金红石"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "cannot be read"),
        ("a.csv", b"id,structure\n", "no rows"),
        ("a.csv", b"id,crystal\nx,y\n", "no column 'structure'"),
        ("a.csv", b"id,structure\nx,\n", "structure 'x' cannot be read"),
        ("a.csv", b"id,structure\nx,{\n", "structure 'x' cannot be read"),
        ("a.csv", b"id,structure\nx,{}\n", "structure 'x' is a dictionary"),
        ("a.csv", b'id,structure\n"x,y\n', "cannot be read"),
        ("a.csv.gz", b"not gzip", "cannot be read"),
        ("a.json.gz", gzip.compress(b'{"columns": []}', mtime=0)[:-9], "cannot be read"),
        ("a.json", b"\xff\xfe", "cannot be read"),
        ("a.json", b"[" * 100_000, "cannot be read"),
        ("a.json", b'{"columns": ["structure"], "index": [1, 2], "data": [[1]]}', "cannot be read"),
        ("a.parquet", b"PAR1 not", "cannot be read"),
        ("a.xyz", b"2\nno lattice\nMg 0 0 0\n", "cannot be read"),
        ("a.xyz", b"nonsense", "cannot be read"),
        ("a.traj", b"nonsense", "cannot be read"),
    ],
)
def test_malformed_files_are_named(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    if name.endswith(("xyz", "traj")):
        pytest.importorskip("ase")
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=reason):
        read_structures(tmp_path / name)


def test_frames_before_a_broken_one_are_read(table: pd.DataFrame, tmp_path: Path) -> None:
    write_ase(table, tmp_path / "all.xyz")
    content = (tmp_path / "all.xyz").read_text()
    (tmp_path / "all.xyz").write_text(content[: content.rindex("Al")])
    entries = iter(open_crystals(tmp_path / "all.xyz").entries)
    assert [next(entries).id, next(entries).id] == IDS[:2]
    with pytest.raises(DatasetError, match=r"all\.xyz cannot be read from frame 2 on"):
        next(entries)


@pytest.mark.parametrize(("name", "package"), [("a.parquet", "pyarrow.parquet"), ("a.xyz", "ase.io")])
def test_a_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / name).write_bytes(b"1\n\n")
    with pytest.raises(MissingDependencyError, match=r"pip install 'amdnet-matminer\[files\]'"):
        list(open_crystals(tmp_path / name).entries)
