"""Kinds of crystals, and errors by them."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Composition

from amdnet_matminer.matbench.kinds import chemistry_of, interval_labels, mean_errors


@pytest.mark.parametrize(
    ("formula", "kind"),
    [
        ("MgAl2O4", "metal oxide"),
        ("BiOCl", "metal oxide"),
        ("NaCl", "metal halide"),
        ("FeS2", "metal chalcogenide"),
        ("GaN", "metal pnictide"),
        ("PtAs2", "metal pnictide"),
        ("TiC", "other compound"),
        ("Ni3Al", "intermetallic"),
        ("Cu", "intermetallic"),
        ("SiO2", "no metal"),
        ("Ar", "no metal"),
    ],
)
def test_chemistry(formula: str, kind: str) -> None:
    assert chemistry_of(Composition(formula)) == kind


def test_intervals_hold_their_upper_end() -> None:
    labels = interval_labels(np.array([0.0, 0.5, 1.0, 4.0]), (0.0, 1.0))
    assert labels.tolist() == ["1: up to 0", "2: to 1", "2: to 1", "3: above 1"]


def test_mean_errors__a_crystal_may_have_several_labels() -> None:
    found = mean_errors([["O", "Ti"], ["O"], ["S"]], np.array([1.0, 3.0, 5.0]))
    assert found.to_dict("index") == {
        "O": {"n": 2, "mean": 2.0},
        "S": {"n": 1, "mean": 5.0},
        "Ti": {"n": 1, "mean": 1.0},
    }
    assert mean_errors(["a", "b", "a"], np.array([1.0, 5.0, 2.0]))["mean"].to_dict() == {"a": 1.5, "b": 5.0}
