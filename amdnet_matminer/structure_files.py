"""Files of crystals, opened at once and read one crystal at a time."""

from __future__ import annotations

import glob
import gzip
import json
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from pymatgen.core import Structure
from pymatgen.io.cif import CifParser
from pymatgen.io.vasp.inputs import BadPoscarWarning

from amdnet_matminer.errors import DatasetError, MissingDependencyError, StructureError
from amdnet_matminer.structures import as_structure, structure_from_dict

STRUCTURE_COLUMN = "structure"
"""Where dataframes have their crystals, as in matminer and MatBench."""

KINDS = "a .cif, .vasp or .json file or a POSCAR"

_SINGLE = (".cif", ".vasp")
_JSON = (".json", ".json.gz")
_CSV = (".csv", ".csv.gz")
_ASE = (".xyz", ".extxyz", ".traj", ".db")
_CHUNK = 500


class Entry(NamedTuple):
    """One crystal that may not have been read yet."""

    id: str
    read: Callable[[], Structure]
    """Reads it, or raises whatever a malformed file leads its parser to."""


class Crystals(NamedTuple):
    """The crystals of some files, in order."""

    entries: Iterable[Entry]
    total: int | None
    """How many they are; None if only reading them all would tell."""


def open_crystals(*paths: str | Path) -> Crystals:
    """Open files of crystals without reading the crystals.

    Args:
        *paths: One or more of

            - a folder with CIF (``.cif``), VASP (``.vasp``, ``POSCAR*``) or pymatgen
              (``.json``) files, and with sub-folders that hold a ``POSCAR`` each;
            - a pattern such as ``"new/**/*.cif"``, or one such file;
            - a dataframe with a column ``structure``, as matminer and MatBench store it
              (``.json``, ``.json.gz``), or of pymatgen's JSON or CIF texts with ids in
              the first column (``.csv``, ``.csv.gz``) or the index (``.parquet``);
            - what ASE reads: ``.xyz`` and ``.extxyz`` with lattices, ``.traj``, ``.db``.

    Returns:
        The crystals. Their id is the file name without its suffix, for a file named
        ``POSCAR`` the name of its folder; the index of a dataframe; or in files of ASE
        the ``id`` in a frame's info, else the file's name and the frame's number.

    Raises:
        DatasetError: There is nothing to read; the message names the path, the reason
            and the remedy.
        MissingDependencyError: The kind of file needs a package that is not installed.
    """
    parts = [_open(path) for path in paths]
    totals = [part.total for part in parts if part.total is not None]
    total = sum(totals) if len(totals) == len(parts) else None
    return Crystals(chain.from_iterable(part.entries for part in parts), total)


def read_entry(entry: Entry) -> Structure:
    """Read one crystal.

    Args:
        entry: Where it is.

    Returns:
        The crystal, as ``as_structure`` makes it.

    Raises:
        DatasetError: It cannot be read; the message names it and the reason.
    """
    try:
        with quiet_parsers():
            return as_structure(entry.read())
    except DatasetError:
        raise
    except StructureError as error:
        raise DatasetError(error.reason, error.remedy, item=entry.id, subject="structure") from error
    except Exception as error:  # the parsers raise whatever a malformed file leads them to
        raise DatasetError(
            f"cannot be read: {error!r}", "repair or remove it", item=entry.id, subject="structure"
        ) from error


def read_frames(path: Path) -> Iterable[pd.DataFrame] | None:
    """Read a dataframe of crystals in parts, the crystals as they are stored.

    Args:
        path: A file.

    Returns:
        Dataframes indexed by id (strings); None if the file is of another kind.

    Raises:
        DatasetError: It cannot be read.
    """
    if _is(path, _CSV):
        return _csv_frames(path)
    if _is(path, (".parquet",)):
        return _parquet_frames(path)
    if _is(path, _JSON) and not _is_structure(content := _load_json(path)):
        return [_as_frame(content, path)]
    return None


def to_structure(stored: Any) -> Structure:
    """Make a structure of a cell of a dataframe.

    Args:
        stored: A structure, pymatgen's dictionary or JSON text of one, or a CIF text.

    Returns:
        The structure.

    Raises:
        Exception: Whatever malformed content leads pymatgen to.
    """
    if isinstance(stored, Structure):
        return stored
    if isinstance(stored, str):
        if not stored.lstrip().startswith("{"):
            return _only_one(CifParser.from_str(stored))
        stored = json.loads(stored)
    if not isinstance(stored, dict):
        raise ValueError(f"it is {stored!r}, no structure")
    return structure_from_dict(stored)


