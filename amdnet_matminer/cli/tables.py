"""Tables with a row for each crystal, written while results come."""

from __future__ import annotations

import csv
import glob
import hashlib
import io
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Self, TextIO

import numpy as np
from tqdm.auto import tqdm

from amdnet_matminer import __version__
from amdnet_matminer.cli.exits import IncompleteError
from amdnet_matminer.cli.locks import is_at, open_alone
from amdnet_matminer.cli.outputs import is_stream
from amdnet_matminer.errors import DatasetError
from amdnet_matminer.screening import Outcome
from amdnet_matminer.structure_files import Crystals, Entry

logger = logging.getLogger(__name__)

Values = Sequence[float | str]
"""The cells of a row."""


class ResultTable:
    """Results as CSV, written while they come: ``id``, the columns, and ``error``.

    Args:
        stream: An open text file.
        columns: Names of the values.
        rows: What the stream already has, header included.

    Attributes:
        n_done: Number of rows.
        n_failed: Number of rows with an error.
        first_error: The first of these errors.
    """

    def __init__(self, stream: TextIO, columns: Sequence[str], rows: Sequence[list[str]] = ()) -> None:
        self.n_done = 0
        self.n_failed = 0
        self.first_error = ""
        self._n_columns = len(columns)
        self._stream = stream
        self._count(row[-1] for row in rows[1:])
        if not rows:
            self._write([_header(columns)])

    def skip_done(self, entries: Iterable[Entry]) -> Iterable[Entry]:
        """Pass over the crystals whose rows are there: here none."""
        return entries

    def add(self, outcomes: Sequence[Outcome[Values]]) -> None:
        """Write rows, so that they are kept whatever happens next."""
        empty = [""] * self._n_columns
        self._write(
            [row.id, *(empty if row.value is None else map(_cell, row.value)), row.error] for row in outcomes
        )
        self._count(row.error for row in outcomes)

    def check(self, done: str) -> None:
        """Say how many crystals failed.

        Args:
            done: What was done with the others, such as ``"predicted"``.

        Raises:
            IncompleteError: Some did.
        """
        if self.n_failed:
            raise IncompleteError(
                f"{self.n_failed} of {self.n_done} crystals could not be {done}, as the column error says; "
                f"first: {self.first_error}"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stream.flush()
        if self._stream is not sys.stdout:
            self._stream.close()

    def _write(self, rows: Iterable[Iterable[str]]) -> None:
        csv.writer(self._stream, lineterminator="\n").writerows(rows)
        self._stream.flush()

    def _count(self, errors: Iterable[str]) -> None:
        for error in errors:
            self.n_done += 1
            self.n_failed += bool(error)
            self.first_error = self.first_error or error


class ResultFile(ResultTable):
    """A table in a file that can be gone on with after a stop.

    Rows are written to ``<name>.<digest>.part``, which gets its own name at the end. If
    that file is there from before, its rows are kept and their crystals not read again; a
    warning names such files of other digests.

    Args:
        path: The CSV file.
        columns: Names of the values.
        digest: What tells results from those of another model, other crystals or another version.

    Raises:
        DatasetError: The unfinished file was written by something else, or another command writes it.
        OSError: The file cannot be written.
    """

    def __init__(self, path: Path, columns: Sequence[str], digest: str) -> None:
        self.path = path
        self.part = path.with_name(f"{path.name}.{digest}.part")
        others = f"{glob.escape(path.name)}.{'?' * len(digest)}.part"
        for other in () if self.part.exists() else path.parent.glob(others):
            logger.warning(
                "the rows in %s are not taken: they are of crystals that were others or have changed since, "
                "or of another model or version; remove it if no command goes on with it",
                other,
            )
        file = open_alone(self.part)
        try:
            rows = self._recover(file, _header(columns))
        except BaseException:
            file.close()
            raise
        # File names that are no UTF-8 come as surrogates.
        stream = io.TextIOWrapper(file, newline="", encoding="utf-8", errors="surrogateescape")
        super().__init__(stream, columns, rows)
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
            self._finish()
            return
        with suppress(OSError):  # of a disk that is still full
            self._stream.close()
        logger.warning(
            "results so far are kept in %s; the same command goes on from there if the files are the same",
            self.part,
        )

    def _finish(self) -> None:
        """Give the file its own name, before another command could open and go on with it."""
        with self._stream:
            self._stream.flush()
            if not is_at(self._stream.buffer, self.part):
                raise FileNotFoundError(
                    f"{self.part} was removed or renamed while it was written; give the command again"
                )
            if sys.platform == "win32":  # which renames no open file, so that none can be written afterwards
                self._stream.close()
            self.part.replace(self.path)

    def _recover(self, file: IO[bytes], header: list[str]) -> list[list[str]]:
        """The rows that are there, after cutting off one that was not finished."""
        file.seek(0)
        content = file.read()
        whole = content.rfind(b"\n") + 1
        while content.count(b'"', 0, whole) % 2:  # a line ends inside of a cell
            whole = content.rfind(b"\n", 0, whole - 1) + 1
        file.truncate(whole)
        text = content[:whole].decode("utf-8", errors="surrogateescape")
        rows = list(csv.reader(io.StringIO(text, newline="")))
        if any(len(row) != len(header) for row in rows) or rows[:1] not in ([], [header]):
            reason = "was not written by this command"
            raise DatasetError(reason, "remove it to begin anew", item=self.part)
        return rows


def open_table(output: Path | None, columns: Sequence[str], source: bytes) -> ResultTable:
    """Open the table that results go to.

    Args:
        output: A file, which can be gone on with, or a stream; None is standard output.
        columns: Names of the values.
        source: All that the results depend on besides the version of this package, such as the model, and
            the ``fingerprint`` of the crystals.

    Returns:
        The table, for a ``with`` statement.

    Raises:
        DatasetError: An unfinished file was written by something else, or another command writes it.
        OSError: The file cannot be written.
    """
    if output is None:
        return ResultTable(sys.stdout, columns)
    if is_stream(output):
        return ResultTable(output.open("w", encoding="utf-8", errors="surrogateescape"), columns)
    return ResultFile(output, columns, hashlib.sha256(__version__.encode() + source).hexdigest()[:12])


def write_rows(
    table: ResultTable,
    crystals: Crystals,
    work: Callable[[Iterable[Entry]], Iterator[Sequence[Outcome[Values]]]],
    quiet: bool = False,
) -> None:
    """Work on the crystals that have no row yet, and write their rows.

    Args:
        table: Where the rows go.
        crystals: All crystals.
        work: Gives the outcomes of crystals, window by window.
        quiet: Whether there is no progress bar.
    """
    remaining = table.skip_done(crystals.entries)
    with tqdm(
        total=crystals.total, initial=table.n_done, desc="crystals", unit=" crystals", disable=quiet
    ) as bar:
        for window in work(remaining):
            table.add(window)
            bar.update(len(window))


def _header(columns: Sequence[str]) -> list[str]:
    return ["id", *columns, "error"]


def _cell(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return "" if np.isnan(value) else repr(float(value))
