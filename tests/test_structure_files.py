"""Files of crystals: every kind gives the same crystals, in order, and faults with their names."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import joblib
import pandas as pd
import pytest
from matminer.utils.io import store_dataframe_as_json
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.cif import CifWriter

from amdnet_matminer import structure_files
from amdnet_matminer.datasets import read_dataset, read_structures
from amdnet_matminer.errors import DatasetError, MissingDependencyError
from amdnet_matminer.readers import folders, tables
from amdnet_matminer.readers.tables import dictionary_of, read_json_frame
from amdnet_matminer.structure_files import open_crystals, read_entry, read_noted
from amdnet_matminer.structures import structure_from_dict

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


def test_crystals_of_a_json_frame_are_read_where_they_are_asked_for(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    write_json(table, tmp_path / "all.json")
    frame = read_json_frame(tmp_path / "all.json")
    assert frame is not None
    assert all(isinstance(stored, str) for stored in frame.structure)
    crystals = [structure_from_dict(dictionary_of(stored)) for stored in frame.structure]
    assert crystals == table.structure.tolist()


def test_a_row_with_more_cells_than_columns_is_not_cut(table: pd.DataFrame, tmp_path: Path) -> None:
    cells = [[table.structure.iloc[0].as_dict(), 1.0]]
    (tmp_path / "a.json").write_text(json.dumps({"columns": ["structure"], "index": [0], "data": cells}))
    with pytest.raises(DatasetError, match=r"a\.json cannot be read: .*columns"):
        open_crystals(tmp_path / "a.json")


@pytest.mark.parametrize("missing", ["NaN", "null"])
def test_a_json_frame_with_missing_values(table: pd.DataFrame, tmp_path: Path, missing: str) -> None:
    """NaN is no JSON, but Python writes it."""
    cells = [table.structure.iloc[0].as_dict(), 1.0], [None, float("nan")]
    text = json.dumps({"columns": ["structure", "gap"], "index": [0, 1], "data": cells})
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + text.replace("NaN", missing).encode())
    first, second = open_crystals(tmp_path / "a.json").entries
    assert read_entry(first) == table.structure.iloc[0]
    with pytest.raises(DatasetError, match="structure '1' is missing"):
        read_entry(second)


@pytest.mark.parametrize("name", ["all.json", "json.csv", "json.parquet"])
def test_tables_bring_their_labels(table: pd.DataFrame, tmp_path: Path, name: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    WRITERS[name](table, tmp_path / name)
    data = read_dataset(tmp_path / name, column="gap")
    assert data.gap.to_dict() == table.gap.to_dict()
    assert data.structure["corundum"] == table.structure["corundum"]


def test_parquet_of_some_rows_keeps_their_numbers(tmp_path: Path, table: pd.DataFrame) -> None:
    pytest.importorskip("pyarrow")
    frame = pd.concat([as_json(table)] * 3, ignore_index=True)
    for rows in (slice(2, 8), slice(None, None, 2), slice(None, None, -1), slice(4, None)):
        part = frame.iloc[rows]
        part.to_parquet(tmp_path / "part.parquet")
        part.to_csv(tmp_path / "part.csv")
        expected = [str(number) for number in part.index]
        assert read_structures(tmp_path / "part.parquet").index.tolist() == expected
        assert read_structures(tmp_path / "part.csv").index.tolist() == expected


def test_csv__ids_are_texts_whatever_they_say(tmp_path: Path, table: pd.DataFrame) -> None:
    names = ["NA", "001", "nan"]
    as_json(table).iloc[:3].set_axis(names).to_csv(tmp_path / "all.csv")
    assert read_structures(tmp_path / "all.csv").index.tolist() == names


def test_parquet_without_an_index_counts_its_rows(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(tables, "CHUNK", 2)
    as_json(table).reset_index(drop=True).to_parquet(tmp_path / "all.parquet")
    assert read_structures(tmp_path / "all.parquet").index.tolist() == ["0", "1", "2"]


def test_frames_of_ase_without_a_name(table: pd.DataFrame, tmp_path: Path) -> None:
    io = pytest.importorskip("ase.io")
    io.write(tmp_path / "run.traj", [AseAtomsAdaptor.get_atoms(s) for s in table.structure])
    crystals = open_crystals(tmp_path / "run.traj")
    assert crystals.total is None
    assert [entry.id for entry in crystals.entries] == ["run-0", "run-1", "run-2"]


@pytest.mark.parametrize("suffix", [".xyz", ".extxyz", ".xyz.gz", ".traj", ".db"])
def test_names_of_frames_with_an_at_sign(table: pd.DataFrame, tmp_path: Path, suffix: str) -> None:
    write_ase(table, tmp_path / "all.xyz")
    io = pytest.importorskip("ase.io")
    frames = io.read(tmp_path / "all.xyz", ":")
    plain = tmp_path / f"relaxed{suffix}"
    io.write(plain, frames, format="extxyz" if "xyz" in suffix else None)
    named = plain.rename(tmp_path / f"relaxed@300K{suffix}")
    io.write(tmp_path / "relaxed", frames[:1], format="extxyz")  # what ASE would take it for
    found = read_structures(named)
    assert [structure.formula for structure in found] == [structure.formula for structure in table.structure]


@pytest.mark.parametrize("end", ["", "\n", " \n\n"])
def test_blank_lines_after_the_frames_are_the_end(table: pd.DataFrame, tmp_path: Path, end: str) -> None:
    io = pytest.importorskip("ase.io")
    frames = [AseAtomsAdaptor.get_atoms(s, msonable=False) for s in table.structure]
    for name, number in (("one", 1), ("three", 3)):
        io.write(tmp_path / f"{name}.xyz", frames[:number])
        with (tmp_path / f"{name}.xyz").open("a") as file:
            file.write(end)
    crystals = open_crystals(tmp_path)
    assert crystals.total == 4
    assert [entry.id for entry in crystals.entries] == ["one", "three-0", "three-1", "three-2"]


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
    monkeypatch.setattr(tables, "CHUNK", 1)
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
    assert [entry.id for entry in open_crystals(f"{tmp_path}/run-*").entries] == sorted(IDS)
    with pytest.raises(DatasetError, match="has no structures"):
        open_crystals(f"{tmp_path}/*/*.vasp")


def test_names_that_are_not_ascii(rutile: Structure, tmp_path: Path) -> None:
    folder = tmp_path / "Kristalle für β-TiO₂"
    folder.mkdir()
    rutile.to(filename=str(folder / "Руд-金红石.cif"))
    assert read_structures(folder).index.tolist() == ["Руд-金红石"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "a.csv cannot be read"),
        ("a.csv", b"id,structure\n", "no rows"),
        ("a.csv", b"id,crystal\nx,y\n", "no column 'structure'"),
        ("a.csv", b"id,structure\nx,\n", r"structure 'x' is missing \(nan\); leave it out"),
        ("a.csv", b"id,structure\nx,{\n", "structure 'x' cannot be read"),
        ("a.csv", b"id,structure\nx,{}\n", "structure 'x' is a dictionary without 'lattice' and 'sites'"),
        (
            "a.csv",
            b"id,structure\nx,y.cif\n",
            r"structure 'x' is the name of a file, 'y\.cif'; give the files",
        ),
        ("a.csv", b"id,structure\nx,Full Formula (Ti2 O4)\n", "structure 'x' is the printed form"),
        ("a.csv", b"id,structure\nx,data_x\n", "structure 'x' has no cell"),
        ("a.csv", b'id,structure\n"x,y\n', "a.csv cannot be read"),
        ("a.csv.gz", b"not gzip", "a.csv.gz cannot be read"),
        ("a.json.gz", gzip.compress(b'{"columns": []}', mtime=0)[:-9], "a.json.gz cannot be read: EOFError"),
        ("a.json", b"\xff\xfe", "a.json cannot be read"),
        ("a.json", b"[" * 100_000, "a.json cannot be read: RecursionError"),
        ("a.json", b'{"columns": ["structure"], "index": [1, 2], "data": [[1]]}', "cannot be read"),
        ("a.parquet", b"PAR1 not", "a.parquet cannot be read"),
        ("a.xyz", b"1\nno lattice\nMg 0 0 0\n", r"'a' has no cell vector a, b, c .*atoms\.center"),
        ("a.xyz", b"2\nno lattice\nMg 0 0 0\n", "a.xyz cannot be read from frame 0 on"),
        ("a.xyz", b"", "a.xyz has no frames|a.xyz cannot be read"),
        ("a.xyz", b"nonsense", "a.xyz cannot be read"),
        ("a.traj", b"nonsense", "a.traj cannot be read"),
        ("a.cssr", b"nonsense", "a.cssr cannot be read"),
        ("a.xsf", b"nonsense", "a.xsf cannot be read"),
        (
            "a.cssr",
            b"4 4 3\n90 90 90 SPGR =136 P 42/m n m\n1 0\n0 rutile\n1 Ti 0 0 0\n",
            "a.cssr lists the sites of the space group 136 only once, not all of the cell; "
            "write it in P 1, or as CIF",
        ),
        ("a.vasp", b"", "a.vasp is empty"),
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
    entries = list(open_crystals(tmp_path / "all.xyz").entries)
    assert [entry.id for entry in entries] == [*IDS[:2], "all-2"]
    with pytest.raises(DatasetError, match=r"all\.xyz cannot be read from frame 2 on: .*not read"):
        read_entry(entries[2])


@pytest.mark.parametrize(("name", "package"), [("a.parquet", "pyarrow.parquet"), ("a.xyz", "ase.io")])
def test_a_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / name).write_bytes(b"1\n\n")
    with pytest.raises(MissingDependencyError, match=r"pip install 'amdnet-matminer\[files\]'"):
        list(open_crystals(tmp_path / name).entries)


@pytest.fixture
def mixed(tmp_path: Path, table: pd.DataFrame) -> Path:
    """A folder with crystals in files of many kinds, and with much else."""
    rutile, rock_salt, _ = table.structure
    folder = tmp_path / "mixed"
    (folder / "run").mkdir(parents=True)
    (folder / "deep" / "deeper").mkdir(parents=True)
    rutile.to(filename=str(folder / "a.cif"))
    rutile.to(filename=str(folder / "b.mcif"), fmt="cif")
    rutile.to(filename=str(folder / "c.cif.gz"))
    rutile.to(filename=str(folder / "d.poscar"), fmt="poscar")
    rutile.to(filename=str(folder / "e_POSCAR"), fmt="poscar")
    rutile.to(filename=str(folder / "f.cssr"))
    rutile.to(filename=str(folder / "g.xsf"))
    rutile.to(filename=str(folder / "h.res"))
    rutile.to(filename=str(folder / "i.json"))
    rutile.to(filename=str(folder / "CONTCAR"), fmt="poscar")
    rock_salt.to(filename=str(folder / "run" / "CONTCAR"), fmt="poscar")
    rutile.to(filename=str(folder / "run" / "POSCAR"), fmt="poscar")
    (folder / "run" / "INCAR").write_text("NSW = 5")
    rutile.to(filename=str(folder / "deep" / "deeper" / "z.cif"))
    for name, content in {
        "README.txt": "x",
        "labels.csv": "id,gap\n",
        "atom_init.json": '{"1": [0, 1]}',
        "other.json": '{"run": {"lattice": 1, "sites": 2}}',
        "refined.res": "TITL x\nCELL 0.7 4 4 4 90 90 90\nHKLF 4\nEND\n",
        "Thumbs.db": "of another program",
        "table.json": '{"columns": ["structure"], "index": [0], "data": [[{"lattice": 1, "sites": 2}]]}',
        "._a.cif": "x",
    }.items():
        (folder / name).write_text(content)
    return folder


def test_a_folder_is_read_as_its_files_are(mixed: Path, table: pd.DataFrame) -> None:
    crystals = open_crystals(mixed)
    entries = list(crystals.entries)
    assert [entry.id for entry in entries] == [*"abcd", "e_POSCAR", *"fghi", "mixed", "run"]
    assert crystals.total == len(entries)
    for entry in entries:
        expected = table.structure["rock salt" if entry.id == "run" else "rutile"]
        assert read_entry(entry).matches(expected, primitive_cell=False)


def test_what_is_left_out_is_counted_and_named(mixed: Path, caplog: pytest.LogCaptureFixture) -> None:
    crystals = open_crystals(mixed)
    assert {Path(path).name: reason.split(" (")[0] for path, reason in crystals.skipped} == {
        "._a.cif": "hidden",
        "README.txt": "of no kind that crystals are read from",
        "atom_init.json": "JSON without a structure",
        "other.json": "JSON without a structure",
        "refined.res": "a refinement by SHELX, of which the CIF is read",
        "Thumbs.db": "no database of ASE",
        "deep": "not searched, as a sub-folder",
        "labels.csv": "a table of labels or crystals, which is given by itself",
        "table.json": "a table of labels or crystals, which is given by itself",
    }
    chosen, left_out = crystals.remarks()
    assert chosen == "of 1 folder with several files of a calculation, CONTCAR is read"
    assert left_out.startswith("left out 9: ")
    assert "2 a table of labels or crystals, which is given by itself (labels.csv, table.json)" in left_out
    read_structures(mixed)
    assert caplog.messages == [chosen, left_out]


def test_sub_folders_are_searched_when_asked_for(mixed: Path) -> None:
    crystals = open_crystals(mixed, recursive=True)
    assert [entry.id for entry in crystals.entries][-3:] == ["mixed", "run", "z"]
    assert {Path(path).name for path, _ in crystals.skipped} >= {"INCAR", "README.txt"}
    assert "z" in read_structures(mixed, recursive=True).index


def test_links_do_not_lead_in_circles(mixed: Path) -> None:
    (mixed / "deep" / "again").symlink_to(mixed)
    (mixed / "gone.cif").symlink_to(mixed / "nowhere.cif")
    crystals = open_crystals(mixed, recursive=True)
    assert crystals.total == 12
    reasons = {Path(path).name: reason for path, reason in crystals.skipped}
    assert reasons["again"] == "a link to a folder"
    assert reasons["gone.cif"] == "no file, or a broken link"


def test_files_of_one_id_are_called_by_their_paths(rutile: Structure, tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        rutile.to(filename=str(tmp_path / folder / "a.cif"))
    rutile.to(filename=str(tmp_path / "b.cif"))
    rutile.to(filename=str(tmp_path / "b.vasp"), fmt="poscar")
    crystals = open_crystals(tmp_path, recursive=True)
    assert [entry.id for entry in crystals.entries] == ["b.cif", "b.vasp", "x/a.cif", "y/a.cif"]
    assert crystals.notes[0].startswith("4 crystals are called by their files' paths")


def test_files_of_several_paths_are_called_by_their_paths_as_those_of_one_folder_are(
    rutile: Structure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run in ("x", "y"):
        (tmp_path / run / "relax").mkdir(parents=True)
        rutile.to(filename=str(tmp_path / run / "A.cif"))
        rutile.to(filename=str(tmp_path / run / "relax" / "CONTCAR"), fmt="poscar")
    rutile.to(filename=str(tmp_path / "x" / "B.cif"))
    monkeypatch.chdir(tmp_path / "x")
    crystals = open_crystals("A.cif", tmp_path / "y" / "A.cif", "B.cif")
    assert [entry.id for entry in crystals.entries] == ["x/A.cif", "y/A.cif", "B"]
    assert crystals.total == 3
    assert crystals.notes[0].startswith("2 crystals are called by their files' paths")
    for paths in (["relax/CONTCAR", "../y/relax/CONTCAR"], ["../*/relax/CONTCAR"]):
        found = [entry.id for entry in open_crystals(*paths).entries]
        assert found == ["x/relax/CONTCAR", "y/relax/CONTCAR"]
    assert read_structures("A.cif", "../y").index.tolist() == ["x/A.cif", "relax", "y/A.cif"]


def test_a_file_that_is_named_twice_is_read_once(rutile: Structure, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    rutile.to(filename=str(tmp_path / "x" / "A.cif"))
    file, again = f"{tmp_path}/x/A.cif", f"{tmp_path}/x/../x/A.cif"
    for paths in ([file, tmp_path / "x"], [file, again], [f"{tmp_path}/x/**"]):
        crystals = open_crystals(*paths)
        assert [entry.id for entry in crystals.entries] == ["A"]
        assert crystals.total == 1
        (note,) = crystals.notes
        assert note.startswith("files that are named more than once are read once, such as ")


def test_ids_of_two_tables_that_are_alike_are_told(
    table: pd.DataFrame, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a.csv", "b.csv"):
        as_json(table).to_csv(tmp_path / name)
    assert [entry.id for entry in open_crystals(tmp_path / "a.csv").entries] == IDS
    assert caplog.messages == []
    crystals = open_crystals(tmp_path / "a.csv", tmp_path / "b.csv")
    assert [entry.id for entry in crystals.entries] == [*IDS, *IDS]
    (message,) = caplog.messages
    assert message.startswith("more than one crystal is called 'rutile'")
    with pytest.raises(DatasetError, match="more than one row for 'rutile'"):
        read_structures(tmp_path / "a.csv", tmp_path / "b.csv")


def test_patterns_take_what_they_name(rutile: Structure, copper: Structure, tmp_path: Path) -> None:
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        rutile.to(filename=str(tmp_path / run / "POSCAR"), fmt="poscar")
        copper.to(filename=str(tmp_path / run / "CONTCAR"), fmt="poscar")
    for name, expected in (("POSCAR", rutile), ("CONTCAR", copper)):
        entries = list(open_crystals(f"{tmp_path}/*/{name}").entries)
        assert [entry.id for entry in entries] == ["a", "b"]
        assert read_entry(entries[0]).matches(expected)


def test_data_blocks_are_crystals_of_their_own(table: pd.DataFrame, tmp_path: Path) -> None:
    rutile, rock_salt, _ = table.structure
    text = f"data_global\n_journal_name x\n{rutile.to(fmt='cif')}{rock_salt.to(fmt='cif')}"
    (tmp_path / "two.cif").write_text(text)
    (tmp_path / "same.cif").write_text(rutile.to(fmt="cif") * 2)
    crystals = open_crystals(tmp_path)
    entries = list(crystals.entries)
    assert [entry.id for entry in entries] == ["same#TiO2-1", "same#TiO2-2", "two#TiO2", "two#MgO"]
    assert crystals.total == 4
    assert read_entry(entries[3]).matches(rock_salt)


def test_frames_of_ase_inside_a_folder(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_ase(table, tmp_path / "all.xyz")
    (tmp_path / "all.extxyz.gz").write_bytes(gzip.compress((tmp_path / "all.xyz").read_bytes()))
    table.structure.iloc[0].to(filename=str(tmp_path / "z.cif"))
    crystals = open_crystals(tmp_path)
    assert [entry.id for entry in crystals.entries] == [*IDS, *IDS, "z"]
    assert crystals.total == 7
    monkeypatch.setattr(folders, "find_spec", lambda name: None)
    crystals = open_crystals(tmp_path)
    assert [entry.id for entry in crystals.entries] == ["z"]
    assert {reason for _, reason in crystals.skipped} == {
        "for ASE, which is not installed (pip install 'amdnet-matminer[files]')"
    }


def test_a_csv_without_ids_has_row_numbers(table: pd.DataFrame, tmp_path: Path) -> None:
    as_json(table).to_csv(tmp_path / "all.csv", index=False)
    assert read_structures(tmp_path / "all.csv").index.tolist() == ["0", "1", "2"]
    assert read_dataset(tmp_path / "all.csv", column="gap").gap.to_list() == [3.0, 7.8, 8.8]


def test_dictionaries_that_python_printed(table: pd.DataFrame, tmp_path: Path) -> None:
    table.assign(structure=[s.as_dict() for s in table.structure]).to_csv(tmp_path / "all.csv")
    assert read_structures(tmp_path / "all.csv")["corundum"] == table.structure["corundum"]


def test_all_that_cannot_be_read_is_told_at_once(rutile: Structure, tmp_path: Path) -> None:
    rutile.to(filename=str(tmp_path / "a.cif"))
    (tmp_path / "b.cif").write_text("nothing")
    (tmp_path / "c.vasp").write_text("nothing")
    with pytest.raises(
        DatasetError, match=r"has 2 of 3 crystals .*: .*b\.cif has no data_ block.* \| .*c\.vasp"
    ):
        read_structures(tmp_path)


def test_notes_name_the_file_and_parsers_are_silent(
    rutile: Structure, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture
) -> None:
    text = rutile.to(fmt="cif").replace("'Ti2 O4'", "'Ti2 O3'")
    (tmp_path / "x.cif").write_text(text)
    (tmp_path / "y.cif").write_text(rutile.to(fmt="cif").replace("_symmetry_equiv_pos_as_xyz", "_none"))
    read_structures(tmp_path)
    assert caplog.messages == [
        f"{tmp_path}/x.cif: incorrect stoichiometry: its formula is Ti2 O3, its sites are TiO2"
    ]
    joblib.Parallel(n_jobs=2)(joblib.delayed(read_noted)(entry) for entry in open_crystals(tmp_path).entries)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["all.json", "all.csv", "one.json", "all.parquet"])
def test_nothing_that_a_file_names_is_imported(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (tmp_path / "named_in_a_file.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    hostile = {"@module": "named_in_a_file", "@class": "x"}
    content = [s.as_dict() | {"properties": {"a": hostile}} for s in table.structure]
    for site in content[0]["sites"]:
        site["properties"] = {"a": [hostile]}
    if name == "one.json":
        (tmp_path / name).write_text(json.dumps(content[0]))
    elif name == "all.json":
        rows = [[stored, hostile] for stored in content]
        frame = {"columns": ["structure", "other"], "index": IDS, "data": rows}
        (tmp_path / name).write_text(json.dumps(frame))
    else:
        stored = table.assign(structure=[json.dumps(c) for c in content])
        getattr(stored, f"to_{name.rpartition('.')[2]}")(tmp_path / name)
    assert read_structures(tmp_path / name).iloc[0] == table.structure.iloc[0]
    assert "named_in_a_file" not in sys.modules
