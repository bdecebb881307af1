"""CIF files: block by block, plain ones by gemmi and others by pymatgen, and what a file says that it lacks.

A block that says that it is incomplete is no crystal: elements of its formula without sites,
hydrogen atoms that are counted but not placed, occupancies that are unknown, a space group
without symmetry operations that nobody knows. Nor is one that pymatgen would read as another crystal:
sites of no element or without coordinates, characters that it leaves out, operations that the cell does
not have. A formula that fits otherwise not, in its amounts or because sites have elements that it lacks,
is a note: formulas are often rounded, or of the crystal before it was changed.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from pymatgen.core import Composition, Element, Lattice, Structure, SymmOp
from pymatgen.io.cif import CifBlock, CifParser

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.readers.entries import ReadingNote
from amdnet_matminer.readers.faults import REPAIR
from amdnet_matminer.readers.plain_cif import read_plain
from amdnet_matminer.readers.space_groups import (
    OPERATIONS,
    check_symmetry,
    listed_operations,
    named_groups,
    symmetry,
)

OCCUPANCY_TOLERANCE = 1.01
"""Occupancies that add up to at most this are 1 and rounded."""

FORMULA_TOLERANCE = 0.01
"""Relative difference of amounts that are taken for equal."""

_BLOCK = re.compile(r"^\s*data_", re.MULTILINE)
_OF_ATOMS = ("_cell_length_a", "_atom_site_")
_FORMULAS = ("_chemical_formula_sum", "_chemical_formula_structural")
_ISOTOPES = {"D": "H", "T": "H"}

_TAG = re.compile(r"(?<!\S)(loop)?_\S*", re.IGNORECASE)
_CELL = (
    *(f"_cell_length_{axis}" for axis in "abc"),
    *(f"_cell_angle_{angle}" for angle in ("alpha", "beta", "gamma")),
)
_PLACE = tuple(f"_atom_site_fract_{axis}" for axis in "xyz")
_MAGNETIC = (
    "_space_group_symop_magn_operation.xyz",
    "_space_group_magn.name_BNS",
    "_space_group_magn.number_BNS",
)
"""Tags of magnetic symmetry, any of which says all of it."""

_NUMBERS = (*_CELL, *_PLACE, "_atom_site_occupancy", *OPERATIONS, _MAGNETIC[0])
"""Tags of values in which every character counts."""

_DASHES = str.maketrans(dict.fromkeys("\x96\x97\xad\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-"))
"""What is typed, or made by a word processor, for a minus; 0x96 and 0x97 are those of Windows."""

_FOREIGN = re.compile(r"\\|[A-Za-z]\\[xuU]([0-9a-f]+)")
"""An escaped character where a symbol has its element: as the first, or as the second if it is a letter."""

_NO_ELEMENT = re.compile(r"OH|(?i:(va|vc|vac[a-z]*|wat[a-z]*|dum[a-z]*)(?![a-z]))")
"""Vacancies, molecules and dummies, of which pymatgen would read V, W and D, or nothing."""


class _Parser(CifParser):
    """pymatgen's parser, which is told the symmetry operations where they are not magnetic."""

    operations: list[SymmOp]

    def get_symops(self, data: CifBlock) -> list[SymmOp]:
        """Get the operations, in place of what pymatgen would guess.

        Args:
            data: The block, which is not used.

        Returns:
            Those that it was told.
        """
        return self.operations


class Block(NamedTuple):
    """A data block of a CIF."""

    name: str
    """What follows ``data_``."""
    text: str


def cif_blocks(text: str) -> list[Block]:
    """Find the data blocks of a CIF that hold a crystal.

    Args:
        text: The content of a file.

    Returns:
        Those with a cell and atom sites, in order; all blocks if none has both.
    """
    blocks = [
        Block(part.split(maxsplit=1)[0] if part.strip() and not part[0].isspace() else "", f"data_{part}")
        for part in _BLOCK.split(f"\n{text}")[1:]
    ]
    with_atoms = [block for block in blocks if all(name in block.text.lower() for name in _OF_ATOMS)]
    return with_atoms or blocks


def read_cif(text: str, number: int | None = None) -> Structure:
    """Read a crystal of a CIF.

    Args:
        text: The content of a file.
        number: Which of ``cif_blocks`` it is in; None where there must be only one.

    Returns:
        The structure, in the cell of the file.

    Raises:
        DatasetError: There is none, or it is not complete, or, without a ``number``, there are several.
        Exception: Whatever else a malformed file leads pymatgen to, which reads all that is not plain.
    """
    blocks = cif_blocks(text)
    if not blocks:
        raise DatasetError("has no data_ block, so it is no CIF", REPAIR)
    if number is None and len(blocks) > 1:
        names = ", ".join(block.name for block in blocks[:5])
        raise DatasetError(f"holds {len(blocks)} crystals, the blocks {names}", "give each a text of its own")
    return _read_block(blocks[number or 0])


