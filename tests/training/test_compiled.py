"""Which compiled network serves whom."""

from __future__ import annotations

import gc
from collections.abc import Callable

import keras
import pytest
from pymatgen.core import Structure

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.network import NetworkConfig
from amdnet_matminer.network.amdnet import AMDNet
from amdnet_matminer.training import Compilation, compiled, compiled_network, xla_pays

PLAIN = Compilation(NetworkConfig(width=8, n_blocks=1))
WITH_XLA = PLAIN._replace(xla=True)


def lent(wanted: Compilation, **options: bool) -> keras.Model:
    with compiled_network(wanted, **options) as network:
        return network


@pytest.fixture(autouse=True)
def _nothing_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_idle", [])


def test_a_network_is_used_again() -> None:
    assert lent(PLAIN) is lent(PLAIN)
    assert lent(PLAIN) is not lent(PLAIN._replace(loss="mse"))


def test_two_users_at_once_have_two_networks() -> None:
    with compiled_network(PLAIN) as first, compiled_network(PLAIN) as second:
        assert first is not second


def test_predictions_take_what_a_training_has_compiled_with_xla() -> None:
    plain, with_xla = lent(PLAIN), lent(WITH_XLA)
    assert lent(PLAIN, only_predicts=True) is with_xla
    assert lent(WITH_XLA) is with_xla
    assert lent(PLAIN) is plain


def test_a_training_takes_only_its_own_kind() -> None:
    with_xla = lent(WITH_XLA)
    assert lent(PLAIN) is not with_xla


def test_a_precision_of_too_small_a_range_is_refused() -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        with pytest.raises(ValueError, match="float16 has too small a range"):
            lent(PLAIN)
    finally:
        keras.config.set_dtype_policy(before)


def test_precisions_do_not_mix(half_precision: Callable) -> None:
    full = lent(PLAIN)
    with half_precision():
        assert lent(PLAIN) is not full
    assert lent(PLAIN) is full


def test_only_few_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "MOST_IDLE", 2)
    for width in range(1, compiled.MOST_IDLE + 3):
        lent(PLAIN._replace(network=PLAIN.network._replace(width=width)))
    assert len(compiled._idle) == compiled.MOST_IDLE


@pytest.mark.parametrize(
    ("n_steps", "n_predictions", "expected"),
    [(10, 0, False), (10_000, 0, True), (0, 999, False), (0, 10**5, True)],
)
def test_xla_where_there_is_much_to_do(n_steps: int, n_predictions: int, expected: bool) -> None:
    assert xla_pays(n_steps, n_predictions) == expected


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
@pytest.mark.parametrize("clip_norm", [None, 0.5])
def test_gradients_are_clipped_as_asked(optimizer: str, clip_norm: float | None) -> None:
    with compiled_network(PLAIN._replace(optimizer=optimizer, clip_norm=clip_norm)) as network:
        assert network.optimizer.global_clipnorm == clip_norm


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An entry for each time that a network is traced."""
    calls: list[str] = []
    states = AMDNet.states

    def noted(network: AMDNet, *arguments: object, **options: object) -> object:
        calls.append(network.name)
        return states(network, *arguments, **options)

    monkeypatch.setattr(AMDNet, "states", noted)
    return calls


def test_what_needs_no_new_compilation_causes_none(rutile: Structure, traced: list[str]) -> None:
    model = AMDNetRegressor(width=8, n_blocks=1, epochs=1, random_state=0)
    graphs = [model.graph_converter().convert(rutile)] * 2
    model.fit(graphs, [1.0, 2.0])
    assert traced
    traced.clear()
    model.set_params(dropout=0.4, weight_decay=0.1, learning_rate=0.1, schedule="constant", epochs=2)
    model.set_params(random_state=1, patience=7, n_ensemble=2).fit(graphs, [1.0, 2.0])
    assert len(compiled._idle) == 1
    assert traced == []


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="FuncGraph is TensorFlow's")
@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_a_network_that_is_not_kept_leaves_no_graph(optimizer: str, rutile: Structure) -> None:
    """Each would hold 30 MB, in a search over widths until the memory is full."""
    n_before = n_graphs_of_tensorflow()
    model = AMDNetRegressor(optimizer=optimizer, width=8, n_blocks=1, epochs=1, random_state=0)
    model.fit([rutile] * 2, [1.0, 2.0]).predict([rutile])
    assert n_graphs_of_tensorflow() > n_before
    compiled._idle.clear()
    assert n_graphs_of_tensorflow() == n_before


def n_graphs_of_tensorflow() -> int:
    gc.collect()
    return sum(type(item).__name__ == "FuncGraph" for item in gc.get_objects())
