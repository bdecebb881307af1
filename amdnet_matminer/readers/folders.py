"""Which files of a folder hold crystals, what is left out and why, and what crystals are called."""

from __future__ import annotations

import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.readers import frames
from amdnet_matminer.readers.entries import Skipped
from amdnet_matminer.readers.faults import DAMAGES, why
from amdnet_matminer.readers.packed import open_bytes, unpacked_name
from amdnet_matminer.readers.vasp import RUN_FILES
from amdnet_matminer.structures import is_structure

_PEEK = 16 * 2**20
"""Bytes that are looked at to see whether a JSON file may hold a structure."""

_ENDINGS = {
    "cif": (".cif", ".mcif"),
    "poscar": (".vasp", ".poscar", ".contcar"),
    "json": (".json", ".mson"),
    "cssr": (".cssr",),
    "xsf": (".xsf",),
    "res": (".res",),
    "ase": frames.SUFFIXES,
    "table": (".csv", ".parquet"),
}
_NAMES = {
    "vasprun": re.compile(r"vasprun.*\.xml$", re.IGNORECASE),
    "poscar": re.compile(r"(?!.*\.(txt|md|py|sh|png|pdf|log|out)$).*(POSCAR|CONTCAR)|(CHGCAR|LOCPOT)"),
}


class Source(NamedTuple):
    """A file with one crystal or more, or the files of one calculation."""

    id: str
    files: tuple[Path, ...]
    """Of a calculation all that hold its crystal, the one to be read first."""


class Found(NamedTuple):
    """What there is to read in folders."""

    sources: list[Source]
    skipped: list[Skipped]
    notes: list[str]


def kind_of(path: Path) -> str | None:
    """Tell from a file's name what it holds.

    Args:
        path: The file, compressed or not.

    Returns:
        ``"cif"``, ``"poscar"``, ``"vasprun"``, ``"json"``, ``"cssr"``, ``"xsf"``, ``"res"``,
        ``"ase"`` or ``"table"``; None if crystals are not read from such files.
    """
    name = unpacked_name(path)
    for kind, endings in _ENDINGS.items():
        if name.lower().endswith(endings):
            return kind
    return next((kind for kind, pattern in _NAMES.items() if pattern.match(name)), None)


def structure_id(path: Path) -> str:
    """What a file's structure is called: its name without the suffix of its kind.

    Args:
        path: The file.

    Returns:
        The name; that of its folder for a file of a calculation that is always called the
        same, such as ``CONTCAR``.
    """
    name = unpacked_name(path)
    if name in RUN_FILES:
        return path.resolve().parent.name
    endings = [ending for group in _ENDINGS.values() for ending in group]
    ending = next((ending for ending in endings if name.lower().endswith(ending)), "")
    return name.removesuffix(name[len(name) - len(ending) :]) if ending else name


def find_files(paths: Iterable[Path], origin: str | Path, recursive: bool = False) -> Found:
    """Find the files of crystals among files and in folders.

    Args:
        paths: Files and folders.
        origin: Where they are from, for the message.
        recursive: Whether sub-folders are searched too. If not, those with a calculation of
            VASP are one crystal each, and others are left out.

    Returns:
        What is to be read and what is left out. Files of one calculation are one crystal. Ids
        may be alike until ``told_apart`` has seen them.

    Raises:
        DatasetError: There is nothing to read.
    """
    walk = _Walk(recursive)
    for path in sorted(paths):
        walk.folder(path) if path.is_dir() else walk.file(path)
    sources = walk.sources()
    if not sources:
        left_out = "; ".join(f"{item.path} is {item.reason}" for item in walk.skipped[:3])
        raise DatasetError(
            f"has no structures{f' ({left_out})' if left_out else ''}",
            "put a .cif, .vasp or .json file or a POSCAR for each into it",
            item=origin,
        )
    return Found(sources, walk.skipped, walk.notes())


def told_apart(groups: Sequence[Sequence[Source]]) -> tuple[list[list[Source]], list[str]]:
    """Give the crystals of all files ids that differ.

    Args:
        groups: What each of the paths that a user gives has.

    Returns:
        The same groups, each sorted by id. Two sources that would have one id are called by
        their paths, and a file that several paths name is left to the first of them. Sentences
        that say so.
    """
    groups, repeated = _once(groups)
    named, renamed = _named_apart(groups)
    return [sorted(group) for group in named], [*repeated, *renamed]


