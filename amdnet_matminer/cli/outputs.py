"""Where results go."""

from __future__ import annotations

import argparse
import codecs
import glob
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

_INPUTS = (
    "structures",
    "labels",
    "material_file",
    "motif_file",
    "load_name",
    "init_from",
    "featurizer",
    "network",
)
"""The options of all commands that name what is read."""


def is_stream(path: Path) -> bool:
    """Whether a path is a pipe or a device rather than a file."""
    return path.exists() and not path.is_file() and not path.is_dir()


def check_output(path: Path | None, arguments: argparse.Namespace) -> None:
    """Refuse an output that could not be written or would replace an input, before work that may be long.

    Args:
        path: The file or stream, if any.
        arguments: Of the command, which say what it reads.

    Raises:
        OSError: It is a folder, in one that is absent or not writable, or a file that the command reads.
    """
    if path is None or is_stream(path):
        return
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is no folder; make it, or save elsewhere")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path.parent} is not writable; save elsewhere")
    if path.exists() and any(_reads(given, path) for given in _inputs(arguments)):
        raise FileExistsError(f"{path} is also read, and would be replaced; save elsewhere")


def _inputs(arguments: argparse.Namespace) -> Iterator[str]:
    """The files, folders and patterns that a command is given to read, and names that may be none."""
    for option in _INPUTS:
        given = getattr(arguments, option, None)
        if given is not None:
            yield from map(str, given if isinstance(given, list) else [given])


def _reads(given: str, output: Path) -> bool:
    """Whether a file is the input that was given, or among the crystals that it has."""
    from amdnet_matminer.readers.folders import kind_of  # takes a second, which --help should not wait for

    paths = [Path(given)] if Path(given).exists() else map(Path, glob.iglob(given, recursive=True))
    # Tables are not among the crystals that are read of a folder.
    is_crystal = kind_of(output) not in (None, "table")
    return any(
        path.exists()  # which a broken link that fits a pattern does not
        and (path.samefile(output) or (is_crystal and path.resolve() in output.resolve().parents))
        for path in paths
    )


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
