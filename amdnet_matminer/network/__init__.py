"""The network, in Keras 3 ops: Keras is imported from here on, not before."""

from __future__ import annotations

# First of all, so that Keras starts quietly.
from amdnet_matminer.network.backend import has_gpu
from amdnet_matminer.network.model import ARCHITECTURES, AMDNet, Architecture, NetworkConfig, initial_weights

__all__ = ["ARCHITECTURES", "AMDNet", "Architecture", "NetworkConfig", "has_gpu", "initial_weights"]
