"""Motif vectors and trained models that come with the package, each with a card beside its file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from amdnet_matminer.motifs.motif2vec import Motif2Vec

FOLDER = Path(__file__).parent
PRESETS: tuple[str, ...] = ("mp2018",)
"""Names of motif vectors."""
MODELS: tuple[str, ...] = (
    "mp-band-gap",
    "mp-formation-energy",
    "mp-is-metal",
    "mp-moduli",
    "mp2018-band-gap",
    "mp2018-formation-energy",
)
"""Names of trained models."""


def pretrained_motif2vec(name: str | Path) -> Motif2Vec:
    """Read motif vectors, once per process.

    Args:
        name: One of ``PRESETS``, of which ``"mp2018"`` was fitted on 44,787 crystals of all
            chemistries, or a file that ``Motif2Vec.save`` wrote.

    Returns:
        The fitted model, the same object for every caller.

    Raises:
        ValueError: There are none of this name.
        ModelFileError: The file holds no motif vectors.
    """
    path = motif2vec_file(name)
    return _read(path, path.stat().st_mtime_ns)


def motif2vec_file(name: str | Path) -> Path:
    """Where motif vectors are.

    Args:
        name: As in ``pretrained_motif2vec``.

    Returns:
        A file that ``Motif2Vec.load`` reads.

    Raises:
        ValueError: There are none of this name.
    """
    path = FOLDER / f"{name}.npz" if name in PRESETS else Path(name)
    if not path.is_file():
        raise ValueError(
            f"there are no pretrained motif vectors {str(name)!r}; choose from {', '.join(PRESETS)}, "
            "or give a file that Motif2Vec.save wrote"
        )
    return path


@lru_cache(maxsize=4)
def _read(path: Path, modified: int) -> Motif2Vec:
    """The vectors in a file, read anew when it has been modified."""
    return Motif2Vec.load(path)


def model_file(path: str | Path) -> Path:
    """Where a model is, which may be given by the name of one that comes with the package.

    Args:
        path: A file, or one of ``MODELS``; a file of that name goes first.

    Returns:
        The file, whether there is one or not.
    """
    path = Path(path).expanduser()
    return path if str(path) not in MODELS or path.is_file() else pretrained_model_file(str(path))


def pretrained_model_file(name: str) -> Path:
    """Where the file of a trained model is.

    Args:
        name: One of ``MODELS``.

    Returns:
        A file that ``AMDNetRegressor.load`` reads, of ``"mp-is-metal"`` ``AMDNetClassifier.load``.

    Raises:
        ValueError: There is none of this name.
    """
    if name not in MODELS:
        raise ValueError(f"there is no pretrained model {name!r}; choose from {', '.join(MODELS)}")
    return FOLDER / f"{name}.amdnet"
