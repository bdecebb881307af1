"""Files of crystals, opened at once and read one crystal at a time."""

from __future__ import annotations

import glob
import logging
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, takewhile
from pathlib import Path
from typing import Literal, cast

from pymatgen.core import Structure

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.readers.cif import cif_blocks, read_cif
from amdnet_matminer.readers.entries import Crystals, Entry, ReadingNote, Skipped
from amdnet_matminer.readers.faults import DAMAGES, quiet, reading
from amdnet_matminer.readers.folders import Found, Source, find_files, kind_of, structure_id, told_apart
from amdnet_matminer.readers.frames import ase_entries, count_frames
from amdnet_matminer.readers.packed import open_text, unpacked_name
from amdnet_matminer.readers.tables import (
    STRUCTURE_COLUMN,
    count_rows,
    frame_entries,
    load_json,
    read_frames,
)
from amdnet_matminer.readers.vasp import read_poscar, read_run, read_vasprun
from amdnet_matminer.structures import as_structure, is_structure, structure_from_dict

__all__ = [
    "STRUCTURE_COLUMN",
    "Crystals",
    "Entry",
    "Skipped",
    "open_crystals",
    "read_entry",
    "read_noted",
]

logger = logging.getLogger(__name__)

_GROUP_OF_CSSR = re.compile(r"SPGR\s*=\s*(?!0*1\b)(\d+)")

_KINDS = "a .cif, .vasp or .json file or a POSCAR"


def open_crystals(*paths: str | Path, recursive: bool = False, unlimited: bool = False) -> Crystals:
    """Open files of crystals without reading the crystals.

    Args:
        *paths: One or more of

            - a folder with files as below, all but dataframes, and with sub-folders that are
              calculations of VASP;
            - a pattern such as ``"new/**/*.cif"``;
            - a file of one crystal, as its name tells: CIF (``.cif``, ``.mcif``, each data block a
              crystal), VASP (``.vasp``, ``.poscar``, what has ``POSCAR`` or ``CONTCAR`` in its name,
              ``CHGCAR*``, ``LOCPOT*``, ``vasprun*.xml``), pymatgen's JSON (``.json``),
              ``.cssr``, ``.xsf``, ``.res`` (AIRSS);
            - a dataframe with a column ``structure``: as matminer and MatBench store it
              (``.json``), or of pymatgen's dictionaries or CIF texts with ids in
              the first column (``.csv``) or the index (``.parquet``); a CSV whose first
              column is ``structure`` has row numbers for ids;
            - what ASE reads: ``.xyz`` and ``.extxyz`` with lattices, ``.traj``, ``.db``.

            All but ``.parquet``, ``.traj`` and ``.db`` may be compressed (``.gz``, ``.bz2``, ``.xz``).
        recursive: Whether sub-folders are searched.
        unlimited: Read compressed files however large they unpack. Without it none may unpack to more than
            8 GiB, nor to both more than 64 MiB and more than 100 times its own size.

    Returns:
        The crystals, and what was left out. Their id is the file name without its suffix; for
        files that are always called the same, such as ``POSCAR``, the name of their folder;
        of several data blocks ``<file>#<block>``; the index of a dataframe; in files of ASE
        the ``id`` in a frame's info, else the file's name and the frame's number, the latter not
        for an XYZ file with one frame. Files that would have one id, of one folder or of several
        paths, are called by their paths in the folder that has them all, and a file that is named
        more than once is read once. Where several paths are given, a warning is logged of the first
        id that comes again all the same, as those of two dataframes may.
        Of a calculation that has several of ``vasprun.xml``, ``CONTCAR``, ``POSCAR``,
        ``CHGCAR`` and ``LOCPOT``, the first in this order is read, if it is not empty.

    Raises:
        DatasetError: There is nothing to read; the message names the path, the reason
            and the remedy.
        MissingDependencyError: The kind of file needs a package that is not installed.
    """
    found = [_open(path, recursive, unlimited) for path in paths]
    groups, notes = told_apart([part.sources if isinstance(part, Found) else [] for part in found])
    parts = [
        part
        if isinstance(part, Crystals)
        else _joined([_entries(source, unlimited)._replace(files=source.files) for source in group])
        for part, group in zip(found, groups, strict=True)
    ]
    crystals = _joined(parts)
    return Crystals(
        _watched(crystals.entries) if len(paths) > 1 else crystals.entries,
        crystals.total,
        tuple(skipped for part in found for skipped in part.skipped),
        (*(note for part in found for note in part.notes), *notes),
        crystals.files,
    )


def read_entry(entry: Entry) -> Structure:
    """Read one crystal, and log as warnings what should be known about it.

    Args:
        entry: Where it is.

    Returns:
        The crystal, as ``as_structure`` makes it.

    Raises:
        DatasetError: It cannot be read; the message names it and the reason.
    """
    structure, notes = read_noted(entry)
    for note in notes:
        logger.warning("%s", note)
    return structure


def read_noted(entry: Entry) -> tuple[Structure, tuple[str, ...]]:
    """Read one crystal.

    Args:
        entry: Where it is.

    Returns:
        The crystal, as ``as_structure`` makes it, and what should be known about it, such as a formula
        that differs from its sites, in sentences that name it.

    Raises:
        DatasetError: It cannot be read; the message names it and the reason.
    """
    with quiet() as notes, reading(entry.id, "structure"):
        structure = as_structure(entry.read())
    return structure, tuple(notes)


