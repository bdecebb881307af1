"""Bytes by key in one file that processes share: an SQLite database, which needs no server.

SQLite's rollback journal keeps the file whole when a process is killed, and its locks keep
processes apart, on network file systems too if these have locks; its write-ahead log would not.
A damaged database is an error of SQLite and never ends the process, as a damaged file that is
mapped into memory would.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple, TypeVar

logger = logging.getLogger(__name__)

FILE_NAME = "graphs.sqlite"

LARGEST_ENTRY = 2**28
"""Bytes that an entry has at most: more than the graph of a crystal of 100,000 atoms has."""

PATIENCE = 120.0
"""Seconds to wait while other processes write."""

_SCHEMA = "CREATE TABLE graph (key TEXT PRIMARY KEY, content BLOB NOT NULL)"
_KEYS_AT_ONCE = 500
_DAMAGES = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR_SHORT_READ")
_MOVED = "SQLITE_READONLY_DBMOVED"
"""The file was removed or renamed while it was open, which SQLite counts as one that is not writable."""
_REFUSALS = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")
_INHERITED: list[_Handle] = []
"""Of a process that this one was forked from: SQLite wants them neither used nor closed here."""

Found = TypeVar("Found")


class Store:
    """Entries of bytes in one file of a folder; several processes and threads may use it at once.

    If the folder or the file is not writable, what is there is read, and what is put is held
    in memory, of which a warning tells. A file that is damaged as a whole, or is another
    program's, is renamed and begun anew, with a warning.

    Args:
        folder: Where the file ``graphs.sqlite`` is or comes to be; made if it is not there.

    Raises:
        OSError: The folder cannot be made, or has no such file and is not writable.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).expanduser().absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = self.folder / FILE_NAME
        self._handle: _Handle | None = None
        self._unwritten: dict[str, bytes] = {}
        self._do(lambda connection: None)

    def __getstate__(self) -> dict[str, Any]:
        """Another process opens the file for itself."""
        return self.__dict__ | {"_handle": None, "_unwritten": {}}

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None and handle.process == os.getpid():
            handle.connection.close()

    def get(self, key: str) -> bytes | None:
        """Read an entry.

        Args:
            key: What it was put under.

        Returns:
            Its bytes as they are in the file, sound or not; None if there is none.

        Raises:
            ValueError: It is too large, or no bytes; the message goes on after the name of an entry.
            OSError: The file cannot be read.
        """
        if key in self._unwritten:
            return self._unwritten[key]
        query = "SELECT CASE WHEN length(content) <= ? THEN content END FROM graph WHERE key = ?"
        row = self._do(lambda connection: connection.execute(query, (LARGEST_ENTRY, key)).fetchone())
        if row is None:
            return None
        (content,) = row
        if content is None:
            raise ValueError(f"is larger than {LARGEST_ENTRY} bytes")
        if not isinstance(content, bytes):
            raise ValueError("is no graph")
        return content

    def known(self, keys: Sequence[str]) -> set[str]:
        """Find out which of some entries are there.

        Args:
            keys: Of the entries.

        Returns:
            Those that are.

        Raises:
            OSError: The file cannot be read.
        """
        found = self._unwritten.keys() & set(keys)
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            some = keys[start : start + _KEYS_AT_ONCE]
            query = f"SELECT key FROM graph WHERE key IN ({', '.join('?' * len(some))})"
            found.update(key for (key,) in self._do(partial(_rows, query, some)))
        return found

    def put(self, entries: Iterable[tuple[str, bytes]]) -> None:
        """Write entries, all of them or, if that fails, none.

        Args:
            entries: Keys and bytes; those of a key that is there are replaced.

        Raises:
            OSError: They cannot be written, for instance because the disk is full.
        """
        kept = [(key, content) for key, content in entries if len(content) <= LARGEST_ENTRY]
        if not kept:
            return
        try:
            self._do(lambda connection: _write(connection, kept))
        except PermissionError as error:
            if not self._unwritten:
                logger.warning("%s; new graphs are held in memory, for this process only", error)
            self._unwritten.update(kept)

    def _do(self, act: Callable[[sqlite3.Connection], Found]) -> Found:
        """Act on the database.

        It is begun anew if it turns out to be damaged, and opened anew if it was removed or renamed.
        """
        with self._errors():
            handle = self._own()
            identity = _identity(self.file) if handle is None else handle.identity
            try:
                handle = handle or self._open(identity)
                with handle.lock:
                    return act(handle.connection)
            except sqlite3.Error as error:
                if not _is(error, (*_DAMAGES, _MOVED)):
                    raise
                self._close(handle)
                if not _is(error, (_MOVED,)):
                    self._begin_anew(identity, error)
            handle = self._own() or self._open(_identity(self.file))
            with handle.lock:
                return act(handle.connection)

    def _own(self) -> _Handle | None:
        """This process's handle, if it has opened the file."""
        handle = self._handle
        if handle is not None and handle.process != os.getpid():
            _INHERITED.append(handle)
            handle = self._handle = None
        return handle

    def _open(self, identity: tuple[int, int] | None) -> _Handle:
        """Open the file, whose identity was taken before: afterwards it may be that of a later file."""
        connection = _connect(self.file)
        self._handle = _Handle(connection, RLock(), os.getpid(), identity or _identity(self.file))
        return self._handle

    def _close(self, handle: _Handle | None) -> None:
        if handle is not None:
            with handle.lock:
                handle.connection.close()
        if self._handle is handle:  # else another thread has opened the file anew
            self._handle = None

    def _begin_anew(self, identity: tuple[int, int] | None, error: sqlite3.Error) -> None:
        """Rename a damaged file, unless another process has done so since its identity was taken."""
        if identity != _identity(self.file):
            return
        aside = self.file.with_name(f"{FILE_NAME}.damaged")
        # What a journal of the damaged file says is not of the new one.
        with suppress(FileNotFoundError):
            self.file.with_name(f"{FILE_NAME}-journal").unlink()
        with suppress(FileNotFoundError):
            self.file.replace(aside)
        logger.warning("%s is damaged (%s); it is kept as %s, and begun anew", self.file, error, aside.name)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """SQLite's errors as those of files."""
        try:
            yield
        except sqlite3.Error as error:
            kind = PermissionError if _is(error, _REFUSALS) else OSError
            raise kind(f"{self.file} cannot be used: {error}") from error


