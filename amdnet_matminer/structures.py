"""What users call a crystal, as one pymatgen ``Structure``: one place where all of them enter.

Three rules hold wherever a crystal comes from:

- **Periodicity.** A crystal is taken to be periodic in all three directions, with the cell as
  given, whatever its ``pbc`` says: a slab or a molecule in a cell with vacuum is a crystal of
  slabs or molecules. Refused is only a direction that is not periodic and has no cell vector,
  or one too short to hold the atoms, since no such crystal exists.
- **Coordinates.** Atoms far from the home cell are brought into it.
- **Oxidation states** count if every site has one and, in a compound of several elements, some
  are positive and some negative; zeros beside them count only if the charges add up to
  zero, for parsers and failed guesses write 0 where they know nothing. Otherwise all of them
  are removed, and the composition decides what is an anion. States that are given for all
  elements but do not balance are kept: of their signs alone depends what is an anion.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pymatgen.core import (
    Composition,
    DummySpecies,
    Element,
    IMolecule,
    IStructure,
    Lattice,
    Species,
    Structure,
)

from amdnet_matminer.errors import StructureError

FARTHEST_ATOM = 2.0
"""Largest fractional coordinate that stays as it is: farther atoms make searches for neighbours slow."""

_FARTHEST_MEANT = 1e6
"""A larger fractional coordinate has lost the digits that say where in the cell the atom is."""

_SHORTEST_VECTOR = 1e-3
"""A shorter cell vector, in angstrom, is none."""

_CHARGE_TOLERANCE = 0.01
"""Of the sum of a cell's oxidation states, for states that are given with few digits."""

_PARAMETERS = ("a", "b", "c", "alpha", "beta", "gamma")

_OTHERS = {
    "Molecule": ("has no lattice", "put it into a box: molecule.get_boxed_structure(15, 15, 15)"),
    "Composition": ("has no sites", "give a Structure of this composition"),
    "DataFrame": ("is a table", "give its column: df['structure']"),
    "PhonopyAtoms": ("is no pymatgen Structure", "call pymatgen.io.phonopy.get_pmg_structure(atoms)"),
    "Path": ("is a path", "read it: amdnet_matminer.datasets.read_structures(path), or Structure.from_file"),
}
"""What is not taken for a crystal, by the name of a class or of one of its bases: reason and remedy."""


def as_structure(item: Any) -> Structure:
    """Make a pymatgen ``Structure`` of what stands for a crystal.

    Args:
        item: A ``Structure`` or ``IStructure``, ASE's ``Atoms``, or a dictionary as
            ``Structure.as_dict`` makes it.

    Returns:
        The crystal, periodic, with its atoms near the home cell and with oxidation states
        only if they are such (see the module). It is ``item`` itself where nothing had
        to be changed, else a copy: ``item`` stays as it is.

    Raises:
        StructureError: It is something else, or has no cell; the message says what it is and which
            call converts it.
    """
    if isinstance(item, IStructure):
        structure = item
    elif isinstance(item, Mapping) and not isinstance(item, Composition):
        structure = structure_from_dict(item)
    elif _is_atoms(item):
        structure = _of_atoms(item)
    else:
        raise _refusal(item)
    if not isinstance(structure, Structure):
        structure = Structure.from_sites(structure.sites, properties=structure.properties)
    return _with_true_states(_near_home(_periodic(structure)))


def is_structure(content: Any) -> bool:
    """Whether something is the dictionary of one structure, sound or not."""
    return isinstance(content, Mapping) and {"lattice", "sites"} <= set(content)


def structure_from_dict(content: Mapping[str, Any]) -> Structure:
    """Make a structure of the dictionary of one, of nothing but its lattice, species and coordinates.

    Unlike ``Structure.from_dict`` it imports and calls nothing that the dictionary names, at
    any depth: other properties are not read.

    Args:
        content: As ``Structure.as_dict`` makes it, from Python or from JSON.

    Returns:
        The structure, as it is given.

    Raises:
        StructureError: The dictionary is of something else, or broken.
    """
    if "sites" not in content or "lattice" not in content:
        if "sites" in content:
            raise _refused("is the dictionary of a molecule, which has no lattice", _OTHERS["Molecule"][1])
        keys = ", ".join(map(_short, list(content)[:5])) or "none"
        raise _refused(
            f"is a dictionary without 'lattice' and 'sites', its keys being {keys}",
            "give what Structure.as_dict makes",
        )
    try:
        lattice = _lattice(content["lattice"])
        sites = list(content["sites"])
        species = [_species(site["species"]) for site in sites]
        cartesian = any("abc" not in site for site in sites)
        coordinates = _threes([site["xyz" if cartesian else "abc"] for site in sites])
        return Structure(lattice, species, coordinates, coords_are_cartesian=cartesian)
    except StructureError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, np.linalg.LinAlgError) as error:
        raise _refused(
            f"is a broken dictionary of a structure ({type(error).__name__}: {_short(error)})",
            "write it anew with Structure.as_dict or Structure.to",
        ) from error