def _read_block(block: Block) -> Structure:
    text = block.text if block.text.isascii() else _with_ascii_signs(block.text)
    plain = read_plain(text)
    if plain is not None:
        structure, tags = plain
        _check_formula({name: values[0] for name, values in tags.items()}, structure)
        return structure
    text = _TAG.sub(_as_pymatgen_spells, text)
    if not text.isascii():
        _check_characters(text)
    parser = _Parser.from_str(text, occupancy_tolerance=OCCUPANCY_TOLERANCE, check_cif=False)
    content: dict[str, Any] = next(iter(parser.as_dict().values()), {})
    _check_sites(content)
    try:
        lattice = parser.get_lattice(CifBlock(content, [], block.name))
        guess = _prepare_symmetry(parser, content, lattice)
        structure = parser.parse_structures(primitive=False, on_error="raise")[0]
        check_symmetry(parser.symmetry_operations, structure.lattice)
    except DatasetError:
        raise
    except ValueError as error:
        said = str(error).removeprefix("No structure parsed for section 1 in CIF.\n").rstrip(".")
        said = said.replace("Invalid CIF file with no structures!", "it has no atom that pymatgen can read")
        raise DatasetError(f"cannot be read: {said}", REPAIR) from error
    _check_said(parser.warnings)  # type: ignore[attr-defined]  # which from_str sets
    _check_formula(content, structure, guess)
    return structure


def _with_ascii_signs(text: str) -> str:
    """A text with the minus and the space of ASCII for others, which parsers leave out."""
    text = text.translate(_DASHES)
    return "".join(" " if char.isspace() and not char.isascii() else char for char in text)


def _as_pymatgen_spells(tag: re.Match) -> str:
    """A tag, which may be in capitals or not, as pymatgen looks for it."""
    lower = tag[0].lower()
    return lower.replace("bns", "BNS").replace("_pp", "_Pp") if "magn" in lower else lower


def _check_characters(text: str) -> None:
    """Refuse other than ASCII where it has a meaning: pymatgen leaves it out."""
    visible = "".join(char for char in text if unicodedata.category(char) != "Cf")
    content = CifBlock.from_str(visible.encode("ascii", "backslashreplace").decode()).data
    for tag in _NUMBERS:
        values = content.get(tag, [])
        for value in [values] if isinstance(values, str) else values:
            if "\\" in value:
                raise DatasetError(f"has {value!r} as {tag}", "write it with a keyboard's characters")
    for symbol in content.get("_atom_site_type_symbol", content.get("_atom_site_label", [])):
        match = _FOREIGN.match(symbol)
        if match and (match[1] is None or chr(int(match[1], 16)).isalpha()):
            raise DatasetError(f"has a site of {symbol!r}", "write it with a keyboard's letters")


def _check_sites(content: dict) -> None:
    """Refuse what cannot be read of a block, or only as another crystal."""
    if "_cell_length_a" not in content:
        raise DatasetError("has no cell (_cell_length_a, ...)", "add it")
    if "_atom_site_fract_x" not in content:
        raise DatasetError("has no fractional coordinates (_atom_site_fract_x, ...)", "add them")
    labels = content.get("_atom_site_label", content.get("_atom_site_type_symbol", []))
    symbols = content.get("_atom_site_type_symbol", labels)
    occupancies = content.get("_atom_site_occupancy", ["1"] * len(labels))
    columns = [labels, symbols, occupancies, *(content[name] for name in _PLACE if name in content)]
    if any(isinstance(column, str) or len(column) != len(labels) for column in columns):
        raise DatasetError("does not list its atom sites in one loop_, with one value a tag", "list them so")
    amounts = [_amount(text) for text in occupancies]
    unknown = [label for label, amount in zip(labels, amounts, strict=True) if amount is None]
    if unknown:
        reason = f"has sites whose occupancy is unknown ({', '.join(unknown[:5])})"
        raise DatasetError(reason, "write 1 where they are full")
    filled = [row for row, amount in zip(zip(*columns, strict=True), amounts, strict=True) if amount]
    of_none = [f"{row[0]} of {row[1]!r}" for row in filled if not _is_of_element(row[1])]
    if of_none:
        reason = f"has sites that are of no element ({', '.join(of_none[:5])})"
        raise DatasetError(reason, "write its symbol as their _atom_site_type_symbol, or take them away")
    nowhere = [row[0] for row in filled if "." in row[3:]]
    if nowhere:
        reason = f"has sites without coordinates ({', '.join(nowhere[:5])})"
        raise DatasetError(reason, "add them, or take the sites away")


