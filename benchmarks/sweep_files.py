"""Sweep folders of real structure files: what is read, refused and left out, and what pymatgen says.

    python benchmarks/sweep_files.py FOLDER [FOLDER ...]

Every folder is searched with its sub-folders. A crystal is accepted if it can be turned into
graphs and has a place in the network's embedding. pymatgen accepts a file if ``Structure.from_file``
gives an ordered structure. Files that it accepts and that are refused here are listed with the reason.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from common import parse, parser_of, write_result
from pymatgen.core import Structure
from tqdm.auto import tqdm

from amdnet_matminer.errors import AMDNetError
from amdnet_matminer.readers.folders import find_files
from amdnet_matminer.structure_files import Entry, open_crystals, read_noted
from amdnet_matminer.validation.structures import check_elements, check_structure

DETAILS = re.compile(r"\s*\([^()]*\)|'[^']*'|\"[^\"]*\"|[-+]?\d[\d.,e+-]*")
"""What differs between errors for the same reason."""


class Answer(NamedTuple):
    """What became of a crystal."""

    id: str
    error: str
    """Why it is refused; empty if it is accepted."""
    reason: str
    """The same without what is only about this crystal."""
    notes: tuple[str, ...]


def main() -> None:
    """Sweep the folders and write what was found."""
    parser = parser_of(__doc__)
    parser.add_argument("folders", metavar="FOLDER", nargs="+", type=Path)
    options = parse(parser)
    result = {"folders": {_label(folder): sweep(folder) for folder in options.folders}}
    print(write_result("sweep_files", result, options.allow_dirty))


def sweep(folder: Path) -> dict[str, Any]:
    """Read all files of a folder.

    Args:
        folder: It is searched with its sub-folders.

    Returns:
        Counts of files, crystals, and reasons, and the files on which pymatgen and this
        package differ, named from the folder on.
    """
    found = find_files([folder], folder, recursive=True)
    answers: list[Answer] = []
    strict: list[dict[str, str]] = []
    lenient: list[str] = []
    for source in tqdm(found.sources, desc=folder.name):
        path = source.files[0]
        name = path.relative_to(folder).as_posix()
        of_file = list(read_all(path, folder))
        answers += of_file
        refused = [answer for answer in of_file if answer.error]
        accepted_there = pymatgen_accepts(path)
        if refused and accepted_there:
            strict.append({"file": name, "reason": refused[0].error})
        if not refused and not accepted_there:
            lenient.append(name)
    return {
        "files": len(found.sources) + len(found.skipped),
        "read": len(found.sources),
        "skipped": _counted(re.sub(r" \(.*", "", item.reason) for item in found.skipped),
        "crystals": len(answers),
        "accepted": sum(not answer.error for answer in answers),
        "refused": _counted(answer.reason for answer in answers if answer.error),
        "with notes": sum(bool(answer.notes) for answer in answers),
        "refused though pymatgen accepts": strict,
        "accepted though pymatgen refuses": lenient,
    }


def read_all(path: Path, folder: Path) -> Iterator[Answer]:
    """Read the crystals of a file.

    Args:
        path: The file.
        folder: Left out of messages.

    Yields:
        What became of each.
    """
    try:
        for entry in open_crystals(path).entries:
            yield read_one(entry, folder)
    except AMDNetError as error:
        yield _refusal(path.name, error, folder)


def read_one(entry: Entry, folder: Path) -> Answer:
    """Read and check a crystal.

    Args:
        entry: Where it is.
        folder: Left out of messages.

    Returns:
        What became of it.
    """
    try:
        structure, notes = read_noted(entry)
        check_structure(structure)
        check_elements([structure])
    except AMDNetError as error:
        return _refusal(entry.id, error, folder)
    return Answer(entry.id, "", "", notes)


def pymatgen_accepts(path: Path) -> bool:
    """Whether ``Structure.from_file``, or for its files ASE, gives an ordered crystal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return bool(Structure.from_file(path).is_ordered)
        except Exception:  # its parsers raise whatever a malformed file leads them to
            return False


def _refusal(name: str, error: AMDNetError, folder: Path) -> Answer:
    message = " ".join(str(error).split()).replace(f"{folder}/", "")
    return Answer(name, message, " ".join(DETAILS.sub("", error.reason).split()), ())


def _counted(reasons: Iterable[str]) -> dict[str, int]:
    return dict(Counter(reasons).most_common())


def _label(folder: Path) -> str:
    """The last two parts of a folder's path: nothing of this machine."""
    return "/".join(folder.resolve().parts[-2:])


if __name__ == "__main__":
    main()
