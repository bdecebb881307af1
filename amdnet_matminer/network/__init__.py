"""The network, in Keras 3 ops: Keras is imported from here on, not before."""

from __future__ import annotations

import amdnet_matminer.backend  # noqa: F401  first of all, so that Keras starts quietly
from amdnet_matminer.network.model import AMDNet, Architecture, NetworkConfig, initial_weights

__all__ = ["AMDNet", "Architecture", "NetworkConfig", "initial_weights"]
