"""Imports run one way: from the errors up to the commands, without a circle."""

from __future__ import annotations

import ast
import sys
import tomllib
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import amdnet_matminer

PACKAGE = Path(amdnet_matminer.__file__).parent

LAYERS = [
    ["errors", "options", "files", "backend", "architectures"],
    ["structures", "prototypes"],
    ["validation", "crystal_arrays"],
    ["parallel", "symmetry"],
    ["motifs"],
    ["graphs"],
    ["uncertainty", "pretrained", "readers", "structure_files"],
    ["datasets", "featurizer", "plots", "network", "persistence"],
    ["training", "original", "motif_network"],
    ["ensembles", "explanations"],
    ["estimators"],
    ["screening"],
    ["matbench", "cli"],
]
"""Modules and packages by what they build on: a layer imports from itself and from those before."""


def modules() -> dict[str, Path]:
    """The files of the package by module name, a package's ``__init__`` by the package's."""
    names = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        names[".".join(part for part in parts if part != "__init__")] = path
    return names


def imported(path: Path, known: set[str]) -> set[str]:
    """The modules of the package that a file imports, in functions too, but not for types only."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE.name:
            module = (node.module or "").removeprefix(PACKAGE.name).removeprefix(".")
            for alias in node.names:
                inner = f"{module}.{alias.name}".removeprefix(".")
                found.add(inner if inner in known else module)
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".", 1) for alias in node.names]
            found.update(rest[0] for first, *rest in names if first == PACKAGE.name and rest)
        waiting += ast.iter_child_nodes(node)
    return found - {""}  # of the package itself only its version


def test_every_import_is_known() -> None:
    files = modules()
    for name, path in files.items():
        assert imported(path, set(files)) <= set(files), name


def test_no_module_is_imported_in_a_circle() -> None:
    files = modules()
    graph = {name: imported(path, set(files)) - {name} for name, path in files.items()}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_no_import_runs_upwards() -> None:
    layer = {name: number for number, names in enumerate(LAYERS) for name in names}
    files = modules()
    assert {name.split(".")[0] for name in files if name} == set(layer)
    upwards = [
        f"{name} -> {other}"
        for name, path in files.items()
        for other in imported(path, set(files))
        if name and layer[other.split(".")[0]] > layer[name.split(".")[0]]
    ]
    assert upwards == []


def third_party(path: Path) -> set[str]:
    """The packages that a file imports, other than this one and the standard library."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return {module.split(".")[0] for module in modules} - set(sys.stdlib_module_names) - {PACKAGE.name}


def test_every_package_that_is_imported_is_declared() -> None:
    """An environment that happens to have more hides what a fresh one lacks."""
    pyproject = PACKAGE.parent / "pyproject.toml"
    if not pyproject.exists():
        pytest.skip("the package is installed without its source tree")
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    requirements = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    # matbench's own pins are years old, so that it is installed by hand; pymatgen is two distributions.
    declared = {canonicalize_name(Requirement(line).name) for line in requirements} | {"matbench"}
    distributions = packages_distributions()
    for path in modules().values():
        for name in third_party(path):
            provided = {canonicalize_name(found) for found in distributions.get(name, [name])}
            assert provided & declared, f"{path.relative_to(PACKAGE)} imports {name}"
