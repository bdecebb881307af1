"""Networks that learn the same from different beginnings, one after another or side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from numpy.typing import NDArray

from amdnet_matminer import __version__
from amdnet_matminer.architectures import NetworkConfig, network_class, register
from amdnet_matminer.backend import has_gpu
from amdnet_matminer.graphs import DualGraph, SizeLadder
from amdnet_matminer.network import Network
from amdnet_matminer.network.base import initial_weights
from amdnet_matminer.training import (
    Compilation,
    Labelled,
    Settings,
    TargetScaler,
    compiled_network,
    precision,
    predict_graphs,
    prediction_ladder,
    read_graphs,
    train,
)

Weights = list[NDArray[np.float32]]
"""The arrays of a network, in its order."""

STEPS_WORTH_A_PROCESS = 3000
"""A process of its own takes half a minute to begin; shorter trainings are done one after another."""


class Plan(NamedTuple):
    """All that the members of an ensemble have in common."""

    compilation: Compilation
    training: Labelled
    validation: Labelled | None
    scaler: TargetScaler
    ladder: SizeLadder
    settings: Settings


class Start(NamedTuple):
    """What a member begins with that is not drawn."""

    weights: Weights
    """Of another network, which may have another number of outputs."""
    share: float = 1.0
    """How much of the beginning they are, from 0 to 1."""

    def mixed_with(self, drawn: Weights) -> Weights:
        """The beginning: so much of these weights, the rest drawn, and all of a readout of another shape."""
        pairs = zip(self.weights, drawn, strict=True)
        return [
            new if known.shape != new.shape else self.share * known + (1.0 - self.share) * new
            for known, new in pairs
        ]


class Member(NamedTuple):
    """A trained network."""

    weights: Weights
    history: dict[str, list[float]]
    """As ``train`` gives it."""


def train_members(
    plan: Plan,
    starts: Sequence[Start | None],
    seed: int,
    n_jobs: int | None = None,
    checkpoint_dir: str | Path | None = None,
) -> list[Member]:
    """Train the members of an ensemble, which differ in initial weights and shuffling.

    Args:
        plan: What they have in common.
        starts: What each member begins with; None draws all.
        seed: Of all that is random; the first members are the same in an ensemble of
            any size.
        n_jobs: Number of processes, as joblib counts them; used without a GPU, if the
            training is long enough to pay for them.
        checkpoint_dir: A folder for the state of each training. If the same training
            was stopped there, it goes on; at the end its state is removed.

    Returns:
        The members.

    Raises:
        OSError: The folder or a file in it cannot be written.
    """
    files = _checkpoints(plan, starts, seed, checkpoint_dir)
    network = network_class(plan.compilation.network.architecture)
    policy = keras.config.dtype_policy().name
    tasks = [
        (network, policy, plan, start, [seed, k], file)
        for k, (start, file) in enumerate(zip(starts, files, strict=True))
    ]
    if _processes_pay(plan, len(tasks), n_jobs):
        members = Parallel(n_jobs=n_jobs)(delayed(_train_member)(*task) for task in tasks)
    else:
        members = [_train_member(*task) for task in tasks]
    for file in files:
        if file is not None:
            file.unlink(missing_ok=True)
    return members


def predict_members(
    compilation: Compilation, weights: Sequence[Weights], graphs: Sequence[DualGraph]
) -> NDArray[np.float32]:
    """What each member says of crystals.

    Args:
        compilation: Of the network.
        weights: Of the M members.
        graphs: S crystals.

    Returns:
        Outputs of the network, scaled targets or logits, shape (M, S, T).
    """
    return _ask_members(predict_graphs, compilation, weights, graphs)


def read_members(
    compilation: Compilation, weights: Sequence[Weights], graphs: Sequence[DualGraph]
) -> NDArray[np.float32]:
    """What each member reads of crystals before its head, in full precision.

    Args:
        compilation: Of a network that reads D numbers.
        weights: Of the M members.
        graphs: S crystals.

    Returns:
        Vectors, shape (M, S, D).

    Raises:
        NotImplementedError: The network does not say what it reads.
    """
    with precision("float32"):
        return _ask_members(read_graphs, compilation, weights, graphs)


def weights_of_output(config: NetworkConfig, weights: Weights, output: int) -> Weights:
    """Those of a network that has one of the outputs of another, and else is the same.

    Args:
        config: Of a network with T outputs.
        weights: Its arrays; the last axis of those that T decides on is the outputs.
        output: Which one, from 0.

    Returns:
        The arrays of the network with one output.

    Raises:
        ValueError: T decides on another axis of an array.
    """
    forms = [array.shape for array in initial_weights(config._replace(n_outputs=1), 0)]
    taken = [
        array if array.shape == form else array[..., output : output + 1]
        for array, form in zip(weights, forms, strict=True)
    ]
    if any(array.shape != form for array, form in zip(taken, forms, strict=True)):
        raise ValueError(f"{config.architecture!r} has weights of all outputs that cannot be taken apart")
    return taken


def _ask_members(
    ask: Callable[[Network, Sequence[DualGraph], SizeLadder], NDArray[np.float32]],
    compilation: Compilation,
    weights: Sequence[Weights],
    graphs: Sequence[DualGraph],
) -> NDArray[np.float32]:
    answers = []
    with compiled_network(compilation, only_predicts=True) as network:
        ladder = prediction_ladder(network, graphs)
        for arrays in weights:
            network.set_weights(arrays)
            answers.append(ask(network, graphs, ladder))
    return np.stack(answers)


def _train_member(
    network_type: type[Network],
    policy: str,
    plan: Plan,
    start: Start | None,
    seed: list[int],
    checkpoint: Path | None,
) -> Member:
    # A process of its own does not know a network that is registered outside the package, nor the precision.
    register(plan.compilation.network.architecture)(network_type)
    rng = np.random.default_rng(seed)
    of_weights, shuffling = rng.integers(2**31, size=2).tolist()
    weights = initial_weights(plan.compilation.network, of_weights)
    if start is not None:
        weights = start.mixed_with(weights)
    with precision(policy), compiled_network(plan.compilation) as network:
        network.set_weights(weights)
        _, training, validation, scaler, ladder, settings = plan
        history = train(network, training, validation, scaler, ladder, settings, shuffling, checkpoint)
        return Member(network.get_weights(), history)


def _processes_pay(plan: Plan, n_members: int, n_jobs: int | None) -> bool:
    n_steps = plan.settings.epochs * plan.settings.n_batches(len(plan.training.y))
    enough = n_members > 1 and n_steps >= STEPS_WORTH_A_PROCESS
    return enough and effective_n_jobs(n_jobs) > 1 and not has_gpu()


def _checkpoints(
    plan: Plan, starts: Sequence[Start | None], seed: int, folder: str | Path | None
) -> list[Path | None]:
    """The files that keep the state of the members, named by all that the training depends on."""
    if folder is None:
        return [None] * len(starts)
    folder = Path(folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.blake2b(digest_size=16)
    same = (plan.compilation, plan.scaler, plan.ladder, plan.settings._replace(verbose=0, stop_file=None))
    digest.update(repr((__version__, seed, same, keras.config.dtype_policy().name)).encode())
    for data in (plan.training, plan.validation):
        if data is not None:
            _add(digest, (data.y, data.weight))
            for graph in data.graphs:
                _add(digest, (*graph.atoms, *graph.motifs))
    for start in starts:
        digest.update(repr(start and start.share).encode())
        _add(digest, start.weights if start else ())
    return [folder / f"{digest.hexdigest()}-{number}.amdnet" for number in range(len(starts))]


def _add(digest: hashlib.blake2b, arrays: Iterable[NDArray]) -> None:
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(array.tobytes())
