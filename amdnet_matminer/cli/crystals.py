"""The crystals that a command is given."""

from __future__ import annotations

import argparse
import glob
import hashlib
import os
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

from amdnet_matminer.cli.messages import tell
from amdnet_matminer.readers.folders import kind_of
from amdnet_matminer.structure_files import Crystals, open_crystals


def open_structures(arguments: argparse.Namespace) -> Crystals:
    """Open the files that the argument STRUCTURES names, and say what is left out.

    Args:
        arguments: Of a command with ``add_structures``.

    Returns:
        The crystals, not read yet.

    Raises:
        DatasetError: There is nothing to read.
    """
    crystals = open_crystals(
        *arguments.structures, recursive=arguments.recursive, unlimited=arguments.unlimited
    )
    for remark in crystals.remarks():
        tell(arguments, remark)
    return crystals


def fingerprint(arguments: argparse.Namespace) -> bytes:
    """Tell the files that the argument STRUCTURES names from others, and from themselves after a change.

    No file is opened, so that a folder of a million takes as long as listing it does. To be called before
    the files are opened: a change that comes later is then seen by the next call.

    Args:
        arguments: Of a command with ``add_structures``.

    Returns:
        A digest of the options that say how to read, and of the paths, sizes and times of the files.
    """
    digest = hashlib.sha256(repr((arguments.recursive, arguments.unlimited)).encode())
    for given in arguments.structures:
        for file in _files(given, arguments.recursive):
            digest.update(repr((file, _state(file))).encode())
    return digest.digest()


def _files(given: str, recursive: bool) -> Iterator[str]:
    """Every file that may be read of what a user gives; what cannot be listed is told when it is opened."""
    if os.path.exists(given) and not os.path.isdir(given):
        yield os.path.abspath(given)
        return
    found = [given] if os.path.isdir(given) else sorted(glob.glob(given, recursive=True))
    for path in map(os.path.abspath, found):
        if not os.path.isdir(path):
            yield from _readable([path])
            continue
        # A search of sub-folders passes over links, which may lead back.
        for folder, folders, names in os.walk(path, followlinks=not recursive):
            # Not searched, only the calculations are read that a folder has as its sub-folders.
            deeper = recursive or folder == path
            folders[:] = sorted(name for name in folders if deeper and not name.startswith("."))
            yield from _readable([os.path.join(folder, name) for name in sorted(names)])


def _readable(files: list[str]) -> Iterator[str]:
    """Those that are not left out as they are in folders, where this command's own output may be."""
    for file in files:
        path = Path(file)
        if not path.name.startswith(".") and kind_of(path) not in (None, "table") and path.is_file():
            yield file


def _state(file: str) -> tuple[int | str, ...]:
    try:
        found = os.stat(file)
    except OSError as error:  # also told when it is opened
        return (str(error.strerror),)
    if not stat.S_ISREG(found.st_mode):  # what comes out of a pipe is never known to be the same
        return (uuid.uuid4().hex,)
    # The second time is that of the last change by whatever means: cp -p and tar set the first one back.
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
