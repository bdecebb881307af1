"""Model files: whole, safe, and refused with a reason when they are not."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from pymatgen.core import Structure

from amdnet_matminer import AMDNetClassifier, AMDNetRegressor, __version__, persistence
from amdnet_matminer.datasets import oxides
from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.persistence import describe_training, read_arrays, write_arrays

ARRAYS = [np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros(0), *map(np.float32, range(12))]
MODEL = Path(__file__).parent / "data" / "model.amdnet"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_arrays(tmp_path / "file", {"epochs": 3}, ARRAYS)
    return tmp_path / "file"


def change_metadata(path: Path, change: Callable[[dict], dict]) -> None:
    """Write the file with another metadata entry, whose arrays are the same."""
    with safetensors.safe_open(path, framework="numpy") as file:
        entry = json.loads(file.metadata()["amdnet"])
    arrays = safetensors.numpy.load(path.read_bytes())
    path.write_bytes(safetensors.numpy.save(arrays, {"amdnet": json.dumps(change(entry))}))


class TestArrays:
    def test_what_is_written_is_read(self, path: Path) -> None:
        header, arrays = read_arrays(path)
        assert header == {"epochs": 3}
        assert len(arrays) == len(ARRAYS)
        for read, written in zip(arrays, ARRAYS, strict=True):
            np.testing.assert_array_equal(read, written)
            assert read.dtype == written.dtype
        assert [p.name for p in path.parent.iterdir()] == ["file"]

    def test_a_failed_write_leaves_the_old_file(self, path: Path) -> None:
        before = path.read_bytes()
        with pytest.raises(TypeError):
            write_arrays(path, {"not JSON": object()}, ARRAYS)
        assert path.read_bytes() == before
        assert [p.name for p in path.parent.iterdir()] == ["file"]

    def test_equal_content_is_equal_bytes(self, path: Path, tmp_path: Path) -> None:
        write_arrays(tmp_path / "again", {"epochs": 3}, ARRAYS)
        assert (tmp_path / "again").read_bytes() == path.read_bytes()

    def test_column_major_arrays_are_read_as_written(self, tmp_path: Path) -> None:
        array = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
        write_arrays(tmp_path / "file", {}, [array])
        np.testing.assert_array_equal(read_arrays(tmp_path / "file")[1][0], array)

    def test_a_missing_file_is_not_found(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            read_arrays(tmp_path / "none")

    @pytest.mark.parametrize("kept", [0, 1, 40, 0.3, 0.9])
    def test_a_truncated_file_is_refused(self, path: Path, kept: float) -> None:
        content = path.read_bytes()
        path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
        with pytest.raises(ModelFileError, match="is damaged"):
            read_arrays(path)

    def test_every_changed_byte_of_an_array_is_seen(self, path: Path) -> None:
        content = path.read_bytes()
        for k in range(1, 40, 3):
            path.write_bytes(content[:-k] + bytes([content[-k] ^ 1]) + content[len(content) - k + 1 :])
            with pytest.raises(ModelFileError, match="not what was saved"):
                read_arrays(path)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"header": {"epochs": 4}}, "its content is not what was saved"),
            ({"format": "amdnet-matminer arrays 2"}, "it is of the format 'amdnet-matminer arrays 2'"),
            ({"sha256": None}, "its content is not what was saved"),
        ],
    )
    def test_a_changed_header_is_refused(self, path: Path, change: dict, reason: str) -> None:
        change_metadata(path, lambda entry: entry | change)
        with pytest.raises(ModelFileError, match=reason):
            read_arrays(path)

    @pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + b"\0" * 100, b"[" * 100_000])
    def test_a_foreign_file_is_refused(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(ModelFileError, match=r"file is no model .* give a file that save\(\) wrote"):
            read_arrays(tmp_path / "file")

    def test_a_foreign_safetensors_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(safetensors.numpy.save({"a": np.zeros(3)}))
        with pytest.raises(ModelFileError, match="is no model"):
            read_arrays(tmp_path / "file")

    def test_deep_json_is_refused(self, path: Path) -> None:
        arrays = safetensors.numpy.load(path.read_bytes())
        path.write_bytes(safetensors.numpy.save(arrays, {"amdnet": "[" * 100_000}))
        with pytest.raises(ModelFileError, match="is no model"):
            read_arrays(path)

    def test_a_huge_file_is_not_read(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(persistence, "LARGEST_FILE", 100)
        with pytest.raises(ModelFileError, match="and no such file more than 100"):
            read_arrays(path)


def test_training_is_summarised(rutile: Structure, rock_salt: Structure, copper: Structure) -> None:
    told = describe_training({22, 29, 8, 12}, np.array([[1.0, np.nan], [3.0, 5.0], [5.0, np.nan]]))
    assert told["n_crystals"] == 3
    assert told["elements"] == ["O", "Mg", "Ti", "Cu"]
    assert told["target"] == [
        {"count": 3, "mean": 3.0, "std": pytest.approx((8 / 3) ** 0.5), "min": 1.0, "max": 5.0},
        {"count": 1, "mean": 5.0, "std": 0.0, "min": 5.0, "max": 5.0},
    ]
    assert describe_training({22, 8}, np.array([[2.0]]))["target"][0]["mean"] == 2.0


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e200, 1e300])
def test_training_of_any_size_is_summarised(size: float) -> None:
    (told,) = describe_training({8}, size * np.array([[1.0], [3.0], [5.0]]))["target"]
    assert told["mean"] == pytest.approx(3 * size)
    assert told["std"] == pytest.approx(size * (8 / 3) ** 0.5)


def test_a_file_predicts_as_it_did() -> None:
    """Written before 0.3.0, with these predictions: a change of format or network must not go unseen."""
    structures = oxides().structure
    known = {"rock-salt-MgO": -23.03564930, "rock-salt-SrO": -21.05925597, "zinc-blende-BeO": -22.81184518}
    predicted = AMDNetRegressor.load(MODEL).predict([structures[name] for name in known])
    np.testing.assert_allclose(predicted, list(known.values()), atol=1e-5)


def test_weights_that_half_precision_holds_take_half_the_room(tmp_path: Path) -> None:
    model = AMDNetRegressor.load(MODEL)
    model.save(tmp_path / "full")
    model.weights_ = [[weight.astype(np.float16).astype(np.float32) for weight in model.weights_[0]]]
    model.save(tmp_path / "half")
    n_bytes = sum(weight.nbytes for weight in model.weights_[0])
    saved = [(tmp_path / name).stat().st_size for name in ("full", "half")]
    assert saved[0] - saved[1] == pytest.approx(n_bytes / 2, rel=0.1)
    for loaded, weight in zip(
        AMDNetRegressor.load(tmp_path / "half").weights_[0], model.weights_[0], strict=True
    ):
        np.testing.assert_array_equal(loaded, weight)
        assert loaded.dtype == np.float32


def test_the_versions_are_told(tmp_path: Path) -> None:
    AMDNetRegressor.load(MODEL).save(tmp_path / "model")
    header, _ = read_arrays(tmp_path / "model")
    assert header["written_by"] == __version__
    assert header["versions"]["numpy"] == np.__version__
    assert set(header["versions"]) >= {"python", "keras", "pymatgen", "matminer", "scikit-learn"}


def test_saving_what_was_loaded_gives_the_same_file(tmp_path: Path) -> None:
    model = AMDNetRegressor.load(MODEL)
    model.save(tmp_path / "first")
    AMDNetRegressor.load(tmp_path / "first").save(tmp_path / "second")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    assert model.domain_ == AMDNetRegressor.load(tmp_path / "second").domain_


def test_nothing_of_the_computer_is_saved(tmp_path: Path) -> None:
    model = AMDNetRegressor.load(MODEL)
    model.set_params(cache_dir="c", checkpoint_dir="k", init_from="i", n_jobs=3, verbose=1, warm_start=True)
    model.save(tmp_path / "model")
    parameters = AMDNetRegressor.load(tmp_path / "model").get_params()
    plain = AMDNetRegressor().get_params()
    for name in ("cache_dir", "checkpoint_dir", "init_from", "n_jobs", "verbose", "warm_start"):
        assert parameters[name] == plain[name]


@pytest.fixture
def rewritten(tmp_path: Path) -> Callable[..., Path]:
    """A file like the model's with another header or other arrays, whole and with a sound checksum."""

    def write(
        header: dict | None = None,
        arrays: Callable[[list[np.ndarray]], list[np.ndarray]] = list,
        **parameters: object,
    ) -> Path:
        before, weights = read_arrays(MODEL)
        changed = before | {"parameters": before["parameters"] | parameters} | (header or {})
        write_arrays(tmp_path / "hostile", changed, arrays(weights))
        return tmp_path / "hostile"

    return write


