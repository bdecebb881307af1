"""The benchmark of explanations, on few crystals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from explanations import (
    deletion,
    largest_rank_correlation,
    on_motifs,
    recovered,
    share,
    values_of_kinds,
    without,
)

from amdnet_matminer.graphs import DualGraphConverter, check_graph


@pytest.fixture(scope="module")
def graphs(corundum, perovskite, spinel):
    return DualGraphConverter().convert_many([corundum, perovskite, spinel])


def test_a_motif_is_deleted_with_its_edges_and_ligands(graphs) -> None:
    whole = graphs[1].motifs
    for number, name in enumerate(whole.name.tolist()):
        left = without(graphs[1], number)
        check_graph(left)
        (other,) = left.motifs.name.tolist()
        assert other != name
        kept = whole.sender[whole.receiver == 1 - number] == 1 - number
        np.testing.assert_array_equal(
            left.motifs.distance, whole.distance[whole.receiver == 1 - number][kept]
        )
        assert left.motifs.coordination.tolist() == [whole.coordination[1 - number]]


def test_what_is_planted(graphs) -> None:
    value = values_of_kinds(graphs)
    planted = on_motifs(graphs[0].motifs, value)
    assert planted.tolist() == [[value["AlO6 octahedral"], 1.0]]  # one face in corundum
    np.testing.assert_allclose(share(graphs[2].motifs).sum(), 1)


def test_equal_values_bound_the_rank_correlation() -> None:
    assert largest_rank_correlation(np.array([3.0, 1.0, 2.0])) == pytest.approx(1)
    # Ranks 1.5, 1.5, 3 and 1, 2, 3 have covariance 1.5 and variances 1.5 and 2, each times n.
    assert largest_rank_correlation(np.array([0.0, 5.0, 0.0])) == pytest.approx(1.5 / np.sqrt(1.5 * 2))


def test_recovery_and_deletion_tell_right_from_wrong(graphs) -> None:
    value = values_of_kinds(graphs)
    shares = np.concatenate([share(graph.motifs) for graph in graphs])
    truth = np.concatenate([on_motifs(graph.motifs, value)[:, 0] for graph in graphs])
    owner = np.repeat(range(3), [len(graph.motifs.center) for graph in graphs])
    names = np.concatenate([graph.motifs.name for graph in graphs])
    multiplicity = np.concatenate([graph.motifs.multiplicity for graph in graphs])
    rows = {"crystal": owner, "kind": "motif", "name": names, "multiplicity": multiplicity}
    for sign in (1, -1):
        explanation = pd.DataFrame(rows | {"contribution": sign * truth * shares})
        assert recovered(explanation, graphs, value, 0)["of motifs"] == pytest.approx(sign)

    class Counting:
        """Says whether there is a motif of strontium."""

        def predict(self, some):
            return np.array([["SrO12 cuboctahedral" in graph.motifs.name] for graph in some], dtype=float)

    explanation = pd.DataFrame(rows | {"contribution": np.where(names == "SrO12 cuboctahedral", 1.0, 0.1)})
    found = deletion(Counting(), graphs, explanation, 0)
    assert found["crystals"] == 1
    assert (found["largest contribution"], found["another"]) == (1.0, 0.0)
