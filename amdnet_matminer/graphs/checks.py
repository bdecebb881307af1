"""Whether a graph is what a network may be given: arrays of the right kind, indices that point somewhere.

Networks do not look: an index out of range ends in an error of the backend, or in a
prediction from other memory. So graphs from files and from callers are checked once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from amdnet_matminer.errors import StructureError
from amdnet_matminer.graphs.crystal import AtomGraph, DualGraph
from amdnet_matminer.motifs import FINGERPRINT_LABELS, MotifGraph
from amdnet_matminer.motifs.symmetry_measure import MOST
from amdnet_matminer.validation.structures import HEAVIEST_ELEMENT

_LARGEST_COUNT = 2**24
"""Of sites or pairs that one stands for; from here on float32 does not tell numbers apart."""
_NEAREST, _FARTHEST = 1e-6, 1e3
"""Neighbours are no nearer and no farther apart, in angstrom."""
_LARGEST_FINGERPRINT = 2.0
"""An order parameter is 1 at most; noise in the angles takes some a little below 0."""


class _Field(NamedTuple):
    """What the array of one field must be."""

    kind: str
    """``"i"`` int32, ``"f"`` float32, ``"U"`` text."""
    rows: str
    """What there is a row for; all fields with the same have as many."""
    low: float = 0.0
    """Smallest value."""
    high: float | str | None = None
    """Largest value; a name is what the value is an index of; None is any value."""
    columns: tuple[int, ...] = ()


_ATOMS = {
    "atomic_number": _Field("i", "atoms", 1, HEAVIEST_ELEMENT),
    "sender": _Field("i", "pairs", 0, "atoms"),
    "receiver": _Field("i", "pairs", 0, "atoms"),
    "image": _Field("i", "pairs", columns=(3,)),
    "distance": _Field("f", "pairs", _NEAREST, _FARTHEST),
    "multiplicity": _Field("i", "atoms", 1, _LARGEST_COUNT),
    "edge_multiplicity": _Field("i", "pairs", 1, _LARGEST_COUNT),
}
_MOTIFS = {
    "center": _Field("i", "motifs", 0, "atoms"),
    "name": _Field("U", "motifs"),
    "symmetry_measure": _Field("f", "motifs", 0.0, MOST),
    # NaN where there is no polyhedron to compare with.
    "bond_angle_variance": _Field("f", "motifs"),
    "quadratic_elongation": _Field("f", "motifs"),
    "fingerprint": _Field(
        "f", "motifs", -_LARGEST_FINGERPRINT, _LARGEST_FINGERPRINT, (len(FINGERPRINT_LABELS),)
    ),
    "ligand": _Field("i", "ligands", 0, "atoms"),
    "ligand_image": _Field("i", "ligands", columns=(3,)),
    "ligand_offset": _Field("i", "offsets"),
    "bond_length": _Field("f", "ligands", _NEAREST, _FARTHEST),
    "sender": _Field("i", "connections", 0, "motifs"),
    "receiver": _Field("i", "connections", 0, "motifs"),
    "image": _Field("i", "connections", columns=(3,)),
    # Files of the published code have contacts of a motif with itself, at 0.
    "distance": _Field("f", "connections", 0.0, _FARTHEST),
    "n_shared": _Field("i", "connections", 1, _LARGEST_COUNT),
    "angle": _Field("f", "connections", 0.0, 180.001),
    "multiplicity": _Field("i", "motifs", 1, _LARGEST_COUNT),
    "edge_multiplicity": _Field("i", "connections", 1, _LARGEST_COUNT),
}
_DTYPES = {"i": np.dtype(np.int32), "f": np.dtype(np.float32)}


def check_graph(graph: DualGraph | MotifGraph) -> None:
    """Check that a graph is whole: types, shapes, indices and ranges of all its arrays.

    Args:
        graph: Both graphs of a crystal, or that of its motifs alone, whose site indices
            may then be any.

    Raises:
        StructureError: It is not; the message names the field and what is wrong with it.
    """
    if isinstance(graph, MotifGraph):
        _check_motifs(graph, {"atoms": _LARGEST_COUNT})
        return
    if not isinstance(graph, DualGraph):
        raise _broken(f"is a {type(graph).__name__}, not a DualGraph")
    if type(graph.atoms) is not AtomGraph or type(graph.motifs) is not MotifGraph:
        raise _broken("has no AtomGraph as its atoms, or no MotifGraph as its motifs")
    counts: dict[str, int] = {}
    _check_level("atoms", graph.atoms, _ATOMS, counts)
    if counts["atoms"] == 0:
        raise _broken("has a graph without atoms")
    _check_motifs(graph.motifs, counts)


def _check_motifs(motifs: MotifGraph, counts: dict[str, int]) -> None:
    _check_level("motifs", motifs, _MOTIFS, counts)
    offset = motifs.ligand_offset
    if len(offset) != counts["motifs"] + 1 or offset[0] != 0 or offset[-1] != counts["ligands"]:
        raise _broken("has a graph whose motifs.ligand_offset does not share the ligands out to the motifs")
    if (offset[1:] < offset[:-1]).any():
        raise _broken("has a graph whose motifs.ligand_offset decreases")


def _check_level(level: str, arrays: Any, fields: dict[str, _Field], counts: dict[str, int]) -> None:
    """Check each array of a level; ``counts`` has how many there are of what, and takes up new ones."""
    for array, (name, field) in zip(arrays, fields.items(), strict=True):
        _check_form(f"{level}.{name}", array, field, counts)
    for array, (name, field) in zip(arrays, fields.items(), strict=True):
        if field.high is None or array.size == 0:
            continue
        high = counts[field.high] - 1 if isinstance(field.high, str) else field.high
        least, most = np.minimum.reduce(array, axis=None), np.maximum.reduce(array, axis=None)
        # So written, NaN is refused too.
        if not (field.low <= least and most <= high):
            raise _broken(
                f"has a graph with {level}.{name} from {least} to {most}, not in {field.low:g} to {high:g}"
            )


def _check_form(name: str, array: Any, field: _Field, counts: dict[str, int]) -> None:
    if not isinstance(array, np.ndarray) or array.ndim != 1 + len(field.columns):
        raise _broken(f"has a graph whose {name} is no array of {1 + len(field.columns)} dimension(s)")
    rows = counts.setdefault(field.rows, len(array))
    if array.shape != (rows, *field.columns):
        raise _broken(f"has a graph whose {name} has shape {array.shape}, not {(rows, *field.columns)}")
    if array.dtype.kind != field.kind or array.dtype != _DTYPES.get(field.kind, array.dtype):
        raise _broken(
            f"has a graph whose {name} is of {array.dtype}, not of {_DTYPES.get(field.kind, 'str')}"
        )


def _broken(reason: str) -> StructureError:
    return StructureError(reason, "make the graph anew from its structure")
