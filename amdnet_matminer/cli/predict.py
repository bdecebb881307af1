"""``amdnet predict``: crystals in, predictions out, window by window."""

from __future__ import annotations

import argparse
import hashlib
import sys

from tqdm.auto import tqdm

from amdnet_matminer.cli.options import add_common, add_model, add_output, add_structures
from amdnet_matminer.cli.outputs import check_output, is_stream
from amdnet_matminer.errors import ModelFileError, StructureError
from amdnet_matminer.estimators import AMDNetRegressor
from amdnet_matminer.screening import PredictionFile, PredictionTable, screen
from amdnet_matminer.structure_files import open_crystals


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``amdnet predict``."""
    add_structures(parser, "+")
    add_model(parser)
    parser.add_argument(
        "--std", action="store_true", help="also give standard deviations, if the model is an ensemble"
    )
    add_output(parser, "ids, predictions and errors", "standard output; a file is gone on with after a stop")
    add_common(parser)


def run(arguments: argparse.Namespace) -> None:
    """Predict a property of new crystals with a trained model.

    Args:
        arguments: As parsed.

    Raises:
        AMDNetError: The model or a file cannot be used, or, after all others have been
            predicted, some crystals could not be.
        OSError: A file cannot be read or written.
    """
    check_output(arguments.output)
    model = AMDNetRegressor.load(arguments.load_name).set_params(n_jobs=arguments.n_jobs, verbose=0)
    if arguments.std and len(model.weights_) == 1:
        raise ModelFileError(
            "is a single network, which has no spread",
            "leave out --std, or train with --n_ensemble 5",
            item=arguments.load_name,
        )
    crystals = open_crystals(*arguments.structures)
    with _table(arguments) as table:
        windows = screen(model, table.skip_done(crystals.entries), arguments.std)
        with tqdm(
            total=crystals.total,
            initial=table.n_done,
            desc="crystals",
            unit=" crystals",
            disable=arguments.quiet,
        ) as bar:
            for window in windows:
                table.add(window)
                bar.update(len(window))
    if table.n_failed:
        raise StructureError(
            f"{table.n_failed} of {table.n_done} crystals could not be predicted, as the column error says; "
            f"first: {table.first_error}",
            subject="",
        )


def _table(arguments: argparse.Namespace) -> PredictionTable:
    """Where the predictions go: a file that can be gone on with, or a stream."""
    if arguments.output is None:
        return PredictionTable(sys.stdout, arguments.std)
    if is_stream(arguments.output):
        return PredictionTable(arguments.output.open("w", encoding="utf-8"), arguments.std)
    digest = hashlib.sha256(arguments.load_name.read_bytes()).hexdigest()[:12]
    return PredictionFile(arguments.output, digest, arguments.std)
