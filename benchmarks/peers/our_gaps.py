"""Band gaps a second of process time on one core, from crystals in memory, by a shipped model."""

from __future__ import annotations

import sys

from speed import one_core, process_seconds, read, report

from amdnet_matminer import AMDNetRegressor

one_core()
structures, _ = read(sys.argv[2])
model = AMDNetRegressor.from_pretrained(sys.argv[1]).set_params(n_jobs=1, verbose=0)
model.predict(structures)
report(len(structures), gaps=process_seconds(lambda: model.predict(structures)))
