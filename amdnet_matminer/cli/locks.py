"""Files that one command writes alone, though it may be given twice at once, as by a requeued job."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import IO

from amdnet_matminer.errors import DatasetError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

logger = logging.getLogger(__name__)

_LOCKED_BYTE = 2**31 - 1
"""Of Windows, where others cannot read what is locked; the last that it can lock."""


def open_alone(path: Path) -> IO[bytes]:
    """Open a file to read it and to append to it, and keep other commands from it until it is closed.

    Where a file system has no locks, a warning says so.

    Args:
        path: The file; made if it is not there, and left as it is if it is.

    Returns:
        The open file.

    Raises:
        DatasetError: Another command has opened it.
        OSError: It cannot be opened.
    """
    while True:
        file = path.open("a+b")
        try:
            _lock(file, path)
            if is_at(file, path):
                return file
        except BaseException:
            file.close()
            raise
        file.close()  # the command that had it has just finished, and given it another name


def is_at(file: IO[bytes], path: Path) -> bool:
    """Whether an open file has a name still.

    Args:
        file: The open file.
        path: Its name when it was opened.

    Returns:
        False if it was removed or renamed, though another of that name may have come.
    """
    if sys.platform == "win32":  # which lets nobody remove or rename an open file
        return True
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _lock(file: IO[bytes], path: Path) -> None:
    """Lock an open file; a process that ends, however it does, unlocks it."""
    try:
        if sys.platform == "win32":
            file.seek(_LOCKED_BYTE)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        reason = "is being written by another command"
        raise DatasetError(
            reason, "wait until that has ended, or give another --output", item=path
        ) from error
    except OSError as error:  # of some network file systems
        logger.warning("%s cannot be locked (%s); let no other command write it", path, error.strerror)
