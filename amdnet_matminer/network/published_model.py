"""Models that the published code trained, as models of this package."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.network import NetworkConfig, build_network
from amdnet_matminer.network.published import load_published_weights
from amdnet_matminer.persistence import ModelHeader, TargetLabels

GAUSSIAN_WIDTH = 0.5
"""In angstrom; the published code has no option for it."""

_RECIPE = {
    "optimizer": "adamw",
    "weight_decay": 0.0,
    "loss": "mse",
    "schedule": "constant",
    "scale_targets": False,
    "clip_norm": None,
}
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def is_published_model(path: Path) -> bool:
    """Whether a file is HDF5, as the published code wrote its models.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: There is none.
    """
    with path.open("rb") as file:
        return file.read(len(_HDF5_SIGNATURE)) == _HDF5_SIGNATURE


def read_published_model(path: str | Path) -> tuple[ModelHeader, list[NDArray]]:
    """Read a model of the published code; nothing in it is executed.

    Args:
        path: The ``.hdf5`` file, whose ``.json`` file lies beside it.

    Returns:
        As ``read_model``.

    Raises:
        ModelFileError: A file is absent, damaged or of another network.
    """
    parameters = _parameters(_json_file(Path(path)))
    network = build_network(NetworkConfig.of(**parameters))
    try:
        load_published_weights(network, path)
    except ModelFileError:
        raise
    except Exception as error:  # damaged bytes lead HDF5 to whatever it raises
        raise ModelFileError(f"is damaged ({error!r})", "copy it anew", item=path) from error
    header = ModelHeader(
        estimator="AMDNetRegressor",
        parameters=parameters | _RECIPE,
        mean=(0.0,),
        scale=(1.0,),
        labels=asdict(TargetLabels(target_shape=(), std_factor=1.0)),
        history={},
    )
    return header, network.get_weights()


def _json_file(path: Path) -> Path:
    """The description that the published code wrote beside the weights."""
    for file in (path.with_name(f"{path.name}.json"), path.with_suffix(".json")):
        if file.is_file():
            return file
    raise ModelFileError(
        f"needs {path.name}.json beside it, which the original wrote too", "copy both", item=path
    )


def _parameters(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if (scaler := content["target_scaler"]["@class"]) != "DummyScaler":
            raise ValueError(f"its targets are scaled by a {scaler}, and the published model's are not")
        atoms, motifs = (
            _centers(content[f"{level}_graph_converter"]["bond_converter"]) for level in ("atom", "motif")
        )
        cutoff = float(content["atom_graph_converter"]["cutoff"])
        if atoms[-1] != cutoff:
            raise ValueError(f"its Gaussians end at {atoms[-1]} and not at the cut-off {cutoff}")
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ModelFileError(
            f"describes no model of the published AMDNet ({error!r})", "copy it anew", item=file
        ) from error
    return {
        "architecture": "amdnet-2021",
        "atom_cutoff": cutoff,
        "motif_cutoff": float(motifs[-1]),
        "rbf_edge_dim_atom": len(atoms),
        "rbf_edge_dim_motif": len(motifs),
    }


def _centers(converter: dict[str, Any]) -> NDArray[np.float64]:
    """Centres of the Gaussians, which must be those that the network of this package has."""
    centers = np.asarray(converter["centers"]["data"], dtype=np.float64)
    if converter["width"] != GAUSSIAN_WIDTH or not np.allclose(
        centers, np.linspace(0.0, centers[-1], len(centers))
    ):
        raise ValueError("its Gaussians are not 0.5 angstrom wide and evenly spaced from 0")
    return centers
