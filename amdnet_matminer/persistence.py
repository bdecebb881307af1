"""Trained models as one file: a zip archive of JSON and plain arrays, no pickle."""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer import __version__
from amdnet_matminer.errors import ModelFileError

FORMAT = "amdnet-matminer model"
FORMAT_VERSION = 1
_DESCRIPTION = "model.json"


def write_model(path: str | Path, description: dict[str, Any], weights: Sequence[NDArray]) -> None:
    """Write a model, whole or not at all.

    Args:
        path: The file to write; an existing one is replaced.
        description: What rebuilds the model, JSON values only.
        weights: The arrays of the network, in its order.
    """
    path = Path(path)
    header = {"format": FORMAT, "format_version": FORMAT_VERSION, "written_by": __version__}
    # Written beside its place and moved there at once, so that no half file is ever left under its name.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_DESCRIPTION, json.dumps(header | description, indent=1))
            for number, array in enumerate(weights):
                archive.writestr(_weight_name(number), _to_bytes(array))
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise


def read_model(path: str | Path) -> tuple[dict[str, Any], list[NDArray]]:
    """Read a model file; nothing in it is executed.

    Args:
        path: A file that ``write_model`` wrote.

    Returns:
        The description and the arrays.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is no model file, is damaged, or is of a newer format.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            description = json.loads(archive.read(_DESCRIPTION))
            if description.get("format") != FORMAT:
                raise ModelFileError(
                    f"{path} is not a model of amdnet_matminer; give a file that save() wrote"
                )
            if description["format_version"] > FORMAT_VERSION:
                raise ModelFileError(
                    f"{path} was written by amdnet_matminer {description['written_by']}, "
                    "which is newer than this one; upgrade with pip install -U amdnet-matminer"
                )
            names = sorted(name for name in archive.namelist() if name != _DESCRIPTION)
            return description, [
                np.load(io.BytesIO(archive.read(name)), allow_pickle=False) for name in names
            ]
    except (zipfile.BadZipFile, KeyError, ValueError, AttributeError, EOFError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(
            f"{path} is not a model of amdnet_matminer or is damaged ({error}); give a file that save() wrote"
        ) from error


def _weight_name(number: int) -> str:
    return f"weights/{number:04d}.npy"


def _to_bytes(array: NDArray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
