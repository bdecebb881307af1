"""Where results go: files, pipes, and standard output of any encoding."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from amdnet_matminer.cli import main
from amdnet_matminer.cli.outputs import any_name_on_stdout, write_table

NOT_UTF8 = "\udce9"
"""What Python calls a file whose name is the byte E9."""
NAMES = [
    ("ascii", "é", rb"\xe9"),
    ("latin-1", "金红石", rb"\u91d1\u7ea2\u77f3"),
    ("utf-8", "é", "é".encode()),
    ("utf-8", NOT_UTF8, b"\xe9"),
    ("ascii", NOT_UTF8, rb"\udce9"),
]


@pytest.mark.parametrize(("encoding", "name", "written"), NAMES)
def test_tables_on_any_standard_output(
    encoding: str, name: str, written: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    with any_name_on_stdout():
        write_table(pd.DataFrame({"gap": [1.0]}, [name]), None)
    assert stream.buffer.getvalue() == b"id,gap\n" + written + b",1.0\n"
    assert stream.errors == "strict"


@pytest.mark.parametrize(("encoding", "name", "written"), NAMES)
def test_a_command_on_any_standard_output(
    encoding: str, name: str, written: bytes, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / f"{name}.cif"
    try:
        file.write_bytes((folder / "rock-salt-MgO.cif").read_bytes())
    except (OSError, UnicodeError):
        pytest.skip("no such names here")
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    assert main(["featurize", str(file), "--quiet"]) == 0
    assert stream.buffer.getvalue().splitlines()[1].startswith(written + b",")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_table_into_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_table(pd.DataFrame({"gap": [1.0]}, [NOT_UTF8]), pipe)
    reader.join()
    assert read == [b"id,gap\n\xe9,1.0\n"]


def test_no_input_is_replaced(run: Callable, folder: Path, model_file: Path, tmp_path: Path) -> None:
    """Not by its name, by another, as one of a pattern, nor as a crystal of a folder."""
    crystal, labels, model = tmp_path / "MgO.cif", tmp_path / "labels.csv", tmp_path / "model.amdnet"
    for copy, original in (
        (crystal, folder / "rock-salt-MgO.cif"),
        (labels, folder / "labels.csv"),
        (model, model_file),
    ):
        copy.write_bytes(original.read_bytes())
    (tmp_path / "link.csv").symlink_to(labels)
    before = {path: path.read_bytes() for path in (crystal, labels, model)}
    pattern, load, train = tmp_path / "*.cif", ("--load_name", model), ("train", tmp_path)
    evaluate = ("evaluate", folder, "--labels", labels, "--predict", "density")
    for words in (
        ("predict", crystal, *load, "--output", crystal),
        ("predict", folder, crystal, *load, "--output", tmp_path / "." / "MgO.cif"),
        ("predict", pattern, *load, "--output", crystal),
        ("predict", tmp_path, *load, "--output", crystal),
        ("predict", crystal, *load, "--output", model),
        ("featurize", crystal, "--output", crystal),
        ("featurize", crystal, "--fit", "--save_featurizer", crystal),
        ("explain", crystal, *load, "--output", model),
        (*evaluate, *load, "--output", labels),
        (*evaluate, *load, "--output", tmp_path / "link.csv"),
        (*train, "--labels", labels, "--predict", "density", "--save_name", labels),
        (*train, "--labels", labels, "--init_from", model, "--save_name", model),
        ("network", crystal, "--save_name", crystal),
        ("search", crystal, "--in", model, "--output", model),
    ):
        code, output, error = run(*words)
        assert (code, output) == (1, ""), words
        assert f"{words[-1]} is also read, and would be replaced; save elsewhere" in error
    assert {path: path.read_bytes() for path in before} == before


def test_what_is_not_read_may_be_replaced(run: Callable, folder: Path, tmp_path: Path) -> None:
    """A table beside the crystals, and whatever there is where a link of a pattern is broken."""
    crystal, table = tmp_path / "MgO.cif", tmp_path / "features.csv"
    crystal.write_bytes((folder / "rock-salt-MgO.cif").read_bytes())
    (tmp_path / "broken.cif").symlink_to(tmp_path / "nowhere")
    for structures in (tmp_path, tmp_path / "*.cif"):
        table.write_text("of another program")
        assert run("featurize", structures, "--output", table, "--quiet")[0] == 0
        assert table.read_text().startswith("id,")