class _Walk:
    """A walk over folders, and what it has met."""

    def __init__(self, recursive: bool) -> None:
        self.skipped: list[Skipped] = []
        self._recursive = recursive
        self._files: list[Path] = []
        self._runs: dict[Path, dict[str, Path]] = defaultdict(dict)
        self._has_ase = find_spec("ase") is not None

    def folder(self, folder: Path) -> None:
        """Meet all that a folder holds."""
        for path in self._inside(folder):
            if not path.is_dir() or path.name.startswith("."):
                self.file(path)
            elif not self._recursive:
                self._subfolder(path)
            elif path.is_symlink():
                self.skipped.append(Skipped(str(path), "a link to a folder"))
            else:
                self.folder(path)

    def file(self, path: Path) -> None:
        """Meet a file."""
        reason = self._reason_against(path)
        if reason is not None:
            self.skipped.append(Skipped(str(path), reason))
        elif unpacked_name(path) in RUN_FILES:
            self._runs[path.parent].setdefault(unpacked_name(path), path)
        else:
            self._files.append(path)

    def sources(self) -> list[Source]:
        """What is to be read."""
        runs = [tuple(run[name] for name in RUN_FILES if name in run) for run in self._runs.values()]
        return [
            Source(structure_id(group[0]), group) for group in [*((file,) for file in self._files), *runs]
        ]

    def notes(self) -> list[str]:
        """Which file of each calculation is read, where there are several."""
        several = [source.files for source in self.sources() if len(source.files) > 1]
        taken = Counter(unpacked_name(_first_filled(files)) for files in several)
        return [
            f"of {count} folder{'s' * (count > 1)} with several files of a calculation, {name} is read"
            for name, count in taken.items()
        ]

    def _subfolder(self, folder: Path) -> None:
        """Meet a sub-folder that is not searched, but may be a calculation."""
        inside = [path for path in self._inside(folder) if path.is_file()]
        runs = [path for path in inside if unpacked_name(path) in RUN_FILES]
        for path in runs:
            self.file(path)
        others = sum(path not in runs and self._reason_against(path) is None for path in inside)
        if others or not runs:
            reason = "not searched, as a sub-folder (recursive=True, --recursive)"
            self.skipped.append(Skipped(f"{folder}/", reason))

    def _inside(self, folder: Path) -> list[Path]:
        try:
            return sorted(folder.iterdir())
        except OSError as error:
            self.skipped.append(Skipped(str(folder), f"not readable ({why(error)})"))
            return []

    def _reason_against(self, path: Path) -> str | None:
        """Why a file is left out, None if it is not."""
        kind = kind_of(path)
        if path.name.startswith("."):
            return "hidden"
        if not path.is_file():
            return "no file, or a broken link"
        if kind is None:
            return "of no kind that crystals are read from"
        if kind == "table":
            return "a table of labels or crystals, which is given by itself"
        if kind == "ase" and not self._has_ase:
            return "for ASE, which is not installed (pip install 'amdnet-matminer[files]')"
        return _reason_against_content(path)


def _reason_against_content(path: Path) -> str | None:
    """Why a file with a name like others' is left out; what is not seen at once is told when it is read."""
    name = unpacked_name(path).lower()
    if name.endswith((".json", ".mson")):
        return _reason_against_json(path)
    if name.endswith((".res", ".db")):
        with suppress(*DAMAGES), open_bytes(path) as file:
            start = file.read(_PEEK)
            if name.endswith(".res") and b"\nHKLF" in start:
                return "a refinement by SHELX, of which the CIF is read"
            if name.endswith(".db") and not start.startswith(b"SQLite format 3"):
                return "no database of ASE"
    return None


def _reason_against_json(path: Path) -> str | None:
    try:
        with open_bytes(path) as file:
            start = file.read(_PEEK)
        if re.match(rb'\s*\{\s*"(columns|index|data)"', start):
            return "a table of labels or crystals, which is given by itself"
        if b'"lattice"' in start and b'"sites"' in start:
            whole = len(start) < _PEEK
            return None if not whole or is_structure(json.loads(start)) else "JSON without a structure"
    except DAMAGES:
        return None
    return "JSON without a structure"


def _first_filled(files: Sequence[Path]) -> Path:
    """The file of a calculation that is read: the first that is not empty."""
    return next((file for file in files if file.stat().st_size > 0), files[-1])


def _once(groups: Sequence[Sequence[Source]]) -> tuple[list[list[Source]], list[str]]:
    """Every file where it is first met, and a note if one was met again."""
    counts = _counts(groups)
    met: set[Path] = set()
    kept: list[list[Source]] = []
    again: list[Path] = []
    for group in groups:
        kept.append([])
        for source in group:
            if counts[source.id] > 1:  # a file has one id, so that of others no path need be kept
                place = _place(source)
                if place in met:
                    again.append(source.files[0])
                    continue
                met.add(place)
            kept[-1].append(source)
    if not again:
        return kept, []
    return kept, [f"files that are named more than once are read once, such as {again[0]}"]


def _named_apart(groups: Sequence[Sequence[Source]]) -> tuple[list[list[Source]], list[str]]:
    """The sources with ids that differ, and a note if some had to be changed."""
    counts = _counts(groups)
    clashing = [source for group in groups for source in group if counts[source.id] > 1]
    if not clashing:
        return [list(group) for group in groups], []
    levels = zip(*(_place(source).parent.parts for source in clashing), strict=False)
    n_shared = sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, levels))

    def named(source: Source) -> Source:
        if counts[source.id] == 1:
            return source
        return source._replace(id=Path(*_place(source).parts[n_shared:]).as_posix())

    note = (
        f"{len(clashing)} crystals are called by their files' paths, since several would be called alike, "
        f"such as {clashing[0].id!r}"
    )
    return [[named(source) for source in group] for group in groups], [note]


def _counts(groups: Sequence[Sequence[Source]]) -> Counter[str]:
    return Counter(source.id for group in groups for source in group)


def _place(source: Source) -> Path:
    """Where a source is, however the path to it is written."""
    return Path(os.path.abspath(source.files[0]))
