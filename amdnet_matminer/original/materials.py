"""The original's material and motif files as crystals with labels, nothing dropped silently."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pymatgen.core import Structure

from amdnet_matminer.datasets import STRUCTURE_COLUMN
from amdnet_matminer.errors import DatasetError
from amdnet_matminer.original.motifs import GIVEN_MOTIFS, has_only_false_contacts, motif_graph_of_row
from amdnet_matminer.original.pickles import read_pickle, rebuild_structure

logger = logging.getLogger(__name__)

LABEL_TOLERANCE = 1e-3
"""Labels of the two files that differ by more are reported; the original stored one of them in float32."""


class Part(NamedTuple):
    """The training, validation or test crystals."""

    table: pd.DataFrame
    """Indexed by id, with the columns ``structure`` and the label's."""
    missing: dict[str, str]
    """Why an id of the part's list has no row in the table."""


class OriginalData(NamedTuple):
    """The content of a material file, with the motif graphs of a motif file."""

    train: Part
    validation: Part
    test: Part


def read_original(
    material_file: str | Path, motif_file: str | Path | None = None, column: str = "band_gap"
) -> OriginalData:
    """Read ``material_data.pkl`` and ``motif_graph.pkl`` as the published code writes them.

    Whatever is absent, broken or contradictory is logged as a warning that names the ids.

    Args:
        material_file: A pickled tuple: a dataframe indexed by id with ``structure`` and
            labels, and the three lists of ids for training, validation and test.
        motif_file: A pickled dataframe with a motif graph per row, of id ``_mid``. Its
            labels come before those of the material file, as in the original. None, or
            an id that it lacks, leaves the motifs to be found from the structure.
        column: Name of the label: ``"band_gap"`` or ``"formation_energy_per_atom"``.

    Returns:
        The three parts. A structure with a motif graph has it in its ``properties``,
        for ``convert_with_given_motifs``.

    Raises:
        FileNotFoundError: A file does not exist.
        DatasetError: A file is not what it should be, or asks for more than numpy,
            pandas and pymatgen.
    """
    materials, lists = _read_materials(Path(material_file), column)
    motifs = None if motif_file is None else _read_motifs(Path(motif_file))
    wanted = [key for ids in lists for key in ids]
    labels = _labels(materials, motifs, column, wanted)
    graphs = {} if motifs is None else _given_motifs(motifs, wanted)
    parts = [_part(materials, labels, graphs, ids, column) for ids in lists]
    for name, part in zip(OriginalData._fields, parts, strict=True):
        for reason in sorted(set(part.missing.values())):
            ids = [key for key, why in part.missing.items() if why == reason]
            _report(f"left out of the {name} part, because {reason}", ids)
    return OriginalData(*parts)


def _read_materials(path: Path, column: str) -> tuple[pd.DataFrame, list[list[str]]]:
    content = read_pickle(path)
    if not (isinstance(content, tuple) and len(content) == 2 and isinstance(content[0], pd.DataFrame)):
        raise DatasetError("holds no dataframe with three lists of ids", "give material_data.pkl", item=path)
    table, lists = content
    if not (isinstance(lists, tuple | list) and len(lists) == len(OriginalData._fields)):
        reason = "has no three lists of ids for training, validation and test"
        raise DatasetError(reason, "add them", item=path)
    for name in (STRUCTURE_COLUMN, column):
        if name not in table:
            raise DatasetError(f"has no column {name!r} but {list(table)}", item=path)
    _check_unique(table.index, path)
    return table.set_axis(table.index.map(str)), [[str(key) for key in ids] for ids in lists]


def _read_motifs(path: Path) -> pd.DataFrame:
    content = read_pickle(path)
    table = pd.DataFrame(content) if isinstance(content, dict | list) else content
    if not isinstance(table, pd.DataFrame):
        reason = f"holds a {type(content).__name__}, not a dataframe"
        raise DatasetError(reason, "give motif_graph.pkl", item=path)
    if "_mid" not in table:
        raise DatasetError(
            "has no column '_mid' that says which material a row is of, as some versions of the generator "
            "leave it out",
            "leave out this file, and motifs are found anew",
            item=path,
        )
    _check_unique(table["_mid"], path)
    return table.set_index(table["_mid"].map(str))


def _labels(
    materials: pd.DataFrame, motifs: pd.DataFrame | None, column: str, wanted: Iterable[str]
) -> pd.Series:
    """Labels by id, those of the motif file first, NaN where there is none."""
    labels = pd.to_numeric(materials[column], errors="coerce").astype(float)
    if motifs is None or f"_{column}" not in motifs:
        return labels
    given = pd.Series({key: _number(value) for key, value in motifs[f"_{column}"].items()}, dtype=float)
    both = given.reindex(labels.index)
    different = labels.index[((both - labels).abs() > LABEL_TOLERANCE) & labels.index.isin(list(wanted))]
    _report(f"{column} differs between the two files, and that of the motif file is taken", different)
    return both.fillna(labels)


def _number(value: Any) -> float:
    numbers = np.asarray(value).ravel()
    return float(numbers[0]) if len(numbers) and numbers.dtype.kind in "fiu" else np.nan


def _given_motifs(motifs: pd.DataFrame, wanted: Iterable[str]) -> dict[str, Any]:
    """Motif graphs by id, of those that can be used."""
    graphs, broken = {}, []
    wanted = list(wanted)
    for key in motifs.index.intersection(wanted):
        try:
            graphs[key] = motif_graph_of_row(motifs.loc[key])
        except DatasetError as error:
            broken.append(key)
            logger.warning("%s; motifs are found from its structure", error.at(item=key))
    absent = [key for key in wanted if key not in graphs and key not in broken]
    false = [key for key, graph in graphs.items() if has_only_false_contacts(graph)]
    _report("not in the motif file, so motifs are found from the structure", absent)
    _report(
        "with no motif edges but contacts of a motif with itself at distance 0, a fault of the original "
        "generator; taken as they are (leave out the motif file to find motifs anew)",
        false,
    )
    return graphs


def _part(
    materials: pd.DataFrame, labels: pd.Series, graphs: Mapping[str, Any], ids: list[str], column: str
) -> Part:
    structures: dict[str, Structure] = {}
    missing: dict[str, str] = {}
    for key in ids:
        if key not in materials.index:
            missing[key] = "the material file has no row of it"
        elif not np.isfinite(labels[key]):
            missing[key] = f"it has no {column}"
        else:
            try:
                structures[key] = _structure(materials.at[key, STRUCTURE_COLUMN], graphs.get(key))
            except DatasetError as error:
                missing[key] = f"it {error}"
    index = pd.Index(list(structures), name="id", dtype=object)
    columns = {STRUCTURE_COLUMN: list(structures.values()), column: labels.reindex(index).to_numpy()}
    return Part(pd.DataFrame(columns, index=index), missing)


def _structure(pickled: Any, motifs: Any) -> Structure:
    structure = rebuild_structure(pickled)
    if motifs is not None:
        structure.properties[GIVEN_MOTIFS] = motifs
    return structure


def _check_unique(ids: pd.Index | pd.Series, path: Path) -> None:
    repeated = ids[ids.duplicated()]
    if len(repeated):
        reason = f"has more than one row for {list(repeated)[:10]}"
        raise DatasetError(reason, "keep one of each", item=path)


def _report(what: str, ids: Iterable[str]) -> None:
    listed = list(ids)
    if listed:
        shown = ", ".join(listed[:10]) + (", ..." if len(listed) > 10 else "")
        logger.warning("%d materials %s: %s", len(listed), what, shown)
