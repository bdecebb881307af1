"""Bad input gets an error that names the item, the reason and the remedy."""

from __future__ import annotations

import re
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import DummySpecies, IStructure, Lattice, Molecule, Structure
from sklearn.exceptions import DataConversionWarning

from amdnet_matminer.errors import AMDNetError, StructureError, TargetError
from amdnet_matminer.options import Optimizer, RegressionLoss, Schedule
from amdnet_matminer.validation import (
    check_classes,
    check_elements,
    check_every_target,
    check_parameters,
    check_range,
    check_sample_weight,
    check_structure,
    check_structures,
    check_targets,
)


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
    ("own image", r"structure 1, sites 0 and 0 are at one place"),
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


@pytest.mark.parametrize(
    "y", [[1, 2.5, -3], np.array([1, 2.5, -3]), pd.Series([1, 2.5, -3], index=[5, 1, 2])]
)
def test_targets_pass(y):
    assert check_targets(y, 3).tolist() == [1.0, 2.5, -3.0]
    assert check_targets(y, 3).dtype == np.float64


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "string", object])
def test_pandas_own_types_of_targets_pass(dtype):
    assert check_targets(pd.Series([1, 2, -3], dtype=dtype), 3).tolist() == [1.0, 2.0, -3.0]
    column = pd.DataFrame({"a": [1, 2, 3], "b": [4, pd.NA, 6]}, dtype=dtype)
    np.testing.assert_array_equal(check_targets(column, 3), [[1, 4], [2, np.nan], [3, 6]])


@pytest.mark.parametrize(("largest", "smallest"), [(1e16, 0.0), (np.inf, 0.0), (1e-7, 1e-6)])
def test_targets_that_32_bits_cannot_hold(largest, smallest):
    check_range(np.array([[1.0], [0.0]]), smallest)
    check_range(np.array([[0.0]]), smallest)
    with pytest.raises(
        TargetError, match=f"labels of target 1 reach {re.escape(f'{largest:.3g}')} in .*; fit anew"
    ):
        check_range(np.array([[1.0, largest], [0.0, np.nan]]), smallest)


def test_several_targets_pass():
    y = [[1.0, np.nan], [np.nan, np.nan], [2.0, 3.0]]
    np.testing.assert_array_equal(check_targets(y, 3), y)
    np.testing.assert_array_equal(check_targets(pd.DataFrame(y), 3), y)
    assert check_targets([[1.0], [2.0]], 2).shape == (2, 1)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0, np.nan, np.inf], r"label 1 is nan \(2 not finite in all\); remove these structures or supply"),
        ([1.0, 2.0, -np.inf], r"label 2 is -inf \(1 not finite in all\)"),
        ([1.0, None, 2.0], r"label 1 is nan"),
        ([1.0, 2.0], r"got 3 structures but 2 labels; pass one for each"),
        ([[1.0], [np.nan], [3.0]], r"label 1 is nan"),
        ([[1.0, 2.0], [np.nan, -np.inf], [3.0, 4.0]], r"label 1 of target 1 is -inf \(1 not finite in all\)"),
        ([[1.0, np.nan]] * 3, r"target 1 has no label at all among 3 crystals; remove this target or supply"),
        (np.ones((3, 2, 2)), r"labels must have shape \(n_structures,\) or .* got \(3, 2, 2\)"),
        (np.ones((3, 0)), r"labels must have shape \(n_structures,\) or .* got \(3, 0\)"),
        (1.0, r"labels must have shape \(n_structures,\) or .* got \(\)"),
        (["high", "low", "low"], r"labels are not numbers"),
        ([1.0, 2.0j, 3.0], r"labels are of type complex128; give real numbers"),
        (
            np.ma.masked_greater([1.0, 2.0, 3.0], 2.0),
            r"labels are a masked array; pass only what is not masked",
        ),
        (pd.Series(["2020-01-01"] * 3, dtype="datetime64[ns]"), r"labels are of type datetime64"),
        (pd.Series([1.0, pd.NA, 2.0], dtype="Float64"), r"label 1 is nan \(1 not finite in all\)"),
        ([[1.0, 2.0], [1.0], [3.0, 4.0]], r"labels are no array"),
        (None, r"fit requires y to be passed, but the target y is None"),
    ],
)
def test_targets_that_cannot_be_used(y, message):
    with pytest.raises(TargetError, match=message) as caught:
        check_targets(y, 3)
    assert isinstance(caught.value, ValueError)


