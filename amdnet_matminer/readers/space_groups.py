"""Symmetry of CIFs: operations that are listed, those of a space group that is named, and what a cell has.

A name may stand for several settings of a space group, such as two choices of the origin. Of those that the
cell has and that all names of a file allow, the first of the International Tables is taken, as by other
programs, and that it was a guess is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import gemmi
import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Lattice, SymmOp

from amdnet_matminer.errors import DatasetError

OPERATIONS = (
    "_symmetry_equiv_pos_as_xyz",
    "_symmetry_equiv_pos_as_xyz_",
    "_space_group_symop_operation_xyz",
    "_space_group_symop_operation_xyz_",
)
"""Tags of operations, in lower case like all tags here; the first that a file has counts."""

UNKNOWN = ("", "?", ".")
"""Values that say nothing."""

STRAIN_TOLERANCE = 0.02
"""By how much operations may stretch a cell that they should keep: cells are rounded, or measured."""

_HERMANN_MAUGUIN = (
    "_symmetry_space_group_name_h-m",
    "_symmetry_space_group_name_h-m_",
    "_symmetry_space_group_name_h_m",
    "_symmetry_space_group_name_h_m_",
    "_space_group_name_h-m_alt",
    "_space_group_name_h-m_alt_",
    "_space_group_name_h-m_full",
)
_HALL = (
    "_space_group_name_hall",
    "_space_group_name_hall_",
    "_symmetry_space_group_name_hall",
    "_symmetry_space_group_name_hall_",
)
_NUMBER = (
    "_space_group_it_number",
    "_space_group_it_number_",
    "_symmetry_int_tables_number",
    "_symmetry_int_tables_number_",
)

_NO_PART_OF_A_NAME = re.compile(r"[_()~'\"]")
_SUFFIX = re.compile(r"[\s:]*([SZHR])$", re.IGNORECASE)
_SUFFIXES = {"S": "1", "Z": "2"}
"""What the ICSD calls the two choices of an origin."""

_LAST_TRICLINIC = 2

_Settings = dict[str, gemmi.SpaceGroup]
"""Settings of space groups by their Hall symbols, in the order of the International Tables."""


class Symmetry(NamedTuple):
    """The symmetry operations of a crystal."""

    operations: list[SymmOp]
    guess: str | None = None
    """What was guessed, as a sentence without its subject; None where a file says all."""


def keep_cell(rotations: ArrayLike, matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell whether operations keep the lengths and angles of a cell.

    Args:
        rotations: K matrices on columns of fractional coordinates, shape (K, 3, 3).
        matrix: The cell vectors as rows, in angstrom, shape (3, 3).

    Returns:
        For each whether it stretches nothing by more than ``STRAIN_TOLERANCE``, shape (K,).
    """
    cartesian = matrix.T @ np.asarray(rotations, dtype=np.float64) @ np.linalg.inv(matrix.T)
    # To first order lengths change by half of what this differs from 1, the strain.
    strain = (cartesian.transpose(0, 2, 1) @ cartesian - np.eye(3)) / 2
    within: NDArray[np.bool_] = np.abs(strain).max(axis=(1, 2)) <= STRAIN_TOLERANCE
    return within


def listed_operations(content: Mapping[str, Any]) -> list[SymmOp]:
    """Read the operations that a block of a CIF lists.

    Args:
        content: The values of its tags; those of a loop are lists.

    Returns:
        Them, none if it lists none.
    """
    for tag in OPERATIONS:
        texts = _values(content, tag)
        if not set(texts) <= set(UNKNOWN):
            return [SymmOp.from_xyz_str(text) for text in texts]
    return []


def named_groups(content: Mapping[str, Any]) -> list[str]:
    """Find what a block of a CIF calls its space group, in words or a number.

    Args:
        content: The values of its tags.

    Returns:
        Each name once.
    """
    return _named(content, (*_HERMANN_MAUGUIN, *_HALL, *_NUMBER))


def symmetry(content: Mapping[str, Any], lattice: Lattice) -> Symmetry:
    """Find the symmetry operations of a block of a CIF, of its list or else of its space group.

    Args:
        content: The values of its tags.
        lattice: Its cell.

    Returns:
        The operations; the identity where it neither lists any nor names a group.

    Raises:
        DatasetError: It lists none and names a group that is not known, has several settings of which none
            is the usual one, or that its cell does not have; or its names are of several groups.
    """
    listed = listed_operations(content)
    if listed:
        return Symmetry(listed)
    names = named_groups(content)
    if not names:
        return Symmetry([SymmOp.from_xyz_str("x, y, z")])
    found = _settings(content, lattice, names)
    guess = (
        f"names the space group {_called(names)}, of which {len(found)} settings fit, and lists no symmetry "
        f"operations: {found[0].xhm()} is taken"
    )
    operations = [SymmOp.from_xyz_str(operation.triplet()) for operation in found[0].operations()]
    return Symmetry(operations, guess if len(found) > 1 else None)


