"""The converter: what it makes, and that equal ones make equal graphs."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from amdnet_matminer.errors import StructureError
from amdnet_matminer.graphs import DualGraphConverter, LazyGraphs
from amdnet_matminer.graphs import converter as converting


def test_equal_converters_are_one(rutile):
    converter = DualGraphConverter(n_neighbors=12)
    same = pickle.loads(pickle.dumps(converter))
    assert len({converter, same, DualGraphConverter(5.0, 12), DualGraphConverter()}) == 2
    assert converter.convert(rutile).converter == same
    with pytest.raises(ValueError, match="motifs must be None or one of"):
        DualGraphConverter(motifs="all")


@pytest.mark.parametrize(
    ("parameter", "values", "text"),
    [
        ("n_neighbors", (0, -3, 2.5, True), "None or an integer from 1 to 1000"),
        ("atom_cutoff", (0.0, -1.0, np.nan, np.inf, "5", 21.0), "a number above 0, at most 20"),
        ("symmetry_reduction", (None, 1), "True or False"),
    ],
)
def test_parameters_out_of_range(parameter, values, text):
    for value in values:
        with pytest.raises(ValueError, match=f"^{parameter} must be {text}, got {value!r}"):
            DualGraphConverter(**{parameter: value})


def test_the_settings_reach_the_graphs(rutile):
    whole = DualGraphConverter(symmetry_reduction=False).convert(rutile)
    assert (len(whole.atoms.atomic_number), whole.n_atoms) == (6, 6)
    reduced = DualGraphConverter(n_neighbors=3).convert(rutile)
    assert (len(reduced.atoms.atomic_number), reduced.n_atoms) == (2, 6)
    assert len(reduced.atoms.sender) < len(DualGraphConverter().convert(rutile).atoms.sender)
    assert len(DualGraphConverter(motifs=None).convert(rutile).motifs.center) == 0


@pytest.mark.parametrize("cached", [True, False])
def test_many(crystals, tmp_path, cached):
    converter = DualGraphConverter(n_neighbors=4)
    for _ in range(2):
        graphs = converter.convert_many(crystals, cache_dir=tmp_path if cached else None)
        assert isinstance(graphs, LazyGraphs) == cached
        for graph, crystal in zip(graphs, crystals, strict=True):
            assert graph.converter == converter
            np.testing.assert_array_equal(graph.atoms.sender, converter.convert(crystal).atoms.sender)


def test_all_are_checked_before_the_first_is_made(rutile, monkeypatch):
    monkeypatch.setattr(converting, "dual_graphs", None)
    heavy = Structure(Lattice.cubic(5), ["Cm"], [[0] * 3])
    with pytest.raises(StructureError, match="structure 1, site 0 is Cm"):
        DualGraphConverter().convert_many([rutile, heavy])
