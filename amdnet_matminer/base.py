"""What the estimators have in common: parameters, graphs, training, files."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Structure
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from amdnet_matminer.architectures import NetworkConfig, network_class
from amdnet_matminer.errors import ModelFileError, StructureError, TargetError
from amdnet_matminer.graphs import (
    DualGraph,
    DualGraphConverter,
    GraphSubset,
    LazyGraphs,
    SizeLadder,
    sizes_of,
)
from amdnet_matminer.options import Loss, Optimizer, Schedule
from amdnet_matminer.persistence import (
    ClassLabels,
    ModelHeader,
    TargetLabels,
    TrainingSummary,
    describe_training,
    read_model,
    write_model,
)
from amdnet_matminer.pretrained import model_file
from amdnet_matminer.uncertainty import Domain
from amdnet_matminer.validation import (
    check_every_target,
    check_parameters,
    check_range,
    check_sample_weight,
)

if TYPE_CHECKING:
    from amdnet_matminer.ensembles import Plan, Weights
    from amdnet_matminer.training import Compilation, Labelled, TargetScaler

_NOT_IN_FILES = ("cache_dir", "checkpoint_dir", "init_from", "n_jobs", "stop_file", "verbose", "warm_start")
"""Parameters that are of a computer or of a call, not of a model: they act when set, and no file has them.

