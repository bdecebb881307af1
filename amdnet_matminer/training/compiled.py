"""Networks that are compiled once and used again.

Tracing a network costs many seconds, whatever the size of the data, and
cross-validation or a grid search fits many of the same kind. So a network that
has been compiled is kept for the next fit or prediction; only weights change hands.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Literal

import keras

from amdnet_matminer.backend import has_gpu
from amdnet_matminer.network import AMDNet, NetworkConfig

Loss = Literal["mae", "mse"]

MOST_IDLE = 4
"""How many compiled networks wait for their next use, at most."""

_LOSSES = {"mae": keras.losses.MeanAbsoluteError, "mse": keras.losses.MeanSquaredError}
_idle: list[tuple[tuple[NetworkConfig, Loss], AMDNet]] = []
_lock = Lock()


@contextmanager
def compiled_network(config: NetworkConfig, loss: Loss) -> Iterator[AMDNet]:
    """Lend a compiled network; its weights and optimizer state are those of the last use.

    Args:
        config: Which network.
        loss: Name of the loss that it is compiled with.

    Yields:
        A network that nobody else uses meanwhile.
    """
    network = _take(config, loss) or _compile(AMDNet(config), loss)
    try:
        yield network
    finally:
        with _lock:
            _idle.append(((config, loss), network))
            del _idle[:-MOST_IDLE]


def _take(config: NetworkConfig, loss: Loss) -> AMDNet | None:
    with _lock:
        for place, (key, network) in enumerate(_idle):
            if key == (config, loss):
                del _idle[place]
                return network
    return None


def _compile(network: AMDNet, loss: Loss) -> AMDNet:
    # Padding has weight 0; this mean divides by the weights' sum, not by the array's length.
    network.compile(
        optimizer=keras.optimizers.Adam(),
        loss=_LOSSES[loss](reduction="mean_with_sample_weight"),
        jit_compile=_compiling_pays(),
    )
    # Built now, or else the training step is traced twice.
    network.optimizer.build(network.trainable_variables)
    return network


def _compiling_pays() -> bool:
    """Whether to compile with XLA: TensorFlow on a CPU gains less by it than it costs."""
    backend = keras.backend.backend()
    return backend == "jax" or (backend == "tensorflow" and has_gpu())
