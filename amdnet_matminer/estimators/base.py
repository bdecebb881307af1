"""How both estimators are fitted, whatever their labels mean."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from amdnet_matminer.errors import ModelFileError, StructureError, TargetError
from amdnet_matminer.estimators.explained import ExplainedEstimator
from amdnet_matminer.estimators.files import SavedEstimator
from amdnet_matminer.estimators.fitted import Crystals
from amdnet_matminer.estimators.history import joined_histories
from amdnet_matminer.graphs import (
    DualGraph,
    DualGraphConverter,
    GraphSubset,
    LazyGraphs,
    SizeLadder,
    sizes_of,
)
from amdnet_matminer.persistence import describe_training
from amdnet_matminer.pretrained import MODELS, model_file
from amdnet_matminer.uncertainty import Domain
from amdnet_matminer.validation.labels import check_every_target, check_range, check_sample_weight
from amdnet_matminer.validation.parameters import check_parameters

if TYPE_CHECKING:
    from amdnet_matminer.ensembles import Plan, Start
    from amdnet_matminer.training import Labelled, TargetScaler


class AMDNetEstimator(ExplainedEstimator, SavedEstimator):
    """The dual graph network as an estimator with everything but the meaning of labels and outputs."""

    # What the meaning of labels decides.

    def _sound_labels(self, y: Any, n_structures: int) -> NDArray:
        """The labels as an array, one row a structure, each checked."""
        raise NotImplementedError

    def _learn_labels(self, labels: NDArray, goes_on: bool) -> None:
        """Take from the labels what has to be known to encode them and to decode outputs.

        A training that ``goes_on`` keeps all that its outputs mean.
        """
        raise NotImplementedError

    def _encoded(
        self, n_atoms: NDArray[np.float64], labels: NDArray, weight: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Labels as the network learns them, shape (S, T), and weights, shape (S,).

        ``n_atoms`` are those in the cells, shape (S, 1).
        """
        raise NotImplementedError

    def _new_scaler(self, data: Labelled) -> TargetScaler:
        """How the encoded labels to learn from are scaled."""
        raise NotImplementedError

    # Training.

    def _fit(
        self,
        X: Crystals,
        y: Any,
        sample_weight: ArrayLike | None,
        validation_data: tuple | None = None,
        one_pass: bool = False,
        all_labels: Any = None,
    ) -> Labelled | None:
        """Train, and give the crystals that epochs were judged by.

        ``all_labels`` are what a first fit takes from the labels, if not from ``y`` alone.
        """
        # On a copy, so that a fit that fails leaves what an earlier one has learned as it was.
        model = copy(self)
        validation = model._fitted_to(X, y, sample_weight, validation_data, one_pass, all_labels)
        self.__dict__.update(model.__dict__)
        return validation

    def _fitted_to(
        self,
        X: Crystals,
        y: Any,
        sample_weight: ArrayLike | None,
        validation_data: tuple | None,
        one_pass: bool,
        all_labels: Any,
    ) -> Labelled | None:
        check_parameters(self.get_params(deep=False))
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        goes_on = self.__sklearn_is_fitted__() and (self.warm_start or one_pass)
        if goes_on and self.fitted_params_.get("extensive") != getattr(self, "extensive", None):
            raise ValueError("extensive must be what the fit before had, whose scaling of targets goes on")
        converter = self.graph_converter()
        parts = [self._checked(converter, X, y, sample_weight, goes_on, all_labels)]
        parts += [] if validation_data is None else [self._checked_validation(converter, validation_data)]
        starts = self._starts(parts[0][1].shape[1], goes_on)
        data = [self._labelled(converter, *part) for part in parts]
        fraction = 0.0 if one_pass else self.validation_fraction
        training, validation = data if len(data) == 2 else _split(data[0], fraction, rng)
        scaler = self.scaler_ if goes_on else self._new_scaler(training)
        check_range(scaler.transform(training.y))
        plan = self._plan(training, validation, scaler, one_pass)
        self._train(plan, starts, int(rng.integers(2**31)))
        self.converter_ = converter
        self.fitted_params_ = self._present_params()
        seen = Domain.of(data[0].graphs)
        if not goes_on:
            self.domain_ = seen
        elif self.domain_ is not None:  # what is not known of the fit before stays unknown
            self.domain_ = seen.union(self.domain_)
        self.training_ = describe_training(seen.elements, data[0].y)
        return validation

    def _checked(
        self,
        converter: DualGraphConverter,
        X: Crystals,
        y: Any,
        sample_weight: ArrayLike | None = None,
        goes_on: bool | None = None,
        all_labels: Any = None,
    ) -> tuple[Any, NDArray[np.float64], NDArray[np.float64]]:
        """Crystals with encoded labels and weights, without those of weight 0.

        Labels of a training, which ``goes_on`` or begins, are learned from; those to judge it by are not.
        """
        crystals = converter.check(X)
        weight = check_sample_weight(sample_weight, len(crystals))
        labels = self._sound_labels(y, len(crystals))
        if goes_on is not None:
            kinds = labels if all_labels is None else self._sound_labels(all_labels, len(all_labels))
            self._learn_labels(kinds, goes_on)
        targets, weight = self._encoded(n_atoms_of(crystals), labels, weight)
        counts = np.flatnonzero(weight)
        check_every_target(targets[counts], "give weight to crystals that have it, or remove this target")
        counted = (
            GraphSubset(crystals, counts)
            if isinstance(crystals, LazyGraphs)
            else [crystals[int(i)] for i in counts]
        )
        return counted, targets[counts], weight[counts]

    def _checked_validation(
        self, converter: DualGraphConverter, data: tuple
    ) -> tuple[Any, NDArray[np.float64], NDArray[np.float64]]:
        if not isinstance(data, tuple | list) or len(data) not in (2, 3):
            raise ValueError(
                "validation_data must be (structures, labels) or (structures, labels, weights), got "
                f"{type(data).__name__}" + (f" of {len(data)}" if isinstance(data, tuple | list) else "")
            )
        try:
            return self._checked(converter, *data)
        except (StructureError, TargetError) as error:
            raise error.at(subject=f"validation_data: {error.subject}".rstrip()) from error

    def _labelled(
        self,
        converter: DualGraphConverter,
        crystals: Any,
        targets: NDArray[np.float64],
        weight: NDArray[np.float64],
    ) -> Labelled:
        from amdnet_matminer.training import Labelled

        return Labelled(self._converted(converter, crystals), targets, weight)

    def _starts(self, n_outputs: int, goes_on: bool) -> list[Start] | list[None]:
        """What each member begins with; None draws all."""
        from amdnet_matminer.ensembles import Start

        source = self if goes_on else self.init_from
        if source is None:
            return [None] * self.n_ensemble
        name: str | Path = "the model to begin with"
        if isinstance(source, str | Path):
            name, source = source, _loaded(source)
        if not hasattr(source, "config_"):
            raise ValueError(
                "init_from must be the path of a saved model, the name of one that is shipped, or "
                f"a fitted estimator of this package, got {source!r}; in a search, which unfits what it "
                "clones, give a path or a FrozenEstimator"
            )
        there, here = source.config_._asdict(), self._network_config(n_outputs)._asdict()
        differing = [
            f"{name} ({there[name]!r} there, {here[name]!r} here)"
            for name in here
            if there[name] != here[name] and name != "n_outputs"
        ]
        if differing:
            reason = f"is of another network: {', '.join(differing)}"
            raise ModelFileError(reason, "make them equal", item=name)
        share = 1.0 if goes_on else self.init_share
        networks = [source.weights_[member % len(source.weights_)] for member in range(self.n_ensemble)]
        return [Start(weights, share) for weights in networks]

    def _plan(
        self, training: Labelled, validation: Labelled | None, scaler: TargetScaler, one_pass: bool
    ) -> Plan:
        from amdnet_matminer.ensembles import Plan
        from amdnet_matminer.training import Compilation, Settings, StopFile, xla_pays

        given = {name: getattr(self, name) for name in Settings._fields if name not in ("loss", "stop_file")}
        stop_file = None if self.stop_file is None else StopFile.watched(self.stop_file)
        settings = Settings(loss=self._training_loss(), stop_file=stop_file, **given)
        if one_pass:
            settings = settings._replace(epochs=1, schedule="constant")
        n_steps = self.n_ensemble * settings.epochs * settings.n_batches(len(training.y))
        config = self._network_config(training.y.shape[1])
        compilation = Compilation(config, settings.loss, self._optimizer(), self.clip_norm, xla_pays(n_steps))
        ladder = SizeLadder.for_crystals(sizes_of(training.graphs), self.batch_size)
        return Plan(compilation, training, validation, scaler, ladder, settings)

    def _train(self, plan: Plan, starts: Sequence[Start | None], seed: int) -> None:
        from amdnet_matminer.ensembles import train_members

        members = train_members(plan, starts, seed, self.n_jobs, self.checkpoint_dir)
        self.config_ = plan.compilation.network
        self.scaler_ = plan.scaler
        self.weights_ = [member.weights for member in members]
        self.history_ = joined_histories([member.history for member in members])
        self.n_iter_ = len(self.history_.get("loss", []))


