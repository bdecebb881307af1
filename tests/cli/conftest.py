"""One tiny training, and everything that reads its model."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure

from amdnet_matminer import AMDNetRegressor, screening
from amdnet_matminer.cli import main
from amdnet_matminer.errors import StructureError
from amdnet_matminer.structure_files import Entry

COLUMN = "density"
LATTICE_CONSTANTS = {"MgO": 4.212, "CaO": 4.811, "SrO": 5.160, "BaO": 5.539, "NiO": 4.177, "MnO": 4.446}
"""Of rock salts, in angstrom."""


@pytest.fixture(scope="session")
def table(rutile: Structure, perovskite: Structure, caesium_chloride: Structure) -> pd.DataFrame:
    """Small crystals and their densities, sorted by id as a folder is read."""
    crystals = {"rutile-TiO2": rutile, "perovskite-SrTiO3": perovskite, "CsCl": caesium_chloride}
    for formula, length in LATTICE_CONSTANTS.items():
        sites = [formula[:2], "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
        crystals[f"rock-salt-{formula}"] = Structure.from_spacegroup("Fm-3m", Lattice.cubic(length), *sites)
    made = pd.DataFrame({"structure": crystals}).rename_axis("id").sort_index()
    return made.assign(
        formula=[crystal.reduced_formula for crystal in made.structure],
        density=[float(crystal.density) for crystal in made.structure],
    )


@pytest.fixture(scope="session")
def folder(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crystals")
    for name, structure in table.structure.items():
        structure.to(filename=str(folder / f"{name}.cif"))
    table[["formula", COLUMN]].to_csv(folder / "labels.csv")
    return folder


@pytest.fixture(scope="session")
def model_file(folder: Path, table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of the only training here; it says what it did."""
    file = tmp_path_factory.mktemp("models") / "energy.amdnet"
    words = ["train", folder, "--labels", folder / "labels.csv", "--predict", COLUMN, "--save_name", file]
    words += ["--architecture", "megnet", "--rbf_edge_dim_atom", 8, "--epochs", 2, "--batch_size", 8]
    words += ["--seed", 1, "--quiet"]
    with contextlib.redirect_stdout(io.StringIO()) as output:
        assert main(list(map(str, words))) == 0
    assert output.getvalue() == f"trained on {len(table)} crystals for 2 epochs, saved as {file}\n"
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
def run_apart() -> Callable[..., subprocess.CompletedProcess]:
    """Run the command in a process of its own, followed by some code."""

    def run_in_process(*words: object, then: str = "") -> subprocess.CompletedProcess:
        code = f"import sys\nfrom amdnet_matminer.cli import main\ncode = main({[*map(str, words)]})\n"
        # Without what JAX, which Keras imports where it is installed, tells TensorFlow to write.
        environ = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
        command = [sys.executable, "-c", f"{code}{then}\nsys.exit(code)"]
        return subprocess.run(command, env=environ, capture_output=True, text=True)

    return run_in_process


@pytest.fixture
def stop_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """``stop_at(6, window=4)`` ends the command once, as Ctrl-C at the sixth crystal; the ids it reads."""

    def arrange(number: int, window: int) -> list[str]:
        monkeypatch.setattr(screening, "WINDOW", window)
        monkeypatch.setattr(screening, "_CRYSTALS_PER_TASK", 0)
        read, read_noted = [], screening.read_noted

        def stopping(entry: Entry) -> Structure:
            read.append(entry.id)
            if len(read) == number:
                raise KeyboardInterrupt
            return read_noted(entry)

        monkeypatch.setattr(screening, "read_noted", stopping)
        return read

    return arrange


@pytest.fixture
def never_fitted(monkeypatch: pytest.MonkeyPatch) -> list[AMDNetRegressor]:
    """The estimators whose fit was called, which stops the command instead."""
    seen = []

    def fit(self: AMDNetRegressor, structures: pd.Series, y: pd.Series) -> None:
        seen.append(self)
        raise StructureError("stopped by the test")

    monkeypatch.setattr(AMDNetRegressor, "fit", fit)
    return seen
