"""The built-in oxides, the readers of users' files, and MatBench tasks from files."""

from __future__ import annotations

import gzip
import logging
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matminer.utils.io import store_dataframe_as_json
from pymatgen.core import Composition, Structure

from amdnet_matminer import datasets
from amdnet_matminer.datasets import load_matbench, oxides, read_dataset, read_labels, read_structures
from amdnet_matminer.errors import DatasetError
from amdnet_matminer.readers import tables
from amdnet_matminer.readers.tables import read_json_frame
from amdnet_matminer.validation.structures import check_elements, check_structures

TASK = "matbench_phonons"


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return oxides()


@pytest.fixture
def folder(tmp_path: Path, rutile: Structure, rock_salt: Structure, copper: Structure) -> Path:
    """A CIF, a pymatgen JSON, a VASP file, a POSCAR in a sub-folder, and files that are no structures."""
    folder = tmp_path / "crystals"
    (folder / "copper").mkdir(parents=True)
    rutile.to(filename=str(folder / "rutile.cif"))
    rock_salt.to(filename=str(folder / "007.json"))
    rutile.to(filename=str(folder / "b.vasp"), fmt="poscar")
    copper.to(filename=str(folder / "copper" / "POSCAR"), fmt="poscar")
    (folder / "labels.csv").write_text("id,gap\nrutile,3.0\n007,7.8\ncopper,0\nb,3.1\n")
    (folder / "notes.txt").write_text("not a structure")
    return folder


@pytest.fixture
def matbench_like(tmp_path: Path, rutile: Structure, rock_salt: Structure) -> Path:
    path = tmp_path / "dataset.json.gz"
    frame = pd.DataFrame({"gap": [3.0, 7.8], "structure": [rutile, rock_salt], "stable": [True, False]})
    store_dataframe_as_json(frame, str(path), compression="gz", pbar=False)
    return path


def test_oxides__a_table_of_ones_own(table: pd.DataFrame) -> None:
    changed = oxides()
    before = changed.structure.iloc[0].copy()
    changed.structure.iloc[0].scale_lattice(1.0)
    changed["formula"] = "none"
    assert table.structure.iloc[0] == oxides().structure.iloc[0] == before
    assert table.formula.equals(oxides().formula)


def test_oxides__about_500_named_once(table: pd.DataFrame) -> None:
    assert 450 <= len(table) <= 550
    assert list(table) == ["structure", "formula", "prototype", "ewald_energy_per_atom"]
    assert table.index.is_unique
    assert not table.duplicated(["formula", "prototype"]).any()
    assert table.prototype.nunique() == 28
    named = ["rock-salt-MgO", "rutile-TiO2", "anatase-TiO2", "perovskite-SrTiO3", "pyrochlore-Y2Ti2O7"]
    assert set(named) <= set(table.index)


def test_oxides__structures_are_plain_valid_input(table: pd.DataFrame) -> None:
    structures = check_structures(table.structure)
    check_elements(structures)
    assert not any(hasattr(site.specie, "oxi_state") for structure in structures for site in structure)
    assert max(map(len, structures)) == 40
    for structure, formula in zip(structures, table.formula, strict=True):
        assert structure.composition.reduced_composition == Composition(formula).reduced_composition


@pytest.mark.parametrize(
    ("name", "energy"),
    [
        # -(Madelung constant) (product of unit charges) e^2 / (bond length) / (atoms per formula unit)
        ("rock-salt-MgO", -1.747565 * 4 * 14.399645 / (0.72 + 1.40) / 2),
        ("rock-salt-BaO", -1.747565 * 4 * 14.399645 / (1.35 + 1.40) / 2),
        ("zinc-blende-ZnO", -1.638055 * 4 * 14.399645 / (0.60 + 1.38) / 2),
        ("fluorite-CeO2", -5.03878 * 4 * 14.399645 / (0.97 + 1.38) / 3),
        ("antifluorite-Na2O", -5.03878 * 14.399645 / (0.99 + 1.42) / 3),
    ],
)
def test_oxides__energy_by_hand(table: pd.DataFrame, name: str, energy: float) -> None:
    assert table.ewald_energy_per_atom[name] == pytest.approx(energy, rel=1e-5)


