"""The examples run, and what they print makes sense."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def test_explain_with_motifs(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the plots extra is not installed")
    command = [sys.executable, EXAMPLES / "explain_with_motifs.py", "--output", tmp_path]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    mean, forest = (float(error) for error in re.findall(r"MAE +([0-9.]+)", run.stdout))
    assert forest < 0.3 * mean
    similar = run.stdout.split("most like perovskite-SrTiO3:\n")[1].split("\n\n")[0]
    assert similar.count("perovskite-") == 5
    importances = run.stdout.split("shuffled (eV/atom):\n")[1].split("\n\n")[0].splitlines()
    assert all(line.startswith("motif ") for line in importances)
    assert {path.name for path in tmp_path.iterdir()} == {"motif_map.png", "sharing.png", "motif_graph.png"}


def test_motif_screening() -> None:
    environ = {name: value for name, value in os.environ.items() if name != "AMDNET_DATA"}
    command = [sys.executable, EXAMPLES / "motif_screening.py", "--gap", "1", "4", "-n", "12"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    assert "crystals have undistorted TiO6 octahedral motifs" in run.stdout
    chosen = run.stdout.split("have a gap of 1 to 4 eV:\n")[1].split("\n\n")[0].splitlines()[2:]
    assert len(chosen) > 2
    assert all(1 <= float(line.split()[-1]) <= 4 for line in chosen)
    assert all(line.startswith("perovskite-Sr") for line in chosen[:2])
    assert not any(line.startswith("perovskite-SrTiO3 ") for line in chosen)
    assert "what joins the first and the last of them: perovskite-Sr" in run.stdout
