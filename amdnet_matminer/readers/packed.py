"""Files as they are or compressed, read no further than a file of crystals can sensibly unpack."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from amdnet_matminer.errors import DatasetError

SUFFIXES = (".gz", ".bz2", ".xz", ".lzma")
"""Of compressed files."""

LARGEST_RATIO = 100
"""How many times its own size a file may unpack to; texts of crystals unpack to 3 to 30 times."""

ALWAYS_FINE = 64 * 2**20
"""Bytes, 64 MiB, that any file may unpack to."""

LARGEST = 8 * 2**30
"""Bytes, 8 GiB, beyond which no file is unpacked; the largest of MatBench has 2."""

_OPENERS: dict[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".lzma": lzma.open,
}


def open_bytes(path: Path, unlimited: bool = False) -> IO[bytes]:
    """Open a file, unpacking it if its name says that it is compressed.

    Args:
        path: The file.
        unlimited: Unpack it however large it gets.

    Returns:
        A stream of bytes. Unless ``unlimited``, reading what is unpacked beyond ``LARGEST``, or
        beyond ``LARGEST_RATIO`` times the file's size where that is more than ``ALWAYS_FINE``,
        raises a ``DatasetError``.

    Raises:
        OSError: It cannot be opened.
    """
    suffix = path.suffix.lower()
    if suffix not in _OPENERS:
        return path.open("rb")
    stream = _OPENERS[suffix](path, "rb")
    return stream if unlimited else io.BufferedReader(_Bounded(stream, path), 2**16)


def open_text(path: Path, unlimited: bool = False, errors: str = "strict") -> IO[str]:
    """Open a text in UTF-8, with or without a byte-order mark, as ``open_bytes`` does.

    Args:
        path: The file.
        unlimited: Unpack it however large it gets.
        errors: What to do about bytes that are no UTF-8, as for ``open``.

    Returns:
        A stream of text.

    Raises:
        OSError: It cannot be opened.
    """
    return io.TextIOWrapper(open_bytes(path, unlimited), encoding="utf-8-sig", errors=errors)


def unpacked_name(path: Path) -> str:
    """A file's name without the suffix that says that it is compressed."""
    return path.stem if path.suffix.lower() in SUFFIXES else path.name


def largest_size(path: Path) -> int:
    """How many bytes a compressed file may unpack to unless it is read without limit."""
    return min(LARGEST, max(ALWAYS_FINE, LARGEST_RATIO * path.stat().st_size))


class _Bounded(io.RawIOBase):
    """An unpacking stream that ends with an error beyond its limit."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream = stream
        self._path = path
        self._limit = self._left = largest_size(path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise DatasetError(
                f"unpacks to more than {self._limit / 2**20:,.0f} MiB, which is too much for a file of "
                f"{self._path.stat().st_size / 2**20:,.1f} MiB",
                "if you trust it, read it with unlimited=True (--unlimited), or unpack it",
                item=self._path,
            )
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()
