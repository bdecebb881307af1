"""Docstrings: every parameter is documented, and examples run."""

from __future__ import annotations

import doctest
import inspect
import pkgutil
import re
from importlib import import_module

import pytest

import amdnet_matminer
from amdnet_matminer.graphs import DualGraphConverter, GraphCache

MODULES = [
    found.name
    for found in pkgutil.walk_packages(amdnet_matminer.__path__, "amdnet_matminer.")
    if ">>>" in inspect.getsource(import_module(found.name))
]
CLASSES = [
    *(getattr(amdnet_matminer, name) for name in amdnet_matminer.__all__),
    DualGraphConverter,
    GraphCache,
]


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if inspect.isclass(cls)])
def test_every_parameter_is_documented_once(cls: type) -> None:
    text = inspect.getdoc(cls)
    for name in inspect.signature(cls).parameters:
        assert len(re.findall(rf"(?m)^    (?:\w+, )*\*{{0,2}}{name}\b.*?:", text)) == 1, name


def test_what_the_classifier_adds_is_its_own() -> None:
    text = inspect.getdoc(amdnet_matminer.AMDNetClassifier)
    assert text.count("\nArgs:\n") == text.count("\nAttributes:\n") == 1
    assert "class_weight: How much" in text
    assert "converter_: What turns" in text
    assert "std_factor_" not in text


@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module: str) -> None:
    failed, _ = doctest.testmod(import_module(module))
    assert failed == 0
