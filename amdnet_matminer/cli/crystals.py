"""The crystals that a command is given."""

from __future__ import annotations

import argparse
import hashlib
import os
import stat
import uuid
from pathlib import Path

from amdnet_matminer.cli.messages import tell
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


def fingerprint(crystals: Crystals, arguments: argparse.Namespace) -> bytes:
    """Tell the files that crystals are of from others, and from themselves after a change.

    To be called before crystals are read: a change that comes later is then seen by the next call.

    Args:
        crystals: As ``open_structures`` gives them.
        arguments: Of a command with ``add_structures``.

    Returns:
        A digest of how files are read, and of their paths, sizes and times.
    """
    digest = hashlib.sha256(repr(arguments.unlimited).encode())
    for file in crystals.files:
        digest.update(repr((os.path.abspath(file), _state(file))).encode())
    return digest.digest()


def _state(file: Path) -> tuple[int | str, ...]:
    try:
        found = os.stat(file)
    except OSError as error:  # also told when it is opened
        return (str(error.strerror),)
    if not stat.S_ISREG(found.st_mode):  # what comes out of a pipe is never known to be the same
        return (uuid.uuid4().hex,)
    # The second time is that of the last change by whatever means: cp -p and tar set the first one back.
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
