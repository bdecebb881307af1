"""
Explain predictions
===================

A model that comes with the package predicts the band gaps of oxides; ``explain`` shares each
prediction out to the crystal's motifs and atoms.
"""

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.datasets import oxides
from amdnet_matminer.explanations import summarize_explanation
from amdnet_matminer.plots import plot_contributions, plot_polyhedra, plot_summary

data = oxides().sample(100, random_state=0)
data.loc["rutile-TiO2"] = oxides().loc["rutile-TiO2"]
model = AMDNetRegressor.from_pretrained("mp-band-gap")
table = model.explain(data.structure)
rutile = table[table.crystal == "rutile-TiO2"]
rutile[["name", "sites", "contribution", "baseline", "prediction"]].round(3)

# %%
# Baseline and contributions add up to the prediction, in eV:

plot_contributions(rutile, "band gap", "eV")

# %%
# The same in the crystal. The cell is drawn with all polyhedra whose centres are in it or on its faces:

plot_polyhedra(data.structure["rutile-TiO2"], rutile, "eV")

# %%
# Over all crystals: what a crystal would have if all its motifs were such, with the 95% confidence
# interval of the mean, and how many crystals have the motif. It tells what the model does with them:

plot_summary(summarize_explanation(table), "eV")
