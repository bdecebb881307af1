"""The examples run, and what they print makes sense."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What an example prints: ``printed("name.py", "--output", "here")``."""

    def run(name: str, *words: object) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_explain_with_motifs(printed: Callable[..., str], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the plots extra is not installed")
    output = printed("explain_with_motifs.py", "--output", tmp_path)
    mean, forest = (float(error) for error in re.findall(r"MAE +([0-9.]+)", output))
    assert forest < 0.3 * mean
    similar = output.split("most like perovskite-SrTiO3:\n")[1].split("\n\n")[0]
    assert similar.count("perovskite-") == 5
    importances = output.split("shuffled (eV/atom):\n")[1].split("\n\n")[0].splitlines()
    assert all(line.startswith("motif ") for line in importances)
    assert {path.name for path in tmp_path.iterdir()} == {"motif_map.png", "sharing.png", "motif_graph.png"}


def test_motif_screening(printed: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMDNET_DATA", raising=False)
    output = printed("motif_screening.py", "--gap", "1", "4", "-n", "12")
    assert "crystals have undistorted TiO6 octahedral motifs" in output
    chosen = output.split("have a gap of 1 to 4 eV:\n")[1].split("\n\n")[0].splitlines()[2:]
    assert len(chosen) > 2
    assert all(1 <= float(line.split()[-1]) <= 4 for line in chosen)
    assert all(line.startswith("perovskite-Sr") for line in chosen[:2])
    assert not any(line.startswith("perovskite-SrTiO3 ") for line in chosen)
    assert "what joins the first and the last of them: perovskite-Sr" in output
