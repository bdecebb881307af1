"""Crystals with labels for ``amdnet train`` and ``amdnet evaluate``, and what is wrong with others."""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from pymatgen.core import Structure
from tqdm.auto import tqdm

from amdnet_matminer.cli.messages import some, tell
from amdnet_matminer.datasets import STRUCTURE_COLUMN, match_ids, open_dataset
from amdnet_matminer.errors import DatasetError
from amdnet_matminer.original import Part
from amdnet_matminer.screening import Outcome, screen
from amdnet_matminer.structure_files import Crystals, Entry
from amdnet_matminer.validation.structures import check_elements, check_structures

logger = logging.getLogger(__name__)


def read_labelled(arguments: argparse.Namespace) -> Part:
    """Read crystals and their labels, and find out which cannot be used.

    Args:
        arguments: Of a command with ``add_labelled_data``.

    Returns:
        The crystals with a label, and the others with the reason.

    Raises:
        DatasetError: A file cannot be read, or labels none of the crystals.
    """
    crystals, labels = open_dataset(
        arguments.structures,
        arguments.labels,
        arguments.predict,
        recursive=arguments.recursive,
        unlimited=arguments.unlimited,
    )
    for remark in crystals.remarks():
        tell(arguments, remark)
    structures, missing = _read(crystals, arguments)
    origin = arguments.labels or arguments.structures
    labels = match_ids(labels, [*structures, *missing], origin)
    if labels.index.isin([*structures, *missing]).sum() == 0:
        first = next(iter([*structures, *missing]))
        reason = f"has labels of {labels.index[0]!r}, ..., where the crystals are {first!r}, ..."
        raise DatasetError(reason, "make the ids equal", item=origin)
    part = _joined(structures, missing, labels)
    tell(arguments, f"read {len(part.table)} labelled crystals from {arguments.structures}")
    return part


def sound(part: Part, arguments: argparse.Namespace) -> Part:
    """Check crystals that have been read.

    Args:
        part: Of ``read_original``.
        arguments: Of a command with ``add_labelled_data``.

    Returns:
        The same, with crystals that cannot be used among the missing.
    """
    pairs = part.table[STRUCTURE_COLUMN].items()
    entries = [Entry(str(key), partial(_itself, structure)) for key, structure in pairs]
    _, failed = _read(Crystals(entries, len(entries)), arguments)
    return Part(part.table.drop(index=list(failed)), part.missing | failed)


def usable(part: Part, arguments: argparse.Namespace, named: Collection[str] = ()) -> pd.DataFrame:
    """Name all crystals that cannot be used, and refuse to go on unless they may be left out.

    Args:
        part: What there is.
        arguments: Of a command with ``--skip_bad``.
        named: The ids that have been named already.

    Returns:
        The crystals that can be used.

    Raises:
        DatasetError: Some cannot be used and may not be left out, or none can.
    """
    for key, reason in part.missing.items():
        if key not in named:
            logger.warning("%s", reason)
    count = f"{len(part.missing)} of {len(part.missing) + len(part.table)}"
    if len(part.table) == 0:
        raise DatasetError(f"no crystal can be used: {count} failed, as said above", "give others")
    if part.missing and not arguments.skip_bad:
        raise DatasetError(
            f"{count} crystals or labels cannot be used, as said above",
            "repair them, or leave them out with --skip_bad",
        )
    return part.table


def _read(crystals: Crystals, arguments: argparse.Namespace) -> tuple[dict[str, Structure], dict[str, str]]:
    """Crystals that can be used, by id, and why others cannot."""
    outcomes: list[Outcome[Structure]] = []
    with tqdm(total=crystals.total, desc="reading", unit=" crystals", disable=arguments.quiet) as bar:
        for window in screen(crystals.entries, _known, arguments.n_jobs):
            outcomes += window
            bar.update(len(window))
    repeated = [key for key, count in Counter(row.id for row in outcomes).items() if count > 1]
    if repeated:
        raise DatasetError(f"more than one crystal is called {some(repeated)}", "give each its own id")
    structures = {row.id: row.value for row in outcomes if row.value is not None}
    return structures, {row.id: row.error for row in outcomes if row.error}


def _joined(structures: dict[str, Structure], missing: dict[str, str], labels: pd.Series) -> Part:
    """Crystals with their labels, and what is wrong with either."""
    numbers = pd.to_numeric(labels, errors="coerce").astype(float)
    faults = {key: f"structure {key!r} has no label" for key in structures if key not in labels.index}
    for key, number in zip(map(str, numbers.index), numbers, strict=True):
        if key not in structures and key not in missing:
            faults[key] = f"label {key!r} has no structure"
        elif not np.isfinite(number):
            faults[key] = _fault(key, labels[key])
    good = [key for key in structures if key not in faults]
    columns = {STRUCTURE_COLUMN: [structures[key] for key in good], labels.name: numbers[good].to_numpy()}
    return Part(pd.DataFrame(columns, pd.Index(good, name="id", dtype=object)), faults | missing)


def _fault(key: str, label: Any) -> str:
    return f"label {key!r} is missing" if pd.isna(label) else f"label {key!r} is {label}, no finite number"


def _known(structures: Sequence[Structure]) -> Sequence[Structure]:
    """The crystals themselves, if the networks have all their elements."""
    check_elements(check_structures(structures))
    return structures


def _itself(structure: Structure) -> Structure:
    return structure
