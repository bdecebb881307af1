"""What users call a crystal: one Structure of each, or the call that makes one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Composition, IStructure, Lattice, Molecule, Structure
from pymatgen.core.entries import ComputedStructureEntry

from amdnet_matminer.errors import StructureError
from amdnet_matminer.structures import as_structure, structure_from_dict


def decorated(structure: Structure, **states: float) -> Structure:
    return structure.copy().add_oxidation_state_by_element(states)


def test_a_plain_structure_is_itself(crystals: list[Structure]) -> None:
    assert all(as_structure(crystal) is crystal for crystal in crystals)


def test_other_forms_are_the_same_crystal(rutile: Structure) -> None:
    assert as_structure(IStructure.from_sites(rutile.sites)) == rutile
    assert type(as_structure(IStructure.from_sites(rutile.sites))) is Structure
    assert as_structure(rutile.as_dict()) == rutile
    assert as_structure(rutile.as_dict(verbosity=0)) == rutile
    true_states = decorated(rutile, Ti=4, O=-2)
    assert as_structure(json.loads(json.dumps(true_states.as_dict()))) == true_states


def test_a_dictionary_of_lengths_and_cartesian_coordinates(rutile: Structure) -> None:
    content = rutile.as_dict()
    del content["lattice"]["matrix"]
    for site in content["sites"]:
        del site["abc"]
    assert as_structure(content).matches(rutile, primitive_cell=False)


def test_atoms_of_ase(rutile: Structure) -> None:
    build = pytest.importorskip("ase.build")
    adaptor = pytest.importorskip("pymatgen.io.ase").AseAtomsAdaptor
    true_states = decorated(rutile, Ti=4, O=-2)
    assert as_structure(adaptor.get_atoms(rutile)).matches(rutile, primitive_cell=False)
    assert as_structure(adaptor.get_atoms(true_states)).species == true_states.species
    assert as_structure(build.bulk("NaCl", "rocksalt", a=5.64)).formula == "Na1 Cl1"


def test_atoms_of_ase_that_are_disordered() -> None:
    crystal = pytest.importorskip("ase.spacegroup").crystal
    kwargs = {"spacegroup": 225, "cellpar": [3.7, 3.7, 3.7, 90, 90, 90]}
    alloy = crystal(["Cu", "Au"], [(0, 0, 0), (0, 0, 0)], occupancies=[0.5, 0.5], **kwargs)
    with pytest.raises(
        StructureError, match=r"disordered \(Cu:0.5, Au:0.5 by atoms.info\['occupancy'\]\); order"
    ):
        as_structure(alloy)
    vacant = crystal(["Cu"], [(0, 0, 0)], occupancies=[0.9], **kwargs)
    with pytest.raises(StructureError, match=r"disordered \(Cu:0.9 by"):
        as_structure(vacant)
    full = crystal(["Cu", "Au"], [(0, 0, 0), (0.5, 0.5, 0.5)], occupancies=[1, 1.0], **kwargs)
    assert as_structure(full).formula == "Cu4 Au4"
    half = crystal(["Cu", "Au"], [(0, 0, 0), (0.5, 0.5, 0.5)], occupancies=[0.5, 1], **kwargs)
    assert as_structure(half[half.symbols == "Au"]).formula == "Au4"
    full.info["occupancy"] = 0.5  # whatever someone else means by it
    assert as_structure(full).formula == "Cu4 Au4"


def test_disorder_stays_for_the_check_to_refuse(rutile: Structure) -> None:
    disordered = Structure(rutile.lattice, [{"Ti": 0.5, "Zr": 0.5}], [[0, 0, 0]])
    assert as_structure(disordered.as_dict()) == disordered


@pytest.mark.parametrize(
    ("states", "kept"),
    [
        ({"Sr": 0, "Ti": 0, "O": 0}, False),  # what a guess that fails writes
        ({"Sr": 2, "Ti": 4, "O": 0}, False),  # what pymatgen reads of a CIF that names only the metals
        ({"Sr": 0, "Ti": 0, "O": -2}, False),
        ({"Sr": 0, "Ti": 4, "O": -2}, False),  # not neutral, so the zero is no state
        ({"Sr": 0, "Ti": 6, "O": -2}, True),
        ({"Sr": 2, "Ti": 4, "O": -2}, True),
        ({"Sr": 2, "Ti": 3.5, "O": -2}, True),
    ],
)
def test_oxidation_states_that_are_none(perovskite: Structure, states: dict[str, float], kept: bool) -> None:
    given = decorated(perovskite, **states)
    found = as_structure(given)
    assert found == (given if kept else perovskite)
    assert (found is given) == kept
    assert as_structure(given.as_dict()) == found
    assert given == decorated(perovskite, **states)


def test_oxidation_states_of_some_sites_and_of_elements(rutile: Structure, copper: Structure) -> None:
    half = rutile.copy()
    half.replace(0, "Ti4+")
    assert as_structure(half) == rutile
    assert as_structure(decorated(copper, Cu=0)) == copper


def test_a_guess_that_fails_is_no_alloy(rutile: Structure) -> None:
    from amdnet_matminer.motifs import motif_graph

    alloy = Structure(rutile.lattice, ["Ti", "Ti", "O", "O", "O", "N"], rutile.frac_coords)
    alloy.add_oxidation_state_by_guess(oxi_states_override={"Ti": [7], "O": [-2], "N": [-3]})
    assert {specie.oxi_state for specie in alloy.species} == {0}
    assert len(motif_graph(as_structure(alloy)).center) == 2


@pytest.mark.parametrize("shift", [3.0, -40.0, 1000.0])
def test_far_atoms_come_home(rutile: Structure, shift: float) -> None:
    far = rutile.copy()
    far.translate_sites([0, 3], [shift, 0, -shift], to_unit_cell=False)
    before = far.frac_coords.copy()
    assert as_structure(far).matches(rutile, primitive_cell=False)
    assert np.abs(as_structure(far).frac_coords).max() <= 1
    assert (far.frac_coords == before).all()


def test_atoms_whose_place_is_lost(rutile: Structure) -> None:
    rutile = rutile.copy()
    rutile.translate_sites([0], [1e12, 0, 0], to_unit_cell=False)
    with pytest.raises(StructureError, match=r"an atom 1e\+12 cells away.*; repair or remove it"):
        as_structure(rutile)


@pytest.mark.parametrize("pbc", [(True, True, False), (False, False, False)])
def test_a_cell_is_periodic_whatever_pbc_says(rutile: Structure, pbc: tuple[bool, bool, bool]) -> None:
    slab = Structure(Lattice(rutile.lattice.matrix, pbc=pbc), rutile.species, rutile.frac_coords)
    assert as_structure(slab) == rutile
    assert as_structure(slab).lattice.pbc == (True, True, True)
    assert slab.lattice.pbc == pbc
    assert as_structure(slab.as_dict()) == rutile


def test_atoms_that_no_cell_vector_holds(rutile: Structure) -> None:
    lattice = Lattice(rutile.lattice.matrix, pbc=(True, True, False))
    chain = Structure(lattice, ["Ti", "O"], [[0, 0, 0], [0, 0, 1.4]])
    with pytest.raises(
        StructureError, match=r"along cell vector c \(pbc is T T F\).* reach 1\.4 times as far"
    ):
        as_structure(chain)


def test_slabs_and_molecules_of_ase() -> None:
    build = pytest.importorskip("ase.build")
    for atoms in (
        build.fcc111("Pt", (2, 2, 3), vacuum=10),
        build.graphene(vacuum=5),
        build.molecule("H2O", vacuum=5),
    ):
        assert len(as_structure(atoms)) == len(atoms)
    with pytest.raises(StructureError, match=r"no cell vector c \(pbc is T T F\).*axis=\(2,\)"):
        as_structure(build.graphene())
    with pytest.raises(StructureError, match=r"no cell vector a, b \(pbc is F F T\)"):
        as_structure(build.nanotube(6, 0))
    with pytest.raises(StructureError, match=r"no cell vector a, b, c .*atoms\.center\(vacuum=10"):
        as_structure(build.molecule("H2O"))


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (None, r"is missing \(None\); .*dropna"),
        (float("nan"), r"is missing \(nan\)"),
        (pd.NA, r"is missing \(<NA>\)"),
        (Molecule(["H"], [[0, 0, 0]]), r"Molecule, which has no lattice; .*get_boxed_structure"),
        (Molecule(["H"], [[0, 0, 0]]).as_dict(), r"molecule, which has no lattice; .*get_boxed_structure"),
        (Composition("NaCl"), "Composition, which has no sites"),
        (pd.DataFrame({"structure": []}), r"df\['structure'\]"),
        ("rutile.cif", r"the text 'rutile\.cif'; .*read_structures"),
        (Path("rutile.cif"), "a path; .*read_structures"),
        ("data_x\n_cell_length_a 3\n", r"text of CIF; .*Structure\.from_str\(text, fmt='cif'\)"),
        ('{"lattice": {}}', r"text of JSON; .*Structure\.from_str\(text, fmt='json'\)"),
        ("Full Formula (Ti2 O4)\n", "printed form of a structure"),
        (7, "is a int, not a pymatgen Structure"),
        ({"a": 1}, r"without 'lattice' and 'sites', its keys being 'a'; .*as_dict"),
        ({"lattice": 1, "sites": []}, "broken dictionary"),
    ],
)
def test_what_is_no_crystal_says_what_converts_it(item: Any, message: str) -> None:
    with pytest.raises(StructureError, match=message):
        as_structure(item)


def test_an_entry_has_a_structure(rutile: Structure) -> None:
    with pytest.raises(StructureError, match=r"give its structure: entry\.structure"):
        as_structure(ComputedStructureEntry(rutile, 0.0))


@pytest.mark.parametrize(
    "broken",
    [
        {"species": [{"element": "Ti", "occu": 1}], "abc": [0, 0]},
        {"species": [{"element": "Ti", "occu": "x"}], "abc": [0, 0, 0]},
        {"species": [{"element": "Ti", "occu": 1, "oxidation_state": "x"}], "abc": [0, 0, 0]},
        {"species": [{"element": "Ti", "occu": 9}], "abc": [0, 0, 0]},
        {"species": [{"occu": 1}], "abc": [0, 0, 0]},
        {"species": 3, "abc": [0, 0, 0]},
        {"species": [], "abc": [[0], [0], [0]]},
        {},
        None,
    ],
)
def test_broken_dictionaries(rutile: Structure, broken: Any) -> None:
    content = rutile.as_dict()
    content["sites"][0] = broken
    with pytest.raises(StructureError, match=r"broken dictionary of a structure .*; write it anew"):
        structure_from_dict(content)


def test_nothing_that_a_dictionary_names_is_imported(
    rutile: Structure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "named_in_a_file.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    hostile = {"@module": "named_in_a_file", "@class": "x"}
    content = rutile.as_dict() | hostile
    content["properties"] = {"a": hostile}
    content["lattice"] |= hostile
    for site in content["sites"]:
        site |= hostile
        site["properties"] = {"a": hostile, "b": [{"c": hostile}]}
        site["species"][0] |= hostile
    assert structure_from_dict(content) == rutile
    assert "named_in_a_file" not in sys.modules
