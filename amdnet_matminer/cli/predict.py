"""``amdnet predict``: crystals in, predictions out, window by window."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from amdnet_matminer.cli.backends import add_backend, backend, count_of_jobs
from amdnet_matminer.cli.crystals import fingerprint, open_structures
from amdnet_matminer.cli.messages import some
from amdnet_matminer.cli.options import add_common, add_model, add_output, add_structures
from amdnet_matminer.cli.outputs import check_output
from amdnet_matminer.cli.tables import Values, open_table, write_rows
from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.estimators import AMDNetClassifier, AMDNetEstimator
from amdnet_matminer.screening import Outcome, Prediction, predict
from amdnet_matminer.structure_files import Entry

logger = logging.getLogger(__name__)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``amdnet predict``."""
    add_structures(parser, "+")
    add_model(parser)
    parser.add_argument(
        "--std", action="store_true", help="also give standard deviations, if the model is an ensemble"
    )
    add_output(
        parser,
        "ids, predictions (of a model of several targets prediction_0, prediction_1, ...), probabilities of "
        "classes if the model tells classes, novelties (how much of a crystal was not in the training, 0 to "
        "1) and errors",
        "standard output; a file is gone on with after a stop",
    )
    add_common(parser)
    add_backend(parser)


def run(arguments: argparse.Namespace) -> None:
    """Predict a property of new crystals, or their class, with a trained model.

    Args:
        arguments: As parsed.

    Raises:
        AMDNetError: The model or a file cannot be used, or, after all others have been
            predicted, some crystals could not be.
        OSError: A file cannot be read or written.
    """
    check_output(arguments.output, arguments)
    model = AMDNetEstimator.load(arguments.load_name).set_params(n_jobs=count_of_jobs(arguments), verbose=0)
    if arguments.std:
        _check_has_spread(model, arguments.load_name)
    columns = _columns(model, arguments.std)
    unseen: dict[str, list[str]] = {}

    def work(entries: Iterable[Entry]) -> Iterator[Sequence[Outcome[Values]]]:
        for window in predict(model, entries, arguments.std):
            _note_unseen(window, unseen)
            yield [_row(outcome, columns) for outcome in window]

    crystals = open_structures(arguments)
    source = arguments.load_name.read_bytes() + fingerprint(crystals, arguments)
    with backend(arguments), open_table(arguments.output, [*chain(*columns.values())], source) as table:
        write_rows(table, crystals, work, arguments.quiet)
    for element, ids in unseen.items():
        logger.warning("the model has seen no %s in training; do not trust it on %s", element, some(ids))
    table.check("predicted")


def _check_has_spread(model: AMDNetEstimator, path: Path) -> None:
    if isinstance(model, AMDNetClassifier):
        reason = "tells classes, whose probabilities have no spread"
        raise ModelFileError(reason, "leave out --std", item=path)
    if len(model.weights_) == 1:
        reason = "is a single network, which has no spread"
        raise ModelFileError(reason, "leave out --std, or train with --n_ensemble 5", item=path)


def _columns(model: AMDNetEstimator, std: bool) -> dict[str, list[str]]:
    """What the columns are called of each part of a prediction that the table has, in its order."""
    classes = model.classes_.tolist() if isinstance(model, AMDNetClassifier) else []
    n_targets = 1 if classes else len(model.scaler_.mean)

    def of_targets(name: str) -> list[str]:
        return [name] if n_targets == 1 else [f"{name}_{target}" for target in range(n_targets)]

    return {
        "prediction": of_targets("prediction"),
        "probabilities": [f"probability {name}" for name in classes],
        "std": of_targets("std") if std else [],
        "novelty": [] if model.domain_ is None else ["novelty"],
    }


def _note_unseen(window: Sequence[Outcome[Prediction]], unseen: dict[str, list[str]]) -> None:
    """Add the ids of crystals to the elements that are new to the model."""
    for outcome in window:
        for element in () if outcome.value is None else outcome.value.unseen:
            unseen.setdefault(element, []).append(outcome.id)


def _row(outcome: Outcome[Prediction], columns: Mapping[str, Sequence[str]]) -> Outcome[Values]:
    found = outcome.value
    if found is None:
        return Outcome(outcome.id, None, outcome.error)
    if found.probabilities:
        found = found._replace(prediction=str(found.prediction))
    cells: list[float | str] = []
    for part in (name for name, names in columns.items() if names):
        value = getattr(found, part)
        cells += value if isinstance(value, list) else [value]
    return Outcome(outcome.id, cells)
