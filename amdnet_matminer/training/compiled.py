"""Networks that are compiled once and used again.

Tracing a network costs many seconds, whatever the size of the data, and
cross-validation or a grid search fits many of the same kind. So a network that
has been compiled is kept for the next fit or prediction; only weights change hands.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import NamedTuple

import keras

from amdnet_matminer.backend import has_gpu, sharing_devices
from amdnet_matminer.graphs.batching import SHARES
from amdnet_matminer.network import NetworkConfig, build_network
from amdnet_matminer.options import Loss, Optimizer
from amdnet_matminer.training.losses import WeightedLoss

MOST_IDLE = 4
"""How many compiled networks wait for their next use, at most."""

LARGEST_GRADIENT = 1.0
"""Gradients of larger norm than this are scaled down to it."""

NOT_FOR_MUON = ["element", "embedding", "score"]
"""Names of arrays with two axes that Adam does better: tables of vectors, and what begins at 0."""

STEPS_WORTH_XLA = 2000
"""On a CPU, XLA makes a step about twice as fast but costs half a minute of compiling."""

PREDICTIONS_WORTH_XLA = 10_000
"""Likewise, but a second of compiling that saves 0.1 ms a crystal."""


class Compilation(NamedTuple):
    """All that a compiled network depends on."""

    network: NetworkConfig
    """Architecture and sizes."""
    loss: Loss = "mae"
    """What training makes small."""
    optimizer: Optimizer = "muon"
    """How weights follow their gradients."""
    weight_decay: float = 0.0
    """Decoupled from the gradients (Loshchilov and Hutter, arXiv 1711.05101)."""
    xla: bool = False
    """Whether TensorFlow compiles with XLA."""


Kind = tuple[Compilation, object, str]
"""A compilation, the Keras distribution over devices that it is for, or None, and the precision."""

_idle: list[tuple[Kind, keras.Model]] = []
_lock = Lock()


@contextmanager
def compiled_network(wanted: Compilation, only_predicts: bool = False) -> Iterator[keras.Model]:
    """Lend a compiled network; its weights and optimizer state are those of the last use.

    Args:
        wanted: Which network.
        only_predicts: Whether it is not trained; what a training has compiled with XLA
            then does as well, and is faster.

    Yields:
        A network that nobody else uses meanwhile.

    Raises:
        ValueError: The devices that Keras is set to distribute over cannot share a batch.
    """
    around = (sharing_devices(SHARES), keras.mixed_precision.dtype_policy().name)
    kind = (wanted, *around)
    faster = [(wanted._replace(xla=True), *around)] if only_predicts else []
    kind, network = _take([*faster, kind]) or (kind, _compile(wanted))
    try:
        yield network
    finally:
        with _lock:
            _idle.append((kind, network))
            del _idle[:-MOST_IDLE]


def xla_pays(n_steps: int = 0, n_predictions: int = 0) -> bool:
    """Whether XLA saves more time than it costs: always on a GPU, on a CPU if there is much to do.

    Args:
        n_steps: Number of training steps to come.
        n_predictions: Number of crystals to predict.

    Returns:
        Whether to ask for it; other backends than TensorFlow decide by themselves.
    """
    much = n_steps >= STEPS_WORTH_XLA or n_predictions >= PREDICTIONS_WORTH_XLA
    return keras.backend.backend() == "tensorflow" and (much or has_gpu())


def _take(wanted: list[Kind]) -> tuple[Kind, keras.Model] | None:
    """The first idle network of the first kind that there is."""
    with _lock:
        idle = [kind for kind, _ in _idle]
        for kind in wanted:
            if kind in idle:
                return _idle.pop(idle.index(kind))
    return None


def _compile(wanted: Compilation) -> keras.Model:
    network = build_network(wanted.network)
    network.compile(
        optimizer=_optimizer(wanted),
        loss=WeightedLoss(wanted.loss),
        jit_compile=wanted.xla or keras.backend.backend() == "jax",
    )
    # Built now, or else the training step is traced twice.
    network.optimizer.build(network.trainable_variables)
    return network


def _optimizer(wanted: Compilation) -> keras.optimizers.Optimizer:
    """Muon (Jordan 2024; in steps of the size of Adam's, Liu et al., arXiv 2502.16982), or AdamW."""
    decay = wanted.weight_decay
    if wanted.optimizer == "adamw":
        return keras.optimizers.AdamW(weight_decay=decay, global_clipnorm=LARGEST_GRADIENT)
    return keras.optimizers.Muon(
        weight_decay=decay,
        adam_weight_decay=decay,
        global_clipnorm=LARGEST_GRADIENT,
        exclude_layers=NOT_FOR_MUON,
    )
