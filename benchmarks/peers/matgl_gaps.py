"""Predictions a second of process time on one core by matgl's ``predict_structure``, crystals in memory."""

from __future__ import annotations

import sys

from matgl_model import build
from speed import one_core, process_seconds, read, report

one_core()
structures, _ = read(sys.argv[1])
model = build(n_threads=1)


def predict() -> None:
    """One call per crystal, as its users do."""
    for structure in structures:
        model.predict_structure(structure)


predict()
report(len(structures), gaps=process_seconds(predict))
