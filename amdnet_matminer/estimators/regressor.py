"""The estimator of properties."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from amdnet_matminer.errors import TargetError
from amdnet_matminer.estimators.base import AMDNetEstimator, n_atoms_of
from amdnet_matminer.estimators.fitted import Crystals
from amdnet_matminer.estimators.parameters import documented
from amdnet_matminer.options import Loss, RegressionLoss
from amdnet_matminer.persistence import TargetLabels, typed
from amdnet_matminer.uncertainty import std_factor
from amdnet_matminer.validation.labels import (
    SMALLEST_UNSCALED,
    check_range,
    check_sample_weight,
    check_targets,
)
from amdnet_matminer.validation.parameters import place_of

if TYPE_CHECKING:
    from amdnet_matminer.network.gradients import Quantity
    from amdnet_matminer.training import Labelled, TargetScaler


@documented
@dataclass(kw_only=True, repr=False, eq=False)
class AMDNetRegressor(RegressorMixin, AMDNetEstimator):
    """Predict properties of crystals with the atom-motif dual graph network.

    The network of Banjade et al. (Science Advances 7, eabf1754, 2021) reads each
    crystal as a graph of atoms and as a graph of structure motifs. ``fit`` and
    ``predict`` take lists, pandas Series, object arrays or one column of pymatgen structures,
    of ASE's ``Atoms`` or of dictionaries of ``Structure.as_dict``.

    Args:
        loss: ``"mae"`` or ``"mse"``, of the scaled targets.
        scale_targets: Whether targets are scaled to mean 0 and standard deviation 1.
        extensive: Whether targets grow with the cell, such as a total energy. They are
            then divided by the number of atoms to learn them, and predictions
            multiplied by it. Of others, such as a band gap or an energy per atom, the
            network's answer does not depend on the choice of cell.
        non_negative: Whether predictions below 0 are set to 0, as of band gaps.

    Attributes:
        history_: One list per quantity with an entry per epoch: ``loss``, ``val_mae``
            (in the unit of the target, per atom if extensive; of several targets the
            mean over them in units of their scales), ``learning_rate`` and ``rescues``,
            how often so far a loss that exploded has halved the rate. Of an ensemble
            the networks follow each other, numbered in ``member``.
        std_factor_: What the spread of the ensemble is multiplied by to be a standard
            deviation, found on the validation data; 1 without.

    Example:
        >>> model = AMDNetRegressor(epochs=100, random_state=0)
        >>> model.fit(structures, band_gaps).predict(new_structures)  # doctest: +SKIP
    """

    loss: RegressionLoss = "mae"
    scale_targets: bool = True
    extensive: bool = False
    non_negative: bool = False

    def fit(
        self,
        X: Crystals,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        validation_data: tuple | None = None,
    ) -> Self:
        """Train on crystals and their properties.

        Everything is checked before training starts. The weights of the epoch with
        the least validation error are kept, also when training is interrupted.

        Args:
            X: S crystals.
            y: Their property, shape (S,), or several, shape (S, T), NaN where one is
                not known. ``predict`` answers in the same form.
            sample_weight: How much each crystal counts, shape (S,), 0 or more.
            validation_data: Crystals, their property and, if wanted, weights, to judge
                epochs by instead of by a part of the training data.

        Returns:
            The estimator.

        Raises:
            ValueError: A parameter is out of its range, or the weights to begin with
                are of another network.
            StructureError: A structure cannot be used.
            TargetError: A label or a weight cannot be used.
            ModelFileError: ``init_from`` is no model file, or of another network.
        """
        validation = self._fit(X, y, sample_weight, validation_data)
        self.std_factor_ = 1.0 if validation is None else self._calibrated(validation)
        return self

    def partial_fit(self, X: Crystals, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train for one pass over some more crystals, at the constant rate ``learning_rate``.

        The first call decides on the scaling of targets. Nothing is kept for
        validation, and ``std_factor_`` stays as it is.

        Args:
            X: As in ``fit``.
            y: As in ``fit``.
            sample_weight: As in ``fit``.

        Returns:
            The estimator.

        Raises:
            ValueError: As in ``fit``.
        """
        self._fit(X, y, sample_weight, one_pass=True)
        self.std_factor_ = getattr(self, "std_factor_", 1.0)
        return self

    @overload
    def predict(self, X: Crystals, return_std: Literal[False] = False) -> NDArray[np.float64]: ...
    @overload
    def predict(
        self, X: Crystals, return_std: Literal[True]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def predict(
        self, X: Crystals, return_std: bool = False
    ) -> NDArray[np.float64] | tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Predict the properties of crystals.

        Args:
            X: S crystals.
            return_std: Whether standard deviations are asked for: the spread of the
                ensemble times ``std_factor_``.

        Returns:
            The mean over the ensemble for each crystal, in the unit of the target, shape
            (S,) or (S, T) as ``fit`` was given; with ``return_std`` also the standard
            deviations, in the same shape.

        Raises:
            NotFittedError: ``fit`` has not been called.
            StructureError: A structure cannot be used.
            ValueError: A standard deviation is asked of a single network.
        """
        check_is_fitted(self)
        if return_std and len(self.weights_) == 1:
            raise ValueError(
                "a single network has no spread; set n_ensemble to 2 or more, such as 5, and fit"
            )
        fitted = self._as_fitted()
        graphs = self._fitted_graphs(X)
        values = self.scaler_.inverse(fitted._outputs(graphs))
        if fitted.extensive:
            values *= n_atoms_of(graphs)
        mean = self._in_form(values.mean(axis=0))
        if fitted.non_negative:
            mean = np.maximum(mean, 0.0)
        if not return_std:
            return mean
        return mean, self._in_form(self.std_factor_ * values.std(axis=0, ddof=1))

    def score(self, X: Crystals, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Give the coefficient of determination, R², of predictions; of several targets its mean.

        Args:
            X: S crystals.
            y: Their property, or several, as in ``fit``; what is NaN of several does not count.
            sample_weight: How much each crystal counts, shape (S,), 0 or more.

        Returns:
            1 if all is right, 0 if it is no better than the mean of the labels.

        Raises:
            NotFittedError: ``fit`` has not been called.
            StructureError: A structure cannot be used.
            TargetError: A label or a weight cannot be used.
        """
        predicted = self.predict(X)
        n_crystals = len(predicted)
        labels = check_targets(y, n_crystals).reshape(n_crystals, -1)
        weight = check_sample_weight(sample_weight, n_crystals)
        known = np.isfinite(labels)
        pairs = zip(labels.T, predicted.reshape(n_crystals, -1).T, known.T, strict=True)
        return float(
            np.mean([r2_score(true[of], told[of], sample_weight=weight[of]) for true, told, of in pairs])
        )

    def of_target(self, target: int, non_negative: bool = False) -> Self:
        """Take what the model says of one of its targets as a model of its own.

        Args:
            target: Which of the T targets, from 0.
            non_negative: Whether its predictions below 0 are set to 0; the parameter of a model
                is for all of its targets.

        Returns:
            A fitted estimator of one target, whose predictions have shape (S,).

        Raises:
            NotFittedError: ``fit`` has not been called.
            IndexError: There is no such target.
            ValueError: The network has other weights, too, whose number depends on the targets.
        """
        from amdnet_matminer.ensembles import weights_of_output
        from amdnet_matminer.training import TargetScaler

        check_is_fitted(self)
        if not 0 <= target < self.config_.n_outputs:
            raise IndexError(f"target must be from 0 to {self.config_.n_outputs - 1}, got {target}")
        model = self._as_fitted()
        model.weights_ = [weights_of_output(self.config_, weights, target) for weights in self.weights_]
        model.config_ = self.config_._replace(n_outputs=1)
        model.scaler_ = TargetScaler((self.scaler_.mean[target],), (self.scaler_.scale[target],))
        model.target_shape_ = ()
        if self.training_:
            model.training_ = self.training_ | {"target": [self.training_["target"][target]]}
        model.non_negative = non_negative
        model.fitted_params_ = self.fitted_params_ | {"non_negative": non_negative}
        return model

    def _calibrated(self, validation: Labelled) -> float:
        """The factor that fits the spread of the ensemble to its errors."""
        if len(self.weights_) == 1:
            return 1.0
        values = self.scaler_.inverse(self._outputs(validation.graphs))
        return std_factor(values.mean(axis=0) - validation.y, values.std(axis=0, ddof=1))

    def _in_form(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values.reshape(len(values), *self.target_shape_)

    def _sound_labels(self, y: Any, n_structures: int) -> NDArray[np.float64]:
        return check_targets(y, n_structures)

    def _learn_labels(self, labels: NDArray, goes_on: bool) -> None:
        if not goes_on:
            self.target_shape_ = labels.shape[1:]

    def _encoded(
        self, n_atoms: NDArray[np.float64], labels: NDArray, weight: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if labels.shape[1:] != self.target_shape_:
            raise TargetError(
                f"have shape {labels.shape}, but those that decided on the targets "
                f"{('n_structures', *self.target_shape_)}",
                "give labels of the same targets",
                subject="labels",
            )
        columns = labels.reshape(len(labels), -1)
        return (columns / n_atoms if self.extensive else columns), weight

    def _new_scaler(self, data: Labelled) -> TargetScaler:
        from amdnet_matminer.training import TargetScaler

        if self.scale_targets:
            return TargetScaler.of(data.y, data.weight)
        check_range(data.y, smallest=SMALLEST_UNSCALED)
        return TargetScaler.identity(data.y.shape[1])

    def _training_loss(self) -> Loss:
        return self.loss

    def _explained(self, target: Any) -> Quantity:
        mean, scale = self.scaler_
        column = place_of("target", target, range(len(mean)))
        return lambda outputs: outputs[:, column] * scale[column] + mean[column]

    _label_attributes = ("target_shape_",)

    def _uncalibrated(self) -> Self:
        self.std_factor_ = 1.0
        return self

    def _saved_labels(self) -> TargetLabels:
        return TargetLabels(target_shape=self.target_shape_, std_factor=self.std_factor_)

    def _restore_labels(self, labels: Any) -> None:
        known = typed(labels, TargetLabels)
        self.target_shape_, self.std_factor_ = known.target_shape, known.std_factor
        if len(self.target_shape_) > 1 or prod(self.target_shape_) != len(self.scaler_.mean):
            raise ValueError("it has not as many targets as outputs")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
