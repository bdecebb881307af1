"""How far a prediction can be trusted: calibrated spread, and crystals unlike those of the training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.graphs import DualGraph

WITHIN_ONE_STD = 0.6827
"""Part of a normal distribution that is within one standard deviation of its mean."""


def std_factor(error: NDArray[np.float64], spread: NDArray[np.float64]) -> float:
    """The factor that makes the spread of an ensemble a standard deviation.

    With it, 68.27 % of the errors are smaller than the spread, as of a normal
    distribution; the few large errors that crystals always give do not count for more.

    Args:
        error: Mean prediction less label, of crystals that took no part in training,
            NaN where there is no label, any shape.
        spread: Standard deviation over the members of the ensemble, the same shape.

    Returns:
        The factor; 1 if no crystal has both a label and a spread.
    """
    usable = np.isfinite(error) & (spread > 0.0)
    if not usable.any():
        return 1.0
    return float(np.quantile(np.abs(error[usable]) / spread[usable], WITHIN_ONE_STD))


class Domain(NamedTuple):
    """What a model has seen in training."""

    motifs: frozenset[str]
    """Names of motifs, such as ``"TiO6 octahedral"``."""
    elements: frozenset[int]
    """Atomic numbers."""

    @classmethod
    def of(cls, graphs: Iterable[DualGraph]) -> Domain:
        """What is in some crystals.

        Args:
            graphs: The crystals.

        Returns:
            Their motifs and elements.
        """
        motifs: set[str] = set()
        elements: set[int] = set()
        for graph in graphs:
            motifs.update(graph.motifs.name.tolist())
            elements.update(graph.atoms.atomic_number.tolist())
        return cls(frozenset(motifs), frozenset(elements))

    def union(self, *others: Domain) -> Domain:
        """What is in any of several."""
        motifs, elements = zip(self, *others, strict=True)
        return Domain(frozenset().union(*motifs), frozenset().union(*elements))

    def novelty(self, graphs: Sequence[DualGraph]) -> NDArray[np.float64]:
        """How much of each crystal has not been seen.

        Args:
            graphs: S crystals.

        Returns:
            Of each the larger of two parts: that of its motifs whose name is new, and
            that of its atoms whose element is new; shape (S,), from 0 to 1.
        """
        parts = [
            (
                _new_part(graph.motifs.name, graph.motifs.multiplicity, self.motifs),
                _new_part(graph.atoms.atomic_number, graph.atoms.multiplicity, self.elements),
            )
            for graph in graphs
        ]
        return np.array(parts, dtype=np.float64).max(axis=1)


def _new_part(
    kinds: NDArray, multiplicity: NDArray[np.integer], seen: frozenset[str] | frozenset[int]
) -> float:
    is_new = np.array([kind not in seen for kind in kinds.tolist()], dtype=bool)
    return float(multiplicity[is_new].sum() / max(multiplicity.sum(), 1))
