"""VASP's files: POSCAR, CONTCAR, CHGCAR, LOCPOT and vasprun.xml, and the relaxed crystal of a run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from pymatgen.core import Element, Structure
from pymatgen.io.vasp import Poscar, Vasprun
from pymatgen.io.vasp.inputs import BadPoscarWarning

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.readers.entries import ReadingNote
from amdnet_matminer.readers.faults import REPAIR
from amdnet_matminer.readers.packed import open_bytes, unpacked_name

RUN_FILES = ("vasprun.xml", "CONTCAR", "POSCAR", "CHGCAR", "LOCPOT")
"""Files of one calculation that hold its crystal; the first that is there is read."""


def read_poscar(text: str) -> Structure:
    """Read a POSCAR, or the POSCAR that a CHGCAR begins with.

    Args:
        text: The content of a file.

    Returns:
        The structure.

    Raises:
        DatasetError: It lacks element symbols (VASP 4), or has three different scaling factors.
        Exception: Whatever else a malformed file leads pymatgen to.
    """
    if not text.strip():
        raise DatasetError("is empty", REPAIR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BadPoscarWarning)
        # Without element symbols it would be read as hydrogen, helium, ...
        warnings.filterwarnings("error", "Elements in POSCAR cannot be determined", BadPoscarWarning)
        try:
            return Poscar.from_str(_with_one_scale(text), read_velocities=False).structure
        except BadPoscarWarning as error:
            if "Elements" not in str(error):
                raise
            raise _lack_of_symbols(text) from None


def read_vasprun(path: Path, unlimited: bool = False) -> Structure:
    """Read the last structure of a vasprun.xml.

    Args:
        path: The file; pymatgen opens it by its name.
        unlimited: Unpack it however large it gets.

    Returns:
        The structure.

    Raises:
        Exception: Whatever a malformed or unfinished file leads pymatgen to.
    """
    if unpacked_name(path) != path.name:
        with open_bytes(path, unlimited) as stream:
            while stream.read(2**20):
                pass
    return Vasprun(path, parse_dos=False, parse_eigen=False, parse_potcar_file=False).final_structure


def read_run(files: Sequence[Path], read: Callable[[Path], Structure]) -> Structure:
    """Read the crystal of a calculation.

    Args:
        files: Of one calculation, in the order of ``RUN_FILES``.
        read: Reads one of them.

    Returns:
        The structure of the first. An empty file, as VASP leaves while it runs, and a
        vasprun.xml that ends too early are passed over, with a note.

    Raises:
        DatasetError: None can be read.
    """
    for file, following in pairwise(files):
        try:
            if file.stat().st_size > 0:
                return read(file)
            reason = "is empty"
        except Exception as error:
            if not file.name.startswith("vasprun"):
                raise
            reason = f"cannot be read ({type(error).__name__})"
        warnings.warn(f"{file} {reason}, so {following.name} is read", ReadingNote, stacklevel=2)
    return read(files[-1])


def _with_one_scale(text: str) -> str:
    """The text with one scaling factor where it has three equal ones, which pymatgen does not know."""
    lines = text.splitlines()
    scales = lines[1].split() if len(lines) > 1 else []
    if len(scales) != 3:
        return text
    if len({float(scale) for scale in scales}) > 1:
        raise DatasetError(
            "has three different scaling factors in line 2",
            "multiply the columns of the cell (and of Cartesian coordinates) by them and write 1.0 there",
        )
    return "\n".join([lines[0], scales[0], *lines[2:]])


def _lack_of_symbols(text: str) -> DatasetError:
    lines = text.splitlines()
    n_kinds = len(lines[5].split())
    named = [word for word in lines[0].split() if Element.is_valid_symbol(word)]
    found = f", such as {' '.join(named)!r}," if len(named) == n_kinds else f" with its {n_kinds} symbols"
    return DatasetError(
        "is a POSCAR of VASP 4, without the line of element symbols",
        f"write it{found} before line 6, {lines[5].strip()!r}",
    )
