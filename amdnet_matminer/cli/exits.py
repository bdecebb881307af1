"""How the program ends."""

from __future__ import annotations

from enum import IntEnum

from amdnet_matminer.errors import AMDNetError


class Exit(IntEnum):
    """The exit codes."""

    DONE = 0
    """All crystals were worked on."""
    CANNOT_RUN = 1
    """A file, a model or a label cannot be used, so there is no result."""
    WRONG_OPTION = 2
    """As argparse has it."""
    INCOMPLETE = 3
    """Done, but some crystals failed, and the result says which and why."""
    INTERRUPTED = 130
    """By Ctrl-C."""


EXIT_CODES = """exit codes:
  0    done
  1    cannot run: a file, a model, or a label or crystal to train on cannot be used
  2    wrong option
  3    done, but some crystals failed; the column error says which and why
  130  interrupted"""
"""The same for ``--help``."""


class IncompleteError(AMDNetError):
    """A command has done its work, but some crystals failed."""
