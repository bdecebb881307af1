"""``amdnet predict``."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matminer.utils.io import store_dataframe_as_json
from pymatgen.core import Lattice, Structure

from amdnet_matminer import AMDNetClassifier, AMDNetRegressor
from amdnet_matminer.datasets import read_structures


def test_in_order_with_ids(run: Callable, table: pd.DataFrame, model_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "shuffled.json.gz"
    shuffled = table[["structure"]].sample(frac=1, random_state=3)
    store_dataframe_as_json(shuffled, str(file), compression="gz", pbar=False)
    code, output, error = run("predict", file, "--load_name", model_file, "--quiet")
    assert (code, error) == (0, "")
    written = pd.read_csv(io.StringIO(output))
    assert list(written) == ["id", "prediction", "novelty", "error"]
    assert (written.novelty == 0).all()
    assert written.error.isna().all()
    assert written.id.tolist() == shuffled.index.tolist()
    predicted = AMDNetRegressor.load(model_file).predict(shuffled.structure)
    assert written.prediction.to_numpy() == pytest.approx(predicted, rel=1e-5)


def test_with_a_model_of_the_package(run: Callable, folder: Path) -> None:
    code, output, error = run("predict", folder, "--model", "mp2018-band-gap", "--quiet")
    assert (code, error) == (0, "")
    written = pd.read_csv(io.StringIO(output), index_col="id")
    assert len(written) == len(list(folder.glob("*.cif")))
    assert (written.prediction >= 0).all()


def test_with_the_name_of_a_model_as_its_file(run: Callable, folder: Path, tmp_path: Path) -> None:
    file, crystal = tmp_path / "out.csv", folder / "rock-salt-MgO.cif"
    words = ("predict", crystal, "--load_name", "mp2018-band-gap", "--output", file, "--quiet")
    assert run(*words) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_one_file_to_a_file_with_progress(
    run: Callable, folder: Path, model_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "out.csv"
    code, output, error = run(
        "predict", folder / "rock-salt-MgO.cif", "--load_name", model_file, "--output", file
    )
    assert (code, output) == (0, "")
    assert "crystals: 100%" in error
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert file.read_text().splitlines()[1].startswith("rock-salt-MgO,")


def test_crystals_of_several_paths_that_would_be_called_alike(
    run: Callable, rock_salt: Structure, model_file: Path, tmp_path: Path
) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        rock_salt.to(filename=str(tmp_path / name / "A.cif"))
    paths = tmp_path / "x" / "A.cif", tmp_path / "y" / "A.cif"
    code, output, error = run("predict", *paths, "--load_name", model_file)
    assert code == 0
    assert pd.read_csv(io.StringIO(output)).id.tolist() == ["x/A.cif", "y/A.cif"]
    assert "2 crystals are called by their files' paths, since several would be called alike" in error


def test_failures_keep_their_rows(
    run: Callable, rock_salt: Structure, rutile: Structure, model_file: Path, tmp_path: Path
) -> None:
    disordered = Structure(Lattice.cubic(4.2), [{"Mg": 0.5, "Ca": 0.5}], [[0, 0, 0]])
    file = tmp_path / "mixed.json.gz"
    names = ["pure", "solution", "none", "later"]
    mixed = pd.DataFrame({"structure": [rock_salt, disordered, 3.0, rutile]}, names)
    store_dataframe_as_json(mixed, str(file), compression="gz", pbar=False)
    code, output, error = run("predict", file, "--load_name", model_file, "--quiet")
    written = pd.read_csv(io.StringIO(output), index_col="id")
    assert code == 3
    assert written.index.tolist() == names
    assert written.prediction.notna().tolist() == [True, False, False, True]
    assert written.error["solution"].startswith("structure 'solution', site 0 is disordered")
    assert written.error["none"].startswith("structure 'none' is a float, not a pymatgen Structure")
    assert error.startswith("amdnet predict: 2 of 4 crystals could not be predicted")
    assert "structure 'solution', site 0 is disordered" in error
    assert error.count("\n") == 1


def test_a_single_network_has_no_spread(run: Callable, folder: Path, model_file: Path) -> None:
    code, _, error = run("predict", folder, "--load_name", model_file, "--std")
    assert code == 1
    assert "is a single network, which has no spread" in error


def test_goes_on_after_a_stop(
    run: Callable, folder: Path, model_file: Path, tmp_path: Path, stop_at: Callable
) -> None:
    """The second run reads only what the first had no row of, and the whole is as of one run."""
    words = ("predict", folder, "--load_name", model_file, "--quiet")
    assert run(*words, "--output", tmp_path / "once.csv")[0] == 0
    read = stop_at(6, window=4)
    code, _, error = run(*words, "--output", tmp_path / "twice.csv")
    assert code == 130
    assert "twice.csv" in error
    assert "the same command goes on from there" in error
    (part,) = tmp_path.glob("*.part")
    assert part.read_text().count("\n") == 1 + 4
    part.write_text(part.read_text() + "half-a-row,1")  # as a kill in the middle of writing leaves it
    assert run(*words, "--output", tmp_path / "twice.csv") == (0, "", "")
    assert read[6:] == read_structures(folder).index[4:].tolist()
    once, twice = (pd.read_csv(tmp_path / name, index_col="id") for name in ("once.csv", "twice.csv"))
    assert once.index.tolist() == twice.index.tolist()
    np.testing.assert_allclose(once.prediction, twice.prediction, rtol=1e-5)
    assert not part.exists()


def test_a_crystal_that_changed_after_a_stop_is_predicted_anew(
    run: Callable, table: pd.DataFrame, model_file: Path, tmp_path: Path, stop_at: Callable
) -> None:
    """As a relaxation that went on meanwhile, whose file has the same name."""
    crystals = tmp_path / "crystals"
    for name, crystal in table.structure.items():
        (crystals / name).mkdir(parents=True)
        crystal.to(filename=str(crystals / name / "CONTCAR"), fmt="poscar")
    words = ("predict", crystals, "--load_name", model_file, "--quiet", "--output")
    stop_at(6, window=4)
    assert run(*words, tmp_path / "out.csv")[0] == 130
    first = table.structure.iloc[0].copy()
    first.apply_strain(0.05)
    first.to(filename=str(crystals / table.index[0] / "CONTCAR"), fmt="poscar")
    assert run(*words, tmp_path / "out.csv")[0] == 0
    assert run(*words, tmp_path / "once.csv") == (0, "", "")
    assert (tmp_path / "out.csv").read_text() == (tmp_path / "once.csv").read_text()


def test_elements_that_the_model_never_saw(
    run: Callable, folder: Path, model_file: Path, tmp_path: Path, copper: Structure, rock_salt: Structure
) -> None:
    copper.to(filename=str(tmp_path / "copper.cif"))
    rock_salt.to(filename=str(tmp_path / "periclase.cif"))
    code, output, error = run("predict", tmp_path, "--load_name", model_file, "--quiet")
    written = pd.read_csv(io.StringIO(output), index_col="id")
    assert code == 0
    assert written.novelty.to_dict() == {"copper": 1.0, "periclase": 0.0}
    assert error == "amdnet predict: the model has seen no Cu in training; do not trust it on 'copper'\n"


def test_unseen_elements_of_a_model_of_the_package(run: Callable, shared_data: Path) -> None:
    words = (
        "predict",
        shared_data / "field_cases" / "unseen_elements",
        "--model",
        "mp2018-band-gap",
        "--quiet",
    )
    code, output, error = run(*words)
    assert code == 0
    assert (pd.read_csv(io.StringIO(output)).novelty > 0).all()
    assert "the model has seen no Rn in training; do not trust it on 'Rn'" in error


def test_a_classifier_gives_classes_and_their_probabilities(run: Callable, folder: Path) -> None:
    code, output, error = run("predict", folder, "--model", "mp-is-metal", "--quiet")
    assert (code, error) == (0, "")
    written = pd.read_csv(io.StringIO(output), index_col="id")
    assert list(written) == ["prediction", "probability False", "probability True", "novelty", "error"]
    likelier = written["probability True"] > written["probability False"]
    assert written.prediction.tolist() == likelier.tolist()
    crystals = read_structures(folder)
    probabilities = AMDNetClassifier.from_pretrained("mp-is-metal").predict_proba(list(crystals))
    found = written.loc[crystals.index, ["probability False", "probability True"]]
    np.testing.assert_allclose(found, probabilities, rtol=1e-4)


def test_several_targets_have_columns_each(run: Callable, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.cif").write_text("no crystal")
    words = ("predict", folder, tmp_path / "broken.cif", "--model", "mp-moduli", "--quiet")
    predictions, deviations = ["prediction_0", "prediction_1"], ["std_0", "std_1"]
    crystals = read_structures(folder)
    mean, std = AMDNetRegressor.from_pretrained("mp-moduli").predict(list(crystals), return_std=True)
    for option, columns in ([], predictions), (["--std"], [*predictions, *deviations]):
        code, output, _ = run(*words, *option)
        assert code == 3
        written = pd.read_csv(io.StringIO(output), index_col="id")
        assert list(written) == [*columns, "novelty", "error"]
        assert written.loc["broken", columns].isna().all()
        np.testing.assert_allclose(written.loc[crystals.index, predictions], mean, rtol=1e-4)
    np.testing.assert_allclose(written.loc[crystals.index, deviations], std, rtol=1e-3)


def test_one_column_of_targets_is_as_one_target(
    run: Callable, folder: Path, model_file: Path, tmp_path: Path
) -> None:
    model = AMDNetRegressor.load(model_file)
    model.target_shape_ = (1,)
    model.save(tmp_path / "column.amdnet")
    crystal = folder / "rutile-TiO2.cif"
    printed = [
        run("predict", crystal, "--load_name", file, "--quiet")
        for file in (model_file, tmp_path / "column.amdnet")
    ]
    assert printed[0] == printed[1]
    assert printed[0][1].startswith("id,prediction,novelty,error\n")


def test_probabilities_have_no_spread(run: Callable, folder: Path) -> None:
    code, _, error = run("predict", folder, "--model", "mp-is-metal", "--std")
    assert code == 1
    assert "tells classes, whose probabilities have no spread; leave out --std" in error


@pytest.mark.parametrize("command", ["evaluate", "explain"])
def test_other_commands_refuse_a_classifier(run: Callable, folder: Path, command: str) -> None:
    words = ["--labels", folder / "labels.csv", "--predict", "density"] if command == "evaluate" else []
    code, _, error = run(command, folder, *words, "--model", "mp-is-metal")
    assert code == 1
    assert "holds no AMDNetRegressor but a AMDNetClassifier; load it with that class" in error