def _refused(reason: str, remedy: str) -> StructureError:
    return StructureError(reason, remedy)


def _refusal(item: Any) -> StructureError:
    """Why something is no crystal, and the call that makes one of it."""
    kind = type(item).__name__
    if item is None or item is pd.NA or item is pd.NaT or (isinstance(item, float) and np.isnan(item)):
        return _refused(
            f"is missing ({item})", "leave it out, for instance with df.dropna(subset=['structure'])"
        )
    if isinstance(item, str):
        return _refusal_of_text(item)
    for base in type(item).__mro__:
        name = base.__name__.removeprefix("I") if issubclass(base, IMolecule) else base.__name__
        if name in _OTHERS or issubclass(base, Path):
            reason, remedy = _OTHERS.get(name, _OTHERS["Path"])
            return _refused(f"is a {kind}, which {reason}", remedy)
    if isinstance(getattr(item, "structure", None), IStructure):
        return _refused(f"is a {kind}, not a pymatgen Structure", "give its structure: entry.structure")
    return _refused(
        f"is a {kind}, not a pymatgen Structure", "of a dataframe pass the column, such as df['structure']"
    )


def _refusal_of_text(text: str) -> StructureError:
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("{"):
        return _refused("is a text of JSON", "convert it: Structure.from_str(text, fmt='json')")
    if "_cell_length_a" in text:
        return _refused("is a text of CIF", "convert it: Structure.from_str(text, fmt='cif')")
    if start.startswith("Full Formula ("):
        return _refused(
            "is the printed form of a structure, which has not all digits",
            "write structures with structure.to(fmt='json') instead of str(structure)",
        )
    return _refused(
        f"is the text {_short(text)}",
        "read files with amdnet_matminer.datasets.read_structures(path), or Structure.from_file(path)",
    )


def _short(value: Any) -> str:
    """What something is, in few letters."""
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def _is_atoms(item: Any) -> bool:
    """Whether something is of ASE, which need not be installed."""
    ase = sys.modules.get("ase")
    return ase is not None and isinstance(item, ase.Atoms)


def _of_atoms(atoms: Any) -> Structure:
    """The crystal of ASE's atoms: pymatgen's own adaptor would carry calculators and constraints along."""
    cell: NDArray[np.float64] = np.array(atoms.cell, dtype=np.float64)
    pbc = (bool(atoms.pbc[0]), bool(atoms.pbc[1]), bool(atoms.pbc[2]))
    _check_vectors(cell, pbc)
    _check_occupancies(atoms)
    states = atoms.arrays.get("oxi_states")
    symbols = atoms.get_chemical_symbols()
    if states is not None:
        symbols = [_specie(symbol, _state(state)) for symbol, state in zip(symbols, states, strict=True)]
    try:
        return Structure(Lattice(cell, pbc=pbc), symbols, atoms.positions, coords_are_cartesian=True)
    except (ValueError, np.linalg.LinAlgError) as error:
        raise _refused(
            f"has the cell {cell.round(3).tolist()}, whose vectors lie in a plane, or species that are no "
            f"elements ({_short(error)})",
            "repair or remove it",
        ) from error


def _check_occupancies(atoms: Any) -> None:
    """Refuse ASE's atoms that stand for several kinds of atoms or for part of one."""
    occupancies = atoms.info.get("occupancy")
    if not isinstance(occupancies, Mapping):
        return
    kinds = {str(kind) for kind in atoms.arrays.get("spacegroup_kinds", occupancies)}
    for kind, amounts in occupancies.items():
        if str(kind) in kinds and isinstance(amounts, Mapping) and [*amounts.values()] != [1]:
            contents = ", ".join(f"{symbol}:{amount:.3g}" for symbol, amount in amounts.items())
            raise _refused(
                f"is disordered ({contents} by atoms.info['occupancy'])",
                "order it, and then remove this with del atoms.info['occupancy']",
            )


