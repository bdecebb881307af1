"""What the commands say on standard error, a line each."""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from amdnet_matminer.cli.exits import Exit
from amdnet_matminer.errors import StructureError, TargetError

if TYPE_CHECKING:
    import pandas as pd

_NAMED = 10
"""How many crystals a message names."""


def tell(arguments: argparse.Namespace, message: str) -> None:
    """Say how far a command is, unless it is asked to be quiet.

    Args:
        arguments: Of the command.
        message: One line.
    """
    if not arguments.quiet:
        print(message, file=sys.stderr)


def complain(message: str, code: Exit) -> Exit:
    """Say in one line what stops a command.

    Args:
        message: Names the item, the reason and the remedy.
        code: The exit code.

    Returns:
        The exit code.
    """
    print(" ".join(message.split()), file=sys.stderr)
    return code


def some(ids: Sequence[str]) -> str:
    """The first few ids and how many there are, for messages."""
    shown = ", ".join(map(repr, ids[:_NAMED]))
    return shown if len(ids) <= _NAMED else f"{shown}, ... ({len(ids)} in all)"


@contextmanager
def ids_in_messages(ids: pd.Index) -> Iterator[None]:
    """Let errors name a crystal by its id, which the user knows, instead of by its number.

    Args:
        ids: Of the crystals, by number.
    """
    try:
        yield
    except (StructureError, TargetError) as error:
        if error.index is None:
            raise
        raise error.at(item=ids[error.index]) from error


@contextmanager
def messages_on_stderr(program: str) -> Iterator[None]:
    """Show warnings of this package and of others, each in one line.

    Args:
        program: What the lines begin with.
    """
    logger = logging.getLogger("amdnet_matminer")
    handler = _Lines()
    handler.setFormatter(logging.Formatter(f"{program}: %(message)s"))
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings():
            for meant_for_programmers in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
                warnings.simplefilter("ignore", meant_for_programmers)
            warnings.showwarning = lambda message, *_, **__: logger.warning("%s", message)
            yield
    finally:
        logger.removeHandler(handler)


class _Lines(logging.Handler):
    """Writes messages as lines that leave a progress bar whole."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(" ".join(self.format(record).split()), file=sys.stderr)
