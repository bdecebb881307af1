"""The models that can be compared, all of which take structures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matminer.featurizers.composition import ElementProperty
from numpy.typing import NDArray
from pymatgen.core import Structure
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from amdnet_matminer import AMDNetRegressor, MotifFeaturizer
from amdnet_matminer.parallel import map_structures
from matbench_runner.leaderboard import is_classification
from matbench_runner.presets import preset_of

if TYPE_CHECKING:
    from matbench_runner.options import Options

NETWORKS = ("amdnet", "amdnet-2021", "megnet")
"""Models that are an architecture of AMDNetRegressor."""

MODELS = {
    "amdnet": "AMDNet",
    "amdnet-2021": "AMDNet-2021",
    "megnet": "AMDNet-MEGNet",
    "rf-motif": "RF-Motif",
    "rf-magpie": "RF-Magpie",
    "mean": "Mean-value",
}
"""What each is called in a submission, where names have 5 to 15 letters."""

_LOCAL = ("cache_dir", "checkpoint_dir", "n_jobs", "verbose")
"""Parameters of AMDNetRegressor that do not change what it predicts."""


class Prediction(NamedTuple):
    """What a model says of S crystals."""

    value: list[float]
    """The target, or the probability that a class is true, S."""
    std: list[float] | None
    """Standard deviation over an ensemble, S; None without one."""


def settings_of(model: str, task: str, options: Options) -> dict[str, Any]:
    """All that decides what a model predicts, as it is recorded.

    Args:
        model: One of ``MODELS``.
        task: Name of the task.
        options: What was asked for.

    Returns:
        Parameters as JSON can hold them; with a budget of time ``epochs`` is left out.
    """
    if model == "mean":
        return {}
    if model.startswith("rf"):
        part = "sqrt" if is_classification(task) else 1 / 3
        return {"n_estimators": 500, "max_features": part, "random_state": options.seed}
    chosen = preset_of(task, options.preset) | options.settings
    chosen |= {"architecture": model, "random_state": options.seed}
    if model != "amdnet":
        # The networks of others keep the optimizer that they were published with.
        chosen.setdefault("optimizer", "adamw")
    parameters = _network_class(task)(**chosen).get_params()
    if options.minutes is not None:
        parameters = parameters | {"minutes": options.minutes}
        del parameters["epochs"]
    return {name: value for name, value in parameters.items() if name not in _LOCAL}


def make_model(
    model: str, task: str, settings: dict[str, Any], options: Options, checkpoint_dir: Path | None = None
) -> Any:
    """Make a model that is to be fitted.

    Args:
        model: One of ``MODELS``.
        task: Name of the task.
        settings: Its parameters.
        options: What was asked for.
        checkpoint_dir: Where a network keeps the state of its training.

    Returns:
        An estimator whose ``fit`` takes structures and labels.
    """
    classes = is_classification(task)
    if model == "mean":
        return DummyClassifier(strategy="prior") if classes else DummyRegressor()
    if model.startswith("rf"):
        forest = RandomForestClassifier if classes else RandomForestRegressor
        return make_pipeline(_featurizer(model, options), forest(**settings, n_jobs=options.n_jobs))
    local = {"cache_dir": options.cache_dir, "n_jobs": options.n_jobs, "verbose": int(not options.quiet)}
    return _network_class(task)(**settings, **local, checkpoint_dir=checkpoint_dir)


def network_of(model: str, task: str, options: Options) -> Any:
    """An unfitted network with a task's settings; with a budget of time, of any number of epochs."""
    settings = settings_of(model, task, options)
    settings.pop("minutes", None)
    return make_model(model, task, settings, options)


def load_model(task: str, file: Path, options: Options) -> Any:
    """Read a network that a run has saved, and let it use this machine as the options say."""
    model = _network_class(task).load(file)
    return model.set_params(cache_dir=options.cache_dir, n_jobs=options.n_jobs)


def predict(model: Any, task: str, structures: Sequence[Structure]) -> Prediction:
    """Predict with a fitted model.

    Args:
        model: As ``make_model`` makes them.
        task: Name of the task.
        structures: S crystals.

    Returns:
        The predictions.

    Raises:
        ValueError: One is no finite number.
    """
    if isinstance(model, Pipeline):
        # Several threads would add up the trees in another order every time.
        model.set_params(**{f"{model.steps[-1][0]}__n_jobs": 1})
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


def keep_graphs(model: Any, structures: Iterable[Structure]) -> None:
    """Make the graphs of all crystals that a network will read, if they are not kept yet."""
    model._graphs(list(structures))


def _network_class(task: str) -> Any:
    if not is_classification(task):
        return AMDNetRegressor
    from amdnet_matminer import AMDNetClassifier

    return AMDNetClassifier


def _featurizer(model: str, options: Options) -> Any:
    if model == "rf-magpie":
        return FunctionTransformer(partial(magpie_features, n_jobs=options.n_jobs))
    featurizer = MotifFeaturizer(cache_dir=options.cache_dir)
    featurizer.set_n_jobs(options.n_jobs)
    return featurizer


def magpie_features(structures: Iterable[Structure], n_jobs: int) -> NDArray[np.float64]:
    """Describe crystals by their elements alone (Ward et al., npj Comput. Mater. 2, 16028, 2016).

    Args:
        structures: S crystals.
        n_jobs: Number of processes, as joblib counts them.

    Returns:
        Statistics of the elements' properties, shape (S, 132).
    """
    return np.array(list(map_structures(_magpie, structures, n_jobs)), dtype=np.float64)


def _magpie(structure: Structure) -> list[float]:
    values: list[float] = _element_property().featurize(structure.composition)
    return values


@lru_cache(maxsize=1)
def _element_property() -> ElementProperty:
    return ElementProperty.from_preset("magpie", impute_nan=True)
