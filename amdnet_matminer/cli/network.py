"""``amdnet network``: crystals in, a network of materials and motifs out, for ``amdnet search``."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path

from pymatgen.core import Structure
from tqdm.auto import tqdm

from amdnet_matminer.cli.crystals import open_structures
from amdnet_matminer.cli.exits import IncompleteError
from amdnet_matminer.cli.options import add_common, add_structures
from amdnet_matminer.cli.outputs import check_output
from amdnet_matminer.errors import DatasetError
from amdnet_matminer.motif_network import MotifNetwork
from amdnet_matminer.screening import screen
from amdnet_matminer.validation.structures import check_structures

logger = logging.getLogger(__name__)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``amdnet network``."""
    add_structures(parser, "+")
    parser.add_argument(
        "--save_name", type=Path, required=True, metavar="FILE", help="where the network goes"
    )
    add_common(parser)


def run(arguments: argparse.Namespace) -> None:
    """Build a network and save it.

    Args:
        arguments: As parsed.

    Raises:
        AMDNetError: There is no crystal that can be used, or, after the network of all others
            has been saved, some could not be.
        OSError: A file cannot be read or written.
    """
    check_output(arguments.save_name, arguments)
    ids: list[str] = []
    failed: list[str] = []
    structures = list(_read(arguments, ids, failed))
    if not structures:
        raise DatasetError("no crystal can be used" + (f": {failed[0]}" if failed else ""), "give others")
    network = MotifNetwork(n_jobs=arguments.n_jobs, verbose=int(not arguments.quiet)).fit(structures, ids)
    network.save(arguments.save_name)
    print(
        f"joined {len(ids)} materials to {len(network.motifs_)} kinds of motifs, "
        f"saved as {arguments.save_name}"
    )
    if failed:
        raise IncompleteError(f"{len(failed)} crystals are left out; {failed[0]}")


def _read(arguments: argparse.Namespace, ids: list[str], failed: list[str]) -> Iterator[Structure]:
    """The crystals that can be used, whose ids are added to ``ids``; of the others the reasons."""
    crystals = open_structures(arguments)
    with tqdm(total=crystals.total, desc="read", unit=" crystals", disable=arguments.quiet) as bar:
        for window in screen(crystals.entries, check_structures, arguments.n_jobs):
            bar.update(len(window))
            for outcome in window:
                if outcome.value is None:
                    failed.append(outcome.error)
                    logger.warning("%s", outcome.error)
                else:
                    ids.append(outcome.id)
                    yield outcome.value
