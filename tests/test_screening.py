"""Predictions window by window: order, failures, standard deviations, and files that are gone on with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from amdnet_matminer import screening
from amdnet_matminer.errors import DatasetError, StructureError, TargetError
from amdnet_matminer.screening import Prediction, PredictionFile, screen
from amdnet_matminer.structure_files import Entry


class Volumes:
    """Stands in for an estimator: says the volume, and fails on what is larger than 500 cubic angstrom."""

    n_jobs = 1
    target_shape_: tuple[int, ...] = ()

    def __init__(self) -> None:
        self.asked: list[int] = []

    def predict(self, structures: Sequence[Structure], return_std: bool = False) -> object:
        self.asked.append(len(structures))
        volumes = np.array([structure.volume for structure in structures])
        for index in np.flatnonzero(volumes > 500):
            raise StructureError("(Po1) failed: too large", index=index)
        return (volumes, volumes / 10) if return_std else volumes


def cell(length: float) -> Structure:
    return Structure(Lattice.cubic(length), ["Po"], [[0, 0, 0]])


def entries(*lengths: float) -> list[Entry]:
    return [Entry(f"cell {i}", partial(cell, length)) for i, length in enumerate(lengths)]


def test_windows_are_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening, "WINDOW", 3)
    windows = list(screen(Volumes(), entries(3, 4, 5, 6)))
    assert [len(window) for window in windows] == [3, 1]
    assert [row.id for window in windows for row in window] == [f"cell {i}" for i in range(4)]
    assert [row.prediction for window in windows for row in window] == pytest.approx([27, 64, 125, 216])
    assert all(np.isnan(row.std) and row.error == "" for window in windows for row in window)


def test_standard_deviations() -> None:
    ((row,),) = screen(Volumes(), entries(3), return_std=True)
    assert (row.prediction, row.std) == (pytest.approx(27), pytest.approx(2.7))


def test_every_failure_has_its_reason(copper: Structure) -> None:
    def missing() -> Structure:
        raise FileNotFoundError("no such file: gone.cif")

    odd = [
        Entry("gone", missing),
        Entry("Og", lambda: Structure(Lattice.cubic(9), ["Og"], [[0, 0, 0]])),
        Entry("empty", lambda: Structure(Lattice.cubic(9), [], [])),
        Entry("text", lambda: "CuO"),
    ]
    model = Volumes()
    (rows,) = screen(
        model,
        [
            *entries(3, 9),
            *odd,
            Entry("Po", partial(cell, 9)),
            Entry("Po 4", partial(cell, 4)),
            Entry("Cu", lambda: copper),
        ],
    )
    assert [bool(row.error) for row in rows] == [False, True, True, True, True, True, True, False, False]
    assert [np.isnan(row.prediction) for row in rows] == [bool(row.error) for row in rows]
    reasons = {row.id: row.error for row in rows if row.id in ("cell 1", "gone", "Og", "empty", "text")}
    assert reasons["cell 1"] == "structure 'cell 1' (Po1) failed: too large"
    assert "no such file: gone.cif" in reasons["gone"]
    assert reasons["Og"].startswith("structure 'Og', site 0 is Og (Z=118)")
    assert reasons["empty"] == "structure 'empty' has no sites; remove it"
    assert "text" in reasons["text"]
    assert max(model.asked) == 5


def test_numbers_that_are_not_finite_are_errors() -> None:
    model = Volumes()
    model.predict = lambda structures: np.array([np.nan])
    ((row,),) = screen(model, entries(3))
    assert row.error.startswith("the model gives nan for structure 'cell 0'")


def test_models_of_several_targets_are_refused() -> None:
    model = Volumes()
    model.target_shape_ = (2,)
    with pytest.raises(TargetError, match=r"targets of shape \(2,\), not one"):
        next(screen(model, entries(3)))


names = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=12)


@settings(max_examples=100, deadline=None)
@given(ids=names, kept=st.integers(0, 400), data=st.data())
def test_a_file_cut_anywhere_is_gone_on_with(
    ids: list[str], kept: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Or, if the cut is inside an id of several lines, refused; never are rows lost or repeated."""
    path = tmp_path_factory.mktemp("rows") / "out.csv"
    rows = [Prediction(key, i / 7, i / 3, "" if i % 3 else f"why, {key}") for i, key in enumerate(ids)]
    with PredictionFile(path, "digest", with_std=True) as table:
        table.add(rows)
    whole = path.read_bytes()
    path.unlink()
    table.part.write_bytes(whole[: min(kept, data.draw(st.integers(0, len(whole))))])
    try:
        with PredictionFile(path, "digest", with_std=True) as table:
            remaining = list(table.skip_done([Entry(key, dict) for key in ids]))
            assert [entry.id for entry in remaining] == ids[table.n_done :]
            table.add(rows[table.n_done :])
    except DatasetError as error:
        assert any("\n" in key or "\r" in key for key in ids), error  # noqa: PT017
        return
    assert path.read_bytes() == whole
    assert table.n_done == len(ids)
    assert table.n_failed == len(range(0, len(ids), 3))


def test_rows_of_other_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "out.csv.digest.part").write_text("id,prediction,error\nquartz,1.0,\n")
    with pytest.raises(DatasetError, match=r"out\.csv\.digest\.part was not written by this command"):
        PredictionFile(tmp_path / "out.csv", "digest", with_std=True)


def test_numbers_are_read_back_exactly(tmp_path: Path) -> None:
    values = [1 / 3, 1e-300, -0.1, 123456.789]
    with PredictionFile(tmp_path / "out.csv", "digest", with_std=False) as table:
        table.add([Prediction(str(i), value, np.nan, "") for i, value in enumerate(values)])
    read = pd.read_csv(tmp_path / "out.csv", float_precision="round_trip")
    assert read.prediction.tolist() == values
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
