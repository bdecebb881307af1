"""The ``amdnet`` command: one small training, then everything that reads its model."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matminer.utils.io import store_dataframe_as_json
from pymatgen.core import Lattice, Structure
from sklearn.metrics import r2_score, root_mean_squared_error

import amdnet_matminer
from amdnet_matminer import AMDNetRegressor, MotifFeaturizer, screening
from amdnet_matminer.cli import main
from amdnet_matminer.cli.options import ORIGINAL_DEFAULTS
from amdnet_matminer.datasets import oxides, read_structures
from amdnet_matminer.errors import StructureError
from amdnet_matminer.structure_files import Entry

COLUMN = "ewald_energy_per_atom"
N_CRYSTALS = 20


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """The smallest built-in oxides, sorted by id as a folder is read."""
    made = oxides()
    return made.loc[made.structure.map(len).sort_values(kind="stable").index[:N_CRYSTALS]].sort_index()


@pytest.fixture(scope="module")
def folder(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crystals")
    for name, structure in table.structure.items():
        structure.to(filename=str(folder / f"{name}.cif"))
    table[["formula", COLUMN]].to_csv(folder / "labels.csv")
    return folder


@pytest.fixture(scope="module")
def model_file(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of the only training here; it says what it did."""
    file = tmp_path_factory.mktemp("models") / "energy.amdnet"
    words = ["train", folder, "--labels", folder / "labels.csv", "--predict", COLUMN, "--save_name", file]
    words += ["--architecture", "megnet", "--rbf_edge_dim_atom", 8, "--epochs", 2, "--batch_size", 8]
    words += ["--seed", 1, "--quiet"]
    with contextlib.redirect_stdout(io.StringIO()) as output:
        assert main(list(map(str, words))) == 0
    assert output.getvalue() == f"trained on {N_CRYSTALS} crystals for 2 epochs, saved as {file}\n"
    return file


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable:
    """Run the command in this process: its exit code, output and errors."""

    def run_command(*words: object) -> tuple[int, str, str]:
        try:
            code = main(list(map(str, words)))
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return run_command


@pytest.fixture
def never_fitted(monkeypatch: pytest.MonkeyPatch) -> list[AMDNetRegressor]:
    """The estimators whose fit was called, which stops the command instead."""
    seen = []

    def fit(self: AMDNetRegressor, structures: pd.Series, y: pd.Series) -> None:
        seen.append(self)
        raise StructureError("stopped by the test")

    monkeypatch.setattr(AMDNetRegressor, "fit", fit)
    return seen


