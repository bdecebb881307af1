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


Kind = tuple[Compilation, object]
"""A compilation, and the Keras distribution over devices that it is for, or None."""

_idle: list[tuple[Kind, keras.Model]] = []
_lock = Lock()


@contextmanager
def compiled_network(wanted: Compilation) -> Iterator[keras.Model]:
    """Lend a compiled network; its weights and optimizer state are those of the last use.

    Args:
        wanted: Which network.

    Yields:
        A network that nobody else uses meanwhile.

    Raises:
        ValueError: The devices that Keras is set to distribute over cannot share a batch.
    """
    kind = (wanted, sharing_devices(SHARES))
    network = _take(kind) or _compile(wanted)
    try:
        yield network
    finally:
        with _lock:
            _idle.append((kind, network))
            del _idle[:-MOST_IDLE]


def xla_pays(n_steps: int) -> bool:
    """Whether XLA saves more time than it costs: always on a GPU, on a CPU in long trainings.

    Args:
        n_steps: Number of training steps to come, 0 for predictions.

    Returns:
        Whether to ask for it; other backends than TensorFlow decide by themselves.
    """
    return keras.backend.backend() == "tensorflow" and (has_gpu() or n_steps >= STEPS_WORTH_XLA)


def _take(wanted: Kind) -> keras.Model | None:
    with _lock:
        for place, (kind, network) in enumerate(_idle):
            if kind == wanted:
                del _idle[place]
                return network
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