All others of a fitted model are those that it was fitted with.
"""

LARGEST_WEIGHT = 1e6
"""Of a network in a file; trained ones stay below 100, and from such numbers on predictions overflow."""

E = TypeVar("E", bound="AMDNetEstimator")

Crystals = Iterable[Structure] | Iterable[DualGraph]
"""Structures, or graphs that an equal converter has made of them."""


# A dataclass, since its __init__ is what scikit-learn asks for: it only stores, under the same names.
@dataclass(kw_only=True, repr=False, eq=False)
class AMDNetEstimator(TransformerMixin, BaseEstimator):
    """The dual graph network with everything but the meaning of labels and outputs.

    Args:
        architecture: ``"amdnet"``, atoms and motifs that read each other in every
            block; ``"amdnet-2021"``, the published network; ``"megnet"``, the atom branch
            of the published network alone; or one that
            ``amdnet_matminer.network.register`` has made known.
        atom_cutoff: Largest distance of an atom pair, in angstrom.
        n_neighbors: Number of nearest neighbours within the cutoff that an atom reads, with
            all that are as near as the last of them; None is the architecture's own, 16
            for ``"amdnet"`` and all within the cutoff for the others.
        width: Width of the vectors of nodes and edges; None is the architecture's own,
            64 for ``"amdnet"`` and 32 for the others, where it is even.
        n_blocks: For ``"amdnet"``, number of blocks; the others have three.
        dropout: For ``"amdnet"``, part of the hidden values of atoms and motifs that is
            dropped in training, from 0 to below 1.
        motif_cutoff: Of the published networks, centre of the last Gaussian that
            distances between motifs are expanded in, in angstrom.
        rbf_edge_dim_atom: Of the published networks, number of Gaussians for atom pairs.
        rbf_edge_dim_motif: Of ``"amdnet-2021"``, number of Gaussians for motif edges.
        symmetry_reduction: Whether symmetry-equivalent atoms and motifs are read once,
            with their multiplicity: the same predictions from smaller graphs.
        epochs: Largest number of passes over the training data.
        batch_size: Number of crystals in a step.
        optimizer: ``"muon"`` orthogonalises the steps of matrices and takes those of Adam
            for the rest; short trainings end with smaller errors than with ``"adamw"``.
            None is the architecture's own, ``"muon"`` for those of this package.
        learning_rate: Highest learning rate.
        weight_decay: Decoupled weight decay, relative to the learning rate.
        clip_norm: Largest norm of the gradient of a step, to which larger ones are scaled
            down; None leaves them as they are.
        schedule: ``"cosine"``, a short warm-up and a cosine down to 0 over all epochs,
            or ``"constant"``.
        patience: Number of epochs without a better validation error after which
            training stops.
        validation_fraction: Part of the data kept to judge epochs by, if ``fit`` gets
            no validation data; 0 judges by the training loss.
        n_ensemble: Number of networks, which differ in initial weights and shuffling;
            their mean is predicted, and of two or more also a standard deviation.
        warm_start: Whether ``fit`` goes on from the weights, the target scaling and the
            classes of the fit before instead of beginning anew.
        init_from: A saved model, or a fitted estimator, of the same network, whose
            weights training begins with, for small data sets; targets are scaled anew.
        cache_dir: Folder that keeps graphs for all later calls, of this and of other
            estimators; they then stay on disk and are read when needed, so that the
            data may be larger than memory. None makes them anew and holds them.
        checkpoint_dir: Folder in which a running ``fit`` keeps its state. After a kill
            the same ``fit`` goes on from there and ends with the same model; at the
            end the state is removed.
        stop_file: A file that ends a running ``fit`` after its epoch, with the best weights,
            when somebody makes or touches it; of an ensemble also the networks to come,
            after an epoch each. One that is there before is ignored until it is touched.
        n_jobs: Number of processes, as joblib counts them, that make graphs and, in
            long trainings without a GPU, train the networks of an ensemble.
        random_state: Seed of initial weights, validation split, shuffling and dropout; on
            a CPU and one Keras backend the same seed gives the same model.
        verbose: 1 shows progress bars.

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

    architecture: str = "amdnet"
    atom_cutoff: float = 5.0
    n_neighbors: int | None = None
    width: int | None = None
    n_blocks: int = 4
    dropout: float = 0.1
    motif_cutoff: float = 11.0
    rbf_edge_dim_atom: int = 100
    rbf_edge_dim_motif: int = 100
    symmetry_reduction: bool = True
    epochs: int = 100
    batch_size: int = 32
    optimizer: Optimizer | None = None
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    clip_norm: float | None = 1.0
    schedule: Schedule = "cosine"
    patience: int = 50
    validation_fraction: float = 0.1
    n_ensemble: int = 1
    warm_start: bool = False
    init_from: str | Path | AMDNetEstimator | None = None
    cache_dir: str | Path | None = None
    checkpoint_dir: str | Path | None = None
    stop_file: str | Path | None = None
    n_jobs: int | None = None
    random_state: int | np.random.RandomState | None = None
    verbose: int = 0

    def graph_converter(self) -> DualGraphConverter:
        """What ``fit`` would turn structures into graphs with, so that many fits may share the graphs.

        Returns:
            The converter that the parameters ask for; ``converter_`` is that of a fitted model.

        Raises:
            ValueError: There is no such architecture.
        """
        network = network_class(self.architecture)
        n_neighbors = network.default_n_neighbors if self.n_neighbors is None else self.n_neighbors
        return DualGraphConverter(
            atom_cutoff=float(self.atom_cutoff),
            n_neighbors=n_neighbors,
            motifs="own" if network.reads_motifs else None,
            symmetry_reduction=bool(self.symmetry_reduction),
        )

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
        joined.history_ = _joined([member.history_ for model in models for member in model.members_])
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

    def save(self, path: str | Path) -> None:
        """Write the trained model as one file: its description and its weights, no code.

        What is of this computer or of this session is not kept: ``cache_dir``,
        ``checkpoint_dir``, ``init_from``, ``n_jobs``, ``verbose``, ``warm_start``.

        Args:
            path: The file to write; an existing one is replaced.

        Raises:
            NotFittedError: ``fit`` has not been called.
            OSError: The file cannot be written; what was there before is still there.
        """
        check_is_fitted(self)
        write_model(path, self._as_fitted()._header(), self.weights_)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model; nothing in the file is executed.

        Args:
            path: The file, the ``.hdf5`` file of a model that the published AMDNet code
                trained, or the name of a model that comes with the package.

        Returns:
            A fitted estimator.

        Raises:
            FileNotFoundError: There is no such file.
            ModelFileError: It is no model file, is damaged, holds another estimator, or
                what it holds is no sound model: a parameter is out of its range, or the
                weights are not those of the network.
        """
        path = model_file(path)
        header, arrays = _read(path)
        if header.estimator not in [base.__name__ for base in cls.__mro__]:
            raise ModelFileError(
                f"holds no {cls.__name__} but a {header.estimator}",
                "load it in Python with that class; the commands predict with an AMDNetRegressor",
                item=path,
            )
        try:
            return cls._restored(header, arrays)
        except (TypeError, ValueError, OverflowError) as error:
            raise ModelFileError(
                f"does not hold a sound {cls.__name__} ({error})", "save it anew", item=path
            ) from error

    # What the meaning of labels decides.

    def _sound_labels(self, y: Any, n_structures: int) -> NDArray:
        """The labels as an array, one row a structure, each checked."""
        raise NotImplementedError

    _label_attributes: ClassVar[tuple[str, ...]]
    """What ``_learn_labels`` sets that models of an ensemble have in common."""

    def _learn_labels(self, labels: NDArray) -> None:
        """Take from the labels what has to be known to encode them and to decode outputs."""
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

    def _training_loss(self) -> Loss:
        """What training makes small."""
        raise NotImplementedError

    def _saved_labels(self) -> TargetLabels | ClassLabels:
        """What a file holds of what ``_learn_labels`` has set."""
        raise NotImplementedError

    def _restore_labels(self, labels: Any) -> None:
        """Set what ``_saved_labels`` gave, as it was in a file."""
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
        check_parameters(self.get_params(deep=False))
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        goes_on = self.__sklearn_is_fitted__() and (self.warm_start or one_pass)
        if goes_on and self.fitted_params_.get("extensive") != getattr(self, "extensive", None):
            raise ValueError("extensive must be what the fit before had, whose scaling of targets goes on")
        converter = self.graph_converter()
        parts = [self._checked(converter, X, y, sample_weight, learn=not goes_on, all_labels=all_labels)]
        parts += [] if validation_data is None else [self._checked_validation(converter, validation_data)]
        starts = self._starts(parts[0][1].shape[1], goes_on)
        data = [self._labelled(converter, *part) for part in parts]
        fraction = 0.0 if one_pass else self.validation_fraction
        training, validation = data if len(data) == 2 else _split(data[0], fraction, rng)
        scaler = self.scaler_ if goes_on else self._new_scaler(training)
        check_range(scaler.transform(training.y))
        known = [self.domain_] if goes_on and self.domain_ is not None else []
        plan = self._plan(training, validation, scaler, one_pass)
        self._train(plan, starts, int(rng.integers(2**31)))
        self.converter_ = converter
        self.fitted_params_: dict[str, Any] = self._present_params()
        seen = Domain.of(data[0].graphs)
        self.domain_: Domain | None = seen.union(*known)
        self.training_: Any = describe_training(seen.elements, data[0].y)
        return validation

    def _checked(
        self,
        converter: DualGraphConverter,
        X: Crystals,
        y: Any,
        sample_weight: ArrayLike | None = None,
        learn: bool = False,
        all_labels: Any = None,
    ) -> tuple[Any, NDArray[np.float64], NDArray[np.float64]]:
        """Crystals with encoded labels and weights, without those of weight 0."""
        crystals = converter.check(X)
        weight = check_sample_weight(sample_weight, len(crystals))
        labels = self._sound_labels(y, len(crystals))
        if learn:
            kinds = labels if all_labels is None else self._sound_labels(all_labels, len(all_labels))
            self._learn_labels(kinds)
        targets, weight = self._encoded(n_atoms_of(crystals), labels, weight)
        counts = np.flatnonzero(weight)
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

    def _starts(self, n_outputs: int, goes_on: bool) -> list[Weights] | list[None]:
        """The weights that each member begins with; None draws them."""
        source = self if goes_on else self.init_from
        if source is None:
            return [None] * self.n_ensemble
        if isinstance(source, str | Path):
            source = _loaded(source)
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
            raise ValueError(
                f"the weights to begin with are of another network: {', '.join(differing)}; make them equal"
            )
        return [source.weights_[member % len(source.weights_)] for member in range(self.n_ensemble)]

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

    def _train(self, plan: Plan, starts: Sequence[Weights | None], seed: int) -> None:
        from amdnet_matminer.ensembles import train_members

        members = train_members(plan, starts, seed, self.n_jobs, self.checkpoint_dir)
        self.config_ = plan.compilation.network
        self.scaler_ = plan.scaler
        self.weights_ = [member.weights for member in members]
        self.history_ = _joined([member.history for member in members])
        self.n_iter_ = len(self.history_.get("loss", []))

    # Prediction.

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

    def _present_params(self) -> dict[str, Any]:
        parameters = self.get_params(deep=False).items()
        return {name: deepcopy(value) for name, value in parameters if name not in _NOT_IN_FILES}

    def _as_fitted(self) -> Self:
        """The model with the parameters that it was fitted with, whatever has been set since."""
        model = copy(self)
        model.__dict__.update(self.fitted_params_)
        return model

    def _member(self, number: int) -> Self:
        member = self._as_fitted()
        member.weights_ = [self.weights_[number]]
        member.history_ = _history_of(self.history_, number)
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
            if not np.array_equal(here, there):
                raise ValueError(
                    f"{name} of model {number} is {there}, and of model 0 {here}; "
                    "give models that were fitted alike, to the same targets"
                )

    def _network_config(self, n_outputs: int) -> NetworkConfig:
        return NetworkConfig.of(n_outputs=n_outputs, **self.get_params(deep=False))

    def _optimizer(self) -> Optimizer:
        return self.optimizer or network_class(self.architecture).default_optimizer

    # Files.

    def _header(self) -> ModelHeader:
        seen = self.domain_
        return ModelHeader(
            estimator=type(self).__name__,
            parameters=self._saved_parameters(),
            mean=self.scaler_.mean,
            scale=self.scaler_.scale,
            labels=asdict(self._saved_labels()),
            history=self.history_,
            training=TrainingSummary(**self.training_) if self.training_ else None,
            motifs=None if seen is None else sorted(seen.motifs),
            elements=None if seen is None else sorted(seen.elements),
        )

    def _saved_parameters(self) -> dict[str, Any]:
        fitted = self.config_._asdict()
        parameters = {
            name: value if value is None else fitted.get(name, value)
            for name, value in self.get_params(deep=False).items()
            if name not in _NOT_IN_FILES
        }
        if not isinstance(self.random_state, int | np.integer):
            parameters["random_state"] = None
        return {name: _as_json(value) for name, value in parameters.items()}

    @classmethod
    def _restored(cls, header: ModelHeader, arrays: Sequence[NDArray]) -> Self:
        """The fitted estimator that a file holds; whatever is wrong with it is a ValueError or TypeError."""
        from amdnet_matminer.training import TargetScaler

        model = cls(**_checked_parameters(header.parameters, cls._get_param_names()))
        check_parameters(model.get_params(deep=False))
        model.scaler_ = TargetScaler(header.mean, header.scale)
        model.domain_ = None
        if header.motifs is not None and header.elements is not None:
            model.domain_ = Domain(frozenset(header.motifs), frozenset(header.elements))
        model.training_ = asdict(header.training) if header.training else {}
        model.history_ = header.history
        model.n_iter_ = len(model.history_.get("loss", []))
        model._restore_labels(header.labels)
        model.config_ = model._network_config(len(header.mean))
        model.converter_ = model.graph_converter()
        model.fitted_params_ = model._present_params()
        model.weights_ = _members(model.config_, arrays)
        if len(model.weights_) != model.n_ensemble:
            raise ValueError(f"it has {len(model.weights_)} networks, and n_ensemble is {model.n_ensemble}")
        return model

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "weights_")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.non_deterministic = True
        tags.transformer_tags.preserves_dtype = []  # crystals come in, numbers go out
        return tags


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
    check_every_target(training.y, "pass validation_data, or set validation_fraction=0")
    return training, validation


def documented(cls: type[E]) -> type[E]:
    """Put what ``AMDNetEstimator`` says of parameters and attributes into an estimator's docstring."""
    text, shared = inspect.getdoc(cls) or "", inspect.getdoc(AMDNetEstimator) or ""
    for name in ("Args", "Attributes"):
        heading = f"\n{name}:\n"
        section = shared.partition(heading)[2].partition("\n\n")[0]
        text = text.replace(heading, f"{heading}{section}\n", 1)
    cls.__doc__ = text
    return cls


