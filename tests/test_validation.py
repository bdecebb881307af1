"""Bad input gets an error that names the item, the reason and the remedy."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import DummySpecies, Lattice, Structure

from amdnet_matminer.errors import AMDNetError, StructureError, TargetError
from amdnet_matminer.options import Optimizer, RegressionLoss, Schedule
from amdnet_matminer.validation import (
    check_classes,
    check_elements,
    check_every_target,
    check_parameters,
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
        return {"None": None, "formula": "MgO", "number": 3.0, "sites": structure.sites}[fault]
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
    ("None", r"structure 1 is a NoneType, not a pymatgen Structure; of a dataframe pass the column"),
    ("formula", r"structure 1 is a str, not a pymatgen Structure"),
    ("number", r"structure 1 is a float, not a pymatgen Structure"),
    ("sites", r"structure 1 is a list, not a pymatgen Structure"),
]


@pytest.mark.parametrize(("fault", "message"), FAULTS)
def test_structure_that_cannot_be_used(rock_salt, fault, message):
    with pytest.raises(StructureError, match=message) as caught:
        check_structures([rock_salt, broken(rock_salt, fault), rock_salt])
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, AMDNetError)


def test_dataframe_instead_of_its_column(rock_salt):
    frame = pd.DataFrame({"structure": [rock_salt]})
    with pytest.raises(StructureError, match=r"pass the column, such as df\['structure'\]"):
        check_structures(frame)


def test_no_structures():
    with pytest.raises(StructureError, match="got no structures; pass at least one"):
        check_structures([])


def test_one_structure_instead_of_a_list(rock_salt):
    with pytest.raises(StructureError, match=r"single Structure; pass a list of structures: \[structure\]"):
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
        ([0.5, 1.0, 0.0], r"labels such as .*0\.5.* are no classes; give strings, integers or booleans"),
        (np.array([{}, {}, {}]), r"labels such as \{\} are no classes"),
        (
            np.array(["metal", 1, True], dtype=object),
            r"of several types, \['bool', 'int', 'str'\]; give all of one",
        ),
        (["metal", "metal"], r"got 3 structures but 2 labels; pass one for each"),
        ([["metal"]] * 3, r"class labels must have shape \(n_structures,\), got \(3, 1\)"),
    ],
)
def test_classes_that_cannot_be_used(y, message):
    with pytest.raises(TargetError, match=message):
        check_classes(y, 3)


def test_sample_weights_pass():
    assert check_sample_weight(None, 2).tolist() == [1.0, 1.0]
    assert check_sample_weight([0, 3], 2).tolist() == [0.0, 3.0]


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0], "got 2 structures but 1 sample weights; pass one for each"),
        ([1.0, np.inf], r"sample weight 1 is inf \(1 not finite in all\)"),
        ([1.0, -1.0], "must not be negative"),
        ([0.0, 0.0], "one must be above 0"),
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
        ("width", 33, r"must be even for 'megnet', got 33"),
        ("n_blocks", 33, r"must be an integer from 1 to 32, got 33"),
        ("n_neighbors", 10**5, r"must be None or an integer from 1 to 1000, got 100000"),
        ("atom_cutoff", 200.0, r"must be a number above 0, at most 20, got 200.0"),
        ("atom_cutoff", True, r"must be a number above 0, at most 20, got True"),
        ("extensive", 1, r"must be True or False, got 1"),
        ("validation_fraction", 1.0, r"must be in \[0, 1\), got 1.0"),
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
