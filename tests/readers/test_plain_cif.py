"""Plain CIFs: pymatgen is the judge of what gemmi reads, and the reader of all that is not plain."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifParser, CifWriter
from pymatgen.symmetry.groups import SpaceGroup

from amdnet_matminer.readers.cif import read_cif
from amdnet_matminer.readers.plain_cif import read_plain

QUARTZ = """data_quartz
_cell_length_a 4.9134(2)
_cell_length_b 4.9134(2)
_cell_length_c 5.4052(2)
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_chemical_formula_sum 'O6 Si3'
loop_
_space_group_symop_operation_xyz
x,y,z
-y,x-y,z+2/3
'-x+y, -x, z+1/3'
y,x,-z
-x,-x+y,2/3-z
x-y,-y,1/3-z
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Si1 Si 0.4697 0 0.66667 1
O1 O 0.4135(3) 0.2669(2) 0.1191(2) 1.0
"""


def of_pymatgen(text: str) -> Structure:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CifParser.from_str(text, check_cif=False).parse_structures(primitive=False)[0]


def plain(text: str) -> Structure:
    read = read_plain(text)
    assert read is not None
    return read[0]


def assert_same(one: Structure, other: Structure) -> None:
    """The same crystal in the same cell, site by site."""
    assert one.species == other.species
    assert one.labels == other.labels
    np.testing.assert_allclose(one.lattice.matrix, other.lattice.matrix, atol=1e-9)
    between = one.frac_coords - other.frac_coords
    np.testing.assert_allclose(between, np.rint(between), atol=1e-9)


def test_operations_uncertainties_and_special_positions() -> None:
    structure = plain(QUARTZ)
    assert structure.formula == "Si3 O6"
    assert_same(structure, of_pymatgen(QUARTZ))


def test_labels_stand_for_symbols() -> None:
    text = QUARTZ.replace("_atom_site_type_symbol\n", "").replace("Si1 Si", "Si1").replace("O1 O", "O1")
    assert_same(plain(text), of_pymatgen(text))


def test_what_is_nearly_a_third_is_one() -> None:
    text = QUARTZ.replace("Si1 Si 0.4697 0 0.66667", "Si1 Si 0.33331 0.66664 0")
    structure = plain(text)
    assert len(structure) == 12
    assert_same(structure, of_pymatgen(text))


CUBIC, HEXAGONAL = Lattice.cubic(7.3), Lattice.hexagonal(6.1, 8.7)


@settings(max_examples=25, deadline=None)
@given(
    group=st.sampled_from([1, 2, 12, 62, 129, 136, 148, 166, 186, 194, 221, 225, 227]),
    places=st.lists(
        st.tuples(*[st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 0.1173, 0.731])] * 3), min_size=1, max_size=3
    ),
    digits=st.sampled_from([5, 8]),
    symmetric=st.booleans(),
)
def test_the_crystals_are_those_of_pymatgen(
    group: int, places: list[tuple[float, ...]], digits: int, symmetric: bool
) -> None:
    symbol = SpaceGroup.from_int_number(group).symbol
    lattice = HEXAGONAL if 143 <= group <= 194 else CUBIC
    species = ["Sr", "Ti", "O"][: len(places)]
    crystal = Structure.from_spacegroup(symbol, lattice, species, places)
    crystal.merge_sites(tol=0.3, mode="delete")
    text = str(CifWriter(crystal, symprec=0.01 if symmetric else None, significant_figures=digits))
    read = read_plain(text.partition("\n")[2])
    if read is not None:
        assert_same(read[0], of_pymatgen(text))


@pytest.mark.parametrize("symmetric", [False, True])
def test_what_pymatgen_writes_is_plain(spinel: Structure, symmetric: bool) -> None:
    text = str(CifWriter(spinel, symprec=0.01 if symmetric else None))
    assert_same(plain(text.partition("\n")[2]), of_pymatgen(text))


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("1.0", "0.5"),
        ("1.0", "?"),
        ("O1 O ", "O1 O2- "),
        ("O1 O ", "O1 D "),
        ("O1 O ", "O1 Ar "),
        ("O1 O ", "O1 Xx "),
        ("O1 O ", "Nb,Zr '0.8Nb + 0.2Zr' "),
        ("O1 O 0.4135(3) 0.2669(2) 0.1191(2)", "O1 O 0.4697 0 0.66667"),
        ("O1 O 0.4135(3) 0.2669(2) 0.1191(2)", "O1 O 0 0.4697 0.33333"),
        ("O1 O 0.4135(3) 0.2669(2) 0.1191(2)", "O1 O ? 0.2669 0.1191"),
        ("Si1 Si 0.4697 0 ", "Si1 Si 0.4697 0.0001 "),
        ("-y,x-y,z+2/3", "-y,x-y,z+0.6667"),
        ("-y,x-y,z+2/3", "-y,x-y,z+2/7"),
        ("-y,x-y,z+2/3", "-y,y-y,z+2/3"),
        ("-y,x-y,z+2/3", "-2y,x-y,z+2/3"),
        ("-x,-x+y,2/3-z", "-x,-x+y,x/3-z"),
        ("Si1 Si", ". Si"),
        ("_space_group_symop_operation_xyz", "_unknown"),
        ("_cell_length_c 5.4052(2)\n", ""),
        ("_cell_length_c 5.4052(2)", "_cell_length_c 0"),
        ("_cell_angle_gamma 120", "_cell_angle_gamma 179.99"),
        ("_cell_angle_gamma 120", "_cell_angle_gamma 120\n_cell_angle_gamma 90"),
        ("_cell_angle_gamma 120", "_cell_angle_gamma 120\n_space_group_magn.number_BNS 62.448"),
        ("_cell_angle_gamma 120", "_cell_angle_gamma 120\n_atom_site_attached_hydrogens 2"),
        ("0.1191(2) 1.0", "0.1191(2)"),
        ("Si1 Si 0.4697 ", "Si1 Si nan "),
        ("Si1 Si 0.4697 ", "Si1 Si 1e400 "),
        ("_cell_length_b 4.9134(2)", "loop_\n_cell_length_b\n4.9134(2)\nH"),
        ("_chemical_formula_sum 'O6 Si3'", "loop_\n_chemical_formula_sum\n'O6 Si3'"),
        ("data_quartz\n", ""),
    ],
)
def test_what_has_to_be_judged_is_left_to_pymatgen(there: str, instead: str) -> None:
    assert there in QUARTZ
    assert read_plain(QUARTZ.replace(there, instead)) is None


TOKENS = [
    "?",
    ".",
    "1",
    "-1",
    "1e400",
    "nan",
    "loop_",
    "data_x",
    "Fe3+",
    "#",
    ";",
    "(5)",
    "1/2",
    "Xx",
    "H",
    "x",
]


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_whatever_is_done_to_a_plain_cif_it_is_the_crystal_of_pymatgen_or_left_to_it(
    data: st.DataObject,
) -> None:
    lines = QUARTZ.splitlines()
    for _ in range(data.draw(st.integers(1, 2))):
        number = data.draw(st.integers(0, len(lines) - 1))
        words = lines[number].split(" ")
        words[data.draw(st.integers(0, len(words) - 1))] = data.draw(st.sampled_from(TOKENS))
        lines[number] = data.draw(st.sampled_from([" ".join(words), lines[number - 1], f"{lines[number]} 1"]))
    text = "\n".join(lines)
    read = read_plain(text)
    if read is not None:
        assert_same(read[0], of_pymatgen(text))


def test_a_large_cell_of_high_symmetry_is_left_to_pymatgen() -> None:
    sites = "".join(f"O{i} O {i / 5000} 0.5 0.5 1\n" for i in range(4000))
    assert read_plain(QUARTZ + sites) is None


def test_a_plain_cif_is_read_through_gemmi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amdnet_matminer.readers.cif._Parser", None)
    assert read_cif(QUARTZ).formula == "Si3 O6"
