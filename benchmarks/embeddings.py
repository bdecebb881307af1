"""Are a model's vectors of crystals worth more than Magpie's features where few labels are known?

    python benchmarks/embeddings.py --data-dir folder/with/task/files

Data: MatBench's phonons, dielectric, log_gvrh and log_kvrh (rows at random, no official folds), which the
models of mp2018 were not trained on. Ridge regression, nearest neighbours and a random forest learn 500
labels, drawn ten times, and predict the other crystals: from what ``transform`` of both models gives, from
Magpie's statistics of a crystal's elements, and from all composition features of Ward et al. (npj Comput.
Mater. 2, 16028, 2016): these, stoichiometry, valence orbitals and ionic character. All features are scaled
alike, and what a regression has to choose it chooses on the 500 alone. The models have learned band gaps and
formation energies of some of the crystals: errors are also given of those that have no twin in mp2018 (of the
same formula, with a volume per atom within 1%).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import parse, parser_of, write_result
from matminer.featurizers.composition import IonProperty, Stoichiometry, ValenceOrbital
from motif_network import in_mp2018
from numpy.typing import NDArray
from pymatgen.core import Structure
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from amdnet_matminer.datasets import load_matbench
from amdnet_matminer.estimators import AMDNetEstimator
from amdnet_matminer.matbench.models import magpie_features

MODELS = ("mp2018-band-gap", "mp2018-formation-energy")
"""Models that have learned no label of these tasks, as ``mp-moduli`` has, and few of their crystals."""
UNITS = {
    "matbench_phonons": "1/cm",
    "matbench_dielectric": "",
    "matbench_log_gvrh": "log10 GPa",
    "matbench_log_kvrh": "log10 GPa",
}
"""Of the label of each task."""
N_LABELS, N_SPLITS = 500, 10
Table = NDArray[np.float64]
REGRESSORS: dict[str, Callable[[], BaseEstimator]] = {
    "ridge": lambda: make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 5, 15))),
    "neighbours": lambda: make_pipeline(
        StandardScaler(),
        GridSearchCV(
            KNeighborsRegressor(weights="distance"),
            {"n_neighbors": [1, 2, 3, 5, 8, 12, 20]},
            scoring="neg_mean_absolute_error",
        ),
    ),
    "random forest": lambda: RandomForestRegressor(200, max_features=1 / 3, random_state=0),
}


def main() -> None:
    """Measure, and write the result."""
    parser = parser_of(__doc__)
    parser.add_argument("--data-dir", type=Path, help="of the tasks' files (default: matminer's)")
    parser.add_argument(
        "--crystals", type=int, default=2000, help="of a task, at most (default: %(default)s)"
    )
    options = parse(parser)
    result: dict[str, Any] = {"models": MODELS, "labels": N_LABELS, "splits": N_SPLITS, "tasks": {}}
    for task, unit in UNITS.items():
        table = load_matbench(task, options.data_dir)
        table = table.sample(min(options.crystals, len(table)), random_state=0)
        result["tasks"][task] = {"unit": unit} | compare(
            table.iloc[:, 0].tolist(), table.iloc[:, 1].to_numpy()
        )
        print(task, result["tasks"][task], flush=True)
    print(write_result("embeddings", result, options.allow_dirty))


def compare(structures: list[Structure], y: Table, n_labels: int = N_LABELS) -> dict[str, Any]:
    """Errors from each kind of features by each kind of regression.

    Args:
        structures: S crystals.
        y: Their labels, shape (S,).
        n_labels: How many of them are learned from.

    Returns:
        Numbers of crystals, the error of the mean label, and by features and regression the mean and the
        standard deviation of the error over the splits, and the mean of that on what is new to the models.
    """
    new = ~in_mp2018(structures)
    splits = list(ShuffleSplit(N_SPLITS, train_size=n_labels, random_state=0).split(y))
    of_mean = [np.abs(y[test] - np.median(y[training])).mean() for training, test in splits]
    return {
        "crystals": len(y),
        "new_to_models": int(new.sum()),
        "mae_of_median": float(np.mean(of_mean)),
        "features": {
            name: {kind: score(make, x, y, new, splits) for kind, make in REGRESSORS.items()}
            for name, x in features(structures).items()
        },
    }


def features(structures: list[Structure]) -> dict[str, Table]:
    """The kinds of features, each of shape (S, D)."""
    models = [AMDNetEstimator.from_pretrained(name) for name in MODELS]
    graphs = models[0].converter_.convert_many(structures)
    magpie = magpie_features(structures)
    return {
        "transform": np.hstack([model.transform(graphs) for model in models]).astype(np.float64),
        "Magpie": magpie,
        "all of composition": np.hstack([magpie, other_composition_features(structures)]),
    }


def other_composition_features(structures: list[Structure]) -> Table:
    """What Ward et al. have beside Magpie's statistics of elements."""
    featurizers = (
        Stoichiometry(),
        ValenceOrbital(props=["avg"], impute_nan=True),
        IonProperty(fast=True, impute_nan=True),
    )
    compositions = pd.Series([structure.composition for structure in structures])
    return np.array(
        [[value for each in featurizers for value in each.featurize(c)] for c in compositions], dtype=float
    )


def score(
    make: Callable[[], BaseEstimator],
    x: Table,
    y: Table,
    new: NDArray[np.bool_],
    splits: list[tuple[NDArray[np.integer], NDArray[np.integer]]],
) -> dict[str, float]:
    """The mean absolute error over splits, its spread, and its mean on new crystals."""
    errors, on_new = [], []
    for training, test in splits:
        error = np.abs(make().fit(x[training], y[training]).predict(x[test]) - y[test])
        errors.append(error.mean())
        on_new.append(error[new[test]].mean())
    return {"mae": float(np.mean(errors)), "std": float(np.std(errors)), "mae_new": float(np.mean(on_new))}


if __name__ == "__main__":
    main()