def n_atoms_of(crystals: Sequence[Any]) -> NDArray[np.float64]:
    """Number of atoms in each cell, shape (S, 1)."""
    counts = [crystal.n_atoms if isinstance(crystal, DualGraph) else len(crystal) for crystal in crystals]
    return np.array(counts, dtype=np.float64)[:, None]


def _history_of(history: dict[str, list[float]], number: int) -> dict[str, list[float]]:
    """The history of one member, of those that ``_joined`` has put together."""
    owner = history.get("member")
    if owner is None:
        return history
    return {
        name: [value for value, member in zip(values, owner, strict=True) if member == number]
        for name, values in history.items()
        if name != "member"
    }


def _joined(histories: Sequence[dict[str, list[float]]]) -> dict[str, list[float]]:
    """The histories of the members one after another, with a column that numbers the members.

    A quantity that one of them lacks, such as an error without validation data, is NaN there.
    """
    names = {name: None for history in histories for name in history}
    joined = {
        name: [value for h in histories for value in h.get(name, [np.nan] * len(h.get("loss", [])))]
        for name in names
    }
    if len(histories) > 1:
        joined["member"] = [float(k) for k, history in enumerate(histories) for _ in history.get("loss", [])]
    return joined


def _loaded(path: str | Path) -> AMDNetEstimator:
    """The model in a file, whichever estimator it is of."""
    kinds = {kind.__name__: kind for kind in AMDNetEstimator.__subclasses__()}
    path = model_file(path)
    header, _ = _read(path)
    if header.estimator not in kinds:
        raise ModelFileError(f"holds no model but a {header.estimator!r}", "give another", item=path)
    return kinds[header.estimator].load(path)


