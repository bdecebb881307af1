"""The regressor, as scikit-learn's users use it, on structures."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.utils import estimator_checks as checks

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.errors import ModelFileError, StructureError, TargetError
from amdnet_matminer.training import fit as fit_module

# One configuration for all, so that the network is compiled once.
SMALL = {"rbf_edge_dim_atom": 20, "rbf_edge_dim_motif": 20, "batch_size": 8, "random_state": 0}


@pytest.fixture(scope="module")
def structures() -> list[Structure]:
    """Rock salts whose volume a network can learn."""
    return [
        Structure.from_spacegroup(
            "Fm-3m", Lattice.cubic(4.0 + 0.1 * i + 0.02 * j), [metal, "O"], [[0] * 3, [0.5] * 3]
        ).get_primitive_structure()
        for i, metal in enumerate(["Mg", "Ca", "Sr", "Ba", "Ni"])
        for j in range(5)
    ]


@pytest.fixture(scope="module")
def y(structures: list[Structure]) -> np.ndarray:
    return np.array([s.volume for s in structures])


@pytest.fixture(scope="module")
def fitted(structures: list[Structure], y: np.ndarray) -> AMDNetRegressor:
    return AMDNetRegressor(**SMALL, epochs=40, learning_rate=3e-3).fit(structures, y)


def test_the_network_learns(fitted: AMDNetRegressor, structures: list[Structure], y: np.ndarray) -> None:
    assert fitted.score(structures, y) > 0.9
    assert fitted.history_["loss"][-1] < 0.3 * fitted.history_["loss"][0]


def test_history_has_an_entry_per_epoch(fitted: AMDNetRegressor) -> None:
    assert set(fitted.history_) == {"loss", "val_mae", "learning_rate", "rescues"}
    assert {len(values) for values in fitted.history_.values()} == {fitted.n_iter_}
    assert fitted.history_["rescues"][-1] == 0


def test_best_weights_are_kept(fitted: AMDNetRegressor, structures: list[Structure], y: np.ndarray) -> None:
    model = clone(fitted).set_params(epochs=4)
    model.fit(structures[:20], y[:20], validation_data=(structures[20:], y[20:]))
    error = np.abs(model.predict(structures[20:]) - y[20:]).mean()
    assert error == pytest.approx(min(model.history_["val_mae"]), rel=1e-4)


def test_containers_give_the_same(fitted: AMDNetRegressor, structures: list[Structure]) -> None:
    array = np.empty(len(structures), dtype=object)
    array[:] = structures
    expected = fitted.predict(structures)
    assert expected.dtype == np.float64
    assert expected.shape == (len(structures),)
    for container in (tuple(structures), array, pd.Series(structures, index=range(7, 32))):
        np.testing.assert_array_equal(fitted.predict(container), expected)


def test_subsets_and_order(fitted: AMDNetRegressor, structures: list[Structure]) -> None:
    expected = fitted.predict(structures)
    np.testing.assert_allclose(fitted.predict(structures[::-1])[::-1], expected, rtol=1e-5)
    np.testing.assert_allclose([fitted.predict([s])[0] for s in structures[:3]], expected[:3], rtol=1e-5)


def test_the_same_seed_gives_the_same_model(fitted: AMDNetRegressor, structures: list, y: np.ndarray) -> None:
    first, second = (
        clone(fitted).set_params(epochs=2).fit(structures, y).predict(structures) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    other = clone(fitted).set_params(epochs=2, random_state=1).fit(structures, y).predict(structures)
    assert not np.allclose(first, other)


def test_saved_and_pickled_models_predict_the_same(
    fitted: AMDNetRegressor, structures: list[Structure], tmp_path: Path
) -> None:
    expected = fitted.predict(structures)
    fitted.save(tmp_path / "model.amdnet")
    loaded = AMDNetRegressor.load(tmp_path / "model.amdnet")
    loaded.save(tmp_path / "again.amdnet")
    for model in (
        loaded,
        AMDNetRegressor.load(tmp_path / "again.amdnet"),
        pickle.loads(pickle.dumps(fitted)),
    ):
        np.testing.assert_array_equal(model.predict(structures), expected)
        assert model.history_ == fitted.history_
        assert model.get_params() == fitted.get_params()


def test_weights_that_do_not_fit_are_refused(fitted: AMDNetRegressor, tmp_path: Path) -> None:
    broken = pickle.loads(pickle.dumps(fitted))
    broken.weights_ = broken.weights_[:-1]
    broken.save(tmp_path / "model.amdnet")
    with pytest.raises(ModelFileError, match="does not hold a sound AMDNetRegressor"):
        AMDNetRegressor.load(tmp_path / "model.amdnet")


def test_cross_validation_grid_search_and_pipeline(structures: list[Structure], y: np.ndarray) -> None:
    model = AMDNetRegressor(**SMALL, epochs=1)
    scores = cross_val_score(model, structures, y, cv=2, error_score="raise")
    assert np.isfinite(scores).all()
    search = GridSearchCV(
        Pipeline([("net", model)]), {"net__learning_rate": [1e-4, 1e-3]}, cv=2, error_score="raise"
    )
    assert search.fit(pd.Series(structures), y).predict(structures[:2]).shape == (2,)


def test_an_interrupt_keeps_the_best_model(
    structures: list[Structure], y: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupting(fit_module.Rescue):
        def on_epoch_end(self, epoch: int, logs: dict) -> None:
            super().on_epoch_end(epoch, logs)
            if epoch == 1:
                raise KeyboardInterrupt

    monkeypatch.setattr(fit_module, "Rescue", Interrupting)
    model = AMDNetRegressor(**SMALL, epochs=50).fit(structures, y)
    assert model.n_iter_ < 50
    assert np.isfinite(model.predict(structures)).all()


def test_an_exploding_training_is_rescued(structures: list[Structure], y: np.ndarray) -> None:
    model = AMDNetRegressor(**SMALL, epochs=4, learning_rate=1e18, schedule="constant").fit(structures, y)
    assert model.history_["rescues"][-1] >= 1
    assert model.history_["learning_rate"][-1] < 1e18
    assert np.isfinite(model.predict(structures)).all()


def test_tiny_and_constant_data(structures: list[Structure]) -> None:
    model = AMDNetRegressor(**SMALL, epochs=1).fit(structures[:1], [3.0])
    assert "val_mae" not in model.history_
    constant = AMDNetRegressor(**SMALL, epochs=8).fit(structures, np.full(len(structures), 5.0))
    np.testing.assert_allclose(constant.predict(structures), 5.0, atol=0.5)


def test_odd_crystals_are_predicted(fitted: AMDNetRegressor, crystals: list[Structure]) -> None:
    assert np.isfinite(fitted.predict(crystals)).all()


def test_symmetry_reduction_is_only_a_matter_of_speed(
    fitted: AMDNetRegressor, crystals: list[Structure]
) -> None:
    whole = pickle.loads(pickle.dumps(fitted)).set_params(symmetry_reduction=False)
    np.testing.assert_allclose(whole.predict(crystals), fitted.predict(crystals), rtol=1e-4)


def test_fit_changes_no_input(structures: list[Structure], y: np.ndarray) -> None:
    before, labels = [s.copy() for s in structures], y.copy()
    AMDNetRegressor(**SMALL, epochs=1).fit(structures, y)
    assert structures == before
    np.testing.assert_array_equal(y, labels)


def test_prediction_before_fit(structures: list[Structure], tmp_path: Path) -> None:
    for call in (lambda m: m.predict(structures), lambda m: m.save(tmp_path / "x")):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            call(AMDNetRegressor())


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda s, y: ([*s[:3], "MgO"], y[:4]), StructureError, "structure 3 is a str"),
        (lambda s, y: (s[0], y[:1]), StructureError, "a list of structures"),
        (lambda s, y: ([], []), StructureError, "no structures"),
        (lambda s, y: (s[:3], [1.0, np.nan, 2.0]), TargetError, "label 1 is nan"),
        (lambda s, y: (s[:3], y[:2]), TargetError, "3 structures but 2 labels"),
        (
            lambda s, y: ([s[0], Structure(Lattice.cubic(5), ["Cm"], [[0] * 3])], y[:2]),
            StructureError,
            "structure 1, site 0: element Cm",
        ),
        (
            lambda s, y: ([s[0], Structure(Lattice.cubic(5), [{"Mg": 0.5, "Ca": 0.5}], [[0] * 3])], y[:2]),
            StructureError,
            "structure 1, site 0 is disordered",
        ),
    ],
)
def test_bad_data_are_named(make: object, error: type, message: str, structures: list, y: np.ndarray) -> None:
    with pytest.raises(error, match=message):
        AMDNetRegressor(epochs=1).fit(*make(structures, y))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("architecture", "resnet"),
        ("epochs", 0),
        ("learning_rate", -1.0),
        ("atom_cutoff", float("nan")),
        ("validation_fraction", 1.0),
        ("loss", "cosine"),
        ("batch_size", 2.5),
    ],
)
def test_bad_parameters_are_named(parameter: str, value: object, structures: list, y: np.ndarray) -> None:
    with pytest.raises(ValueError, match=f"^{parameter} must be"):
        AMDNetRegressor(**{parameter: value}).fit(structures, y)


@pytest.mark.parametrize(
    "check",
    [
        checks.check_estimator_cloneable,
        checks.check_estimator_tags_renamed,
        checks.check_valid_tag_types,
        checks.check_estimator_repr,
        checks.check_no_attributes_set_in_init,
        checks.check_mixin_order,
        checks.check_do_not_raise_errors_in_init_or_set_params,
        checks.check_parameters_default_constructible,
        checks.check_get_params_invariance,
        checks.check_set_params,
    ],
    ids=lambda check: check.__name__,
)
def test_scikit_learns_own_checks(check: object) -> None:
    check("AMDNetRegressor", AMDNetRegressor())
