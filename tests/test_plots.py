"""The pictures are drawn, and say how to get matplotlib when it is absent."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from amdnet_matminer.errors import MissingDependencyError
from amdnet_matminer.plots import learning_curve_plot, parity_plot


def test_pictures_are_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the plots extra is not installed")
    y = np.linspace(0, 5, 20)
    parity_plot(y, y + 0.1, "band gap (eV)", tmp_path / "parity.png")
    learning_curve_plot({"loss": [3.0, 2.0], "val_mae": [2.0, 1.5]}, tmp_path / "curve.svg")
    learning_curve_plot({"loss": [3.0, 2.0]}, tmp_path / "curve.png")
    assert (tmp_path / "parity.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "curve.svg").read_text()
    assert (tmp_path / "curve.png").stat().st_size > 5000


def test_without_matplotlib_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match=r"amdnet-matminer\[plots\]"):
        parity_plot([1.0], [1.0], "x", tmp_path / "p.png")
