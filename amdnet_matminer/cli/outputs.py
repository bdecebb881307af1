"""Where results go."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from amdnet_matminer.files import write_atomically

if TYPE_CHECKING:
    import pandas as pd


def is_stream(path: Path) -> bool:
    """Whether a path is a pipe or a device rather than a file."""
    return path.exists() and not path.is_file() and not path.is_dir()


def check_output(path: Path | None) -> None:
    """Refuse an output that could not be written, before work that may be long.

    Args:
        path: The file or stream, if any.

    Raises:
        OSError: It is a folder, or in one that is absent or not writable.
    """
    if path is None or is_stream(path):
        return
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is no folder; make it, or save elsewhere")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path.parent} is not writable; save elsewhere")


@contextmanager
def any_name_on_stdout() -> Iterator[None]:
    """Let standard output take names of files that its encoding lacks.

    UTF-8 lacks only what is no text, which is written as the bytes that it was, as into files.
    Other encodings get Python's escapes of what they lack.
    """
    stream = sys.stdout
    if not isinstance(stream, io.TextIOWrapper):  # what a notebook or a test has in its place
        yield
        return
    is_utf8 = codecs.lookup(stream.encoding).name == "utf-8"
    before = stream.errors
    stream.reconfigure(errors="surrogateescape" if is_utf8 else "backslashreplace")
    try:
        yield
    finally:
        stream.reconfigure(errors=before)


def write_table(table: pd.DataFrame, output: Path | None) -> None:
    """Write a table, whole or not at all.

    Args:
        table: Indexed by id.
        output: A file or a stream; None is standard output.
    """
    text = table.to_csv(index_label="id")
    if output is None:
        sys.stdout.write(text)
    elif is_stream(output):
        output.write_text(text, encoding="utf-8", errors="surrogateescape")
    else:
        write_atomically(output, text.encode("utf-8", "surrogateescape"))
