"""Model files: whole, safe, and refused with a reason when they are not."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Structure

from amdnet_matminer import AMDNetRegressor, __version__, persistence
from amdnet_matminer.datasets import oxides
from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.persistence import describe_training, read_model, write_model

WEIGHTS = [np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros(0), *map(np.float32, range(12))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_model(tmp_path / "model.amdnet", {"parameters": {"epochs": 3}}, WEIGHTS)
    return tmp_path / "model.amdnet"


def rewrite(path: Path, files: dict[str, bytes] | None = None, **changes: object) -> None:
    """Change entries of the description, and other files."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents["model.json"] = json.dumps(json.loads(contents["model.json"]) | changes).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (contents | (files or {})).items():
            archive.writestr(name, content)


def npy(array: np.ndarray, **options: bool) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


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


@pytest.mark.parametrize("version", [2, 3])
def test_an_earlier_network_of_the_same_name_is_refused(path: Path, version: int) -> None:
    rewrite(path, format_version=version, parameters={"architecture": "amdnet"})
    with pytest.raises(ModelFileError, match=r"an earlier form of the network 'amdnet'.*train it anew"):
        read_model(path)
    rewrite(path, format_version=version, parameters={"architecture": "megnet"})
    assert read_model(path)[0]["format_version"] == version


def test_a_newer_format_names_the_remedy(path: Path) -> None:
    rewrite(path, format_version=99, written_by="9.0")
    with pytest.raises(ModelFileError, match=r"written by amdnet_matminer 9\.0.*upgrade"):
        read_model(path)


@pytest.mark.parametrize("version", [0, -1, "2", None, 1.5])
def test_an_unknown_format_is_refused(path: Path, version: object) -> None:
    rewrite(path, format_version=version)
    with pytest.raises(ModelFileError, match="its format version is"):
        read_model(path)


def test_a_pickled_array_is_refused(path: Path) -> None:
    harmful = npy(np.array([{"a": 1}], dtype=object), allow_pickle=True)
    digests = read_model(path)[0]["sha256"]
    digests[0] = hashlib.sha256(harmful).hexdigest()
    rewrite(path, {"weights/0000.npy": harmful}, sha256=digests)
    with pytest.raises(ModelFileError, match=r"damaged \(an array claims .* object"):
        read_model(path)


def test_an_array_that_claims_another_shape_is_refused(path: Path) -> None:
    """numpy's own reader would make room for it."""
    bomb = npy(np.zeros(3)).replace(b"(3,), }          ", b"(9999999999999,)}")
    assert len(bomb) == len(npy(np.zeros(3)))
    digests = read_model(path)[0]["sha256"]
    digests[0] = hashlib.sha256(bomb).hexdigest()
    rewrite(path, {"weights/0000.npy": bomb}, sha256=digests)
    with pytest.raises(ModelFileError, match=r"claims \(9999999999999,\) times float64"):
        read_model(path)


@pytest.mark.parametrize(
    "files",
    [
        {"weights/0001.npy": npy(np.ones(1))},
        {"weights/9999.npy": npy(np.ones(1))},
        {"run.py": b"print('harm')"},
    ],
)
def test_changed_and_added_arrays_are_refused(path: Path, files: dict[str, bytes]) -> None:
    rewrite(path, files)
    with pytest.raises(ModelFileError, match="its arrays are not those that were saved"):
        read_model(path)


def test_an_archive_that_unpacks_to_too_much_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights/9999.npy", b"\0" * 10**7)
    assert path.stat().st_size < 50_000
    monkeypatch.setattr(persistence, "LARGEST_MODEL", 10**6)
    with pytest.raises(ModelFileError, match="would unpack to more than any model"):
        read_model(path)


def test_a_huge_file_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "LARGEST_MODEL", 100)
    with pytest.raises(ModelFileError, match="is larger than 100 bytes"):
        read_model(path)


def test_deep_json_is_refused(path: Path) -> None:
    rewrite(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.json", "[" * 100_000)
    with pytest.raises(ModelFileError, match="is damaged"):
        read_model(path)


def test_equal_models_are_equal_files(path: Path, tmp_path: Path) -> None:
    write_model(tmp_path / "again.amdnet", {"parameters": {"epochs": 3}}, WEIGHTS)
    assert (tmp_path / "again.amdnet").read_bytes() == path.read_bytes()


def test_the_versions_are_told(path: Path) -> None:
    description = read_model(path)[0]
    assert description["format_version"] == persistence.FORMAT_VERSION
    assert description["written_by"] == __version__
    assert description["versions"]["numpy"] == np.__version__
    assert set(description["versions"]) >= {"python", "keras", "pymatgen", "matminer", "scikit-learn"}


def test_column_major_arrays_are_read_as_written(tmp_path: Path) -> None:
    array = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    write_model(tmp_path / "model", {}, [array])
    np.testing.assert_array_equal(read_model(tmp_path / "model")[1][0], array)


def test_training_is_summarised(rutile: Structure, rock_salt: Structure, copper: Structure) -> None:
    told = describe_training([rutile, rock_salt, copper], [[1.0, np.nan], [3.0, 5.0], [5.0, np.nan]])
    assert told["n_crystals"] == 3
    assert told["elements"] == ["O", "Mg", "Ti", "Cu"]
    assert told["target"] == [
        {"count": 3, "mean": 3.0, "std": pytest.approx((8 / 3) ** 0.5), "min": 1.0, "max": 5.0},
        {"count": 1, "mean": 5.0, "std": 0.0, "min": 5.0, "max": 5.0},
    ]
    assert describe_training([rutile], [2.0])["target"][0]["mean"] == 2.0
    json.dumps(told)


def test_a_file_of_format_1_predicts_as_it_did() -> None:
    """Written by version 0.1.0 before format 2 was thought of, with these predictions."""
    model = AMDNetRegressor.load(Path(__file__).parent / "data" / "model-format-1.amdnet")
    structures = oxides().structure
    told = {"rock-salt-MgO": -23.12594164, "rock-salt-SrO": -23.12035590, "zinc-blende-BeO": -23.12947291}
    predicted = model.predict([structures[name] for name in told])
    np.testing.assert_allclose(predicted, list(told.values()), atol=2e-6)
