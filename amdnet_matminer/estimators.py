"""The dual graph network as a scikit-learn estimator on pymatgen structures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Structure
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.graphs import DualGraph, GraphCache, GraphSubset, SizeLadder, dual_graph, sizes_of
from amdnet_matminer.parallel import map_structures
from amdnet_matminer.persistence import read_model, write_model
from amdnet_matminer.validation import check_elements, check_parameters, check_structures, check_targets

if TYPE_CHECKING:
    from amdnet_matminer.network import Architecture, NetworkConfig
    from amdnet_matminer.training import Labelled, Loss, Schedule


class AMDNetRegressor(RegressorMixin, BaseEstimator):
    """Predict a property of crystals with the atom-motif dual graph network.

    The network of Banjade et al. (Science Advances 7, eabf1754, 2021) reads each
    crystal as a graph of atoms and as a graph of structure motifs. ``fit`` and
    ``predict`` take lists, pandas Series or object arrays of pymatgen structures.

    Args:
        architecture: ``"amdnet-2021"``, the published network, or ``"megnet"``, its
            atom branch alone.
        atom_cutoff: Largest distance of an atom pair, in angstrom.
        motif_cutoff: Centre of the last Gaussian that distances between motifs are
            expanded in, in angstrom.
        rbf_edge_dim_atom: Number of Gaussians for atom pairs.
        rbf_edge_dim_motif: Number of Gaussians for motif edges.
        symmetry_reduction: Whether symmetry-equivalent atoms and motifs are read once,
            with their multiplicity: the same predictions from smaller graphs.
        epochs: Largest number of passes over the training data.
        batch_size: Number of crystals in a step.
        learning_rate: Highest learning rate of Adam.
        schedule: ``"cosine"``, a short warm-up and a cosine down to 0 over all epochs,
            or ``"constant"``.
        loss: ``"mae"`` or ``"mse"``, of the scaled targets.
        scale_targets: Whether targets are scaled to mean 0 and standard deviation 1.
        patience: Number of epochs without a better validation error after which
            training stops.
        validation_fraction: Part of the data kept to judge epochs by, if ``fit`` gets
            no validation data; 0 judges by the training loss.
        cache_dir: Folder that keeps graphs for all later calls, of this and of other
            estimators; they then stay on disk and are read when needed, so that the
            data may be larger than memory. None makes them anew and holds them.
        n_jobs: Number of processes that make graphs, as joblib counts them.
        random_state: Seed of initial weights, validation split and shuffling; on a CPU
            the same seed gives the same model.
        verbose: 1 shows progress bars.

    Attributes:
        history_: One list per quantity with an entry per epoch: ``loss``, ``val_mae``
            (in the unit of the target), ``learning_rate`` and ``rescues``, how often
            so far a loss that exploded has halved the rate.
        n_iter_: Number of epochs done.
        scaler_: Mean and scale of the targets.
        weights_: The weights of the network, as arrays.

    Example:
        >>> model = AMDNetRegressor(epochs=100, random_state=0)
        >>> model.fit(structures, band_gaps).predict(new_structures)  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        architecture: Architecture = "amdnet-2021",
        atom_cutoff: float = 5.0,
        motif_cutoff: float = 11.0,
        rbf_edge_dim_atom: int = 100,
        rbf_edge_dim_motif: int = 100,
        symmetry_reduction: bool = True,
        epochs: int = 100,
        batch_size: int = 32,
        learning_rate: float = 2e-3,
        schedule: Schedule = "cosine",
        loss: Loss = "mae",
        scale_targets: bool = True,
        patience: int = 50,
        validation_fraction: float = 0.1,
        cache_dir: str | Path | None = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.architecture = architecture
        self.atom_cutoff = atom_cutoff
        self.motif_cutoff = motif_cutoff
        self.rbf_edge_dim_atom = rbf_edge_dim_atom
        self.rbf_edge_dim_motif = rbf_edge_dim_motif
        self.symmetry_reduction = symmetry_reduction
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.loss = loss
        self.scale_targets = scale_targets
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.cache_dir = cache_dir
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        structures: Iterable[Structure],
        y: ArrayLike,
        validation_data: tuple[Iterable[Structure], ArrayLike] | None = None,
    ) -> AMDNetRegressor:
        """Train on crystals and their property.

        Everything is checked before training starts. The weights of the epoch with
        the least validation error are kept, also when training is interrupted.

        Args:
            structures: S crystals.
            y: Their property, shape (S,).
            validation_data: Crystals and their property to judge epochs by, instead of
                a part of the training data.

        Returns:
            The estimator.

        Raises:
            ValueError: A parameter is out of its range.
            StructureError: A structure cannot be used.
            TargetError: A label cannot be used.
        """
        from amdnet_matminer.network import initial_weights
        from amdnet_matminer.training import Labelled, Settings, TargetScaler, compiled_network, train

        check_parameters(self.get_params())
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        data = [self._checked(structures, y)]
        data += [self._checked(*validation_data)] if validation_data is not None else []
        labelled = [Labelled(self._graphs(crystals), targets) for crystals, targets in data]
        training, validation = labelled if len(labelled) == 2 else self._split(labelled[0], rng)
        self.scaler_ = TargetScaler.of(training.y) if self.scale_targets else TargetScaler()
        self.ladder_ = SizeLadder.for_crystals(sizes_of(training.graphs), self.batch_size)
        settings = Settings(**{name: getattr(self, name) for name in Settings._fields})
        with compiled_network(self._network_config(), self.loss) as network:
            network.set_weights(initial_weights(network, rng))
            self.history_ = train(network, training, validation, self.scaler_, self.ladder_, settings, rng)
            self.weights_ = network.get_weights()
        self.n_iter_ = len(self.history_.get("loss", []))
        return self

    def predict(self, structures: Iterable[Structure]) -> NDArray[np.float64]:
        """Predict the property of crystals.

        Args:
            structures: S crystals.

        Returns:
            One value per crystal, in their order and in the unit of the target, shape (S,).

        Raises:
            NotFittedError: ``fit`` has not been called.
            StructureError: A structure cannot be used.
        """
        from amdnet_matminer.training import compiled_network, predict_graphs

        check_is_fitted(self)
        listed = check_structures(structures)
        check_elements(listed)
        graphs = self._graphs(listed)
        with compiled_network(self._network_config(), self.loss) as network:
            network.set_weights(self.weights_)
            return self.scaler_.inverse(predict_graphs(network, graphs, self.ladder_))

    def save(self, path: str | Path) -> None:
        """Write the trained model as one file: JSON and arrays in a zip archive.

        Args:
            path: The file to write; an existing one is replaced.

        Raises:
            NotFittedError: ``fit`` has not been called.
        """
        check_is_fitted(self)
        parameters = self.get_params() | {"cache_dir": None}  # which is of this computer only
        if not isinstance(self.random_state, int):
            parameters["random_state"] = None
        description = {
            "estimator": type(self).__name__,
            "parameters": parameters,
            "scaler": self.scaler_._asdict(),
            "ladder": self.ladder_._asdict(),
            "history": self.history_,
        }
        write_model(path, description, self.weights_)

    @classmethod
    def load(cls, path: str | Path) -> AMDNetRegressor:
        """Read a model that ``save`` wrote; nothing in the file is executed.

        Args:
            path: The file.

        Returns:
            A fitted estimator.

        Raises:
            FileNotFoundError: There is no such file.
            ModelFileError: It is no model file, or is damaged.
        """
        from amdnet_matminer.network import AMDNet
        from amdnet_matminer.training import TargetScaler

        description, weights = read_model(path)
        try:
            model = cls(**description["parameters"])
            check_parameters(model.get_params())
            model.scaler_ = TargetScaler(**description["scaler"])
            model.ladder_ = SizeLadder(**description["ladder"])
            model.history_ = description["history"]
            model.n_iter_ = len(model.history_.get("loss", []))
            model.weights_ = weights
            AMDNet(model._network_config()).set_weights(weights)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(
                f"{path} does not hold a sound AMDNetRegressor ({error}); save it anew"
            ) from error
        return model

    def _checked(self, structures: Iterable[Structure], y: ArrayLike) -> tuple[list[Structure], NDArray]:
        listed = check_structures(structures)
        check_elements(listed)
        return listed, check_targets(y, len(listed))

    def _graphs(self, structures: Sequence[Structure]) -> Sequence[DualGraph]:
        settings: dict[str, Any] = {
            "atom_cutoff": float(self.atom_cutoff),
            "with_motifs": self.architecture != "megnet",
            "symmetry_reduction": bool(self.symmetry_reduction),
        }
        if self.cache_dir is not None:
            cache = GraphCache(self.cache_dir, dual_graph, **settings)
            return cache.graphs(structures, self.n_jobs, bool(self.verbose))
        make = partial(dual_graph, **settings)
        return list(map_structures(make, structures, self.n_jobs, "graphs", bool(self.verbose)))

    def _split(self, data: Labelled, rng: np.random.Generator) -> tuple[Labelled, Labelled | None]:
        """Keep a random part of the data for validation, if there is enough for both parts."""
        n_validation = round(self.validation_fraction * len(data.y))
        if n_validation == 0:
            return data, None
        order = rng.permutation(len(data.y))
        training, validation = (
            data._replace(graphs=GraphSubset(data.graphs, part), y=data.y[part])
            for part in (order[n_validation:], order[:n_validation])
        )
        return training, validation

    def _network_config(self) -> NetworkConfig:
        from amdnet_matminer.network import NetworkConfig

        return NetworkConfig(**{name: getattr(self, name) for name in NetworkConfig._fields})

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "weights_")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.non_deterministic = True
        return tags
