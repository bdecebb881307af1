"""Files that one command writes alone."""

from __future__ import annotations

import errno
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from amdnet_matminer.cli import locks
from amdnet_matminer.cli.locks import is_at, open_alone
from amdnet_matminer.errors import DatasetError

posix = pytest.mark.skipif(sys.platform == "win32", reason="as POSIX locks and renames open files")


def test_a_second_opener_is_refused_and_the_file_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    with open_alone(path) as file:
        file.write(b"first,")
        file.flush()
        with pytest.raises(DatasetError, match=r"rows is being written by another command; wait until that"):
            open_alone(path)
        file.write(b"second,")
    with open_alone(path) as file:
        file.write(b"third")
    assert path.read_bytes() == b"first,second,third"


def test_a_process_that_is_killed_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    code = f"""
import time
from pathlib import Path
from amdnet_matminer.cli.locks import open_alone
file = open_alone(Path({str(path)!r}))
print("open", flush=True)
time.sleep(600)"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(DatasetError, match="is being written by another command"):
            open_alone(path)
        other.kill()
    open_alone(path).close()


@posix
def test_a_file_that_is_renamed_between_opening_and_locking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a command that finishes just then: its file is not taken for the unfinished one."""
    path = tmp_path / "rows"
    path.write_bytes(b"finished")
    lock = locks._lock

    def lock_late(*given: object) -> None:
        monkeypatch.setattr(locks, "_lock", lock)
        path.rename(tmp_path / "table")
        lock(*given)

    monkeypatch.setattr(locks, "_lock", lock_late)
    with open_alone(path) as file:
        assert is_at(file, path)
        file.write(b"anew")
    assert (tmp_path / "table").read_bytes() == b"finished"
    assert path.read_bytes() == b"anew"


@posix
def test_a_file_system_without_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_lock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_lock)
    with caplog.at_level(logging.WARNING):
        open_alone(tmp_path / "rows").close()
    assert "rows cannot be locked (No locks available); let no other command write it" in caplog.text


@posix
def test_where_a_file_is(tmp_path: Path) -> None:
    with open_alone(tmp_path / "rows") as file:
        assert is_at(file, tmp_path / "rows")
        (tmp_path / "rows").unlink()
        assert not is_at(file, tmp_path / "rows")
        (tmp_path / "rows").write_text("another")
        assert not is_at(file, tmp_path / "rows")
