"""Labels and weights that cannot be learned from get an error that names them and the remedy."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import DataConversionWarning

from amdnet_matminer.errors import TargetError
from amdnet_matminer.validation.labels import (
    check_classes,
    check_every_target,
    check_range,
    check_sample_weight,
    check_targets,
)


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


@pytest.mark.parametrize("make", [list, tuple, np.array, pd.Series])
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["metal", np.nan, "metal"], r"label 1 is missing \(1 in all\)"),
        (["metal", None, "metal"], r"label 1 is missing"),
        ([1, "a", 2], r"class labels are of several types, \['int', 'str'\]"),
        ([True, "a", 1], r"class labels are of several types, \['bool', 'int', 'str'\]"),
        ([1.0, np.nan, 2.0], r"label 1 is missing"),
    ],
)
def test_classes_are_looked_at_as_they_are_given(make, y, message):
    # NumPy makes text of all before it can be looked at.
    given = np.array(y, dtype=object) if make is np.array else make(y)
    with pytest.raises(TargetError, match=message):
        check_classes(given, 3)


def test_classes_of_mixed_numbers_are_those_of_numpy():
    assert check_classes([1, 2.0, np.int64(1)], 3).tolist() == [1.0, 2.0, 1.0]
    assert check_classes([np.str_("a"), "b"], 2).tolist() == ["a", "b"]


def test_numbers_as_text():
    assert check_targets(["1", "2.5"], 2).tolist() == [1.0, 2.5]
    with pytest.raises(TargetError, match="labels are not numbers: could not convert string to float: 'x'"):
        check_targets(["1", "x"], 2)
