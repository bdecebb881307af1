"""Why a fitted estimator predicts what it does: contributions and vectors of motifs and atoms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from sklearn.utils.validation import check_is_fitted

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.estimators.fitted import Crystals, FittedEstimator

if TYPE_CHECKING:
    from amdnet_matminer.explanations.members import Level
    from amdnet_matminer.network.gradients import Quantity


class ExplainedEstimator(FittedEstimator):
    """A fitted estimator that tells motifs and atoms of crystals apart."""

    def explain(self, X: Crystals, target: Any = None) -> pd.DataFrame:
        """Share out the predictions of crystals to their motifs and atoms.

        By integrated gradients (Sundararajan et al., Proc. Mach. Learn. Res. 70, 3319, 2017) over the
        last vectors of motifs and atoms, from vectors that are 0, which tell nothing. Of an ensemble the
        mean over its networks. ``amdnet_matminer.explanations.summarize_explanation`` says what each kind
        of motif does in many crystals.

        Args:
            X: S crystals.
            target: Of several targets the number of the column that is explained, of several classes
                the class; of two classes the second without.

        Returns:
            Of each crystal, by its index in a Series or else its number, a row for each motif and for
            each atom that is the centre of none: ``crystal``, ``kind`` (``"motif"`` or ``"atom"``), ``name``,
            ``element``, equivalent ``sites``, how many they are (``multiplicity``), and the
            ``contribution`` of all of them, in the unit of the target; that of a motif has its
            centre's. The crystal's ``baseline`` and contributions add up to its ``prediction``, which is
            that of ``predict`` before ``non_negative``, and of a classifier the mean log-odds of the
            class. Of a graph, which does not tell them, sites are the numbers of its atoms.

        Raises:
            NotFittedError: ``fit`` has not been called.
            StructureError: A structure cannot be used.
            DatasetError: Two crystals of a Series have one index.
            NotImplementedError: The network does not read crystals from vectors of atoms and motifs
                alone, as ``"megnet"`` and ``"amdnet-2021"`` do not.
            ValueError: There is no such target, or several are, and none is given.
        """
        from amdnet_matminer.explanations.members import explain_members
        from amdnet_matminer.explanations.tables import explanation_table

        check_is_fitted(self)
        fitted = self._as_fitted()
        quantity = fitted._explained(target)
        crystals = self.converter_.check(X)
        ids = _ids_of(X, len(crystals))
        graphs = self._converted(self.converter_, crystals)
        parts = explain_members(fitted._compilation(len(graphs)), self.weights_, graphs, quantity)
        if getattr(fitted, "extensive", False):
            parts = [part.times(graph.n_atoms) for part, graph in zip(parts, graphs, strict=True)]
        return explanation_table(ids, crystals, graphs, parts)

    def embed(self, X: Crystals, level: Level) -> pd.DataFrame:
        """Give the last vectors of motifs or of atoms, those that crystals are read from.

        Args:
            X: S crystals.
            level: ``"motif"`` or ``"atom"``.

        Returns:
            A row for each, with the vectors of all M networks side by side; its index has ``crystal``,
            ``name`` (of the motif, or the element), ``sites`` and ``multiplicity``, as in ``explain``.
            Shape (N, M D).

        Raises:
            NotFittedError: ``fit`` has not been called.
            StructureError: A structure cannot be used.
            DatasetError: Two crystals of a Series have one index.
            NotImplementedError: As in ``explain``.
            ValueError: There is no such level.
        """
        from amdnet_matminer.explanations.members import embed_members
        from amdnet_matminer.explanations.tables import embedding_index

        check_is_fitted(self)
        crystals = self.converter_.check(X)
        ids = _ids_of(X, len(crystals))
        graphs = self._converted(self.converter_, crystals)
        compilation = self._as_fitted()._compilation(len(graphs))
        vectors = embed_members(compilation, self.weights_, graphs, level)
        index = embedding_index(ids, crystals, graphs, level)
        return pd.DataFrame(vectors, index).add_prefix(type(self).__name__.lower())

    def _explained(self, target: Any) -> Quantity:
        """What ``explain`` shares out, of the outputs of a network."""
        raise NotImplementedError


def _ids_of(X: Any, n_crystals: int) -> Sequence[Any]:
    if not isinstance(X, pd.Series):
        return range(n_crystals)
    repeated = X.index[X.index.duplicated()]
    if len(repeated):
        raise DatasetError(
            "is there more than once",
            "give each crystal its own, for instance with reset_index(drop=True)",
            item=repeated[0],
            subject="id",
        )
    return X.index.tolist()
