"""Files that are there whole or not at all, and the versions of what wrote them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("numpy", "scipy", "pymatgen", "matminer", "scikit-learn", "moyopy", "keras", "tensorflow")
"""What the package's numbers depend on."""


def write_atomically(path: str | Path, data: bytes, flush: bool = True) -> None:
    """Write a file, whole or not at all.

    Args:
        path: The file; an existing one is replaced.
        data: All of its content.
        flush: Whether to wait until the disk has it, so that even a power cut leaves the
            old file or the new one; not worth the time for what can be made anew.

    Raises:
        OSError: It cannot be written, for instance because the disk is full; what was
            there before is still there.
    """
    path = Path(path)
    # Written beside its place and moved there at once, so that no half file is ever left under its name.
    unfinished = path.with_name(f".{uuid.uuid4().hex}")
    try:
        with unfinished.open("xb") as file:
            file.write(data)
            if flush:
                file.flush()
                os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def package_versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Look up which of some packages are installed.

    Args:
        packages: Their names.

    Returns:
        From the name to the version of each that is installed.
    """
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # such as of TensorFlow, where Keras runs on another backend
            continue
    return found
