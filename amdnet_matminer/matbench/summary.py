"""What folds tell about a model: scores, place on the leaderboard, costs, errors by kind of crystal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pymatgen.core import Composition
from sklearn.metrics import roc_auc_score

from amdnet_matminer.matbench.folds import Fold
from amdnet_matminer.matbench.kinds import SIZES, chemistry_of, interval_labels, mean_errors
from amdnet_matminer.matbench.leaderboard import FOLDS, is_classification, metric_of, place, unit_of
from amdnet_matminer.matbench.tasks import Origin

_N_QUANTILES = 4


@dataclass(frozen=True)
class Summary:
    """Folds of one model and task, at least one."""

    folds: list[Fold]
    """In the order of their numbers."""

    @property
    def task(self) -> str:
        """Name of the task."""
        return str(self.folds[0]["job"]["task"])

    @property
    def model(self) -> str:
        """One of ``models.MODELS``."""
        return str(self.folds[0]["job"]["model"])

    @property
    def numbers(self) -> list[int]:
        """Numbers of the folds."""
        return [fold["job"]["fold"] for fold in self.folds]

    @property
    def origin(self) -> Origin:
        """Where the crystals come from."""
        return Origin(**self.folds[0]["origin"])

    @property
    def pretrained(self) -> str | None:
        """Name of the model whose weights training began with, if it was one."""
        name: str | None = self.folds[0]["settings"].get("init_from")
        return name

    @property
    def has_all_folds(self) -> bool:
        """Whether all folds are there."""
        return self.numbers == list(FOLDS)

    @property
    def scores(self) -> list[float]:
        """Of each fold, by the metric that the task is ranked by."""
        return [fold["recorded"]["scores"][metric_of(self.task)] for fold in self.folds]

    @property
    def mean(self) -> float:
        """Of the scores."""
        return float(np.mean(self.scores))

    @property
    def std(self) -> float:
        """Standard deviation of the scores over the folds."""
        return float(np.std(self.scores))

    @property
    def place(self) -> int | None:
        """On the leaderboard, the best being 1; None unless all folds and rows are there.

        A model that began pretrained has none, since those on the leaderboard did not.
        """
        is_whole = self.has_all_folds and self.origin.is_complete and self.pretrained is None
        return place(self.task, self.mean) if is_whole else None

    @property
    def auc(self) -> float | None:
        """Of a classification the ROC-AUC of the probabilities, averaged over the folds."""
        if not is_classification(self.task):
            return None
        by_fold = self.crystals.groupby("fold")
        return float(np.mean([roc_auc_score(part.true, part.predicted) for _, part in by_fold]))

    @cached_property
    def crystals(self) -> pd.DataFrame:
        """Test crystals of all folds by id: fold, true, predicted, error, formula, n_atoms.

        An error is absolute; of a classification it is 1 for a wrong class and 0 for a right one.
        """
        table = pd.concat(map(_crystals, self.folds))
        if is_classification(self.task):
            return table.assign(error=((table.predicted > 0.5) != table.true).astype(float))
        return table.assign(error=(table.predicted - table.true).abs())

    def errors_by_kind(self) -> dict[str, pd.DataFrame]:
        """Mean errors of kinds of crystals.

        Returns:
            By division of the crystals a table as ``kinds.mean_errors`` gives it.
        """
        table = self.crystals
        compositions = table.formula.map(Composition)
        divisions: dict[str, pd.Series | NDArray] = {
            "chemistry": compositions.map(chemistry_of),
            "atoms per cell": interval_labels(table.n_atoms.to_numpy(float), SIZES),
        }
        if not is_classification(self.task):
            true = table.true.to_numpy(float)
            ends = np.quantile(true, np.linspace(0, 1, _N_QUANTILES + 1)[1:-1])
            rounded = sorted({float(f"{end:.3g}") for end in ends})
            divisions[f"true value ({unit_of(self.task)})"] = interval_labels(true, rounded)
        errors = table.error.to_numpy()
        return {name: mean_errors(list(labels), errors) for name, labels in divisions.items()}

    def errors_by_element(self) -> pd.DataFrame:
        """Mean errors of the crystals that have an element, as ``kinds.mean_errors`` gives them."""
        elements = [[e.symbol for e in Composition(formula)] for formula in self.crystals.formula]
        return mean_errors(pd.Series(elements), self.crystals.error.to_numpy())

    def measured(self, name: str) -> list[float]:
        """What was measured of the folds, where it was."""
        return [fold["measured"][name] for fold in self.folds if fold["measured"][name] is not None]


def summaries(folds: Iterable[Fold]) -> list[Summary]:
    """A summary for each model and task among folds, in their order."""
    groups: dict[tuple[str, str], list[Fold]] = defaultdict(list)
    for fold in folds:
        groups[fold["job"]["task"], fold["job"]["model"]].append(fold)
    return [Summary(group) for group in groups.values()]


def _crystals(fold: Fold) -> pd.DataFrame:
    names = list(fold["true"])
    columns = {name: [fold[name][key] for key in names] for name in ("true", "formula", "n_atoms")}
    predicted = [fold["recorded"]["data"][key] for key in names]
    return pd.DataFrame(columns | {"predicted": predicted, "fold": fold["job"]["fold"]}, index=names)
