"""The matminer featurizer: its features, and its manners in matminer and scikit-learn."""

from __future__ import annotations

import inspect
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed
from matminer.featurizers.base import BaseFeaturizer, MultipleFeaturizer, StackedFeaturizer
from matminer.featurizers.composition import ElementProperty
from matminer.featurizers.conversions import StructureToComposition, StructureToOxidStructure
from matminer.featurizers.structure import DensityFeatures, SiteStatsFingerprint
from pymatgen.core import Lattice, Structure
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.utils import estimator_checks, get_tags

from amdnet_matminer.errors import StructureError
from amdnet_matminer.featurizer import MotifFeaturizer
from amdnet_matminer.motifs import FINGERPRINT_LABELS, features, motif_graph
from amdnet_matminer.motifs.features import Quantities
from amdnet_matminer.pretrained import FOLDER, PRESETS, pretrained_motif2vec

N_UNLEARNED = 5 + 103 + 2 * 15 * 4 + 61 * 2 + 62 + 4 * 4 + 2 * 4 + (4 + 3) + 3 * 4 + 3 * 4 + 2 * 4
"""Number of features beside the motif vectors."""


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


@pytest.fixture
def disordered_salt(rock_salt) -> Structure:
    return disordered(rock_salt)


@pytest.fixture
def berkelium_oxide() -> Structure:
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.33), ["Bk", "O"], [[0, 0, 0], [0.25, 0.25, 0.25]]
    )


def disordered(structure: Structure) -> Structure:
    mixed = structure.copy()
    mixed.replace(1, {"Mg": 0.5, "Ca": 0.5})
    return mixed


def test_labels(fitted):
    labels = fitted.feature_labels()
    assert len(labels) == len(set(labels)) == 2 * 3 + 1 + N_UNLEARNED
    assert all(label.startswith("motif ") for label in labels)
    assert labels[:5] == [
        "motif vector 1 mean",
        "motif vector 1 std",
        "motif vector 1 max",
        "motif vector 2 mean",
        "motif vector 2 std",
    ]
    assert "motif corner-sharing fraction" in labels
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
        assert table.loc["perovskite", f"motif {name} std"] == pytest.approx(np.std(values), abs=1e-7)
    assert table.loc["perovskite", "motif vector 1 max"] == pytest.approx(np.max(first))


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
    assert fitted.featurize(same) == pytest.approx(table.loc["perovskite"].tolist(), abs=1e-3, rel=1e-4)