def test_oxides__energy_depends_on_the_structure(table: pd.DataFrame) -> None:
    energy = table.ewald_energy_per_atom
    assert (energy < 0).all()
    assert energy.std() > 5
    # Of the same bond length: the Madelung constants are 1.639 and 1.638, 4.80 and 4.79.
    assert energy["wurtzite-ZnO"] < energy["zinc-blende-ZnO"]
    assert energy["rutile-TiO2"] < energy["anatase-TiO2"]
    assert len(np.unique(energy.round(6))) > 450  # some cations have the same radius


def test_read_structures__folder(folder: Path, rutile: Structure, copper: Structure) -> None:
    structures = read_structures(folder)
    assert list(structures.index) == ["007", "b", "copper", "rutile"]
    assert structures["rutile"].matches(rutile)
    assert structures["copper"].composition == copper.composition


def test_read_structures__one_file(folder: Path) -> None:
    assert list(read_structures(folder / "rutile.cif").index) == ["rutile"]
    assert list(read_structures(str(folder / "copper" / "POSCAR")).index) == ["copper"]


def test_read_structures__several_poscars(tmp_path: Path, rutile: Structure, copper: Structure) -> None:
    rutile.to(filename=str(tmp_path / "POSCAR_rutile"), fmt="poscar")
    copper.to(filename=str(tmp_path / "POSCAR.copper"), fmt="poscar")
    assert list(read_structures(tmp_path).index) == ["POSCAR.copper", "POSCAR_rutile"]


def test_read_structures__dataframe(matbench_like: Path, rutile: Structure) -> None:
    structures = read_structures(matbench_like)
    assert list(structures.index) == ["0", "1"]
    assert structures.name == "structure"
    assert structures["0"] == rutile


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("bad.cif", "this is no CIF", "bad.cif has no data_ block"),
        ("bad.json", '{"a": 1, "sites": [], "lattice": 3}', "bad.json is a broken dictionary of a structure"),
        ("bad.json", '{"lattice" "sites"', "bad.json cannot be read: JSONDecodeError"),
        ("bad.vasp", "nothing", "bad.vasp cannot be read"),
        ("bad.vasp", "x\n1\n3 0 0\n0 3 0\n0 0 3\n1\ndirect\n0 0 0\n", "bad.vasp is a POSCAR of VASP 4"),
    ],
)
def test_read_structures__malformed_file_is_named(folder: Path, name: str, content: str, reason: str) -> None:
    (folder / name).write_text(content)
    with pytest.raises(DatasetError, match=reason) as error:
        read_structures(folder)
    assert name in str(error.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"a": 1}', "neither a pymatgen Structure nor a dataframe"),
        ('{"columns": ["crystal"], "index": [0], "data": [[1]]}', "no column 'structure'"),
        ('{"columns": ["structure"], "index": [], "data": []}', "no rows"),
        ('{"columns": ["structure"], "index": [7], "data": [[1]]}', "structure '7' is a int, not a pymatgen"),
    ],
)
def test_read_structures__json_that_is_no_table(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "bad.json").write_text(content)
    with pytest.raises(DatasetError, match=reason):
        read_structures(tmp_path / "bad.json")


def test_read_structures__dataframe_inside_a_folder(
    folder: Path, matbench_like: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "all.json").write_bytes(gzip.decompress(matbench_like.read_bytes()))
    assert "all" not in read_structures(folder).index
    assert "all.json" in caplog.text


def test_read_structures__nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has no structures"):
        read_structures(tmp_path)
    with pytest.raises(DatasetError, match=r"absent\.cif does not exist"):
        read_structures(tmp_path / "absent.cif")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DatasetError, match="no known kind"):
        read_structures(tmp_path / "notes.txt")


def test_read_labels__ids_stay_strings(folder: Path) -> None:
    labels = read_labels(folder / "labels.csv")
    assert labels.name == "gap"
    assert labels.to_dict() == {"rutile": 3.0, "007": 7.8, "copper": 0.0, "b": 3.1}


