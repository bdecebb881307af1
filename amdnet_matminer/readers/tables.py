"""Dataframes of crystals: matminer's and MatBench's JSON, CSV, parquet."""

from __future__ import annotations

import ast
import codecs
import csv
import json
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
from pymatgen.core import Structure

from amdnet_matminer.errors import DatasetError, StructureError
from amdnet_matminer.readers.cif import read_cif
from amdnet_matminer.readers.entries import Entry
from amdnet_matminer.readers.faults import REPAIR, optional_module, reading, why
from amdnet_matminer.readers.folders import kind_of
from amdnet_matminer.readers.packed import largest_size, open_bytes, open_text, unpacked_name
from amdnet_matminer.structures import as_structure, is_structure

STRUCTURE_COLUMN = "structure"
"""Where dataframes have their crystals, as in matminer and MatBench."""

CHUNK = 500
"""Rows that are read at a time."""


class _StoredFrame(msgspec.Struct, forbid_unknown_fields=True):
    """A dataframe as matminer writes it, its cells not read yet."""

    columns: list[Any]
    index: list[Any]
    data: list[list[msgspec.Raw]]


def read_frames(path: Path, unlimited: bool = False) -> Iterable[pd.DataFrame] | None:
    """Read a dataframe of crystals in parts, the crystals as they are stored.

    Args:
        path: A file.
        unlimited: Unpack it however large it gets.

    Returns:
        Dataframes indexed by id (strings); None if the file is of another kind.

    Raises:
        DatasetError: It cannot be read.
    """
    name = unpacked_name(path).lower()
    if name.endswith(".csv"):
        return _csv_frames(path, unlimited)
    if name.endswith(".parquet"):
        return _parquet_frames(path, unlimited)
    if name.endswith(".json") and (frame := read_json_frame(path, unlimited)) is not None:
        return [_checked(frame, path)]
    return None


def frame_entries(frames: Iterable[pd.DataFrame]) -> Iterator[Entry]:
    """The crystals of dataframes that ``read_frames`` gave, in order."""
    for frame in frames:
        for key, stored in frame[STRUCTURE_COLUMN].items():
            yield Entry(str(key), partial(to_structure, stored))


def count_rows(frames: Iterable[pd.DataFrame], path: Path, unlimited: bool = False) -> int:
    """How many crystals a dataframe of ``read_frames`` has, without using its frames up.

    Args:
        frames: What ``read_frames`` gave.
        path: The file.
        unlimited: Unpack it however large it gets.

    Returns:
        The number of rows.

    Raises:
        DatasetError: The file cannot be read.
    """
    if isinstance(frames, list):
        return sum(map(len, frames))
    if path.name.lower().endswith(".parquet"):
        with _parquet(path, unlimited) as file:
            return int(file.metadata.num_rows)
    return sum(map(len, _csv_frames(path, unlimited)))


def to_structure(stored: Any) -> Structure:
    """Make a structure of a cell of a dataframe.

    Args:
        stored: What ``as_structure`` takes, or a text: pymatgen's dictionary of a structure, as JSON
            or as Python prints it, or a CIF.

    Returns:
        The structure.

    Raises:
        StructureError: It is no crystal, such as a missing value or the name of a file.
        Exception: Whatever malformed content leads the parsers to.
    """
    if not isinstance(stored, str):
        return as_structure(stored)
    text = stored.lstrip()
    if text.startswith("{"):
        return as_structure(dictionary_of(text))
    if text.startswith(("data_", "#")) or "_cell_length_a" in text:
        return read_cif(text)
    if "\n" not in text and kind_of(Path(text)) is not None:
        remedy = "give the files themselves, as a folder or a pattern, and this table as their labels"
        raise StructureError(f"is the name of a file, {text!r}", remedy)
    return as_structure(stored)


def dictionary_of(stored: Any) -> Any:
    """What a text of JSON or of Python's literals holds, of which nothing is run; else what is given."""
    if not isinstance(stored, str):
        return stored
    try:
        return json.loads(stored)
    except json.JSONDecodeError:
        if not stored.startswith("{'"):
            raise
        return ast.literal_eval(stored)


def load_json(path: Path, unlimited: bool = False) -> Any:
    """Read plain JSON, of which nothing is decoded to objects.

    Args:
        path: The file.
        unlimited: Unpack it however large it gets.

    Returns:
        Dictionaries, lists, numbers and texts.

    Raises:
        DatasetError: It cannot be read.
    """
    with reading(path), open_text(path, unlimited) as file:
        return json.load(file)


def read_json_frame(path: Path, unlimited: bool = False) -> pd.DataFrame | None:
    """Read a dataframe that matminer has written to JSON.

    Args:
        path: The file.
        unlimited: Unpack it however large it gets.

    Returns:
        The dataframe, its index as it is, and its crystals as texts or dictionaries; None if the file
        holds one structure.

    Raises:
        DatasetError: It holds something else, or cannot be read.
    """
    frame = _unread_frame(path, unlimited)
    if frame is not None:
        return frame
    content = load_json(path, unlimited)
    if is_structure(content):
        return None
    if not isinstance(content, dict) or set(content) != set(_StoredFrame.__struct_fields__):
        raise DatasetError(
            "holds neither a pymatgen Structure nor a dataframe",
            "write it with Structure.to or with matminer.utils.io.store_dataframe_as_json",
            item=path,
        )
    try:
        return pd.DataFrame(**content)
    except (ValueError, TypeError, AssertionError) as error:
        raise DatasetError(f"cannot be read: {why(error)}", "write the dataframe anew", item=path) from error


