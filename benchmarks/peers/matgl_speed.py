"""Training and prediction rates of matgl's MEGNet, sized as the atom branch of AMDNet 2021."""

from __future__ import annotations

import sys
from functools import partial

import lightning
import torch
from matgl.ext.pymatgen import Structure2Graph, get_element_list
from matgl.graph.data import MGLDataLoader, MGLDataset, collate_fn_graph
from matgl.models import MEGNet
from matgl.utils.training import ModelLightningModule
from speed import BATCH_SIZE, CUTOFF, read, report, seconds

structures, y = read(sys.argv[1])
torch.set_num_threads(2)
elements = get_element_list(structures)
data = MGLDataset(
    structures=structures,
    labels={"target": y.tolist()},
    converter=Structure2Graph(element_types=elements, cutoff=CUTOFF),
    save_cache=False,
)
loaders = partial(MGLDataLoader, train_data=data, val_data=data, collate_fn=collate_fn_graph, num_workers=0)
loader, _ = loaders(batch_size=BATCH_SIZE)
model = MEGNet(
    element_types=elements, cutoff=CUTOFF, niters_set2set=3, hidden_layer_sizes_output=(32, 16, 16)
)
module = ModelLightningModule(model=model, lr=1e-3)


def train(epochs: int) -> None:
    """Train with Lightning, as matgl's tutorials do, without files and bars."""
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, train_dataloaders=loader)


def predict_each() -> None:
    """One call per crystal, as its users do."""
    for structure in structures[:200]:
        model.predict_structure(structure)


def predict_batches() -> None:
    """The graphs that are ready, in batches."""
    with torch.no_grad():
        for graphs, lattices, state, _ in loader:
            module(graphs, lattices, state_attr=state)


train(1)
# What a Trainer costs to start is no rate: the difference of two trainings is.
one, three = seconds(partial(train, 1)), seconds(partial(train, 3))
model.eval()
predict_batches()
each = seconds(predict_each) * len(structures) / 200
report(
    len(structures), training=(three - one) / 2, predict_structure=each, prediction=seconds(predict_batches)
)
