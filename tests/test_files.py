"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from amdnet_matminer.files import PACKAGES, package_versions, write_atomically


@pytest.mark.parametrize("flush", [True, False])
def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path, flush: bool) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old and longer")
    write_atomically(path, b"new", flush)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_it_as_any_new_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", b"new")
    (tmp_path / "plain").touch()
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_full_disk_is_told_with_the_name_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "model.amdnet"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: .*model\.amdnet"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none.file"):
        write_atomically(tmp_path / "none" / "file", b"")


def test_versions_are_of_what_is_installed() -> None:
    assert package_versions(["numpy", "no-such-package"]) == {"numpy": np.__version__}
    assert set(package_versions()) <= set(PACKAGES)
    assert {"pymatgen", "matminer", "keras"} <= set(package_versions())
