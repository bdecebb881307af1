"""Files that ASE reads, a frame at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

from pymatgen.core import Structure

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.readers.entries import Entry
from amdnet_matminer.readers.faults import optional_module, why
from amdnet_matminer.readers.packed import open_text, unpacked_name
from amdnet_matminer.structures import as_structure

SUFFIXES = (".xyz", ".extxyz", ".traj", ".db")

_TEXTS = (".xyz", ".extxyz")
"""Those that are texts, which alone are read when they are compressed."""


def ase_entries(path: Path, name: str, numbered: bool = True, unlimited: bool = False) -> Iterator[Entry]:
    """The crystals of a file that ASE reads.

    Args:
        path: The file.
        name: What it is called.
        numbered: Whether to number its frames, as where it may have several.
        unlimited: Unpack it however large it gets.

    Yields:
        One for each frame, called by the ``id`` in its info, else by the file's name and, if
        numbered, the frame's number. The first that cannot be read, after which ASE reads no
        more, is the last.

    Raises:
        MissingDependencyError: ASE is not installed.
    """
    iread = optional_module("ase.io", "files of ASE").iread
    number = 0
    try:
        source, kind = _source(path, unlimited)
        # A name may have an "@", which for ASE would begin an index.
        for atoms in iread(source, index=":", format=kind, do_not_split_by_at_sign=True):
            key = f"{name}-{number}" if numbered else name
            yield Entry(str(atoms.info.get("id", key)), partial(as_structure, atoms))
            number += 1
    except Exception as error:  # ASE's parsers raise whatever a malformed file leads them to
        reason = f"cannot be read from frame {number} on: {why(error)}"
        remedy = "repair it, for what comes after it is not read"
        yield Entry(f"{name}-{number}", partial(_fail, DatasetError(reason, remedy, item=path)))
        number += 1
    if number == 0:
        yield Entry(name, partial(_fail, DatasetError("has no frames", "take it away", item=path)))


def count_frames(path: Path, unlimited: bool = False) -> int | None:
    """Count the frames of an XYZ file, each the count of its atoms, a comment and a line for each.

    A blank line where a frame would begin is the end, as it is for ASE.

    Args:
        path: The file.
        unlimited: Unpack it however large it gets.

    Returns:
        The number, None if only reading all would tell.
    """
    if not _is_text(path):
        return None
    total = 0
    try:
        with open_text(path, unlimited, errors="replace") as lines:
            for line in takewhile(str.strip, lines):
                if not line.strip().isdigit():
                    return None
                total += 1
                for _ in range(int(line) + 1):
                    next(lines, None)
    except (OSError, EOFError, ValueError):
        return None
    return total


def _source(path: Path, unlimited: bool) -> tuple[Any, str | None]:
    """What ASE is to open and its format, None where ASE is to find out."""
    if path.name == unpacked_name(path):
        return path, None
    if not _is_text(path):
        raise ValueError("of ASE's files, only .xyz and .extxyz are read compressed; unpack it")
    with open_text(path, unlimited) as file:
        return io.StringIO(file.read()), "extxyz"


def _is_text(path: Path) -> bool:
    return unpacked_name(path).lower().endswith(_TEXTS)


def _fail(error: DatasetError) -> Structure:
    raise error
