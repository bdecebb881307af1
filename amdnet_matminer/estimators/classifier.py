"""The estimator of classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import check_is_fitted

from amdnet_matminer.errors import TargetError
from amdnet_matminer.estimators.base import AMDNetEstimator
from amdnet_matminer.estimators.fitted import Crystals
from amdnet_matminer.estimators.parameters import documented
from amdnet_matminer.options import Loss
from amdnet_matminer.persistence import ClassLabels, typed
from amdnet_matminer.validation.labels import check_classes, relative
from amdnet_matminer.validation.parameters import place_of

if TYPE_CHECKING:
    from amdnet_matminer.network.gradients import Quantity
    from amdnet_matminer.training import Labelled, TargetScaler


@documented
@dataclass(kw_only=True, repr=False, eq=False)
class AMDNetClassifier(ClassifierMixin, AMDNetEstimator):
    """Tell classes of crystals, such as metal or not, with the atom-motif dual graph network.

    Trained on the cross-entropy.

    Args:
        class_weight: How much the crystals of each class count: None, all the same;
            ``"balanced"``, inversely to their number; or a dictionary from class to weight,
            above 0.

    Attributes:
        classes_: The classes, sorted.
        history_: As of ``AMDNetRegressor``, with ``val_log_loss`` for ``val_mae``; ``loss``
            is a mean over the classes too, the log loss divided by their number.

    Example:
        >>> model = AMDNetClassifier(class_weight="balanced", random_state=0)
        >>> model.fit(structures, is_metal).predict_proba(new_structures)  # doctest: +SKIP
    """

    class_weight: Literal["balanced"] | Mapping[Any, float] | None = None

    def fit(
        self,
        X: Crystals,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        validation_data: tuple | None = None,
    ) -> Self:
        """Train on crystals and their classes.

        Args:
            X: S crystals.
            y: Their classes, shape (S,): strings, integers or booleans.
            sample_weight: How much each crystal counts, shape (S,), 0 or more; times
                that of its class.
            validation_data: Crystals, their classes and, if wanted, weights, to judge
                epochs by instead of by a part of the training data.

        Returns:
            The estimator.

        Raises:
            ValueError: As in ``AMDNetRegressor.fit``, or ``class_weight`` is no such.
            StructureError: A structure cannot be used.
            TargetError: A label or a weight cannot be used.
            ModelFileError: ``init_from`` is no model file, or of another network.
        """
        self._fit(X, y, sample_weight, validation_data)
        return self

    def partial_fit(
        self,
        X: Crystals,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one pass over some more crystals, at the constant rate ``learning_rate``.

        The first call decides on the classes. Nothing is kept for validation.

        Args:
            X: As in ``fit``.
            y: As in ``fit``.
            classes: All classes that there will be; None is those in the ``y`` of the first call.
            sample_weight: As in ``fit``.

        Returns:
            The estimator.

        Raises:
            ValueError: As in ``fit``; or ``classes`` differ from those of the first call, or
                ``class_weight`` is ``"balanced"``, which needs all labels at once.
        """
        is_first = not self.__sklearn_is_fitted__()
        is_new = is_first or self.class_weight != self.fitted_params_["class_weight"]
        if is_new and isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight={self.class_weight!r} needs all labels at once, which partial_fit has not; "
                "give a dictionary from class to weight"
            )
        if not is_first and classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes_}"
            )
        self._fit(X, y, sample_weight, one_pass=True, all_labels=classes)
        return self

    def predict_proba(self, X: Crystals) -> NDArray[np.float64]:
        """Give the probability of each class.

        Args:
            X: S crystals.

        Returns:
            The mean over the ensemble, shape (S, number of classes), in the order of
            ``classes_``; each row adds up to 1.

        Raises:
            NotFittedError: ``fit`` has not been called.
            StructureError: A structure cannot be used.
        """
        check_is_fitted(self)
        logits = self._as_fitted()._outputs(self._fitted_graphs(X)).astype(np.float64)
        return softmax(logits, axis=-1).mean(axis=0)

    def predict(self, X: Crystals) -> NDArray:
        """Give the likeliest class.

        Args:
            X: S crystals.

        Returns:
            One of ``classes_`` for each crystal, shape (S,).

        Raises:
            NotFittedError: ``fit`` has not been called.
            StructureError: A structure cannot be used.
        """
        likeliest = self.predict_proba(X).argmax(axis=1)
        return self.classes_[likeliest]

    def _sound_labels(self, y: Any, n_structures: int) -> NDArray:
        return check_classes(y, n_structures)

    def _learn_labels(self, labels: NDArray, goes_on: bool) -> None:
        if goes_on and self.class_weight == self.fitted_params_["class_weight"]:
            return
        if not goes_on:
            self.classes_ = np.unique(labels)
        self.class_weight_ = compute_class_weight(self.class_weight, classes=self.classes_, y=labels)
        if not ((self.class_weight_ > 0) & np.isfinite(self.class_weight_)).all():
            raise ValueError(
                f"class_weight must be a number above 0 for every class, got {self.class_weight!r}"
            )

    def _encoded(
        self, n_atoms: NDArray[np.float64], labels: NDArray, weight: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        column = {label: k for k, label in enumerate(self.classes_.tolist())}
        given = labels.tolist()
        unknown = [i for i, label in enumerate(given) if label not in column]
        if unknown:
            raise TargetError(
                f"({given[unknown[0]]!r}) is none of the classes to be learned, {list(column)}",
                "add it to the training data, or remove these structures",
                index=unknown[0],
            )
        columns = [column[label] for label in given]
        return np.eye(len(column))[columns], relative(weight * relative(self.class_weight_)[columns])

    def _new_scaler(self, data: Labelled) -> TargetScaler:
        from amdnet_matminer.training import TargetScaler

        return TargetScaler.identity(data.y.shape[1])

    def _training_loss(self) -> Loss:
        return "cross-entropy"

    def _explained(self, target: Any) -> Quantity:
        from amdnet_matminer.network.gradients import log_odds

        classes = self.classes_.tolist()
        # Of two classes scikit-learn, too, decides on the second.
        chosen = classes[1] if target is None and len(classes) == 2 else target
        return partial(log_odds, column=place_of("target", chosen, classes))

    _label_attributes = ("classes_",)

    def _saved_labels(self) -> ClassLabels:
        return ClassLabels(classes=self.classes_.tolist(), class_weight=self.class_weight_.tolist())

    def _restore_labels(self, labels: Any) -> None:
        known = typed(labels, ClassLabels)
        if not len(known.classes) == len(known.class_weight) == len(self.scaler_.mean):
            raise ValueError("it has not as many classes as outputs")
        self.classes_ = check_classes(known.classes, len(known.classes))
        self.class_weight_ = np.array(known.class_weight, dtype=np.float64)
        if len(np.unique(self.classes_)) != len(self.classes_):
            raise ValueError("a class is there twice")
