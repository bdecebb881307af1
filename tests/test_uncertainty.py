"""Calibrated spread, and what is new in a crystal."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Structure

from amdnet_matminer.graphs import DualGraphConverter
from amdnet_matminer.uncertainty import Domain, std_factor


def test_the_factor_of_normal_errors() -> None:
    rng = np.random.default_rng(0)
    spread = rng.uniform(0.1, 2.0, (20_000, 2))
    error = 3.0 * spread * rng.standard_normal(spread.shape)
    assert std_factor(error, spread) == pytest.approx(3.0, rel=0.02)


def test_a_few_large_errors_do_not_count_for_more() -> None:
    error, spread = np.linspace(-1.0, 1.0, 101), np.ones(101)
    outliers = error.copy()
    outliers[[0, -1]] = 1e6
    assert std_factor(outliers, spread) == std_factor(error, spread)


def test_crystals_without_label_or_spread_do_not_count() -> None:
    error, spread = np.array([1.0, np.nan, 5.0, -3.0]), np.array([1.0, 1.0, 0.0, 1.0])
    assert std_factor(error, spread) == pytest.approx(1.0 + 2.0 * 0.6827)
    assert std_factor(np.array([np.nan, 0.0]), np.array([1.0, 0.0])) == 1.0


@pytest.mark.parametrize("symmetry_reduction", [True, False])
def test_novelty(
    symmetry_reduction: bool,
    rock_salt: Structure,
    spinel: Structure,
    corundum: Structure,
    helium_box: Structure,
) -> None:
    def graph(structure: Structure, with_motifs: bool = True) -> object:
        return DualGraphConverter(
            motifs="own" if with_motifs else None, symmetry_reduction=symmetry_reduction
        ).convert(structure)

    domain = Domain.of([graph(rock_salt), graph(corundum)])
    assert domain == Domain(frozenset({"MgO6 octahedral", "AlO6 octahedral"}), frozenset({8, 12, 13}))
    # Spinel has its magnesium in tetrahedra, one motif in three; all of its elements are known.
    crystals = [graph(rock_salt), graph(spinel), graph(helium_box)]
    np.testing.assert_allclose(domain.novelty(crystals), [0.0, 1 / 3, 1.0])
    # Without motifs elements are what is left to go by: 4 of 14 atoms of spinel are no Mg and no O.
    magnesia = Domain.of([graph(rock_salt, with_motifs=False)])
    np.testing.assert_allclose(magnesia.novelty([graph(spinel, with_motifs=False)]), [4 / 14])


def test_union(rock_salt: Structure, corundum: Structure) -> None:
    graphs = [DualGraphConverter().convert(rock_salt), DualGraphConverter().convert(corundum)]
    assert Domain.of(graphs[:1]).union(Domain.of(graphs[1:])) == Domain.of(graphs)
    assert Domain.of(graphs).union() == Domain.of(graphs)
