"""Crystals with labels: the built-in oxides, files of the user, MatBench tasks."""

from __future__ import annotations

import hashlib
import io
import logging
import re
import warnings
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matminer.datasets import get_available_datasets, get_dataset_attribute
from matminer.datasets.utils import _get_data_home as get_data_home
from matminer.datasets.utils import _validate_dataset as fetch_dataset
from pymatgen.analysis.ewald import EwaldSummation

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.prototypes import PROTOTYPES, Oxide, oxides_of
from amdnet_matminer.readers.faults import reading, why
from amdnet_matminer.readers.folders import structure_id
from amdnet_matminer.readers.packed import open_text
from amdnet_matminer.readers.tables import (
    dictionary_of,
    frame_entries,
    read_csv,
    read_frames,
    read_json_frame,
)
from amdnet_matminer.structure_files import STRUCTURE_COLUMN, Crystals, open_crystals, read_entry
from amdnet_matminer.structures import structure_from_dict

_logger = logging.getLogger(__name__)

_MOST_NAMED = 20
"""How many crystals that cannot be read are named in one message."""


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
    made = _oxides()
    return made.assign(**{STRUCTURE_COLUMN: [structure.copy() for structure in made[STRUCTURE_COLUMN]]})


@cache
def _oxides() -> pd.DataFrame:
    """Kept, since space groups and Ewald sums take seconds."""
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


def read_structures(*paths: str | Path, recursive: bool = False, unlimited: bool = False) -> pd.Series:
    """Read crystals from files.

    What is left out of folders, and what should be known about a crystal, is logged as warnings.

    Args:
        *paths: As for ``amdnet_matminer.structure_files.open_crystals``: a folder of CIF,
            VASP or pymatgen files, one such file or a pattern of them, a dataframe as
            JSON, CSV or parquet, or a file that ASE reads.
        recursive: Whether sub-folders are searched.
        unlimited: Read compressed files however large they unpack.

    Returns:
        The structures. Their index, strings, is the file name without its suffix, for a
        file named ``POSCAR`` the name of its folder, or the index of the dataframe. Those
        of a folder are sorted by it.

    Raises:
        DatasetError: There is nothing to read, or something cannot be read; the message
            names every such file, the reason and the remedy.
    """
    crystals = open_crystals(*paths, recursive=recursive, unlimited=unlimited)
    return _read_all(crystals, ", ".join(map(str, paths)))


def read_labels(path: str | Path, column: str | None = None) -> pd.Series:
    """Read labels from a table whose first column holds the ids of the structures.

    Args:
        path: A text file with a header line, its columns separated by commas, semicolons, tabs or spaces.
        column: Name of the label column; may be left out if there is only one.

    Returns:
        The labels, indexed by id (strings), in the order of the file.

    Raises:
        DatasetError: The file cannot be read or has no header, the column is ambiguous or absent,
            an id comes twice, or a label is missing.
    """
    return _complete(_labels_in(path, column), path)


class OpenDataset(NamedTuple):
    """Crystals that are not read yet, with their labels."""

    crystals: Crystals
    labels: pd.Series
    """By id as their file calls the crystals; NaN where one is missing."""


def read_dataset(
    structures_path: str | Path,
    labels_path: str | Path | None = None,
    column: str | None = None,
    *,
    recursive: bool = False,
    unlimited: bool = False,
) -> pd.DataFrame:
    """Read crystals with their labels.

    Args:
        structures_path: As for ``read_structures``.
        labels_path: As for ``read_labels``; None takes the labels from the dataframe that
            ``structures_path`` is.
        column: Name of the label column; may be left out if there is only one.
        recursive: Whether sub-folders are searched.
        unlimited: Read compressed files however large they unpack.

    Returns:
        A dataframe with the columns ``structure`` and the label's, indexed by id, in the
        order of the structures.

    Raises:
        DatasetError: A file cannot be read, or an id has no structure or no label.
    """
    crystals, labels = open_dataset(
        structures_path, labels_path, column, recursive=recursive, unlimited=unlimited
    )
    origin = structures_path if labels_path is None else labels_path
    labels = _complete(labels, origin)
    return _join(_read_all(crystals, structures_path), labels, origin)