def _settings(content: Mapping[str, Any], lattice: Lattice, names: list[str]) -> list[gemmi.SpaceGroup]:
    """The settings that all names allow and the cell has, at least one, the one to take first."""
    called = _called(names)
    allowed = [
        *map(_of_hermann_mauguin, _named(content, _HERMANN_MAUGUIN)),
        *map(_of_hall, _named(content, _HALL)),
        *map(_of_number, _named(content, _NUMBER)),
    ]
    known = [settings for settings in allowed if settings]
    if not known:
        raise _refused(f"has the unknown space group {names[0]!r}")
    common = [group for hall, group in known[0].items() if all(hall in settings for settings in known)]
    if not common:
        raise _refused(f"has names of several space groups or settings, {called},")
    found = [group for group in common if keep_cell(_rotations(group), lattice.matrix).all()]
    if not found:
        cell = ", ".join(f"{value:.5g}" for value in lattice.parameters)
        raise _refused(f"has the space group {called}, which a cell of {cell} has not,")
    if len(found) > 1 and (len(known) < len(allowed) or found[0].hall != common[0].hall):
        raise _refused(f"has the space group {called}, of which it is not clear which setting is meant,")
    return found


def check_symmetry(operations: list[Any], lattice: Lattice) -> None:
    """Refuse symmetry operations that a cell does not have.

    Args:
        operations: pymatgen's, ordinary ones or magnetic ones.
        lattice: The cell.

    Raises:
        DatasetError: It does not have one; the message names it.
    """
    kept = keep_cell([operation.rotation_matrix for operation in operations], lattice.matrix)
    if not kept.all():
        text = operations[int(kept.argmin())].as_xyz_str()
        cell = ", ".join(f"{value:.5g}" for value in lattice.parameters)
        reason = f"has the symmetry operation '{text}', which a cell of {cell} has not"
        raise DatasetError(reason, "correct the operations or the cell")


def _called(names: list[str]) -> str:
    return " and ".join(map(repr, names))


def _refused(reason: str) -> DatasetError:
    return DatasetError(f"{reason} and lists no symmetry operations", "add them")


def _values(content: Mapping[str, Any], tag: str) -> list[str]:
    value = content.get(tag, [])
    return [value] if isinstance(value, str) else list(value)


def _named(content: Mapping[str, Any], tags: tuple[str, ...]) -> list[str]:
    texts = [text.strip(" '\"") for tag in tags for text in _values(content, tag)]
    return [text for text in dict.fromkeys(texts) if text not in UNKNOWN]


def _of_hermann_mauguin(name: str) -> _Settings:
    plain = _NO_PART_OF_A_NAME.sub("", name)
    suffix = _SUFFIX.search(plain)
    if suffix is not None:
        letter = suffix[1].upper()
        plain = f"{plain[: suffix.start()]}:{_SUFFIXES.get(letter, letter)}"
    found = gemmi.find_spacegroup_by_name(plain)
    if found is None:
        return {}
    if ":" in plain:
        return {found.hall: found}
    return {group.hall: group for group in gemmi.spacegroup_table() if group.hm == found.hm}


def _of_hall(name: str) -> _Settings:
    try:
        found = gemmi.find_spacegroup_by_ops(gemmi.symops_from_hall(name))
    except (RuntimeError, ValueError):  # gemmi's of what is no Hall symbol: an unknown name
        return {}
    return {} if found is None else {found.hall: found}


def _of_number(text: str) -> _Settings:
    match = re.fullmatch(r"(\d+)(\.0*)?", text)
    number = 0 if match is None else int(match[1])
    groups = [group for group in gemmi.spacegroup_table() if group.number == number]
    if number <= _LAST_TRICLINIC:  # of which centred cells are called by names, if at all
        groups = groups[:1]
    return {group.hall: group for group in groups}


def _rotations(group: gemmi.SpaceGroup) -> NDArray[np.float64]:
    return np.array([operation.rot for operation in group.operations().sym_ops]) / gemmi.Op.DEN