class _Handle(NamedTuple):
    """An open database."""

    connection: sqlite3.Connection
    lock: RLock
    """Of the threads that share it."""
    process: int
    """That has opened it."""
    identity: tuple[int, int] | None
    """Of the file, which tells it from a later one of the same name."""


def _connect(file: Path) -> sqlite3.Connection:
    """Open a database that has the one table, and is made if it is not there."""
    try:
        return _checked(file, "mode=rwc")
    except sqlite3.Error as error:
        if not _is(error, _REFUSALS) or not file.exists():
            raise
        # Whoever may write it was killed: what its journal would take back is told by checksums.
        return _checked(file, "immutable=1")


def _checked(file: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{file.as_uri()}?{mode}", timeout=PATIENCE, isolation_level=None, check_same_thread=False, uri=True
    )
    try:
        connection.executescript(
            "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA synchronous = NORMAL"
        )
        schema = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        if not schema:
            with _transaction(connection):
                connection.execute(_SCHEMA.replace("TABLE", "TABLE IF NOT EXISTS"))
        elif schema != [(_SCHEMA,)]:
            raise _damage("it has other tables than a store of graphs")
    except BaseException:
        connection.close()
        raise
    return connection


def _rows(query: str, values: Sequence[str], connection: sqlite3.Connection) -> list[tuple]:
    return connection.execute(query, values).fetchall()


def _write(connection: sqlite3.Connection, entries: Sequence[tuple[str, bytes]]) -> None:
    with _transaction(connection):
        connection.executemany("INSERT OR REPLACE INTO graph VALUES (?, ?)", entries)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; waits for other writers at its beginning, where nothing can deadlock."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # which has rolled back by itself
            connection.execute("ROLLBACK")
        raise


def _is(error: sqlite3.Error, names: tuple[str, ...]) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith(names)


def _damage(reason: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(reason)
    error.sqlite_errorname = "SQLITE_NOTADB"
    return error


def _identity(file: Path) -> tuple[int, int] | None:
    """What tells a file from a later one of the same name; None if there is none."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
