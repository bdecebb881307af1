"""CIFs as real programs write them: what is read, and what a file declares of what it lacks."""

from __future__ import annotations

import warnings

import pytest
from pymatgen.core import Structure

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.readers.cif import cif_blocks, read_cif
from amdnet_matminer.readers.entries import ReadingNote

RUTILE = """data_rutile
_cell_length_a 4.594(2)
_cell_length_b 4.594(2)
_cell_length_c 2.959(1)
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90.
_symmetry_space_group_name_H-M 'P 42/m n m'
_chemical_formula_sum 'Ti O2'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Ti1 Ti 0 0 0 1
O1 O 0.305(3) 0.305(3) 0. 1
"""
ROCK_SALT = RUTILE.replace("data_rutile", "data_rocksalt").replace("Ti O2", "Ti2 O2 O2")


def read(text: str) -> tuple[Structure, list[str]]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        structure = read_cif(text)
    return structure, [str(line.message) for line in said if line.category is ReadingNote]


def test_a_plain_cif(rutile: Structure) -> None:
    structure, notes = read(RUTILE)
    assert structure.matches(rutile)
    assert notes == []


@pytest.mark.parametrize(
    "formula", ["'Ti O2'", "'O2 Ti1'", "'Ti4 O8'", "'Ti0.999 O2'", "?", "'(Ti, x) O2 * n'"]
)
def test_formulas_that_fit_or_are_none(formula: str) -> None:
    assert read(RUTILE.replace("'Ti O2'", formula))[1] == []


def test_deuterium_is_hydrogen() -> None:
    text = RUTILE.replace("'Ti O2'", "'H2 Ti O2'") + "D1 D 0 0.5 0 1\n"
    assert read(text)[1] == []


def test_other_amounts_are_a_note() -> None:
    structure, notes = read(RUTILE.replace("'Ti O2'", "'Ti2 O3'"))
    assert structure.composition.reduced_formula == "TiO2"
    assert notes == ["incorrect stoichiometry: its formula is Ti2 O3, its sites are TiO2"]


def test_elements_that_a_formula_lacks_are_a_note() -> None:
    assert read(RUTILE.replace("'Ti O2'", "'Ti4'"))[1] == [
        "incorrect stoichiometry: its formula is Ti4, its sites are TiO2"
    ]