@pytest.mark.parametrize(
    ("content", "column", "reason"),
    [
        ("id,gap,energy\na,1,2\n", None, r"label columns \['gap', 'energy'\]"),
        ("id,gap\na,1\n", "energy", r"no label column 'energy'; choose one of \['gap'\]"),
        ("id\na\n", None, r"label columns \[\]"),
        ("id,gap\na,1\na,2\n", None, "more than one row for 'a'"),
        ("id,gap\na,\nb,2\n", None, "no 'gap' for 'a'"),
        ("", None, "labels.csv holds no labels; give a CSV file"),
        ("a,1\nb,2\n", "gap", "no header: its line 1 is 'a,1'; put id,gap before it"),
        ("a\t1.5\nb\t2\n", None, "no header: its line 1 is .*; put id,label before it"),
        ("a,1\nb,2\n", "0", "no header: its line 1 is 'a,1'; put id,label before it"),
        (",0\na,1\n", "0", "a header with a number for a name: its line 1 is ',0'; rename that column"),
        (",0\na,1\n", None, "its line 1 is ',0'; rename that column, to id,label or the like"),
        ("id, 0\na, 1\n", "0", "its line 1 is 'id, 0'; rename that column"),
        ('"", 0\na, 1\n', None, "its line 1 is .*; rename that column"),
    ],
)
def test_read_labels__unusable(tmp_path: Path, content: str, column: str | None, reason: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(content)
    with pytest.raises(DatasetError, match=reason):
        read_labels(path, column)


@pytest.mark.parametrize(
    "content",
    ["id;gap\na;1,5\nb;2,0\n", "id;gap\na;1.5\nb;2\n", "id\tgap\na\t1.5\nb\t2\n", "id  gap\na   1.5\nb 2\n"],
)
def test_read_labels__other_separators(tmp_path: Path, content: str) -> None:
    (tmp_path / "labels.csv").write_text(content)
    assert read_labels(tmp_path / "labels.csv", "gap").to_dict() == {"a": 1.5, "b": 2.0}


@pytest.mark.parametrize(
    "content",
    [
        'id;"energy, total"\na;1,5\nb;2,0\n',
        'id,"energy, total"\na,1.5\nb,2\n',
        'id\t"energy, total"\na\t1.5\nb\t2\n',
        'id  "energy, total"\na   1.5\nb 2\n',
        'id,"energy, total",note\na,1.5,"1, 2"\nb,2,\n',
        'id, "energy, total"\na, 1.5\nb, 2\n',
    ],
)
def test_read_labels__quoted_names(tmp_path: Path, content: str) -> None:
    (tmp_path / "labels.csv").write_text(content)
    assert read_labels(tmp_path / "labels.csv", "energy, total").to_dict() == {"a": 1.5, "b": 2.0}


def test_read_labels__a_number_in_a_quoted_name_is_no_row(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text('id,"energy, 0, total"\na,1\n')
    assert read_labels(tmp_path / "labels.csv").to_dict() == {"a": 1}


@pytest.mark.parametrize(
    "content",
    [
        "id, gap, note\n a, 1.5, x y\n b, 2, z\n",
        "id\tgap\tnote\na\t1.5\t\nb\t2\tz\n",
        "id\tnote\tgap\na\t\t1.5\nb\t\t2\n",
        " id gap\n a 1.5\n b  2\n",
    ],
)
def test_read_labels__spaces_after_separators(tmp_path: Path, content: str) -> None:
    (tmp_path / "labels.csv").write_text(content)
    assert read_labels(tmp_path / "labels.csv", "gap").to_dict() == {"a": 1.5, "b": 2.0}


def test_read_labels__ids_are_texts_whatever_they_say(tmp_path: Path, rutile: Structure) -> None:
    names = ["NA", "nan", "None", "001", "1e5"]
    for name in names:
        rutile.to(str(tmp_path / f"{name}.cif"))
    rows = "".join(f"{name},{number}\n" for number, name in enumerate(names))
    (tmp_path / "labels.csv").write_text(f"id,gap\n{rows}")
    assert read_labels(tmp_path / "labels.csv").to_dict() == dict(zip(names, range(5), strict=True))
    assert read_dataset(tmp_path, tmp_path / "labels.csv").gap["NA"] == 0


def test_read_labels__cells_are_neither_left_out_nor_taken_for_others(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("id,gap\nA,1,\nB,2,\n")
    assert read_labels(file).to_dict() == {"A": 1, "B": 2}
    file.write_text("id,gap\nA,1,3\nB,2,4\n")
    with pytest.raises(DatasetError, match=r"labels\.csv cannot be read: .*Length of header"):
        read_labels(file)


def test_read_dataset__labels_called_structure(folder: Path) -> None:
    (folder.parent / "labels.csv").write_text("id,structure\nrutile,1\ncopper,2\n007,3\nb,4\n")
    with pytest.raises(DatasetError, match=r"has labels in the column 'structure', .*; rename it"):
        read_dataset(folder, folder.parent / "labels.csv")


def test_read_labels__no_table(tmp_path: Path) -> None:
    (tmp_path / "labels.xlsx").write_bytes(b"PK\x03\x04\x14\x00\x08\x00\xb5\xe7")
    for path, reason in (
        ("absent.csv", r"absent\.csv does not exist; give a CSV file of labels that does$"),
        (".", "is a folder; give a CSV file of labels$"),
        ("labels.xlsx", r"labels\.xlsx is no text in UTF-8; save it as a CSV file in UTF-8$"),
    ):
        with pytest.raises(DatasetError, match=reason):
            read_labels(tmp_path / path)


def test_read_dataset__joins_by_id(folder: Path) -> None:
    data = read_dataset(folder, folder / "labels.csv")
    assert list(data) == ["structure", "gap"]
    assert data.gap.to_dict() == {"007": 7.8, "b": 3.1, "copper": 0.0, "rutile": 3.0}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            "id,gap\nrutile,3\n007,1\nb,1\n",
            r"no label for 'copper' \(an id of the labels is 'rutile', one of the structures '007'\)",
        ),
        ("id,gap\nrutile,3\n007,1\nb,1\ncopper,1\nquartz,9\n", "labels 'quartz', without a structure"),
    ],
)
def test_read_dataset__unmatched_ids_are_named(folder: Path, content: str, reason: str) -> None:
    (folder / "labels.csv").write_text(content)
    with pytest.raises(DatasetError, match=reason):
        read_dataset(folder, folder / "labels.csv")


