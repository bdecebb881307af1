"""Trained models as one file: arrays and, as its metadata, a JSON header, in the safetensors format.

``write_arrays`` and ``read_arrays`` are the file, ``ModelHeader`` is what the header of a
model holds. Equal models give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import platform
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray
from pymatgen.core import Element
from safetensors import safe_open
from safetensors.numpy import save

from amdnet_matminer import __version__
from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.files import package_versions, write_atomically

FORMAT = "amdnet-matminer arrays 1"
"""Of the file; the number changes when older programs can no longer read it."""

LARGEST_FILE = 2**32
"""Bytes: the state of a training of ten networks of the largest width is smaller."""

_LARGEST_TEXT = 2**24
_HEADER = "amdnet"
_REMEDY = "give a file that save() wrote"

Count = Annotated[int, Meta(ge=1)]
Finite = Annotated[float, Meta(ge=-1e300, le=1e300)]
NotNegative = Annotated[float, Meta(ge=0.0, le=1e300)]
Positive = Annotated[float, Meta(gt=0.0, le=1e300)]


def write_arrays(path: str | Path, header: dict[str, Any], arrays: Sequence[NDArray]) -> None:
    """Write arrays and what they are, whole or not at all.

    Args:
        path: The file; an existing one is replaced.
        header: JSON values only.
        arrays: Numbers, in an order that means something.

    Raises:
        OSError: The file cannot be written; what was there before is still there.
    """
    stored = [np.asarray(array, order="C") for array in arrays]
    text = json.dumps(header)
    # A single entry, since safetensors writes several in any order.
    entry = {"format": FORMAT, "header": header, "sha256": _digest(text, stored)}
    names = (f"{number:05d}" for number in range(len(stored)))
    data = save(dict(zip(names, stored, strict=True)), {_HEADER: json.dumps(entry)})
    write_atomically(path, data)


def read_arrays(path: str | Path, largest: int | None = None) -> tuple[dict[str, Any], list[NDArray]]:
    """Read what ``write_arrays`` wrote; nothing in it is executed.

    Args:
        path: The file.
        largest: Bytes that it may have; None is ``LARGEST_FILE``, enough for any model.

    Returns:
        The header and the arrays.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is no such file, is damaged, too large, or of another version.
    """
    path = Path(path)
    largest = LARGEST_FILE if largest is None else largest
    if (size := path.stat().st_size) > largest:
        raise ModelFileError(f"has {size} bytes, and no such file more than {largest}", _REMEDY, item=path)
    try:
        with safe_open(path, framework="numpy") as file:
            entry = json.loads((file.metadata() or {})[_HEADER])
            arrays = [file.get_tensor(name) for name in sorted(file.keys())]
        if entry["format"] != FORMAT:
            raise ValueError(f"it is of the format {entry['format']!r} and not {FORMAT!r}")
        header: dict[str, Any] = entry["header"]
        if entry["sha256"] != _digest(json.dumps(header), arrays):
            raise ValueError("its content is not what was saved")
    except OSError:
        raise
    except Exception as error:  # safetensors, json and numpy raise whatever damaged bytes lead them to
        reason = f"is no model of amdnet_matminer or is damaged ({error})"
        raise ModelFileError(reason, _REMEDY, item=path) from error
    return header, arrays


def _digest(header: str, arrays: Iterable[NDArray]) -> str:
    digest = hashlib.sha256(header.encode())
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class TargetSummary:
    """The labels of one target that a model has learned from."""

    count: Count
    mean: Finite
    std: NotNegative
    min: Finite
    max: Finite


@dataclass(frozen=True, kw_only=True)
class TrainingSummary:
    """What a model has learned from."""

    n_crystals: Count
    elements: list[str]
    """Symbols by atomic number."""
    target: list[TargetSummary]


@dataclass(frozen=True, kw_only=True)
class TargetLabels:
    """What a regressor knows of its labels."""

    target_shape: tuple[Count, ...]
    """Shape of the label of one crystal: () or (T,)."""
    std_factor: NotNegative


@dataclass(frozen=True, kw_only=True)
class ClassLabels:
    """What a classifier knows of its labels."""

    classes: list[str | int | float | bool]
    """In the order of the outputs."""
    class_weight: list[Positive]

    def __post_init__(self) -> None:
        if len({type(name) for name in self.classes}) > 1:
            raise ValueError("classes are of several types")


@dataclass(frozen=True, kw_only=True)
class ModelHeader:
    """All of a trained model but its weights."""

    estimator: str
    """Name of the class."""
    parameters: dict[str, Any]
    """Those of the estimator, without what is of the computer or of one call."""
    mean: Annotated[tuple[Finite, ...], Meta(min_length=1, max_length=10_000)]
    """(T,) of the targets, in their units."""
    scale: tuple[Positive, ...]
    """(T,) of the targets, in their units."""
    labels: dict[str, Any]
    """``TargetLabels`` or ``ClassLabels``."""
    history: dict[str, list[float]]
    """As the estimator's ``history_``."""
    training: TrainingSummary | None = None
    """None of a model that the published code trained."""
    motifs: list[str] | None = None
    """Names of the motifs seen in training."""
    elements: list[Count] | None = None
    """Atomic numbers seen in training."""
    written_by: str = __version__
    """Version of this package."""
    versions: dict[str, str] | None = None
    """Of Python and of what the numbers depend on."""

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.scale):
            raise ValueError(f"{len(self.mean)} means but {len(self.scale)} scales")


