"""Networks that are compiled once and used again.

Tracing a network costs many seconds, whatever the size of the data, and
cross-validation or a grid search fits many of the same kind. So a network that
has been compiled is kept for the next fit or prediction; only weights change hands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import NamedTuple

import keras

from amdnet_matminer.architectures import NetworkConfig, network_class
from amdnet_matminer.backend import has_gpu, refuse_forked_process, sharing_devices
from amdnet_matminer.graphs.batching import SHARES
from amdnet_matminer.network import Network, build_network
from amdnet_matminer.options import Loss, Optimizer
from amdnet_matminer.training.losses import WeightedLoss
from amdnet_matminer.training.muon import Muon

MOST_IDLE = 4
"""How many compiled networks wait for their next use, at most."""

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
    clip_norm: float | None = 1.0
    """Gradients of larger norm are scaled down to it."""
    xla: bool = False
    """Whether TensorFlow compiles with XLA."""


Kind = tuple[Compilation, type[Network], object, str]
"""A compilation, the class that its architecture names, Keras' distribution over devices, the precision."""

_idle: list[tuple[Kind, Network]] = []
_lock = Lock()


@contextmanager
def compiled_network(wanted: Compilation, only_predicts: bool = False) -> Iterator[Network]:
    """Lend a compiled network; its weights and optimizer state are those of the last use.

    Args:
        wanted: Which network.
        only_predicts: Whether it is not trained; what a training has compiled with XLA
            then does as well, and is faster.

    Yields:
        A network that nobody else uses meanwhile.

    Raises:
        ValueError: The devices that Keras is set to distribute over cannot share a batch.
        RuntimeError: This process was forked from one that has computed.
    """
    refuse_forked_process()
    around = (
        network_class(wanted.network.architecture),
        sharing_devices(SHARES),
        keras.mixed_precision.dtype_policy().name,
    )
    kind = (wanted, *around)
    faster = [(wanted._replace(xla=True), *around)] if only_predicts else []
    kind, network = _take([*faster, kind]) or (kind, _compile(wanted))
    try:
        yield network
    finally:
        with _lock:
            _idle.append((kind, network))
            del _idle[:-MOST_IDLE]


@contextmanager
def precision(policy: str) -> Iterator[None]:
    """Let networks that are made or lent meanwhile compute so; what reads their inside takes float32.

    Args:
        policy: Name of a policy of Keras.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


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


def _take(wanted: list[Kind]) -> tuple[Kind, Network] | None:
    """The first idle network of the first kind that there is."""
    with _lock:
        idle = [kind for kind, _ in _idle]
        for kind in wanted:
            if kind in idle:
                return _idle.pop(idle.index(kind))
    return None


def _compile(wanted: Compilation) -> Network:
    if keras.config.dtype_policy().compute_dtype == "float16":
        raise ValueError(
            "float16 has too small a range for gradients; take "
            'keras.config.set_dtype_policy("mixed_bfloat16") for half precision'
        )
    network = build_network(wanted.network)
    network.compile(
        optimizer=_optimizer(wanted, network),
        loss=WeightedLoss(wanted.loss),
        jit_compile=wanted.xla or keras.backend.backend() == "jax",
    )
    # Built now, or else the training step is traced twice.
    network.optimizer.build(network.trainable_variables)
    return network


def _optimizer(wanted: Compilation, network: Network) -> keras.optimizers.Optimizer:
    """Muon (Jordan 2024; in steps of the size of Adam's, Liu et al., arXiv 2502.16982), or AdamW.

    The weight decay, decoupled from the gradients (Loshchilov and Hutter, arXiv
    1711.05101), is a variable, so that another one needs no other compilation.
    """
    if wanted.optimizer == "adamw":
        optimizer = keras.optimizers.AdamW(global_clipnorm=wanted.clip_norm)
    else:
        excluded = [f"^{re.escape(weight.path)}$" for weight in network.not_for_muon]
        optimizer = Muon(global_clipnorm=wanted.clip_norm, exclude_layers=excluded)
    optimizer.weight_decay = optimizer.adam_weight_decay = optimizer.add_variable((), name="weight_decay")
    # Keras adds up gradients over TensorFlow's replicas, of which there is one. That sum keeps the
    # graph of the training step for as long as the process lives.
    optimizer._all_reduce_sum_gradients = list
    return optimizer
