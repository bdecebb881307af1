"""Training and prediction rates of megnet 1.3.2 with its default network at 5 angstrom."""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from megnet.data.crystal import CrystalGraph
from megnet.models import MEGNetModel
from speed import BATCH_SIZE, CUTOFF, read, report, seconds

structures, y = read(sys.argv[1])
model = MEGNetModel(
    graph_converter=CrystalGraph(cutoff=CUTOFF),
    centers=np.linspace(0, CUTOFF, 100),
    width=0.5,
    lr=1e-3,
)
usable = [i for i, s in enumerate(structures) if len(s) > 1]
graphs = [model.graph_converter.convert(structures[i]) for i in usable]
targets = y[usable].tolist()


def train(epochs: int) -> None:
    """Train on graphs that are ready, without files."""
    model.train_from_graphs(
        graphs, targets, batch_size=BATCH_SIZE, epochs=epochs, verbose=0, save_checkpoint=False
    )


def predict_each() -> None:
    """One call per crystal, as its users do."""
    for i in usable[:20]:
        model.predict_structure(structures[i])


train(1)
one, three = seconds(partial(train, 1)), seconds(partial(train, 3))
predict_each()
each = seconds(predict_each) * len(usable) / 20
report(len(usable), training=(three - one) / 2, predict_structure=each)