def _split(data: Labelled, fraction: float, rng: np.random.Generator) -> tuple[Labelled, Labelled | None]:
    """Keep a random part of the data for validation, if there is enough for both parts."""
    n_validation = round(fraction * len(data.y))
    if n_validation == 0:
        return data, None
    if n_validation == len(data.y):
        raise ValueError(
            f"validation_fraction={fraction} leaves none of {n_validation} crystals to train on; "
            "make it smaller"
        )
    order = rng.permutation(len(data.y))
    training, validation = (
        data._replace(graphs=GraphSubset(data.graphs, part), y=data.y[part], weight=data.weight[part])
        for part in (order[n_validation:], order[:n_validation])
    )
    remedy = "pass validation_data, or set validation_fraction=0"
    check_every_target(training.y, remedy)
    if not np.isfinite(validation.y).any():
        reason = f"has no label at all among {n_validation} crystals, so that it can judge no epoch"
        raise TargetError(reason, remedy, subject="the part kept for validation")
    return training, validation


def n_atoms_of(crystals: Sequence[Any]) -> NDArray[np.float64]:
    """Number of atoms in each cell, shape (S, 1)."""
    counts = [crystal.n_atoms if isinstance(crystal, DualGraph) else len(crystal) for crystal in crystals]
    return np.array(counts, dtype=np.float64)[:, None]


def _loaded(path: str | Path) -> AMDNetEstimator:
    """The model in a file, whichever estimator it is of."""
    path = model_file(path)
    if not path.exists():
        remedy = f"give the file of a saved model, or one of {', '.join(MODELS)}"
        raise ModelFileError("does not exist", remedy, item=path)
    return AMDNetEstimator.load(path)
