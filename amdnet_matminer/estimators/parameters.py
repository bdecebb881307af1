"""The parameters that both estimators have."""

from __future__ import annotations

import inspect
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from sklearn.base import BaseEstimator

from amdnet_matminer.architectures import NetworkConfig, network_class
from amdnet_matminer.graphs import DualGraphConverter
from amdnet_matminer.options import Optimizer, Schedule

if TYPE_CHECKING:
    from amdnet_matminer.estimators.base import AMDNetEstimator

NOT_IN_FILES = (
    "cache_dir",
    "checkpoint_dir",
    "init_from",
    "init_share",
    "n_jobs",
    "stop_file",
    "verbose",
    "warm_start",
)
"""Parameters that are of a computer or of a call, not of a model: they act when set, and no file has them.

All others of a fitted model are those that it was fitted with.
"""

E = TypeVar("E", bound="EstimatorParameters")


# A dataclass, since its __init__ is what scikit-learn asks for: it only stores, under the same names.
@dataclass(kw_only=True, repr=False, eq=False)
class EstimatorParameters(BaseEstimator):
    """The parameters of both estimators, and what follows from them before anything is fitted.

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
        init_share: How much of each weight is that of ``init_from``, the rest being drawn.
            Less than 1 leaves the network as ready to learn something else as a new one is
            (Ash and Adams, arXiv 1910.08475); 1 goes on with as many crystals of the same
            property as it has seen.
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
    init_share: float = 0.5
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

    def _present_params(self) -> dict[str, Any]:
        parameters = self.get_params(deep=False).items()
        return {name: deepcopy(value) for name, value in parameters if name not in NOT_IN_FILES}

    def _network_config(self, n_outputs: int) -> NetworkConfig:
        return NetworkConfig.of(n_outputs=n_outputs, **self.get_params(deep=False))

    def _optimizer(self) -> Optimizer:
        return self.optimizer or network_class(self.architecture).default_optimizer


def documented(cls: type[E]) -> type[E]:
    """Put what its bases say of parameters and attributes into an estimator's docstring."""
    text = inspect.getdoc(cls) or ""
    for name in ("Args", "Attributes"):
        heading = f"\n{name}:\n"
        shared = [
            inspect.cleandoc(base.__doc__ or "").partition(heading)[2].partition("\n\n")[0]
            for base in reversed(cls.__mro__[1:])
            if issubclass(base, EstimatorParameters)
        ]
        text = text.replace(heading, "\n".join([heading.rstrip(), *filter(None, shared), ""]), 1)
    cls.__doc__ = text
    return cls
