"""A network that is defined outside the package is one like all others."""

from __future__ import annotations

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops
from pymatgen.core import Structure

from amdnet_matminer import AMDNetRegressor, architectures
from amdnet_matminer.architectures import architecture_names, network_class
from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.network import Network, NetworkConfig, build_network, register
from amdnet_matminer.network.layers import pool_mean
from amdnet_matminer.validation.parameters import check_parameters


class MeanOfElements(Network):
    """Elements as vectors, their mean over the crystal, and ordinary layers of Keras."""

    reads_motifs = False
    default_n_neighbors = 4
    default_width = 6
    default_optimizer = "adamw"

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.elements = keras.layers.Embedding(95, config.width)
        self.hidden = keras.layers.Dense(config.width, "silu")
        self.norm = keras.layers.LayerNormalization()
        self.head = keras.layers.Dense(config.n_outputs)

    @classmethod
    def check(cls, config: NetworkConfig) -> None:
        if config.width > 10:
            raise ValueError(f"width must be 10 at most for {config.architecture!r}, got {config.width}")

    def call(self, batch, training=False):
        atoms = self.norm(self.hidden(self.elements(batch.atoms.node)))
        weight = ops.expand_dims(batch.atoms.weight, -1)
        mean = pool_mean(atoms, weight, batch.atoms.graph, ops.shape(batch.crystal)[0])
        return self.head(self.dropout(mean, training=training))


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the network above, which is known during the test."""
    monkeypatch.setattr(architectures, "_places", dict(architectures._places))
    monkeypatch.setattr(architectures, "_classes", dict(architectures._classes))
    register("toy")(MeanOfElements)
    return "toy"


@pytest.fixture
def model(toy: str) -> AMDNetRegressor:
    return AMDNetRegressor(architecture=toy, epochs=3, batch_size=4, learning_rate=0.05, random_state=0)


def test_it_is_fitted_predicts_is_saved_and_loaded(
    model: AMDNetRegressor, crystals: list[Structure], tmp_path: Path
) -> None:
    y = [float(len(crystal)) for crystal in crystals]
    predicted = model.fit(crystals, y).predict(crystals)
    assert len(np.unique(predicted.round(6))) > 3
    model.save(tmp_path / "model")
    loaded = AMDNetRegressor.load(tmp_path / "model")
    assert loaded.architecture == "toy"
    np.testing.assert_allclose(loaded.predict(crystals), predicted, rtol=1e-6)


def test_outputs_that_cannot_be_taken_apart_are_refused(toy: str, rutile: Structure) -> None:
    class OutputsFirst(MeanOfElements):
        def __init__(self, config: NetworkConfig) -> None:
            super().__init__(config)
            self.hidden = keras.layers.Dense(config.n_outputs)

    register("outputs first")(OutputsFirst)
    both = AMDNetRegressor(architecture="outputs first", epochs=1, validation_fraction=0.0)
    both.fit([rutile], [[1.0, 2.0]])
    with pytest.raises(ValueError, match="'outputs first' has weights of all outputs"):
        both.of_target(0)


def test_a_network_that_does_not_say_what_it_reads_has_no_vectors(
    model: AMDNetRegressor, rutile: Structure
) -> None:
    model.fit([rutile], [1.0])
    for ask in (lambda: model.transform([rutile]), model.get_feature_names_out):
        with pytest.raises(NotImplementedError, match=r"MeanOfElements .*; give the class a method merged"):
            ask()


def test_the_same_seed_gives_the_same_model(model: AMDNetRegressor, crystals: list[Structure]) -> None:
    y = [float(len(crystal)) for crystal in crystals]
    first, again = (model.fit(crystals, y).predict(crystals) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_ordinary_layers_have_their_own_initial_values(toy: str) -> None:
    network = build_network(NetworkConfig.of(toy), seed=2)
    np.testing.assert_array_equal(network.norm.gamma, 1.0)
    np.testing.assert_array_equal(network.hidden.bias, 0.0)
    same = build_network(NetworkConfig.of(toy), seed=2)
    np.testing.assert_array_equal(network.hidden.kernel, same.hidden.kernel)


def test_its_defaults_are_taken(model: AMDNetRegressor, rutile: Structure) -> None:
    model.fit([rutile], [1.0])
    assert model.config_ == NetworkConfig("toy", width=6)
    (graph,) = model.graph_converter().convert_many([rutile])
    assert len(graph.motifs.center) == 0
    assert np.bincount(graph.atoms.receiver).max() < 10


def test_what_the_estimator_says_goes_before_its_defaults(toy: str) -> None:
    assert NetworkConfig.of(toy, width=4, n_blocks=9, n_outputs=2) == NetworkConfig(toy, width=4, n_outputs=2)


def test_it_may_refuse_sizes(toy: str) -> None:
    check_parameters({"architecture": toy, "width": 10})
    with pytest.raises(ValueError, match="width must be 10 at most for 'toy', got 11"):
        check_parameters({"architecture": toy, "width": 11})


def test_a_file_of_an_unknown_network_is_refused(
    model: AMDNetRegressor, rutile: Structure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.fit([rutile], [1.0]).save(tmp_path / "model")
    monkeypatch.delitem(architectures._places, "toy")
    with pytest.raises(ModelFileError, match=r"one of \['amdnet'.*got 'toy'; .* module that registers it"):
        AMDNetRegressor.load(tmp_path / "model")


def test_a_process_that_trains_one_member_knows_it(
    model: AMDNetRegressor, rutile: Structure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other processes import the package only."""
    from amdnet_matminer import ensembles

    train_member = ensembles._train_member

    def elsewhere(*task: object) -> object:
        monkeypatch.delitem(architectures._places, "toy")
        return train_member(*task)

    monkeypatch.setattr(ensembles, "_train_member", elsewhere)
    assert model.fit([rutile], [1.0]).n_iter_ == 3


def test_a_name_is_of_one_class_only(toy: str) -> None:
    class Other(Network):
        pass

    with pytest.raises(ValueError, match=r"'toy' is .*MeanOfElements already"):
        register(toy)(Other)
    with pytest.raises(ValueError, match=r"'amdnet' is amdnet_matminer\.network\.amdnet\.AMDNet already"):
        register("amdnet")(Other)
    register(toy)(MeanOfElements)


def test_an_unknown_name_is_refused_with_those_that_are_known(toy: str) -> None:
    assert architecture_names() == ["amdnet", "amdnet-2021", "megnet", *architecture_names()[3:]]
    assert architecture_names()[-1] == toy
    for name in ("cgcnn", "", None, ["amdnet"]):
        with pytest.raises(ValueError, match=r"one of \['amdnet', 'amdnet-2021', 'megnet'.*'toy'\], got"):
            network_class(name)


def test_the_example_for_contributors_works(toy: str, crystals: list[Structure]) -> None:
    """With the fixture, which forgets at the end what has been registered."""
    text = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
    snippet, *_ = re.findall(
        r"```python\n(.*?)```", text.partition("## A new architecture")[2], flags=re.DOTALL
    )
    exec(compile(snippet, "extending.md", "exec"), {"__name__": "outside"})
    model = AMDNetRegressor(architecture="mean-of-elements", epochs=1, random_state=0)
    model.fit(crystals, range(len(crystals)))
    supercell = crystals[0] * (2, 1, 1)
    np.testing.assert_allclose(*model.predict([crystals[0], supercell]), rtol=1e-5)
