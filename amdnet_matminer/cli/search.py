"""``amdnet search``: crystals in, the materials of a network that are most like them out."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import get_args

import pandas as pd

from amdnet_matminer.cli.crystals import open_structures
from amdnet_matminer.cli.exits import IncompleteError
from amdnet_matminer.cli.options import add_output, add_quiet, add_structures, whole_number
from amdnet_matminer.cli.outputs import check_output, write_table
from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.motif_network import MotifNetwork
from amdnet_matminer.motif_network.searching import By
from amdnet_matminer.parallel import each
from amdnet_matminer.screening import Outcome, screen

COLUMNS = ("material", "formula", "similarity", "error")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``amdnet search``."""
    add_structures(parser, "+")
    parser.add_argument(
        "--in",
        dest="network",
        type=Path,
        required=True,
        metavar="FILE",
        help="a network that amdnet network has saved",
    )
    parser.add_argument(
        "-k",
        type=_count,
        default=10,
        metavar="COUNT",
        help="materials for each crystal (default: %(default)s)",
    )
    parser.add_argument(
        "--by",
        choices=get_args(By),
        default="both",
        help="what is compared: kinds of motifs and how they are joined, the vectors of the network, or "
        "both (default: %(default)s)",
    )
    add_output(parser, "ids of the crystals, materials and similarities", "standard output")
    add_quiet(parser)


def run(arguments: argparse.Namespace) -> None:
    """Find the materials most like some crystals.

    Args:
        arguments: As parsed.

    Raises:
        AMDNetError: The network or a file cannot be used, or, after all others have been
            searched for, some crystals could not be.
        OSError: A file cannot be read or written.
    """
    check_output(arguments.output, arguments)
    network = MotifNetwork.load(arguments.network)
    if arguments.by != "motifs" and not network.embeds:
        reason = "has vectors of a model, which is not in it"
        raise ModelFileError(reason, "search with --by motifs", item=arguments.network)
    search = partial(each, partial(network.similar, k=arguments.k, by=arguments.by))
    # The processes would each be sent the network, and a search takes milliseconds.
    windows = screen(open_structures(arguments).entries, search, n_jobs=1)
    outcomes = [outcome for window in windows for outcome in window]
    write_table(pd.concat([_rows(outcome) for outcome in outcomes]), arguments.output)
    failed = [outcome.error for outcome in outcomes if outcome.value is None]
    if failed:
        raise IncompleteError(f"{len(failed)} of {len(outcomes)} crystals failed; {failed[0]}")


def _rows(outcome: Outcome[pd.DataFrame]) -> pd.DataFrame:
    """What was found for one crystal, or why nothing was."""
    if outcome.value is None:
        found = pd.DataFrame([["", "", None, outcome.error]], columns=COLUMNS)
    else:
        found = outcome.value.rename_axis("material").reset_index().assign(error="")
    return found.set_index(pd.Index([outcome.id] * len(found), name="id"))


def _count(text: str) -> int:
    count = whole_number(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {count}")
    return count
