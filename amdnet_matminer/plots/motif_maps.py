"""Motif vectors in the plane."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import normalize

from amdnet_matminer.motifs.motif2vec import Motif2Vec
from amdnet_matminer.plots.figures import COLORS, MARKERS, OTHER, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_METHODS = {"tsne": "t-SNE", "pca": "principal components"}


def plot_motif_map(
    motif2vec: Motif2Vec,
    color: Literal["geometry", "center"] = "geometry",
    method: Literal["tsne", "pca"] = "tsne",
    n_motifs: int = 800,
    *,
    path: str | Path | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw motif vectors in the plane: motifs with like environments are near each other.

    Args:
        motif2vec: Fitted motif vectors.
        color: What the colours tell: the geometry of the motif, or the group of
            elements that its centre belongs to.
        method: t-SNE, which keeps neighbourhoods, or principal components, which are linear.
        n_motifs: How many to draw, those in the most crystals.
        path: The picture to write, if any; its suffix decides the format.
        ax: Where to draw; a new figure if not given.

    Returns:
        The axes that were drawn into.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        NotFittedError: ``motif2vec`` is not fitted.
        ValueError: ``color`` or ``method`` is unknown, or there are fewer than 3 motifs.
    """
    if color not in ("geometry", "center"):
        raise ValueError(f"color must be 'geometry' or 'center', got {color!r}")
    table = motif2vec.to_frame().nlargest(n_motifs, "crystals")
    table = table[table.filter(like="motif vector").any(axis=1)]
    place = _in_plane(normalize(table.filter(like="motif vector").to_numpy()), method)
    label = table.geometry if color == "geometry" else table.center.map(_element_group)
    ax = new_figure((8.0, 5.5), path).subplots() if ax is None else ax
    shown = label.value_counts().index[: len(COLORS)].tolist()
    for name, paint, marker in zip(shown, COLORS, MARKERS, strict=False):
        x, y = place[(label == name).to_numpy()].T
        ax.scatter(x, y, s=18, color=paint, marker=marker, linewidths=0, alpha=0.8, label=name)
    x, y = place[~label.isin(shown).to_numpy()].T
    if len(x):
        ax.scatter(x, y, s=10, color=OTHER, linewidths=0, label="other", zorder=0)
    ax.set(xticks=[], yticks=[], title=f"{len(table)} motifs, {_METHODS[method]} of their vectors")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, markerscale=1.6)
    save(ax, path)
    return ax


def _in_plane(vectors: NDArray[np.float64], method: str) -> NDArray[np.float64]:
    """Two coordinates for each vector."""
    if len(vectors) < 3:
        raise ValueError(f"a map needs at least 3 motifs with neighbours, got {len(vectors)}")
    if method == "pca":
        return PCA(2).fit_transform(vectors)
    if method == "tsne":
        perplexity = min(30.0, (len(vectors) - 1) / 3)
        return TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(vectors)
    raise ValueError(f"method must be 'tsne' or 'pca', got {method!r}")


def _element_group(symbol: str) -> str:
    """Part of the periodic table that an element belongs to, as chemists name them."""
    element = Element(symbol)
    kinds = {
        "alkali metal": element.is_alkali,
        "alkaline earth metal": element.is_alkaline,
        "rare earth metal": element.is_rare_earth,
        "actinide": element.is_actinoid,
        "transition metal": element.is_transition_metal,
        "post-transition metal": element.is_post_transition_metal,
    }
    return next((kind for kind, belongs in kinds.items() if belongs), "metalloid or nonmetal")
