"""Checks of what users pass in, before any work starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import DummySpecies, Structure

from amdnet_matminer.errors import StructureError, TargetError

CLOSEST_ATOMS = 0.1
"""Two atoms nearer than this, in angstrom, are taken for one atom given twice."""

HEAVIEST_ELEMENT = 94
"""Largest atomic number of the element embedding (plutonium), as in the published network."""

_CHOICES: dict[str, tuple[str, ...]] = {
    "architecture": ("amdnet-2021", "megnet"),
    "schedule": ("cosine", "constant"),
    "loss": ("mae", "mse"),
}
_POSITIVE = ("atom_cutoff", "motif_cutoff", "learning_rate")
_COUNTS = ("rbf_edge_dim_atom", "rbf_edge_dim_motif", "epochs", "batch_size", "patience")


def check_structures(structures: Iterable[Structure]) -> list[Structure]:
    """Make a list of structures and check every one of them.

    Args:
        structures: A list, pandas Series or object array of pymatgen structures.

    Returns:
        The same structures as a list.

    Raises:
        StructureError: There is none, or one cannot be used; the message names its
            index, the site, the reason and the remedy.
    """
    if isinstance(structures, Structure):
        raise StructureError("got a single Structure; pass a list of structures: [structure]")
    listed = list(structures)
    if not listed:
        raise StructureError("got no structures; pass at least one")
    for index, structure in enumerate(listed):
        check_structure(structure, f"structure {index}")
    return listed


def check_structure(structure: Any, name: str = "structure") -> None:
    """Check that one crystal can be turned into graphs.

    Args:
        structure: What should be a pymatgen ``Structure``.
        name: How messages call it.

    Raises:
        StructureError: It is no structure, empty, disordered, not finite, or two of
            its atoms are at one place.
    """
    if not isinstance(structure, Structure):
        raise StructureError(
            f"{name} is a {type(structure).__name__}, not a pymatgen Structure; "
            "of a dataframe pass the column, such as df['structure']"
        )
    if len(structure) == 0:
        raise StructureError(f"{name} has no sites; remove it")
    _check_sites(structure, name)
    _check_geometry(structure, name)


def check_elements(structures: Sequence[Structure]) -> None:
    """Check that every element has a place in the network's embedding.

    Args:
        structures: Ordered crystals.

    Raises:
        StructureError: An element is heavier than plutonium.
    """
    for index, structure in enumerate(structures):
        numbers = np.array(structure.atomic_numbers)
        if numbers.max() > HEAVIEST_ELEMENT:
            site = int(numbers.argmax())
            raise StructureError(
                f"structure {index}, site {site}: element {structure[site].specie.symbol} "
                f"(Z={numbers[site]}) is beyond the embedding, which ends at Z={HEAVIEST_ELEMENT}; remove it"
            )


def check_targets(y: Any, n_structures: int) -> NDArray[np.float64]:
    """Turn labels into an array and check that each structure has a finite one.

    Args:
        y: Numbers, one per structure.
        n_structures: How many there must be.

    Returns:
        The labels, shape (n_structures,).

    Raises:
        TargetError: The count differs, a label is no finite number, or labels have
            more than one column.
    """
    try:
        array = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TargetError(f"labels are not numbers: {error}") from error
    if array.ndim != 1:
        raise TargetError(f"labels must have shape (n_structures,), got {array.shape}")
    if len(array) != n_structures:
        raise TargetError(f"got {n_structures} structures but {len(array)} labels; pass one for each")
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise TargetError(
            f"label {bad[0]} is {array[bad[0]]} ({len(bad)} not finite in all); "
            "remove these structures or supply their labels"
        )
    return array


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Check the parameters of an estimator.

    Args:
        parameters: As ``get_params`` gives them.

    Raises:
        ValueError: One is out of its range; the message names it and the range.
    """
    for name, value in parameters.items():
        if name in _CHOICES and value not in _CHOICES[name]:
            raise ValueError(f"{name} must be one of {list(_CHOICES[name])}, got {value!r}")
        if name in _POSITIVE and not (_is_number(value) and value > 0):
            raise ValueError(f"{name} must be a number above 0, got {value!r}")
        if name in _COUNTS and not (isinstance(value, int | np.integer) and value >= 1):
            raise ValueError(f"{name} must be an integer of at least 1, got {value!r}")
    if not (_is_number(parameters["validation_fraction"]) and 0 <= parameters["validation_fraction"] < 1):
        raise ValueError(f"validation_fraction must be in [0, 1), got {parameters['validation_fraction']!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and bool(np.isfinite(value))


def _check_sites(structure: Structure, name: str) -> None:
    for number, site in enumerate(structure):
        if not site.is_ordered:
            raise StructureError(
                f"{name}, site {number} is disordered ({site.species_string}); "
                "order it first, for instance with pymatgen's OrderDisorderedStructureTransformation"
            )
        if isinstance(site.specie, DummySpecies):
            raise StructureError(
                f"{name}, site {number} holds the dummy species {site.specie}; give an element"
            )


def _check_geometry(structure: Structure, name: str) -> None:
    if not np.isfinite(structure.lattice.matrix).all() or not np.isfinite(structure.frac_coords).all():
        raise StructureError(f"{name} has a lattice or coordinates that are not finite; repair or remove it")
    if structure.volume < 1e-3 * len(structure):
        raise StructureError(
            f"{name} has a cell of {structure.volume:.2g} cubic angstrom; repair or remove it"
        )
    first, second, _, distance = structure.get_neighbor_list(CLOSEST_ATOMS)
    if len(distance):
        nearest = int(distance.argmin())
        raise StructureError(
            f"{name}, sites {first[nearest]} and {second[nearest]} are at one place "
            f"({distance[nearest]:.3f} angstrom apart); remove one, for instance with structure.merge_sites"
        )
