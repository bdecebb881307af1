"""The matminer featurizer: its features, and its manners in matminer and scikit-learn."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from matminer.featurizers.base import MultipleFeaturizer
from matminer.featurizers.structure import DensityFeatures
from pymatgen.core import Lattice, Structure
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline

from amdnet_matminer.errors import StructureError
from amdnet_matminer.featurizer import MotifFeaturizer
from amdnet_matminer.motifs import FINGERPRINT_LABELS, motif_graph


def featurizer(n_components: int = 2, n_jobs: int = 1) -> MotifFeaturizer:
    made = MotifFeaturizer(n_components=n_components)
    made.set_n_jobs(n_jobs)
    return made


@pytest.fixture(scope="module")
def fitted(crystals) -> MotifFeaturizer:
    return featurizer().fit(crystals)


@pytest.fixture(scope="module")
def table(fitted, crystals) -> pd.DataFrame:
    """Features of the crystals, a row for each, by name."""
    names = ["rutile", "rock_salt", "corundum", "perovskite", "wurtzite", "copper", "helium_box"]
    return pd.DataFrame(fitted.transform(crystals), index=names, columns=fitted.feature_labels())


def disordered(structure: Structure) -> Structure:
    mixed = structure.copy()
    mixed.replace(1, {"Mg": 0.5, "Ca": 0.5})
    return mixed


def test_labels(fitted):
    labels = fitted.feature_labels()
    assert len(labels) == len(set(labels)) == 2 * 2 + 2 * 61 + 9
    assert all(label.startswith("motif ") for label in labels)
    assert labels[:4] == [
        "motif vector 1 mean",
        "motif vector 1 std",
        "motif vector 2 mean",
        "motif vector 2 std",
    ]
    assert labels[-3:] == [
        "motif corner-sharing fraction",
        "motif edge-sharing fraction",
        "motif face-sharing fraction",
    ]
    labels.append("changed")
    assert "changed" not in fitted.feature_labels()


def test_every_feature_of_every_crystal_is_finite(table):
    assert np.isfinite(table.to_numpy()).all()


@pytest.mark.parametrize(
    ("crystal", "feature", "expected"),
    [
        ("rutile", "count per atom", 1 / 3),
        ("perovskite", "count per atom", 2 / 5),
        ("copper", "count per atom", 1),
        ("rutile", "distinct names", 1),
        ("perovskite", "distinct names", 2),
        ("rutile", "known fraction", 1),
        ("rutile", "coordination mean", 6),
        ("rutile", "coordination std", 0),
        ("perovskite", "coordination mean", 9),
        ("perovskite", "coordination std", 3),
        ("helium_box", "coordination mean", 0),
        # 2 edges and 8 corners; 12 and 6; 1 face, 3 and 9; 12 corners
        ("rutile", "connections mean", 10),
        ("rutile", "corner-sharing fraction", 0.8),
        ("rutile", "edge-sharing fraction", 0.2),
        ("rutile", "face-sharing fraction", 0),
        ("rock_salt", "edge-sharing fraction", 2 / 3),
        ("corundum", "corner-sharing fraction", 9 / 13),
        ("corundum", "edge-sharing fraction", 3 / 13),
        ("corundum", "face-sharing fraction", 1 / 13),
        ("wurtzite", "corner-sharing fraction", 1),
        # Ti: 6 corners and 8 faces; Sr: 14 faces and 12 corners
        ("perovskite", "connections mean", 20),
        ("perovskite", "corner-sharing fraction", 18 / 40),
        ("perovskite", "face-sharing fraction", 22 / 40),
        ("helium_box", "connections mean", 0),
        ("helium_box", "corner-sharing fraction", 0),
    ],
)
def test_known_values(table, crystal, feature, expected):
    assert table.loc[crystal, f"motif {feature}"] == pytest.approx(expected, abs=1e-9)


def test_fingerprint_and_vector_statistics(fitted, table, perovskite):
    graph = motif_graph(perovskite)
    twelve = graph.fingerprint[:, FINGERPRINT_LABELS.index("wt CN_12")]
    assert np.ptp(twelve) > 0.1
    first, second = fitted.motif2vec_.vectors(graph).T
    for name, values in {"fingerprint wt CN_12": twelve, "vector 1": first, "vector 2": second}.items():
        assert table.loc["perovskite", f"motif {name} mean"] == pytest.approx(np.mean(values))
        assert table.loc["perovskite", f"motif {name} std"] == pytest.approx(np.std(values))


def test_multiplicity_weighs_motifs_and_edges(fitted, perovskite, monkeypatch):
    """A graph in which the Ti motif stands for three gives what three would."""
    graph = motif_graph(perovskite)
    three = graph._replace(multiplicity=np.where(graph.center == 1, 3, 1).astype(np.int32))
    monkeypatch.setattr("amdnet_matminer.featurizer.motif_graph", lambda structure: three)
    found = dict(zip(fitted.feature_labels(), fitted.featurize(perovskite), strict=True))
    assert found["motif count per atom"] == pytest.approx(4 / 5)
    assert found["motif coordination mean"] == pytest.approx((3 * 6 + 12) / 4)
    assert found["motif coordination std"] == pytest.approx(np.std([6, 6, 6, 12]))
    assert found["motif connections mean"] == pytest.approx((3 * 14 + 26) / 4)
    assert found["motif corner-sharing fraction"] == pytest.approx((3 * 6 + 12) / (3 * 14 + 26))


@pytest.mark.parametrize("change", ["order", "supercell", "lattice vectors", "oxidation states"])
def test_description_of_the_crystal_does_not_matter(fitted, table, perovskite, change):
    if change == "order":
        same = Structure.from_sites([perovskite[i] for i in (3, 0, 4, 1, 2)])
    elif change == "supercell":
        same = perovskite * (2, 1, 1)
    elif change == "lattice vectors":
        lattice = Lattice(3.905 * (np.eye(3) + np.eye(3, k=1)))
        same = Structure(lattice, perovskite.species, perovskite.cart_coords, coords_are_cartesian=True)
    else:
        same = perovskite.copy()
        same.add_oxidation_state_by_element({"Sr": 2, "Ti": 4, "O": -2})
    assert fitted.featurize(same) == pytest.approx(table.loc["perovskite"].tolist(), abs=1e-3)


def test_unknown_motifs_are_counted_and_have_vectors(fitted):
    cadmium_oxide = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.69), ["Cd", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    found = dict(zip(fitted.feature_labels(), fitted.featurize(cadmium_oxide), strict=True))
    assert found["motif known fraction"] == 0
    # As other octahedra of six oxygen.
    octahedra = np.isin(fitted.motif2vec_.names_, ["TiO6 octahedral", "MgO6 octahedral", "AlO6 octahedral"])
    assert octahedra.sum() == 3
    assert found["motif vector 1 mean"] == pytest.approx(fitted.motif2vec_.vectors_[octahedra, 0].mean())


def test_crystal_without_a_center_has_zeros(fitted):
    anions = Structure(Lattice.cubic(4.0), ["O2-"], [[0, 0, 0]])
    assert not np.any(fitted.featurize(anions))


def test_fit_transform_equals_fit_and_transform(table, crystals):
    assert featurizer().fit_transform(crystals) == pytest.approx(table.to_numpy(), abs=1e-12)


def test_dataframe(table, crystals):
    frame = pd.DataFrame({"structure": crystals, "target": range(7)}, index=list("gfedcba"))
    done = featurizer().fit_featurize_dataframe(frame, "structure", pbar=False)
    assert done.columns.tolist() == ["structure", "target", *table.columns]
    assert done.index.tolist() == list("gfedcba")
    assert done[table.columns].to_numpy() == pytest.approx(table.to_numpy(), abs=1e-12)


def test_dataframe_with_multiindex_and_in_place(fitted, table, crystals):
    done = fitted.featurize_dataframe(
        pd.DataFrame({"structure": crystals}), "structure", multiindex=True, pbar=False
    )
    assert ("MotifFeaturizer", "motif count per atom") in done.columns
    frame = pd.DataFrame({"structure": crystals})
    assert fitted.featurize_dataframe(frame, "structure", inplace=True, pbar=False) is None
    assert frame["motif count per atom"].tolist() == table["motif count per atom"].tolist()


def test_in_the_pools_of_joblib_and_matminer(table, crystals):
    made = featurizer(n_jobs=2).fit(crystals)
    made.set_chunksize(2)
    rows = made.featurize_many(crystals, pbar=False)
    assert np.array(rows) == pytest.approx(table.to_numpy(), abs=1e-12)
    assert made.transform(crystals) == pytest.approx(table.to_numpy(), abs=1e-12)


def test_beside_another_featurizer(crystals):
    both = MultipleFeaturizer([DensityFeatures(), featurizer()])
    both.set_n_jobs(1)
    done = both.fit_featurize_dataframe(pd.DataFrame({"structure": crystals[:2]}), "structure", pbar=False)
    assert done["density"].iloc[0] == pytest.approx(crystals[0].density)
    assert done["motif count per atom"].iloc[0] == pytest.approx(1 / 3)


def test_pipeline(crystals):
    y = np.arange(7.0)
    motifs = MotifFeaturizer(n_components=3)
    motifs.set_n_jobs(1)
    pipeline = Pipeline([("motifs", motifs), ("forest", RandomForestRegressor(10, random_state=0))])
    predicted = pipeline.fit(crystals, y).predict(crystals)
    assert np.corrcoef(predicted, y)[0, 1] > 0.8
    assert np.array_equal(pickle.loads(pickle.dumps(pipeline)).predict(crystals), predicted)


def test_cross_validation_and_grid_search(rutile, rock_salt, wurtzite):
    structures = pd.Series([rutile, rock_salt, wurtzite] * 2)
    y = np.array([1.0, 2.0, 3.0] * 2)
    forest = RandomForestRegressor(5, bootstrap=False, random_state=0)
    pipeline = Pipeline([("motifs", featurizer()), ("forest", forest)])
    assert cross_val_score(pipeline, structures, y, cv=2) == pytest.approx(1.0)
    search = GridSearchCV(pipeline, {"motifs__n_components": [1, 3]}, cv=2).fit(structures, y)
    assert search.best_score_ == pytest.approx(1.0)


def test_clone_and_parameters(fitted):
    assert MotifFeaturizer().get_params() == {"n_components": 16, "cache_dir": None, "verbose": 0}
    copy = clone(fitted)
    assert copy.get_params() == {"n_components": 2, "cache_dir": None, "verbose": 0}
    assert not hasattr(copy, "motif2vec_")
    assert copy.set_params(n_components=5).n_components == 5


def test_parameter_set_after_fit_waits_for_the_next_fit(crystals):
    made = featurizer().fit(crystals[:2])
    made.set_params(n_components=7)
    assert len(made.featurize(crystals[0])) == len(made.feature_labels()) == 2 * 2 + 122 + 9


def test_fit_returns_itself(rutile):
    made = featurizer()
    assert made.fit([rutile]) is made
    assert made.fit(pd.Series([rutile], index=[4])) is made


@pytest.mark.parametrize(
    "use",
    [
        lambda made, structure: made.featurize(structure),
        lambda made, structure: made.transform([structure]),
        lambda made, structure: made.featurize_many([structure], pbar=False),
        lambda made, structure: made.featurize_many([structure], ignore_errors=True, pbar=False),
        lambda made, structure: made.feature_labels(),
    ],
)
def test_use_before_fit(rutile, use):
    with pytest.raises(NotFittedError, match=r"MotifFeaturizer .* call fit\(structures\) first"):
        use(featurizer(), rutile)


def test_bad_structures(fitted, rock_salt):
    bad = disordered(rock_salt)
    for use in (featurizer().fit, featurizer().fit_transform, fitted.transform):
        with pytest.raises(StructureError, match=r"structure 1, site 1 is disordered .* order it first"):
            use([rock_salt, bad])
        with pytest.raises(StructureError, match="got no structures"):
            use([])
    with pytest.raises(StructureError, match="site 1 is disordered"):
        fitted.featurize(bad)
    with pytest.raises(StructureError, match="is a str, not a pymatgen Structure"):
        fitted.featurize("MgO")
    with pytest.raises(StructureError, match="TO SKIP THESE ERRORS"):
        fitted.featurize_many([rock_salt, bad], pbar=False)


def test_ignored_errors_keep_their_row(fitted, rock_salt):
    frame = pd.DataFrame({"structure": [disordered(rock_salt), rock_salt]})
    done = fitted.featurize_dataframe(frame, "structure", ignore_errors=True, return_errors=True, pbar=False)
    assert done["motif count per atom"].isna().tolist() == [True, False]
    assert "StructureError" in done["MotifFeaturizer Exceptions"].iloc[0]


def test_precheck(fitted, rock_salt, helium_box):
    assert fitted.precheck(rock_salt) is True
    assert fitted.precheck(helium_box) is True
    assert fitted.precheck(disordered(rock_salt)) is False
    assert fitted.precheck("MgO") is False
    frame = pd.DataFrame({"structure": [rock_salt, disordered(rock_salt)]})
    assert MotifFeaturizer().precheck_dataframe(frame, "structure") == 0.5


def test_citations_and_implementors():
    citations = MotifFeaturizer().citations()
    assert "10.1126/sciadv.abf1754" in citations[0]
    for entry in citations:
        assert entry.startswith("@article{")
        assert entry.endswith("}")
        assert entry.count("{") == entry.count("}")
        assert all(f"{field}=" in entry for field in ("title", "author", "journal", "year", "doi"))
    assert all(isinstance(name, str) for name in MotifFeaturizer().implementors())


def test_real_crystals(load_crystals):
    structures, _ = load_crystals("mp2018", split="val", limit=12, seed=3)
    small = [structure for structure in structures if len(structure) <= 24]
    features = featurizer(n_components=8).fit_transform(small)
    assert features.shape == (len(small), 2 * 8 + 122 + 9)
    assert np.isfinite(features).all()
