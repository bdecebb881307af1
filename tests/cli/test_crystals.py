"""What tells the files of crystals from others, and from themselves after a change."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from amdnet_matminer.cli.crystals import fingerprint
from amdnet_matminer.readers.entries import Crystals
from amdnet_matminer.structure_files import open_crystals


def of(*paths: Path | str, recursive: bool = False, unlimited: bool = False) -> bytes:
    crystals = open_crystals(*paths, recursive=recursive, unlimited=unlimited)
    return fingerprint(crystals, argparse.Namespace(unlimited=unlimited))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Crystals, a calculation of VASP in a sub-folder, and a crystal in a folder below it."""
    for name in ("a.cif", "run/CONTCAR", "run/deep/b.cif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("first")
    return tmp_path


def test_nothing_has_changed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = of(tree)
    # What the command itself and others leave beside crystals, which is not read in a folder.
    for name in ("out.csv", "out.csv.0123456789ab.part", "slurm-1.out", ".hidden.cif"):
        (tree / name).write_text("rows")
    assert of(tree) == before
    assert of(f"{tree}/") == before
    monkeypatch.chdir(tree)
    assert of(".") == before


def edited(tree: Path) -> None:
    (tree / "a.cif").write_text("first, edited")


def edited_with_its_size_and_time(tree: Path) -> None:
    time = (tree / "a.cif").stat().st_mtime_ns
    (tree / "a.cif").write_text("other")
    os.utime(tree / "a.cif", ns=(time, time))


def gone_on(tree: Path) -> None:
    (tree / "run" / "CONTCAR").write_text("relaxed")


def added(tree: Path) -> None:
    (tree / "c.cif").write_text("new")


def removed(tree: Path) -> None:
    (tree / "a.cif").unlink()


@pytest.mark.parametrize("change", [edited, edited_with_its_size_and_time, gone_on, added, removed])
@pytest.mark.parametrize("recursive", [False, True])
def test_what_has_changed(tree: Path, change: Callable[[Path], None], recursive: bool) -> None:
    if change is edited_with_its_size_and_time and os.name == "nt":
        pytest.skip("Windows does not tell when a file was changed by whatever means")
    before = of(tree, recursive=recursive)
    change(tree)
    assert of(tree, recursive=recursive) != before


def test_deeper_folders_count_where_they_are_searched(tree: Path) -> None:
    before, deep = of(tree), of(tree, recursive=True)
    (tree / "run" / "deep" / "b.cif").write_text("edited")
    assert of(tree) == before
    assert of(tree, recursive=True) != deep


def test_links_to_folders(tree: Path) -> None:
    try:
        (tree / "run" / "back").symlink_to(tree)
    except OSError:
        pytest.skip("no links here")
    assert of(tree, recursive=True) == of(tree, recursive=True)


def test_given_files_and_patterns(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tree / "crystals.csv"
    table.write_text("id,structure\nA,x\n")
    before, of_pattern = of(table), of(tree / "*.cif")
    assert before != of_pattern
    assert of(table, tree) != of(tree, table)
    assert of(table, unlimited=True) != before
    table.write_text("id,structure\nA,another\n")
    assert of(table) != before
    assert of(tree / "*.cif") == of_pattern
    edited(tree)
    assert of(tree / "*.cif") != of_pattern
    (tree / "[x]").mkdir()
    monkeypatch.chdir(tree / "[x]")
    Path("a.cif").write_text("in a folder whose name looks like a pattern")
    (tree / "[x]" / "b.cif").write_text("the same")
    assert of("*.cif") != of("a.cif")


def test_what_is_gone_meanwhile_is_left_to_be_told_later(tmp_path: Path) -> None:
    gone, arguments = Crystals([], 0, files=(tmp_path / "gone.cif",)), argparse.Namespace(unlimited=False)
    assert fingerprint(gone, arguments) == fingerprint(gone, arguments)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_never_the_same_and_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "crystals.json")
    pipe = Crystals([], 0, files=(tmp_path / "crystals.json",))
    arguments = argparse.Namespace(unlimited=False)
    assert fingerprint(pipe, arguments) != fingerprint(pipe, arguments)