@contextmanager
def quiet_parsers() -> Iterator[None]:
    """Silence what is said of almost every CIF, and refuse what makes it another crystal."""
    with warnings.catch_warnings():
        # A POSCAR without element symbols would be read as hydrogen, helium, ...
        warnings.simplefilter("error", BadPoscarWarning)
        # No more than that 0.3333 is read as 1/3.
        warnings.filterwarnings("ignore", message=".*rounded to ideal values")
        yield


def _open(path: str | Path) -> Crystals:
    given, path = str(path), Path(path)
    if path.is_dir():
        return _of_files(_structure_files(path))
    if not path.exists():
        if not glob.has_magic(given):
            raise DatasetError("does not exist", "give a file or a folder that does", item=path)
        return _of_files(_by_id(map(Path, glob.glob(given, recursive=True)), given))
    if _is(path, _ASE):
        return Crystals(_ase_entries(path), _ase_total(path))
    frames = read_frames(path)
    if frames is None:
        return _of_files({structure_id(path): path})
    return Crystals(frame_entries(frames), _frame_total(frames, path))


def _of_files(files: dict[str, Path]) -> Crystals:
    return Crystals([Entry(key, partial(read_structure, file)) for key, file in files.items()], len(files))


def _is(path: Path, suffixes: tuple[str, ...]) -> bool:
    return path.name.lower().endswith(suffixes)


def _structure_files(folder: Path) -> dict[str, Path]:
    """The files of a folder that hold structures, by id, sorted."""
    return _by_id(filter(is_structure_file, [*folder.iterdir(), *folder.glob("*/POSCAR")]), folder)


def _by_id(files: Iterable[Path], origin: str | Path) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for file in sorted(files):
        key = structure_id(file)
        if key in named:
            raise DatasetError(
                f"and {file} give two structures the id {key!r}", "rename one", item=named[key]
            )
        named[key] = file
    if not named:
        raise DatasetError("has no structures", f"put {KINDS} for each into it", item=origin)
    return dict(sorted(named.items()))


def is_structure_file(path: Path) -> bool:
    """Whether a file's name says that it holds one structure."""
    return path.is_file() and (_is(path, (*_SINGLE, ".json")) or path.name.startswith("POSCAR"))


def structure_id(path: Path) -> str:
    """What a file's structure is called."""
    if path.name == "POSCAR":
        return path.resolve().parent.name
    return path.name if path.name.startswith("POSCAR") else path.stem


def read_structure(path: Path) -> Structure:
    """Read a file that holds one structure.

    Args:
        path: The file.

    Returns:
        The structure.

    Raises:
        DatasetError: It cannot be read, or holds a dataframe.
    """
    if not is_structure_file(path) and not _is(path, _JSON):
        raise DatasetError("is of no known kind", f"give {KINDS}, or a dataframe as .json.gz", item=path)
    if _is(path, _JSON):
        content = _load_json(path)
        if not _is_structure(content):
            _as_frame(content, path)
            raise DatasetError("holds a dataframe, not one structure", "read it by itself", item=path)
        parse: Callable[[], Structure] = partial(structure_from_dict, content)
    elif _is(path, (".cif",)):
        parse = partial(_parse_cif, path)
    else:
        parse = partial(Structure.from_file, path)
    try:
        with quiet_parsers():
            return parse()
    except Exception as error:  # the parsers raise whatever a malformed file leads them to
        raise DatasetError(
            f"cannot be read: {error!r}", "repair the file or take it away", item=path
        ) from error


def _parse_cif(path: Path) -> Structure:
    return _only_one(CifParser(path))


def _only_one(parser: CifParser) -> Structure:
    structures = parser.parse_structures(primitive=False)
    if len(structures) > 1:
        raise ValueError(f"it holds {len(structures)} structures, and one file is one structure")
    return structures[0]


def _load_json(path: Path) -> Any:
    opened: Callable[..., Any] = gzip.open if _is(path, (".gz",)) else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            return json.load(file)
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
        raise DatasetError(
            f"cannot be read: {error!r}", "repair the file or take it away", item=path
        ) from error


