"""What ``amdnet featurize``, ``train`` and ``evaluate`` do."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pymatgen.core import Structure
from tqdm.auto import tqdm

from amdnet_matminer.cli.options import (
    ORIGINAL_DEFAULTS,
    ORIGINAL_RECIPE,
    TRAINING_OPTIONS,
    check_data_options,
    check_folder,
    check_output,
    is_stream,
    training_default,
)
from amdnet_matminer.datasets import STRUCTURE_COLUMN, read_dataset, read_structures
from amdnet_matminer.errors import DatasetError, ModelFileError, StructureError, TargetError
from amdnet_matminer.estimators import AMDNetRegressor
from amdnet_matminer.featurizer import MotifFeaturizer
from amdnet_matminer.files import write_atomically
from amdnet_matminer.original import Part, read_original, reading_given_motifs
from amdnet_matminer.plots import parity_plot
from amdnet_matminer.screening import Prediction, screen
from amdnet_matminer.structure_files import Entry
from amdnet_matminer.validation import check_elements, check_parameters, check_structures, check_targets


def featurize(arguments: argparse.Namespace) -> None:
    """Describe crystals by their motifs: vectors, shapes and how they are joined.

    Args:
        arguments: As parsed.

    Raises:
        AMDNetError: A file or a crystal cannot be used.
        OSError: A file cannot be read or written.
    """
    check_output(arguments.output)
    structures = read_structures(*arguments.structures)
    _tell(arguments, f"read {len(structures)} crystals from {' '.join(arguments.structures)}")
    featurizer = MotifFeaturizer(verbose=int(not arguments.quiet))
    featurizer.set_n_jobs(arguments.n_jobs)
    with _ids_in_messages(structures.index):
        features = featurizer.fit_transform(structures)
    _write(pd.DataFrame(features, structures.index, featurizer.feature_labels()), arguments.output)


def train(arguments: argparse.Namespace) -> None:
    """Fit a network to labelled crystals and save it.

    Args:
        arguments: As parsed.

    Raises:
        AMDNetError: A file, a crystal or a label cannot be used.
        OSError: A file cannot be read or written.
    """
    check_data_options(arguments)
    model = _new_model(arguments)
    check_folder(arguments.save_name)
    if arguments.material_file is None:
        table = _read_labelled(arguments)
        with _ids_in_messages(table.index):
            model.fit(table[STRUCTURE_COLUMN], table[arguments.predict])
    else:
        table = _train_as_original(model, arguments)
    model.save(arguments.save_name)
    print(f"trained on {len(table)} crystals for {model.n_iter_} epochs, saved as {arguments.save_name}")


def evaluate(arguments: argparse.Namespace) -> None:
    """Compare a model's predictions with labels.

    Band gaps below zero are taken for zero, as in the original program.

    Args:
        arguments: As parsed.

    Raises:
        AMDNetError: A file or a label cannot be used, or, after all others have been
            predicted, some crystals could not be.
        OSError: A file cannot be read or written.
    """
    check_data_options(arguments)
    for path in (arguments.output, arguments.plot):
        check_output(path)
    model = AMDNetRegressor.load(arguments.load_name).set_params(n_jobs=arguments.n_jobs, verbose=0)
    if arguments.material_file is None:
        part = Part(_read_labelled(arguments), {})
    else:
        part = read_original(arguments.material_file, arguments.motif_file, arguments.predict).test
        model = _reading_motifs_of(model, arguments)
    results = _evaluated(model, part, arguments)
    good = results[results.error == ""]
    for name, value in _scores(results, good, arguments.predict).items():
        print(f"{name:8} {value:.6g}")
    if arguments.output is not None:
        _write(results, arguments.output)
    if arguments.plot is not None:
        parity_plot(good[arguments.predict], good.prediction, arguments.predict, path=arguments.plot)
    if len(good) < len(results):
        bad = results.error[results.error != ""]
        raise StructureError(
            f"{len(bad)} of {len(results)} crystals could not be predicted; {bad.index[0]!r}: {bad.iloc[0]}"
        )


def _new_model(arguments: argparse.Namespace) -> AMDNetRegressor:
    """The estimator that was asked for, with the original's settings for the original's files."""
    original = arguments.material_file is not None
    chosen = {name: getattr(arguments, name) for name in TRAINING_OPTIONS}
    for name in TRAINING_OPTIONS:
        if chosen[name] is None:
            chosen[name] = ORIGINAL_DEFAULTS[name] if original else training_default(name)
    if arguments.motif_file is not None and chosen["architecture"] != "amdnet-2021":
        arguments.parser.error(f"{chosen['architecture']} does not read a --motif_file; leave it out")
    if original:
        chosen |= ORIGINAL_RECIPE
    model = AMDNetRegressor(
        **chosen,
        checkpoint_dir=arguments.checkpoint_dir,
        n_jobs=arguments.n_jobs,
        random_state=arguments.seed,
        verbose=int(not arguments.quiet),
    )
    try:
        check_parameters(model.get_params())
    except ValueError as error:
        arguments.parser.error(str(error))
    return model


def _train_as_original(model: AMDNetRegressor, arguments: argparse.Namespace) -> pd.DataFrame:
    """Fit to the training part of the original's files, judged by their validation part."""
    data = read_original(arguments.material_file, arguments.motif_file, arguments.predict)
    table, validation = data.train.table, data.validation.table
    _tell(arguments, f"read {len(table)} crystals to train on and {len(validation)} for validation")
    if len(validation) == 0:
        raise DatasetError(f"{arguments.material_file} has no usable validation crystals; list some")
    with _ids_in_messages(validation.index):
        check_elements(check_structures(validation[STRUCTURE_COLUMN]))
    with _ids_in_messages(table.index):
        reading_given_motifs(model).fit(
            table[STRUCTURE_COLUMN],
            table[arguments.predict],
            validation_data=(validation[STRUCTURE_COLUMN], validation[arguments.predict]),
        )
    return table


