"""
Find materials by their motifs
==============================

A network of materials and kinds of motifs answers: which crystals have undistorted octahedra that
share edges? Which are most like this one? What joins two of them?
"""

import matplotlib.pyplot as plt

from amdnet_matminer import AMDNetRegressor, MotifNetwork
from amdnet_matminer.datasets import oxides

data = oxides()
network = MotifNetwork().fit(data.structure)
network.hubs(5).round(2)

# %%
# By motif, by what it shares, and by how far it is from the ideal polyhedron:

network.materials_with("TiO6 octahedral", sharing="edge", max_distortion=2.0).round(2)

# %%
# By likeness to a crystal, which need not be in the network:

alike = network.similar(data.structure["perovskite-SrTiO3"], k=8)
alike["predicted gap (eV)"] = AMDNetRegressor.from_pretrained("mp-band-gap").predict(
    data.structure[alike.index]
)
alike.round(2)

# %%
# What joins two materials is a path of materials and motifs by turns.

" - ".join(network.bridge("rutile-TiO2", "spinel-MgAl2O4"))

# %%
# Materials with like vectors are near each other. The two leading axes of these vectors tell
# prototypes apart.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for prototype in data.prototype.value_counts().index[:6]:
    x, y = network.vectors_[data.prototype == prototype, :2].T
    ax.scatter(x, y, s=14, alpha=0.7, label=prototype)
ax.set(xlabel="component 1", ylabel="component 2")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
