"""The 2021 preset gives the numbers of a model trained with the published code."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.graphs import (
    DualGraph,
    DualGraphConverter,
    SizeLadder,
    atom_graph,
    batch_graphs,
    sizes_of,
)
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
        bond_angle_variance=np.zeros(n_motifs, dtype=np.float32),
        quadratic_elongation=np.ones(n_motifs, dtype=np.float32),
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


CENTERS = {"atom": np.linspace(0.0, 5.0, 8), "motif": np.linspace(0.0, 11.0, 9)}
"""Of the Gaussians of the small files below, in angstrom."""


def published_arrays(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Random weights under the names and in the shapes of the published code's files."""
    shapes: dict[str, tuple[int, ...]] = {"embedding/embedding/embeddings:0": (95, 16)}
    widths = [(2 * 16, 32), (32, 1)]
    for node_width, n_centers in ((61, len(CENTERS["motif"])), (16, len(CENTERS["atom"]))):
        read = [(inputs, 64, 32) for inputs in (node_width, n_centers, 2)] + [(32, 64, 32)] * 6
        dense = [pair for inputs, *outputs in read for pair in ((inputs, outputs[0]), tuple(outputs))]
        widths = [*dense, (96, 32), (32, 16), (16, 16), *widths]
    for k, (inputs, outputs) in enumerate(widths):
        name = "dense" if k == 0 else f"dense_{k}"
        shapes[f"{name}/{name}/kernel:0"] = (inputs, outputs)
        shapes[f"{name}/{name}/bias:0"] = (outputs,)
    for k in range(6):
        name = "meg_net_layer" if k == 0 else f"meg_net_layer_{k}"
        for letter, inputs in (("e", 128), ("v", 96), ("u", 96)):
            for i, pair in enumerate(((inputs, 64), (64, 64), (64, 32))):
                place = f"{name}/{name}/{name}/phi_{letter}"
                shapes |= {f"{place}/weight_{letter}_{i}:0": pair, f"{place}/bias_{letter}_{i}:0": pair[1:]}
    for k in range(4):
        name = "set2_set" if k == 0 else f"set2_set_{k}"
        parts = {"x_to_m_weight": (32, 16), "x_to_m_bias": (16,)}
        parts |= {"recurrent_kernel": (32, 64), "recurrent_bias": (64,)}
        shapes |= {f"{name}/{name}/{part}:0": shape for part, shape in parts.items()}
    scales = {name: (3.0 / shape[0]) ** 0.5 for name, shape in shapes.items()}
    return {name: rng.normal(0, scales[name], shape).astype(np.float32) for name, shape in shapes.items()}


