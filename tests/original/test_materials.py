"""The original's data files: parts, labels, motif graphs, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.errors import DatasetError
from amdnet_matminer.graphs import DualGraphConverter
from amdnet_matminer.original import convert_with_given_motifs, read_original

LISTS = (["mp-1", "mp-2"], ["mp-3"], ["mp-4"])


def messages(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(caplog.messages)


def test_parts_and_labels(
    materials: pd.DataFrame, motifs: pd.DataFrame, write: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    files = write("material_data.pkl", (materials, LISTS)), write("motif_graph.pkl", motifs)
    data = read_original(*files, "formation_energy_per_atom")
    assert [part.table.index.tolist() for part in data] == list(LISTS)
    assert [part.missing for part in data] == [{}] * 3
    assert data.train.table.formation_energy_per_atom.tolist() == [-3.31, -3.04]
    assert data.test.table.structure["mp-4"].matches(materials.structure["mp-4"])
    assert caplog.messages == []


def test_given_motif_graphs_are_those_that_are_read(
    materials: pd.DataFrame, motifs: pd.DataFrame, write: Callable
) -> None:
    motifs.at[0, "_offset"] = motifs.at[0, "_offset"] + 1.0
    motifs.at[0, "_band_gap"] = np.array([[1.78]])
    files = write("material_data.pkl", (materials, LISTS)), write("motif_graph.pkl", motifs)
    table = read_original(*files).train.table
    model = AMDNetRegressor(architecture="amdnet-2021", symmetry_reduction=False)
    given = convert_with_given_motifs(list(table.structure), model.graph_converter())
    found = [DualGraphConverter(symmetry_reduction=False).convert(structure) for structure in table.structure]
    for i, (mine, theirs) in enumerate(zip(given, found, strict=True)):
        np.testing.assert_array_equal(mine.atoms.distance, theirs.atoms.distance)
        np.testing.assert_array_equal(mine.motifs.fingerprint, theirs.motifs.fingerprint)
        pairs = [
            sorted(zip(m.receiver.tolist(), m.sender.tolist(), (m.distance - shift).round(4), strict=True))
            for m, shift in ((mine.motifs, 1.0 if i == 0 else 0.0), (theirs.motifs, 0.0))
        ]
        np.testing.assert_allclose(pairs[0], pairs[1], atol=1e-3)


def test_without_a_motif_file(materials: pd.DataFrame, write: Callable) -> None:
    data = read_original(write("material_data.pkl", (materials, LISTS)))
    assert data.validation.table.band_gap.tolist() == [5.85]
    assert data.validation.table.structure["mp-3"].properties == {}


def test_what_is_missing_is_kept_with_its_reason(
    materials: pd.DataFrame, write: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    materials = materials.copy()
    materials.loc["mp-2", "band_gap"] = np.nan
    materials.at["mp-4", "structure"] = None
    lists = (["mp-1", "mp-2", "mp-9"], ["mp-3"], ["mp-4"])
    data = read_original(write("material_data.pkl", (materials, lists)))
    assert data.train.table.index.tolist() == ["mp-1"]
    assert data.train.missing == {
        "mp-2": "it has no band_gap",
        "mp-9": "the material file has no row of it",
    }
    assert data.test.missing == {"mp-4": "it is a NoneType, not a pymatgen Structure"}
    assert len(data.test.table) == 0
    assert "left out of the train part, because it has no band_gap: mp-2" in messages(caplog)
    assert "left out of the test part, because it is a NoneType" in messages(caplog)


def test_labels_of_the_motif_file_come_first(
    materials: pd.DataFrame, motifs: pd.DataFrame, write: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    motifs.at[1, "_band_gap"] = np.array([[7.0]])
    motifs.at[2, "_band_gap"] = None
    files = write("material_data.pkl", (materials, LISTS)), write("motif_graph.pkl", motifs)
    data = read_original(*files)
    assert data.train.table.band_gap.tolist() == [1.78, 7.0]
    assert data.validation.table.band_gap.tolist() == [5.85]
    assert "1 materials band_gap differs between the two files" in messages(caplog)
    assert messages(caplog).endswith(": mp-2")


def test_missing_broken_and_false_motif_graphs_are_reported(
    materials: pd.DataFrame, motifs: pd.DataFrame, write: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    """The last as the generator with the fault writes them: self-loops at distance 0 only."""
    motifs.at[1, "_idx_jk"] = motifs.at[1, "_idx_jk"] + 99
    n_motifs = len(motifs.at[2, "_numbers"])
    motifs.at[2, "_idx_ik"] = motifs.at[2, "_idx_jk"] = np.arange(n_motifs)
    motifs.at[2, "_offset"] = np.zeros((n_motifs, 1), dtype=np.float32)
    files = write("material_data.pkl", (materials, LISTS)), write("motif_graph.pkl", motifs.drop(index=3))
    data = read_original(*files)
    assert [list(part.table.index) for part in data] == list(LISTS)
    given = {key: s.properties for part in data for key, s in part.table.structure.items()}
    assert [bool(given[key]) for key in ("mp-1", "mp-2", "mp-3", "mp-4")] == [True, False, True, False]
    assert "mp-2 has motif edges that end at motifs that are not there" in messages(caplog)
    assert "contacts of a motif with itself at distance 0" in messages(caplog)
    assert "not in the motif file, so motifs are found from the structure: mp-4" in messages(caplog)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("_numbers", np.zeros((2, 60)), r"\(2, 60\) numbers instead"),
        ("_numbers", np.full((2, 61), np.nan), "not finite"),
        ("_numbers", None, "motif edges that end|instead of"),
        ("_offset", np.zeros((3, 1)), "broken"),
        ("_idx_ik", "none", "broken"),
    ],
)
def test_unusable_motif_graphs(
    materials: pd.DataFrame,
    motifs: pd.DataFrame,
    write: Callable,
    caplog: pytest.LogCaptureFixture,
    column: str,
    value: object,
    reason: str,
) -> None:
    motifs.at[0, column] = value
    files = write("material_data.pkl", (materials, LISTS)), write("motif_graph.pkl", motifs)
    data = read_original(*files)
    assert data.train.table.structure["mp-1"].properties == {}
    (message,) = caplog.messages
    assert re.search(f"^mp-1 has .*({reason}).*; motifs are found", message)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("text", "holds no dataframe with three lists"),
        ((1, 2), "holds no dataframe with three lists"),
        ((pd.DataFrame({"band_gap": [1.0]}), ([], [], [])), "has no column 'structure'"),
        ((pd.DataFrame({"structure": [1.0]}), ([], [], [])), "has no column 'band_gap'"),
        ((pd.DataFrame({"structure": [1.0]}), ([], [])), "no three lists"),
        (
            (pd.DataFrame({"structure": [1, 2], "band_gap": [1, 2]}, ["a", "a"]), ([], [], [])),
            "more than one row",
        ),
    ],
)
def test_other_material_files_are_refused(write: Callable, content: object, reason: str) -> None:
    with pytest.raises(DatasetError, match=f"material_data.pkl .*{reason}"):
        read_original(write("material_data.pkl", content))


def test_other_motif_files_are_refused(
    materials: pd.DataFrame, motifs: pd.DataFrame, write: Callable
) -> None:
    material_file = write("material_data.pkl", (materials, LISTS))
    with pytest.raises(DatasetError, match=r"no column '_mid'.*leave out this file"):
        read_original(material_file, write("motif_graph.pkl", motifs.drop(columns="_mid")))
    with pytest.raises(DatasetError, match="holds a int, not a dataframe"):
        read_original(material_file, write("motif_graph.pkl", 3))
    with pytest.raises(DatasetError, match=r"more than one row for \['mp-1'\]"):
        read_original(material_file, write("motif_graph.pkl", pd.concat([motifs, motifs[:1]])))
    assert len(read_original(material_file, write("motif_graph.pkl", motifs.to_dict("list"))).test.table) == 1
