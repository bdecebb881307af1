"""Whatever is wrong with a graph is found and named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from amdnet_matminer.errors import StructureError
from amdnet_matminer.graphs import DualGraph, DualGraphConverter, check_graph
from amdnet_matminer.motifs import MotifGraph, motif_graph


@pytest.fixture(scope="module")
def graph(rutile) -> DualGraph:
    return DualGraphConverter(symmetry_reduction=False).convert(rutile)


@pytest.mark.parametrize("reduce", [True, False])
def test_graphs_of_crystals_are_sound(crystals, reduce) -> None:
    for crystal in crystals:
        check_graph(DualGraphConverter(symmetry_reduction=reduce).convert(crystal))
        check_graph(DualGraphConverter(motifs=None).convert(crystal))
        check_graph(motif_graph(crystal))
    check_graph(MotifGraph.empty())


def replaced(graph: DualGraph, field: str, value) -> DualGraph:
    level, name = field.split(".")
    arrays = getattr(graph, level)
    old = getattr(arrays, name)
    return replace(graph, **{level: arrays._replace(**{name: value(old.copy())})})


def first(value):
    """The array with another first value."""

    def change(array):
        array.flat[0] = value
        return array

    return change


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("atoms.atomic_number", first(0), "from 0 to 22, not in 1 to 94"),
        ("atoms.atomic_number", first(95), "from 8 to 95, not in 1 to 94"),
        ("atoms.sender", first(6), "not in 0 to 5"),
        ("atoms.receiver", first(-1), "from -1 to 5"),
        ("atoms.distance", first(np.nan), "from nan"),
        ("atoms.distance", first(np.inf), "to inf"),
        ("atoms.distance", first(0.0), "from 0.0"),
        ("atoms.multiplicity", first(0), "from 0"),
        ("atoms.edge_multiplicity", first(-1), "from -1"),
        ("atoms.edge_multiplicity", first(2**30), "to 1073741824"),
        ("atoms.image", lambda a: a[:, :2], r"has shape .*, not .*3"),
        ("atoms.image", np.ravel, "no array of 2 dimension"),
        ("atoms.distance", lambda a: a.astype(np.float64), "is of float64, not of float32"),
        ("atoms.distance", lambda a: a.astype(np.complex64), "is of complex64"),
        ("atoms.sender", lambda a: a.astype(np.int64), "is of int64, not of int32"),
        ("atoms.sender", lambda a: a.astype(object), "is of object"),
        ("atoms.sender", np.ndarray.tolist, "is no array"),
        ("atoms.receiver", lambda a: a[:-1], "has shape"),
        ("motifs.center", first(6), "not in 0 to 5"),
        ("motifs.name", lambda a: np.arange(len(a)), "is of int64, not of str"),
        ("motifs.fingerprint", first(np.nan), "from nan"),
        ("motifs.fingerprint", first(1e6), "not in -2 to 2"),
        ("motifs.fingerprint", lambda a: a[:, :60], "has shape"),
        ("motifs.ligand", first(6), "not in 0 to 5"),
        ("motifs.bond_length", first(-1.0), "from -1.0"),
        ("motifs.ligand_offset", first(1), "does not share the ligands out"),
        ("motifs.ligand_offset", lambda a: a[:-1], "does not share the ligands out"),
        ("motifs.ligand_offset", lambda a: a[:0], "does not share the ligands out"),
        ("motifs.ligand_offset", lambda a: a + np.array([0, 20, 0], dtype=np.int32), "decreases"),
        ("motifs.sender", first(2), "not in 0 to 1"),
        ("motifs.n_shared", first(0), "from 0"),
        ("motifs.angle", first(181.0), "to 181.0"),
        ("motifs.multiplicity", first(0), "from 0"),
    ],
)
def test_what_is_wrong_is_named(graph, field, value, reason) -> None:
    with pytest.raises(StructureError, match=f"{field}.*{reason}.*make the graph anew from its structure"):
        check_graph(replaced(graph, field, value))


def test_other_things_are_no_graphs(graph, rutile) -> None:
    nothing = graph.atoms._make(array[:0] for array in graph.atoms)
    for other, reason in (
        (rutile, "is a Structure, not a DualGraph"),
        (graph.levels, "is a tuple, not a DualGraph"),
        (replace(graph, atoms=tuple(graph.atoms)), "has no AtomGraph"),
        (replace(graph, motifs=None), "no MotifGraph"),
        (replace(graph, atoms=nothing, motifs=MotifGraph.empty()), "without atoms"),
    ):
        with pytest.raises(StructureError, match=reason):
            check_graph(other)


def test_motifs_alone_may_be_of_any_sites(graph) -> None:
    moved = graph.motifs._replace(center=graph.motifs.center + 50)
    check_graph(moved)
    with pytest.raises(StructureError, match=r"motifs\.center"):
        check_graph(replace(graph, motifs=moved))
