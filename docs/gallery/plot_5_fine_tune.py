"""
Begin with a trained network
============================

With few labels it pays to begin with the weights of a network that has learned something else: here
formation energies of 44,787 crystals of the Materials Project, of which the model comes with the
package.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.metrics import mean_absolute_error

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.datasets import oxides

data = oxides().sample(frac=1, random_state=0)
train, test = data[:60], data[300:]
settings = {"epochs": 40, "learning_rate": 3e-3, "dropout": 0.0, "random_state": 0}

error = {}
for name, begin in (("from scratch", None), ("fine-tuned", "mp2018-formation-energy")):
    model = AMDNetRegressor(init_from=begin, **settings)
    model.fit(train.structure, train.ewald_energy_per_atom)
    error[name] = mean_absolute_error(test.ewald_energy_per_atom, model.predict(test.structure))

pd.Series(error, name="MAE (eV/atom)").round(3).to_frame()

# %%
# The same as bars. The more alike the two quantities are, the more is gained.

figure, ax = plt.subplots(figsize=(5, 2.2), layout="constrained")
pd.Series(error).plot.barh(ax=ax, xlabel=f"MAE on {len(test)} crystals, trained on {len(train)} (eV/atom)")
