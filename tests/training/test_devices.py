"""Several devices that share each batch, through Keras' own distribution."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow

from amdnet_matminer import backend
from amdnet_matminer.backend import has_gpu, sharing_devices
from amdnet_matminer.network import NetworkConfig
from amdnet_matminer.training import Compilation, compiled_network

WORKER = Path(__file__).with_name("devices_worker.py")


@pytest.fixture(scope="module")
def fits() -> dict:
    """The same fit on one and on two of three virtual devices of JAX, and what three are told."""
    pytest.importorskip("jax", reason="needs JAX: pip install jax")
    environ = os.environ | {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=3",
    }
    done = subprocess.run([sys.executable, WORKER], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_each_of_two_devices_has_half_of_every_batch(fits: dict) -> None:
    assert (fits["one"]["parts"], fits["two"]["parts"]) == ([1.0], [0.5])


def test_two_devices_learn_what_one_learns(fits: dict) -> None:
    for quantity in ("loss", "val_mae", "predicted"):
        np.testing.assert_allclose(fits["two"][quantity], fits["one"][quantity], rtol=1e-4)
    assert fits["one"]["loss"][-1] < 0.9 * fits["one"]["loss"][0]


def test_three_devices_are_told_why_not(fits: dict) -> None:
    assert "3 devices cannot share a batch" in fits["three"]
    assert "a number of devices that divides 8" in fits["three"]


def test_strategies_of_tensorflow_are_refused() -> None:
    with (
        tensorflow.distribute.MirroredStrategy(["CPU:0"]).scope(),
        pytest.raises(ValueError, match="KERAS_BACKEND=jax"),
        compiled_network(Compilation(NetworkConfig(width=8, n_blocks=1))),
    ):
        pass
    assert sharing_devices(8) is None


def test_other_backends_share_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.distribution, "distribution", lambda: object())
    with pytest.raises(ValueError, match="on JAX only"):
        sharing_devices(8)


@pytest.mark.parametrize("name", ["tensorflow", "jax", "torch"])
@pytest.mark.parametrize("there", [True, False])
def test_each_backend_is_asked_for_its_gpu(name: str, there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Backend:
        """As much as is asked of any of the three."""

        config = type("config", (), {"list_physical_devices": lambda kind: [kind] * there})
        cuda = type("cuda", (), {"is_available": lambda: there})

        @staticmethod
        def default_backend() -> str:
            return "gpu" if there else "cpu"

    monkeypatch.setattr(keras.backend, "backend", lambda: name)
    monkeypatch.setattr(backend, "import_module", {name: Backend}.__getitem__)
    assert has_gpu() == there
