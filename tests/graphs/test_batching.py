"""Batches: every crystal once, in its place, padding apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from amdnet_matminer.graphs import (
    DualGraph,
    DualGraphConverter,
    SizeLadder,
    balanced_batches,
    batch_graphs,
    sizes_of,
)
from amdnet_matminer.graphs.batching import PADDING, SHARES, Sizes


@pytest.fixture(scope="module")
def graphs(perovskite: Structure, copper: Structure, helium_box: Structure) -> list[DualGraph]:
    return [DualGraphConverter(symmetry_reduction=False).convert(s) for s in (perovskite, helium_box, copper)]


def test_sizes_by_hand(graphs: list[DualGraph]) -> None:
    sizes = sizes_of(graphs)
    assert sizes[0].tolist()[:2] == [1, 5]
    assert sizes[0, 3:].tolist() == [2, 14 + 26, 6 + 12]
    assert sizes[1].tolist() == [1, 1, 0, 1, 0, 0]


def test_crystals_lie_end_to_end(graphs: list[DualGraph]) -> None:
    batch = batch_graphs(graphs, Sizes(5, 20, 2000, 10, 500, 99))
    assert batch.crystal.tolist() == [1, 1, 1, 0, 0]
    assert batch.atoms.graph[:10].tolist() == [0] * 5 + [1] + [2] * 4
    assert set(batch.atoms.graph[10:]) == {4}
    assert batch.atoms.weight.sum() == 10
    assert batch.atoms.node[:10].tolist() == [8, 22, 8, 38, 8, 2, 29, 29, 29, 29]
    n_pairs = sizes_of(graphs)[:, 2].sum()
    crystal_of_edge = batch.atoms.graph[batch.atoms.receiver]
    np.testing.assert_array_equal(crystal_of_edge, batch.atoms.graph[batch.atoms.sender])
    assert set(crystal_of_edge[:n_pairs]) == {0, 2}
    assert set(crystal_of_edge[n_pairs:]) == {4}
    assert batch.motifs.node.shape == (10, 61)
    assert batch.motifs.edge.shape == (500, 3)
    assert batch.motifs.edge_weight.sum() == sizes_of(graphs)[:, 4].sum()


def test_bonds_name_the_atoms_of_the_batch(graphs: list[DualGraph]) -> None:
    batch = batch_graphs(graphs[::-1], Sizes(5, 20, 2000, 10, 500, 99))
    bonds = batch.bonds
    # Four of copper, helium's, those of SrTiO3.
    assert batch.atoms.node[bonds.center[:7]].tolist() == [29] * 4 + [2, 22, 38]
    of_titanium = bonds.motif == 5
    assert batch.atoms.node[bonds.ligand[of_titanium]].tolist() == [8] * 6
    np.testing.assert_allclose(bonds.length[of_titanium], 3.905 / 2, rtol=1e-5)
    n_bonds = sizes_of(graphs)[:, 5].sum()
    assert (bonds.motif[n_bonds:] == 9).all()
    assert (bonds.ligand[n_bonds:] == 19).all()


def test_too_small_sizes_are_refused(graphs: list[DualGraph]) -> None:
    with pytest.raises(ValueError, match="crystals need"):
        batch_graphs(graphs, Sizes(3, 20, 2000, 10, 500, 99))


@given(
    n=st.integers(1, 60),
    n_batches=st.integers(1, 12),
    seed=st.integers(0, 99),
)
def test_every_crystal_is_dealt_once(n: int, n_batches: int, seed: int) -> None:
    sizes = np.random.default_rng(n).integers(1, 50, size=(n, 6))
    batches = balanced_batches(sizes, n_batches, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches).tolist()) == list(range(n))
    assert len(batches) == n_batches
    assert max(map(len, batches)) - min(map(len, batches)) <= 1


def test_dealt_batches_are_nearly_equal_in_every_count() -> None:
    """As in real data, counts grow with the crystal, but some crystals have no motif edges at all."""
    rng = np.random.default_rng(0)
    sizes = np.rint(rng.lognormal(3, 1, size=(3200, 1)) * rng.uniform(0.5, 2, size=(3200, 6))).astype(int)
    sizes[rng.random(3200) < 0.4, 4] = 0
    balanced, shuffled = (
        np.array([sizes[members, 1:].sum(axis=0) for members in batches])
        for batches in (balanced_batches(sizes, 100, rng), np.split(rng.permutation(3200), 100))
    )
    assert (balanced.std(axis=0) < 0.1 * shuffled.std(axis=0)).all()


def test_batches_are_random() -> None:
    """In two epochs, crystals of the same batch meet again hardly more often than by chance."""
    sizes = np.random.default_rng(0).lognormal(3, 1, size=(640, 6)).astype(int)
    batch = np.empty((2, 640), dtype=int)
    for epoch in (0, 1):
        for number, members in enumerate(balanced_batches(sizes, 20, np.random.default_rng(epoch))):
            batch[epoch, members] = number
    met = batch[:, :, None] == batch[:, None, :]
    first, second = met[:, *np.triu_indices(640, 1)]
    assert (first & second).sum() / first.sum() < 3 * second.mean()


@given(scale=st.floats(0.01, 50))
def test_a_step_holds_what_it_is_asked_for(scale: float) -> None:
    ladder = SizeLadder((32.0, 400.0, 9000.0, 130.0, 1500.0, 800.0))
    needed = np.ceil(np.array(ladder.first) * scale).astype(int)
    step = np.array(ladder.step_for(needed))
    assert (step >= needed + np.array(PADDING)).all()
    fullest = max(1.0, (needed / np.array(ladder.first)).max())
    most = np.ceil(np.array(ladder.first) * fullest * 1.2) + 1
    assert (step <= SHARES * np.ceil(most / SHARES)).all()
    assert (step % SHARES == 0).all()


def test_a_larger_ladder_needs_fewer_batches() -> None:
    sizes = np.tile([1, 10, 100, 5, 20, 30], (100, 1))
    ladder = SizeLadder.for_crystals(sizes, 20)
    assert [ladder.holding(n).n_batches(sizes) for n in (5, 20, 40, 99, 1000)] == [5, 5, 3, 2, 1]
    assert ladder.holding(5) == ladder
    assert ladder.n_batches(sizes[:1]) == 1


def test_few_shapes_occur(crystals: list[Structure]) -> None:
    graphs = [DualGraphConverter().convert(c) for c in crystals] * 30
    sizes = sizes_of(graphs)
    ladder = SizeLadder.for_crystals(sizes, 16)
    batches = balanced_batches(sizes, -(-len(graphs) // 16), np.random.default_rng(0))
    assert len({ladder.step_for(sizes[members].sum(axis=0)) for members in batches}) <= 2


def test_an_800_atom_cell() -> None:
    cell = Structure(Lattice.cubic(4.2), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]) * (10, 10, 4)
    graph = DualGraphConverter(motifs=None).convert(cell)
    assert len(cell) == 800
    assert graph.atoms.multiplicity.tolist() == [400, 400]
