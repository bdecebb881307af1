"""The table of models that can be compared. All take structures; a further one is one entry of ``MODELS``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from joblib import effective_n_jobs
from matminer.featurizers.composition import ElementProperty
from numpy.typing import NDArray
from pymatgen.core import Structure
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.estimators import AMDNetClassifier, AMDNetRegressor
from amdnet_matminer.featurizer import MotifFeaturizer
from amdnet_matminer.matbench.leaderboard import TASKS, is_classification
from amdnet_matminer.matbench.options import Options
from amdnet_matminer.matbench.settings import FORESTS, TRAININGS, Settings, check_pretrained
from amdnet_matminer.validation.parameters import check_parameters


class Machine(NamedTuple):
    """What decides how fast a model is, not what it predicts."""

    n_jobs: int
    """Processes, as joblib counts them."""
    cache_dir: Path | None = None
    """Folder of graphs."""
    checkpoint_dir: Path | None = None
    """Where a network keeps the state of its training."""
    verbose: int = 0
    """Whether to show progress."""


@dataclass(frozen=True)
class Model:
    """An entry of the table."""

    algorithm: str
    """What a submission calls it, in 5 to 15 letters."""
    description: str
    """What it is, in a sentence."""
    make: Callable[[str, Settings, Machine], Any]
    """Makes an unfitted estimator of structures for a task, its settings and a machine."""
    presets: Mapping[str, Mapping[str, Settings]]
    """Settings by name of the preset and by task; ``default`` is among the names."""
    is_network: bool = False
    """Whether it is an estimator of this package, whose parameters can be given one by one."""
    fixed: Settings = field(default_factory=dict)
    """Parameters that every preset has, and files of settings that say nothing else."""


_IDENTITY = ("architecture", "init_from")
"""Of the fixed parameters those without which it is not that model."""
_LOCAL = ("cache_dir", "checkpoint_dir", "n_jobs", "stop_file", "verbose", "warm_start")
"""Parameters of a network that are none of its settings."""


def network(algorithm: str, description: str, **parameters: Any) -> Model:
    """An entry for a network of this package.

    Args:
        algorithm: As of ``Model``.
        description: As of ``Model``.
        **parameters: Of the estimator, for all tasks, where the settings say nothing else.

    Returns:
        The entry, with the presets of all networks.
    """
    presets = {
        name: {task: {"random_state": 0} | parameters | settings for task, settings in by_task.items()}
        for name, by_task in TRAININGS.items()
    }
    return Model(algorithm, description, _make_network, presets, is_network=True, fixed=parameters)


def _make_network(task: str, settings: Settings, machine: Machine) -> Any:
    estimator = AMDNetClassifier if is_classification(task) else AMDNetRegressor
    return estimator(**settings | machine._asdict())


def _make_mean(task: str, settings: Settings, machine: Machine) -> Any:
    return DummyClassifier(strategy="prior") if is_classification(task) else DummyRegressor()


def _make_forest_on_motifs(task: str, settings: Settings, machine: Machine) -> Any:
    featurizer = MotifFeaturizer(cache_dir=machine.cache_dir)
    featurizer.set_n_jobs(machine.n_jobs)
    return _forest(featurizer, task, settings, machine)


def _make_forest_on_magpie(task: str, settings: Settings, machine: Machine) -> Any:
    describe = FunctionTransformer(magpie_features, kw_args={"n_jobs": machine.n_jobs})
    return _forest(describe, task, settings, machine)


def _forest(featurizer: Any, task: str, settings: Settings, machine: Machine) -> Pipeline:
    forest = RandomForestClassifier if is_classification(task) else RandomForestRegressor
    return make_pipeline(featurizer, forest(**settings, n_jobs=machine.n_jobs))


def magpie_features(structures: Iterable[Structure], n_jobs: int = 1) -> NDArray[np.float64]:
    """Describe crystals by their elements alone (Ward et al., npj Comput. Mater. 2, 16028, 2016).

    Args:
        structures: S crystals.
        n_jobs: Number of processes, as joblib counts them.

    Returns:
        Statistics of the elements' properties, shape (S, 132).
    """
    featurizer = ElementProperty.from_preset("magpie", impute_nan=True)
    featurizer.set_n_jobs(effective_n_jobs(n_jobs))
    compositions = [structure.composition for structure in structures]
    return np.array(featurizer.featurize_many(compositions, pbar=False), dtype=np.float64)


_TWO_GRAPHS = (
    "A crystal is read twice, as a graph of its atoms and as a graph of its structure motifs, which are the "
    "coordination polyhedra of its cations joined where they share corners, edges or faces. "
)

MODELS: dict[str, Model] = {
    "amdnet": network(
        "AMDNet",
        _TWO_GRAPHS + "Atom-motif dual graph network with messages between the two graphs.",
        architecture="amdnet",
    ),
    "amdnet-finetuned": network(
        "AMDNet-tuned",
        _TWO_GRAPHS + "The atom-motif dual graph network, begun halfway to the weights of a model that has "
        "learned band gaps and formation energies of the Materials Project and no label of the task.",
        architecture="amdnet",
        init_from="mp2018-band-gap",
    ),
    # The networks of others keep the optimizer that they were published with.
    "amdnet-2021": network(
        "AMDNet-2021",
        _TWO_GRAPHS + "Atom-motif dual graph network as published in 2021, two MEGNet branches.",
        architecture="amdnet-2021",
        optimizer="adamw",
    ),
    "megnet": network(
        "AMDNet-MEGNet",
        "The atom branch of the atom-motif dual graph network alone, which is a MEGNet.",
        architecture="megnet",
        optimizer="adamw",
    ),
    "rf-motif": Model(
        "RF-Motif",
        "Random forest on statistics of a crystal's structure motifs and their Motif2Vec vectors.",
        _make_forest_on_motifs,
        {"default": FORESTS},
    ),
    "rf-magpie": Model(
        "RF-Magpie",
        "Random forest on Magpie's statistics of a crystal's elements.",
        _make_forest_on_magpie,
        {"default": FORESTS},
    ),
    "mean": Model(
        "Mean-value",
        "The mean of the training labels, of a class its frequency.",
        _make_mean,
        {"default": {task: {} for task in TASKS}},
    ),
}
"""All that can be trained, by the name that ``--model`` takes."""


def preset_names() -> list[str]:
    """Names of all presets of all models, ``default`` first."""
    return list(dict.fromkeys(name for model in MODELS.values() for name in model.presets))


def settings_of(model: str, task: str, options: Options) -> Settings:
    """All that decides what a model predicts, as it is recorded.

    Args:
        model: One of ``MODELS``.
        task: Name of the task.
        options: What was asked for.

    Returns:
        The parameters: the preset's, changed by those that were given one by one.

    Raises:
        AMDNetError: They begin with a pretrained model that may have seen the task's test part.
    """
    entry = MODELS[model]
    settings = dict(_preset(entry, task, options.preset))
    if options.seed is not None and "random_state" in settings:
        settings["random_state"] = options.seed
    if not entry.is_network:
        return settings
    check_pretrained(task, settings)
    made = entry.make(task, settings | options.settings, Machine(n_jobs=1))
    return {name: value for name, value in made.get_params(deep=False).items() if name not in _LOCAL}


def _preset(entry: Model, task: str, chosen: Sequence[str]) -> Settings:
    """A task's settings by the last choice that speaks of it; without that preset the model's default."""
    name = "default"
    for choice in chosen:
        of_task, _, named = choice.rpartition("=")
        if of_task in ("", task):
            name = named
    if name not in preset_names():
        return _settings_in(Path(name), task, entry)
    return entry.presets.get(name, entry.presets["default"])[task]


def _settings_in(file: Path, task: str, entry: Model) -> Settings:
    """What a file says of a task, over what makes the entry what it is."""
    try:
        given: Settings = dict(json.loads(file.read_text(encoding="utf-8"))[task])
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"holds no settings of {task}: {error!r}"
        raise DatasetError(reason, "see --preset in the help", item=file) from error
    default = entry.presets["default"][task]
    settings = {k: v for k, v in default.items() if k in (*entry.fixed, "random_state")} | given
    for name in entry.fixed.keys() & _IDENTITY:
        if settings[name] != entry.fixed[name]:
            raise DatasetError(
                f"says {name} {settings[name]!r} of {task}, but {entry.algorithm} is {entry.fixed[name]!r}",
                "give --model the model that the settings are of, or leave that line out",
                item=file,
            )
    try:
        made = entry.make(task, settings, Machine(n_jobs=1))
        if entry.is_network:
            check_parameters(made.get_params())
    except (TypeError, ValueError) as error:
        reason = f"holds settings of {task} that {entry.algorithm} cannot take: {error}"
        raise DatasetError(reason, "see --preset in the help", item=file) from error
    return settings


def check_presets(chosen: Sequence[str]) -> None:
    """Refuse what is no preset.

    Raises:
        ValueError: A preset or the task it is for is unknown; the message says which there are.
    """
    for choice in chosen:
        task, _, name = choice.rpartition("=")
        if name not in preset_names() and not Path(name).is_file():
            raise ValueError(
                f"there is no preset {name!r}; choose of {', '.join(preset_names())}, or give a JSON file"
            )
        if task not in ("", *TASKS):
            raise ValueError(f"a preset is given for {task!r}, which is none of {', '.join(TASKS)}")


class Prediction(NamedTuple):
    """What a model says of S crystals."""

    value: list[float]
    """The target, or the probability that a class is true, S."""
    std: list[float] | None
    """Standard deviation over an ensemble, S; None without one."""


def predict(model: Any, task: str, structures: Sequence[Structure]) -> Prediction:
    """Predict with a fitted model.

    Args:
        model: As ``Model.make`` makes them.
        task: Name of the task.
        structures: S crystals.

    Returns:
        The predictions.

    Raises:
        ValueError: One is no finite number.
    """
    if isinstance(model, Pipeline) and hasattr(model[-1], "n_jobs"):
        # Several threads would add up the trees of a forest in another order every time.
        model[-1].set_params(n_jobs=1)
    std = None
    if is_classification(task):
        value = model.predict_proba(structures)[:, list(model.classes_).index(True)]
    elif getattr(model, "n_ensemble", 1) > 1:
        value, std = model.predict(structures, return_std=True)
    else:
        value = model.predict(structures)
    if not np.isfinite(value).all():
        raise ValueError(f"{np.count_nonzero(~np.isfinite(value))} predictions are not finite")
    return Prediction(value.tolist(), None if std is None else std.tolist())
