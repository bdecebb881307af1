"""Where results go."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pandas as pd

from amdnet_matminer.files import write_atomically


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
        output.write_text(text, encoding="utf-8")
    else:
        write_atomically(output, text.encode("utf-8", "surrogateescape"))