def test_read_dataset__ids_may_be_names_of_files(folder: Path) -> None:
    (folder / "labels.csv").write_text("id,gap\nrutile.cif,3\n007.json,1\nb,1\ncopper/POSCAR,0\n")
    assert read_dataset(folder, folder / "labels.csv").gap.to_dict() == {
        "007": 1.0, "b": 1.0, "copper": 0.0, "rutile": 3.0,
    }  # fmt: skip
    (folder / "labels.csv").write_text("id,gap\nrutile.cif,3\n007,1\nb,1\ncopper,1\nrutile,3\n")
    with pytest.raises(DatasetError, match="more than one row for 'rutile'"):
        read_dataset(folder, folder / "labels.csv")


def test_read_dataset__a_table_is_parsed_once(matbench_like: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    monkeypatch.setattr(
        tables, "read_json_frame", lambda path, *rest: read.append(path) or read_json_frame(path, *rest)
    )
    read_dataset(matbench_like, column="gap")
    assert read == [matbench_like]


def test_read_dataset__dataframe_brings_its_labels(matbench_like: Path, tmp_path: Path) -> None:
    assert read_dataset(matbench_like, column="gap").gap.to_dict() == {"0": 3.0, "1": 7.8}
    with pytest.raises(DatasetError, match=r"label columns \['gap', 'stable'\]"):
        read_dataset(matbench_like)
    (tmp_path / "labels.csv").write_text("id,energy\n1,-3\n0,-2\n")
    assert read_dataset(matbench_like, tmp_path / "labels.csv").energy.to_list() == [-2, -3]


def test_read_dataset__no_labels(folder: Path) -> None:
    with pytest.raises(DatasetError, match="holds no labels"):
        read_dataset(folder)
    with pytest.raises(DatasetError, match="holds no labels"):
        read_dataset(folder / "rutile.cif")


@pytest.fixture
def small_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rutile: Structure) -> Path:
    """A folder with a ten-row stand-in for matbench_phonons, whose metadata is told of the ten rows."""
    frame = pd.DataFrame({"last phdos peak": np.arange(10.0), "structure": [rutile] * 10})
    store_dataframe_as_json(frame, str(tmp_path / f"{TASK}.json.gz"), compression="gz", pbar=False)
    original = datasets.get_dataset_attribute
    monkeypatch.setattr(
        datasets,
        "get_dataset_attribute",
        lambda task, key: 10 if key == "num_entries" else original(task, key),
    )
    return tmp_path


