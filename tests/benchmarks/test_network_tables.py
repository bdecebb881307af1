"""The tables of what motifs say."""

from __future__ import annotations

import json
from pathlib import Path

import network_tables
import pytest
from network_tables import _planted_row


def test_a_planted_property_is_a_row() -> None:
    found = {"of motifs": 0.5, "of kinds": 0.75}
    part = {
        "mae": 0.1,
        "mae of the mean": 0.6,
        "rank correlation": found | {f"{name}, largest possible": 1.0 for name in found},
        "rank correlation of labels in random order": dict.fromkeys(found, -0.125),
        "deletion": {"largest contribution": 0.3, "another": 0.2, "part where the first is more": 0.7},
    }
    assert _planted_row("faces", part) == [
        "faces",
        "0.10, 0.60",
        "0.50 of 1.00",
        "-0.12",
        "0.75 of 1.00",
        "-0.12",
        "0.30, 0.20 (70%)",
    ]


def test_a_trial_is_compared_with_the_default_network_of_its_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = {
        ("amdnet", 0): 0.5,
        ("amdnet", 1): 0.4,
        ("deeper", 0): 0.4,
        ("deeper", 1): 0.4,
        ("wider", 1): 0.5,
    }
    runs = [
        {"trial": name, "target": "band_gap", "seed": seed, "mae": mae, "seconds": 100 * len(name)}
        for (name, seed), mae in errors.items()
    ]
    sizes = {"n_train": 8000, "n_validation": 2000, "epochs": 15}
    made = {"date": "2026-01-01", "revision": "0123456789", "runs": runs}
    for name in ("trials", "trials-before"):
        (tmp_path / f"{name}.json").write_text(json.dumps(sizes | made))
    monkeypatch.setattr(network_tables, "RESULTS", tmp_path)
    now, _, before = network_tables.trials().partition("**Trials that made it.**")
    rows = now.splitlines()[4:]
    assert before.splitlines()[4:] == rows
    assert rows == [
        "| deeper | 0.4000, 2 (-10.0%) | 1.00 |",
        "| amdnet | 0.4500, 2 (+0.0%) | 1.00 |",
        "| wider | 0.5000, 1 (+25.0%) | 0.83 |",
        "",
    ]
