"""Trained models as one file: a zip archive of JSON and plain arrays, no pickle.

``model.json`` holds the description and the SHA-256 of each array; the arrays are
``weights/0000.npy`` and so on. The same model always gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import zipfile
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Structure

from amdnet_matminer import __version__
from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.files import package_versions, write_atomically

FORMAT = "amdnet-matminer model"
FORMAT_VERSION = 4
"""1 had no checksums of the arrays and no package versions; ``"amdnet"`` was another network in 2 and 3."""

LARGEST_MODEL = 2**28
"""Bytes of a file, and of all that is unpacked from it: a hundred times the largest model so far."""

_DESCRIPTION = "model.json"
_LARGEST_DESCRIPTION = 2**24
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_LIGANDS_PER_MOTIF = 6.0


def write_model(path: str | Path, description: dict[str, Any], weights: Sequence[NDArray]) -> None:
    """Write a model, whole or not at all.

    Args:
        path: The file to write; an existing one is replaced.
        description: What rebuilds the model, JSON values only.
        weights: The arrays of the network, in its order.

    Raises:
        OSError: The file cannot be written; what was there before is still there.
    """
    arrays = [_to_bytes(array) for array in weights]
    header = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "written_by": __version__,
        "versions": {"python": platform.python_version()} | package_versions(),
        "sha256": [_digest(array) for array in arrays],
    }
    contents = {_DESCRIPTION: json.dumps(description | header, indent=1).encode()}
    contents |= {_weight_name(number): array for number, array in enumerate(arrays)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            # A ZipInfo of its own has no time of day in it, so equal models are equal files.
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    write_atomically(path, buffer.getvalue())


def read_model(path: str | Path) -> tuple[dict[str, Any], list[NDArray]]:
    """Read a model file; nothing in it is executed.

    Args:
        path: A file that ``write_model`` wrote, in this or an older format, or the
            ``.hdf5`` file of a model that the published AMDNet code trained.

    Returns:
        The description, in the form of today, and the arrays.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is no model file, is damaged, too large, or of a newer format.
    """
    data = _read_bytes(Path(path))
    if data.startswith(_HDF5_SIGNATURE):
        from amdnet_matminer.original.models import read_published_model

        description, weights = read_published_model(path)
        return _upgraded(description), weights
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read_archive(archive)
    except ModelFileError as error:
        raise error.at(item=path) from error.__cause__
    except Exception as error:  # zipfile, zlib and numpy raise whatever damaged bytes lead them to
        raise ModelFileError(
            f"is not a model of amdnet_matminer or is damaged ({error})",
            "give a file that save() wrote",
            item=path,
        ) from error


def describe_training(structures: Sequence[Structure], y: ArrayLike) -> dict[str, Any]:
    """Summarise what a model has learned from, to be kept in its file.

    Args:
        structures: S crystals.
        y: Their targets, shape (S,) or (S, T), NaN where there is none.

    Returns:
        ``n_crystals``; ``elements``, symbols by atomic number; ``target``, with the
        ``count``, ``mean``, ``std``, ``min`` and ``max`` of each column.
    """
    columns = np.asarray(y, dtype=np.float64).reshape(len(structures), -1).T
    known = [column[np.isfinite(column)] for column in columns]
    seen = {element for structure in structures for element in structure.composition.elements}
    numbers = {element.symbol: element.Z for element in seen}
    return {
        "n_crystals": len(structures),
        "elements": sorted(numbers, key=numbers.__getitem__),
        "target": [
            {"count": len(v)} | {name: float(getattr(np, name)(v)) for name in ("mean", "std", "min", "max")}
            for v in known
            if len(v)
        ],
    }


def _read_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(LARGEST_MODEL + 1)
    if len(data) > LARGEST_MODEL:
        reason = f"is larger than {LARGEST_MODEL} bytes, so it is no model"
        raise ModelFileError(reason, "give another", item=path)
    return data


def _read_archive(archive: zipfile.ZipFile) -> tuple[dict[str, Any], list[NDArray]]:
    # What an entry says of its size bounds what zipfile unpacks of it.
    sizes = {info.filename: info.file_size for info in archive.infolist()}
    if sum(sizes.values()) > LARGEST_MODEL or sizes.get(_DESCRIPTION, 0) > _LARGEST_DESCRIPTION:
        raise ModelFileError("would unpack to more than any model holds", "give a file that save() wrote")
    description = _checked_description(json.loads(archive.read(_DESCRIPTION)))
    names = sorted(name for name in sizes if name != _DESCRIPTION)
    arrays = [archive.read(name) for name in names]
    if description["format_version"] == 1:
        description = _upgraded(description)
    elif (names, [_digest(array) for array in arrays]) != (
        [_weight_name(number) for number in range(len(arrays))],
        description["sha256"],
    ):
        raise ValueError("its arrays are not those that were saved")
    return description, [_to_array(array) for array in arrays]


def _checked_description(description: Any) -> dict[str, Any]:
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise ModelFileError("is not a model of amdnet_matminer", "give a file that save() wrote")
    found = description["format_version"]
    if not isinstance(found, int) or found < 1:
        raise ValueError(f"its format version is {found!r}")
    if found > FORMAT_VERSION:
        raise ModelFileError(
            f"was written by amdnet_matminer {description['written_by']}, which is newer than this one",
            "upgrade with pip install -U amdnet-matminer",
        )
    parameters = description.get("parameters", {})
    if found in (2, 3) and parameters.get("architecture", "amdnet") == "amdnet":
        raise ModelFileError(
            "is of an earlier form of the network 'amdnet', which would be read wrongly", "train it anew"
        )
    return description


def _upgraded(description: dict[str, Any]) -> dict[str, Any]:
    """A description of format 1, the only one before, in the form of today.

    There was one target and one network then, no weight decay, no summary of the training
    data, and the bonds of motifs were not counted.
    """
    ladder, scaler = description["ladder"], description["scaler"]
    bonds = _LIGANDS_PER_MOTIF * ladder["first"][3]
    return description | {
        "parameters": description["parameters"] | {"optimizer": "adamw", "weight_decay": 0.0},
        "ladder": ladder | {"first": [*ladder["first"], bonds]},
        "scaler": {name: [value] for name, value in scaler.items()},
        "training": None,
        "domain": None,
        "target_shape": [],
        "std_factor": 1.0,
    }


def _weight_name(number: int) -> str:
    return f"weights/{number:04d}.npy"


def _digest(array: bytes) -> str:
    return hashlib.sha256(array).hexdigest()


def _to_bytes(array: NDArray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _to_array(data: bytes) -> NDArray:
    """Read a .npy file; numpy's own reader would make room for whatever shape it claims."""
    buffer = io.BytesIO(data)
    if np.lib.format.read_magic(buffer) != (1, 0):
        raise ValueError("an array is of another kind than numpy's format 1.0")
    shape, column_major, dtype = np.lib.format.read_array_header_1_0(buffer)
    if dtype.kind not in "fiub" or prod(shape) * dtype.itemsize != len(data) - buffer.tell():
        raise ValueError(f"an array claims {shape} times {dtype}, which is not what it holds")
    array = np.frombuffer(data, dtype, offset=buffer.tell())
    return array.reshape(shape, order="F" if column_major else "C").copy()
