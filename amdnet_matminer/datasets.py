"""Crystals with labels: the built-in oxides, files of the user, MatBench tasks."""

from __future__ import annotations

import hashlib
import logging
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from matminer.datasets import get_available_datasets, get_dataset_attribute, load_dataset
from pymatgen.analysis.ewald import EwaldSummation

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.prototypes import PROTOTYPES, Oxide, oxides_of
from amdnet_matminer.structure_files import (
    STRUCTURE_COLUMN,
    frame_entries,
    open_crystals,
    read_entry,
    read_frames,
)

_logger = logging.getLogger(__name__)


def oxides() -> pd.DataFrame:
    """Make about 500 oxides of textbook prototypes with their electrostatic energy.

    Cells come from Shannon's ionic radii, see ``amdnet_matminer.prototypes``. The energy
    is that of the formal charges at the sites in vacuum (Ewald sum): it follows exactly
    from the structure, and is no cohesive energy and not from DFT.

    Returns:
        A dataframe indexed by names such as ``"rock-salt-MgO"``, always in the same order,
        with the columns ``structure`` (without oxidation states), ``formula``,
        ``prototype`` and ``ewald_energy_per_atom`` in eV/atom.
    """
    made = [oxide for prototype in PROTOTYPES for oxide in oxides_of(prototype)]
    return pd.DataFrame(
        {
            STRUCTURE_COLUMN: [oxide.structure for oxide in made],
            "formula": [oxide.formula for oxide in made],
            "prototype": [oxide.prototype for oxide in made],
            "ewald_energy_per_atom": [_ewald_energy_per_atom(oxide) for oxide in made],
        },
        index=pd.Index([f"{oxide.prototype.replace(' ', '-')}-{oxide.formula}" for oxide in made], name="id"),
    )


def read_structures(*paths: str | Path) -> pd.Series:
    """Read crystals from files.

    Args:
        *paths: As for ``amdnet_matminer.structure_files.open_crystals``: a folder of CIF,
            VASP or pymatgen files, one such file or a pattern of them, a dataframe as
            JSON, CSV or parquet, or a file that ASE reads.

    Returns:
        The structures. Their index, strings, is the file name without its suffix, for a
        file named ``POSCAR`` the name of its folder, or the index of the dataframe. Those
        of a folder are sorted by it.

    Raises:
        DatasetError: There is nothing to read, or something cannot be read; the message
            names the file, the reason and the remedy.
    """
    named = [(entry.id, read_entry(entry)) for entry in open_crystals(*paths).entries]
    index = pd.Index([key for key, _ in named], name="id", dtype=object)
    _check_unique(index, ", ".join(map(str, paths)))
    return pd.Series([crystal for _, crystal in named], index=index, name=STRUCTURE_COLUMN, dtype=object)


def read_labels(path: str | Path, column: str | None = None) -> pd.Series:
    """Read labels from a CSV file whose first column holds the ids of the structures.

    Args:
        path: The file, with a header line.
        column: Name of the label column; may be left out if there is only one.

    Returns:
        The labels, indexed by id (strings), in the order of the file.

    Raises:
        DatasetError: The file cannot be read, the column is ambiguous or absent, an id
            comes twice, or a label is missing.
    """
    try:
        table = pd.read_csv(path, index_col=0, converters={0: str.strip}, encoding="utf-8-sig")
    except (OSError, ValueError, IndexError) as error:
        raise DatasetError(f"holds no labels: {error}", "give a CSV file", item=path) from error
    _check_unique(table.index, path)
    return _label_column(table, column, path)


def read_dataset(
    structures_path: str | Path, labels_path: str | Path | None = None, column: str | None = None
) -> pd.DataFrame:
    """Read crystals with their labels.

    Args:
        structures_path: As for ``read_structures``.
        labels_path: As for ``read_labels``; None takes the labels from the dataframe that
            ``structures_path`` is.
        column: Name of the label column; may be left out if there is only one.

    Returns:
        A dataframe with the columns ``structure`` and the label's, indexed by id, in the
        order of the structures.

    Raises:
        DatasetError: A file cannot be read, or an id has no structure or no label.
    """
    if labels_path is not None:
        return _join(read_structures(structures_path), read_labels(labels_path, column), labels_path)
    total = open_crystals(structures_path).total
    frames = read_frames(Path(structures_path)) if Path(structures_path).is_file() else None
    if frames is None:
        raise DatasetError(
            f"holds no labels for its {total} structures",
            "give a CSV file of labels too",
            item=structures_path,
        )
    table = pd.concat(frames)
    _check_unique(table.index, structures_path)
    labels = _label_column(table.drop(columns=STRUCTURE_COLUMN), column, structures_path)
    structures = [read_entry(entry) for entry in frame_entries([table])]
    return pd.DataFrame({STRUCTURE_COLUMN: structures, labels.name: labels.to_numpy()}, table.index)


