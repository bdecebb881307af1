"""The ``amdnet`` command: motif features, training, evaluation and prediction from files of crystals."""

from __future__ import annotations

from amdnet_matminer.cli.main import main

__all__ = ["main"]
