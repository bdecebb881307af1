"""Files as the published code writes them, made by today's packages."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Structure

from amdnet_matminer.motifs import motif_graph


@pytest.fixture(scope="session")
def materials(
    rutile: Structure, rock_salt: Structure, corundum: Structure, perovskite: Structure
) -> pd.DataFrame:
    crystals = [rutile, rock_salt, corundum, perovskite]
    return pd.DataFrame(
        {
            "structure": crystals,
            "band_gap": [1.78, 4.45, 5.85, 1.77],
            "formation_energy_per_atom": [-3.31, -3.04, -3.44, -3.55],
        },
        index=pd.Index(["mp-1", "mp-2", "mp-3", "mp-4"], name="material_id", dtype=object),
    )


@pytest.fixture
def motifs(materials: pd.DataFrame) -> pd.DataFrame:
    """A row per material, with the columns that the published code reads."""
    rows = []
    for key, material in materials.iterrows():
        graph = motif_graph(material.structure)
        order = np.argsort(graph.receiver, kind="stable")
        rows.append(
            {
                "_mid": key,
                "_numbers": graph.fingerprint,
                "_offset": graph.distance[order, None],
                "_idx_ik": graph.receiver[order],
                "_idx_jk": graph.sender[order],
                "_band_gap": np.array([[material.band_gap]]),
                "_formation_energy_per_atom": np.array([[material.formation_energy_per_atom]]),
            }
        )
    return pd.DataFrame(rows)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    """Pickle something into a file, as pandas and Python of 2020 did."""

    def write_pickle(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.write_bytes(pickle.dumps(content, protocol=4))
        return path

    return write_pickle
