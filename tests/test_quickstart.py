"""The quick start runs and writes what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_quickstart(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, ROOT / "examples" / "quickstart.py", "--epochs", "12", "--output", tmp_path],
        capture_output=True,
        text=True,
        check=True,
    )
    errors = {
        line.split(" MAE ")[0].strip(): float(line.split(" MAE ")[1].split()[0])
        for line in run.stdout.splitlines()
        if " MAE " in line
    }
    assert len(errors) == 3
    assert errors["atom-motif dual graph network"] < 0.5 * errors["mean value"]
    assert {path.name for path in tmp_path.iterdir()} == {"parity.png", "learning_curve.png", "model.amdnet"}
