"""What makes one network differ from another."""

from __future__ import annotations

from typing import NamedTuple

from amdnet_matminer.options import Architecture


class NetworkConfig(NamedTuple):
    """Architecture and sizes; the estimator documents all but the last two."""

    architecture: Architecture = "amdnet"
    atom_cutoff: float = 5.0
    motif_cutoff: float = 11.0
    rbf_edge_dim_atom: int = 100
    rbf_edge_dim_motif: int = 100
    width: int | None = None
    n_blocks: int = 4
    dropout: float = 0.1
    n_outputs: int = 1
    cross_level: bool = True
