"""The networks, in Keras 3 ops: Keras is imported from here on, not before."""

from __future__ import annotations

import amdnet_matminer.backend  # noqa: F401  first of all, so that Keras starts quietly
from amdnet_matminer.architectures import NetworkConfig, register
from amdnet_matminer.network.base import Network, build_network

__all__ = ["Network", "NetworkConfig", "build_network", "register"]