def test_a_symbol_that_is_guessed_is_a_note() -> None:
    text = (
        RUTILE.replace("O1 O 0.305", "Ow Ow 0.305")
        .replace("_atom_site_type_symbol\n", "")
        .replace("Ti1 Ti", "Ti1")
    )
    assert any("parsed as" in note for note in read(text.replace("Ow Ow", "Ow"))[1])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("'Ti O2'", "'H2 Ti O3'", r"missing elements: its sites lack H \(its formula is H2 Ti O3"),
        ("O1 O 0.305", "O1 N 0.305", r"missing elements: its sites lack O "),
        ("0 1\n", "0 ?\n", r"occupancy is unknown \(Ti1\); write 1 where they are full"),
        ("0. 1\n", "0. .\n", r"occupancy is unknown \(O1\)"),
        ("0. 1\n", "0. 1.02(3)\n", "Occupancy 1.02 exceeded tolerance"),
        ("_cell_length_a", "_cell_length_x", "no cell"),
        ("_atom_site_fract_x", "_atom_site_Cartn_x", "no fractional coordinates"),
        ("'P 42/m n m'", "'Q 7 5'", "unknown space group 'Q 7 5' and lists no symmetry operations"),
        ("4.594(2)", "?", "could not convert string to float"),
        ("data_rutile", "rutile", "no data_ block, so it is no CIF"),
    ],
)
def test_what_a_crystal_lacks(old: str, new: str, reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        read(RUTILE.replace(old, new))


def test_implicit_hydrogens() -> None:
    text = RUTILE.replace("occupancy\n", "occupancy\n_atom_site_attached_hydrogens\n")
    text = text.replace("0 1\n", "0 1 0\n").replace("0. 1\n", "0. 1 1\n")
    with pytest.raises(DatasetError, match="implicit hydrogens"):
        read(text)


def test_occupancies_that_are_rounded(rutile: Structure) -> None:
    assert read(RUTILE.replace("0. 1\n", "0. 1.004\n"))[0].matches(rutile)


def test_no_group_and_no_operations_are_p1() -> None:
    assert len(read(RUTILE.replace("'P 42/m n m'", "'P 1'").replace("'Ti O2'", "'Ti O'"))[0]) == 2


def test_blocks_with_a_crystal() -> None:
    text = f"data_global\n_journal_name x\n{RUTILE}\n  {ROCK_SALT}"
    assert [block.name for block in cif_blocks(text)] == ["rutile", "rocksalt"]
    assert read_cif(text, 0) == read_cif(RUTILE)
    with pytest.raises(DatasetError, match="holds 2 crystals, the blocks rutile, rocksalt"):
        read_cif(text)


def test_a_formula_is_that_of_its_block() -> None:
    assert read(f"data_global\n_chemical_formula_sum 'Na Cl'\n{RUTILE}")[1] == []


@pytest.mark.parametrize("occupancy", ["1", "0.5"])
def test_tags_may_be_in_capitals(occupancy: str) -> None:
    text = RUTILE.replace("0. 1\n", f"0. {occupancy}\n").replace("_chemical_formula_sum 'Ti O2'\n", "")
    capitals = text.replace("_symmetry_space_group_name_H-M", "_Symmetry_Space_Group_Name_H-M")
    capitals = capitals.replace("_atom_site_occupancy", "_atom_site_Occupancy").replace("loop_", "LOOP_")
    assert read(capitals)[0] == read(text)[0]
    assert len(read(capitals)[0]) == 6


def test_operations_may_be_in_capitals() -> None:
    text = RUTILE.replace("'P 42/m n m'", "'P 42/m n m'\n_Symmetry_Equiv_Pos_as_xyz 'x,y,z'")
    assert len(read(text.replace("'Ti O2'", "'Ti O'"))[0]) == 2


MOMENTS = "loop_\n_atom_site_moment_label\n" + "".join(
    f"_atom_site_moment_crystalaxis_{axis}\n" for axis in "xyz"
)
MAGNETIC = f"{RUTILE}{MOMENTS}Ti1 0 0 1.5\n"
OPERATIONS = "'P 42/m n m'\nloop_\n_space_group_symop_operation_xyz\nx,y,z\n" + "".join(
    f"{operation}\n"
    for operation in (
        "-x,-y,z",
        "-y+1/2,x+1/2,z+1/2",
        "y+1/2,-x+1/2,z+1/2",
        "-x,-y,-z",
        "x,y,-z",
        "y+1/2,-x+1/2,-z+1/2",
        "-y+1/2,x+1/2,-z+1/2",
    )
)


def test_operations_beside_magnetic_moments(rutile: Structure) -> None:
    structure, notes = read(MAGNETIC.replace("'P 42/m n m'", OPERATIONS))
    assert structure.matches(rutile)
    assert notes == []


def test_moments_of_all_sites() -> None:
    text = MAGNETIC.replace("'P 42/m n m'", "'P 1'").replace("'Ti O2'", "'Ti O'")
    assert read(text)[0].formula == "Ti1 O1"


def test_magnetic_operations(rutile: Structure) -> None:
    listed = OPERATIONS.replace("z\n", "z,+1\n").replace("/2\n", "/2,+1\n")
    listed = listed.replace("symop_operation_xyz,+1", "symop_magn_operation.xyz")
    assert read(MAGNETIC.replace("'P 42/m n m'", listed))[0].matches(rutile)
    by_number = MAGNETIC.replace("'P 42/m n m'", "?\n_Space_Group_Magn.number_bns 136.499")
    assert read(by_number)[0].matches(rutile)


def test_moments_and_a_group_without_operations() -> None:
    with pytest.raises(
        DatasetError, match=r"moments and the space group 'P 42/m n m', but lists no symmetry"
    ):
        read(MAGNETIC)


FULL = RUTILE.replace("'P 42/m n m'", "'P 1'\n_symmetry_equiv_pos_as_xyz 'x,y,z'").replace(
    "'Ti O2'", "'Ti O'"
)


@pytest.mark.parametrize("dash", ["\u2212", "\u2013", "\x96", "\xad"])
@pytest.mark.parametrize("occupancy", ["1", "0.5"])
def test_any_dash_is_a_minus(dash: str, occupancy: str) -> None:
    text = FULL.replace("0.305(3) 0.305(3) 0. 1", f"-0.305(3) 0.305(3) 0. {occupancy}")
    assert read(text.replace(" -0", f" {dash}0"))[0] == read(text)[0]
    operations = RUTILE.replace("'P 42/m n m'", OPERATIONS).replace("0. 1\n", f"0. {occupancy}\n")
    assert read(operations.replace("-", dash).replace(f"H{dash}M", "H-M"))[0] == read(operations)[0]


def test_spaces_of_web_pages() -> None:
    assert read(FULL.replace("O1 O 0", "\xa0O1\xa0O\xa00"))[0] == read(FULL)[0]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("O1 O 0.305", "O1 O \ufffd0.305", r"has '\\\\ufffd0.305\(3\)' as _atom_site_fract_x"),
        ("O1 O 0.305", "O1 O \u00b10.305", "as _atom_site_fract_x"),
        ("0. 1\n", "0. \u00bd\n", "as _atom_site_occupancy"),
        ("4.594(2)", "4.594\u00c5", "as _cell_length_a"),
        ("'x,y,z'", "'x,\ufffdy,z'", "as _symmetry_equiv_pos_as_xyz"),
        ("O1 O ", "O1 \u041e ", r"has a site of '\\\\u041e'"),
        ("Ti1 Ti ", "Ti1 C\u043e ", r"has a site of 'C\\\\u043e'"),
    ],
)
def test_characters_that_would_be_left_out(old: str, new: str, reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        read(FULL.replace(old, new))


def test_characters_that_say_nothing() -> None:
    text = FULL.replace("O1 O 0.305", "O1\u2032 O 0.305").replace(
        "data_rutile", "data_rutile\n_author 'M\u00fc'"
    )
    expected = read(FULL)[0]
    assert read(text)[0] == expected
    assert read(text.replace("O1\u2032 O 0", "O\u2032 O2\u2212 0"))[0].formula == expected.formula


LABELS_ONLY = FULL.replace("_atom_site_type_symbol\n", "").replace("Ti1 Ti", "Ti1").replace("O1 O", "O1")


@pytest.mark.parametrize(
    "symbol", ["?", ".", "2-O", "OH", "OH3", "Va", "Vac", "VA", "vc1", "Wat", "WAT1", "Water", "Dum"]
)
def test_symbols_of_no_element_are_refused(symbol: str) -> None:
    with pytest.raises(DatasetError, match=r"has sites that are of no element \(O1 of "):
        read(FULL.replace("O1 O ", f"O1 {symbol} "))


@pytest.mark.parametrize("label", ["4O", "OH3", "Va1", "WAT1", "Wat_2", "VC", "Dum1"])
def test_labels_of_no_element_are_refused(label: str) -> None:
    with pytest.raises(DatasetError, match=rf"of no element \({label} of '{label}'\); write its symbol as"):
        read(LABELS_ONLY.replace("O1 ", f"{label} "))
    assert read(FULL.replace("O1 O ", f"{label} O "))[0].formula == "Ti1 O1"


@pytest.mark.parametrize(
    ("label", "element"),
    [
        *[
            ("V1", "V"),
            ("V", "V"),
            ("V1A", "V"),
            ("V_1", "V"),
            ("V3+", "V"),
            ("W2", "W"),
            ("W", "W"),
            ("Cl1-", "Cl"),
        ],
        *[
            ("O1A", "O"),
            ("Fe2+", "Fe"),
            ("Na_1", "Na"),
            ("C1A", "C"),
            ("CL1", "Cl"),
            ("o2", "O"),
            ("OW", "O"),
        ],
        *[("Ow", "O"), ("O(1)", "O"), ("D1", "H"), ("Dy1", "Dy"), ("H1WA", "H"), ("Fe+2", "Fe")],
    ],
)
def test_ordinary_labels_are_of_their_elements(label: str, element: str) -> None:
    text = LABELS_ONLY.replace("_chemical_formula_sum 'Ti O'\n", "").replace("O1 ", f"{label} ")
    assert read(text)[0].composition.element_composition[element] == 1


def test_empty_sites_of_no_element_are_none() -> None:
    assert read(f"{FULL}X1 ? 0.1 0.1 0.1 0\nVa1 Va . . . 0\n")[0] == read(FULL)[0]


@pytest.mark.parametrize("column", ["_atom_site_occupancy", "_atom_site_type_symbol"])
def test_a_column_that_is_there_twice_is_refused(column: str) -> None:
    text = FULL.replace("_atom_site_occupancy\n", f"_atom_site_occupancy\n{column}\n")
    with pytest.raises(DatasetError, match="not list its atom sites in one loop_, with one value a tag"):
        read(text.replace(" 1\n", " 1 0.5\n"))


def test_a_site_without_a_loop_is_refused_where_it_would_be_read_by_letters() -> None:
    site = "_atom_site_label Po1\n" + "".join(f"_atom_site_fract_{axis} 0.5\n" for axis in "xyz")
    text = FULL.partition("loop_")[0].replace("_chemical_formula_sum 'Ti O'\n", "") + site
    assert read(text)[0].frac_coords.tolist() == [[0.5, 0.5, 0.5]]
    with pytest.raises(DatasetError, match="not list its atom sites in one loop_"):
        read(f"{text}_atom_site_occupancy 0.5\n")


def test_occupancies_that_are_no_numbers() -> None:
    for amount in ("-", "-0.5", "nan", "full"):
        with pytest.raises(DatasetError, match=r"occupancy is unknown \(O1\)"):
            read(FULL.replace("0. 1\n", f"0. {amount}\n"))


@pytest.mark.parametrize("place", [". . .", "0.3 0.3 ."])
def test_sites_without_coordinates_are_refused(place: str) -> None:
    text = FULL.replace("0.305(3) 0.305(3) 0.", place)
    with pytest.raises(DatasetError, match=r"sites without coordinates \(O1\); add them"):
        read(text)