def _reading_motifs_of(model: AMDNetRegressor, arguments: argparse.Namespace) -> AMDNetRegressor:
    if arguments.motif_file is not None and model.architecture != "amdnet-2021":
        raise ModelFileError(
            f"{arguments.load_name} is of architecture {model.architecture!r}, which does not read a motif "
            "file; leave out --motif_file"
        )
    return reading_given_motifs(model)


def _read_labelled(arguments: argparse.Namespace) -> pd.DataFrame:
    table = read_dataset(arguments.structures, arguments.labels, arguments.predict)
    _tell(arguments, f"read {len(table)} crystals from {arguments.structures}")
    with _ids_in_messages(table.index):
        check_targets(table[arguments.predict], len(table))
    return table


def _evaluated(model: AMDNetRegressor, part: Part, arguments: argparse.Namespace) -> pd.DataFrame:
    """Label, prediction and error of every crystal, those that are missing included."""
    structures = part.table[STRUCTURE_COLUMN]
    entries = [Entry(str(key), partial(_itself, structure)) for key, structure in structures.items()]
    with tqdm(total=len(entries), desc="crystals", disable=arguments.quiet) as bar:
        found = []
        for window in screen(model, entries):
            found += window
            bar.update(len(window))
    found += [Prediction(key, np.nan, np.nan, reason) for key, reason in part.missing.items()]
    results = pd.DataFrame(found, columns=Prediction._fields).set_index("id").drop(columns="std")
    results.insert(0, arguments.predict, part.table[arguments.predict].astype(float))
    if arguments.predict == "band_gap":
        results["prediction"] = results.prediction.clip(lower=0.0)
    return results


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


def _tell(arguments: argparse.Namespace, message: str) -> None:
    if not arguments.quiet:
        print(message, file=sys.stderr)


@contextmanager
def _ids_in_messages(ids: pd.Index) -> Iterator[None]:
    """Let errors name a crystal by its id, which the user knows, instead of by its number."""
    try:
        yield
    except (StructureError, TargetError) as error:
        message = re.sub(r"^(structure|label) (\d+)", lambda at: f"{at[1]} {ids[int(at[2])]!r}", str(error))
        raise type(error)(message) from error


def _write(table: pd.DataFrame, output: Path | None) -> None:
    text = table.to_csv(index_label="id")
    if output is None:
        sys.stdout.write(text)
    elif is_stream(output):
        output.write_text(text, encoding="utf-8")
    else:
        write_atomically(output, text.encode("utf-8", "surrogateescape"))