def _unread_frame(path: Path, unlimited: bool) -> pd.DataFrame | None:
    """A sound dataframe, its crystals as texts, which take less memory than dictionaries.

    So they are read where they are worked on. None for all that the ``json`` module is to judge.
    """
    with reading(path), open_bytes(path, unlimited) as file:
        content = file.read()
    try:
        stored = msgspec.json.decode(content.removeprefix(codecs.BOM_UTF8), type=_StoredFrame)
        unread = [name == STRUCTURE_COLUMN for name in stored.columns]
        # A row of too few or too many cells is for the json module to judge, too.
        rows = [[_cell(*pair) for pair in zip(row, unread, strict=True)] for row in stored.data]
        return pd.DataFrame(rows, stored.index, stored.columns)
    except (msgspec.MsgspecError, ValueError, TypeError, AssertionError, RecursionError):
        return None


def _cell(raw: msgspec.Raw, unread: bool) -> Any:
    content = bytes(raw)
    return str(content, "utf-8") if unread and content.startswith(b"{") else msgspec.json.decode(content)


def _csv_frames(path: Path, unlimited: bool) -> Iterator[pd.DataFrame]:
    with reading(path), open_text(path, unlimited) as lines:
        header = lines.readline()
    first = next(csv.reader([header]), [])[:1]
    has_ids = [*map(str.strip, first)] != [STRUCTURE_COLUMN]  # else rows are called by their numbers
    with (
        reading(path),
        open_bytes(path, unlimited) as file,
        read_csv(file, has_ids, encoding="utf-8-sig", chunksize=CHUNK) as frames,
    ):
        while (frame := _next_frame(frames)) is not None:
            yield _checked(frame.set_index(frame.columns[0]) if has_ids else frame, path)


def read_csv(file: Any, has_ids: bool = True, **options: Any) -> Any:
    """Read a CSV file as pandas does, but with ids as the texts that they are, such as 001 and NA.

    Args:
        file: What pandas reads.
        has_ids: Whether the first column holds ids, which stays a column.
        **options: Further ones of pandas.

    Returns:
        As of pandas. Where the first row has more cells than the header, reading it gives a
        ``pandas.errors.ParserWarning``.
    """
    # With an index column pandas takes "NA" for no id, and shifts columns where rows are too long.
    converters = {0: str.strip} if has_ids else {}
    return pd.read_csv(file, index_col=False, converters=converters, **options)


def _next_frame(frames: Iterator[pd.DataFrame]) -> pd.DataFrame | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # that cells are left out
        return next(frames, None)


def _parquet_frames(path: Path, unlimited: bool) -> Iterator[pd.DataFrame]:
    done = 0
    with _parquet(path, unlimited) as file:
        numbers = _row_numbers(file)
        for batch in file.iter_batches(batch_size=CHUNK):
            frame = batch.to_pandas()
            if isinstance(frame.index, pd.RangeIndex):
                frame.index = numbers[done : done + len(frame)]
            done += len(frame)
            yield _checked(frame, path)


def _row_numbers(file: Any) -> pd.RangeIndex:
    """What rows are called by an index that is a range, of which a file holds the ends only."""
    n_rows, stored = file.metadata.num_rows, (file.schema_arrow.pandas_metadata or {}).get("index_columns")
    if not stored or not isinstance(stored[0], dict):
        return pd.RangeIndex(n_rows)
    start, step = stored[0]["start"], stored[0]["step"]
    return pd.RangeIndex(start, start + step * n_rows, step)


@contextmanager
def _parquet(path: Path, unlimited: bool) -> Iterator[Any]:
    parquet = optional_module("pyarrow.parquet", "parquet files")
    try:
        with parquet.ParquetFile(path) as file:
            if not unlimited:
                _check_parquet_size(file.metadata, path)
            yield file
    except DatasetError:
        raise
    except Exception as error:  # pyarrow raises whatever a malformed file leads it to
        raise DatasetError(f"cannot be read: {why(error)}", REPAIR, item=path) from error


def _check_parquet_size(metadata: Any, path: Path) -> None:
    size = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    limit = largest_size(path)
    if size > limit:
        raise DatasetError(
            f"unpacks to {size / 2**20:,.0f} MiB, beyond the limit of {limit / 2**20:,.0f} MiB",
            "if you trust it, read it with unlimited=True (--unlimited)",
            item=path,
        )


def _checked(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    if STRUCTURE_COLUMN not in frame:
        raise DatasetError(f"has no column {STRUCTURE_COLUMN!r} but {list(frame)}", "rename one", item=path)
    if frame.empty:
        raise DatasetError("has no rows", "give at least one structure", item=path)
    return frame.set_axis(pd.Index(frame.index.map(str), name="id"))
