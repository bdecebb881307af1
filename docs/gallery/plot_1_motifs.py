"""
Motifs of one crystal
=====================

x
"""

from amdnet_matminer import motif_graph
from amdnet_matminer.datasets import oxides

motif_graph(oxides().structure["rutile-TiO2"])
