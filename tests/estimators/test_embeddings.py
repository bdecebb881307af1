"""The vectors that models read of crystals, as features of other models."""

from __future__ import annotations

import keras
import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Structure
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.network import NetworkConfig, build_network
from amdnet_matminer.network.base import n_read
from amdnet_matminer.training import prediction_ladder, read_graphs


@pytest.fixture(scope="module")
def model(crystals: list[Structure]) -> AMDNetRegressor:
    small = AMDNetRegressor(width=8, n_blocks=1, n_ensemble=2, epochs=1, random_state=0)
    return small.fit(crystals, range(len(crystals)))


def test_the_head_predicts_from_the_vectors(model: AMDNetRegressor, crystals: list[Structure]) -> None:
    parts = np.split(model.transform(crystals), 2, axis=1)
    outputs = []
    for weights, vectors in zip(model.weights_, parts, strict=True):
        network = build_network(model.config_)
        network.set_weights(weights)
        outputs.append(keras.ops.convert_to_numpy(network.head(vectors)))
    predicted = model.scaler_.inverse(np.stack(outputs)).mean(axis=0)[:, 0]
    np.testing.assert_allclose(predicted, model.predict(crystals), rtol=1e-4, atol=1e-5)


def test_it_does_not_depend_on_cell_order_or_company(model: AMDNetRegressor, rutile, crystals) -> None:
    other = Structure.from_sites((rutile * (2, 1, 1)).sites[::-1])
    first, same = model.transform([rutile, other])
    np.testing.assert_allclose(first, same, rtol=1e-4, atol=1e-5)
    order = [3, 0, 6, 2, 5, 1, 4]
    shuffled = model.transform([crystals[i] for i in order])
    np.testing.assert_allclose(shuffled, model.transform(crystals)[order], rtol=1e-4, atol=1e-5)


def test_names_and_dataframes(model: AMDNetRegressor, crystals: list[Structure]) -> None:
    names = model.get_feature_names_out().tolist()
    assert names[:2] == ["amdnetregressor0", "amdnetregressor1"]
    assert len(names) == 2 * 2 * 8
    table = model._as_fitted().set_output(transform="pandas").transform(crystals)
    assert isinstance(table, pd.DataFrame)
    assert table.columns.tolist() == names


def test_a_frozen_model_is_a_step_of_a_pipeline(model: AMDNetRegressor, crystals: list[Structure]) -> None:
    y = np.arange(len(crystals), dtype=float)
    pipeline = make_pipeline(FrozenEstimator(model), Ridge(1e-6)).fit(crystals, y)
    assert np.abs(pipeline.predict(crystals) - y).max() < 1.0


@pytest.mark.parametrize("architecture", ["amdnet-2021", "megnet"])
def test_published_networks_have_vectors(architecture: str, crystals: list[Structure]) -> None:
    config = NetworkConfig.of(architecture, width=4)
    graphs = AMDNetRegressor(architecture=architecture).graph_converter().convert_many(crystals)
    network = build_network(config)
    vectors = read_graphs(network, graphs, prediction_ladder(network, graphs))
    assert vectors.shape == (len(crystals), n_read(config))
    assert len(np.unique(vectors.round(6), axis=0)) == len(crystals)


def test_a_model_that_is_not_fitted_has_none(rutile: Structure) -> None:
    with pytest.raises(NotFittedError):
        AMDNetRegressor().transform([rutile])
    with pytest.raises(NotFittedError):
        AMDNetRegressor().get_feature_names_out()
