"""``amdnet evaluate``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matminer.utils.io import store_dataframe_as_json
from sklearn.metrics import r2_score, root_mean_squared_error

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.datasets import read_structures

COLUMN = "density"


def test_scores_and_predictions(
    run: Callable, folder: Path, table: pd.DataFrame, model_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "predictions.csv"
    words = ["--labels", folder / "labels.csv", "--predict", COLUMN, "--load_name", model_file]
    code, output, error = run("evaluate", folder, *words, "--output", file, "--quiet")
    assert (code, error) == (0, "")
    written = pd.read_csv(file, index_col="id")
    predicted = AMDNetRegressor.load(model_file).predict(read_structures(folder))
    assert written.index.tolist() == table.index.tolist()
    assert written[COLUMN].to_numpy() == pytest.approx(table[COLUMN].to_numpy(), rel=1e-12)
    assert written.prediction.to_numpy() == pytest.approx(predicted, rel=1e-6)
    scores = {name: float(value) for name, value in map(str.split, output.splitlines())}
    assert scores == {
        "crystals": len(table),
        "coverage": 1,
        "MAE": pytest.approx(np.abs(written.prediction - written[COLUMN]).mean(), rel=1e-5),
        "RMSE": pytest.approx(root_mean_squared_error(written[COLUMN], written.prediction), rel=1e-5),
        "R2": pytest.approx(r2_score(written[COLUMN], written.prediction), rel=1e-5),
    }


def test_one_crystal_of_a_matbench_file(
    run: Callable, table: pd.DataFrame, model_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "one.json.gz"
    store_dataframe_as_json(table[["structure", COLUMN]].head(1), str(file), compression="gz", pbar=False)
    code, output, error = run("evaluate", file, "--predict", COLUMN, "--load_name", model_file)
    assert code == 0
    assert output.split()[0::2] == ["crystals", "coverage", "MAE", "RMSE", "R2"]
    assert output.split()[1] == "1"
    assert output.split()[-1] == "nan"
    assert f"read 1 labelled crystals from {file}\n" in error


def test_a_model_of_several_targets_is_refused_before_crystals_are_read(run: Callable) -> None:
    code, output, error = run("evaluate", "nowhere", "--predict", COLUMN, "--model", "mp-moduli")
    assert (code, output) == (1, "")
    assert "has 2 targets, and --predict names one label; give a model of one target" in error


@pytest.mark.parametrize("name", ["id", "prediction", "error"])
def test_a_label_that_is_called_as_a_column_of_the_results_is_refused(
    run: Callable, tmp_path: Path, name: str
) -> None:
    """Before anything is read."""
    words = ("--predict", name, "--load_name", "nowhere.amdnet", "--output", tmp_path / "out.csv")
    code, output, error = run("evaluate", "nowhere", *words)
    assert (code, output) == (2, "")
    assert f"--predict cannot be {name!r}, a column that results have; rename that of the label" in error


@pytest.mark.parametrize("name", ["plot.foo", "plot.csv"])
def test_a_picture_of_no_known_format_is_refused_before_anything_is_read(
    run: Callable, tmp_path: Path, name: str
) -> None:
    pytest.importorskip("matplotlib", reason="the plots extra is not installed")
    words = ("--predict", COLUMN, "--load_name", "nowhere.amdnet", "--plot", tmp_path / name)
    code, output, error = run("evaluate", "nowhere", *words)
    assert (code, output) == (2, "")
    assert f"{name} ends in {Path(name).suffix}, which is of no picture that matplotlib writes" in error
    assert ".png" in error
    assert len(error.splitlines()) == 1
    code, _, error = run("evaluate", "nowhere", *words[:-1], tmp_path / "plot.PNG")
    assert code == 1
    assert "nowhere.amdnet" in error