def read_structure(path: Path, block: int | None = None, unlimited: bool = False) -> Structure:
    """Read a file that holds one structure.

    Args:
        path: The file.
        block: Which of a CIF's data blocks, from 0, if it has several.
        unlimited: Unpack it however large it gets.

    Returns:
        The structure.

    Raises:
        DatasetError: It cannot be read, or holds a dataframe.
    """
    with quiet() as notes, reading(path):
        structure = _read(path, block, unlimited)
    for note in notes:
        warnings.warn(f"{path}: {note}", ReadingNote, stacklevel=2)
    return structure


def _read(path: Path, block: int | None, unlimited: bool) -> Structure:
    kind = kind_of(path)
    if kind == "vasprun":
        return read_vasprun(path, unlimited)
    if kind == "json":
        content = load_json(path, unlimited)
        if not is_structure(content) and isinstance(content, dict) and "columns" in content:
            raise DatasetError("holds a dataframe, not one structure", "read it by itself", item=path)
        return structure_from_dict(content)
    with open_text(path, unlimited, errors="replace") as file:
        text = _head(file) if unpacked_name(path).startswith(("CHGCAR", "LOCPOT")) else file.read()
    if kind == "cif":
        return read_cif(text, block)
    if kind == "poscar":
        return read_poscar(text)
    if kind == "cssr":
        _check_cssr(text)
    return Structure.from_str(text, fmt=cast("Literal['cssr', 'xsf', 'res']", kind))


def _check_cssr(text: str) -> None:
    """Refuse a CSSR with symmetry, which pymatgen does not apply."""
    group = _GROUP_OF_CSSR.search("".join(text.splitlines()[1:2]))
    if group is not None:
        reason = f"lists the sites of the space group {group[1]} only once, not all of the cell"
        raise DatasetError(reason, "write it in P 1, or as CIF")


def _head(lines: Iterable[str]) -> str:
    """What is before the grid of a CHGCAR, whose first line is a comment that may be blank."""
    remaining = iter(lines)
    return next(remaining, "") + "".join(takewhile(lambda line: line.strip(), remaining))


def _open(path: str | Path, recursive: bool, unlimited: bool) -> Found | Crystals:
    """What there is to read; of a dataframe its crystals."""
    given, path = str(path), Path(path)
    if not path.exists():
        if not glob.has_magic(given):
            raise DatasetError("does not exist", "give a file or a folder that does", item=path)
        return find_files(map(Path, glob.glob(given, recursive=True)), given, recursive)
    if path.is_dir():
        return find_files([path], path, recursive)
    kind = kind_of(path)
    if kind is None:
        raise DatasetError("is of no known kind", f"give {_KINDS}, or a dataframe as .json.gz", item=path)
    if kind in ("json", "table"):
        frames = read_frames(path, unlimited)
        if frames is not None:
            return Crystals(frame_entries(frames), count_rows(frames, path, unlimited), files=(path,))
    return Found([Source(structure_id(path), (path,))], [], [])


def _joined(parts: Sequence[Crystals]) -> Crystals:
    """The crystals of several files after each other."""
    totals = [part.total for part in parts if part.total is not None]
    total = sum(totals) if len(totals) == len(parts) else None
    files = tuple(file for part in parts for file in part.files)
    return Crystals(chain.from_iterable(part.entries for part in parts), total, files=files)


def _watched(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The same, with a warning at the first id that comes again."""
    met: set[str] = set()
    told = False
    for entry in entries:
        if entry.id in met and not told:
            logger.warning(
                "more than one crystal is called %r: results are in the order of the crystals; "
                "give each its own id",
                entry.id,
            )
            told = True
        met.add(entry.id)
        yield entry


def _entries(source: Source, unlimited: bool) -> Crystals:
    """The crystals of a file or a calculation."""
    path = source.files[0]
    read = partial(read_structure, unlimited=unlimited)
    if len(source.files) > 1:
        return Crystals([Entry(source.id, partial(read_run, source.files, read))], 1)
    if kind_of(path) == "ase":
        total = count_frames(path, unlimited)
        return Crystals(ase_entries(path, source.id, total != 1, unlimited), total)
    names = _block_names(path, unlimited) if kind_of(path) == "cif" else []
    if len(names) < 2:
        return Crystals([Entry(source.id, partial(read, path))], 1)
    blocks = [Entry(f"{source.id}#{name}", partial(read, path, i)) for i, name in enumerate(names)]
    return Crystals(blocks, len(blocks))


def _block_names(path: Path, unlimited: bool) -> list[str]:
    """What the crystals of a CIF are called, each otherwise; none where the file cannot be read."""
    try:
        with open_text(path, unlimited, errors="replace") as file:
            text = file.read()
    except DAMAGES:
        return []  # its crystal's error, when it is read
    if text.count("data_") < 2:
        return []
    names = [block.name for block in cif_blocks(text)]
    return [f"{name}-{i}" if names.count(name) > 1 else name for i, name in enumerate(names, 1)]