def _amount(text: str) -> float | None:
    """An occupancy with or without its uncertainty in brackets, None if it is none."""
    try:
        amount = float(re.sub(r"\(.+\)*", "", text))
    except ValueError:  # such as "?"
        return None
    return amount if amount >= 0 else None


def _is_of_element(symbol: str) -> bool:
    """Whether pymatgen reads a symbol, and not as what it does not mean."""
    if _NO_ELEMENT.match(symbol):
        return False
    begins = Element.is_valid_symbol(symbol[:2].title()) or Element.is_valid_symbol(symbol[:1].upper())
    return begins or re.match("w?[A-Z]", symbol) is not None  # the last are dummies, refused as such


def _prepare_symmetry(parser: _Parser, content: dict, lattice: Lattice | None) -> str | None:
    """Tell a parser the symmetry operations; what was guessed of them, as a sentence without its subject."""
    if lattice is None:
        raise DatasetError("has no cell, of which it lacks lengths or angles", "add them")
    magnetic = parser.feature_flags["magcif"]  # type: ignore[attr-defined]  # which from_str sets
    if magnetic and any(content.get(tag) for tag in _MAGNETIC):
        return None
    found = symmetry(content, lattice)
    parser.operations = found.operations
    if magnetic and len(found.operations) > 1:
        if not listed_operations(content):
            names = " and ".join(map(repr, named_groups(content)))
            reason = f"has magnetic moments and the space group {names}, but lists no symmetry operations"
            raise DatasetError(reason, "add them")
        # Beside moments pymatgen does not look for operations that are not magnetic.
        parser.feature_flags["magcif"] = False  # type: ignore[attr-defined]
    return found.guess


def _check_said(said: list[str]) -> None:
    """Refuse, or tell, what the parser says of a block."""
    if any("implicit hydrogens" in line for line in said):
        raise DatasetError("has implicit hydrogens, which are counted but have no sites", "add their sites")
    for line in said:
        if " parsed as " in line:
            warnings.warn(f"symbol {line}", ReadingNote, stacklevel=2)


def _check_formula(content: dict, structure: Structure, guess: str | None = None) -> None:
    """Refuse a crystal that lacks elements of its formula, and tell what was guessed or if amounts differ."""
    if guess is not None:
        warnings.warn(guess, ReadingNote, stacklevel=2)
    formula = next((str(content[name]) for name in _FORMULAS if content.get(name)), None)
    declared = None if formula is None else _declared(formula)
    if declared is None:
        return
    found = _amounts(structure.composition)
    missing = sorted(set(declared) - set(found))
    if missing:
        reason = f"is incomplete, missing elements: its sites lack {', '.join(missing)}"
        raise DatasetError(f"{reason} ({_compared(formula, structure)})", "complete it")
    ratios = [found[symbol] / declared.get(symbol, np.inf) for symbol in found]
    if max(ratios) - min(ratios) > FORMULA_TOLERANCE * max(ratios):
        if guess is not None:
            reason = f"{guess}, which does not give its formula: {_compared(formula, structure)}"
            raise DatasetError(reason, "list the operations that are meant")
        warnings.warn(f"incorrect stoichiometry: {_compared(formula, structure)}", ReadingNote, stacklevel=2)


def _compared(formula: str | None, structure: Structure) -> str:
    return f"its formula is {formula}, its sites are {structure.composition.reduced_formula}"


def _declared(formula: str) -> dict[str, float] | None:
    """Amounts by element, or None where a formula is none that pymatgen reads."""
    try:
        return _amounts(Composition(formula)) or None
    except Exception:  # formulas of minerals and solvates are written in many ways
        return None


def _amounts(composition: Composition) -> dict[str, float]:
    amounts: dict[str, float] = {}
    for symbol, amount in _elements(composition):
        amounts[symbol] = amounts.get(symbol, 0.0) + amount
    return amounts


def _elements(composition: Composition) -> Iterator[tuple[str, float]]:
    for specie, amount in composition.items():
        symbol = getattr(specie, "symbol", str(specie))
        if amount > 0 and Element.is_valid_symbol(symbol):
            yield _ISOTOPES.get(symbol, symbol), float(amount)
