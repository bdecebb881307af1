"""Checks of parameters that users pass in, before any work starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, get_args

import numpy as np

from amdnet_matminer.architectures import NetworkConfig, network_class
from amdnet_matminer.options import Optimizer, RegressionLoss, Schedule


class _Range(NamedTuple):
    """What a parameter may be, as a test and in words."""

    holds: Callable[[Any], bool]
    text: str


def _choice(literal: Any) -> _Range:
    names = get_args(literal)
    return _Range(names.__contains__, f"one of {list(names)}")


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float | np.number)
        and not isinstance(value, bool)
        and bool(np.isfinite(value))
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 1)


def _count(most: int) -> _Range:
    return _Range(lambda value: _is_count(value) and value <= most, f"an integer from 1 to {most}")


def _length(most: float) -> _Range:
    return _Range(
        lambda value: _is_number(value) and 0 < value <= most, f"a number above 0, at most {most:g}"
    )


def _or_none(range_: _Range) -> _Range:
    return _Range(lambda value: value is None or range_.holds(value), f"None or {range_.text}")


# The largest values are far beyond what is of use; larger ones would ask for more memory than there is.
_RANGES = {
    "optimizer": _or_none(_choice(Optimizer)),
    "schedule": _choice(Schedule),
    "loss": _choice(RegressionLoss),
    "width": _or_none(_count(512)),
    "n_blocks": _count(32),
    "n_neighbors": _or_none(_count(1000)),
    **dict.fromkeys(("atom_cutoff", "cutoff"), _length(20.0)),  # the latter is what atom_graph calls it
    "motif_cutoff": _length(100.0),
    "n_ensemble": _count(100),
    "learning_rate": _Range(lambda value: _is_number(value) and value > 0, "a number above 0"),
    "clip_norm": _or_none(_Range(lambda value: _is_number(value) and value > 0, "a number above 0")),
    "weight_decay": _Range(lambda value: _is_number(value) and value >= 0, "a number of at least 0"),
    **dict.fromkeys(("rbf_edge_dim_atom", "rbf_edge_dim_motif"), _count(1000)),
    **dict.fromkeys(("epochs", "batch_size", "patience"), _count(10**6)),
    **dict.fromkeys(
        ("dropout", "validation_fraction"),
        _Range(lambda value: _is_number(value) and 0 <= value < 1, "in [0, 1)"),
    ),
    "init_share": _Range(lambda value: _is_number(value) and 0 <= value <= 1, "in [0, 1]"),
    **dict.fromkeys(
        ("symmetry_reduction", "warm_start", "scale_targets", "extensive", "non_negative"),
        _Range(lambda value: isinstance(value, bool | np.bool_), "True or False"),
    ),
}


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Check the parameters of an estimator.

    Args:
        parameters: As ``get_params`` gives them.

    Raises:
        ValueError: One is out of its range, or there is no such architecture; the message
            names it and the range.
    """
    check_ranges(parameters)
    config = NetworkConfig.of(**parameters)
    network_class(config.architecture).check(config)
    if parameters.get("checkpoint_dir") is not None and parameters["random_state"] is None:
        raise ValueError(
            "random_state must be a number where there is a checkpoint_dir: "
            "a training that begins at random is not known again; set one"
        )


def check_ranges(parameters: Mapping[str, Any]) -> None:
    """Check parameters one by one.

    Args:
        parameters: By name; those of which nothing is known may be anything.

    Raises:
        ValueError: One is out of its range; the message names it and the range.
    """
    for name, value in parameters.items():
        if name in _RANGES and not _RANGES[name].holds(value):
            raise ValueError(f"{name} must be {_RANGES[name].text}, got {value!r}")


def place_of(name: str, value: Any, choices: Sequence[Any]) -> int:
    """Find the place of what is chosen.

    Args:
        name: Of the parameter.
        value: What is chosen; None is the only choice, if there is one.
        choices: What there is.

    Returns:
        Its place among the choices.

    Raises:
        ValueError: It is none of these, or None of several.
    """
    if value is None and len(choices) == 1:
        return 0
    if value is None or value not in choices:
        raise ValueError(f"{name} must be one of {list(choices)}, got {value!r}")
    return list(choices).index(value)