def test_unknown_motifs_are_counted_and_have_vectors(fitted):
    cadmium_oxide = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.69), ["Cd", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    found = dict(zip(fitted.feature_labels(), fitted.featurize(cadmium_oxide), strict=True))
    assert found["motif known fraction"] == 0
    # As other octahedra of six oxygen.
    octahedra = np.char.endswith(fitted.motif2vec_.names_, "O6 octahedral")
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
    others = {"features": None, "pretrained": None, "cache_dir": None, "verbose": 0}
    assert MotifFeaturizer().get_params() == {"n_components": 16} | others
    copy = clone(fitted)
    assert copy.get_params() == {"n_components": 2} | others
    assert not hasattr(copy, "motif2vec_")
    assert copy.set_params(n_components=5).n_components == 5


def test_parameter_set_after_fit_waits_for_the_next_fit(crystals):
    made = featurizer().fit(crystals[:2])
    made.set_params(n_components=7)
    assert len(made.featurize(crystals[0])) == len(made.feature_labels()) == 7 + N_UNLEARNED


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
    with pytest.raises(NotFittedError, match=r"MotifFeaturizer .* call fit\(structures\) .*from_preset"):
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
    with pytest.raises(StructureError, match="is the text 'MgO'"):
        fitted.featurize("MgO")
    with pytest.raises(StructureError, match="TO SKIP THESE ERRORS"):
        fitted.featurize_many([rock_salt, bad], pbar=False)


def test_ignored_errors_keep_their_row(fitted, rock_salt):
    frame = pd.DataFrame({"structure": [disordered(rock_salt), rock_salt]})
    done = fitted.featurize_dataframe(frame, "structure", ignore_errors=True, return_errors=True, pbar=False)
    assert done["motif count per atom"].isna().tolist() == [True, False]
    assert "StructureError" in done["MotifFeaturizer Exceptions"].iloc[0]


def test_groups_are_chosen_and_keep_their_order(perovskite):
    some = MotifFeaturizer(features=["bonds", "sharing"])
    labels = some.feature_labels()
    assert labels[0] == "motif connections mean"
    assert labels[-1] == "motif bond polarity max"
    found = dict(zip(labels, some.featurize(perovskite), strict=True))
    assert found["motif connections mean"] == 20
    sizes = [len(MotifFeaturizer(features=[group]).feature_labels()) for group in features.FEATURE_GROUPS]
    assert sum(sizes) == N_UNLEARNED


def test_groups_without_vectors_need_no_fit(rutile, disordered_salt):
    shapes = MotifFeaturizer(features=["geometries"])
    shapes.set_n_jobs(1)
    assert get_tags(shapes).requires_fit is False
    assert get_tags(MotifFeaturizer()).requires_fit is True
    assert np.sum(shapes.transform([rutile])[:, :62]) == pytest.approx(1)
    assert not hasattr(shapes.fit([rutile]), "motif2vec_")
    with pytest.raises(StructureError, match="disordered"):
        shapes.fit([disordered_salt])
    assert MotifFeaturizer(features=[]).feature_labels() == []


@pytest.mark.parametrize("features", [["shape"], "bonds"])
def test_unknown_groups(rutile, features):
    for use in ("fit", "transform"):
        with pytest.raises(ValueError, match=r"features must be a list of some of \('vectors', "):
            getattr(MotifFeaturizer(features=features), use)([rutile])


class TestPreset:
    """Motif vectors that come with the package."""

    @pytest.mark.parametrize("name", PRESETS)
    def test_needs_no_fit(self, name, crystals):
        made = MotifFeaturizer.from_preset(name)
        made.set_n_jobs(1)
        table = pd.DataFrame(made.transform(crystals), columns=made.feature_labels())
        assert np.isfinite(table.to_numpy()).all()
        assert table["motif known fraction"][:6].tolist() == [1] * 6
        copy = clone(made)
        assert copy.featurize(crystals[0]) == table.iloc[0].tolist()
        assert made.fit(crystals).featurize(crystals[0]) == table.iloc[0].tolist()
        assert len(pickle.dumps(made)) < 1000

    @pytest.mark.parametrize("name", PRESETS)
    def test_knows_chemistry(self, name):
        found = pretrained_motif2vec(name).most_similar("TiO6 octahedral", n=5).index
        assert all(motif.endswith("O6 octahedral") for motif in found)

    @pytest.mark.parametrize("name", PRESETS)
    def test_is_small_and_has_a_card(self, name):
        assert (FOLDER / f"{name}.npz").stat().st_size < 2 * 2**20
        card = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
        assert "CC BY 4.0" in card
        assert f"{len(pretrained_motif2vec(name).names_):,} motifs" in card

    def test_leading_components(self, rutile):
        long, short = (MotifFeaturizer(k, ["vectors"], "mp2018") for k in (5, 2))
        assert short.feature_labels()[:6] == long.feature_labels()[:6]
        assert short.featurize(rutile)[:6] == long.featurize(rutile)[:6]
        assert len(short.feature_labels()) == 7
        for n_components in (0, 1000):
            with pytest.raises(ValueError, match=f"n_components must be 1 to 32, .*; got {n_components}"):
                MotifFeaturizer(n_components, pretrained="mp2018").featurize(rutile)

    def test_unknown(self, rutile):
        with pytest.raises(ValueError, match="no pretrained motif vectors 'mp2030'; choose from mp2018"):
            MotifFeaturizer.from_preset("mp2030")
        with pytest.raises(ValueError, match="no pretrained motif vectors 'mp2030'"):
            MotifFeaturizer(pretrained="mp2030").featurize(rutile)


class TestMatminerConventions:
    """What matminer's base class asks of every featurizer."""

    def test_documentation(self):
        text = inspect.cleandoc(MotifFeaturizer.__doc__)
        assert text.splitlines()[0].endswith(".")
        assert re.search(r"^Features:$", text, re.MULTILINE)
        assert all(f'Group "{group}":' in text for group in ("vectors", *features.FEATURE_GROUPS))
        parameters = inspect.signature(MotifFeaturizer).parameters
        assert all(re.search(rf"^    {name}: ", text, re.MULTILINE) for name in parameters)
        assert all(p.default is not inspect.Parameter.empty for p in parameters.values())

    def test_featurizing_changes_nothing(self, fitted, rutile):
        before = pickle.dumps(fitted)
        first = fitted.featurize(rutile)
        fitted.feature_labels()
        fitted.citations()
        fitted.implementors()
        assert fitted.featurize(rutile) == first
        assert isinstance(first, list)
        assert len(first) == len(fitted.feature_labels())
        assert pickle.dumps(fitted) == before

    def test_structure_is_not_changed(self, fitted, rutile):
        copy = rutile.copy()
        fitted.featurize(copy)
        assert copy == rutile
        assert copy.site_properties == rutile.site_properties

    def test_precheck_as_a_column(self, fitted, rock_salt, disordered_salt):
        frame = pd.DataFrame({"structure": [rock_salt, disordered_salt]})
        done = fitted.precheck_dataframe(frame, "structure", return_frac=False)
        assert done["MotifFeaturizer precheck pass"].tolist() == [True, False]

    def test_labels_already_there_are_refused(self, fitted, rutile):
        frame = pd.DataFrame({"structure": [rutile], "motif volume": [1.0]})
        with pytest.raises(ValueError, match='"motif volume" exists in input dataframe'):
            fitted.featurize_dataframe(frame, "structure", pbar=False)

    def test_entries_of_any_kind_of_list(self, fitted, rutile, rock_salt):
        expected = [fitted.featurize(rutile), fitted.featurize(rock_salt)]
        as_objects = np.empty(2, dtype=object)
        as_objects[:] = [rutile, rock_salt]
        column = pd.Series([rutile, rock_salt])
        for entries in ([rutile, rock_salt], (rutile, rock_salt), as_objects, column, pd.DataFrame(column)):
            assert fitted.featurize_many(entries, pbar=False) == expected
        assert fitted.featurize_many([], pbar=False) == []

    def test_return_errors_needs_ignore_errors(self, fitted, rutile):
        with pytest.raises(ValueError, match="ignore_errors"):
            fitted.featurize_many([rutile], return_errors=True)

    def test_errors_in_pools(self, fitted, rock_salt, disordered_salt):
        made = pickle.loads(pickle.dumps(fitted))
        made.set_n_jobs(2)
        rows = made.featurize_many(
            [rock_salt, disordered_salt], ignore_errors=True, return_errors=True, pbar=False
        )
        assert np.isnan(rows[1][:-1]).all()
        assert "site 1 is disordered" in rows[1][-1]
        assert np.isnan(rows[0][-1])

    def test_all_processors(self, fitted, rutile, rock_salt):
        made = pickle.loads(pickle.dumps(fitted))
        made.set_n_jobs(-1)
        assert made.n_jobs >= 1
        rows = made.featurize_many([rutile, rock_salt], pbar=False)
        assert rows == [fitted.featurize(rutile), fitted.featurize(rock_salt)]

    def test_a_fit_to_the_crystals_that_can_be_used(self, rutile, rock_salt, disordered_salt):
        frame = pd.DataFrame({"structure": [rutile, disordered_salt, rock_salt, None]}, index=[5, 3, 1, 0])
        made = MotifFeaturizer(n_components=2)
        made.set_n_jobs(1)
        with pytest.raises(StructureError, match="structure 1, site 1 is disordered"):
            made.fit_featurize_dataframe(frame, "structure", pbar=False)
        for column in ("structure", ["structure"]):
            done = made.fit_featurize_dataframe(
                frame, column, ignore_errors=True, return_errors=True, pbar=False
            )
            assert done["motif volume"].isna().tolist() == [False, True, False, True]
            assert "is missing (None)" in done["MotifFeaturizer Exceptions"][0]
        expected = MotifFeaturizer(n_components=2).fit_transform([rutile, rock_salt])
        np.testing.assert_allclose(done.loc[[5, 1], made.feature_labels()].to_numpy(float), expected)

    @pytest.mark.parametrize("cached", [True, False])
    def test_a_crystal_of_which_no_motifs_are_found(
        self, rutile, rock_salt, berkelium_oxide, cached, tmp_path
    ):
        frame = pd.DataFrame({"structure": [rutile, berkelium_oxide, rock_salt]})
        made = MotifFeaturizer(n_components=2, cache_dir=tmp_path if cached else None)
        made.set_n_jobs(1)
        with pytest.raises(StructureError, match="structure 1 has Bk, of which no covalent or atomic radius"):
            made.fit_featurize_dataframe(frame, "structure", pbar=False)
        done = made.fit_featurize_dataframe(
            frame, "structure", ignore_errors=True, return_errors=True, pbar=False
        )
        assert done["motif volume"].isna().tolist() == [False, True, False]
        assert "has Bk, of which no covalent or atomic radius" in done["MotifFeaturizer Exceptions"][1]
        assert made.motif2vec_.names_.tolist() == ["MgO6 octahedral", "TiO6 octahedral"]

    def test_a_fit_to_crystals_of_which_none_can_be_used(self, disordered_salt):
        frame = pd.DataFrame({"structure": [disordered_salt, None]})
        with pytest.raises(StructureError, match="got no structures that can be used; see why with"):
            featurizer().fit_featurize_dataframe(frame, "structure", ignore_errors=True, pbar=False)

    @pytest.mark.parametrize("ignore_errors", [True, False])
    def test_a_fit_to_a_column_of_several_levels(self, fitted, rutile, rock_salt, ignore_errors):
        frame = pd.DataFrame({("In", "structure"): [rutile, rock_salt]})
        done = featurizer().fit_featurize_dataframe(
            frame, ("In", "structure"), multiindex=True, ignore_errors=ignore_errors, pbar=False
        )
        assert not done.isna().any(axis=None)

    @pytest.mark.parametrize("ignore_errors", [True, False])
    def test_two_columns_of_one_name(self, rutile, ignore_errors):
        frame = pd.DataFrame([[rutile, rutile]], columns=["structure", "structure"])
        with pytest.raises(StructureError, match="is a row of 2 columns; pass the one of the structures"):
            featurizer().fit_featurize_dataframe(frame, "structure", ignore_errors=ignore_errors, pbar=False)

    def test_precheck_as_a_fraction_and_in_place(self, fitted, rock_salt, disordered_salt):
        frame = pd.DataFrame({"structure": [rock_salt, disordered_salt, None, rock_salt]})
        assert fitted.precheck_dataframe(frame, "structure") == 0.5
        fitted.precheck_dataframe(frame, "structure", return_frac=False, inplace=True)
        assert frame["MotifFeaturizer precheck pass"].tolist() == [True, False, False, True]

    def test_an_error_that_is_not_ignored(self, fitted, rock_salt, disordered_salt):
        """matminer raises it anew from its message, with advice of its own."""
        frame = pd.DataFrame({"structure": [rock_salt, disordered_salt]})
        with pytest.raises(StructureError, match=r"(?s)site 1 is disordered.*ignore_errors=True"):
            fitted.featurize_dataframe(frame, "structure", pbar=False)

    def test_a_bar_with_options(self, fitted, rutile, capsys):
        fitted.featurize_many([rutile], pbar={"unit": "crystal"})
        assert "MotifFeaturizer: 100%" in capsys.readouterr().err

    def test_what_neighbours_call_a_crystal(self, fitted, rutile):
        expected = fitted.featurize(rutile)
        assert fitted.featurize(rutile.as_dict()) == pytest.approx(expected)
        frame = pd.DataFrame({"structure": [rutile.as_dict()]})
        done = fitted.featurize_dataframe(frame, "structure", pbar=False)
        assert done[fitted.feature_labels()].iloc[0].tolist() == pytest.approx(expected)

    def test_featurize_under_loky(self, fitted, rutile, rock_salt):
        rows = Parallel(n_jobs=2, backend="loky")(
            delayed(fitted.featurize)(structure) for structure in (rutile, rock_salt)
        )
        assert rows == [fitted.featurize(rutile), fitted.featurize(rock_salt)]

    @pytest.mark.parametrize("by_entry", [True, False])
    def test_beside_magpie_and_site_stats(self, by_entry, rutile, rock_salt):
        frame = pd.DataFrame({"structure": [rutile, rock_salt]})
        beside = SiteStatsFingerprint.from_preset("CrystalNNFingerprint_ops")
        both = MultipleFeaturizer([MotifFeaturizer.from_preset("mp2018"), beside], by_entry)
        both.set_n_jobs(1)
        done = both.featurize_dataframe(frame, "structure", pbar=False)
        composition = StructureToComposition()
        composition.set_n_jobs(1)
        done = composition.featurize_dataframe(done, "structure", pbar=False)
        magpie = ElementProperty.from_preset("magpie")
        magpie.set_n_jobs(1)
        done = magpie.featurize_dataframe(done, "composition", pbar=False)
        assert not done.isna().any(axis=None)
        ours, theirs = done["motif fingerprint octahedral CN_6 mean"], done["mean octahedral CN_6"]
        # Over the centres, and over all sites: in rutile a third of them, in rock salt oxygen too.
        assert theirs.tolist() == pytest.approx([ours[0] / 3, ours[1]], rel=1e-3)
        assert any(entry == MotifFeaturizer().citations()[0] for entry in both.citations())

    def test_multiple_with_multiindex_and_errors(self, fitted, rutile, disordered_salt):
        both = MultipleFeaturizer([fitted, DensityFeatures()])
        both.set_n_jobs(1)
        frame = pd.DataFrame({"structure": [rutile, disordered_salt]})
        done = both.featurize_dataframe(
            frame, "structure", multiindex=True, ignore_errors=True, return_errors=True, pbar=False
        )
        assert done[("MotifFeaturizer", "motif volume")].isna().tolist() == [False, True]
        assert done[("DensityFeatures", "density")][0] == pytest.approx(rutile.density)

    def test_with_oxidation_states(self, fitted, perovskite):
        frame = pd.DataFrame({"structure": [perovskite.copy()]})  # matminer changes it
        charged = StructureToOxidStructure()
        charged.set_n_jobs(1)
        frame = charged.featurize_dataframe(frame, "structure", pbar=False)
        assert "Ti4+" in {str(site.specie) for site in frame["structure_oxid"].iloc[0]}
        done = fitted.featurize_dataframe(frame, "structure_oxid", pbar=False)
        expected = fitted.featurize(perovskite)
        assert done[fitted.feature_labels()].iloc[0].tolist() == pytest.approx(expected, abs=1e-6)

    def test_as_input_of_a_stacked_featurizer(self, crystals):
        made = MotifFeaturizer.from_preset("mp2018")
        made.set_n_jobs(1)
        forest = RandomForestRegressor(5, random_state=0).fit(made.transform(crystals), np.arange(7.0))
        stacked = StackedFeaturizer(made, forest, name="number")
        assert isinstance(stacked, BaseFeaturizer)
        assert stacked.featurize(crystals[0]) == forest.predict([made.featurize(crystals[0])]).tolist()


class TestScikitLearnConventions:
    """What scikit-learn asks of every transformer."""

    @pytest.mark.parametrize(
        "check",
        [
            estimator_checks.check_estimator_cloneable,
            estimator_checks.check_estimator_repr,
            estimator_checks.check_no_attributes_set_in_init,
            estimator_checks.check_parameters_default_constructible,
            estimator_checks.check_get_params_invariance,
            estimator_checks.check_set_params,
            estimator_checks.check_valid_tag_types,
        ],
    )
    def test_check(self, check):
        check("MotifFeaturizer", MotifFeaturizer())

    def test_named_columns(self, fitted, crystals):
        named = pickle.loads(pickle.dumps(fitted)).set_output(transform="pandas")
        done = named.transform(crystals)
        assert done.columns.tolist() == fitted.feature_labels()
        pipeline = Pipeline([("motifs", named), ("rest", "passthrough")])
        assert pipeline.get_feature_names_out().tolist() == fitted.feature_labels()
        both = featurizer().set_output(transform="pandas").fit_transform(crystals)
        assert both.to_numpy() == pytest.approx(done.to_numpy(), abs=1e-12)


def test_precheck(fitted, rock_salt, helium_box, berkelium_oxide):
    assert fitted.precheck(rock_salt) is True
    assert fitted.precheck(helium_box) is True
    assert fitted.precheck(disordered(rock_salt)) is False
    assert fitted.precheck("MgO") is False
    assert fitted.precheck(berkelium_oxide) is False
    # Of ions the radii are known.
    charged = berkelium_oxide.copy()
    charged.add_oxidation_state_by_element({"Bk": 4, "O": -2})
    assert fitted.precheck(charged) is True
    assert np.isfinite(fitted.featurize(charged)).all()
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
    assert features.shape == (len(small), 3 * 8 + 1 + N_UNLEARNED)
    assert np.isfinite(features).all()


def test_a_new_group_is_one_entry(monkeypatch, rock_salt, helium_box):
    """The example of docs/extending.md."""

    def angle_spread(crystal):
        return crystal.graph.angle[:, None] - 109.47, crystal.graph.edge_weight

    quantities = Quantities(("excess angle",), ("mean", "std"), angle_spread)
    monkeypatch.setitem(features.FEATURE_GROUPS, "tetrahedral angles", (quantities,))
    made = MotifFeaturizer(features=["tetrahedral angles"])
    assert made.feature_labels() == ["motif excess angle mean", "motif excess angle std"]
    # Edges of octahedra meet at 90 degrees, corners at 180: 12 and 6 of each.
    assert made.featurize(rock_salt) == pytest.approx([120 - 109.47, np.sqrt(2) * 30], abs=1e-3)
    assert made.featurize(helium_box) == [0, 0]


def test_a_clone_has_as_many_processes() -> None:
    made = MotifFeaturizer(features=["bonds"])
    assert "_n_jobs" not in vars(clone(made))
    made.set_n_jobs(1)
    assert clone(made).n_jobs == 1


def test_precheck_of_a_table_of_any_index(rutile: Structure) -> None:
    frame = pd.DataFrame({"structure": [rutile, None]}, index=["a", "b"])
    checked = MotifFeaturizer().precheck_dataframe(frame, "structure", return_frac=False)
    assert checked["MotifFeaturizer precheck pass"].to_dict() == {"a": True, "b": False}
    assert list(frame) == ["structure"]