def write_model(path: str | Path, header: ModelHeader, members: Sequence[Sequence[NDArray]]) -> None:
    """Write a trained model.

    Args:
        path: The file; an existing one is replaced.
        header: All but the weights.
        members: The weights of each network, in the network's order.

    Raises:
        OSError: The file cannot be written; what was there before is still there.
    """
    versions = {"python": platform.python_version()} | package_versions()
    content = asdict(header) | {"versions": versions}
    # A large data set has ten thousands of motifs, which as JSON take a quarter of the file.
    motifs = _packed(content.pop("motifs"))
    write_arrays(path, content, [motifs, *(_halved(array) for weights in members for array in weights)])


def read_model(path: str | Path) -> tuple[ModelHeader, list[NDArray]]:
    """Read a trained model; nothing in it is executed.

    Args:
        path: A file that ``write_model`` wrote.

    Returns:
        The header, whose fields have their types and ranges, and the arrays of all networks.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is no model, is damaged, or its header holds what it must not.
    """
    content, arrays = read_arrays(path)
    try:
        motifs, *stored = arrays
        weights = [array.astype(np.float32) if array.dtype == np.float16 else array for array in stored]
        return typed(content | {"motifs": _unpacked(motifs)}, ModelHeader), weights
    except (TypeError, ValueError, zlib.error) as error:
        raise ModelFileError(f"does not describe a model ({error})", _REMEDY, item=path) from error


T = Any


def _halved(array: NDArray) -> NDArray:
    """The array in half precision if nothing is lost by it, as of weights that have been rounded to it."""
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    return half if np.array_equal(half, array) else array


def _packed(names: list[str] | None) -> NDArray[np.uint8]:
    """Names as compressed text, a line each; None as nothing."""
    text = b"" if names is None else zlib.compress("\n".join(names).encode(), 9)
    return np.frombuffer(text, dtype=np.uint8)


def _unpacked(packed: NDArray) -> list[str] | None:
    """The names again; what is packed may be anything."""
    if packed.size == 0:
        return None
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(packed.tobytes(), _LARGEST_TEXT)
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise ValueError("names of motifs are cut off, or more than any model has")
    return text.decode().split("\n") if text else []


def typed(content: Any, kind: type[Any]) -> Any:
    """Check that JSON values are what a dataclass of this module asks for.

    Args:
        content: The values.
        kind: The dataclass.

    Returns:
        An instance of it.

    Raises:
        ValueError: A field is missing, unknown, or of another type or range.
    """
    unknown = set(content) - set(kind.__dataclass_fields__) if isinstance(content, dict) else set()
    if unknown:
        raise ValueError(f"unknown fields {sorted(map(str, unknown))}")
    return msgspec.convert(content, kind)


def describe_training(elements: Iterable[int], y: NDArray[np.float64]) -> dict[str, Any]:
    """Summarise what a model has learned from, to be kept in its file.

    Args:
        elements: Atomic numbers of those that S crystals have.
        y: Their targets, shape (S, T), NaN where there is none.

    Returns:
        ``n_crystals``; ``elements``, symbols by atomic number; ``target``, with the
        ``count``, ``mean``, ``std``, ``min`` and ``max`` of each column.
    """
    known = [column[np.isfinite(column)] for column in y.T]
    return {
        "n_crystals": len(y),
        "elements": [Element.from_Z(number).symbol for number in sorted(elements)],
        "target": [
            {"count": len(v), **_mean_and_std(v), "min": float(v.min()), "max": float(v.max())}
            for v in known
            if len(v)
        ],
    }


def _mean_and_std(values: NDArray[np.float64]) -> dict[str, float]:
    # In units of the largest, since squares and sums of 1e300 are no numbers.
    unit = float(np.abs(values).max()) or 1.0
    relative = values / unit
    return {"mean": unit * float(relative.mean()), "std": unit * float(relative.std())}
