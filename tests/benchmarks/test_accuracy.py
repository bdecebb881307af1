"""What the training benchmarks say of errors, and what they ship."""

from __future__ import annotations

import accuracy
import numpy as np
import pytest

from amdnet_matminer import AMDNetRegressor


@pytest.fixture(scope="module")
def model(crystals):
    y = np.stack([np.arange(len(crystals), dtype=float), np.full(len(crystals), -3.0)], axis=1)
    return AMDNetRegressor(
        epochs=2, batch_size=4, width=8, n_blocks=1, n_ensemble=2, validation_fraction=0, random_state=0
    ).fit(crystals, y)


@pytest.fixture
def result():
    kinds = {"chemistry": {"metal oxide": {"n": 90, "mae": 0.25}, "no metal": {"n": 3, "mae": 9.0}}}
    error = {"unit": "eV", "mae": 0.1234, "median": 0.05, "by kind": kinds}
    return {
        "run": "band-gap",
        "seeds": [0],
        "settings": {"epochs": 5, "width": None},
        "n_train": 4000,
        "n_validation": 300,
        "parameters_per_network": 289409,
        "epochs_done": 5,
        "seconds": 1200,
        "device": "CPU",
        "errors": {"band_gap": error},
    }


def test_the_shipped_part_of_a_model_predicts_its_first_target(model, crystals, tmp_path):
    shipped = accuracy.write_first_target(model, tmp_path / "gap.amdnet", non_negative=True)
    both = model.predict(crystals)
    np.testing.assert_allclose(shipped.predict(crystals), np.maximum(both[:, 0], 0.0), atol=1e-6)
    assert shipped.predict(crystals).shape == (len(crystals),)
    assert len(shipped.training_["target"]) == 1
    again = AMDNetRegressor.load(tmp_path / "gap.amdnet")
    np.testing.assert_array_equal(again.predict(crystals[:2]), shipped.predict(crystals[:2]))


def test_errors_by_kind():
    kinds = {"size": np.array(["1: small", "2: large", "1: small"])}
    found = accuracy.errors_by_kind(kinds, np.array([1.0, 5.0, 2.0]))
    assert found == {"size": {"1: small": {"n": 2, "mae": 1.5}, "2: large": {"n": 1, "mae": 5.0}}}


def test_intervals_hold_their_upper_end():
    labels = accuracy.interval_labels(np.array([0.0, 0.5, 1.0, 4.0]), (0.0, 1.0))
    assert labels.tolist() == ["1: up to 0", "2: to 1", "2: to 1", "3: above 1"]


def test_kinds_of_known_crystals(rutile, corundum):
    kinds = accuracy.kinds_of([rutile, corundum], n_jobs=1)
    assert kinds["chemistry"].tolist() == ["metal oxide"] * 2
    assert kinds["commonest motif"].tolist() == ["octahedral"] * 2
    assert kinds["elements"].tolist() == ["2", "2"]


def test_a_card_tells_the_result(result):
    card = accuracy.model_card("mp2018-band-gap", 1_200_000, result)
    assert "MAE 0.1234 eV" in card
    assert "4,000 crystals" in card
    assert "| chemistry: metal oxide | 90 | 0.250 |" in card
    assert "no metal" not in card
