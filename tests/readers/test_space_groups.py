"""Symmetry that CIFs list or only name: the settings of space groups, and cells that do not have them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.groups import SpaceGroup

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.readers.cif import read_cif
from amdnet_matminer.readers.entries import ReadingNote
from amdnet_matminer.readers.space_groups import symmetry

CUBIC = (8.08, 8.08, 8.08, 90, 90, 90)
TETRAGONAL = (6, 6, 7, 90, 90, 90)
RHOMBOHEDRAL = (4.13, 4.13, 4.13, 54.1, 54.1, 54.1)
HEXAGONAL = (3.76, 3.76, 10.55, 90, 90, 120)
CELLS = {
    "triclinic": (5.1, 6.2, 7.3, 81, 82, 83),
    "monoclinic": (5.1, 6.2, 7.3, 90, 98, 90),
    "orthorhombic": (5.1, 6.2, 7.3, 90, 90, 90),
    "tetragonal": TETRAGONAL,
    "trigonal": HEXAGONAL,
    "hexagonal": HEXAGONAL,
    "cubic": CUBIC,
}


def cif(cell: tuple[float, ...], sites: str, **tags: str) -> str:
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = [f"_cell_{name} {value}" for name, value in zip(names, cell, strict=True)]
    lines += [f"_{name.replace('_HM', '_H-M')} '{value}'" for name, value in tags.items()]
    loop = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
    return "data_x\n" + "\n".join(lines) + f"\n{loop}{sites}\n"


def read(text: str) -> tuple[Structure, list[str]]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        structure = read_cif(text)
    return structure, [str(line.message) for line in said if line.category is ReadingNote]


SPINEL = "Mg1 0.125 0.125 0.125\nAl1 0.5 0.5 0.5\nO1 0.2624 0.2624 0.2624"
GENERAL = "Si1 0.1 0.2 0.3"
ARSENIC = "As1 0.227 0.227 0.227"


@pytest.mark.parametrize(
    ("cell", "sites", "tags", "formula"),
    [
        (CUBIC, SPINEL, {"symmetry_space_group_name_HM": "F d -3 m :2"}, "Mg8 Al16 O32"),
        (CUBIC, SPINEL, {"symmetry_space_group_name_HM": "F d -3 m Z"}, "Mg8 Al16 O32"),
        (
            CUBIC,
            SPINEL,
            {"symmetry_space_group_name_HM": "Fd-3mZ", "space_group_IT_number": "227"},
            "Mg8 Al16 O32",
        ),
        (CUBIC, SPINEL, {"space_group_name_Hall": "-F 4vw 2vw 3"}, "Mg8 Al16 O32"),
        (CUBIC, "Si1 0 0 0", {"space_group_name_HM_alt": "F d -3 m S"}, "Si8"),
        (RHOMBOHEDRAL, ARSENIC, {"symmetry_space_group_name_HM": "R -3 m"}, "As2"),
        (RHOMBOHEDRAL, ARSENIC, {"symmetry_Int_Tables_number": "166"}, "As2"),
        (HEXAGONAL, "As1 0 0 0.227", {"symmetry_space_group_name_HM": "R -3 m"}, "As6"),
        (HEXAGONAL, "As1 0 0 0.227", {"symmetry_space_group_name_HM": "R -3 m H"}, "As6"),
        (
            TETRAGONAL,
            GENERAL,
            {"space_group_name_Hall": "P 4 2", "space_group_name_HM_alt": "P 4 2 2"},
            "Si8",
        ),
        (TETRAGONAL, GENERAL, {"space_group_name_HM_alt": "P4(2)/mnm"}, "Si16"),
        (TETRAGONAL, GENERAL, {"space_group_name_HM_alt": "?", "space_group_IT_number": "136"}, "Si16"),
        (
            TETRAGONAL,
            GENERAL,
            {"space_group_name_HM_alt": "P 42/m 21/n 2/m", "space_group_IT_number": "136"},
            "Si16",
        ),
        ((5, 6, 7, 90, 90, 100), GENERAL, {"symmetry_space_group_name_HM": "P 1 1 21/b"}, "Si4"),
        (
            (5, 6, 7, 80, 90, 100),
            GENERAL,
            {"symmetry_space_group_name_HM": "P -1", "space_group_IT_number": "2"},
            "Si2",
        ),
        ((5, 6, 7, 80, 90, 100), GENERAL, {"space_group_IT_number": "2"}, "Si2"),
        ((5, 6, 7, 80, 90, 100), GENERAL, {"symmetry_space_group_name_HM": "P 1"}, "Si1"),
        # Cells are measured, or rounded.
        ((5.99, 6.01, 7, 90.2, 90, 90), GENERAL, {"symmetry_space_group_name_HM": "P 4 2 2"}, "Si8"),
    ],
)
def test_a_setting_is_that_of_the_names_and_the_cell(
    cell: tuple[float, ...], sites: str, tags: dict[str, str], formula: str
) -> None:
    structure, notes = read(cif(cell, sites, **tags))
    assert structure.formula == formula
    assert notes == []


@pytest.mark.parametrize(
    ("cell", "tags", "guess"),
    [
        (
            CUBIC,
            {"symmetry_space_group_name_HM": "F d -3 m"},
            "names the space group 'F d -3 m', of which 2 settings fit, and lists no symmetry operations: "
            "F d -3 m:1 is taken",
        ),
        (
            (5, 6, 7, 90, 90, 90),
            {"space_group_IT_number": "62"},
            "'62', of which 6 settings fit.* P n m a is taken",
        ),
        ((5, 6, 7, 90, 98, 90), {"space_group_IT_number": "14"}, r"P 1 21/c 1 is taken"),
    ],
)
def test_a_guess_is_a_note(cell: tuple[float, ...], tags: dict[str, str], guess: str) -> None:
    _, (note,) = read(cif(cell, GENERAL, **tags))
    with pytest.raises(ReadingNote, match=guess):
        raise ReadingNote(note)


def test_a_guess_that_does_not_give_the_formula_is_refused() -> None:
    tags = {"symmetry_space_group_name_HM": "F d -3 m", "chemical_formula_sum": "Mg Al2 O4"}
    with pytest.raises(DatasetError, match=r"F d -3 m:1 is taken, which does not give its formula"):
        read(cif(CUBIC, SPINEL, **tags))


@pytest.mark.parametrize(
    ("cell", "tags", "reason"),
    [
        ((5, 6, 7, 90, 90, 100), {"space_group_IT_number": "14"}, "not clear which setting is meant"),
        (
            (5, 6, 7, 90, 90, 100),
            {"space_group_name_HM_alt": "P 1 21/c 1"},
            "a cell of 5, 6, 7, 90, 90, 100 has not",
        ),
        (
            CUBIC,
            {"space_group_name_HM_alt": "P m m m", "space_group_IT_number": "227"},
            "names of several space groups",
        ),
        (
            CUBIC,
            {"space_group_name_HM_alt": "Q 7 5", "space_group_IT_number": "227"},
            "which setting is meant",
        ),
        (CUBIC, {"space_group_IT_number": "231"}, "unknown space group '231'"),
    ],
)
def test_what_is_not_clear_is_refused(cell: tuple[float, ...], tags: dict[str, str], reason: str) -> None:
    with pytest.raises(DatasetError, match=rf"{reason}.* lists no symmetry operations; add them"):
        read(cif(cell, GENERAL, **tags))


@pytest.mark.parametrize("occupancy", ["1", "0.5"])
def test_operations_that_a_cell_does_not_have_are_refused(occupancy: str) -> None:
    text = cif((5, 6, 7, 90, 90, 90), "Ba1 0 0 0\nO1 0.3 0.1 0.5")
    operations = "loop_\n_space_group_symop_operation_xyz\nx,y,z\n-y,x-y,z\n-x+y,-x,z\n"
    text = text.replace("loop_\n", f"{operations}loop_\n_atom_site_occupancy\n")
    text = text.replace("Ba1", f"{occupancy} Ba1").replace("O1", f"{occupancy} O1")
    with pytest.raises(
        DatasetError, match=r"operation '-y, x-y, z', which a cell of 5, 6, 7, 90, 90, 90 has not"
    ):
        read(text)


def test_operations_that_are_unknown_are_none() -> None:
    tags = {"symmetry_equiv_pos_as_xyz": "?", "symmetry_space_group_name_HM": "P 4 2 2"}
    assert len(read(cif(TETRAGONAL, GENERAL, **tags))[0]) == 8


@pytest.mark.parametrize("number", range(1, 231))
def test_groups_by_number_and_name_are_those_of_pymatgen(number: int) -> None:
    group = SpaceGroup.from_int_number(number)
    lattice = Lattice.from_parameters(*CELLS[group.crystal_system])
    found = symmetry({"_space_group_it_number": str(number)}, lattice).operations
    named = symmetry({"_symmetry_space_group_name_h-m": group.symbol}, lattice).operations
    for operations in (found, named):
        images = [operation.operate([0.11, 0.23, 0.37]) % 1 for operation in operations]
        expected = [operation.operate([0.11, 0.23, 0.37]) % 1 for operation in group.symmetry_ops]
        assert np.allclose(sorted(np.round(images, 6).tolist()), sorted(np.round(expected, 6).tolist()))
