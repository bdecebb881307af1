"""Small inputs from the field, each of which once showed a fault, with their right answers."""

from __future__ import annotations

from pathlib import Path

import ase.io
import pytest
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from amdnet_matminer.datasets import read_dataset, read_structures
from amdnet_matminer.errors import DatasetError
from amdnet_matminer.structure_files import open_crystals, read_entry


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> Path:
    folder = shared_data / "field_cases"
    if not folder.is_dir():
        pytest.skip(f"no field cases in {shared_data}")
    return folder


def ids(path: Path | str) -> list[str]:
    return [entry.id for entry in open_crystals(path).entries]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "mixed_folder",
            ["MgO.mcif", "MgO.poscar", "Mg_POSCAR", "g", "mixed_folder", "nacl", "rutile", "sub"],
        ),
        ("vasp_runs", ["a", "b"]),
        ("vasp_runs/*/CONTCAR", ["a", "b"]),
        ("cgcnn_layout", ["1000041", "1000050", "1101051", "9"]),
        ("two_blocks.cif", ["two_blocks#rutile", "two_blocks#rocksalt"]),
        ("noidx.csv", ["0", "1", "2"]),
        ("dict.csv", ["0", "1", "2"]),
        ("POSCAR_three", ["POSCAR_three"]),
        ("bom_TiO2.cif", ["bom_TiO2"]),
        ("slab_pbc_TTF.extxyz", ["slab_pbc_TTF"]),
    ],
)
def test_all_crystals_are_read(cases: Path, path: str, expected: list[str]) -> None:
    assert ids(f"{cases}/{path}") == expected
    assert all(len(read_entry(entry)) > 0 for entry in open_crystals(f"{cases}/{path}").entries)


def test_runs_give_the_relaxed_crystal(cases: Path) -> None:
    relaxed = read_structures(f"{cases}/vasp_runs/*/CONTCAR")
    start = read_structures(f"{cases}/vasp_runs/*/POSCAR")
    found = read_structures(cases / "vasp_runs")
    assert found.to_dict() == relaxed.to_dict()
    assert found["a"].volume > 1.1 * start["a"].volume


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        ("mixed_folder", {"README.txt", "sub"}),
        ("cgcnn_layout", {"atom_init.json", "id_prop.csv"}),
    ],
)
def test_what_is_left_out_is_named(cases: Path, path: str, left_out: set[str]) -> None:
    assert {Path(item.path).name for item in open_crystals(cases / path).skipped} == left_out


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing_hydrogens_NH4Cl.cif", "implicit hydrogens"),
        ("occupancy_unknown_TiO2.cif", r"occupancy is unknown \(Ti1, O1\)"),
        ("occupancy_1.02.cif", "Occupancy 1.02 exceeded tolerance"),
        ("molecule_no_lattice.xyz", r"no cell vector a, b, c .*atoms\.center"),
        ("POSCAR_vasp4", "of VASP 4, without the line of element symbols; write it, such as 'Na Cl'"),
        ("fn.csv", r"name of a file, 's0\.cif'; give the files themselves"),
        ("str.csv", "printed form of a structure"),
    ],
)
def test_what_cannot_be_read_says_why(cases: Path, path: str, reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        read_structures(cases / path)


def test_oxidation_states_that_are_zero_are_none(cases: Path) -> None:
    reference = read_structures(cases / "reference_TiO2.cif").iloc[0]
    assert read_structures(cases / "all_zero_oxidation_TiO2.cif").iloc[0] == reference


def test_labels_of_file_names(cases: Path, tmp_path: Path) -> None:
    for number in range(1, 5):
        text = (cases / "reference_TiO2.cif").read_text()
        (tmp_path / f"mp-{number}.cif").write_text(text)
    table = read_dataset(tmp_path, cases / "labels_with_suffix.csv", "band_gap")
    assert table.index.tolist() == ["mp-1", "mp-2", "mp-3", "mp-4"]


def test_labels_without_a_header(cases: Path) -> None:
    folder = cases / "cgcnn_layout"
    with pytest.raises(DatasetError, match=r"id_prop\.csv has no header: its line 1 is '1000041,5\.0'"):
        read_dataset(folder, folder / "id_prop.csv", "band_gap")


def test_predictions(cases: Path) -> None:
    """What the shipped model says of the crystals does not depend on how they are written."""
    from amdnet_matminer import AMDNetRegressor
    from amdnet_matminer.pretrained import pretrained_model_file

    names = [
        "all_zero_oxidation_TiO2.cif",
        "all_zero_oxidation_Li8Fe2NiCoO8.cif",
        "bom_TiO2.cif",
        "slab_pbc_TTF.extxyz",
    ]
    read = [read_structures(cases / name).iloc[0] for name in names]
    without_zeros = Structure.from_file(cases / names[1]).remove_oxidation_states()
    slab = AseAtomsAdaptor.get_structure(ase.io.read(cases / names[3]))
    titania = Structure.from_file(cases / "reference_TiO2.cif")
    model = AMDNetRegressor.load(pretrained_model_file("mp2018-band-gap"))
    expected = model.predict([titania, without_zeros, titania, slab])
    assert model.predict(read) == pytest.approx(expected, abs=5e-4)
    assert (expected[:2] > 1.0).all()  # such crystals were once taken for alloys, with gaps below 0.1 eV
