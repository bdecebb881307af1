"""Model files: whole, safe, and refused with a reason when they are not."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.persistence import read_model, write_model

WEIGHTS = [np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros(0), *map(np.float32, range(12))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_model(tmp_path / "model.amdnet", {"parameters": {"epochs": 3}}, WEIGHTS)
    return tmp_path / "model.amdnet"


def rewrite(path: Path, **changes: object) -> None:
    """Change entries of the description."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents["model.json"] = json.dumps(json.loads(contents["model.json"]) | changes).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def test_what_is_written_is_read(path: Path) -> None:
    description, weights = read_model(path)
    assert description["parameters"] == {"epochs": 3}
    assert len(weights) == len(WEIGHTS)
    for read, written in zip(weights, WEIGHTS, strict=True):
        np.testing.assert_array_equal(read, written)
    assert [p.name for p in path.parent.iterdir()] == ["model.amdnet"]


def test_a_failed_write_leaves_the_old_file(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_model(path, {"not JSON": object()}, WEIGHTS)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["model.amdnet"]


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_model(tmp_path / "none")


@pytest.mark.parametrize("kept", [0, 1, 40, 0.3, 0.9])
def test_a_truncated_file_is_refused(path: Path, kept: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(ModelFileError, match="is damaged"):
        read_model(path)


def test_a_foreign_archive_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ModelFileError, match=r"other\.zip is not a model"):
        read_model(tmp_path / "other.zip")


def test_a_foreign_description_is_refused(path: Path) -> None:
    rewrite(path, format="another model")
    with pytest.raises(ModelFileError, match="give a file that save"):
        read_model(path)


def test_a_newer_format_names_the_remedy(path: Path) -> None:
    rewrite(path, format_version=99, written_by="9.0")
    with pytest.raises(ModelFileError, match=r"written by amdnet_matminer 9\.0.*upgrade"):
        read_model(path)


def test_a_pickled_array_is_refused(path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("weights/9999.npy", buffer.getvalue())
    with pytest.raises(ModelFileError, match="is damaged"):
        read_model(path)