def load_matbench(task: str, data_dir: str | Path | None = None) -> pd.DataFrame:
    """Load the crystals and labels of a MatBench task, as ``MatbenchTask.load`` does.

    A file in ``data_dir`` is used whether or not it is the official one, and which of the
    two is logged or warned of; its rows must be in the official order. It may lack rows, if
    its ``index`` holds the official numbers, from 0, of those that it has.

    Args:
        task: Name of a task on structures, such as ``"matbench_phonons"``.
        data_dir: Folder with ``<task>.json.gz``, read without any network access. None
            lets matminer download the file once, into its own folder or ``MATMINER_DATA``.

    Returns:
        A dataframe with the columns ``structure`` and the target's, indexed by MatBench's
        ids, so that it can be given to a task as its ``df``.

    Raises:
        DatasetError: The task is unknown or on compositions, or its file is absent,
            damaged, or has rows that the task has not.
    """
    target = _matbench_target(task)
    if data_dir is not None:
        _report_origin(Path(data_dir) / f"{task}.json.gz", get_dataset_attribute(task, "hash"))
    home = None if data_dir is None else str(data_dir)
    try:
        table = load_dataset(task, data_home=home, download_if_missing=data_dir is None)
        table = table[[STRUCTURE_COLUMN, target]]
    except Exception as error:  # whatever network, decompression and decoding raise
        url = get_dataset_attribute(task, "url")
        raise DatasetError(
            f"cannot be loaded: {error!r}",
            f"save {url} as {task}.json.gz and give its folder as data_dir",
            item=task,
        ) from error
    n_rows = get_dataset_attribute(task, "num_entries")
    _check_rows(table.index, n_rows, task)
    prefix = task.replace("matbench", "mb").replace("_", "-")
    ids = [f"{prefix}-{row + 1:0{len(str(n_rows))}d}" for row in table.index]
    return table.set_index(pd.Index(ids, name="mbid"))


def _ewald_energy_per_atom(oxide: Oxide) -> float:
    decorated = oxide.structure.copy()
    decorated.add_oxidation_state_by_element(oxide.charge)
    return float(EwaldSummation(decorated).total_energy / len(decorated))


def _label_column(table: pd.DataFrame, column: str | None, path: str | Path) -> pd.Series:
    if column is None:
        if len(table.columns) != 1:
            raise DatasetError(f"has the label columns {list(table)}", "name one of them", item=path)
        column = table.columns[0]
    if column not in table:
        raise DatasetError(f"has no label column {column!r}", f"choose one of {list(table)}", item=path)
    labels = table[column].rename_axis("id")
    missing = labels.index[labels.isna()]
    if len(missing):
        raise DatasetError(
            f"has no {column!r} for {_some(missing)}", "supply or remove these rows", item=path
        )
    return labels


def _join(structures: pd.Series, labels: pd.Series, path: str | Path) -> pd.DataFrame:
    unlabelled = structures.index.difference(labels.index)
    unknown = labels.index.difference(structures.index)
    if len(unlabelled):
        reason = f"has no label for {_some(unlabelled)}"
        raise DatasetError(reason, "add it or remove the structures", item=path)
    if len(unknown):
        reason = f"labels {_some(unknown)}, without a structure"
        raise DatasetError(reason, "add it or remove the rows", item=path)
    return structures.to_frame().join(labels)


def _matbench_target(task: str) -> str:
    """Name of the column with a task's labels."""
    known = [name for name in get_available_datasets(print_format=None) if name.startswith("matbench_")]
    columns = {name: set(get_dataset_attribute(name, "columns")) for name in known}
    tasks = [name for name in known if STRUCTURE_COLUMN in columns[name]]
    if task not in tasks:
        reason = "is no MatBench task on structures"
        raise DatasetError(reason, f"choose one of {', '.join(tasks)}", item=task)
    return (columns[task] - {STRUCTURE_COLUMN}).pop()


def _report_origin(file: Path, official_hash: str) -> None:
    """Say whether a file is the one that MatBench publishes."""
    if not file.is_file():
        raise DatasetError("does not exist", "put it there, or leave out data_dir to download it", item=file)
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest == official_hash:
        _logger.info("%s is the official MatBench file", file)
    else:
        warnings.warn(
            f"{file} is not the official MatBench file (SHA-256 {digest}, not {official_hash}); "
            "scores count only if it has the same crystals, labels and order",
            stacklevel=3,
        )


def _check_rows(rows: pd.Index, n_official: int, task: str) -> None:
    """See that a MatBench file's rows are numbered as the official ones; warn if some are not there."""
    _check_unique(rows, task)
    if not pd.api.types.is_integer_dtype(rows) or not rows.is_monotonic_increasing:
        reason = "has an index that does not hold row numbers, ascending"
        raise DatasetError(reason, "get the official file", item=task)
    if len(rows) == 0 or rows[0] < 0 or rows[-1] >= n_official:
        raise DatasetError(
            f"has {len(rows):,} rows, which are not of the {n_official:,} official ones",
            "get the official file",
            item=task,
        )
    if len(rows) < n_official:
        warnings.warn(
            f"{task} has {len(rows):,} of the {n_official:,} official rows; scores are of these only",
            stacklevel=3,
        )


def _check_unique(index: pd.Index, path: str | Path) -> None:
    repeated = index[index.duplicated()]
    if len(repeated):
        raise DatasetError(f"has more than one row for {_some(repeated)}", "keep one of each", item=path)


def _some(ids: Any) -> str:
    """The first few ids and how many there are, for messages."""
    shown = ", ".join(repr(name) for name in list(ids)[:10])
    return shown if len(ids) <= 10 else f"{shown}, ... ({len(ids)} in all)"
