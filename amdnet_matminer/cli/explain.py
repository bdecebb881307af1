"""``amdnet explain``: crystals in, what their motifs and atoms contribute to predictions out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import pandas as pd
from pymatgen.core import Structure

from amdnet_matminer.architectures import network_class
from amdnet_matminer.cli.crystals import open_structures
from amdnet_matminer.cli.exits import IncompleteError
from amdnet_matminer.cli.options import add_model, add_output, add_quiet, add_structures
from amdnet_matminer.cli.outputs import check_output, write_table
from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.estimators import AMDNetRegressor
from amdnet_matminer.screening import Outcome, screen


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``amdnet explain``."""
    add_structures(parser, "+")
    add_model(parser)
    parser.add_argument(
        "--target", type=int, metavar="N", help="number of the target, from 0, of a model of several"
    )
    add_output(parser, "ids, motifs and atoms, and their contributions", "standard output")
    add_quiet(parser)


def run(arguments: argparse.Namespace) -> None:
    """Share out a model's predictions of crystals to their motifs and atoms.

    Args:
        arguments: As parsed.

    Raises:
        AMDNetError: The model or a file cannot be used, or, after all others have been
            explained, some crystals could not be.
        OSError: A file cannot be read or written.
    """
    check_output(arguments.output, arguments)
    model = AMDNetRegressor.load(arguments.load_name).set_params(n_jobs=1, verbose=0)
    _refuse_unexplained(model, arguments)

    def explain(structures: Sequence[Structure]) -> list[pd.DataFrame]:
        explained = (
            model.explain(list(structures), arguments.target).assign(error="").groupby("crystal", sort=True)
        )
        return [rows.drop(columns="crystal") for _, rows in explained]

    # Processes of their own would each have to load the network.
    windows = screen(open_structures(arguments).entries, explain, n_jobs=1)
    outcomes = [outcome for window in windows for outcome in window]
    write_table(pd.concat([_rows(outcome) for outcome in outcomes]), arguments.output)
    failed = [outcome.error for outcome in outcomes if outcome.value is None]
    if failed:
        raise IncompleteError(f"{len(failed)} of {len(outcomes)} crystals failed; {failed[0]}")


def _refuse_unexplained(model: AMDNetRegressor, arguments: argparse.Namespace) -> None:
    from amdnet_matminer.network import Network

    path = arguments.load_name
    if network_class(model.config_.architecture).states is Network.states:
        reason = f"is of {model.config_.architecture!r}, which reads more than vectors of motifs and atoms"
        raise ModelFileError(reason, "give a model of 'amdnet'", item=path)
    n_targets = len(model.scaler_.mean)
    if arguments.target is None and n_targets > 1:
        reason, remedy = f"has {n_targets} targets", f"name one by --target, from 0 to {n_targets - 1}"
        raise ModelFileError(reason, remedy, item=path)
    if arguments.target is not None and not 0 <= arguments.target < n_targets:
        arguments.parser.error(
            f"--target must be from 0 to {n_targets - 1} for {path}, got {arguments.target}"
        )


def _rows(outcome: Outcome[pd.DataFrame]) -> pd.DataFrame:
    table = pd.DataFrame({"error": [outcome.error]}) if outcome.value is None else outcome.value
    return table.set_index(pd.Index([outcome.id] * len(table), name="id"))
