"""What a damaged file or a missing package leads to, as errors that name the file."""

from __future__ import annotations

import lzma
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from amdnet_matminer.errors import AMDNetError, DatasetError, MissingDependencyError
from amdnet_matminer.readers.entries import ReadingNote

REPAIR = "repair it or take it away"

DAMAGES = (OSError, EOFError, ValueError, IndexError, RecursionError, zlib.error, lzma.LZMAError)
"""What reading a damaged file raises."""


@contextmanager
def reading(item: str | Path, subject: str = "") -> Iterator[None]:
    """Name what is read in the errors of its parsers, which raise whatever a malformed file leads them to.

    Args:
        item: A file, or the id of a crystal.
        subject: What the item is, if it is no file.

    Raises:
        DatasetError: Reading failed; the message names the item and the reason.
        MissingDependencyError: A package is missing.
    """
    try:
        yield
    except MissingDependencyError:
        raise
    except AMDNetError as error:
        if isinstance(error, DatasetError) and error.item is not None:
            raise
        raise DatasetError(error.reason, error.remedy, item=item, subject=subject) from error
    except Exception as error:
        raise DatasetError(f"cannot be read: {why(error)}", REPAIR, item=item, subject=subject) from error


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Silence parsers, which say what is harmless of almost every file, and collect each ``ReadingNote``.

    Yields:
        A list that has them at the end.
    """
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield notes
    own = (str(warning.message) for warning in said if issubclass(warning.category, ReadingNote))
    notes.extend(dict.fromkeys(own))


def why(error: BaseException) -> str:
    """What an error says, in one line of bounded length."""
    text = " ".join(str(error).split()) or "no reason given"
    text = text if len(text) <= 300 else f"{text[:297]}..."
    return text if type(error) is ValueError else f"{type(error).__name__}: {text}"


def optional_module(module: str, what: str) -> Any:
    """Import a package that not everyone has.

    Args:
        module: Its name.
        what: What needs it, in the plural.

    Returns:
        The module.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise MissingDependencyError(
            f"{what} need {package}", "install it with pip install 'amdnet-matminer[files]'"
        ) from error
