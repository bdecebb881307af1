"""
Train the network
=================

The estimator reads structures: no features have to be made.
"""

from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.datasets import oxides
from amdnet_matminer.plots import learning_curve_plot, parity_plot

train, test = train_test_split(oxides(), test_size=0.2, random_state=0)
model = AMDNetRegressor(epochs=40, learning_rate=3e-3, random_state=0)
model.fit(train.structure, train.ewald_energy_per_atom)
print(f"{len(train)} crystals, {model.n_iter_} epochs")

# %%
# A tenth of the training crystals was kept to judge the epochs by; the weights of the best one are
# kept.

learning_curve_plot(model.history_, "eV/atom")

# %%
# On crystals that took no part:

predicted = model.predict(test.structure)
print(f"MAE {mean_absolute_error(test.ewald_energy_per_atom, predicted):.3f} eV/atom")
parity_plot(test.ewald_energy_per_atom, predicted, "Ewald energy", "eV/atom")
