"""The package as it is installed: lazy names, the wheel, the set-up."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import amdnet_matminer

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DEEP_LEARNING = ["jax", "keras", "tensorflow", "torch"]
ADDRESSES = r"pythonhosted\.|pypi\.(org|python)|npmjs\.|/(root|home|Users|opt)/[A-Za-z]|index[-]url"


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """The output of a command run without this checkout on the path."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | variables
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_featurizing_imports_no_deep_learning() -> None:
    code = f"""
import sys
from amdnet_matminer import Motif2Vec, MotifFeaturizer, motif_graph, motif_graphs
MotifFeaturizer()
print(*[name for name in {DEEP_LEARNING} if name in sys.modules])"""
    assert run(sys.executable, "-c", code, cwd=ROOT).split() == []


def test_features_and_search_work_without_tensorflow() -> None:
    code = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None  # importing them fails
from pymatgen.core import Lattice, Structure
from amdnet_matminer import MotifFeaturizer, MotifNetwork
salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.2), ["Mg", "O"], [[0] * 3, [0.5] * 3])
featurizer = MotifFeaturizer.from_preset("mp2018")
featurizer.set_n_jobs(1)
print(len(featurizer.transform([salt])), *MotifNetwork().fit([salt]).motifs_)"""
    assert run(sys.executable, "-c", code, cwd=ROOT).split() == ["1", "MgO6", "octahedral"]


def test_the_network_runs_on_jax_without_tensorflow() -> None:
    code = """
import sys
sys.modules["tensorflow"] = None
from pymatgen.core import Lattice, Structure
from amdnet_matminer import AMDNetRegressor
salts = [
    Structure.from_spacegroup("Fm-3m", Lattice.cubic(a), ["Mg", "O"], [[0] * 3, [0.5] * 3])
    for a in (4.1, 4.3)
]
model = AMDNetRegressor(epochs=1, width=8, n_blocks=1, optimizer="adamw", validation_fraction=0)
print(len(model.fit(salts, [1.0, 2.0]).predict(salts)))"""
    assert run(sys.executable, "-c", code, cwd=ROOT, KERAS_BACKEND="jax").split() == ["2"]


@pytest.mark.parametrize("missing", ["tensorflow", "keras"])
def test_what_the_network_lacks_is_named(missing: str) -> None:
    code = f"""
import sys
sys.modules["{missing}"] = None
try:
    import amdnet_matminer.network
except ImportError as error:
    print(error)"""
    said = run(sys.executable, "-c", code, cwd=ROOT, KERAS_BACKEND="tensorflow")
    assert (
        f"networks need {missing}, which is not installed; pip install {missing}, or let KERAS_BACKEND"
        in said
    )


@pytest.mark.parametrize("name", amdnet_matminer.__all__)
def test_public_name(name: str) -> None:
    assert getattr(amdnet_matminer, name).__name__ == name
    assert name in dir(amdnet_matminer)


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match=r"'amdnet_matminer' has no attribute 'MotifFeaturiser'"):
        amdnet_matminer.MotifFeaturiser  # noqa: B018


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return next(folder.glob("*.whl"))


def test_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    package = ROOT / "amdnet_matminer"
    files = {path.relative_to(ROOT).as_posix() for path in package.rglob("*") if path.is_file()}
    expected = {name for name in files if "__pycache__" not in name}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == expected
    assert "amdnet_matminer/py.typed" in packed


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an empty environment with the wheel and today's other packages, without a network."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", scripts / "python"]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    site = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    (Path(site) / "others.pth").write_text(sysconfig.get_path("purelib"))
    return scripts


def test_installed_wheel_works(installed: Path, tmp_path: Path) -> None:
    code = """
import importlib.metadata, json, amdnet_matminer as package
from pymatgen.core import Lattice, Structure
rock_salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.2), ["Mg", "O"], [[0] * 3, [0.5] * 3])
print(json.dumps({
    "file": package.__file__,
    "version": package.__version__,
    "installed version": importlib.metadata.version("amdnet-matminer"),
    "motifs": list(package.motif_graph(rock_salt).name),
}))"""
    facts = json.loads(run(installed / "python", "-c", code, cwd=tmp_path))
    assert Path(facts["file"]).is_relative_to(installed.parent)
    assert facts["version"] == facts["installed version"] == amdnet_matminer.__version__
    assert facts["motifs"] == ["MgO6 octahedral"] * 4


def test_installed_command_works(installed: Path, tmp_path: Path) -> None:
    assert "usage: amdnet" in run(installed / "amdnet", "--help", cwd=tmp_path)


def test_constraints_cover_the_dependencies() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = dict(line.split(";")[0].strip().split("==") for line in lines if not line.startswith("#"))
    extras = PROJECT["optional-dependencies"]
    installed = ("dev", "docs", "plots", "release", "view")
    for text in PROJECT["dependencies"] + [text for name in installed for text in extras[name]]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pinned[requirement.name]), text


def test_citation_has_the_version_that_was_released_last() -> None:
    citation, changes = ((ROOT / name).read_text() for name in ("CITATION.cff", "CHANGELOG.md"))
    released = re.search(r"^## \[(\d.*)\]", changes, re.MULTILINE)[1]
    assert re.search(r"^version: (.*)$", citation, re.MULTILINE)[1] == released
    version = amdnet_matminer.__version__
    assert version == released or version.endswith(".dev0")


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
class TestMake:
    """The set-up runs once, and again only when the packages change."""

    @pytest.fixture
    def clone(self, tmp_path: Path) -> Path:
        for name in ("Makefile", "pyproject.toml", "constraints.txt", "amdnet_matminer/__init__.py"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
        return tmp_path

    @pytest.mark.parametrize("target", ["demo", "test"])
    def test_sets_up_once(self, clone: Path, target: str) -> None:
        assert "pip install" in run("make", "-n", target, cwd=clone)
        stamp = clone / ".venv" / ".installed"
        stamp.parent.mkdir()
        stamp.touch()
        assert "pip install" not in run("make", "-n", target, cwd=clone)
        os.utime(clone / "constraints.txt", (stamp.stat().st_mtime + 10,) * 2)
        assert "pip install" in run("make", "-n", target, cwd=clone)

    @pytest.mark.parametrize("python", ["", "no-such-python", "false"])
    def test_no_usable_python(self, clone: Path, python: str) -> None:
        command = ["make", "demo", f"PYTHON={python}"]
        done = subprocess.run(command, cwd=clone, capture_output=True, text=True)
        assert done.returncode != 0
        assert "No Python 3.11, 3.12 or 3.13" in done.stderr
        assert not (clone / ".venv").exists()


def test_no_address_of_a_registry_or_machine() -> None:
    command = ["git", "grep", "--untracked", "-nIE", ADDRESSES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 128:
        pytest.skip("not a git checkout")
    assert done.stdout == ""
