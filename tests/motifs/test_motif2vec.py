"""Motif vectors: environment matrix, decomposition, unknown motifs."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from amdnet_matminer.motifs import MotifGraph, motif_graph
from amdnet_matminer.motifs.motif2vec import Motif2Vec

TI, SR, AL, SI = "TiO6 octahedral", "SrO12 cuboctahedral", "AlO6 octahedral", "SiO4 tetrahedral"
CORNER, EDGE, FACE = 1, 2, 3


def crystal(names: list[str], *shared: tuple[int, int, int]) -> MotifGraph:
    """A motif graph with only what Motif2Vec reads: (motif, motif, number of shared ligands)."""
    both = [*shared, *((b, a, n) for a, b, n in shared)]
    sender, receiver, n_shared = np.array(both, dtype=np.int32).reshape(-1, 3).T
    n, e, none = len(names), len(both), np.zeros(0, dtype=np.int32)
    return MotifGraph(
        center=np.arange(n, dtype=np.int32),
        name=np.array(names, dtype=np.str_),
        fingerprint=np.zeros((n, 61), dtype=np.float32),
        ligand=none,
        ligand_image=none.reshape(0, 3),
        ligand_offset=np.zeros(n + 1, dtype=np.int32),
        bond_length=none.astype(np.float32),
        sender=sender,
        receiver=receiver,
        image=np.zeros((e, 3), dtype=np.int32),
        distance=np.ones(e, dtype=np.float32),
        n_shared=n_shared,
        angle=np.ones(e, dtype=np.float32),
        multiplicity=np.ones(n, dtype=np.int32),
    )


PEROVSKITE = crystal([TI, SR], (0, 0, CORNER), (0, 1, FACE), (1, 1, CORNER), (1, 1, 4))
RUTILE = crystal([TI, TI], (0, 1, CORNER), (0, 1, CORNER), (0, 0, EDGE))
CORUNDUM = crystal([AL, AL], (0, 1, CORNER), (0, 1, EDGE), (0, 1, FACE))
KYANITE = crystal([AL, SI], (0, 0, EDGE), (0, 1, CORNER))
CRYSTALS = [PEROVSKITE, RUTILE, CORUNDUM, KYANITE]


def similarities(vectors: np.ndarray) -> np.ndarray:
    return vectors @ vectors.T


def test_vectors_keep_the_similarities_of_the_normalised_environment_matrix():
    # Rows Al, Si, Sr, Ti; counts of crystals, so the second corner of rutile adds nothing.
    # Columns: Al corner, Al edge, Al face, Si corner, Sr corner, Sr face, Ti corner, Ti edge, Ti face.
    matrix = np.array(
        [
            [1, 2, 1, 1, 0, 0, 0, 0, 0],
            [1, 0, 0, 0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 1, 1, 0, 0, 1],
            [0, 0, 0, 0, 0, 1, 2, 1, 0],
        ],
        dtype=float,
    )
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    model = Motif2Vec(n_components=4).fit(CRYSTALS)
    assert model.names_.tolist() == [AL, SI, SR, TI]
    assert model.counts_.tolist() == [2, 1, 1, 2]
    assert similarities(model.vectors_) == pytest.approx(similarities(matrix), abs=1e-12)
    # Truncation keeps the leading singular values.
    shorter = Motif2Vec(n_components=2).fit(CRYSTALS).vectors_
    assert np.linalg.norm(shorter, axis=0) == pytest.approx(np.linalg.svd(matrix)[1][:2])
    assert shorter == pytest.approx(model.vectors_[:, :2], abs=1e-9)


def test_vectors_of_a_crystal_in_the_order_of_its_motifs():
    model = Motif2Vec(n_components=3).fit(CRYSTALS)
    vectors = model.vectors(crystal([TI, AL, TI]))
    assert vectors.shape == (3, 3)
    assert np.array_equal(vectors, model.vectors_[[3, 0, 3]])


def test_motifs_with_the_same_environment_have_the_same_vector():
    model = Motif2Vec(n_components=2).fit([crystal([TI, AL, SR], (0, 2, FACE), (1, 2, FACE))])
    ti, al, sr = model.vectors(crystal([TI, AL, SR]))
    assert ti == pytest.approx(al)
    assert ti @ sr == pytest.approx(0.0, abs=1e-12)


def test_sharing_types_are_told_apart():
    model = Motif2Vec(n_components=4).fit([crystal([TI, AL, SR], (0, 2, FACE), (1, 2, CORNER))])
    ti, al, _ = model.vectors(crystal([TI, AL, SR]))
    assert ti @ al == pytest.approx(0.0, abs=1e-12)


@given(order=st.permutations(range(4)))
@settings(deadline=None)
def test_order_of_crystals_does_not_matter(order):
    expected = Motif2Vec(n_components=3).fit(CRYSTALS)
    shuffled = Motif2Vec(n_components=3).fit([CRYSTALS[i] for i in order])
    assert np.array_equal(shuffled.names_, expected.names_)
    assert np.array_equal(shuffled.vectors_, expected.vectors_)


def test_agrees_with_the_exact_decomposition_of_a_large_matrix():
    rng = np.random.default_rng(0)
    names = [f"{symbol}O{n} octahedral" for symbol in ("Ti", "Al", "Mg", "Fe") for n in range(50)]
    crystals = []
    for _ in range(300):
        members = rng.choice(names, 4).tolist()
        crystals.append(crystal(members, *((0, m, int(rng.integers(1, 4))) for m in range(1, 4))))
    long = Motif2Vec(n_components=200).fit(crystals).vectors_
    short = Motif2Vec(n_components=16).fit(crystals).vectors_
    assert np.linalg.norm(short, axis=0) == pytest.approx(np.linalg.norm(long, axis=0)[:16], rel=1e-4)


def test_components_beyond_the_rank_are_zero():
    model = Motif2Vec(n_components=16).fit([RUTILE])
    assert model.vectors_.shape == (1, 16)
    assert np.linalg.norm(model.vectors_[0]) == pytest.approx(1.0)
    assert not model.vectors_[:, 1:].any()


def test_motif_without_shared_ligands_has_the_zero_vector():
    model = Motif2Vec(n_components=2).fit([RUTILE, crystal(["CO2 linear"])])
    assert model.known(crystal(["CO2 linear"])).tolist() == [True]
    assert not model.vectors(crystal(["CO2 linear"])).any()


@pytest.mark.parametrize("crystals", [[], [crystal([])], [crystal(["He isolated"])]])
def test_crystals_without_motifs_or_edges(crystals):
    model = Motif2Vec(n_components=2).fit(crystals)
    assert not model.vectors(RUTILE).any()
    assert model.vectors(crystal([])).shape == (0, 2)


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("TiO5F octahedral", [TI]),  # the same centre and geometry
        ("TiNO5 octahedral", [TI]),
        ("CrO6 octahedral", [AL, TI]),  # the same ligands and geometry
        ("CrF4 tetrahedral", [SI]),  # the same geometry
        ("TO4 tetrahedral", [SI]),
    ],
)
def test_unknown_motif_gets_the_mean_vector_of_its_like(name, like):
    model = Motif2Vec(n_components=3).fit(CRYSTALS)
    expected = model.vectors(crystal(like)).mean(axis=0)
    assert expected.any()
    assert model.vectors(crystal([name]))[0] == pytest.approx(expected)
    assert model.known(crystal([name, TI])).tolist() == [False, True]


def test_centre_and_ligand_are_not_mixed_up():
    # An oxygen centre is not like motifs with oxygen ligands, nor Ti like T.
    model = Motif2Vec(n_components=2).fit([crystal(["TiO linear", "OO6 octahedral"], (0, 1, CORNER))])
    assert not model.vectors(crystal(["OTi bent"])).any()


def test_motif_unlike_any_has_the_zero_vector():
    model = Motif2Vec(n_components=2).fit(CRYSTALS)
    assert not model.vectors(crystal(["CsCl8 cubic"])).any()


def test_real_crystals(rutile, rock_salt, perovskite):
    graphs = [motif_graph(structure) for structure in (rutile, rock_salt, perovskite)]
    model = Motif2Vec(n_components=4).fit(graphs)
    assert model.names_.tolist() == ["MgO6 octahedral", SR, TI]
    assert np.linalg.norm(model.vectors_, axis=1) == pytest.approx(1.0)
    assert all(model.known(graph).all() for graph in graphs)


def test_estimator_conventions():
    model = Motif2Vec(n_components=3)
    assert model.get_params() == {"n_components": 3}
    assert model.fit(CRYSTALS) is model
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    with pytest.raises(NotFittedError, match=r"call fit\(motif_graphs\) first"):
        copy.vectors(RUTILE)
    with pytest.raises(NotFittedError, match=r"call fit\(motif_graphs\) first"):
        copy.known(RUTILE)
    restored = pickle.loads(pickle.dumps(model))
    assert np.array_equal(restored.vectors(PEROVSKITE), model.vectors(PEROVSKITE))


def test_fitting_again_forgets_the_first():
    model = Motif2Vec(n_components=2).fit(CRYSTALS).fit([RUTILE])
    assert model.names_.tolist() == [TI]
    assert not model.vectors(crystal([SI])).any()


@pytest.mark.parametrize("n_components", [0, -1])
def test_number_of_components_must_be_positive(n_components):
    with pytest.raises(ValueError, match=f"n_components must be at least 1, got {n_components}"):
        Motif2Vec(n_components=n_components).fit(CRYSTALS)
