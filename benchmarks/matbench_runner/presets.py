"""Named settings of the networks, task by task.

They come from the size of a task's training part and from trials within it, never from its test parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matbench_runner.leaderboard import TASKS, is_classification

Settings = dict[str, Any]

_SMALL: Settings = {"epochs": 400, "batch_size": 32}
_MEDIUM: Settings = {"epochs": 200, "batch_size": 64}
_LARGE: Settings = {"epochs": 100, "batch_size": 128}
# Dropout made the errors of band gaps and phonon frequencies smaller and those of formation energies
# larger, on held-out crystals of the Materials Project and of a training part.
_ENERGY: Settings = {"dropout": 0.0}

DEFAULT: dict[str, Settings] = {
    "matbench_jdft2d": _SMALL,
    "matbench_phonons": {"epochs": 200, "batch_size": 32},
    "matbench_dielectric": _MEDIUM,
    "matbench_log_gvrh": _MEDIUM,
    "matbench_log_kvrh": _MEDIUM,
    "matbench_perovskites": _MEDIUM | _ENERGY | {"batch_size": 32},
    "matbench_mp_gap": _LARGE,
    "matbench_mp_is_metal": _LARGE,
    "matbench_mp_e_form": _LARGE | _ENERGY,
}

_QUICK: Settings = {"epochs": 10, "batch_size": 64}

_PUBLISHED: Settings = {
    "epochs": 1000,
    "batch_size": 32,
    "optimizer": "adamw",
    "learning_rate": 5e-5,
    "schedule": "constant",
    "patience": 100,
}
_PUBLISHED_REGRESSION: Settings = _PUBLISHED | {"loss": "mse", "scale_targets": False}

PRESETS: dict[str, dict[str, Settings]] = {
    "default": DEFAULT,
    "ensemble": {task: DEFAULT[task] | {"n_ensemble": 5} for task in TASKS},
    "published": {task: _PUBLISHED if is_classification(task) else _PUBLISHED_REGRESSION for task in TASKS},
    "quick": dict.fromkeys(TASKS, _QUICK),
}
"""``default`` by size; ``ensemble`` of five such networks; ``published``, as AMDNet was trained in
2021; ``quick``, to see that all works."""


def preset_of(task: str, chosen: Sequence[str]) -> Settings:
    """A task's settings.

    Args:
        task: Name of the task.
        chosen: Names of presets, each for all tasks or, as ``task=name``, for one; of
            several that speak of the task the last counts.

    Returns:
        Parameters of the estimator that differ from its own defaults.
    """
    name = "default"
    for choice in chosen:
        of_task, _, named = choice.rpartition("=")
        if of_task in ("", task):
            name = named
    return PRESETS[name][task]


def check_presets(chosen: Sequence[str]) -> None:
    """Refuse what is no preset.

    Raises:
        ValueError: A preset or the task it is for is unknown; the message says which there are.
    """
    for choice in chosen:
        task, _, name = choice.rpartition("=")
        if name not in PRESETS:
            raise ValueError(f"there is no preset {name!r}; choose of {', '.join(PRESETS)}")
        if task not in ("", *TASKS):
            raise ValueError(f"a preset is given for {task!r}, which is none of {', '.join(TASKS)}")
