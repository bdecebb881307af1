"""Explanations as tables: a row for each motif and atom of crystals, and what each kind of motif does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pymatgen.core import Element, Structure
from scipy.stats import t as students_t

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.graphs import DualGraph
from amdnet_matminer.symmetry import site_orbits

if TYPE_CHECKING:
    from amdnet_matminer.explanations.members import Contributions, Level

CONFIDENCE = 0.95
"""That the mean of more such crystals is within the interval."""


def explanation_table(
    ids: Iterable[Any], crystals: Sequence[Any], graphs: Sequence[DualGraph], parts: Sequence[Contributions]
) -> pd.DataFrame:
    """Tabulate what motifs and atoms contribute.

    A motif's row has what its centre, which is an atom, contributes; other atoms have rows of their own.

    Args:
        ids: Of the S crystals.
        crystals: The structures that graphs were made of, or these graphs.
        graphs: Their graphs.
        parts: Their contributions.

    Returns:
        A row for each motif and then each other atom, crystal after crystal.
    """
    tables = [_rows(*one) for one in zip(ids, crystals, graphs, parts, strict=True)]
    return pd.concat(tables, ignore_index=True)


def summarize_explanation(explanation: pd.DataFrame) -> pd.DataFrame:
    """What each kind of motif and atom does to predictions, over many crystals.

    Args:
        explanation: What ``explain`` gave; rows of one ``crystal`` are of one crystal.

    Returns:
        A row for each kind and name, those that raise predictions most first: number of crystals that have
        it, mean share of their motifs (of atoms: of their other atoms), mean contribution to them, and
        ``effect``: the contribution divided by the share, which is what a crystal would have if all its
        motifs were such. ``low`` and ``high`` are the ends of the 95% confidence interval of the mean
        effect, by Student's t over crystals; NaN where there is one crystal.
    """
    rows = explanation.assign(
        share=explanation.multiplicity
        / explanation.groupby(["crystal", "kind"]).multiplicity.transform("sum")
    )
    each = rows.groupby(["kind", "name", "crystal"], sort=False)[["share", "contribution"]].sum()
    each["effect"] = each.contribution / each.share
    kinds = each.groupby(level=["kind", "name"], sort=False)
    summary = kinds.mean()
    summary.insert(0, "crystals", kinds.size())
    error = kinds.effect.std() / np.sqrt(summary.crystals)
    reach = error * students_t.ppf((1 + CONFIDENCE) / 2, summary.crystals - 1)
    summary = summary.assign(low=summary.effect - reach, high=summary.effect + reach)
    return summary.sort_values("effect", ascending=False, kind="stable").reset_index()


def embedding_index(
    ids: Iterable[Any], crystals: Sequence[Any], graphs: Sequence[DualGraph], level: Level
) -> pd.MultiIndex:
    """Whose the vectors of motifs or atoms are.

    Args:
        ids: Of the S crystals.
        crystals: The structures that graphs were made of, or these graphs.
        graphs: Their graphs.
        level: Which nodes.

    Returns:
        Of each node the crystal, the name, the sites and the multiplicity.
    """
    owners = []
    for crystal, structure, graph in zip(ids, crystals, graphs, strict=True):
        sites = _sites_of_nodes(structure, graph)
        is_motif = level == "motif"
        names = graph.motifs.name.tolist() if is_motif else _symbols(graph)
        nodes = graph.motifs.center if is_motif else np.arange(len(names))
        counts = graph.atoms.multiplicity[nodes].tolist()
        owners += [
            (crystal, name, sites[node], count)
            for name, node, count in zip(names, nodes.tolist(), counts, strict=True)
        ]
    return pd.MultiIndex.from_tuples(owners, names=["crystal", "name", "sites", "multiplicity"])


def _rows(crystal: Any, structure: Any, graph: DualGraph, parts: Contributions) -> pd.DataFrame:
    sites, symbols = _sites_of_nodes(structure, graph), _symbols(graph)
    center = graph.motifs.center
    others = np.setdiff1d(np.arange(len(symbols)), center)
    node = np.concatenate([center, others])
    return pd.DataFrame(
        {
            "crystal": [crystal] * len(node),
            "kind": ["motif"] * len(center) + ["atom"] * len(others),
            "name": [*graph.motifs.name.tolist(), *(symbols[i] for i in others)],
            "element": [symbols[i] for i in node],
            "sites": [sites[i] for i in node],
            "multiplicity": graph.atoms.multiplicity[node],
            "contribution": np.concatenate([parts.motifs, np.zeros(len(others))]) + parts.atoms[node],
            "baseline": parts.baseline,
            "prediction": parts.prediction,
        }
    )


def _symbols(graph: DualGraph) -> list[str]:
    return [Element.from_Z(number).symbol for number in graph.atoms.atomic_number.tolist()]


def _sites_of_nodes(crystal: Structure | DualGraph, graph: DualGraph) -> list[tuple[int, ...]]:
    """The sites that each atom of a graph stands for; a crystal that was given as a graph does not tell."""
    n_nodes = len(graph.atoms.atomic_number)
    if isinstance(crystal, DualGraph) or n_nodes == len(crystal):
        return [(node,) for node in range(n_nodes)]
    orbit = site_orbits(CrystalArrays.of([crystal])).representative
    return [tuple(np.flatnonzero(orbit == first).tolist()) for first in np.unique(orbit)]