def first_weights(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[list], list]:
    """Change the first array of the network; the names of the motifs are before it."""
    return lambda arrays: [arrays[0], change(arrays[1]), *arrays[2:]]


class TestHostileFiles:
    @pytest.mark.parametrize(
        ("parameters", "reason"),
        [
            ({"width": 20_000}, "width must be None or an integer from 1 to 512, got 20000"),
            ({"width": True}, "width must be"),
            ({"width": 5}, r"weights 0 are \(95, 4\) float32 instead of \(95, 5\) float32"),
            ({"n_blocks": 100_000}, "n_blocks must be an integer from 1 to 32"),
            ({"n_blocks": 2}, "arrays of weights, of which each network has"),
            ({"atom_cutoff": 200.0}, "atom_cutoff must be a number above 0, at most 20"),
            ({"atom_cutoff": "5"}, "atom_cutoff must be"),
            ({"atom_cutoff": float("nan")}, "atom_cutoff must be"),
            ({"n_neighbors": 100_000}, "n_neighbors must be None or an integer from 1 to 1000"),
            ({"n_ensemble": 10**9}, "n_ensemble must be"),
            ({"n_ensemble": 2}, "it has 1 networks, and n_ensemble is 2"),
            ({"rbf_edge_dim_atom": 10**9}, "rbf_edge_dim_atom must be"),
            ({"extensive": 1}, "extensive must be True or False"),
            ({"architecture": "another"}, r"architecture must be one of \['amdnet'"),
            ({"architecture": ["amdnet"]}, "architecture must be one of"),
            ({"random_state": -1}, "random_state must be None or an integer"),
            ({"random_state": True}, "random_state must be None or an integer"),
            ({"cache_dir": "/tmp/x"}, r"a file has no parameters \['cache_dir'\]"),
            ({"checkpoint_dir": "/tmp/x"}, r"a file has no parameters \['checkpoint_dir'\]"),
            ({"n_jobs": 3000}, r"a file has no parameters \['n_jobs'\]"),
            ({"verbose": 1}, r"a file has no parameters \['verbose'\]"),
            ({"init_from": "/tmp/x"}, r"a file has no parameters \['init_from'\]"),
            ({"warm_start": True}, r"a file has no parameters \['warm_start'\]"),
            ({"bogus": 1}, r"a file has no parameters \['bogus'\]"),
        ],
    )
    def test_parameters(self, rewritten: Callable, parameters: dict, reason: str) -> None:
        with pytest.raises(ModelFileError, match=reason):
            AMDNetRegressor.load(rewritten(**parameters))

    @pytest.mark.parametrize(
        ("header", "reason"),
        [
            ({"scale": [0.0]}, r"Expected `float` > 0\.0 - at `\$\.scale"),
            ({"scale": [-1.0]}, r"\$\.scale"),
            ({"scale": [float("nan")]}, r"\$\.scale"),
            ({"scale": [float("inf")]}, r"\$\.scale"),
            ({"scale": [True]}, "Expected `float`, got `bool`"),
            ({"scale": [1.0, 1.0]}, "1 means but 2 scales"),
            ({"mean": [float("nan")]}, r"\$\.mean"),
            ({"mean": []}, r"\$\.mean"),
            ({"mean": [0.0] * 10_001, "scale": [1.0] * 10_001}, r"\$\.mean"),
            ({"mean": [0.0] * 2, "scale": [1.0] * 2}, "not as many targets as outputs"),
            ({"labels": {"target_shape": [], "std_factor": -1.0}}, "std_factor"),
            ({"labels": {"target_shape": [], "std_factor": float("nan")}}, "std_factor"),
            ({"labels": {"target_shape": [1, 1], "std_factor": 1.0}}, "not as many targets"),
            ({"labels": {"target_shape": []}}, "missing required field `std_factor`"),
            ({"labels": {"target_shape": [], "std_factor": 1.0, "more": 1}}, r"unknown fields \['more'\]"),
            ({"ladder": {"first": [0], "growth": -1}}, r"unknown fields \['ladder'\]"),
            ({"history": {"loss": ["x"]}}, r"\$\.history"),
            ({"training": {"n_crystals": 0, "elements": [], "target": []}}, r"\$\.training"),
            ({"elements": [-1]}, r"\$\.elements"),
            ({"parameters": []}, r"\$\.parameters"),
            ({"estimator": None}, r"\$\.estimator"),
            ({"estimator": "os.system"}, "holds no AMDNetRegressor but a os.system"),
        ],
    )
    def test_headers(self, rewritten: Callable, header: dict, reason: str) -> None:
        with pytest.raises(ModelFileError, match=reason):
            AMDNetRegressor.load(rewritten(header))

    @pytest.mark.parametrize(
        ("arrays", "reason"),
        [
            (lambda arrays: [], "does not describe a model"),
            (lambda arrays: arrays[:1], "it has 0 arrays of weights"),
            (lambda arrays: [*arrays, *arrays[1:]], "it has 2 networks, and n_ensemble is 1"),
            (lambda arrays: arrays[:-1], "arrays of weights, of which each network has"),
            (first_weights(lambda w: w * np.nan), r"weights 0 are not all numbers below 1e\+06"),
            (first_weights(lambda w: w / np.float32(0)), r"weights 0 are not all numbers below 1e\+06"),
            (first_weights(lambda w: w.astype(bool)), r"weights 0 are \(95, 4\) bool instead"),
            (first_weights(lambda w: w.astype(np.float64)), "float64 instead of"),
            (first_weights(lambda w: w.T), r"weights 0 are \(4, 95\)"),
            (first_weights(lambda w: w[:0]), r"weights 0 are \(0, 4\)"),
            (lambda arrays: [np.ones(9, dtype=np.uint8), *arrays[1:]], "does not describe a model"),
            (lambda arrays: [arrays[0][:-5], *arrays[1:]], "names of motifs are cut off"),
        ],
    )
    def test_arrays(self, rewritten: Callable, arrays: Callable, reason: str) -> None:
        with np.errstate(all="ignore"):
            path = rewritten(arrays=arrays)
        with pytest.raises(ModelFileError, match=reason):
            AMDNetRegressor.load(path)

    def test_a_file_of_another_version_says_so(self, rewritten: Callable) -> None:
        path = rewritten({"written_by": "0.2.0"}, arrays=lambda arrays: arrays[:-1])
        reason = (
            rf"written by amdnet_matminer 0\.2\.0 and this is {re.escape(__version__)}: load it with that"
        )
        with pytest.raises(ModelFileError, match=reason):
            AMDNetRegressor.load(path)

    def test_names_that_unpack_to_too_much(self, rewritten: Callable) -> None:
        bomb = np.frombuffer(zlib.compress(b"\0" * 2**25), dtype=np.uint8)
        with pytest.raises(ModelFileError, match="more than any model has"):
            AMDNetRegressor.load(rewritten(arrays=lambda arrays: [bomb, *arrays[1:]]))

    @pytest.mark.parametrize(
        ("labels", "reason"),
        [
            ({"classes": ["a"], "class_weight": [1.0]}, "not as many classes as outputs"),
            ({"classes": ["a", "b"], "class_weight": [1.0, 0.0]}, "class_weight"),
            ({"classes": ["a", "a"], "class_weight": [1.0, 1.0]}, "a class is there twice"),
            ({"classes": ["a", 1], "class_weight": [1.0, 1.0]}, "several types"),
            ({"classes": [{}, {}], "class_weight": [1.0, 1.0]}, "classes"),
        ],
    )
    def test_classes(self, rutile: Structure, tmp_path: Path, labels: dict, reason: str) -> None:
        model = AMDNetClassifier(width=4, n_blocks=1, epochs=1, random_state=0)
        model.fit([rutile] * 2, ["a", "b"]).save(tmp_path / "model")
        header, arrays = read_arrays(tmp_path / "model")
        write_arrays(tmp_path / "model", header | {"labels": labels}, arrays)
        with pytest.raises(ModelFileError, match=reason):
            AMDNetClassifier.load(tmp_path / "model")
