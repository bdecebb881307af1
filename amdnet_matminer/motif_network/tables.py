"""A network as tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amdnet_matminer.motif_network.content import Content
from amdnet_matminer.motifs.sharing import SHARING_TYPES


def link_table(content: Content, rows: NDArray[np.intp]) -> pd.DataFrame:
    """Tabulate some links.

    Args:
        content: The network.
        rows: Which of its links, shape (R,).

    Returns:
        A row for each: material and motif, weight, share, symmetry measure, and the mean number of
        neighbours by what is shared.
    """
    links = content.links
    material, kind = links.material[rows], links.kind[rows]
    table = pd.DataFrame(
        {
            "id": [content.ids[i] for i in material],
            "formula": [content.formulas[i] for i in material],
            "motif": [content.motifs[i] for i in kind],
            "weight": links.weight[rows],
            "share": links.share[rows],
            "symmetry_measure": links.symmetry_measure[rows],
        }
    )
    return table.assign(**dict(zip(SHARING_TYPES, links.sharing[rows].T, strict=True)))


def all_links(content: Content) -> pd.DataFrame:
    """Tabulate the links.

    Args:
        content: The network.

    Returns:
        As ``link_table`` of all.
    """
    return link_table(content, np.arange(len(content.links.kind)))


def material_table(content: Content) -> pd.DataFrame:
    """Tabulate the materials.

    Args:
        content: The network.

    Returns:
        By id: formula and number of kinds of motifs.
    """
    ids = pd.Index(content.ids, name="id")
    return pd.DataFrame({"formula": content.formulas, "kinds": np.diff(content.links.offset)}, ids)


def motif_table(content: Content) -> pd.DataFrame:
    """Tabulate the kinds of motifs.

    Args:
        content: The network.

    Returns:
        By name, the commonest first: number of materials, sum of weights, mean symmetry measure.
    """
    links, n = content.links, len(content.motifs)
    counts = np.bincount(links.kind, minlength=n)
    return pd.DataFrame(
        {
            "materials": counts,
            "weight": np.bincount(links.kind, links.weight, n),
            "symmetry_measure": np.bincount(links.kind, links.symmetry_measure, n) / counts,
        },
        pd.Index(content.motifs, name="motif"),
    ).sort_values(["materials", "weight"], ascending=False)
