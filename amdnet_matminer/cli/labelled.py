"""Crystals with labels for ``amdnet train`` and ``amdnet evaluate``."""

from __future__ import annotations

import argparse

import pandas as pd

from amdnet_matminer.cli.messages import ids_in_messages, tell
from amdnet_matminer.datasets import read_dataset
from amdnet_matminer.validation import check_targets


def read_labelled(arguments: argparse.Namespace) -> pd.DataFrame:
    """Read crystals and their labels.

    Args:
        arguments: Of a command with ``add_labelled_data``.

    Returns:
        The columns ``structure`` and the label's, indexed by id.

    Raises:
        AMDNetError: A file, a crystal or a label cannot be used.
    """
    table = read_dataset(
        arguments.structures,
        arguments.labels,
        arguments.predict,
        recursive=arguments.recursive,
        unlimited=arguments.unlimited,
    )
    tell(arguments, f"read {len(table)} crystals from {arguments.structures}")
    with ids_in_messages(table.index):
        check_targets(table[arguments.predict], len(table))
    return table
