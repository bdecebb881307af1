"""The crystals that a command is given."""

from __future__ import annotations

import argparse

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
