"""What the training benchmarks say of errors, and what they ship."""

from __future__ import annotations

import accuracy
import cards
import numpy as np
import pytest


@pytest.fixture
def result():
    kinds = {"chemistry": {"metal oxide": {"n": 90, "mae": 0.25}, "no metal": {"n": 3, "mae": 9.0}}}
    error = {"unit": "eV", "mae": 0.1234, "median": 0.05, "by kind": kinds}
    return {
        "members": {"alone": 0.13, "with energy": 0.135},
        "within one std": 0.68,
        "n_train": 4000,
        "data": "mp2018",
        "n_validation": 300,
        "parameters_per_network": 289409,
        "seconds": 1200,
        "device": "CPU",
        "errors": {"band_gap": error},
    }


def test_errors_by_kind():
    kinds = {"size": np.array(["1: small", "2: large", "1: small"])}
    found = accuracy.errors_by_kind(kinds, np.array([1.0, 5.0, 2.0]))
    assert found == {"size": {"1: small": {"n": 2, "mae": 1.5}, "2: large": {"n": 1, "mae": 5.0}}}


def test_kinds_of_known_crystals(rutile, corundum):
    kinds = accuracy.kinds_of([rutile, corundum], n_jobs=1)
    assert kinds["chemistry"].tolist() == ["metal oxide"] * 2
    assert kinds["commonest motif"].tolist() == ["octahedral"] * 2
    assert kinds["elements"].tolist() == ["2", "2"]


def test_a_card_tells_the_result(result):
    card = cards.model_card("mp2018-band-gap", 1_200_000, result)
    assert "MAE 0.1234 eV" in card
    assert "4,000 crystals" in card
    assert "2 of 289,409 parameters: alone, MAE 0.1300; with energy, MAE 0.1350" in card
    assert "| chemistry: metal oxide | 90 | 0.250 |" in card
    assert "no metal" not in card
