"""The networks, in Keras 3 ops: Keras is imported from here on, not before."""

from __future__ import annotations

import amdnet_matminer.backend  # noqa: F401  first of all, so that Keras starts quietly
from amdnet_matminer.network.config import NetworkConfig
from amdnet_matminer.network.model import build_network, initial_weights
from amdnet_matminer.options import Architecture

__all__ = ["Architecture", "NetworkConfig", "build_network", "initial_weights"]
