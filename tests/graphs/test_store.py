"""One file of entries: kills, several processes, damage, folders that cannot be written, full disks."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from amdnet_matminer.graphs import store
from amdnet_matminer.graphs.store import Store

posix = pytest.mark.skipif(os.name != "posix", reason="needs fork and users of POSIX")


def content(number: int) -> bytes:
    return f"{number}:".encode() * 500


def write(folder: Path, numbers: range) -> None:
    own = Store(folder)
    for number in numbers:
        own.put([(f"{number}", content(number)), (f"pair of {number}", content(number))])


def in_processes(*calls: tuple) -> list[multiprocessing.Process]:
    processes = [
        multiprocessing.get_context("spawn").Process(target=call, args=given) for call, *given in calls
    ]
    for process in processes:
        process.start()
    return processes


def test_entries(tmp_path):
    own = Store(tmp_path / "new" / "folder")
    own.put([("a", b"1"), ("b", b"")])
    own.put([("a", b"2")])
    assert [own.get(key) for key in "abc"] == [b"2", b"", None]
    keys = [f"{number}" for number in range(1200)] + ["b"]
    assert own.known(keys) == {"b"}
    assert [path.name for path in own.folder.iterdir()] == ["graphs.sqlite"]
    assert Store(own.folder).get("a") == b"2"


def test_a_kill_leaves_whole_entries(tmp_path):
    (process,) = in_processes((write, tmp_path, range(10**6)))
    deadline = time.monotonic() + 60
    while not Store(tmp_path).known(["3"]) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.join()
    with closing(sqlite3.connect(tmp_path / "graphs.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = dict(connection.execute("SELECT key, content FROM graph"))
    assert len(found) >= 8
    assert all(found[key] == content(int(key)) for key in found if key.isdigit())
    assert {f"pair of {key}" for key in found if key.isdigit()} == {k for k in found if not k.isdigit()}


def test_two_processes_write_at_once(tmp_path):
    processes = in_processes((write, tmp_path, range(200)), (write, tmp_path, range(100, 300)))
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert all(Store(tmp_path).get(f"{number}") == content(number) for number in range(300))


@posix
def test_a_forked_process_opens_the_file_for_itself(tmp_path):
    own = Store(tmp_path)
    child = os.fork()
    if child == 0:
        own.put([("child", b"1")])
        os._exit(own._handle is None or own._handle.process != os.getpid())
    assert os.waitpid(child, 0)[1] == 0
    own.put([("parent", b"2")])
    assert [own.get(key) for key in ("child", "parent")] == [b"1", b"2"]


def test_a_pickled_store(tmp_path):
    own = Store(tmp_path)
    own.put([("a", b"1")])
    assert pickle.loads(pickle.dumps(own)).get("a") == b"1"


def foreign(data: bytes) -> bytes:
    return b"no database at all" * 100


def truncated(data: bytes) -> bytes:
    return data[:5000]


def scribbled(data: bytes) -> bytes:
    return data[:4096] + b"\xff" * 8192 + data[12288:]


@pytest.mark.parametrize(
    ("damage", "is_open"),
    # Pages that a process has read already it does not read again.
    [(foreign, False), (foreign, True), (truncated, False), (truncated, True), (scribbled, False)],
)
def test_a_damaged_file_is_set_aside(tmp_path, damage, is_open, caplog):
    own = Store(tmp_path)
    own.put([(f"{number}", content(number)) for number in range(100)])
    damaged = damage(own.file.read_bytes())
    own.file.write_bytes(damaged)
    own = own if is_open else Store(tmp_path)
    for number in (3, 99):
        own.get(f"{number}")
        own.put([(f"{number}", content(number))])
    assert Store(tmp_path).get("99") == content(99)
    assert "is damaged" in caplog.text
    assert (tmp_path / "graphs.sqlite.damaged").read_bytes()[:5000] == damaged[:5000]


def test_a_process_that_sees_the_damage_later_takes_the_new_file(tmp_path):
    first, second = Store(tmp_path), Store(tmp_path)
    first.put([("a", b"1")])
    assert second.get("a") == b"1"
    first.file.write_bytes(b"no database at all" * 1000)
    first.put([("b", b"2")])
    assert second.get("b") == b"2"
    assert Store(tmp_path).get("b") == b"2"


def test_a_process_that_opens_the_damaged_file_late_leaves_the_new_one(tmp_path, monkeypatch):
    """Another has begun it anew between its opening and its error."""
    damaged = b"no database at all" * 1000
    (tmp_path / "graphs.sqlite").write_bytes(damaged)
    connect = store._connect

    def connect_late(file: Path) -> sqlite3.Connection:
        monkeypatch.setattr(store, "_connect", connect)
        try:
            return connect(file)
        finally:
            Store(tmp_path).put([("a", b"1")])

    monkeypatch.setattr(store, "_connect", connect_late)
    own = Store(tmp_path)
    assert own.get("a") == b"1"
    assert (tmp_path / "graphs.sqlite.damaged").read_bytes() == damaged


@posix
@pytest.mark.parametrize("move", [Path.unlink, lambda file: file.rename(file.with_name("elsewhere"))])
def test_a_file_that_is_taken_away_while_it_is_open_is_made_anew(tmp_path, caplog, move):
    own = Store(tmp_path)
    own.put([("a", b"1")])
    move(own.file)
    own.put([("b", b"2")])
    assert Store(tmp_path).get("b") == b"2"
    assert own.get("a") is None
    assert caplog.text == ""


def test_a_database_of_another_program_is_set_aside(tmp_path, caplog):
    with closing(sqlite3.connect(tmp_path / "graphs.sqlite")) as connection:
        connection.execute("CREATE VIEW graph AS SELECT 'a' AS key, x'00' AS content")
    assert Store(tmp_path).get("a") is None
    assert "it has other tables than a store of graphs" in caplog.text


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users reach, which pytest's own folders are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        if any(not parent.stat().st_mode & 0o001 for parent in folder.parents):
            pytest.skip("other users do not reach the folder of temporary files")
        yield folder


@posix
def test_a_folder_that_only_others_may_write(open_folder):
    Store(open_folder).put([("a", b"1")])
    if os.geteuid() != 0:
        open_folder.chmod(0o555)
        (open_folder / "graphs.sqlite").chmod(0o444)
        check_reads_only(open_folder)
        open_folder.chmod(0o755)
        return
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        try:
            check_reads_only(open_folder)
        except BaseException as error:
            os.write(2, repr(error).encode())
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def check_reads_only(folder: Path) -> None:
    own = Store(folder)
    assert own.get("a") == b"1"
    own.put([("b", b"2")])
    assert own.get("b") == b"2"
    assert own.known(["a", "b", "c"]) == {"a", "b"}
    assert [path.name for path in folder.iterdir()] == ["graphs.sqlite"]


def test_a_full_disk_leaves_what_was_there(tmp_path):
    own = Store(tmp_path)
    own.put([("a", b"1")])
    own._handle.connection.execute("PRAGMA max_page_count = 8")
    with pytest.raises(OSError, match=r"graphs\.sqlite cannot be used: database or disk is full"):
        own.put([(f"{number}", content(number)) for number in range(100)])
    assert own.get("a") == b"1"
    assert own.known([f"{number}" for number in range(100)]) == set()


def test_another_writer_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "PATIENCE", 0.05)
    own = Store(tmp_path)
    with closing(sqlite3.connect(own.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OSError, match="is locked"):
            own.put([("a", b"1")])
        other.execute("COMMIT")
    own.put([("a", b"1")])
    assert own.get("a") == b"1"