def open_dataset(
    structures_path: str | Path,
    labels_path: str | Path | None = None,
    column: str | None = None,
    *,
    recursive: bool = False,
    unlimited: bool = False,
) -> OpenDataset:
    """Open crystals with labels without reading the crystals.

    Args:
        structures_path: As in ``read_dataset``.
        labels_path: As in ``read_dataset``.
        column: As in ``read_dataset``.
        recursive: As in ``read_dataset``.
        unlimited: As in ``read_dataset``.

    Returns:
        The crystals and the labels, whatever these are; ``match_ids`` says whose they are.

    Raises:
        DatasetError: A file cannot be read, or has no labels.
    """
    if labels_path is not None:
        crystals = open_crystals(structures_path, recursive=recursive, unlimited=unlimited)
        # Labels beside their crystals are not left out, but read.
        labels_file = Path(labels_path).resolve()
        skipped = tuple(item for item in crystals.skipped if Path(item.path).resolve() != labels_file)
        return OpenDataset(crystals._replace(skipped=skipped), _labels_in(labels_path, column))
    path = Path(structures_path)
    frames = read_frames(path, unlimited) if path.is_file() else None
    if frames is None:
        total = open_crystals(path, recursive=recursive, unlimited=unlimited).total
        raise DatasetError(
            f"holds no labels for its {total} structures", "give a CSV file of labels too", item=path
        )
    table = pd.concat(frames)
    labels = _label_column(table.drop(columns=STRUCTURE_COLUMN), column, path)
    return OpenDataset(Crystals(frame_entries([table]), len(table)), labels)


def match_ids(labels: pd.Series, ids: Iterable[str], path: str | Path) -> pd.Series:
    """Call labels by the ids of their crystals, where they are called by names of files with suffix.

    Args:
        labels: By id.
        ids: Of the crystals.
        path: Where the labels are from.

    Returns:
        The same labels, in the same order.

    Raises:
        DatasetError: Two labels are of one crystal.
    """
    known = set(ids)
    names = {key: key if key in known else structure_id(Path(key)) for key in labels.index}
    found = pd.Index([names[key] if names[key] in known else key for key in labels.index], name="id")
    _check_unique(found, path)
    return labels.set_axis(found)


