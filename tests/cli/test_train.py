"""``amdnet train``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.cli.train import STOP

COLUMN = "density"


def test_options_reach_the_model(model_file: Path) -> None:
    model = AMDNetRegressor.load(model_file)
    changed = {"architecture": "megnet", "rbf_edge_dim_atom": 8, "epochs": 2, "batch_size": 8}
    changed |= {"random_state": 1}
    assert model.get_params() == AMDNetRegressor(**changed).get_params()
    assert len(model.history_["val_mae"]) == 2


def test_defaults_are_the_estimators(
    run: Callable, folder: Path, tmp_path: Path, never_fitted: list[AMDNetRegressor]
) -> None:
    labels = ["--labels", folder / "labels.csv", "--predict", COLUMN]
    assert run("train", folder, *labels, "--save_name", tmp_path / "model")[0] == 1
    assert never_fitted[0].get_params() == AMDNetRegressor(n_jobs=1, verbose=1, stop_file=STOP).get_params()


def test_every_option(
    run: Callable, folder: Path, tmp_path: Path, never_fitted: list[AMDNetRegressor]
) -> None:
    given = {
        "architecture": "megnet",
        "epochs": 3,
        "patience": 4,
        "learning_rate": 5e-5,
        "batch_size": 6,
        "atom_cutoff": 4.5,
        "motif_cutoff": 9.0,
        "rbf_edge_dim_atom": 7,
        "rbf_edge_dim_motif": 8,
        "n_ensemble": 2,
        "validation_fraction": 0.0,
        "init_from": "mine.amdnet",
        "checkpoint_dir": tmp_path,
        "n_jobs": -1000,  # one process, as joblib counts: others would start for ten crystals
    }
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    words += ["--labels", folder / "labels.csv", "--predict", COLUMN, "--seed", 5, "--quiet"]
    assert run("train", folder, "--save_name", tmp_path / "model", *words)[0] == 1
    assert (
        never_fitted[0].get_params() == AMDNetRegressor(**given, random_state=5, stop_file=STOP).get_params()
    )


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ("mp2018-band-gap", "mp2018-band-gap is of another network: architecture ('amdnet' there, 'megnet'"),
        ("mp-gap", "mp-gap does not exist; give the file of a saved model, or one of mp-band-gap, mp-form"),
    ],
)
def test_refuses_what_it_cannot_begin_with(
    run: Callable, folder: Path, tmp_path: Path, start: str, reason: str
) -> None:
    words = ["--labels", folder / "labels.csv", "--predict", COLUMN, "--save_name", tmp_path / "model"]
    code, _, error = run("train", folder, *words, "--architecture", "megnet", "--init_from", start, "--quiet")
    assert code == 1
    assert reason in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "model").exists()


def test_begins_with_a_shipped_model(run: Callable, folder: Path, tmp_path: Path) -> None:
    words = ["--labels", folder / "labels.csv", "--predict", COLUMN, "--save_name", tmp_path / "model"]
    words += ["--init_from", "mp2018-band-gap", "--validation_fraction", 0, "--epochs", 1, "--quiet"]
    code, output, _ = run("train", folder, *words)
    assert code == 0
    assert "for 1 epochs" in output
    assert "val_mae" not in AMDNetRegressor.load(tmp_path / "model").history_


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing/model", "missing is no folder; make it"), (".", "is a folder; give the name of a file")],
)
def test_refuses_before_training_what_cannot_be_saved(
    run: Callable,
    folder: Path,
    tmp_path: Path,
    never_fitted: list[AMDNetRegressor],
    name: str,
    reason: str,
) -> None:
    code, _, error = run("train", folder, "--save_name", tmp_path / name)
    assert code == 1
    assert reason in error
    assert not never_fitted


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--seed", "a"), "--seed: must be a whole number, got 'a'"),
        (("--n_jobs", "1.5"), "--n_jobs: must be a whole number, got '1.5'"),
        (("--checkpoint_dir", "ck"), "--checkpoint_dir needs a --seed: a training that begins at random"),
    ],
)
def test_wrong_options_are_told_by_their_names(
    run: Callable, folder: Path, tmp_path: Path, words: tuple[str, str], reason: str
) -> None:
    code, _, error = run("train", folder, "--save_name", tmp_path / "model", *words)
    assert code == 2
    assert reason in error


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_refuses_a_read_only_folder(run: Callable, folder: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    code, _, error = run("train", folder, "--save_name", tmp_path / "model")
    assert code == 1
    assert "is not writable; save elsewhere" in error


def test_a_stop_file_ends_the_training(
    run: Callable, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fit = AMDNetRegressor._train

    def fit_when_told_to_stop(self: AMDNetRegressor, *arguments: object) -> None:
        (tmp_path / "STOP").touch()
        fit(self, *arguments)

    monkeypatch.setattr(AMDNetRegressor, "_train", fit_when_told_to_stop)
    words = ["--labels", folder / "labels.csv", "--predict", COLUMN, "--architecture", "megnet"]
    words += ["--rbf_edge_dim_atom", 8, "--batch_size", 8, "--epochs", 50, "--quiet"]
    code, output, error = run("train", folder, *words, "--save_name", tmp_path / "model.amdnet")
    assert code == 0
    assert "trained on 9 crystals for 1 epochs" in output
    assert error == "amdnet train: STOP ends the training after 1 epochs; the best weights are kept\n"


def test_a_stop_file_from_before(
    run: Callable, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, never_fitted: list
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "STOP").touch()
    labels = ["--labels", folder / "labels.csv", "--predict", COLUMN]
    _, _, error = run("train", folder, *labels, "--save_name", "model")
    assert "the file STOP is from before and ignored; touch it to end this training" in error
    assert never_fitted


@pytest.mark.parametrize("name", ["gap.hdf5", "gap.h5", "gap.KERAS"])
def test_a_name_that_promises_a_model_of_keras(run: Callable, name: str) -> None:
    code, _, error = run("train", "x", "--save_name", name)
    assert code == 2
    assert "neither Keras nor the original reads; call it gap.amdnet" in error


@pytest.fixture
def with_faults(folder: Path, tmp_path: Path) -> list[object]:
    """Words that name five sound crystals, and each kind of fault."""
    crystals = tmp_path / "crystals"
    crystals.mkdir()
    for name in ("MgO", "CaO", "SrO", "BaO", "NiO"):
        shutil.copy(folder / f"rock-salt-{name}.cif", crystals)
    for name in ("a", "b", "c", "d"):
        shutil.copy(folder / "rock-salt-MnO.cif", crystals / f"{name}.cif")
    (crystals / "a.cif").write_text("no crystal at all")
    Structure(Lattice.cubic(4.2), [{"Mg": 0.5, "Ca": 0.5}], [[0, 0, 0]]).to(filename=str(crystals / "b.cif"))
    labels = pd.read_csv(folder / "labels.csv", index_col="id")[COLUMN].astype(object)
    labels = labels.filter(regex="(Mg|Ca|Sr|Ba|Ni)O").rename(index=lambda key: f"{key}.cif")
    labels = pd.concat([labels, pd.Series({"a": 1.0, "b": 1.0, "c": "high", "e": 2.0})])
    labels.rename(COLUMN).to_csv(tmp_path / "labels.csv", index_label="id")
    return [crystals, "--labels", tmp_path / "labels.csv", "--predict", COLUMN, "--quiet"]


class TestFaults:
    def test_all_are_named_before_training(
        self, run: Callable, tmp_path: Path, with_faults: list[object], never_fitted: list[AMDNetRegressor]
    ) -> None:
        code, _, error = run("train", *with_faults, "--save_name", tmp_path / "model.amdnet")
        lines = [line.removeprefix("amdnet train: ") for line in error.splitlines()]
        assert code == 1
        assert not never_fitted
        assert lines[-1].startswith("5 of 10 crystals or labels cannot be used, as said above; ")
        assert len(lines) == 6
        told = "\n".join(sorted(lines[:-1]))
        assert "label 'c' is high, no finite number" in told
        assert "label 'e' has no structure" in told
        assert "structure 'd' has no label" in told
        assert "structure 'b', site 0 is disordered" in told
        assert "a.cif has no data_ block, so it is no CIF" in told

    def test_they_are_left_out_if_that_is_asked_for(
        self, run: Callable, tmp_path: Path, with_faults: list[object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = []

        def fit(self: AMDNetRegressor, structures: pd.Series, y: pd.Series) -> None:
            seen.extend([structures.index.tolist(), y.tolist()])
            raise KeyboardInterrupt

        monkeypatch.setattr(AMDNetRegressor, "fit", fit)
        words = [*with_faults, "--skip_bad", "--save_name", tmp_path / "model.amdnet"]
        code, _, error = run("train", *words)
        assert code == 130
        assert seen[0] == [f"rock-salt-{name}" for name in ("BaO", "CaO", "MgO", "NiO", "SrO")]
        assert len(seen[1]) == 5
        assert "structure 'b', site 0 is disordered" in error

    def test_an_evaluation_has_a_row_for_each(
        self, run: Callable, tmp_path: Path, with_faults: list[object], model_file: Path
    ) -> None:
        words = [*with_faults, "--load_name", model_file, "--output", tmp_path / "out.csv"]
        code, output, error = run("evaluate", *words)
        written = pd.read_csv(tmp_path / "out.csv", index_col="id")
        assert code == 3
        assert output.split()[:4] == ["crystals", "10", "coverage", "0.5"]
        assert written.index[written.error.isna()].str.startswith("rock-salt").all()
        assert sorted(written.index[written.error.notna()]) == ["a", "b", "c", "d", "e"]
        assert error.startswith("amdnet evaluate: 5 of 10 crystals could not be predicted")
