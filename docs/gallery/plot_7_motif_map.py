"""
A map of motifs
===============

Motif2Vec gives like vectors to motifs that occur in like environments. The vectors that come with
the package were learned from 44,787 crystals of the Materials Project, without any property of
theirs.
"""

from amdnet_matminer import motif_graphs
from amdnet_matminer.datasets import oxides
from amdnet_matminer.plots import plot_motif_map, plot_sharing
from amdnet_matminer.pretrained import pretrained_motif2vec

motif2vec = pretrained_motif2vec("mp2018")
motif2vec.most_similar("TiO6 octahedral", n=5).round(3).to_frame()

# %%
# Sums and differences: what is among fluorides what strontium's motif is among oxides?

motif2vec.most_similar(["SrO12 cuboctahedral", "TiF6 octahedral"], "TiO6 octahedral", n=3).round(3).to_frame()

# %%
# The commonest motifs in the plane. Geometries keep together.

plot_motif_map(motif2vec, n_motifs=600)

# %%
# Which geometries share corners, edges and faces with which, in some oxides:

plot_sharing(motif_graphs(oxides().structure[:200]), n_geometries=6)
