"""
The motifs of a crystal
=======================

Which coordination polyhedra does a crystal have, how distorted are they, and how are they joined?
"""

from amdnet_matminer import motif_graph
from amdnet_matminer.datasets import oxides
from amdnet_matminer.plots import plot_motif_graph

crystals = oxides().structure
spinel = motif_graph(crystals["spinel-MgAl2O4"])
of_motifs, of_connections = spinel.to_frame()

# %%
# A motif is a centre with its bonded anions. It is named after the ideal polyhedron that it is
# nearest to, and the measures of distortion say how far it is from that.

of_motifs.round(3)

# %%
# Two motifs are connected if they have ligands in common: one is a corner, two an edge, three or more
# a face.

of_connections.head().round(3)

# %%
# The same as a picture. A circle is a kind of motif with the number of them in the cell, and the
# number at the end of a line is how many such neighbours each motif at that end has.

plot_motif_graph(spinel, "MgAl2O4, spinel")

# %%
# Corundum has one kind of motif, which shares corners, edges, and one face.

plot_motif_graph(motif_graph(crystals["corundum-Al2O3"]), "Al2O3, corundum")
