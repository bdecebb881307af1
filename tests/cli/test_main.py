"""What all commands have in common: help, exit codes, one line for each fault."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import amdnet_matminer
from amdnet_matminer import AMDNetRegressor, screening
from amdnet_matminer.cli import main
from amdnet_matminer.cli.main import COMMANDS
from amdnet_matminer.cli.train import ORIGINAL_DEFAULTS


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
            (["train", "x", "--save_name", "m", "--epochs", "0"], "epochs must be an integer from 1 to"),
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
            ("id,band_gap\nrock-salt-MgO,\n", "label 'rock-salt-MgO' is missing"),
            ("id,band_gap\nrock-salt-MgO,inf\n", "label 'rock-salt-MgO' is inf, no finite number"),
            ("id,band_gap\nrock-salt-MgO,wide\n", "label 'rock-salt-MgO' is wide, no finite number"),
            (
                "id,band_gap\nrutile-TiO2,3.0\n",
                "has labels of 'rutile-TiO2', ..., where the crystals are 'rock-salt-MgO', ...",
            ),
            ("", "holds no labels"),
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
        assert all(line.startswith(f"amdnet {command}: ") for line in error.splitlines())

    @pytest.mark.parametrize("command", ["evaluate", "predict"])
    def test_no_model(self, run: Callable, folder: Path, tmp_path: Path, command: str) -> None:
        code, _, error = run(command, folder, "--load_name", folder / "labels.csv")
        assert code == 1
        assert "labels.csv is no model of amdnet_matminer" in error
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

        monkeypatch.setattr(screening, "read_noted", interrupt)
        code, _, error = run("featurize", folder, "--quiet")
        assert (code, error) == (130, "amdnet featurize: interrupted\n")

    def test_out_of_memory(self, run: Callable, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def grow(*arguments: object) -> None:
            raise MemoryError

        monkeypatch.setattr(screening, "read_noted", grow)
        code, _, error = run("featurize", folder, "--quiet", "--n_jobs", 1)
        assert code == 1
        assert "out of memory; give fewer or smaller crystals, or less --n_jobs" in error

    def test_reader_that_wants_no_more(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as stdout:
            monkeypatch.setattr(sys, "stdout", stdout)
            assert main(["featurize", str(folder / "rock-salt-MgO.cif"), "--quiet"]) == 1
        assert capsys.readouterr().err == ""


def test_quiet_is_silent(run_apart: Callable, folder: Path, model_file: Path, tmp_path: Path) -> None:
    """In a process of its own: TensorFlow has notes on the machine to write at its start."""
    words = [folder / "rock-salt-MgO.cif", "--load_name", model_file, "--output", tmp_path / "out.csv"]
    done = run_apart("predict", *words, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "out.csv").read_text().count("\n") == 2


def test_version(run: Callable) -> None:
    assert run("--version") == (0, f"amdnet {amdnet_matminer.__version__}\n", "")


class TestHelp:
    def test_imports_nothing_heavy(self) -> None:
        """Whoever asks for help should not wait for scientific packages."""
        heavy = ["pandas", "pymatgen", "matminer", "sklearn", "keras", "tensorflow"]
        code = f"""
import sys
from amdnet_matminer.cli import main
from amdnet_matminer.cli.main import COMMANDS
try:
    main(["--help"])
except SystemExit:
    print([name for name in {heavy} if name in sys.modules])"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert "featurize" in done.stdout
        assert done.stdout.splitlines()[-1] == "[]"

    @pytest.mark.parametrize("command", COMMANDS)
    def test_of_a_command(self, run: Callable, command: str) -> None:
        code, output, error = run(command, "--help")
        assert (code, error) == (0, "")
        assert COMMANDS[command].summary in " ".join(output.split())

    def test_gives_every_default(self, run: Callable) -> None:
        text = " ".join(run("train", "--help")[1].split())
        parameters = inspect.signature(AMDNetRegressor).parameters
        for name in (
            "epochs",
            "patience",
            "learning_rate",
            "batch_size",
            "atom_cutoff",
            "rbf_edge_dim_motif",
        ):
            option = text[text.rindex(f"--{name} ") :]
            default = option[option.index("(default: ") :].removeprefix("(default: ")
            assert re.split("[;)]", default)[0] == str(parameters[name].default)
            if ORIGINAL_DEFAULTS[name] != parameters[name].default:
                assert default.split(")")[0].endswith(f"; with --material_file {ORIGINAL_DEFAULTS[name]}")
