"""Do explanations find what a property is made of, and what do they cost?

    python benchmarks/explanations.py

Data: random metal oxides of mp2018, training and validation part. Two properties are made from their motifs:
the mean over the motifs of a crystal of values that are drawn for each element at the centre and for each
shape, and the mean number of neighbours that a motif shares a face with. A small network learns both;
another learns the same labels in random order. Measured on crystals of the validation part:

- Rank correlation between what is planted on a motif and its contribution (per share of the crystal's
  motifs), over all motifs, and over kinds of motifs that at least five crystals have. Many motifs share no
  face, and contributions, which are all different, cannot have a rank correlation of 1 with as many zeros:
  the largest possible one is given too.
- How much predictions change when the motif with the largest contribution is deleted from the graph, against
  another one of the same crystal and multiplicity, chosen at random.
- Seconds to explain 100 crystals with the shipped model of band gaps, and to predict them, graphs at hand, by
  turns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from common import load_crystals, parse, parser_of, write_result
from numpy.typing import NDArray
from scipy.stats import spearmanr

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.explanations import summarize_explanation
from amdnet_matminer.graphs import DualGraph
from amdnet_matminer.motifs import MotifGraph
from amdnet_matminer.motifs.motif2vec import motif_parts

N_ROUNDS = 9
TARGETS = ("values of kinds", "neighbours at faces")
Table = NDArray[np.float64]


def main() -> None:
    """Measure, and write the result."""
    parser = parser_of(__doc__)
    parser.add_argument("--training", type=int, default=4000, help="crystals (default: %(default)s)")
    parser.add_argument("--tested", type=int, default=400, help="crystals (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=40, help="default: %(default)s")
    options = parse(parser)
    structures = [
        load_crystals("mp2018", split=split, oxides=True, limit=limit)[0]
        for split, limit in (("train", options.training), ("val", options.tested))
    ]
    # What is planted on a motif is known from it and its neighbours: one block sees both.
    settings = {"width": 32, "n_blocks": 1, "dropout": 0.0, "learning_rate": 5e-3, "epochs": options.epochs}
    model = AMDNetRegressor(**settings, loss="mse", random_state=0)
    training, tested = (model.graph_converter().convert_many(part) for part in structures)
    result = {"data": "mp2018 oxides", "training": len(training), "tested": len(tested), "seed": 0}
    result |= settings | planted(model, training, tested)
    result["seconds of 100 crystals"] = speed(structures[1][:100])
    print(result)
    print(write_result("explanations", result, options.allow_dirty))


def planted(
    model: AMDNetRegressor, training: Sequence[DualGraph], tested: Sequence[DualGraph]
) -> dict[str, Any]:
    """What a model of two properties that are made from motifs says of these.

    Args:
        model: What is fitted.
        training: Crystals to fit it to.
        tested: Others, which are explained.

    Returns:
        By target: errors, rank correlations, of labels in random order too, and changes by deletions.
    """
    value = values_of_kinds([*training, *tested])
    labels, answers = (
        np.array([[share(graph.motifs) @ on_motifs(graph.motifs, value)] for graph in part])[:, 0]
        for part in (training, tested)
    )
    random_order = np.random.default_rng(1).permutation(labels)
    scores: dict[str, Any] = {name: {} for name in TARGETS}
    for kind, y in (("", labels), (" of labels in random order", random_order)):
        model.fit(training, y)
        predicted = model.predict(tested)
        for column, name in enumerate(TARGETS):
            explanation = model.explain(tested, target=column)
            scores[name][f"rank correlation{kind}"] = recovered(explanation, tested, value, column)
            if kind == "":
                error = np.abs(predicted - answers)[:, column].mean()
                spread = np.abs(answers - labels.mean(axis=0))[:, column].mean()
                scores[name] |= {"mae": float(error), "mae of the mean": float(spread)}
                scores[name]["deletion"] = deletion(model, tested, explanation, column)
    return scores


def values_of_kinds(graphs: Sequence[DualGraph]) -> dict[str, float]:
    """For each kind of motif the sum of a random value of its centre and one of its shape."""
    names = sorted({name for graph in graphs for name in graph.motifs.name.tolist()})
    parts = [motif_parts(name) for name in names]
    rng = np.random.default_rng(0)
    drawn = {part: rng.normal() for part in sorted({part for p in parts for part in (p.center, p.geometry)})}
    return {name: drawn[p.center] + drawn[p.geometry] for name, p in zip(names, parts, strict=True)}


def on_motifs(motifs: MotifGraph, value: dict[str, float]) -> Table:
    """What both properties have of each motif, shape (M, 2)."""
    faces = np.where(motifs.n_shared >= 3, motifs.edge_multiplicity, 0)
    number = np.bincount(motifs.receiver, faces, len(motifs.center))
    return np.stack([[value[name] for name in motifs.name.tolist()], number], axis=1)


def share(motifs: MotifGraph) -> Table:
    """The part of a crystal's motifs that each stands for, shape (M,)."""
    return motifs.multiplicity / max(motifs.multiplicity.sum(), 1)


