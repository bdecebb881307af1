"""
How far can a prediction be trusted?
====================================

An ensemble gives a standard deviation, and ``novelty`` says how much of a crystal the model has
never seen. Here all pyrochlores and zircons are kept from the training, so that there is something
to be wrong about.
"""

import matplotlib.pyplot as plt
import numpy as np

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.datasets import oxides

data = oxides()
is_new = data.prototype.isin(["pyrochlore", "zircon"])
known, new = data[~is_new].sample(frac=1, random_state=0), data[is_new]
train, test = known[:300], known[300:]

model = AMDNetRegressor(epochs=25, learning_rate=3e-3, n_ensemble=3, random_state=0)
model.fit(train.structure, train.ewald_energy_per_atom)

# %%
# The spread of the networks is multiplied by a factor that was found on the validation part, so that
# of such crystals 68% have an error below their standard deviation.

for name, crystals in (("known prototypes", test), ("new prototypes", new)):
    mean, std = model.predict(crystals.structure, return_std=True)
    error = np.abs(mean - crystals.ewald_energy_per_atom)
    novelty = model.novelty(crystals.structure)
    print(f"{name}: {len(crystals)} crystals, mean novelty {novelty.mean():.2f}")
    print(f"  MAE {error.mean():.2f}, mean std {std.mean():.2f} eV/atom")
    print(f"  within one std {np.mean(error < std):.0%}")

# %%
# Crystals of which the model has seen nothing alike are to the right.

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, crystals, marker in (("known prototypes", test, "o"), ("new prototypes", new, "^")):
    mean, std = model.predict(crystals.structure, return_std=True)
    error = np.abs(mean - crystals.ewald_energy_per_atom)
    ax.scatter(std, error, s=16, alpha=0.7, marker=marker, label=name)
ends = np.array(ax.get_xlim())
ax.plot(ends, ends, color="0.4", linewidth=1)
ax.set(xlabel="standard deviation (eV/atom)", ylabel="error (eV/atom)", xscale="log", yscale="log")
ax.legend()
