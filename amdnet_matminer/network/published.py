"""Weights of models trained with the published AMDNet code (Keras 2.4, HDF5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.network.amdnet2021 import N_BLOCKS, AMDNet2021, Branch
from amdnet_matminer.network.layers import MLP, MEGNetLayer, Set2Set

# Keras 2 numbered layers of a kind in order of creation, atom branch first.
DENSE_PER_BRANCH = 21

LARGEST_ARRAY = 10**7
"""No array of a model has more numbers; a damaged file may claim any."""


def load_published_weights(network: AMDNet2021, path: str | Path) -> None:
    """Give a network the weights of a model file of the published code.

    Weights are read as arrays; nothing in the file is executed.

    Args:
        network: An ``"amdnet-2021"`` network, changed in place.
        path: The ``.hdf5`` file.

    Raises:
        ModelFileError: The file is no such model, or its arrays do not fit.
    """
    if not isinstance(network, AMDNet2021):
        raise ValueError("the network must be 'amdnet-2021'; the published model has both branches")
    try:
        with h5py.File(path) as file:
            if not isinstance(file.get("model_weights", getlink=True), h5py.HardLink):
                raise ValueError("its model_weights are in another file, which is not opened")
            weights = _Weights(file["model_weights"])
            network.embedding.assign(weights["embedding", "embeddings"])
            _load_branch(network.atom_branch, weights, 0)
            _load_branch(network.motif_branch, weights, 1)
            _load_dense(network.head, weights, 2 * DENSE_PER_BRANCH)
    except (OSError, KeyError, ValueError) as error:
        raise ModelFileError(
            f"is not a model of the published AMDNet ({error})", "give its .hdf5 file", item=path
        ) from error


class _Weights:
    """The arrays of a Keras 2 weight group, found by layer and by last part of the name."""

    def __init__(self, group: h5py.Group) -> None:
        self._arrays: dict[tuple[str, str], NDArray[np.float32]] = {}
        group.visititems(self._add)

    def _add(self, name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise ValueError(f"{name} is in another file, which is not opened")
            if item.size > LARGEST_ARRAY:
                raise ValueError(f"{name} claims {item.size} numbers")
            parts = name.split("/")
            self._arrays[parts[0], parts[-1].removesuffix(":0")] = item[()]

    def __getitem__(self, key: tuple[str, str]) -> NDArray[np.float32]:
        return self._arrays[key]


def _load_branch(branch: Branch, weights: _Weights, position: int) -> None:
    first = position * DENSE_PER_BRANCH
    for layers in branch.dense:
        for mlp in layers:
            first = _load_dense(mlp, weights, first)
    _load_dense(branch.readout, weights, first)
    for i, block in enumerate(branch.blocks):
        _load_block(block, weights, _numbered("meg_net_layer", position * N_BLOCKS + i))
    for i, reader in enumerate((branch.read_nodes, branch.read_edges)):
        _load_set2set(reader, weights, _numbered("set2_set", 2 * position + i))


def _load_dense(mlp: MLP, weights: _Weights, first: int) -> int:
    for i, (kernel, bias) in enumerate(zip(mlp.kernels, mlp.biases, strict=True)):
        name = _numbered("dense", first + i)
        kernel.assign(weights[name, "kernel"])
        bias.assign(weights[name, "bias"])
    return first + len(mlp.kernels)


def _load_block(block: MEGNetLayer, weights: _Weights, name: str) -> None:
    for letter, mlp in (("e", block.phi_e), ("v", block.phi_v), ("u", block.phi_u)):
        for i, (kernel, bias) in enumerate(zip(mlp.kernels, mlp.biases, strict=True)):
            kernel.assign(weights[name, f"weight_{letter}_{i}"])
            bias.assign(weights[name, f"bias_{letter}_{i}"])


def _load_set2set(reader: Set2Set, weights: _Weights, name: str) -> None:
    reader.kernel.assign(weights[name, "x_to_m_weight"])
    reader.bias.assign(weights[name, "x_to_m_bias"])
    reader.recurrent_kernel.assign(weights[name, "recurrent_kernel"])
    reader.recurrent_bias.assign(weights[name, "recurrent_bias"])


def _numbered(kind: str, number: int) -> str:
    return kind if number == 0 else f"{kind}_{number}"
