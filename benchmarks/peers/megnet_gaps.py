"""Predictions a second of process time on one core by megnet 1.3.2, from crystals in memory."""

from __future__ import annotations

import sys

import numpy as np
from megnet.data.crystal import CrystalGraph
from megnet.models import MEGNetModel
from speed import CUTOFF, one_core, process_seconds, read, report

one_core()
structures, _ = read(sys.argv[1])
# It fails on crystals of one site.
structures = [structure for structure in structures if len(structure) > 1]
model = MEGNetModel(
    graph_converter=CrystalGraph(cutoff=CUTOFF), centers=np.linspace(0, CUTOFF, 100), width=0.5
)


def predict(some: list) -> None:
    """One call per crystal, as its users do."""
    for structure in some:
        model.predict_structure(structure)


predict(structures[:3])
report(len(structures), gaps=process_seconds(lambda: predict(structures)))