def _read(path: Path) -> tuple[ModelHeader, list[NDArray]]:
    """What a model file holds, be it ours or of the published code."""
    from amdnet_matminer.network.published_model import is_published_model, read_published_model

    return read_published_model(path) if is_published_model(path) else read_model(path)


def _checked_parameters(parameters: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Parameters from a file as the estimator takes them: none that no file decides on."""
    if unknown := set(parameters) - (set(names) - set(_NOT_IN_FILES)):
        raise ValueError(f"a file has no parameters {sorted(unknown)}")
    seed = parameters.get("random_state")
    if seed is not None and (type(seed) is not int or not 0 <= seed < 2**32):
        raise ValueError(f"random_state must be None or an integer from 0 to {2**32 - 1}, got {seed!r}")
    # Of a mapping the file has the pairs, since its keys need not be strings.
    weight = parameters.get("class_weight")
    return {**parameters, "class_weight": dict(weight)} if isinstance(weight, list) else dict(parameters)


def _members(config: NetworkConfig, arrays: Sequence[NDArray]) -> list[Weights]:
    """Weights from a file, of one network after another, which must be those that the network has."""
    from amdnet_matminer.network import build_network

    forms = [(tuple(weight.shape), weight.dtype) for weight in build_network(config).weights]
    if not arrays or len(arrays) % len(forms):
        raise ValueError(f"it has {len(arrays)} arrays of weights, of which each network has {len(forms)}")
    for k, array in enumerate(arrays):
        shape, dtype = forms[k % len(forms)]
        if (array.shape, array.dtype.name) != (shape, dtype):
            raise ValueError(f"weights {k} are {array.shape} {array.dtype} instead of {shape} {dtype}")
        # So written, what is no number is refused too.
        if not (np.abs(array) < LARGEST_WEIGHT).all():
            raise ValueError(f"weights {k} are not all numbers below {LARGEST_WEIGHT:g}")
    return [list(arrays[k : k + len(forms)]) for k in range(0, len(arrays), len(forms))]


def _as_json(value: Any) -> Any:
    """A parameter as JSON can hold it; of a mapping the pairs, since its keys need not be strings."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return [[_as_json(key), _as_json(item)] for key, item in value.items()]
    return value
