"""Parameters that cannot be used get an error that names them and their range."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from amdnet_matminer.options import Optimizer, RegressionLoss, Schedule
from amdnet_matminer.validation.parameters import check_parameters

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
