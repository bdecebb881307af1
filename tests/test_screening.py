"""Work on crystals window by window: order, failures, standard deviations."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from types import SimpleNamespace

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from amdnet_matminer import screening
from amdnet_matminer.errors import DatasetError, StructureError
from amdnet_matminer.motifs import motif_graphs_of
from amdnet_matminer.readers.entries import ReadingNote
from amdnet_matminer.screening import Outcome, predict, screen
from amdnet_matminer.structure_files import Entry
from amdnet_matminer.uncertainty import Domain
from amdnet_matminer.validation.structures import check_elements


class Volumes:
    """Stands in for an estimator: says the volume, and cannot read what is larger than 500 cubic angstrom."""

    n_jobs = 1
    n_targets: int | None = None
    """None is one, without an axis of its own."""
    domain_: Domain | None = None

    def __init__(self) -> None:
        self.asked: list[int] = []

    @property
    def converter_(self) -> Volumes:
        return self

    def convert_few(self, structures: Sequence[Structure]) -> list[SimpleNamespace]:
        check_elements(structures)
        if max(structure.volume for structure in structures) > 500:
            raise StructureError("(Po1) failed: too large")
        numbers = [np.array(structure.atomic_numbers) for structure in structures]
        return [
            SimpleNamespace(volume=each.volume, n_atoms=len(each), atoms=SimpleNamespace(atomic_number=some))
            for each, some in zip(structures, numbers, strict=True)
        ]

    def predict(self, graphs: Sequence[SimpleNamespace], return_std: bool = False) -> object:
        self.asked.append(len(graphs))
        volumes = np.array([graph.volume for graph in graphs])
        if self.n_targets is not None:
            volumes = np.repeat(volumes[:, None], self.n_targets, axis=1)
        return (volumes, volumes / 10) if return_std else volumes

    def novelty(self, graphs: Sequence[SimpleNamespace]) -> np.ndarray:
        return np.array([0.5 * graph.n_atoms for graph in graphs])


def cell(length: float) -> Structure:
    return Structure(Lattice.cubic(length), ["Po"], [[0, 0, 0]])


def noted_cell() -> Structure:
    warnings.warn("odd.cif: odd formula", ReadingNote, stacklevel=2)
    warnings.warn("noise of a parser", UserWarning, stacklevel=2)
    return cell(3)


def entries(*lengths: float) -> list[Entry]:
    return [Entry(f"cell {i}", partial(cell, length)) for i, length in enumerate(lengths)]


def volumes(structures: Sequence[Structure]) -> list[float]:
    return [structure.volume for structure in structures]


class TestScreen:
    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_notes_are_told_where_it_was_asked(self, caplog: pytest.LogCaptureFixture, n_jobs: int) -> None:
        list(screen([Entry("odd", noted_cell)], volumes, n_jobs))
        assert caplog.messages == ["odd.cif: odd formula"]

    def test_processes_work_while_results_are_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(screening, "WINDOW", 8)
        monkeypatch.setattr(screening, "_CRYSTALS_PER_TASK", 0)
        taken: list[str] = []

        def crystals() -> Iterator[Entry]:
            for entry in entries(*[3.0] * 40):
                taken.append(entry.id)
                yield entry

        windows = screen(crystals(), volumes, n_jobs=2)
        next(windows)
        while len(taken) < 8 * (1 + screening._WINDOWS_AHEAD):
            time.sleep(0.01)
        windows.close()
        assert len(taken) == 8 * (1 + screening._WINDOWS_AHEAD)

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_what_was_done_before_a_file_broke_off_is_not_lost(
        self, monkeypatch: pytest.MonkeyPatch, n_jobs: int
    ) -> None:
        monkeypatch.setattr(screening, "WINDOW", 4)
        monkeypatch.setattr(screening, "_CRYSTALS_PER_TASK", 0)

        def crystals() -> Iterator[Entry]:
            yield from entries(*[3.0] * 9)
            raise DatasetError("breaks off", "repair it")

        found: list[Outcome[float]] = []
        with pytest.raises(DatasetError, match="breaks off"):
            found.extend(chain.from_iterable(screen(crystals(), volumes, n_jobs)))
        assert [outcome.value for outcome in found] == [27.0] * 8

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_windows_are_in_order(self, monkeypatch: pytest.MonkeyPatch, n_jobs: int) -> None:
        monkeypatch.setattr(screening, "WINDOW", 9)
        monkeypatch.setattr(screening, "_CRYSTALS_PER_TASK", 0)
        windows = list(screen(entries(*range(3, 23)), volumes, n_jobs))
        assert [len(window) for window in windows] == [9, 9, 2]
        rows = [row for window in windows for row in window]
        assert [row.id for row in rows] == [f"cell {i}" for i in range(20)]
        assert [row.value for row in rows] == pytest.approx([length**3 for length in range(3, 23)])
        assert {row.error for row in rows} == {""}

    def test_no_crystals(self) -> None:
        assert list(screen([], volumes)) == []

    def test_a_crystal_that_cannot_be_read(self) -> None:
        def missing() -> Structure:
            raise FileNotFoundError("no such file: gone.cif")

        ((bad, good),) = screen([Entry("gone", missing), *entries(3)], volumes)
        assert (bad.id, bad.value) == ("gone", None)
        assert "'gone'" in bad.error
        assert "no such file: gone.cif" in bad.error
        assert good == Outcome("cell 0", pytest.approx(27))

    def test_a_crystal_that_is_none(self) -> None:
        empty = Entry("empty", lambda: Structure(Lattice.cubic(9), [], []))
        ((row,),) = screen([empty], motif_graphs_of)
        assert row == Outcome("empty", None, "structure 'empty' has no sites; remove it")

    def test_work_that_fails(self) -> None:
        def fail(structures: Sequence[Structure]) -> None:
            raise ZeroDivisionError("no\nvolume")

        ((row,),) = screen(entries(3), fail)
        assert row.value is None
        assert row.error.startswith("structure 'cell 0' (Po1) failed: ZeroDivisionError: no volume; ")


class TestPredict:
    def test_in_order(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(screening, "WINDOW", 3)
        monkeypatch.setattr(screening, "_CRYSTALS_PER_TASK", 0)
        rows = [row for window in predict(Volumes(), entries(3, 4, 5, 6)) for row in window]
        assert [row.id for row in rows] == [f"cell {i}" for i in range(4)]
        assert [row.value.prediction for row in rows] == pytest.approx([27, 64, 125, 216])
        assert all(math.isnan(row.value.std) and row.error == "" for row in rows)
        assert all(math.isnan(row.value.novelty) and row.value.unseen == () for row in rows)

    def test_what_is_new(self, caesium_chloride: Structure) -> None:
        """In a model that knows what it was trained on: chlorine alone."""
        model = Volumes()
        model.domain_ = Domain(frozenset(), frozenset({17}))
        ((row,),) = predict(model, [Entry("CsCl", lambda: caesium_chloride)])
        assert (row.value.novelty, row.value.unseen) == (1.0, ("Cs",))

    def test_standard_deviations(self) -> None:
        ((row,),) = predict(Volumes(), entries(3), return_std=True)
        assert row.value[:2] == (pytest.approx(27), pytest.approx(2.7))

    def test_failures_keep_their_places(self) -> None:
        heavy = Entry("Og", lambda: Structure(Lattice.cubic(9), ["Og"], [[0, 0, 0]]))
        model = Volumes()
        (rows,) = predict(model, [*entries(3, 9), heavy, *entries(4, 4)])
        assert [bool(row.error) for row in rows] == [False, True, True, False, False]
        assert [row.value is None for row in rows] == [bool(row.error) for row in rows]
        assert rows[1].error == "structure 'cell 1' (Po1) failed: too large"
        assert rows[2].error.startswith("structure 'Og', site 0")
        assert model.asked == [3]

    def test_numbers_that_are_not_finite_are_errors(self) -> None:
        model = Volumes()
        model.predict = lambda graphs: np.array([np.nan])
        ((row,),) = predict(model, entries(3))
        assert row.error == "structure 'cell 0' gets nan from the model; train the model anew"

    @pytest.mark.parametrize("return_std", [False, True])
    def test_several_targets(self, return_std: bool) -> None:
        model = Volumes()
        model.n_targets = 2
        ((row, _),) = predict(model, entries(3, 4), return_std)
        assert row.value.prediction == pytest.approx([27, 27])
        assert row.value.std == pytest.approx([2.7, 2.7]) if return_std else math.isnan(row.value.std)

    @pytest.mark.parametrize("return_std", [False, True])
    def test_a_column_of_targets_is_one_target(self, return_std: bool) -> None:
        model = Volumes()
        model.n_targets = 1
        (rows,) = predict(model, entries(3, 4), return_std)
        assert [row.value.prediction for row in rows] == pytest.approx([27, 64])
        std = [2.7, 6.4] if return_std else [math.nan, math.nan]
        assert [row.value.std for row in rows] == pytest.approx(std, nan_ok=True)

    def test_one_of_several_targets_that_is_not_finite_is_an_error(self) -> None:
        model = Volumes()
        model.predict = lambda graphs: np.array([[1.0, np.inf]])
        ((row,),) = predict(model, entries(3))
        assert row.error == "structure 'cell 0' gets [1.0, inf] from the model; train the model anew"
