"""From a configuration to a network with its initial weights."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.network.amdnet import AMDNet
from amdnet_matminer.network.amdnet2021 import AMDNet2021
from amdnet_matminer.network.config import NetworkConfig


def build_network(config: NetworkConfig, seed: int = 0) -> keras.Model:
    """Make a network that reads batches of dual graphs.

    Args:
        config: Architecture and sizes.
        seed: Seed of the initial weights.

    Returns:
        The network; ``n_outputs`` is its number of targets.
    """
    network = AMDNet(config) if config.architecture == "amdnet" else AMDNet2021(config)
    network.set_weights(initial_weights(network, np.random.default_rng(seed)))
    return network


def initial_weights(network: keras.Model, rng: np.random.Generator) -> list[NDArray[np.float32]]:
    """Draw the initial weights of a network, the same on every Keras backend.

    Kernels by Glorot and Bengio (2010), recurrent kernels orthogonal, the published
    network's embedding uniform within 0.05, biases 0: the defaults of the published
    network. The element vectors of ``"amdnet"`` are uniform within 0.1, its scores 0.

    Args:
        network: A network of this module.
        rng: Source of the numbers.

    Returns:
        The arrays in the order of ``network.weights``.
    """
    return [_initial_weight(weight.name, tuple(weight.shape), rng) for weight in network.weights]


def _initial_weight(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    if "bias" in name or "score" in name:
        value = np.zeros(shape)
    elif name == "embedding":
        value = rng.uniform(-0.05, 0.05, shape)
    elif name == "element":
        value = rng.uniform(-0.1, 0.1, shape)
    elif name == "recurrent_kernel":
        value = np.linalg.qr(rng.standard_normal(shape[::-1]))[0].T
    else:
        limit = np.sqrt(6.0 / sum(shape))
        value = rng.uniform(-limit, limit, shape)
    return value.astype(np.float32)
