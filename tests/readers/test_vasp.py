"""VASP's files: what older versions and running calculations leave."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest
from pymatgen.core import Structure

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.readers.vasp import read_poscar, read_run
from amdnet_matminer.structure_files import read_structure

VASPRUN = """<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <generator><i name="version" type="string">5.4.4</i></generator>
 <incar><i type="int" name="NSW">5</i></incar>
 <kpoints><varray name="kpointlist"><v>0 0 0</v></varray><varray name="weights"><v>1</v></varray></kpoints>
 <parameters><i type="int" name="NELM">60</i><i type="int" name="NSW">5</i></parameters>
 <atominfo>
  <array name="atoms"><set><rc><c>Mg</c><c>1</c></rc><rc><c>O</c><c>2</c></rc></set></array>
  <array name="atomtypes"><set>
   <rc><c>1</c><c>Mg</c><c>24.3</c><c>2</c><c>PAW_PBE Mg</c></rc>
   <rc><c>1</c><c>O</c><c>16.0</c><c>6</c><c>PAW_PBE O</c></rc>
  </set></array>
 </atominfo>
 {structures}
</modeling>
"""
ENERGY = (
    """<energy><i name="e_fr_energy">-1</i><i name="e_wo_entrp">-1</i><i name="e_0_energy">-1</i></energy>"""
)
STEP = f"""<calculation><scstep>{ENERGY}</scstep>{{}}<varray name="forces"><v>0 0 0</v><v>0 0 0</v></varray>
<varray name="stress"><v>0 0 0</v><v>0 0 0</v><v>0 0 0</v></varray>{ENERGY}</calculation>"""
POSITIONS = """<structure {name}><crystal><varray name="basis">
 <v>{a} 0 0</v><v>0 {a} 0</v><v>0 0 {a}</v></varray></crystal>
 <varray name="positions"><v>0 0 0</v><v>0.5 0.5 0.5</v></varray></structure>"""


def vasprun(first: float, last: float) -> str:
    """A relaxation in one step."""
    start = POSITIONS.format(name='name="initialpos"', a=first)
    end = POSITIONS.format(name='name="finalpos"', a=last)
    step = STEP.format(POSITIONS.format(name="", a=first))
    return VASPRUN.format(structures=f"{start}{step}{end}")


@pytest.fixture
def poscar(rutile: Structure) -> str:
    return rutile.to(fmt="poscar")


def test_a_poscar(poscar: str, rutile: Structure) -> None:
    assert read_poscar(poscar).matches(rutile, primitive_cell=False)


def test_three_equal_scales(poscar: str, rutile: Structure) -> None:
    assert read_poscar(poscar.replace("\n1.0\n", "\n1.0 1.0 1.0\n")).matches(rutile, primitive_cell=False)
    with pytest.raises(DatasetError, match=r"three different scaling factors in line 2; .*write 1\.0"):
        read_poscar(poscar.replace("\n1.0\n", "\n1.0 1.0 1.1\n"))


def test_vasp_4_has_no_symbols(poscar: str) -> None:
    lines = poscar.splitlines()
    text = "\n".join(["Ti O", *lines[1:5], *lines[6:8], *(line.rpartition(" ")[0] for line in lines[8:])])
    with pytest.raises(DatasetError, match=r"of VASP 4, .*; write it, such as 'Ti O', before line 6, '2 4'"):
        read_poscar(text)
    with pytest.raises(DatasetError, match="write it with its 2 symbols before line 6"):
        read_poscar(text.replace("Ti O", "a comment of mine"))


def test_selective_dynamics_are_no_fault(poscar: str, rutile: Structure) -> None:
    head, sites = poscar.split("direct\n")
    sites = sites.replace(" Ti\n", " T T T\n").replace(" O\n", " T T T\n")
    text = f"{head}Selective dynamics\ndirect\n{sites}"
    assert read_poscar(text).matches(rutile, primitive_cell=False)


def test_a_grid_after_the_structure(poscar: str, rutile: Structure, tmp_path: Path) -> None:
    (tmp_path / "CHGCAR").write_text(f"{poscar}\n 2 2 2\n 1 2 3 4 5\n *** augmentation\n")
    assert read_structure(tmp_path / "CHGCAR").matches(rutile, primitive_cell=False)


def test_a_grid_after_a_structure_without_a_comment(poscar: str, rutile: Structure, tmp_path: Path) -> None:
    (tmp_path / "CHGCAR").write_text(f"\n{poscar.partition(chr(10))[2]}\n 2 2 2\n 1 2 3 4 5\n")
    assert read_structure(tmp_path / "CHGCAR").matches(rutile, primitive_cell=False)
    (tmp_path / "CHGCAR").write_text("\n\n")
    with pytest.raises(DatasetError, match="CHGCAR is empty"):
        read_structure(tmp_path / "CHGCAR")


def test_vasprun_gives_its_last_structure(tmp_path: Path) -> None:
    path = tmp_path / "vasprun.xml"
    path.write_text(vasprun(4.2, 4.3))
    assert read_structure(path).lattice.a == pytest.approx(4.3)
    path.write_text(vasprun(4.2, 4.3)[:-100])
    with pytest.raises(DatasetError, match=r"vasprun\.xml cannot be read"):
        read_structure(path)


@pytest.mark.parametrize(
    ("files", "length", "note"),
    [
        ({"vasprun.xml": vasprun(4.2, 4.3), "CONTCAR": 4.4}, 4.3, None),
        (
            {"vasprun.xml": vasprun(4.2, 4.3)[:-100], "CONTCAR": 4.4},
            4.4,
            r"vasprun\.xml cannot be read .*CONTCAR is read",
        ),
        ({"CONTCAR": 4.4, "POSCAR": 4.5}, 4.4, None),
        ({"CONTCAR": "", "POSCAR": 4.5}, 4.5, "CONTCAR is empty, so POSCAR is read"),
    ],
)
def test_the_relaxed_crystal_of_a_run(
    rock_salt: Structure, tmp_path: Path, files: dict[str, str | float], length: float, note: str | None
) -> None:
    for name, content in files.items():
        if isinstance(content, float):
            scaled = rock_salt.copy()
            scaled.scale_lattice(content**3)
            content = scaled.to(fmt="poscar")
        (tmp_path / name).write_text(content)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = read_run([tmp_path / name for name in files], read_structure)
    assert found.lattice.a == pytest.approx(length)
    assert len(said) == (note is not None)
    assert note is None or re.search(note, str(said[0].message))


def test_a_broken_contcar_is_no_reason_for_the_unrelaxed_crystal(
    rock_salt: Structure, tmp_path: Path
) -> None:
    (tmp_path / "CONTCAR").write_text("broken")
    (tmp_path / "POSCAR").write_text(rock_salt.to(fmt="poscar"))
    with pytest.raises(DatasetError, match="CONTCAR cannot be read"):
        read_run([tmp_path / "CONTCAR", tmp_path / "POSCAR"], read_structure)
