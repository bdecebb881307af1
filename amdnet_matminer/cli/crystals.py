"""The crystals that a command is given."""

from __future__ import annotations

import argparse

from amdnet_matminer.structure_files import Crystals, open_crystals


def open_structures(arguments: argparse.Namespace) -> Crystals:
    """Open the files that the argument STRUCTURES names.

    Args:
        arguments: Of a command with ``add_structures``.

    Returns:
        The crystals, not read yet.

    Raises:
        DatasetError: There is nothing to read.
    """
    return open_crystals(*arguments.structures)