def test_load_matbench__from_a_folder(small_task: Path) -> None:
    with pytest.warns(UserWarning, match=r"is not the official MatBench file .* not 4db551f2"):
        data = load_matbench(TASK, small_task)
    assert list(data) == ["structure", "last phdos peak"]
    assert list(data.index[[0, 9]]) == ["mb-phonons-01", "mb-phonons-10"]
    assert data.index.name == "mbid"
    assert isinstance(data.structure.iloc[0], Structure)


def test_load_matbench__download_is_left_to_matminer(
    small_task: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATMINER_DATA", str(small_task))  # where matminer keeps what it has downloaded
    assert len(load_matbench(TASK)) == 10
    asked = []
    monkeypatch.setattr(datasets, "fetch_dataset", lambda *given: asked.extend(given) or 1 / 0)
    with pytest.raises(DatasetError, match=r"cannot be loaded: ZeroDivisionError.* as data_dir"):
        load_matbench(TASK)
    assert asked[0] == str(small_task / f"{TASK}.json.gz")
    assert asked[1].startswith("https://")


def write_rows(folder: Path, structure: Structure, rows: list) -> None:
    """A file of matbench_phonons with some rows, whose targets are their numbers."""
    frame = pd.DataFrame({"last phdos peak": rows, "structure": [structure] * len(rows)}, index=rows)
    store_dataframe_as_json(frame, str(folder / f"{TASK}.json.gz"), compression="gz", pbar=False)


def test_load_matbench__some_of_the_official_rows(tmp_path: Path, rutile: Structure) -> None:
    write_rows(tmp_path, rutile, [2, 7, 1264])
    with pytest.warns(UserWarning, match="matbench_phonons has 3 of the 1,265 official rows"):
        data = load_matbench(TASK, tmp_path)
    assert data["last phdos peak"].to_dict() == {
        "mb-phonons-0003": 2,
        "mb-phonons-0008": 7,
        "mb-phonons-1265": 1264,
    }


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([1, 1265], "has 2 rows, which are not of the 1,265 official ones"),
        ([-1, 3], "which are not of the 1,265 official ones"),
        ([3, 2], "row numbers, ascending"),
        ([3.5, 4.0], "row numbers, ascending"),
        ([4, 4], "more than one row for 4"),
    ],
)
def test_load_matbench__other_rows(tmp_path: Path, rutile: Structure, rows: list, reason: str) -> None:
    write_rows(tmp_path, rutile, rows)
    with pytest.warns(UserWarning, match="official"), pytest.raises(DatasetError, match=reason):
        load_matbench(TASK, tmp_path)


def test_load_matbench__damaged_or_absent(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"matbench_phonons\.json\.gz does not exist"):
        load_matbench(TASK, tmp_path)
    (tmp_path / f"{TASK}.json.gz").write_bytes(b"damaged")
    with (
        pytest.warns(UserWarning, match="official"),
        pytest.raises(DatasetError, match=r"cannot be loaded: .*BadGzipFile"),
    ):
        load_matbench(TASK, tmp_path)


@pytest.mark.parametrize("task", ["matbench_steels", "matbench_expt_gap", "phonons"])
def test_load_matbench__not_a_structure_task(task: str) -> None:
    with pytest.raises(DatasetError, match=r"no MatBench task on structures; choose one of .*_mp_gap"):
        load_matbench(task)


def test_load_matbench__metadata_agree_with_matbench() -> None:
    metadata = pytest.importorskip("matbench.metadata").mbv01_metadata
    on_structures = [task for task in metadata if metadata[task].input_type == "structure"]
    assert len(on_structures) == 9
    for task in on_structures:
        assert datasets.get_dataset_attribute(task, "num_entries") == metadata[task].n_samples
        assert datasets._matbench_target(task) == metadata[task].target


def test_load_matbench__official_file_as_matbench_loads_it(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        data = load_matbench(TASK, shared_data / "matbench")
    assert "is the official MatBench file" in caplog.text
    task = pytest.importorskip("matbench.task").MatbenchTask(TASK, autoload=False)
    monkeypatch.setenv("MATMINER_DATA", str(shared_data / "matbench"))
    task.load()
    for structure in task.df.structure:
        for name in structure.site_properties:
            structure.remove_site_property(name)
    pd.testing.assert_frame_equal(data, task.df)


def test_import__leaves_tensorflow_alone() -> None:
    code = "import sys, amdnet_matminer.datasets; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
