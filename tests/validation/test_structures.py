"""A crystal that cannot be used gets an error that names it, the site, the reason and the remedy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import DummySpecies, IStructure, Lattice, Molecule, Structure

from amdnet_matminer.errors import AMDNetError, StructureError
from amdnet_matminer.validation.structures import check_elements, check_structure, check_structures


def broken(rock_salt: Structure, fault: str) -> object:
    structure = rock_salt.copy()
    if fault == "disordered":
        structure.replace(3, {"Mg": 0.5, "Ca": 0.5})
    elif fault == "overlapping":
        structure.append("O", structure[2].frac_coords + np.array([0.005, 0, 0]), validate_proximity=False)
    elif fault == "overlapping through the cell wall":
        return Structure(Lattice.cubic(4.0), ["Mg", "O"], [[0.001, 0, 0], [0.999, 0, 0]])
    elif fault == "own image":
        return Structure(Lattice.orthorhombic(0.05, 200, 200), ["Mg"], [[0, 0, 0]])
    elif fault == "thin cell":  # in which the search for symmetry does not end
        return Structure(Lattice.orthorhombic(0.12, 300, 20), ["Na", "Cl"], [[0, 0, 0], [0.31, 0.42, 0.2]])
    elif fault == "thin skewed cell":
        return Structure(Lattice([[5, 0, 0], [5.1, 0.2, 0], [0, 0, 400]]), ["Na"], [[0, 0, 0]])
    elif fault == "dummy":
        structure.replace(3, DummySpecies("X"))
    elif fault == "NaN coordinates":
        return Structure(Lattice.cubic(4.0), ["Mg", "O"], [[0, 0, 0], [np.nan, 0, 0]])
    elif fault == "infinite lattice":
        return Structure(Lattice([[np.inf, 0, 0], [0, 4, 0], [0, 0, 4]]), ["Mg"], [[0, 0, 0]])
    elif fault == "flat cell":
        return Structure(Lattice([[4, 0, 0], [4, 1e-9, 0], [0, 0, 4]]), ["Mg"], [[0, 0, 0]])
    elif fault == "empty":
        return Structure(Lattice.cubic(4.0), [], [])
    else:
        return {
            "None": None,
            "NA": pd.NA,
            "NaN": np.nan,
            "molecule": Molecule(["O"], [[0, 0, 0]]),
            "formula": "MgO",
            "number": 3.0,
            "sites": structure.sites,
        }[fault]
    return structure


FAULTS = [
    ("disordered", r"structure 1, site 3 is disordered \(.*Mg:0\.5.*\); order it"),
    ("overlapping", r"structure 1, sites 2 and 8 are at one place \(0.021 angstrom apart\); remove one"),
    ("overlapping through the cell wall", r"structure 1, sites (0 and 1|1 and 0) are at one place"),
    ("own image", r"structure 1 repeats itself every 0.050 angstrom; repair or remove it"),
    ("thin cell", r"structure 1 repeats itself every 0.120 angstrom; repair or remove it"),
    ("thin skewed cell", r"structure 1 repeats itself every 0.224 angstrom; repair or remove it"),
    ("dummy", r"structure 1, site 3 holds the dummy species X.*give an element"),
    ("NaN coordinates", r"structure 1 has a lattice or coordinates that are not finite; repair or remove it"),
    (
        "infinite lattice",
        r"structure 1 has a lattice or coordinates that are not finite; repair or remove it",
    ),
    ("flat cell", r"structure 1 has a cell of .* cubic angstrom; repair or remove it"),
    ("empty", r"structure 1 has no sites; remove it"),
    ("None", r"structure 1 is missing \(None\); leave it out, for instance with df.dropna"),
    ("NA", r"structure 1 is missing \(<NA>\); leave it out"),
    ("NaN", r"structure 1 is missing \(nan\); leave it out"),
    (
        "molecule",
        r"structure 1 is a Molecule, which has no lattice; put it into a box: .*get_boxed_structure",
    ),
    ("formula", r"structure 1 is the text 'MgO'; read files with"),
    ("number", r"structure 1 is a float, not a pymatgen Structure; of a dataframe pass the column"),
    (
        "sites",
        r"structure 1 is a row of 8 columns; pass the one of the structures, such as df\['structure'\]",
    ),
]


@pytest.mark.parametrize(("fault", "message"), FAULTS)
def test_structure_that_cannot_be_used(rock_salt, fault, message):
    with pytest.raises(StructureError, match=message) as caught:
        check_structures([rock_salt, broken(rock_salt, fault), rock_salt])
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, AMDNetError)


def test_dataframe_instead_of_its_column(rock_salt):
    frame = pd.DataFrame({"structure": [rock_salt], "energy": [1.0]})
    with pytest.raises(StructureError, match=r"structure 0 is a row of 2 columns; .* df\['structure'\]"):
        check_structures(frame)


def test_one_column(rock_salt, rutile):
    frame = pd.DataFrame({"structure": [rock_salt, rutile]}, index=[7, 3])
    assert check_structures(frame) == [rock_salt, rutile]
    assert check_structures(frame.to_numpy()) == [rock_salt, rutile]
    assert check_structures([[rock_salt], (rutile,)]) == [rock_salt, rutile]


@pytest.mark.parametrize("form", ["IStructure", "Atoms", "dict"])
def test_what_neighbours_call_a_crystal(rock_salt, form):
    if form == "Atoms":
        pytest.importorskip("ase")
    given = {
        "IStructure": lambda: IStructure.from_sites(rock_salt.sites),
        "Atoms": rock_salt.to_ase_atoms,
        "dict": rock_salt.as_dict,
    }[form]()
    found = check_structures([rock_salt, given])
    assert found[0] is rock_salt
    assert type(found[1]) is Structure
    assert found[1].matches(rock_salt)
    with pytest.raises(StructureError, match=r"got a single structure; pass a list of structures"):
        check_structures(given)


def test_far_atoms_are_brought_home(rock_salt):
    far = rock_salt.copy()
    far.translate_sites([0, 1], [40, 0, -3], to_unit_cell=False)
    before = far.frac_coords.copy()
    found = check_structure(far)
    assert np.abs(found.frac_coords).max() < 1.0
    np.testing.assert_allclose(found.distance_matrix, rock_salt.distance_matrix, atol=1e-9)
    np.testing.assert_array_equal(far.frac_coords, before)


def test_a_path_instead_of_structures():
    with pytest.raises(StructureError, match=r"structure is the text 'POSCAR'; read files with"):
        check_structures("POSCAR")


def test_no_structures():
    with pytest.raises(StructureError, match="got no structures; pass at least one"):
        check_structures([])


def test_one_structure_instead_of_a_list(rock_salt):
    with pytest.raises(StructureError, match=r"single structure; pass a list of structures: \[structure\]"):
        check_structures(rock_salt)


@pytest.mark.parametrize("container", [list, tuple, iter, pd.Series])
def test_containers_of_structures(rock_salt, rutile, container):
    assert check_structures(container([rock_salt, rutile])) == [rock_salt, rutile]


def test_series_with_another_index(rock_salt, rutile):
    column = pd.DataFrame({"structure": [rock_salt, rutile]}, index=[7, 3])["structure"]
    assert check_structures(column) == [rock_salt, rutile]


def test_object_array_of_equally_large_structures(rock_salt):
    array = np.empty(2, dtype=object)
    array[:] = [rock_salt, rock_salt.copy()]
    assert check_structures(array) == [rock_salt, rock_salt]


def test_sound_structures_pass(crystals):
    for structure in crystals:
        check_structure(structure)


def test_atoms_near_but_apart_pass():
    # The bond of H2, the shortest there is.
    check_structure(Structure(Lattice.cubic(10.0), ["H", "H"], [[0, 0, 0], [0.074, 0, 0]]))


def test_element_beyond_the_embedding(rock_salt):
    heavy = rock_salt.copy()
    heavy.replace(2, "Am")
    message = r"structure 1, site 2 is Am \(Z=95\), which is beyond the embedding that ends at Z=94"
    with pytest.raises(StructureError, match=message):
        check_elements([rock_salt, heavy])


def test_plutonium_is_in_the_embedding(rock_salt):
    oxide = rock_salt.copy()
    oxide.replace_species({"Mg": "Pu"})
    check_elements([oxide])


@pytest.mark.parametrize(("item", "reason"), [(None, "None"), (3, "int"), (Path("a.cif"), "is a path")])
def test_what_holds_no_crystals_is_told(item, reason):
    with pytest.raises(StructureError, match=reason):
        check_structures(item)