def test_every_target_has_a_label():
    check_every_target(np.array([[1.0, np.nan], [np.nan, 2.0]]), "remedy")
    with pytest.raises(TargetError, match="target 0 has no label at all among 1 crystals; do this"):
        check_every_target(np.array([[np.nan, 2.0]]), "do this")


@pytest.mark.parametrize(
    ("y", "dtype"),
    [
        (["metal", "insulator", "metal"], np.str_),
        ([True, False, True], np.bool_),
        ([0, 2, 1], np.int64),
        ([0.0, 2.0, 1.0], np.float64),
        (pd.Series(["metal", "insulator", "metal"], index=[4, 2, 9]), np.str_),
        (pd.Series([True, False, True], dtype=object), np.bool_),
        (pd.Categorical(["metal", "insulator", "metal"]), np.str_),
        (pd.Series(["metal", "insulator", "metal"], dtype="string"), np.str_),
        (pd.Series([True, False, True], dtype="boolean"), np.bool_),
        (pd.Series([0, 2, 1], dtype="Int64"), np.int64),
    ],
)
def test_classes_pass(y, dtype):
    labels = check_classes(y, 3)
    assert labels.tolist() == list(y)
    assert np.issubdtype(labels.dtype, dtype)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["metal", None, None], r"label 1 is missing \(2 in all\); remove these structures or supply it"),
        ([1.0, np.nan, 0.0], r"label 1 is missing \(1 in all\)"),
        ([1.0, 0.5, 0.0], r"label 1 \(0\.5\) is continuous, not a class; give strings, integers or booleans"),
        ([1.0, 0.0, np.inf], r"label 2 is inf"),
        ([1.0, 2.0j, 0.0], r"labels such as .* are no classes"),
        (
            np.ma.array([1, 2, 3], mask=[False, True, False]),
            r"class labels are a masked array; pass only what",
        ),
        (pd.Series([True, pd.NA, False], dtype="boolean"), r"label 1 is missing \(1 in all\)"),
        (None, "fit requires y to be passed, but the target y is None; pass one label for each structure"),
        (np.array([{}, {}, {}]), r"labels such as \{\} are no classes"),
        (
            np.array(["metal", 1, True], dtype=object),
            r"of several types, \['bool', 'int', 'str'\]; give all of one",
        ),
        (["metal", "metal"], r"got 3 structures but 2 labels; pass one for each"),
        ([["metal"] * 2] * 3, r"class labels must have shape \(n_structures,\), got \(3, 2\)"),
    ],
)
def test_classes_that_cannot_be_used(y, message):
    with pytest.raises(TargetError, match=message):
        check_classes(y, 3)


def test_a_column_of_classes_is_ravelled_with_a_warning():
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        assert check_classes([["metal"], ["insulator"]], 2).tolist() == ["metal", "insulator"]