def _periodic(structure: Structure) -> Structure:
    """The crystal with all of its cell vectors taken for periods."""
    pbc = structure.lattice.pbc
    if all(pbc):
        return structure
    matrix = structure.lattice.matrix
    _check_vectors(matrix, pbc)
    extent = np.ptp(structure.frac_coords, axis=0) if len(structure) else np.zeros(3)
    for axis in np.flatnonzero((extent >= 1.0) & ~np.array(pbc)):
        raise _refused(
            f"is not periodic along cell vector {'abc'[axis]} (pbc is {_pbc(pbc)}), and its atoms reach "
            f"{extent[axis]:.3g} times as far as this vector of {structure.lattice.abc[axis]:.3g} angstrom",
            f"make it a crystal: in ASE atoms.center(vacuum=10, axis={axis}), or atoms.pbc = True",
        )
    changed = structure.copy()
    changed.lattice = Lattice(matrix)
    return changed


def _check_vectors(cell: NDArray[np.float64], pbc: tuple[bool, ...]) -> None:
    """Refuse a cell that lacks a vector."""
    absent = np.flatnonzero(np.linalg.norm(cell, axis=1) < _SHORTEST_VECTOR)
    if len(absent):
        axes = ", ".join("abc"[axis] for axis in absent)
        raise _refused(
            f"has no cell vector {axes} (pbc is {_pbc(pbc)}), so it is no crystal",
            f"give it a cell, in ASE with atoms.center(vacuum=10, axis={tuple(absent.tolist())}); "
            "atoms.pbc = True",
        )


def _pbc(pbc: tuple[bool, ...]) -> str:
    return " ".join("FT"[bool(periodic)] for periodic in pbc)


def _near_home(structure: Structure) -> Structure:
    """The crystal with atoms that are far from the home cell brought into it."""
    far = np.abs(structure.frac_coords).max(initial=0.0)
    if not far > FARTHEST_ATOM or not np.isfinite(far):  # what is not finite is refused by its check
        return structure
    if far > _FARTHEST_MEANT:
        raise _refused(
            f"has an atom {far:.3g} cells away, which no longer tells its place in the cell",
            "repair or remove it",
        )
    changed = structure.copy()
    changed.translate_sites(range(len(changed)), (0.0, 0.0, 0.0), to_unit_cell=True)
    return changed


def _with_true_states(structure: Structure) -> Structure:
    """The crystal without oxidation states where they are none, see the module."""
    species = {specie for site in structure for specie in site.species}
    states = [_state(getattr(specie, "oxi_state", None)) for specie in species]
    given = [state for state in states if state is not None]
    if not given or _are_true(structure, species, states):
        return structure
    changed = structure.copy()
    changed.remove_oxidation_states()
    return changed


def _are_true(structure: Structure, species: set[Any], states: list[float | None]) -> bool:
    """Whether oxidation states, some of which are given, are what they say."""
    given = [state for state in states if state is not None]
    if any(isinstance(specie, DummySpecies) for specie in species):
        return True  # refused by its check, which names it as it was
    if len(given) < len(states) or not any(given):
        return False
    if len({specie.symbol for specie in species}) == 1:
        return True
    if not min(given) < 0 < max(given):
        return False
    if 0 not in given:
        return True
    charge = sum(amount * float(specie.oxi_state or 0) for specie, amount in structure.composition.items())
    return abs(charge) < _CHARGE_TOLERANCE


def _state(value: Any) -> float | None:
    """An oxidation state, None if it is not given."""
    return None if value is None or np.isnan(value) else float(value)


def _lattice(content: Any) -> Lattice:
    first, second, third = map(bool, content.get("pbc", (True, True, True)))
    pbc = (first, second, third)
    if "matrix" in content:
        matrix = _threes(content["matrix"])
        _check_vectors(matrix, pbc)
        return Lattice(matrix, pbc=pbc)
    return Lattice.from_parameters(*(float(content[name]) for name in _PARAMETERS), pbc=pbc)


def _threes(rows: Any) -> NDArray[np.float64]:
    """Rows of three numbers as an array of shape (R, 3)."""
    numbers = np.array([*map(list, rows)], dtype=np.float64).reshape(len(rows), -1)
    if numbers.shape != (len(rows), 3):
        raise ValueError("a vector has not three numbers")
    return numbers


def _species(content: Any) -> Any:
    """What is on a site: a specie, or several with their occupancies."""
    amounts: dict[Element | Species | DummySpecies, float] = {}
    for part in content:
        specie = _specie(str(part["element"]), _state(part.get("oxidation_state")))
        amounts[specie] = amounts.get(specie, 0.0) + float(part["occu"])
    return next(iter(amounts)) if list(amounts.values()) == [1.0] else amounts


@lru_cache(maxsize=4096)
def _specie(symbol: str, state: float | None) -> Element | Species | DummySpecies:
    if not Element.is_valid_symbol(symbol):
        return DummySpecies(symbol, 0 if state is None else state)
    return Element(symbol) if state is None else Species(symbol, state)
