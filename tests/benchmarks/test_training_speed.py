"""The speed benchmark: what it hands to the peers, and what it makes of their answers."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import training_speed
from peers.speed import read


def test_peers_read_the_crystals_that_were_written(tmp_path, crystals):
    targets = np.arange(float(len(crystals)))
    structures, y = read(training_speed.write_crystals(tmp_path / "crystals.npz", crystals, targets))
    assert y.tolist() == list(range(len(crystals)))
    for ours, theirs in zip(crystals, structures, strict=True):
        assert ours.composition == theirs.composition
        np.testing.assert_allclose(ours.distance_matrix, theirs.distance_matrix, atol=1e-9)


def test_ratios_are_medians_over_the_faster_peer():
    def answers(ours: float) -> dict:
        return {
            "megnet": {"training": 50.0, "predict_structure": 2.0},
            "matgl": {"training": 100.0, "predict_structure": 10.0, "prediction": 400.0},
            "ours, amdnet": {"training": ours, "prediction": 2000.0},
        }

    found = training_speed.ratios([answers(500.0), answers(900.0), answers(700.0)])["ours, amdnet"]
    assert found["training / faster peer"] == 7.0
    assert found["prediction / matgl, batches"] == 5.0
    assert found["prediction / megnet, one by one"] == 1000.0


def test_the_last_line_of_a_worker_counts(tmp_path):
    script = tmp_path / "worker.py"
    script.write_text("print('noise')\nprint('{\"training\": 3.0}')\n")
    assert training_speed.run([sys.executable, script]) == {"training": 3.0}
    script.write_text("raise SystemExit('no graphs')")
    with pytest.raises(RuntimeError, match="no graphs"):
        training_speed.run([sys.executable, Path(script)])