def test_sample_weights_are_relative():
    assert check_sample_weight(None, 2).tolist() == [1.0, 1.0]
    assert check_sample_weight([0, 3], 2).tolist() == [0.0, 1.0]
    assert check_sample_weight([1e300, 5e299, 1e-300], 3).tolist() == [1.0, 0.5, 0.0]
    assert check_sample_weight([1e-50, 1e-50], 2).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0], "got 2 structures but 1 sample weights; pass one for each"),
        ([1.0, np.inf], r"sample weight 1 is inf \(1 not finite in all\)"),
        ([1.0, -1.0], "must not be negative"),
        ([0.0, 0.0], "at least one must be non-zero"),
        ([1.0j, 1.0], "sample weights are of type complex128; give real numbers"),
        (np.ma.ones(2), "sample weights are a masked array"),
        ([[1.0, 1.0]] * 2, r"sample weights must have shape \(n_structures,\), got \(2, 2\)"),
        (["a", "b"], "sample weights are not numbers"),
    ],
)
def test_sample_weights_that_cannot_be_used(weight, message):
    with pytest.raises(TargetError, match=message):
        check_sample_weight(weight, 2)


PARAMETERS = {
    "architecture": "megnet",
    "atom_cutoff": 5,
    "learning_rate": 1e-3,
    "batch_size": np.int64(32),
    "validation_fraction": 0,
    "width": None,
    "weight_decay": 0.0,
    "checkpoint_dir": None,
    "random_state": None,
}


def test_parameters_in_range_pass():
    check_parameters(PARAMETERS)
    check_parameters(PARAMETERS | {"checkpoint_dir": "state", "random_state": 0})


@pytest.mark.parametrize(
    ("name", "literal"),
    [
        ("optimizer", Optimizer),
        ("loss", RegressionLoss),
        ("schedule", Schedule),
    ],
)
def test_every_choice_passes(name, literal):
    for choice in get_args(literal):
        check_parameters({name: choice})
    with pytest.raises(ValueError, match=f"{name} must be .*one of"):
        check_parameters({name: "cross-entropy"})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("architecture", "cgcnn", r"must be one of \['amdnet', 'amdnet-2021', 'megnet'.*\], got 'cgcnn'"),
        ("atom_cutoff", 0.0, r"must be a number above 0, at most 20, got 0.0"),
        ("atom_cutoff", "5", r"must be a number above 0, at most 20, got '5'"),
        ("learning_rate", np.nan, r"must be a number above 0, got nan"),
        ("weight_decay", -0.1, r"must be a number of at least 0, got -0.1"),
        ("batch_size", 0, r"must be an integer from 1 to 1000000, got 0"),
        ("batch_size", 2.5, r"must be an integer from 1 to 1000000, got 2.5"),
        ("n_ensemble", True, r"must be an integer from 1 to 100, got True"),
        ("width", 0, r"must be None or an integer from 1 to 512, got 0"),
        ("width", 513, r"must be None or an integer from 1 to 512, got 513"),
        ("n_blocks", 33, r"must be an integer from 1 to 32, got 33"),
        ("n_neighbors", 10**5, r"must be None or an integer from 1 to 1000, got 100000"),
        ("atom_cutoff", 200.0, r"must be a number above 0, at most 20, got 200.0"),
        ("atom_cutoff", True, r"must be a number above 0, at most 20, got True"),
        ("extensive", 1, r"must be True or False, got 1"),
        ("validation_fraction", 1.0, r"must be in \[0, 1\), got 1.0"),
        ("init_share", 1.1, r"must be in \[0, 1\], got 1.1"),
        ("validation_fraction", -0.1, r"must be in \[0, 1\), got -0.1"),
        (
            "checkpoint_dir",
            "state",
            r"random_state must be a number where there is a checkpoint_dir.*set one",
        ),
    ],
)
def test_parameters_out_of_range(name, value, message):
    with pytest.raises(ValueError, match=message) as caught:
        check_parameters({**PARAMETERS, name: value})
    assert name in str(caught.value)


@pytest.mark.parametrize("architecture", ["amdnet-2021", "megnet"])
def test_the_published_networks_have_even_widths(architecture):
    check_parameters({**PARAMETERS, "architecture": architecture, "width": 34})
    with pytest.raises(ValueError, match=f"width must be even for '{architecture}', got 33"):
        check_parameters({**PARAMETERS, "architecture": architecture, "width": 33})
