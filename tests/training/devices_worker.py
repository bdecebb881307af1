"""The same fit on one and on two devices, as JSON; test_devices.py runs this with three devices of JAX."""

from __future__ import annotations

import json
from typing import Any

import jax
import keras

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.datasets import oxides
from amdnet_matminer.graphs.batching import Batch
from amdnet_matminer.network import register
from amdnet_matminer.network.amdnet import AMDNet

DATA = oxides().sample(40, random_state=0)


@register("watched")
class WatchedNetwork(AMDNet):
    """Notes what part of the pairs of a training batch each device is given."""

    parts: set[float]

    def states(self, batch: Batch, training: bool = False) -> Any:
        if training:
            n_pairs = len(batch.atoms.sender)
            jax.debug.inspect_array_sharding(
                batch.atoms.sender,
                callback=lambda sharding: self.parts.add(sharding.shard_shape((n_pairs,))[0] / n_pairs),
            )
        return super().states(batch, training)


def fit(n_devices: int) -> dict[str, object]:
    """What a fit learns on some devices, and what part of a batch each has."""
    names = keras.distribution.list_devices()[:n_devices]
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=names))
    WatchedNetwork.parts = set()
    # One size of batches, and no Muon, since XLA compiles for half a minute otherwise.
    small = {"architecture": "watched", "width": 8, "n_blocks": 1, "batch_size": 32, "optimizer": "adamw"}
    model = AMDNetRegressor(**small, epochs=30, learning_rate=1e-2, random_state=0, n_jobs=1)
    model.fit(DATA.structure[:32], DATA.ewald_energy_per_atom[:32])
    return {
        "parts": sorted(WatchedNetwork.parts),
        "loss": model.history_["loss"],
        "val_mae": model.history_["val_mae"],
        "predicted": model.predict(DATA.structure[32:]).tolist(),
    }


def main() -> None:
    """Print what one and two devices learn, and what three are told."""
    found: dict[str, object] = {"one": fit(1), "two": fit(2)}
    try:
        fit(3)
    except ValueError as error:
        found["three"] = str(error)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