def load_matbench(task: str, data_dir: str | Path | None = None) -> pd.DataFrame:
    """Load the crystals and labels of a MatBench task, as ``MatbenchTask.load`` does.

    Only lattices, species and coordinates are read of the crystals, no magnetic moments.

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
    file = Path(get_data_home(data_dir)) / f"{task}.json.gz"
    url = get_dataset_attribute(task, "url")
    try:
        if data_dir is None:
            fetch_dataset(str(file), url, get_dataset_attribute(task, "hash"))
        stored = read_json_frame(file)
        if stored is None:
            raise ValueError("it holds one structure")
        table = stored[[STRUCTURE_COLUMN, target]]
        structures = [structure_from_dict(dictionary_of(cell)) for cell in table[STRUCTURE_COLUMN]]
        table = table.assign(structure=pd.Series(structures, table.index, dtype=object))
    except Exception as error:  # whatever network, decompression and decoding raise
        raise DatasetError(
            f"cannot be loaded: {why(error)}",
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
    return table[column].rename_axis("id")


def _labels_in(path: str | Path, column: str | None) -> pd.Series:
    """The labels in a text file, NaN where one is missing."""
    text = _text_in(path)
    if not text.strip():
        raise DatasetError("holds no labels", "give a CSV file", item=path)
    header = text.partition("\n")[0].strip()
    unquoted = re.sub(r'"[^"]*"', '""', header)  # a name in quotes may have what separates others
    separator = _separator(unquoted)
    _check_header(header, re.split(separator, unquoted), column, path)
    decimal = "," if separator == ";" and re.search(r";\s*[-+]?\d+,\d", text) else "."
    with reading(path), warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # that cells are left out
        table = read_csv(io.StringIO(text), sep=separator, decimal=decimal, skipinitialspace=True)
        table = table.set_index(table.columns[0])
    if len(table) == 0:
        raise DatasetError("has a header, but no labels", "give a row for each crystal", item=path)
    _check_unique(table.index, path)
    return _label_column(table, column, path)


def _text_in(path: str | Path) -> str:
    if not Path(path).exists():
        raise DatasetError("does not exist", "give a CSV file of labels that does", item=path)
    if Path(path).is_dir():
        raise DatasetError("is a folder", "give a CSV file of labels", item=path)
    with reading(path), open_text(Path(path)) as file:
        try:
            return file.read()
        except UnicodeDecodeError as error:  # such as of a spreadsheet
            raise DatasetError("is no text in UTF-8", "save it as a CSV file in UTF-8", item=path) from error


def _check_header(header: str, cells: list[str], column: str | None, path: str | Path) -> None:
    """Refuse a header in which a column is called by a number: it is most likely a row of labels."""
    names = [cell.strip() for cell in cells]
    if not any(map(_is_number, names[1:])):
        return
    # No row lacks its id, but pandas writes a Series without a name as ",0".
    if names[0] in ("", '""') or column in names[1:]:
        reason = f"has a header with a number for a name: its line 1 is {header!r}"
        raise DatasetError(reason, "rename that column, to id,label or the like", item=path)
    name = "label" if column is None or _is_number(column) else column
    raise DatasetError(f"has no header: its line 1 is {header!r}", f"put id,{name} before it", item=path)


def _complete(labels: pd.Series, path: str | Path) -> pd.Series:
    """The labels, if none is missing."""
    missing = labels.index[labels.isna()]
    if len(missing):
        raise DatasetError(
            f"has no {labels.name!r} for {_some(missing)}", "supply or remove these rows", item=path
        )
    return labels


def _read_all(crystals: Crystals, origin: str | Path) -> pd.Series:
    """Read crystals, or say of all that cannot be read why."""
    for remark in crystals.remarks():
        _logger.warning("%s", remark)
    named: list[tuple[str, Any]] = []
    failures: list[DatasetError] = []
    for entry in crystals.entries:
        try:
            named.append((entry.id, read_entry(entry)))
        except DatasetError as error:
            failures.append(error)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        listing = " | ".join(map(str, failures[:_MOST_NAMED])) + (
            " | ..." if len(failures) > _MOST_NAMED else ""
        )
        count = f"{len(failures)} of {len(failures) + len(named)} crystals"
        raise DatasetError(f"has {count} that cannot be read: {listing}", item=origin)
    index = pd.Index([key for key, _ in named], name="id", dtype=object)
    _check_unique(index, origin)
    return pd.Series([crystal for _, crystal in named], index=index, name=STRUCTURE_COLUMN, dtype=object)


def _separator(header: str) -> str:
    """What is between the columns of a table, as a regular expression."""
    if "\t" in header:
        return "\t"
    if "," in header:
        return ","
    return ";" if ";" in header else r"\s+"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _join(structures: pd.Series, labels: pd.Series, path: str | Path) -> pd.DataFrame:
    """Structures with their labels, whose ids may be names of files, with suffix."""
    labels = match_ids(labels, structures.index, path)
    unlabelled, unknown = (
        structures.index.difference(labels.index),
        labels.index.difference(structures.index),
    )
    examples = f" (an id of the labels is {labels.index[0]!r}, one of the structures {structures.index[0]!r})"
    if len(unlabelled):
        reason = f"has no label for {_some(unlabelled)}{examples}"
        raise DatasetError(reason, "add it or remove the structures", item=path)
    if len(unknown):
        reason = f"labels {_some(unknown)}, without a structure{examples}"
        raise DatasetError(reason, "add it or remove the rows", item=path)
    if labels.name == STRUCTURE_COLUMN:
        reason = f"has labels in the column {STRUCTURE_COLUMN!r}, which is that of the crystals"
        raise DatasetError(reason, "rename it", item=path)
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
        reason = "has an index that is not of row numbers, ascending"
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
