"""The 2021 preset gives the numbers of a model trained with the published code."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure

from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.graphs import DualGraph, SizeLadder, atom_graph, batch_graphs, sizes_of
from amdnet_matminer.motifs import MotifGraph
from amdnet_matminer.network import NetworkConfig, build_network
from amdnet_matminer.network.published import load_published_weights


def rebuild(old: Any) -> Structure:
    """A structure pickled by pymatgen 2020, whose sites lack what today's methods need."""
    sites = vars(old)["_sites"]
    species = [next(iter(vars(site)["_species"])).symbol for site in sites]
    return Structure(
        Lattice(vars(old._lattice)["_matrix"]), species, [vars(s)["_frac_coords"] for s in sites]
    )


def motifs_of(row: pd.Series) -> MotifGraph:
    """The motif graph that the published code read; it kept nothing but what is given here."""
    n_motifs, n_edges = len(row._numbers), len(row._idx_ik)
    nothing = np.zeros(0, dtype=np.int32)
    return MotifGraph(
        center=np.arange(n_motifs, dtype=np.int32),
        name=np.array([""] * n_motifs),
        symmetry_measure=np.zeros(n_motifs, dtype=np.float32),
        fingerprint=np.asarray(row._numbers, dtype=np.float32),
        ligand=nothing,
        ligand_image=nothing.reshape(0, 3),
        ligand_offset=np.zeros(n_motifs + 1, dtype=np.int32),
        bond_length=nothing.astype(np.float32),
        sender=np.asarray(row._idx_jk, dtype=np.int32),
        receiver=np.asarray(row._idx_ik, dtype=np.int32),
        image=np.zeros((n_edges, 3), dtype=np.int32),
        distance=np.asarray(row._offset, dtype=np.float32)[:, 0],
        n_shared=np.ones(n_edges, dtype=np.int32),
        angle=np.zeros(n_edges, dtype=np.float32),
        multiplicity=np.ones(n_motifs, dtype=np.int32),
        edge_multiplicity=np.ones(n_edges, dtype=np.int32),
    )


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "amdnet2021"


@pytest.fixture(scope="module")
def published(folder: Path) -> tuple[keras.Model, list[DualGraph], list[dict]]:
    """The published model, the crystals it was asked about, and what it answered."""
    with (folder / "material_data.pkl").open("rb") as file:
        materials, _ = pickle.load(file)
    motifs = pd.read_pickle(folder / "motif_graph.pkl").set_index("_mid")
    expected = json.loads((folder / "expected.json").read_text())
    graphs = [
        DualGraph(atom_graph(rebuild(materials.structure[key]), 5.0), motifs_of(motifs.loc[key]))
        for key in expected
    ]
    network = build_network(NetworkConfig.of("amdnet-2021"))
    load_published_weights(network, folder / "new_model.hdf5")
    return network, graphs, list(expected.values())


def test_graphs_have_the_published_number_of_edges(published: tuple) -> None:
    _, graphs, expected = published
    assert [len(g.atoms.sender) for g in graphs] == [e["n_atom_edges"] for e in expected]
    assert [len(g.motifs.sender) for g in graphs] == [e["n_motif_edges"] for e in expected]


def test_predictions_equal_the_published_ones(published: tuple) -> None:
    network, graphs, expected = published
    sizes = sizes_of(graphs)
    batch = batch_graphs(graphs, SizeLadder.for_crystals(sizes, len(graphs)).step_for(sizes.sum(axis=0)))
    merged = np.asarray(network.merged(batch))[: len(graphs)]
    np.testing.assert_allclose(merged, [e["merged"] for e in expected], atol=1e-4)
    predicted = np.asarray(network(batch))[: len(graphs), 0]
    np.testing.assert_allclose(predicted, [e["prediction"] for e in expected], atol=1e-4)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.hdf5"
    path.write_bytes(b"not a model")
    with pytest.raises(ModelFileError, match=r"model\.hdf5 is not a model of the published AMDNet"):
        load_published_weights(build_network(NetworkConfig.of("amdnet-2021")), path)


def test_the_atom_branch_alone_takes_no_published_weights(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be 'amdnet-2021'"):
        load_published_weights(build_network(NetworkConfig.of("megnet")), tmp_path / "model.hdf5")
