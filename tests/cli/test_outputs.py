"""Where results go: files, pipes, and standard output of any encoding."""

from __future__ import annotations

import io
import os
import sys
import threading
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
