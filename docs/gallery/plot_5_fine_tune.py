"""
Begin with a trained network
============================

With few labels it can pay to begin with the weights of a network that has learned something else. Here the
few labels are electrostatic energies per volume of 30 oxides, and there are two models to begin with: one of
the energies per atom of other oxides, and one of formation energies of 99,688 crystals, which comes with the
package.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.metrics import mean_absolute_error

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.datasets import oxides

data = oxides().sample(frac=1, random_state=0)
volume_per_atom = data.structure.map(lambda structure: structure.volume / len(structure))
data["energy_density"] = data.ewald_energy_per_atom / volume_per_atom  # eV/Å³
few, many, test = data[:30], data[30:230], data[300:]
settings = {"epochs": 100, "learning_rate": 3e-3, "dropout": 0.0, "validation_fraction": 0.0}
settings["random_state"] = 0

alike = AMDNetRegressor(**settings).fit(many.structure, many.ewald_energy_per_atom)

error = {}
for name, begin in (
    ("from scratch", None),
    ("from formation energies", "mp-formation-energy"),
    ("from electrostatic energies", alike),
):
    model = AMDNetRegressor(init_from=begin, **settings).fit(few.structure, few.energy_density)
    error[name] = mean_absolute_error(test.energy_density, model.predict(test.structure))

pd.Series(error, name="MAE (eV/Å³)").round(3).to_frame()

# %%
# The same as bars. A like quantity of like crystals helps much. Formation energies, of which most is chemical
# bonding, have little to do with the electrostatics of formal charges: that beginning does no good. So
# compare with a fit from scratch, on crystals that you have kept apart.

figure, ax = plt.subplots(figsize=(6, 2.4), layout="constrained")
pd.Series(error)[::-1].plot.barh(ax=ax, xlabel=f"MAE on {len(test)} crystals, trained on {len(few)} (eV/Å³)")
