"""Predictions for very many crystals: a window at a time, in order, failures in their places."""

from __future__ import annotations

import csv
import io
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self, TextIO

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from pymatgen.core import Structure

from amdnet_matminer.errors import AMDNetError, DatasetError, StructureError, TargetError
from amdnet_matminer.structure_files import Entry, read_entry
from amdnet_matminer.validation import check_elements, check_structure

if TYPE_CHECKING:
    from amdnet_matminer.estimators import AMDNetRegressor

logger = logging.getLogger(__name__)

WINDOW = 256
"""Crystals held at a time: enough to fill batches, few enough to lose little when stopped."""


class Prediction(NamedTuple):
    """What a model says of one crystal."""

    id: str
    prediction: float
    """In the unit of the target; NaN if the crystal cannot be predicted."""
    std: float
    """Its standard deviation; NaN if none was asked for."""
    error: str
    """Why the crystal cannot be predicted, in one line; empty if it can."""


def screen(
    model: AMDNetRegressor, entries: Iterable[Entry], return_std: bool = False
) -> Iterator[list[Prediction]]:
    """Predict crystals while they are read.

    Args:
        model: A fitted estimator; its ``n_jobs`` is also the number of processes that
            read and check crystals.
        entries: The crystals, as ``open_crystals`` gives them.
        return_std: Whether standard deviations are asked for.

    Yields:
        The predictions of a window of crystals after another: one for each, in order.

    Raises:
        TargetError: The model has several targets.
        DatasetError: A file ends in something that cannot be read.
    """
    if model.target_shape_:
        reason = f"the model has targets of shape {model.target_shape_}, not one"
        raise TargetError(reason, "call its predict", subject="")
    remaining = iter(entries)
    with Parallel(n_jobs=model.n_jobs) as parallel:
        while window := list(islice(remaining, WINDOW)):
            read = parallel(delayed(_read_checked)(entry) for entry in window)
            good = [place for place, crystal in enumerate(read) if isinstance(crystal, Structure)]
            found = dict(zip(good, _predict_each(model, [read[i] for i in good], return_std), strict=True))
            yield [_prediction(entry.id, found.get(place, read[place])) for place, entry in enumerate(window)]


def _read_checked(entry: Entry) -> Structure | AMDNetError:
    try:
        structure = read_entry(entry)
        check_structure(structure)
        check_elements([structure])
    except AMDNetError as error:
        return error.at()  # without its cause, which may not be picklable
    return structure


def _predict_each(
    model: AMDNetRegressor, structures: Sequence[Structure], return_std: bool
) -> Sequence[NDArray | AMDNetError]:
    """Value and standard deviation of each crystal, or why there is none."""
    if not structures:
        return []
    try:
        if return_std:
            mean, std = model.predict(structures, return_std=True)
        else:
            mean = model.predict(structures)
            std = np.full_like(mean, np.nan)
        return list(np.column_stack([mean, std]))
    except StructureError as error:
        if len(structures) == 1:
            return [error]
    middle = len(structures) // 2
    halves = (structures[:middle], structures[middle:])
    return [found for half in halves for found in _predict_each(model, half, return_std)]


def _prediction(key: str, found: NDArray | AMDNetError) -> Prediction:
    if isinstance(found, AMDNetError):
        failure = found.at(item=key) if isinstance(found, StructureError) else found
        reason = " ".join(str(failure).split())
    elif np.isfinite(found[0]):
        return Prediction(key, float(found[0]), float(found[1]), "")
    else:
        reason = f"the model gives {found[0]} for structure {key!r}; train it anew"
    return Prediction(key, np.nan, np.nan, reason)


class PredictionTable:
    """Predictions as CSV, written while they come: ``id``, ``prediction``, ``std`` and ``error``.

    Args:
        stream: An open text file.
        with_std: Whether there is a column ``std``.
        rows: What the stream already has, heads included.

    Attributes:
        n_done: Number of rows.
        n_failed: Number of rows with an error.
        first_error: The first of these errors.
    """

    def __init__(self, stream: TextIO, with_std: bool, rows: Sequence[list[str]] = ()) -> None:
        self.n_done = 0
        self.n_failed = 0
        self.first_error = ""
        self._header = _header(with_std)
        self._stream = stream
        self._count(row[-1] for row in rows[1:])
        if not rows:
            self._write([self._header])

    def skip_done(self, entries: Iterable[Entry]) -> Iterable[Entry]:
        """Pass over the crystals whose rows are there: here none."""
        return entries

    def add(self, predictions: Sequence[Prediction]) -> None:
        """Write rows, so that they are kept whatever happens next."""
        self._write([_cell(getattr(row, name)) for name in self._header] for row in predictions)
        self._count(row.error for row in predictions)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stream.flush()

    def _write(self, rows: Iterable[Iterable[str]]) -> None:
        csv.writer(self._stream, lineterminator="\n").writerows(rows)
        self._stream.flush()

    def _count(self, errors: Iterable[str]) -> None:
        for error in errors:
            self.n_done += 1
            self.n_failed += bool(error)
            self.first_error = self.first_error or error


class PredictionFile(PredictionTable):
    """A table in a file that can be gone on with after a stop.

    Rows are written to ``<name>.<digest>.part``, which gets its own name at the end. If
    that file is there from before, its rows are kept and their crystals not read again.

    Args:
        path: The CSV file.
        digest: What tells predictions of one model from those of another.
        with_std: Whether there is a column ``std``.

    Raises:
        DatasetError: The unfinished file was written by something else.
        OSError: The file cannot be written.
    """

    def __init__(self, path: Path, digest: str, with_std: bool) -> None:
        self.path = path
        self.part = path.with_name(f"{path.name}.{digest}.part")
        rows = self._recover(_header(with_std))
        # File names that are no UTF-8 come as surrogates.
        stream = self.part.open("a" if rows else "w", newline="", encoding="utf-8", errors="surrogateescape")
        super().__init__(stream, with_std, rows)
        self._done = [row[0] for row in rows[1:]]

    def skip_done(self, entries: Iterable[Entry]) -> Iterable[Entry]:
        """Pass over the crystals whose rows are there.

        Args:
            entries: The crystals from the first one on.

        Returns:
            Those that are left.

        Raises:
            DatasetError: The rows are of other crystals.
        """
        remaining = iter(entries)
        for row, key in enumerate(self._done, start=1):
            entry = next(remaining, None)
            if entry is None or entry.id != key:
                raise DatasetError(
                    f"has {key!r} in row {row}, where the crystals have {entry.id if entry else None!r}",
                    "remove this file to begin anew",
                    item=self.part,
                )
        return remaining

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._stream.close()
            self.part.replace(self.path)
            return
        with suppress(OSError):  # of a disk that is still full
            self._stream.close()
        logger.warning("predictions so far are kept in %s; the same command goes on from there", self.part)

    def _recover(self, header: list[str]) -> list[list[str]]:
        """The rows that are there, after cutting off one that was not finished."""
        if not self.part.exists():
            return []
        content = self.part.read_bytes()
        whole = content.rfind(b"\n") + 1
        os.truncate(self.part, whole)
        text = content[:whole].decode("utf-8", errors="surrogateescape")
        rows = list(csv.reader(io.StringIO(text, newline="")))
        if any(len(row) != len(header) for row in rows) or rows[:1] not in ([], [header]):
            reason = "was not written by this command"
            raise DatasetError(reason, "remove it to begin anew", item=self.part)
        return rows


def _header(with_std: bool) -> list[str]:
    return ["id", "prediction", *(["std"] if with_std else []), "error"]


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return "" if np.isnan(value) else repr(value)
