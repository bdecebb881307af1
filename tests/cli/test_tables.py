"""Tables that are written while results come, and gone on with after a stop."""

from __future__ import annotations

import io
import os
import stat
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amdnet_matminer.cli import tables
from amdnet_matminer.cli.exits import IncompleteError
from amdnet_matminer.cli.tables import ResultFile, ResultTable, open_table
from amdnet_matminer.errors import DatasetError
from amdnet_matminer.screening import Outcome
from amdnet_matminer.structure_files import Entry

names = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=12)


def outcome(number: int, key: str) -> Outcome:
    return Outcome(key, None, f"why, {key}") if number % 3 == 0 else Outcome(key, [number / 7, number / 3])


@settings(max_examples=100, deadline=None)
@given(ids=names, kept=st.integers(0, 400), data=st.data())
def test_a_file_cut_anywhere_is_gone_on_with(
    ids: list[str], kept: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Or, if an id has carriage returns, refused; never are rows lost or repeated."""
    path = tmp_path_factory.mktemp("rows") / "out.csv"
    rows = [outcome(number, key) for number, key in enumerate(ids)]
    with ResultFile(path, ["gap", "std"], "digest") as table:
        table.add(rows)
    whole = path.read_bytes()
    path.unlink()
    table.part.write_bytes(whole[: min(kept, data.draw(st.integers(0, len(whole))))])
    try:
        with ResultFile(path, ["gap", "std"], "digest") as table:
            remaining = list(table.skip_done([Entry(key, dict) for key in ids]))
            assert [entry.id for entry in remaining] == ids[table.n_done :]
            table.add(rows[table.n_done :])
    except DatasetError as error:
        assert any("\r" in key for key in ids), error  # noqa: PT017
        return
    assert path.read_bytes() == whole
    assert table.n_done == len(ids)
    assert table.n_failed == len(range(0, len(ids), 3))


def test_rows() -> None:
    stream = io.StringIO()
    with ResultTable(stream, ["gap", "phase"]) as table:
        table.add([Outcome("a,b", [1.5, "oxide"]), Outcome("c", None, "it is no crystal")])
        table.add([Outcome("d", [np.nan, ""])])
        assert stream.getvalue() == 'id,gap,phase,error\n"a,b",1.5,oxide,\nc,,,it is no crystal\nd,,,\n'
    with pytest.raises(IncompleteError, match=r"1 of 3 crystals could not be described.*it is no crystal"):
        table.check("described")


def test_rows_of_other_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "out.csv.digest.part").write_text("id,prediction,error\nquartz,1.0,\n")
    with pytest.raises(DatasetError, match=r"out\.csv\.digest\.part was not written by this command"):
        ResultFile(tmp_path / "out.csv", ["prediction", "std"], "digest")


def test_rows_of_other_crystals_are_refused(tmp_path: Path) -> None:
    (tmp_path / "out.csv.digest.part").write_text("id,prediction,error\nquartz,1.0,\n")
    table = ResultFile(tmp_path / "out.csv", ["prediction"], "digest")
    for entries, there in ([Entry("rutile", dict)], "'rutile'"), ([], "None"):
        with pytest.raises(
            DatasetError, match=f"has 'quartz' in row 1, where the crystals have {there}; remove"
        ):
            table.skip_done(entries)


def test_numbers_are_read_back_exactly(tmp_path: Path) -> None:
    values = [1 / 3, 1e-300, -0.1, 123456.789]
    with ResultFile(tmp_path / "out.csv", ["prediction"], "digest") as table:
        table.add([Outcome(str(i), [value]) for i, value in enumerate(values)])
    read = pd.read_csv(tmp_path / "out.csv", float_precision="round_trip")
    assert read.prediction.tolist() == values
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_the_same_command_twice_at_once(tmp_path: Path) -> None:
    """The second is refused while the first writes, and the finished file is written by nobody."""
    path = tmp_path / "out.csv"
    with ResultFile(path, ["gap"], "digest") as table:
        table.add([Outcome("a", [1.0])])
        with pytest.raises(DatasetError, match=r"out\.csv\.digest\.part is being written by another command"):
            ResultFile(path, ["gap"], "digest")
        table.add([Outcome("b", [2.0])])
    assert path.read_text() == "id,gap,error\na,1.0,\nb,2.0,\n"
    with ResultFile(path, ["gap"], "digest") as table:
        assert table.n_done == 0
        assert path.read_text().count("\n") == 3


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no open file")
def test_a_file_that_is_replaced_while_it_is_written(tmp_path: Path) -> None:
    table = ResultFile(tmp_path / "out.csv", ["gap"], "digest")
    table.part.unlink()
    table.part.write_text("of another command")
    with pytest.raises(FileNotFoundError, match="part was removed or renamed while it was written; give the"):
        table.__exit__(None)
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv.digest.part"]


def test_results_of_other_sources_are_apart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sources = (b"one model", b"another", b"another")
    parts = [open_table(tmp_path / "out.csv", [], source).part.name for source in sources]
    assert len(set(parts)) == 2
    (record,) = caplog.records
    assert f"the rows in {tmp_path / parts[0]} are not taken" in record.getMessage()


def test_results_of_another_version_are_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = open_table(tmp_path / "out.csv", [], b"one model").part
    monkeypatch.setattr(tables, "__version__", "0.0.1")
    assert open_table(tmp_path / "out.csv", [], b"one model").part != here


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with open_table(pipe, ["gap"], b"") as table:
        table.add([Outcome("a", [1.0]), Outcome("not UTF-8: \udce9", [2.0])])
    reader.join()
    assert read == [b"id,gap,error\na,1.0,\nnot UTF-8: \xe9,2.0,\n"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
