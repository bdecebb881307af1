"""Motif vectors and trained models that come with the package, each with a card beside its file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from amdnet_matminer.motifs.motif2vec import Motif2Vec

FOLDER = Path(__file__).parent
PRESETS: tuple[str, ...] = ("mp2018",)
"""Names of motif vectors."""
MODELS: tuple[str, ...] = ("mp2018-band-gap", "mp2018-formation-energy")
"""Names of trained models."""


@lru_cache(maxsize=len(PRESETS))
def pretrained_motif2vec(name: str) -> Motif2Vec:
    """Read pretrained motif vectors, once per process.

    Args:
        name: One of ``PRESETS``; ``"mp2018"`` was fitted on 44,787 crystals of all chemistries.

    Returns:
        The fitted model, the same object for every caller.

    Raises:
        ValueError: There are none of this name.
    """
    if name not in PRESETS:
        raise ValueError(f"there are no pretrained motif vectors {name!r}; choose from {', '.join(PRESETS)}")
    return Motif2Vec.load(FOLDER / f"{name}.npz")


def pretrained_model_file(name: str) -> Path:
    """Where the file of a trained model is.

    Args:
        name: One of ``MODELS``.

    Returns:
        A file that ``AMDNetRegressor.load`` reads.

    Raises:
        ValueError: There is none of this name.
    """
    if name not in MODELS:
        raise ValueError(f"there is no pretrained model {name!r}; choose from {', '.join(MODELS)}")
    return FOLDER / f"{name}.amdnet"
