"""The benchmark of the motif network, on few crystals."""

from __future__ import annotations

import motif_network
import numpy as np
import pandas as pd
import pytest
from motif_network import (
    N_TUNED,
    NUMBERS,
    accuracy,
    errors,
    in_mp2018,
    nearest_error,
    speed,
    split,
    transform,
)


def test_error_of_neighbours() -> None:
    training = np.array([[0.0], [1.0], [5.0]]), np.array([1.0, 2.0, 9.0])
    found = errors(training, (np.array([[0.25]]), np.array([0.0])))
    assert found[1, 2] == pytest.approx(1)
    # Weights 4, 4 / 3 and 4 / 19 at distances 1/4, 3/4 and 19/4.
    assert found[3, 1] == pytest.approx((4 * 1 + 4 / 3 * 2 + 4 / 19 * 9) / (4 + 4 / 3 + 4 / 19))


def test_the_choice_is_made_on_the_training_part() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(400, 1))
    noisy = x[:, 0] + rng.normal(scale=0.5, size=400)
    one, other = (
        nearest_error((x[:300], noisy[:300]), (x[300:], y))
        for y in (noisy[300:], rng.permutation(noisy[300:]))
    )
    assert (one["k"], one["power"]) == (other["k"], other["power"])
    assert one["k"] == max(NUMBERS)  # noise asks for many
    assert one["mae"] < one["mae_of_mean"]


def test_what_the_weights_were_chosen_on_is_not_held_out() -> None:
    n = 4 * N_TUNED
    held_out, training = split(n)
    assert len(held_out) == n // 5
    assert sorted([*held_out, *training]) == list(range(n))
    assert set(np.random.default_rng(0).choice(n, N_TUNED, replace=False)) <= set(training)


def test_all_parts_run(crystals, monkeypatch) -> None:
    n = len(crystals)
    monkeypatch.setattr(motif_network, "load_crystals", lambda name: (crystals[:1], None))
    rows = {name: np.arange(n) for name in ("row_mp_gap", "row_mp_e_form")}
    labels = {"gap_pbe": np.ones(n), "e_form": np.ones(n), "in_mp2018_train": np.zeros(n, bool)}
    table = pd.DataFrame(rows | labels)
    scores = accuracy(crystals, table, 1)
    assert scores["e_form"]["held_out"] == n // 5
    assert scores["gap_pbe"]["mae"] == pytest.approx(0)
    scores = transform(crystals, table, 1)
    assert scores["new_to_models"] == n - 1
    assert scores["gap_pbe"]["mae"] == pytest.approx(0)
    found = speed(crystals, table, 1)
    assert found["links"] == n + 1
    assert min(found["milliseconds"].values()) > 0
    assert found["file"]["megabytes"] > 0


def test_what_models_have_seen(corundum, perovskite, spinel, monkeypatch) -> None:
    known = [
        crystal.copy().scale_lattice(factor * crystal.volume)
        for crystal, factor in ((corundum, 1.005), (spinel, 1.1))
    ]
    monkeypatch.setattr(motif_network, "load_crystals", lambda name: (known, None))
    assert in_mp2018([corundum, perovskite, spinel]).tolist() == [True, False, False]
