"""The benchmark of embeddings, on few crystals."""

from __future__ import annotations

import embeddings
import numpy as np
import pytest
from embeddings import REGRESSORS, compare, score

from amdnet_matminer.datasets import oxides


def test_all_features_and_regressions_are_compared(monkeypatch) -> None:
    crystals = oxides().structure[:60].tolist()
    seen = np.arange(len(crystals)) % 2 == 0
    monkeypatch.setattr(embeddings, "N_SPLITS", 2)
    monkeypatch.setattr(embeddings, "in_mp2018", lambda structures: seen)
    found = compare(crystals, np.arange(len(crystals), dtype=float), n_labels=len(crystals) // 2)
    assert found["new_to_models"] == (~seen).sum()
    assert set(found["features"]) == {"transform", "Magpie", "all of composition"}
    for by_regression in found["features"].values():
        assert set(by_regression) == set(REGRESSORS)
        assert all(np.isfinite(list(errors.values())).all() for errors in by_regression.values())


def test_errors_are_of_crystals_that_were_not_learned_from() -> None:
    x = np.random.default_rng(0).normal(size=(40, 2))
    y = x @ [1.0, 2.0]
    splits = [(np.arange(20), np.arange(20, 40)), (np.arange(20, 40), np.arange(20))]
    new = np.arange(40) % 2 == 0
    assert score(REGRESSORS["ridge"], x, y, new, splits)["mae"] < 0.05
    other = np.where(new, y + 1, y)  # as far off on half of them
    found = score(lambda: _Known(x, y), x, other, new, splits)
    assert found == pytest.approx({"mae": 0.5, "std": 0.0, "mae_new": 1.0})


class _Known:
    """Says what was planted, whatever it learns from."""

    def __init__(self, x, y) -> None:
        self.answers = dict(zip(map(tuple, x), y, strict=True))

    def fit(self, x, y):
        return self

    def predict(self, x):
        return np.array([self.answers[tuple(row)] for row in x])
