"""Models that the published code trained, and its commands on its own files."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Structure

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.cli import main
from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.network import published_model

LISTS = (["mp-1", "mp-2"], ["mp-3"], ["mp-4"])


def converter(cutoff: float, n_centers: int, width: float = 0.5) -> dict:
    centers = np.linspace(0, cutoff, n_centers).tolist()
    return {"bond_converter": {"centers": {"data": centers}, "width": width}, "cutoff": cutoff}


@pytest.fixture
def described(tmp_path: Path) -> Callable[..., Path]:
    """An HDF5 file without weights, and the description beside it."""

    def write(**changes: object) -> Path:
        content = {
            "atom_graph_converter": converter(5.0, 100),
            "motif_graph_converter": converter(11.0, 100),
            "target_scaler": {"@class": "DummyScaler"},
        }
        path = tmp_path / "model.hdf5"
        h5py.File(path, "w").close()
        path.with_name("model.hdf5.json").write_text(json.dumps(content | changes))
        return path

    return write


def test_parameters_are_read_from_the_description(described: Callable) -> None:
    path = described(atom_graph_converter=converter(4.0, 20), motif_graph_converter=converter(9.0, 30))
    assert published_model._parameters(published_model._json_file(path)) == {
        "architecture": "amdnet-2021",
        "atom_cutoff": 4.0,
        "motif_cutoff": 9.0,
        "rbf_edge_dim_atom": 20,
        "rbf_edge_dim_motif": 30,
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"target_scaler": {"@class": "StandardScaler"}}, "scaled by a StandardScaler"),
        ({"atom_graph_converter": converter(5.0, 100, width=0.3)}, r"not 0\.5 angstrom wide"),
        ({"motif_graph_converter": None}, "describes no model"),
        ({"atom_graph_converter": converter(5.0, 100) | {"cutoff": 4.0}}, r"end at 5\.0 and not at"),
        ({}, "is not a model of the published AMDNet"),
    ],
)
def test_other_models_are_refused(described: Callable, changes: dict, reason: str) -> None:
    with pytest.raises(ModelFileError, match=reason):
        AMDNetRegressor.load(described(**changes))


def test_a_missing_description_is_named(described: Callable) -> None:
    path = described()
    path.with_name("model.hdf5.json").unlink()
    with pytest.raises(ModelFileError, match=r"needs model\.hdf5\.json beside it"):
        AMDNetRegressor.load(path)


def scores(text: str) -> dict[str, str]:
    return dict(map(str.split, text.splitlines()))


def test_the_published_model_gives_its_published_error(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The 40 crystals whose predictions by the published code are known, made the test part."""
    folder = shared_data / "amdnet2021"
    expected = pd.DataFrame(json.loads((folder / "expected.json").read_text())).T
    table, _ = pickle.loads((folder / "material_data.pkl").read_bytes())
    (tmp_path / "material_data.pkl").write_bytes(pickle.dumps((table, ([], [], list(expected.index)))))
    words = ["evaluate", "--material_file", tmp_path / "material_data.pkl"]
    words += ["--motif_file", folder / "motif_graph.pkl", "--load_name", folder / "new_model.hdf5"]
    words += ["--output", tmp_path / "out.csv", "--plot", tmp_path / "out.png", "--quiet"]
    assert main(list(map(str, words))) == 0
    output, errors = capsys.readouterr()
    known = np.abs(expected.prediction.clip(lower=0.0) - expected.label).mean()
    assert errors == ""
    assert scores(output)["MAE"] == f"{known:.6g}"
    assert scores(output)["coverage"] == "1"
    written = pd.read_csv(tmp_path / "out.csv", index_col="id")
    np.testing.assert_allclose(written.prediction, expected.prediction.astype(float), atol=1e-5)
    assert (tmp_path / "out.png").stat().st_size > 1000


