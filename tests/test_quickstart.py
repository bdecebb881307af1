"""The quick start runs and writes what it promises."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_quickstart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="the plots extra is not installed")
    script = str(ROOT / "examples" / "quickstart.py")
    monkeypatch.setattr(sys, "argv", [script, "--epochs", "6", "--output", str(tmp_path)])
    runpy.run_path(script, run_name="__main__")
    errors = {
        line.split(" MAE ")[0].strip(): float(line.split(" MAE ")[1].split()[0])
        for line in capsys.readouterr().out.splitlines()
        if " MAE " in line
    }
    assert len(errors) == 3
    assert errors["atom-motif dual graph network"] < 0.5 * errors["mean value"]
    assert {path.name for path in tmp_path.iterdir()} == {"parity.png", "learning_curve.png", "model.amdnet"}
