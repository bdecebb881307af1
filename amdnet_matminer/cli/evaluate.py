"""``amdnet evaluate``: labelled crystals in, a model's errors out."""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pymatgen.core import Structure
from tqdm.auto import tqdm

from amdnet_matminer.architectures import network_class
from amdnet_matminer.cli.exits import IncompleteError
from amdnet_matminer.cli.labelled import read_labelled
from amdnet_matminer.cli.options import (
    add_common,
    add_labelled_data,
    add_model,
    add_output,
    check_labelled_data,
)
from amdnet_matminer.cli.outputs import check_output, write_table
from amdnet_matminer.datasets import STRUCTURE_COLUMN
from amdnet_matminer.errors import DatasetError, ModelFileError
from amdnet_matminer.estimators import AMDNetRegressor
from amdnet_matminer.original import Part, convert_with_given_motifs, read_original
from amdnet_matminer.original.skipped import skipped_by_original
from amdnet_matminer.plots import parity_plot
from amdnet_matminer.plots.figures import check_picture
from amdnet_matminer.screening import Outcome, Prediction, predict
from amdnet_matminer.structure_files import Entry

logger = logging.getLogger(__name__)

_OWN_COLUMNS = ("id", "prediction", "error")
"""Of the table of results, beside the label's."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``amdnet evaluate``."""
    add_labelled_data(parser)
    add_model(parser)
    add_output(parser, "ids, labels and predictions", "nowhere")
    parser.add_argument(
        "--plot", type=Path, metavar="PICTURE", help="where a plot of predictions against labels goes"
    )
    add_common(parser)


def run(arguments: argparse.Namespace) -> None:
    """Compare a model's predictions with labels.

    Band gaps below zero are taken for zero, as in the original program.

    Args:
        arguments: As parsed.

    Raises:
        AMDNetError: A file or a label cannot be used, or, after all others have been
            predicted, some crystals could not be.
        OSError: A file cannot be read or written.
    """
    check_labelled_data(arguments)
    _check_results(arguments)
    model = AMDNetRegressor.load(arguments.load_name).set_params(n_jobs=arguments.n_jobs, verbose=0)
    _refuse_several_targets(model, arguments.load_name)
    if arguments.material_file is None:
        part = read_labelled(arguments)
    else:
        part = read_original(arguments.material_file, arguments.motif_file, arguments.predict).test
        _check_reads_motifs(model, arguments)
    if len(part.table) == 0:
        reason = next(iter(part.missing.values()), "there is none")
        raise DatasetError(f"no crystal can be evaluated: {reason}", "give others")
    results = _evaluated(model, part, arguments)
    good = results[results.error == ""]
    scores = _scores(results, good, arguments.predict)
    if arguments.material_file is not None:
        scores |= _as_original(good, part, model.atom_cutoff, arguments)
    for name, value in scores.items():
        print(f"{name:8} {value:.6g}")
    _write(results, good, arguments)
    if len(good) < len(results):
        bad = results.error[results.error != ""]
        raise IncompleteError(
            f"{len(bad)} of {len(results)} crystals could not be predicted; {bad.index[0]!r}: {bad.iloc[0]}"
        )


def _check_results(arguments: argparse.Namespace) -> None:
    """Refuse results that could not be written, before work that may be long."""
    if arguments.predict in _OWN_COLUMNS:
        arguments.parser.error(
            f"--predict cannot be {arguments.predict!r}, a column that results have; rename that of the label"
        )
    try:
        if arguments.plot is not None:
            check_picture(arguments.plot)
    except ValueError as error:
        arguments.parser.error(f"--plot: {error}")
    for path in (arguments.output, arguments.plot):
        check_output(path, arguments)


def _refuse_several_targets(model: AMDNetRegressor, path: Path) -> None:
    n_targets = len(model.scaler_.mean)
    if n_targets > 1:
        reason = f"has {n_targets} targets, and --predict names one label"
        raise ModelFileError(reason, "give a model of one target", item=path)


def _check_reads_motifs(model: AMDNetRegressor, arguments: argparse.Namespace) -> None:
    if arguments.motif_file is not None and not network_class(model.architecture).reads_published_motifs:
        raise ModelFileError(
            f"is of architecture {model.architecture!r}, which does not read a motif file",
            "leave out --motif_file",
            item=arguments.load_name,
        )


def _evaluated(model: AMDNetRegressor, part: Part, arguments: argparse.Namespace) -> pd.DataFrame:
    """Label, prediction and error of every crystal, those that are missing included."""
    structures = part.table[STRUCTURE_COLUMN]
    entries = [Entry(str(key), partial(_itself, structure)) for key, structure in structures.items()]
    outcomes: list[Outcome[Prediction]] = []
    convert = partial(convert_with_given_motifs, converter=model.converter_)
    with tqdm(total=len(entries), desc="crystals", disable=arguments.quiet) as bar:
        for window in predict(model, entries, convert=convert):
            outcomes += window
            bar.update(len(window))
    outcomes += [Outcome(key, None, reason) for key, reason in part.missing.items()]
    results = pd.DataFrame(
        {
            "prediction": [np.nan if row.value is None else row.value.prediction for row in outcomes],
            "error": [row.error for row in outcomes],
        },
        pd.Index([row.id for row in outcomes], name="id"),
    )
    results.insert(0, arguments.predict, part.table[arguments.predict].astype(float))
    if arguments.predict == "band_gap":
        results["prediction"] = results.prediction.clip(lower=0.0)
    return results


def _as_original(
    good: pd.DataFrame, part: Part, cutoff: float, arguments: argparse.Namespace
) -> dict[str, float]:
    """What the original program would have left out, and the error without it, to compare with its own."""
    structures = part.table[STRUCTURE_COLUMN]
    skipped = skipped_by_original(structures, cutoff, arguments.motif_file is not None)
    if not skipped:
        return {}
    reasons = Counter(skipped.values())
    counts = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    logger.warning("the original program would have skipped %d crystals: %s", len(skipped), counts)
    kept = good.drop(index=list(skipped), errors="ignore")
    error = (kept.prediction - kept[arguments.predict]).abs().mean()
    return {"skipped_by_original": len(skipped), "MAE_without_them": error}


def _write(results: pd.DataFrame, good: pd.DataFrame, arguments: argparse.Namespace) -> None:
    """The table and the plot, if they are asked for."""
    if arguments.output is not None:
        write_table(results, arguments.output)
    if arguments.plot is not None:
        parity_plot(good[arguments.predict], good.prediction, arguments.predict, path=arguments.plot)


def _itself(structure: Structure) -> Structure:
    return structure


def _scores(results: pd.DataFrame, good: pd.DataFrame, column: str) -> dict[str, float]:
    """Number of crystals, part that is predicted, errors in the label's unit, R2 if labels differ."""
    labels: NDArray[np.float64] = good[column].to_numpy()
    error = good.prediction.to_numpy() - labels
    variance = labels.var() if len(labels) else 0.0
    return {
        "crystals": len(results),
        "coverage": len(good) / len(results),
        "MAE": np.abs(error).mean() if len(labels) else np.nan,
        "RMSE": np.sqrt(np.square(error).mean()) if len(labels) else np.nan,
        "R2": 1.0 - np.square(error).mean() / variance if variance > 0.0 else np.nan,
    }
