"""Pictures of motifs, and of how well a model does. Needs matplotlib, the ``plots`` extra.

Each function draws into ``ax`` if it is given. Else it makes a figure: with pyplot, so that a
notebook shows it, or, where ``path`` is given, one that pyplot does not know and that is only saved.
``view_polyhedra`` gives a view of py3Dmol instead, the ``view`` extra.
"""

from __future__ import annotations

from amdnet_matminer.plots.contributions import plot_contributions, plot_summary
from amdnet_matminer.plots.figures import unshown_figure
from amdnet_matminer.plots.fits import learning_curve_plot, parity_plot, plot_elements
from amdnet_matminer.plots.motif_graphs import plot_motif_graph
from amdnet_matminer.plots.motif_maps import plot_motif_map
from amdnet_matminer.plots.polyhedra import plot_polyhedra
from amdnet_matminer.plots.sharing import plot_sharing
from amdnet_matminer.plots.views import view_polyhedra

__all__ = [
    "learning_curve_plot",
    "parity_plot",
    "plot_contributions",
    "plot_elements",
    "plot_motif_graph",
    "plot_motif_map",
    "plot_polyhedra",
    "plot_sharing",
    "plot_summary",
    "unshown_figure",
    "view_polyhedra",
]
