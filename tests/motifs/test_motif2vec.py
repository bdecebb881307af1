"""Motif vectors: environment matrix, decomposition, unknown motifs."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.motifs import MotifGraph, motif_graph, vector_files
from amdnet_matminer.motifs.motif2vec import Motif2Vec, count_environments, motif_parts

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
        symmetry_measure=np.zeros(n, dtype=np.float32),
        bond_angle_variance=np.zeros(n, dtype=np.float32),
        quadratic_elongation=np.ones(n, dtype=np.float32),
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
        edge_multiplicity=np.ones(e, dtype=np.int32),
    )


PEROVSKITE = crystal([TI, SR], (0, 0, CORNER), (0, 1, FACE), (1, 1, CORNER), (1, 1, 4))
RUTILE = crystal([TI, TI], (0, 1, CORNER), (0, 1, CORNER), (0, 0, EDGE))
CORUNDUM = crystal([AL, AL], (0, 1, CORNER), (0, 1, EDGE), (0, 1, FACE))
KYANITE = crystal([AL, SI], (0, 0, EDGE), (0, 1, CORNER))
CRYSTALS = [PEROVSKITE, RUTILE, CORUNDUM, KYANITE]


def similarities(vectors: np.ndarray) -> np.ndarray:
    return vectors @ vectors.T


# Rows Al, Si, Sr, Ti; counts of crystals, so the second corner of rutile adds nothing.
# Columns: Al corner, Al edge, Al face, Si corner, Sr corner, Sr face, Ti corner, Ti edge, Ti face.
COMPOUNDS = np.array(
    [
        [1, 2, 1, 1, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 1, 0, 0, 1],
        [0, 0, 0, 0, 0, 1, 2, 1, 0],
    ],
    dtype=float,
)


def test_environments_are_counted_once_per_compound():
    found = count_environments(iter(CRYSTALS))
    assert found.names.tolist() == [AL, SI, SR, TI]
    assert found.counts.tolist() == [2, 1, 1, 2]
    assert found.environments[:4] == [(AL, "corner"), (AL, "edge"), (AL, "face"), (SI, "corner")]
    assert np.array_equal(found.matrix.toarray(), COMPOUNDS)


def test_environments_by_occurrence_are_neighbours_per_motif():
    found = count_environments([RUTILE, KYANITE], counting="occurrence")
    columns = pd.MultiIndex.from_tuples(found.environments)
    table = pd.DataFrame(found.matrix.toarray(), found.names, columns)
    # Each Ti of two has two corners, and one of them an edge with its image, from both sides.
    assert table.loc[TI, (TI, "corner")] == 2
    assert table.loc[TI, (TI, "edge")] == 1
    assert table.loc[AL, (SI, "corner")] == 1


def test_occurrence_does_not_depend_on_the_cell(rutile):
    one, two = (
        count_environments([motif_graph(s)], counting="occurrence") for s in (rutile, rutile * (1, 1, 2))
    )
    assert one.matrix.toarray() == pytest.approx(two.matrix.toarray())
    assert one.matrix.sum() == pytest.approx(10)


def test_merged_motifs_and_edges_count_as_often_as_they_stand_for():
    merged = crystal([TI, AL], (0, 1, CORNER))._replace(
        multiplicity=np.array([1, 2]), edge_multiplicity=np.array([6, 3])
    )
    # As crystal() lays them out, the first edge ends at Al and the second at Ti.
    found = count_environments([merged], counting="occurrence")
    assert found.matrix.toarray().tolist() == [[0, 6], [3, 0]]


def test_rare_motifs_are_left_out():
    found = count_environments(CRYSTALS, min_count=2)
    assert found.names.tolist() == [AL, TI]
    assert {name for name, _ in found.environments} == {AL, TI}
    model = Motif2Vec(n_components=3, min_count=2).fit(CRYSTALS)
    assert model.known(PEROVSKITE).tolist() == [True, False]
    # Their geometries are still known by their shape.
    assert model.geometries_.tolist() == ["cuboctahedral", "octahedral", "tetrahedral"]


def test_vectors_keep_the_similarities_of_the_damped_normalised_environment_matrix():
    matrix = np.log1p(COMPOUNDS)
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
        ("TiO5 square pyramidal", [TI]),  # the same centre and ligand elements
        ("CrO6 octahedral", [AL, TI]),  # the same ligands and geometry
        ("CrO7 cubic", [AL, SI, SR, TI]),  # the same ligand elements
        ("TiO5F octahedral", [AL, TI]),  # the same geometry
        ("CrF4 tetrahedral", [SI]),
        ("TO4 tetrahedral", [SI]),
    ],
)
def test_unknown_motif_gets_the_mean_vector_of_its_like(name, like):
    model = Motif2Vec(n_components=3).fit(CRYSTALS)
    expected = model.vectors(crystal(like)).mean(axis=0)
    assert expected.any()
    assert model.vectors(crystal([name]))[0] == pytest.approx(expected)
    assert model.known(crystal([name, TI])).tolist() == [False, True]


def test_unknown_geometry_is_taken_for_the_nearest_in_fingerprint():
    shapes = np.zeros((3, 61), dtype=np.float32)
    shapes[1:, 5] = 1.0, 0.8
    known = crystal([TI, SI], (0, 0, EDGE), (1, 1, CORNER))._replace(fingerprint=shapes[:2])
    model = Motif2Vec(n_components=2).fit([known])
    unknown = crystal(["CsCl8 cubic"])._replace(fingerprint=shapes[2:])
    assert model.vectors(unknown) == pytest.approx(model.vectors(crystal([SI])))
    assert model.vectors(unknown).any()


def test_centre_and_ligand_are_not_mixed_up():
    assert motif_parts("TiO5F octahedral") == ("Ti", "O5F", "octahedral")
    assert motif_parts("OH2 bent 120 degrees") == ("O", "H2", "bent 120 degrees")
    assert motif_parts("He isolated") == ("He", "", "isolated")


def test_real_crystals(rutile, rock_salt, perovskite):
    graphs = [motif_graph(structure) for structure in (rutile, rock_salt, perovskite)]
    model = Motif2Vec(n_components=4).fit(graphs)
    assert model.names_.tolist() == ["MgO6 octahedral", SR, TI]
    assert np.linalg.norm(model.vectors_, axis=1) == pytest.approx(1.0)
    assert all(model.known(graph).all() for graph in graphs)


def test_estimator_conventions():
    model = Motif2Vec(n_components=3)
    assert model.get_params() == {"n_components": 3, "min_count": 1, "counting": "compound"}
    assert model.fit(CRYSTALS) is model
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    restored = pickle.loads(pickle.dumps(model))
    assert np.array_equal(restored.vectors(PEROVSKITE), model.vectors(PEROVSKITE))
    for check in (
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_set_params,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_mixin_order,
    ):
        check("Motif2Vec", Motif2Vec())


@pytest.mark.parametrize(
    "use",
    [
        lambda model: model.vectors(RUTILE),
        lambda model: model.known(RUTILE),
        lambda model: model.transform([RUTILE]),
        lambda model: model.most_similar(TI),
        lambda model: model.to_frame(),
        lambda model: model.get_feature_names_out(),
        lambda model: model.save("never.npz"),
    ],
)
def test_use_before_fit(use):
    with pytest.raises(NotFittedError, match=r"call fit\(motif_graphs\) first"):
        use(Motif2Vec())


def test_transform_gives_mean_vectors():
    model = Motif2Vec(n_components=3).fit(CRYSTALS)
    weighted = PEROVSKITE._replace(multiplicity=np.array([1, 3], dtype=np.int32))
    ti, sr = model.vectors(PEROVSKITE)
    found = model.transform([PEROVSKITE, weighted, crystal([])])
    assert found == pytest.approx(np.array([(ti + sr) / 2, (ti + 3 * sr) / 4, np.zeros(3)]))
    assert model.transform([]).shape == (0, 3)


def test_in_a_pipeline_with_named_columns():
    pipeline = make_pipeline(Motif2Vec(n_components=3), PCA(2)).set_output(transform="pandas")
    assert pipeline.fit_transform(CRYSTALS).columns.tolist() == ["pca0", "pca1"]
    assert pipeline[0].transform(CRYSTALS).columns.tolist() == [f"motif vector {k}" for k in (1, 2, 3)]


def test_most_similar_are_those_of_like_environments():
    like = [crystal([f"{m}O6 octahedral", SR], (0, 0, CORNER), (0, 1, FACE)) for m in ("Ti", "Zr", "Hf")]
    model = Motif2Vec(n_components=8).fit([*like, KYANITE])
    found = model.most_similar(TI, n=2)
    assert set(found.index) == {"ZrO6 octahedral", "HfO6 octahedral"}
    assert found.is_monotonic_decreasing
    assert found.iloc[0] == pytest.approx(model.most_similar("ZrO6 octahedral")[TI])
    with pytest.raises(ValueError, match=r"'TiO66 octahedral' is not among the 6 .* 'TiO6 octahedral'"):
        model.most_similar("TiO66 octahedral")


def test_analogies():
    # Corners against edges with one and the same neighbour, for two neighbours.
    model = Motif2Vec(n_components=8).fit(
        [
            crystal(["A linear", "X linear"], (0, 1, CORNER)),
            crystal(["B linear", "X linear"], (0, 1, EDGE)),
            crystal(["C linear", "Y linear"], (0, 1, CORNER)),
            crystal(["D linear", "X linear", "Y linear"], (0, 1, EDGE), (0, 2, CORNER)),
        ]
    )
    assert model.most_similar(["B linear", "C linear"], n=1).index[0] == "D linear"
    assert model.most_similar("D linear", negative=["C linear"], n=1).index[0] == "B linear"


def test_table_of_what_was_learned():
    model = Motif2Vec(n_components=2).fit(CRYSTALS)
    table = model.to_frame()
    assert table.columns.tolist() == [
        "center", "ligands", "geometry", "crystals", "motif vector 1", "motif vector 2"
    ]  # fmt: skip
    assert table.loc[TI].tolist() == ["Ti", "O6", "octahedral", 2, *model.vectors_[3]]


def test_saved_and_loaded(tmp_path):
    model = Motif2Vec(n_components=3, min_count=2, counting="occurrence").fit(CRYSTALS)
    model.save(tmp_path / "motifs.npz")
    again = Motif2Vec.load(tmp_path / "motifs.npz")
    assert again.get_params() == model.get_params()
    assert again.names_.tolist() == model.names_.tolist()
    assert again.counts_.tolist() == model.counts_.tolist()
    unknown = crystal(["CrF4 tetrahedral", TI])
    assert again.vectors(unknown) == pytest.approx(model.vectors(unknown), abs=1e-6)
    again.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "motifs.npz").read_bytes()


def test_files_that_hold_no_vectors(tmp_path):
    file = tmp_path / "motifs.npz"
    Motif2Vec(n_components=2).fit(CRYSTALS).save(file)
    sound = file.read_bytes()
    np.savez(tmp_path / "other.npz", header=np.array('{"format": "something else"}'))
    other = (tmp_path / "other.npz").read_bytes()
    for content in (b"", b"text", pickle.dumps(CRYSTALS), sound[: len(sound) // 2], other):
        file.write_bytes(content)
        with pytest.raises(ModelFileError, match=r"motifs\.npz holds no motif vectors .* write it with save"):
            Motif2Vec.load(file)
    with pytest.raises(FileNotFoundError):
        Motif2Vec.load(tmp_path / "absent.npz")


@pytest.mark.parametrize(
    ("field", "change", "reason"),
    [
        ("header", lambda _: np.array("[" * 10**5), "its header is no JSON"),
        ("header", lambda h: np.array(str(h).replace("counting", "kind")), "parameters of Motif2Vec"),
        (
            "header",
            lambda h: np.array(str(h).replace('"min_count": 1', '"min_count": true')),
            "min_count is True",
        ),
        ("header", lambda h: np.array(str(h).replace("compound", "many")), "counting is 'many'"),
        ("names", lambda a: np.arange(len(a)), "names are of type int64"),
        ("names", lambda a: a[:, None], r"names are of shape \(4, 1\)"),
        ("names", lambda a: np.array([a[0], *a[:-1]]), "names are empty or there twice"),
        ("counts", lambda a: a * 0, "counts are below 1"),
        ("counts", lambda a: np.array(["pickled"] * len(a), dtype=object), "allow_pickle=False"),
        ("vectors", lambda a: a * np.nan, "vectors are not finite"),
        ("vectors", lambda a: a[:, :1], r"vectors are of shape \(4, 1\), not \(4, 2\)"),
        ("vectors", lambda a: a.astype(complex), "vectors are of type complex128"),
        ("prototypes", lambda a: a[:, :5], "prototypes are of shape"),
        ("geometries", lambda a: a[:-1], "prototypes are of shape"),
    ],
)
def test_files_of_what_no_fit_gives(tmp_path, field, change, reason):
    file = tmp_path / "motifs.npz"
    Motif2Vec(n_components=2).fit(CRYSTALS).save(file)
    with np.load(file) as sound:
        arrays = dict(sound)
    np.savez(file, **arrays | {field: change(arrays[field])})
    with pytest.raises(ModelFileError, match=reason):
        Motif2Vec.load(file)


def test_a_file_that_unpacks_to_too_much(tmp_path, monkeypatch):
    Motif2Vec(n_components=2).fit(CRYSTALS).save(tmp_path / "motifs.npz")
    monkeypatch.setattr(vector_files, "LARGEST", 100)
    with pytest.raises(ModelFileError, match="unpacks to more than 100 bytes"):
        Motif2Vec.load(tmp_path / "motifs.npz")


def test_fitting_again_forgets_the_first():
    model = Motif2Vec(n_components=2).fit(CRYSTALS).fit([RUTILE])
    assert model.names_.tolist() == [TI]
    assert not model.known(crystal([SI])).any()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_components": 0}, "n_components must be at least 1, got 0"),
        ({"min_count": 0}, "min_count must be at least 1, got 0"),
        ({"counting": "site"}, "counting must be 'compound' or 'occurrence', got 'site'"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        Motif2Vec(**parameters).fit(CRYSTALS)
