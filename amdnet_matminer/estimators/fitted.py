"""What a fitted estimator gives: its members, vectors, novelty, and outputs of its networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from sklearn.base import TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from amdnet_matminer.estimators.history import History, history_of_member, joined_histories
from amdnet_matminer.estimators.parameters import EstimatorParameters
from amdnet_matminer.graphs import DualGraph, DualGraphConverter
from amdnet_matminer.options import Loss

if TYPE_CHECKING:
    from amdnet_matminer.architectures import NetworkConfig
    from amdnet_matminer.ensembles import Weights
    from amdnet_matminer.training import Compilation, TargetScaler
    from amdnet_matminer.uncertainty import Domain

Crystals = Iterable[Structure] | Iterable[DualGraph]
"""Structures, or graphs that an equal converter has made of them."""


class FittedEstimator(TransformerMixin, EstimatorParameters):
    """What both estimators can do once they are fitted, whatever their labels mean.

    Attributes:
        n_iter_: Number of epochs done, of all networks together.
        scaler_: Mean and scale of the targets.
        config_: Sizes of the network.
        weights_: Of each network of the ensemble the weights, as arrays.
        training_: Summary of the training data: number of crystals, elements, and of
            each target count, mean, standard deviation and range; empty of a model of the
            published code, which does not tell.
        domain_: Motifs and elements seen in training, for ``novelty``.
        converter_: What turns structures into graphs; ready graphs must be of an equal one.
        fitted_params_: The parameters of the fit. Predictions and files go by these,
            whatever ``set_params`` has changed since.
        members_: The networks as fitted estimators of one network each.
    """

    n_iter_: int
    scaler_: TargetScaler
    config_: NetworkConfig
    weights_: list[Weights]
    training_: dict[str, Any]
    domain_: Domain | None
    converter_: DualGraphConverter
    fitted_params_: dict[str, Any]
    history_: History

    _label_attributes: ClassVar[tuple[str, ...]]
    """What is learned of labels that models of an ensemble have in common."""

    @property
    def members_(self) -> list[Self]:
        """The networks of the ensemble, each as a fitted estimator of its own."""
        check_is_fitted(self)
        return [self._member(number) for number in range(len(self.weights_))]

    @classmethod
    def join(cls, models: Sequence[Self]) -> Self:
        """Make an ensemble of fitted models, to predict the mean of all their networks.

        Args:
            models: Fitted estimators of this class, which read the same graphs, and scale
                the same targets in the same way.

        Returns:
            A fitted estimator with the parameters of the first model and the members of all.
            Its spread is not calibrated, since crystals that one model was judged by may have
            trained another: ``std_factor_`` is 1. ``training_`` is the summary that
            all models have in common, or empty; ``domain_`` is what any of them has seen.

        Raises:
            NotFittedError: One is not fitted.
            ValueError: There is none, or they differ; the message names in what.
        """
        if not models:
            raise ValueError("got no models; pass at least one")
        first, *others = models
        for model in models:
            check_is_fitted(model)
        for number, model in enumerate(others, start=1):
            first._check_joins(model, number)
        joined = copy(first)
        joined.weights_ = [weights for model in models for weights in model.weights_]
        joined.n_ensemble = len(joined.weights_)
        joined.fitted_params_ = first.fitted_params_ | {"n_ensemble": joined.n_ensemble}
        joined.history_ = joined_histories([member.history_ for model in models for member in model.members_])
        joined.n_iter_ = sum(model.n_iter_ for model in models)
        if any(model.training_ != first.training_ for model in others):
            joined.training_ = {}
        seen = [model.domain_ for model in models if model.domain_ is not None]
        joined.domain_ = seen[0].union(*seen[1:]) if len(seen) == len(models) else None
        return joined._uncalibrated()

    def novelty(self, X: Crystals) -> NDArray[np.float64]:
        """How much of each crystal the model has not seen in training.

        A crystal unlike the training data is predicted less well, and the spread of
        an ensemble does not always tell.

        Args:
            X: S crystals.

        Returns:
            Of each crystal the larger of two parts, that of its motifs whose name, and
            that of its atoms whose element, was in no crystal that the model was fitted
            to: from 0, nothing is new, to 1. Shape (S,). ``"megnet"`` has no motifs.

        Raises:
            NotFittedError: ``fit`` has not been called.
            StructureError: A structure cannot be used.
            ValueError: The model is from a file that does not say what it was fitted to.
        """
        check_is_fitted(self)
        if self.domain_ is None:
            raise ValueError("this model's file does not say which motifs it was fitted to; fit it anew")
        return self.domain_.novelty(self._fitted_graphs(X))

    def transform(self, X: Crystals) -> NDArray[np.float32]:
        """Give the vectors of crystals that the head predicts from, to be used as features.

        In a pipeline wrap a fitted model in scikit-learn's ``FrozenEstimator``, or the
        pipeline fits it anew.

        Args:
            X: S crystals.

        Returns:
            Of each crystal the vectors of all M networks side by side, since axes of networks
            trained apart have nothing to do with each other. Shape (S, M D).

        Raises:
            NotFittedError: ``fit`` has not been called.
            StructureError: A structure cannot be used.
            NotImplementedError: A registered network does not say what it reads.
        """
        from amdnet_matminer.ensembles import read_members

        check_is_fitted(self)
        fitted, graphs = self._as_fitted(), self._fitted_graphs(X)
        read = read_members(fitted._compilation(len(graphs)), self.weights_, graphs)
        return np.concatenate(read, axis=1)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """The names of what ``transform`` gives.

        Args:
            input_features: Not used; scikit-learn's convention.

        Returns:
            Such as ``"amdnetregressor0"``, shape (M D,).

        Raises:
            NotFittedError: ``fit`` has not been called.
            NotImplementedError: A registered network does not say what it reads.
        """
        from amdnet_matminer.network.base import n_read

        check_is_fitted(self)
        prefix, n_features = type(self).__name__.lower(), len(self.weights_) * n_read(self.config_)
        return np.array([f"{prefix}{number}" for number in range(n_features)], dtype=object)

    def _training_loss(self) -> Loss:
        """What training makes small."""
        raise NotImplementedError

    def _outputs(self, graphs: Sequence[DualGraph]) -> NDArray[np.float32]:
        """What each member says of crystals, shape (M, S, T)."""
        from amdnet_matminer.ensembles import predict_members

        return predict_members(self._compilation(len(graphs)), self.weights_, graphs)

    def _compilation(self, n_crystals: int) -> Compilation:
        """Of the network that reads so many crystals."""
        from amdnet_matminer.training import Compilation, xla_pays

        xla = xla_pays(n_predictions=len(self.weights_) * n_crystals)
        return Compilation(self.config_, self._training_loss(), self._optimizer(), self.clip_norm, xla)

    def _fitted_graphs(self, X: Crystals) -> Sequence[DualGraph]:
        return self._converted(self.converter_, self.converter_.check(X))

    def _converted(self, converter: DualGraphConverter, crystals: Any) -> Sequence[DualGraph]:
        return converter.convert_checked(crystals, self.n_jobs, self.cache_dir, bool(self.verbose))

    def _as_fitted(self) -> Self:
        """The model with the parameters that it was fitted with, whatever has been set since."""
        model = copy(self)
        model.__dict__.update(self.fitted_params_)
        return model

    def _member(self, number: int) -> Self:
        member = self._as_fitted()
        member.weights_ = [self.weights_[number]]
        member.history_ = history_of_member(self.history_, number)
        member.n_iter_ = len(member.history_.get("loss", []))
        member.n_ensemble = 1
        member.fitted_params_ = self.fitted_params_ | {"n_ensemble": 1}
        return member._uncalibrated()

    def _uncalibrated(self) -> Self:
        """The model without a factor of its spread, if it had one."""
        return self

    def _check_joins(self, other: Any, number: int) -> None:
        if type(other) is not type(self):
            raise ValueError(
                f"model {number} is a {type(other).__name__}, model 0 a {type(self).__name__}; "
                "give models of one class"
            )
        for name in ("config_", "converter_", "scaler_", *self._label_attributes):
            here, there = getattr(self, name), getattr(other, name)
            # One target has the mean that it has beside others but for rounding.
            same = np.allclose(here, there, 1e-9, 0.0) if name == "scaler_" else np.array_equal(here, there)
            if not same:
                raise ValueError(
                    f"{name} of model {number} is {there}, and of model 0 {here}; "
                    "give models that were fitted alike, to the same targets"
                )

        here, there = (model.fitted_params_.get("extensive") for model in (self, other))
        if here != there:
            raise ValueError(
                f"model {number} was fitted with extensive={there}, model 0 with {here}; "
                "give models that were fitted alike, to the same targets"
            )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "weights_")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.non_deterministic = True
        tags.transformer_tags.preserves_dtype = []  # crystals come in, numbers go out
        return tags