def recovered(
    explanation: pd.DataFrame, graphs: Sequence[DualGraph], value: dict[str, float], column: int
) -> dict[str, float]:
    """Rank correlations of what was planted and what was found."""
    rows = explanation[explanation.kind == "motif"]
    truth = np.concatenate([on_motifs(graph.motifs, value)[:, column] for graph in graphs])
    shares = np.concatenate([share(graph.motifs) for graph in graphs])
    found = rows.contribution.to_numpy() / shares
    kinds = summarize_explanation(rows).query("crystals >= 5").set_index("name").effect
    mean = pd.Series(truth).groupby(rows.name.to_numpy()).mean()
    return {
        "of motifs": float(spearmanr(truth, found).statistic),
        "of kinds": float(spearmanr(mean[kinds.index], kinds).statistic),
        "of motifs, largest possible": largest_rank_correlation(truth),
        "of kinds, largest possible": largest_rank_correlation(mean[kinds.index].to_numpy()),
        "motifs": len(rows),
        "kinds": len(kinds),
    }


def largest_rank_correlation(truth: Table) -> float:
    """Of values, some of which are equal, with any that are all different."""
    order = np.argsort(truth, kind="stable")
    return float(spearmanr(truth[order], np.arange(len(truth))).statistic)


def deletion(
    model: AMDNetRegressor, graphs: Sequence[DualGraph], explanation: pd.DataFrame, column: int
) -> dict[str, float]:
    """Mean change of predictions without the motif that contributes most, and without another."""
    rng = np.random.default_rng(2)
    motifs = explanation[explanation.kind == "motif"].groupby("crystal")
    cases: list[tuple[Any, int, int]] = []
    for crystal, rows in motifs:
        largest = int(rows.contribution.abs().to_numpy().argmax())
        same = np.flatnonzero(rows.multiplicity == rows.multiplicity.iloc[largest])
        others = same[same != largest]
        if len(others):
            cases.append((crystal, largest, int(rng.choice(others))))
    predicted = model.predict(graphs)[:, column]
    crystals = [case[0] for case in cases]
    named, other = (
        np.abs(
            model.predict([without(graphs[case[0]], case[place]) for case in cases])[:, column]
            - predicted[crystals]
        )
        for place in (1, 2)
    )
    return {
        "crystals": len(cases),
        "largest contribution": float(named.mean()),
        "another": float(other.mean()),
        "part where the first is more": float((named > other).mean()),
    }


def without(graph: DualGraph, motif: int) -> DualGraph:
    """A graph without one of its motifs; its atoms stay."""
    motifs = graph.motifs
    kept = np.arange(len(motifs.center)) != motif
    edges = (motifs.sender != motif) & (motifs.receiver != motif)
    bonds = np.repeat(kept, motifs.coordination)
    fields: dict[str, NDArray[Any]] = {}
    for name, values in motifs._asdict().items():
        if name in ("ligand", "ligand_image", "bond_length"):
            fields[name] = values[bonds]
        elif name in ("sender", "receiver"):
            fields[name] = (values - (values > motif))[edges].astype(values.dtype)
        elif name in ("image", "distance", "n_shared", "angle", "edge_multiplicity"):
            fields[name] = values[edges]
        elif name != "ligand_offset":
            fields[name] = values[kept]
    offset = np.concatenate([[0], np.cumsum(motifs.coordination[kept])]).astype(np.int32)
    return replace(graph, motifs=MotifGraph(ligand_offset=offset, **fields))


def speed(structures: Sequence[Any]) -> dict[str, float]:
    """Median times of calls by turns, in seconds, after one of each."""
    model = AMDNetRegressor.from_pretrained("mp2018-band-gap")
    graphs = model.converter_.convert_many(structures)
    calls: dict[str, Callable[[Any], Any]] = {"predict": model.predict, "explain": model.explain}
    rounds = pd.DataFrame(
        [{name: seconds(call, graphs) for name, call in calls.items()} for _ in range(1 + N_ROUNDS)]
    )
    medians = rounds[1:].median()
    return {name: float(medians[name]) for name in calls} | {"rounds": N_ROUNDS}


def seconds(call: Callable[[Any], Any], argument: Any) -> float:
    """Of one call."""
    start = perf_counter()
    call(argument)
    return perf_counter() - start


if __name__ == "__main__":
    main()