class TestTrain:
    def test_options_reach_the_model(self, model_file: Path) -> None:
        model = AMDNetRegressor.load(model_file)
        changed = {"architecture": "megnet", "rbf_edge_dim_atom": 8, "epochs": 2, "batch_size": 8}
        changed |= {"random_state": 1, "n_jobs": 1}
        assert model.get_params() == AMDNetRegressor(**changed).get_params()
        assert len(model.history_["val_mae"]) == 2

    def test_defaults_are_the_estimators(
        self, run: Callable, folder: Path, tmp_path: Path, never_fitted: list[AMDNetRegressor]
    ) -> None:
        labels = ["--labels", folder / "labels.csv", "--predict", COLUMN]
        assert run("train", folder, *labels, "--save_name", tmp_path / "model")[0] == 1
        assert never_fitted[0].get_params() == AMDNetRegressor(n_jobs=1, verbose=1).get_params()

    def test_every_option(
        self, run: Callable, folder: Path, tmp_path: Path, never_fitted: list[AMDNetRegressor]
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
            "checkpoint_dir": tmp_path,
            "n_jobs": 2,
        }
        words = [word for name, value in given.items() for word in (f"--{name}", value)]
        words += ["--labels", folder / "labels.csv", "--predict", COLUMN, "--seed", 5, "--quiet"]
        assert run("train", folder, "--save_name", tmp_path / "model", *words)[0] == 1
        assert never_fitted[0].get_params() == AMDNetRegressor(**given, random_state=5).get_params()

    @pytest.mark.parametrize(
        ("name", "reason"),
        [("missing/model", "missing is no folder; make it"), (".", "is a folder; give the name of a file")],
    )
    def test_refuses_before_training_what_cannot_be_saved(
        self,
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

    @pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
    def test_refuses_a_read_only_folder(self, run: Callable, folder: Path, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        code, _, error = run("train", folder, "--save_name", tmp_path / "model")
        assert code == 1
        assert "is not writable; save elsewhere" in error


class TestEvaluate:
    def test_scores_and_predictions(
        self, run: Callable, folder: Path, table: pd.DataFrame, model_file: Path, tmp_path: Path
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
            "crystals": N_CRYSTALS,
            "coverage": 1,
            "MAE": pytest.approx(np.abs(written.prediction - written[COLUMN]).mean(), rel=1e-5),
            "RMSE": pytest.approx(root_mean_squared_error(written[COLUMN], written.prediction), rel=1e-5),
            "R2": pytest.approx(r2_score(written[COLUMN], written.prediction), rel=1e-5),
        }

    def test_one_crystal_of_a_matbench_file(
        self, run: Callable, table: pd.DataFrame, model_file: Path, tmp_path: Path
    ) -> None:
        file = tmp_path / "one.json.gz"
        store_dataframe_as_json(table[["structure", COLUMN]].head(1), str(file), compression="gz", pbar=False)
        code, output, error = run("evaluate", file, "--predict", COLUMN, "--load_name", model_file)
        assert code == 0
        assert output.split()[0::2] == ["crystals", "coverage", "MAE", "RMSE", "R2"]
        assert output.split()[1] == "1"
        assert output.split()[-1] == "nan"
        assert error.startswith(f"read 1 crystals from {file}\n")


class TestPredict:
    def test_in_order_with_ids(
        self, run: Callable, table: pd.DataFrame, model_file: Path, tmp_path: Path
    ) -> None:
        file = tmp_path / "shuffled.json.gz"
        shuffled = table[["structure"]].sample(frac=1, random_state=3)
        store_dataframe_as_json(shuffled, str(file), compression="gz", pbar=False)
        code, output, error = run("predict", file, "--load_name", model_file, "--quiet")
        assert (code, error) == (0, "")
        written = pd.read_csv(io.StringIO(output))
        assert list(written) == ["id", "prediction", "error"]
        assert written.error.isna().all()
        assert written.id.tolist() == shuffled.index.tolist()
        predicted = AMDNetRegressor.load(model_file).predict(shuffled.structure)
        assert written.prediction.to_numpy() == pytest.approx(predicted, rel=1e-5)

    def test_with_a_model_of_the_package(self, run: Callable, folder: Path) -> None:
        code, output, error = run("predict", folder, "--model", "mp2018-band-gap", "--quiet")
        assert (code, error) == (0, "")
        written = pd.read_csv(io.StringIO(output), index_col="id")
        assert len(written) == len(list(folder.glob("*.cif")))
        assert (written.prediction >= 0).all()

    def test_one_file_to_a_file_with_progress(
        self, run: Callable, folder: Path, model_file: Path, tmp_path: Path
    ) -> None:
        file = tmp_path / "out.csv"
        code, output, error = run(
            "predict", folder / "rock-salt-MgO.cif", "--load_name", model_file, "--output", file
        )
        assert (code, output) == (0, "")
        assert "crystals: 100%" in error
        assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
        assert file.read_text().splitlines()[1].startswith("rock-salt-MgO,")

    def test_failures_keep_their_rows(
        self, run: Callable, rock_salt: Structure, rutile: Structure, model_file: Path, tmp_path: Path
    ) -> None:
        disordered = Structure(Lattice.cubic(4.2), [{"Mg": 0.5, "Ca": 0.5}], [[0, 0, 0]])
        file = tmp_path / "mixed.json.gz"
        names = ["pure", "solution", "none", "later"]
        mixed = pd.DataFrame({"structure": [rock_salt, disordered, 3.0, rutile]}, names)
        store_dataframe_as_json(mixed, str(file), compression="gz", pbar=False)
        code, output, error = run("predict", file, "--load_name", model_file, "--quiet")
        written = pd.read_csv(io.StringIO(output), index_col="id")
        assert code == 1
        assert written.index.tolist() == names
        assert written.prediction.notna().tolist() == [True, False, False, True]
        assert written.error["solution"].startswith("structure 'solution', site 0 is disordered")
        assert written.error["none"].startswith("cannot read 'none': ValueError('it is 3.0, no structure')")
        assert error.startswith("amdnet predict: 2 of 4 crystals could not be predicted")
        assert "structure 'solution', site 0 is disordered" in error
        assert error.count("\n") == 1

    def test_a_single_network_has_no_spread(self, run: Callable, folder: Path, model_file: Path) -> None:
        code, _, error = run("predict", folder, "--load_name", model_file, "--std")
        assert code == 1
        assert "is a single network, which has no spread" in error

    def test_goes_on_after_a_stop(
        self, run: Callable, folder: Path, model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The second run reads only what the first had no row of, and the whole is as of one run."""
        words = ("predict", folder, "--load_name", model_file, "--quiet")
        assert run(*words, "--output", tmp_path / "once.csv")[0] == 0
        monkeypatch.setattr(screening, "WINDOW", 6)
        read, read_entry = [], screening.read_entry

        def stop_at_the_tenth(entry: Entry) -> Structure:
            read.append(entry.id)
            if len(read) == 10:
                raise KeyboardInterrupt
            return read_entry(entry)

        monkeypatch.setattr(screening, "read_entry", stop_at_the_tenth)
        code, _, error = run(*words, "--output", tmp_path / "twice.csv")
        assert code == 130
        assert "twice.csv" in error
        assert "the same command goes on from there" in error
        (part,) = tmp_path.glob("*.part")
        assert part.read_text().count("\n") == 1 + 6
        part.write_text(part.read_text() + "half-a-row,1")  # as a kill in the middle of writing leaves it
        assert run(*words, "--output", tmp_path / "twice.csv") == (0, "", "")
        assert read[10:] == read_structures(folder).index[6:].tolist()
        once, twice = (pd.read_csv(tmp_path / name, index_col="id") for name in ("once.csv", "twice.csv"))
        assert once.index.tolist() == twice.index.tolist()
        np.testing.assert_allclose(once.prediction, twice.prediction, rtol=1e-5)
        assert not part.exists()

    def test_refuses_to_go_on_with_other_crystals(
        self, run: Callable, folder: Path, model_file: Path, tmp_path: Path
    ) -> None:
        file = tmp_path / "out.csv"
        digest = hashlib.sha256(model_file.read_bytes()).hexdigest()[:12]
        (tmp_path / f"out.csv.{digest}.part").write_text("id,prediction,error\nquartz,1.0,\n")
        code, _, error = run("predict", folder, "--load_name", model_file, "--output", file, "--quiet")
        assert code == 1
        assert "has 'quartz' in row 1, where the crystals have" in error
        assert "remove this file to begin anew" in error


class TestFeaturize:
    def test_same_as_the_featurizer(self, run: Callable, folder: Path, tmp_path: Path) -> None:
        file = tmp_path / "features.csv"
        assert run("featurize", folder, "--output", file, "--quiet") == (0, "", "")
        written = pd.read_csv(file, index_col="id")
        structures = read_structures(folder)
        featurizer = MotifFeaturizer()
        featurizer.set_n_jobs(1)
        assert written.to_numpy() == pytest.approx(featurizer.fit_transform(structures), abs=1e-9)
        assert list(written) == featurizer.feature_labels()
        assert written.index.tolist() == structures.index.tolist()

    def test_comes_without_tensorflow(self, folder: Path) -> None:
        code = """
import sys
from amdnet_matminer.cli import main
for words in (["train", "--help"], ["featurize", sys.argv[1]]):
    try:
        main(words)
    except SystemExit:
        pass
print([name for name in ("tensorflow", "keras") if name in sys.modules])"""
        file = str(folder / "rock-salt-MgO.cif")
        done = subprocess.run([sys.executable, "-c", code, file], capture_output=True, text=True, check=True)
        assert "--learning_rate" in done.stdout
        assert "\nrock-salt-MgO," in done.stdout
        assert done.stdout.splitlines()[-1] == "[]"


class TestBadInput:
    """One line that names the fault, and the exit code."""

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            ([], "arguments are required: COMMAND"),
            (["train", "x"], "arguments are required: --save_name"),
            (["fit", "x"], "invalid choice: 'fit'"),
            (["predict", "x", "--load_name", "m", "--epochs", "3"], "unrecognized arguments: --epochs 3"),
            (["train", "x", "--save_name", "m", "--epochs", "many"], "--epochs: invalid int value: 'many'"),
            (["train", "x", "--save_name", "m", "--epochs", "0"], "epochs must be an integer of at least 1"),
            (
                ["train", "x", "--save_name", "m", "--atom_cutoff", "-1"],
                "atom_cutoff must be a number above 0",
            ),
            (["train", "x", "--save_name", "m", "--learning_rate", "nan"], "learning_rate must be a number"),
            (["train", "x", "--save_name", "m", "--architecture", "gnn"], "architecture must be one of"),
            (
                ["train", "x", "--save_name", "m", "--seed", "-1"],
                "--seed: must be in [0, 4294967295], got -1",
            ),
            (["featurize", "x", "--n_jobs", "0"], "--n_jobs: must be 1 or more"),
            (["predict", "x", "--model", "gap"], "--model: there is no pretrained model 'gap'; choose from"),
            (["predict", "x", "--model", "mp2018-band-gap", "--load_name", "m"], "not allowed with argument"),
            (["predict", "x"], "one of the arguments --load_name --model is required"),
        ],
    )
    def test_options(self, run: Callable, words: list[str], reason: str) -> None:
        code, output, error = run(*words)
        assert (code, output) == (2, "")
        assert reason in error
        assert error.count("\n") == 1
        assert error.startswith("amdnet")

    @pytest.mark.parametrize("command", ["featurize", "train", "predict", "evaluate"])
    def test_nothing_to_read(self, run: Callable, command: str, model_file: Path, tmp_path: Path) -> None:
        options = {"train": ["--save_name", tmp_path / "new"], "featurize": []}
        words = options.get(command, ["--load_name", model_file])
        assert run(command, tmp_path / "none", *words) == (
            1,
            "",
            f"amdnet {command}: {tmp_path / 'none'} does not exist; give a file or a folder that does\n",
        )

    @pytest.mark.parametrize("command", ["featurize", "predict"])
    def test_empty_folder(self, run: Callable, command: str, model_file: Path, tmp_path: Path) -> None:
        code, output, error = run(
            command, tmp_path, *(["--load_name", model_file] if command == "predict" else [])
        )
        assert (code, output) == (1, "")
        assert error.startswith(f"amdnet {command}: {tmp_path} has no structures")
        assert error.count("\n") == 1

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            ("id,gap\nrock-salt-MgO,7.8\n", "has no label column 'band_gap'; choose one of ['gap']"),
            ("id,band_gap\nrock-salt-MgO,\n", "no 'band_gap' for 'rock-salt-MgO'"),
            ("id,band_gap\nrock-salt-MgO,inf\n", "label 'rock-salt-MgO' is inf"),
            ("id,band_gap\nrock-salt-MgO,wide\n", "labels are not numbers"),
            ("id,band_gap\nrutile-TiO2,3.0\n", "has no label for 'rock-salt-MgO'"),
            ("", "cannot read labels"),
        ],
    )
    @pytest.mark.parametrize("command", ["train", "evaluate"])
    def test_labels(
        self,
        run: Callable,
        folder: Path,
        model_file: Path,
        tmp_path: Path,
        command: str,
        content: str,
        reason: str,
    ) -> None:
        labels = tmp_path / "labels.csv"
        labels.write_text(content)
        model = ["--save_name", tmp_path / "new"] if command == "train" else ["--load_name", model_file]
        words = [command, folder / "rock-salt-MgO.cif", "--labels", labels, *model, "--quiet"]
        code, output, error = run(*words)
        assert (code, output) == (1, "")
        assert reason in error
        assert error.count("\n") == 1

    @pytest.mark.parametrize("command", ["featurize", "train"])
    def test_names_the_crystal_at_fault(
        self, run: Callable, rock_salt: Structure, tmp_path: Path, command: str
    ) -> None:
        disordered = Structure(Lattice.cubic(4.2), [{"Mg": 0.5, "Ca": 0.5}], [[0, 0, 0]])
        file = tmp_path / "mixed.json.gz"
        mixed = pd.DataFrame(
            {"structure": [rock_salt, disordered], "band_gap": [7.8, 7.0]}, ["pure", "solution"]
        )
        store_dataframe_as_json(mixed, str(file), compression="gz", pbar=False)
        options = {"train": ["--save_name", tmp_path / "new"]}
        code, output, error = run(command, file, *options.get(command, []), "--quiet")
        assert (code, output) == (1, "")
        assert error.startswith(f"amdnet {command}: structure 'solution', site 0 is disordered")
        assert error.count("\n") == 1

    @pytest.mark.parametrize("command", ["evaluate", "predict"])
    def test_no_model(self, run: Callable, folder: Path, tmp_path: Path, command: str) -> None:
        code, _, error = run(command, folder, "--load_name", folder / "labels.csv")
        assert code == 1
        assert "labels.csv is not a model of amdnet_matminer" in error
        code, _, error = run(command, folder, "--load_name", tmp_path / "absent")
        assert code == 1
        assert "No such file" in error
        assert "absent" in error

    @pytest.mark.parametrize("command", ["featurize", "evaluate", "predict"])
    def test_no_place_for_the_output(
        self, run: Callable, folder: Path, model_file: Path, tmp_path: Path, command: str
    ) -> None:
        model = [] if command == "featurize" else ["--load_name", model_file]
        code, _, error = run(command, folder, *model, "--output", tmp_path / "missing" / "out.csv")
        assert code == 1
        assert "missing is no folder" in error

    def test_interrupted(self, run: Callable, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(*arguments: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(MotifFeaturizer, "fit_transform", interrupt)
        assert run("featurize", folder, "--quiet") == (130, "", "amdnet featurize: interrupted\n")

    def test_reader_that_wants_no_more(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as stdout:
            monkeypatch.setattr(sys, "stdout", stdout)
            assert main(["featurize", str(folder / "rock-salt-MgO.cif"), "--quiet"]) == 1
        assert capsys.readouterr().err == ""

    def test_only_its_own_words(self, folder: Path, model_file: Path) -> None:
        """In a process of its own, where TensorFlow starts."""
        words = ["predict", str(folder / "labels.csv"), "--load_name", str(model_file)]
        code = f"import sys; from amdnet_matminer.cli import main; sys.exit(main({words}))"
        done = in_a_fresh_process(code)
        assert done.returncode == 1
        assert done.stderr.startswith("amdnet predict: ")
        assert done.stderr.count("\n") == 1
        assert "labels.csv has no column 'structure'" in done.stderr


def in_a_fresh_process(code: str) -> subprocess.CompletedProcess:
    """Without what JAX, which Keras imports where it is installed, tells TensorFlow to write."""
    environ = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)


def test_quiet_is_silent(folder: Path, model_file: Path, tmp_path: Path) -> None:
    """In a process of its own: TensorFlow has notes on the machine to write at its start."""
    words = [
        "predict",
        folder / "rock-salt-MgO.cif",
        "--load_name",
        model_file,
        "--output",
        tmp_path / "out.csv",
    ]
    code = (
        f"import sys; from amdnet_matminer.cli import main; sys.exit(main({[*map(str, words), '--quiet']}))"
    )
    done = in_a_fresh_process(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "out.csv").read_text().count("\n") == 2


def test_version(run: Callable) -> None:
    assert run("--version") == (0, f"amdnet {amdnet_matminer.__version__}\n", "")


def test_help_gives_every_default(run: Callable) -> None:
    code, output, error = run("train", "--help")
    assert (code, error) == (0, "")
    text = " ".join(output.split())
    parameters = inspect.signature(AMDNetRegressor).parameters
    for name in ("epochs", "patience", "learning_rate", "batch_size", "atom_cutoff", "rbf_edge_dim_motif"):
        option = text[text.rindex(f"--{name} ") :]
        default = option[option.index("(default: ") :].removeprefix("(default: ")
        assert re.split("[;)]", default)[0] == str(parameters[name].default)
        if ORIGINAL_DEFAULTS[name] != parameters[name].default:
            assert default.split(")")[0].endswith(f"; with --material_file {ORIGINAL_DEFAULTS[name]}")