class PlainNetwork:
    """The published network in numpy, one crystal at a time, by the names of its file."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        names = [(name.split("/"), array.astype(np.float64)) for name, array in arrays.items()]
        self.arrays = {(parts[0], parts[-1].removesuffix(":0")): array for parts, array in names}

    def predict(self, graph: DualGraph) -> float:
        elements = self.arrays["embedding", "embeddings"][graph.atoms.atomic_number]
        levels = (elements, graph.atoms, "atom"), (graph.motifs.fingerprint, graph.motifs, "motif")
        branches = [self.branch(*level, position) for position, level in enumerate(levels)]
        hidden = self.dense(np.concatenate(branches), 42)
        (value,) = hidden @ self.arrays["dense_43", "kernel"] + self.arrays["dense_43", "bias"]
        return float(value)

    def dense(self, values: np.ndarray, *numbers: int) -> np.ndarray:
        for number in numbers:
            name = f"dense_{number}" if number else "dense"
            values = np.maximum(values @ self.arrays[name, "kernel"] + self.arrays[name, "bias"], 0.0)
        return values

    def branch(self, nodes: np.ndarray, level: Any, kind: str, position: int) -> np.ndarray:
        edges = np.exp(-(((level.distance[:, None] - CENTERS[kind]) / 0.5) ** 2))
        values, first = (nodes, edges, np.zeros((1, 2))), 21 * position
        for block in range(3):
            dense = [self.dense(v, first + 2 * i, first + 2 * i + 1) for i, v in enumerate(values)]
            updates = self.block(*dense, level, 3 * position + block)
            values = [v + u for v, u in zip(values if block else dense, updates, strict=True)]
            first += 6
        read = [self.set2set(values[i], 2 * position + i) for i in range(2)]
        return self.dense(np.concatenate([*read, values[2][0]]), first, first + 1, first + 2)

    def block(self, nodes: Any, edges: Any, state: Any, level: Any, number: int) -> tuple[np.ndarray, ...]:
        def phi(letter: str, *parts: np.ndarray) -> np.ndarray:
            name = f"meg_net_layer_{number}" if number else "meg_net_layer"
            values = np.concatenate(parts, axis=1)
            for i in range(3):
                values = np.maximum(values, 0.0) if i else values
                values = values @ self.arrays[name, f"weight_{letter}_{i}"]
                values = values + self.arrays[name, f"bias_{letter}_{i}"]
            return values

        ends = nodes[level.receiver], nodes[level.sender]
        edges = phi("e", *ends, edges, np.repeat(state, len(edges), axis=0))
        received = np.array([edges[level.receiver == i].mean(axis=0) for i in range(len(nodes))])
        nodes = phi("v", received, nodes, np.repeat(state, len(nodes), axis=0))
        return nodes, edges, phi("u", edges.mean(axis=0)[None], nodes.mean(axis=0)[None], state)

    def set2set(self, vectors: np.ndarray, number: int) -> np.ndarray:
        name = f"set2_set_{number}" if number else "set2_set"
        memory = vectors @ self.arrays[name, "x_to_m_weight"] + self.arrays[name, "x_to_m_bias"]
        read = np.zeros(32)
        for _ in range(3):
            gates = read @ self.arrays[name, "recurrent_kernel"] + self.arrays[name, "recurrent_bias"]
            enter, _, cell, leave = gates.reshape(4, 16)
            enter, leave = (np.clip(0.2 * gate + 0.5, 0.0, 1.0) for gate in (enter, leave))
            hidden = leave * np.tanh(enter * np.tanh(cell))
            attention = np.exp(memory @ hidden)
            read = np.concatenate([hidden, attention @ memory / attention.sum()])
        return read


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    return published_arrays(np.random.default_rng(0))


class TestSmallFile:
    """A file in the form of the published code's, made here."""

    @pytest.fixture
    def write(self, tmp_path: Path) -> Callable[[dict[str, np.ndarray]], Path]:
        """The weights, and beside them the description."""

        def write_file(arrays: dict[str, np.ndarray]) -> Path:
            path = tmp_path / "model.hdf5"
            with h5py.File(path, "w") as file:
                for name, array in arrays.items():
                    file[f"model_weights/{name}"] = array
            description: dict[str, Any] = {"target_scaler": {"@class": "DummyScaler"}}
            for kind, centers in CENTERS.items():
                converter = {"centers": {"data": centers.tolist()}, "width": 0.5}
                description[f"{kind}_graph_converter"] = {"bond_converter": converter, "cutoff": 5.0}
            path.with_name("model.hdf5.json").write_text(json.dumps(description))
            return path

        return write_file

    def test_predictions_are_those_of_the_plain_network(
        self, arrays: dict[str, np.ndarray], write: Callable, crystals: list[Structure]
    ) -> None:
        oxides = crystals[:5]  # in a metal or an isolated atom the original has no means to take
        model = AMDNetRegressor.load(write(arrays))
        everything = DualGraphConverter(symmetry_reduction=False)
        expected = [PlainNetwork(arrays).predict(everything.convert(oxide)) for oxide in oxides]
        assert np.ptp(expected) > 0.05
        np.testing.assert_allclose(model.predict(oxides), expected, rtol=1e-4, atol=1e-5)

    def test_it_is_saved_as_a_model_of_this_package(
        self, arrays: dict[str, np.ndarray], write: Callable, rutile: Structure, tmp_path: Path
    ) -> None:
        model = AMDNetRegressor.load(write(arrays))
        assert (model.rbf_edge_dim_atom, model.rbf_edge_dim_motif, model.motif_cutoff) == (8, 9, 11.0)
        assert model.history_ == model.training_ == {}
        model.save(tmp_path / "model.amdnet")
        again = AMDNetRegressor.load(tmp_path / "model.amdnet")
        np.testing.assert_array_equal(again.predict([rutile]), model.predict([rutile]))

    @pytest.mark.parametrize(
        ("name", "change", "reason"),
        [
            ("dense_7/dense_7/kernel:0", None, "is not a model of the published AMDNet .*dense_7.*kernel"),
            ("set2_set_3/set2_set_3/x_to_m_bias:0", None, "set2_set_3.*x_to_m_bias"),
            ("dense/dense/kernel:0", lambda a: a[:, :60], "is not a model of the published AMDNet"),
            ("dense_43/dense_43/bias:0", lambda a: a * np.nan, "weights .* are not all numbers below"),
            ("embedding/embedding/embeddings:0", lambda a: a * 1e9, "weights .* are not all numbers below"),
        ],
    )
    def test_other_arrays_are_refused(
        self, arrays: dict[str, np.ndarray], write: Callable, name: str, change: Any, reason: str
    ) -> None:
        others = {key: array for key, array in arrays.items() if key != name}
        if change is not None:
            others[name] = change(arrays[name])
        with pytest.raises(ModelFileError, match=reason):
            AMDNetRegressor.load(write(others))


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.hdf5"
    path.write_bytes(b"not a model")
    with pytest.raises(ModelFileError, match=r"model\.hdf5 is not a model of the published AMDNet"):
        load_published_weights(build_network(NetworkConfig.of("amdnet-2021")), path)


def test_the_atom_branch_alone_takes_no_published_weights(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be 'amdnet-2021'"):
        load_published_weights(build_network(NetworkConfig.of("megnet")), tmp_path / "model.hdf5")