class TestCommands:
    """On files that are written here; the only network is the tiny one of a model file."""

    model = Path(__file__).parents[1] / "data" / "model.amdnet"

    @pytest.fixture
    def files(self, materials: pd.DataFrame, motifs: pd.DataFrame, write: Callable) -> list[str]:
        materials = materials.drop(index="mp-3")
        materials_file = write("material_data.pkl", (materials, ([], [], ["mp-2", "mp-3", "mp-4"])))
        return ["--material_file", str(materials_file), "--load_name", str(self.model), "--quiet"]

    def test_evaluate(self, files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The model predicts negative numbers, which no gap is."""
        assert main(["evaluate", *files, "--output", str(tmp_path / "out.csv")]) == 3
        output, errors = capsys.readouterr()
        assert scores(output) == {
            "crystals": "3",
            "coverage": "0.666667",
            "MAE": f"{(4.45 + 1.77) / 2:.6g}",
            "RMSE": f"{((4.45**2 + 1.77**2) / 2) ** 0.5:.6g}",
            "R2": scores(output)["R2"],
        }
        assert "left out of the test part" in errors
        assert "1 of 3 crystals could not be predicted; 'mp-3': the material file has no row" in errors
        written = pd.read_csv(tmp_path / "out.csv", index_col="id")
        assert written.prediction.tolist()[:2] == [0.0, 0.0]
        assert written.index.tolist() == ["mp-2", "mp-4", "mp-3"]
        assert written.error["mp-3"] == "the material file has no row of it"

    def test_what_the_original_would_have_skipped(
        self,
        materials: pd.DataFrame,
        write: Callable,
        helium_box: Structure,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """An isolated atom: its error counts, and is told apart. The model's gaps are all 0."""
        materials = pd.concat([materials[:2], materials[2:3].assign(structure=[helium_box])])
        file = write("material_data.pkl", (materials, ([], [], ["mp-1", "mp-2", "mp-3"])))
        assert (
            main(["evaluate", "--material_file", str(file), "--load_name", str(self.model), "--quiet"]) == 0
        )
        output, errors = capsys.readouterr()
        found = scores(output)
        assert found["MAE"] == f"{(1.78 + 4.45 + 5.85) / 3:.6g}"
        assert found["skipped_by_original"] == "1"
        assert found["MAE_without_them"] == f"{(1.78 + 4.45) / 2:.6g}"
        assert "the original program would have skipped 1 crystals: 1 an isolated atom" in errors

    def test_a_motif_file_is_for_the_published_network(
        self, files: list[str], motifs: pd.DataFrame, write: Callable, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ["evaluate", *files, "--motif_file", str(write("motif_graph.pkl", motifs))]
        assert main(words) == 1
        assert "is of architecture 'amdnet', which does not read a motif file" in capsys.readouterr().err

    def test_train_with_the_original_defaults(
        self,
        materials: pd.DataFrame,
        motifs: pd.DataFrame,
        write: Callable,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        seen = {}

        def fit(self: AMDNetRegressor, X: list, y: pd.Series, validation_data: tuple) -> None:
            seen.update(
                parameters=self.get_params(),
                graphs=X,
                ids=y.index.tolist(),
                y=y.tolist(),
                data=validation_data,
            )
            raise KeyboardInterrupt

        monkeypatch.setattr(AMDNetRegressor, "fit", fit)
        words = ["train", "--material_file", str(write("material_data.pkl", (materials, LISTS)))]
        words += ["--motif_file", str(write("motif_graph.pkl", motifs)), "--batch_size", "16"]
        assert main([*words, "--save_name", str(tmp_path / "model"), "--quiet"]) == 130
        original = {
            "architecture": "amdnet-2021",
            "epochs": 1000,
            "patience": 100,
            "learning_rate": 5e-5,
            "batch_size": 16,
            "loss": "mse",
            "optimizer": "adamw",
            "schedule": "constant",
            "scale_targets": False,
            "weight_decay": 0.0,
            "clip_norm": None,
            "random_state": 42,
            "stop_file": Path("STOP"),
            "n_jobs": 1,
        }
        assert seen["parameters"] == AMDNetRegressor(**original).get_params()
        assert (seen["ids"], seen["y"]) == (["mp-1", "mp-2"], [1.78, 4.45])
        assert seen["data"][1].tolist() == [5.85]
        (graph,) = seen["data"][0]
        assert set(graph.motifs.name) == {""}  # those of the file, which has no names
        assert graph.converter == AMDNetRegressor(**original).graph_converter()

    def test_train_saves_a_model(
        self, materials: pd.DataFrame, write: Callable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ["train", "--material_file", str(write("material_data.pkl", (materials, LISTS)))]
        words += ["--architecture", "megnet", "--rbf_edge_dim_atom", "8", "--epochs", "1", "--quiet"]
        assert main([*words, "--save_name", str(tmp_path / "model.amdnet")]) == 0
        assert "trained on 2 crystals for 1 epochs" in capsys.readouterr().out
        assert np.isfinite(AMDNetRegressor.load(tmp_path / "model.amdnet").predict(materials.structure)).all()

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            ([], "give either STRUCTURES or --material_file"),
            (["x", "--material_file", "m"], "give either STRUCTURES or --material_file"),
            (["x", "--motif_file", "m"], "--motif_file needs --material_file"),
            (["--material_file", "m", "--labels", "l"], "has its own labels"),
            (
                ["--material_file", "m", "--motif_file", "g", "--architecture", "megnet"],
                "megnet does not read a --motif_file",
            ),
        ],
    )
    def test_options_that_do_not_go_together(
        self, words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as stop:
            main(["train", "--save_name", "model", *words])
        assert stop.value.code == 2
        assert reason in capsys.readouterr().err
