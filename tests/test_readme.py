"""Every snippet and command of the README, and every snippet of the site's pages, does what it says."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tensorflow

from amdnet_matminer import AMDNetClassifier, AMDNetRegressor, architectures
from amdnet_matminer.cli import main as amdnet
from amdnet_matminer.datasets import oxides
from amdnet_matminer.matbench.models import MODELS
from amdnet_matminer.motifs.features import FEATURE_GROUPS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "guide").glob("*.md"))]
SMALL = {"n_blocks": 1, "width": 8, "optimizer": "adamw"}
"""Sizes where a page names none: compiling a network takes longer than all that pages do with it."""


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting processes takes longer than the few crystals do."""
    monkeypatch.setattr("matminer.featurizers.base.cpu_count", lambda: 1)


@pytest.fixture
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    for estimator in (AMDNetRegressor, AMDNetClassifier):
        monkeypatch.setattr(estimator.__init__, "__kwdefaults__", estimator.__init__.__kwdefaults__ | SMALL)


@pytest.fixture
def eagerly() -> Iterator[None]:
    """Let TensorFlow compile nothing."""
    tensorflow.config.run_functions_eagerly(True)
    yield
    tensorflow.config.run_functions_eagerly(False)


@pytest.fixture
def forgotten() -> Iterator[None]:
    """What a page registers is forgotten after it."""
    tables: list[dict] = [architectures._places, FEATURE_GROUPS, MODELS]
    known = {name for table in tables for name in table}
    yield
    # Classes of the package's own networks are added when first used, and stay.
    for table in (architectures._classes, *tables):
        for name in set(table) - known:
            del table[name]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks("python", page.read_text())], ids=lambda p: p.stem
)
def test_the_snippets_of_a_page_run(
    page: Path,
    forgotten: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    text = page.read_text(encoding="utf-8")
    # A shipped model has a size of its own, whose training step takes longer to compile than the fit.
    request.getfixturevalue("eagerly" if "init_from=" in text else "small_networks")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for snippet in blocks("python", text):
        exec(compile(snippet, page.name, "exec"), names)
    predicted = names.get("predicted", 0.0)
    assert np.isfinite(predicted).all()


def commands(program: str, text: str = README) -> list[str]:
    lines = [line.partition("#")[0].strip() for block in blocks("bash", text) for line in block.splitlines()]
    return [line for line in lines if line.startswith(program)]


def load_script(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_command_is_one_that_is_tested_here() -> None:
    known = ("make ", "amdnet ", "pip install ")
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    assert lines
    assert all(line.startswith(known) for line in lines)


def test_the_snippets_run(
    small_networks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for snippet in blocks("python"):
        exec(compile(snippet, "README.md", "exec"), names)
    assert names["motifs"].name.tolist() == ["TiO6 octahedral"] * 2
    assert sorted(names["motifs"].n_shared[names["motifs"].receiver == 0].tolist()) == [1] * 8 + [2] * 2
    assert np.isfinite(names["features"].filter(like="motif ")).all(axis=None)
    assert len(names["again"].predict(names["test"].structure)) == len(names["test"])
    assert "['TiO6 octahedral' 'TiO6 octahedral']" in capsys.readouterr().out


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in, with twelve crystals, their labels and one that is looked for."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crystals").mkdir()
    data = oxides().sample(12, random_state=0)
    for key, structure in data.structure.items():
        structure.to(str(tmp_path / "crystals" / f"{key}.cif"))
    data.ewald_energy_per_atom.rename("energy").to_csv("labels.csv", index_label="id")
    data.structure.iloc[0].to("query.cif")
    return tmp_path


def run_command(command: str, *more: str) -> None:
    assert amdnet([*shlex.split(command)[1:], *more, "--quiet"]) == 0, command


def plain_commands(page: Path) -> list[str]:
    """Those of a page that need no more than that folder; the others have tests of their own."""
    apart = ("amdnet matbench", "--material_file")
    return [line for line in commands("amdnet", page.read_text()) if not any(word in line for word in apart)]


@pytest.mark.parametrize(
    "page", filter(plain_commands, [ROOT / "README.md", *PAGES]), ids=lambda page: page.stem
)
def test_the_amdnet_commands_run(
    page: Path, small_networks: None, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = plain_commands(page)
    for command in asked:
        run_command(command)
    output = capsys.readouterr().out
    if any("evaluate" in command for command in asked):
        assert "MAE" in output
    for written in re.findall(r"--output (\S+)", "\n".join(asked)):
        assert (folder / written).read_text().count("\n") == 13


def test_the_commands_on_files_of_the_original_run(
    shared_data: Path, eagerly: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shutil.copytree(shared_data / "amdnet2021", tmp_path / "original"))
    guide = (ROOT / "docs" / "guide" / "files.md").read_text(encoding="utf-8")
    train, evaluate = (line for line in commands("amdnet", guide) if "--material_file" in line)
    run_command(train, "--epochs", "1")
    run_command(evaluate)
    assert AMDNetRegressor.load("gap.amdnet").architecture == "amdnet-2021"


def test_the_make_targets_exist() -> None:
    for command in commands("make"):
        subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, check=True, capture_output=True)


def test_the_matbench_command_parses(monkeypatch: pytest.MonkeyPatch) -> None:
    guide = (ROOT / "docs" / "guide" / "matbench.md").read_text(encoding="utf-8")
    (command,) = (line for line in blocks("bash", guide)[0].splitlines() if line.startswith("amdnet "))
    asked = []
    monkeypatch.setattr("amdnet_matminer.matbench.command.run", asked.append)
    assert amdnet(shlex.split(command)[1:]) == 0
    assert [(arguments.task, arguments.fold) for arguments in asked] == [(["matbench_phonons"], [0])]


def test_the_extras_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (line,) = re.findall("^Extras: (.*)$", README, re.MULTILINE)
    named = re.findall(r"`\[(\w+)\]`", line)
    assert named
    assert set(named) <= set(extras)


def test_without_tensorflow__all_other_dependencies_are_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {re.match(r"[\w-]+", requirement)[0] for requirement in project["dependencies"]}
    section = (ROOT / "docs" / "start.md").read_text().partition("### Without TensorFlow")[2]
    lines = blocks("bash", section)[0].splitlines()
    _, rest, network = (line.partition("#")[0].split()[2:] for line in lines)
    assert set(rest) == needed - {"keras", "tensorflow"}
    assert network == ["keras", "jax"]


def test_the_tables_are_those_of_the_result_files(monkeypatch: pytest.MonkeyPatch) -> None:
    make_tables = load_script("make_tables", monkeypatch)
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert make_tables.with_tables(page) == page
    assert make_tables.with_summary(README) == README


def test_the_front_page_is_short() -> None:
    assert README.count("\n") <= 150