def _is_structure(content: Any) -> bool:
    return isinstance(content, dict) and {"lattice", "sites"} <= set(content)


def _as_frame(content: Any, path: Path) -> pd.DataFrame:
    """Make a dataframe of what matminer has written to JSON."""
    if not isinstance(content, dict) or set(content) != {"columns", "index", "data"}:
        raise DatasetError(
            "holds neither a pymatgen Structure nor a dataframe",
            "write it with Structure.to or with matminer.utils.io.store_dataframe_as_json",
            item=path,
        )
    try:
        frame = pd.DataFrame(**content)
    except (ValueError, TypeError, AssertionError) as error:
        raise DatasetError(f"cannot be read: {error!r}", "write the dataframe anew", item=path) from error
    return _checked(frame, path)


def _csv_frames(path: Path, **options: Any) -> Iterator[pd.DataFrame]:
    read = partial(pd.read_csv, path, index_col=0, converters={0: str.strip}, encoding="utf-8-sig")
    try:
        with read(chunksize=_CHUNK, **options) as frames:
            yield from (_checked(frame, path) for frame in frames)
    except DatasetError:
        raise
    except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise DatasetError(
            f"cannot be read: {error!r}", "repair the file or take it away", item=path
        ) from error


def _parquet_frames(path: Path) -> Iterator[pd.DataFrame]:
    done = 0
    with _parquet(path) as file:
        for batch in file.iter_batches(batch_size=_CHUNK):
            frame = batch.to_pandas()
            if isinstance(frame.index, pd.RangeIndex):
                frame.index = pd.RangeIndex(done, done + len(frame))
            done += len(frame)
            yield _checked(frame, path)


@contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    parquet = _import("pyarrow.parquet", "parquet files")
    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except DatasetError:
        raise
    except Exception as error:  # pyarrow raises whatever a malformed file leads it to
        raise DatasetError(
            f"cannot be read: {error!r}", "repair the file or take it away", item=path
        ) from error


def _checked(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    if STRUCTURE_COLUMN not in frame:
        raise DatasetError(f"has no column {STRUCTURE_COLUMN!r} but {list(frame)}", "rename one", item=path)
    if frame.empty:
        raise DatasetError("has no rows", "give at least one structure", item=path)
    return frame.set_axis(pd.Index(frame.index.map(str), name="id"))


def frame_entries(frames: Iterable[pd.DataFrame]) -> Iterator[Entry]:
    """The crystals of dataframes that ``read_frames`` gave, in order."""
    for frame in frames:
        for key, stored in frame[STRUCTURE_COLUMN].items():
            yield Entry(str(key), partial(to_structure, stored))


def _frame_total(frames: Iterable[pd.DataFrame], path: Path) -> int:
    if isinstance(frames, list):
        return sum(map(len, frames))
    if _is(path, (".parquet",)):
        with _parquet(path) as file:
            return int(file.metadata.num_rows)
    return sum(map(len, _csv_frames(path)))


def _ase_entries(path: Path) -> Iterator[Entry]:
    frames = _import("ase.io", "files of ASE").iread(path, index=":")
    number = 0
    try:
        for atoms in frames:
            yield Entry(_ase_id(atoms, path, number), partial(as_structure, atoms))
            number += 1
    except Exception as error:  # ASE's parsers raise whatever a malformed file leads them to
        raise DatasetError(
            f"cannot be read from frame {number} on: {error!r}",
            "repair it, for what comes after it is not read",
            item=path,
        ) from error


def _ase_id(atoms: Any, path: Path, number: int) -> str:
    return str(atoms.info.get("id", f"{path.stem}-{number}"))


def _ase_total(path: Path) -> int | None:
    """Number of frames of an XYZ file, each the count of its atoms, a comment and a line for each."""
    if not _is(path, (".xyz", ".extxyz")):
        return None
    total = 0
    with path.open("rb") as lines:
        for line in lines:
            if not line.strip().isdigit():
                return None
            total += 1
            for _ in range(int(line) + 1):
                next(lines, None)
    return total


def _import(module: str, what: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise MissingDependencyError(
            f"{what} need {package}", "install it with pip install 'amdnet-matminer[files]'"
        ) from error
