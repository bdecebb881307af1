"""Compressed files: read as others are, but not without bound."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from pymatgen.core import Structure

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.readers import packed
from amdnet_matminer.readers.packed import open_bytes, open_text, unpacked_name
from amdnet_matminer.structure_files import open_crystals, read_entry

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
}


@pytest.mark.parametrize("suffix", PACKERS)
def test_compressed_files_are_read(rutile: Structure, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.cif{suffix}"
    path.write_bytes(PACKERS[suffix](rutile.to(fmt="cif").encode()))
    (entry,) = open_crystals(tmp_path).entries
    assert entry.id == "x"
    assert read_entry(entry).matches(rutile, primitive_cell=False)


def test_names() -> None:
    assert unpacked_name(Path("a/x.cif.gz")) == "x.cif"
    assert unpacked_name(Path("a/x.cif")) == "x.cif"


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.cif").write_bytes(b"\xef\xbb\xbfdata_x\n")
    with open_text(tmp_path / "x.cif") as file:
        assert file.read() == "data_x\n"


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    monkeypatch.setattr(packed, "ALWAYS_FINE", 2**20)
    path = tmp_path / f"x.json{suffix}"
    path.write_bytes(PACKERS[suffix](b"0" * 3_000_000))
    with pytest.raises(DatasetError, match=r"x\.json\..* unpacks to more than 1 MiB.*unlimited=True"):
        list(open_crystals(path).entries)
    with open_bytes(path, unlimited=True) as file:
        assert len(file.read()) == 3_000_000


def test_what_is_small_or_hardly_compressed_is_no_bomb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "ALWAYS_FINE", 2**10)
    random = bytes(range(256)) * 40
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(random, compresslevel=0))
    with open_bytes(path) as file:
        assert file.read() == random
    monkeypatch.setattr(packed, "LARGEST", 5_000)
    with open_bytes(path) as file, pytest.raises(DatasetError, match="too much"):
        file.read()


def test_a_bomb_in_a_folder_is_one_crystals_error(
    rutile: Structure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "ALWAYS_FINE", 2**20)
    for name in ("bomb.json", "bomb.cif", "CHGCAR"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(b'{"lattice":"sites"' + b"0" * 3_000_000))
    rutile.to(filename=str(tmp_path / "rutile.cif"))
    entries = {entry.id: entry for entry in open_crystals(tmp_path).entries}
    assert read_entry(entries.pop("rutile")).matches(rutile)
    assert len(entries) == 3
    for entry in entries.values():
        with pytest.raises(DatasetError, match="unpacks to more than"):
            read_entry(entry)
