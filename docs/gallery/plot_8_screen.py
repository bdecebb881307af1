"""
Predict without training
========================

Two models come with the package. Here one predicts the band gaps of oxides, with what is needed to
distrust it: its spread, and how much of each crystal it has never seen.
"""

import numpy as np
import pandas as pd

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.datasets import oxides
from amdnet_matminer.plots import plot_elements

data = oxides()
model = AMDNetRegressor.from_pretrained("mp-band-gap")
data["gap"], data["std"] = model.predict(data.structure, return_std=True)
data["novelty"] = model.novelty(data.structure)
data[["formula", "prototype", "gap", "std", "novelty"]].sample(6, random_state=0).round(2)

# %%
# Insulators that the model is fairly sure of, and that have nothing new to it:

sure = data[(data["std"] < 0.2) & (data.novelty == 0)]
sure.nlargest(6, "gap")[["formula", "prototype", "gap", "std"]].round(2)

# %%
# Means over the oxides of each element. The cells come from ionic radii and not from relaxation, so
# that the gaps are those of these cells.

gaps_of = {}
for structure, gap in zip(data.structure, data.gap, strict=True):
    for element in structure.composition.elements:
        gaps_of.setdefault(element.symbol, []).append(gap)
plot_elements(pd.Series(gaps_of).map(np.mean).to_dict(), "mean predicted band gap (eV)")
