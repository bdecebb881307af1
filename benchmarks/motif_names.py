"""What are motifs called, do they have all their ligands, and what is that worth, by each rule of bonds?

    python benchmarks/motif_names.py
    python benchmarks/motif_names.py --crystals 300 --judged 100

Data: mp2018, validation part. Counts the motifs that lack ligands by their centre's own list, those without
ligands, those of nobody's list, and the names: today's, by the continuous symmetry measure, and by the
largest order parameter of the fingerprint, as they were before, which has no trigonal prism and names
motifs that are far from any shape. Compares the measure with that of ChemEnv. With ``--forests`` it scores
random forests on motif features (all but the vectors) of 1,500 and 400 oxides by each rule. Writes
``results/motif_names.json``.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from common import load_crystals, parse, parser_of, write_result
from motif_features import FOREST, PEER_TEST, PEER_TRAIN, TARGETS, score
from numpy.typing import NDArray
from pymatgen.analysis.chemenv.coordination_environments.coordination_geometry_finder import (
    AbstractGeometry,
    LocalGeometryFinder,
)
from pymatgen.core import Structure
from sklearn.ensemble import RandomForestRegressor
from tqdm import tqdm

from amdnet_matminer.motifs import FINGERPRINT_LABELS, MotifGraph, motif_graph
from amdnet_matminer.motifs.features import FEATURE_GROUPS, Crystal
from amdnet_matminer.motifs.motif2vec import motif_parts
from amdnet_matminer.motifs.polyhedra import polyhedra
from amdnet_matminer.motifs.types import BOND_RULES, BondRule

UNLIKE = 0.4
"""Below this largest order parameter robocrystallographer names no shape."""
TOLERANCE = 0.01
"""Measures are equal that differ less."""


class Found(NamedTuple):
    """The motifs of a crystal by both rules."""

    structure: Structure
    graphs: dict[BondRule, MotifGraph]


def main() -> None:
    """Count and compare."""
    parser = parser_of(__doc__)
    parser.add_argument("--crystals", type=int, help="a random sample of the validation part (default: all)")
    parser.add_argument("--judged", type=int, default=500, help="motifs that ChemEnv looks at")
    parser.add_argument("--forests", action="store_true")
    options = parse(parser)
    structures, _ = load_crystals("mp2018", split="val", limit=options.crystals)
    found = [Found(s, {rule: motif_graph(s, bonds=rule) for rule in BOND_RULES}) for s in tqdm(structures)]
    result = {
        "crystals": len(found),
        "motifs": sum(len(each.graphs["own"].center) for each in found),
        "ligands": lacking(found),
        "names": {rule: names([each.graphs[rule] for each in found]) for rule in BOND_RULES},
        "names by order parameters": former_names([each.graphs["own"] for each in found]),
        "against ChemEnv": against_chemenv(found, options.judged),
    }
    if options.forests:
        result["forests on oxides"] = forests()
    print(write_result("motif_names", result, options.allow_dirty))


def lacking(found: list[Found]) -> dict[str, int]:
    """How many motifs, in how many crystals, have ligands that only list them."""
    fewer = [each.graphs["own"].coordination < each.graphs["either"].coordination for each in found]
    return {
        "motifs that lack some by their own list": sum(int(each.sum()) for each in fewer),
        "crystals with such motifs": sum(bool(each.any()) for each in fewer),
    }


def names(graphs: list[MotifGraph]) -> dict[str, Any]:
    """How many motifs have a name of each kind."""
    geometries = Counter(motif_parts(name).geometry for graph in graphs for name in graph.name.tolist())
    by_number = sum(n for geometry, n in geometries.items() if geometry.endswith("-coordinate"))
    return {
        "isolated": geometries["isolated"],
        "bonded, but without ligands": geometries["0-coordinate"],
        "by the number of ligands alone": by_number,
        "after a polyhedron": geometries.total() - by_number - geometries["isolated"],
        "trigonal prismatic": geometries["trigonal prismatic"],
        "commonest": dict(geometries.most_common(20)),
    }


def former_names(graphs: list[MotifGraph]) -> dict[str, float]:
    """How many motifs the largest order parameter named, and how many of these were unlike the shape."""
    likeness = np.concatenate([_likeness(graph) for graph in graphs])
    measure = np.concatenate([graph.symmetry_measure for graph in graphs])
    named = likeness > 0
    return {
        "after a shape": int(named.sum()),
        f"of these with a likeness below {UNLIKE}": int((likeness[named] < UNLIKE).sum()),
        "isolated, that is without ligands": sum(int((graph.coordination == 0).sum()) for graph in graphs),
        "median symmetry measure of the likenesses from 0.35 to 0.45": float(
            np.median(measure[(likeness > 0.35) & (likeness < 0.45)])
        ),
    }


def _likeness(graph: MotifGraph) -> NDArray[np.float32]:
    """The largest order parameter of each motif among those of its number of ligands, shape (M,)."""
    best = np.zeros(len(graph.center), dtype=np.float32)
    for m, n in enumerate(graph.coordination.tolist()):
        columns = [
            column
            for column, label in enumerate(FINGERPRINT_LABELS)
            if label.endswith(f" CN_{n}") and not label.startswith(("wt ", "q"))
        ]
        best[m] = graph.fingerprint[m, columns].max(initial=0.0)
    return best


def against_chemenv(found: list[Found], n_judged: int) -> dict[str, Any]:
    """The measure beside ChemEnv's smallest, for one motif of each name of each crystal, drawn at random."""
    kinds = [
        (each.structure, graph, int(m))
        for each in found
        for graph in [each.graphs["either"]]
        for m in np.unique(graph.name, return_index=True)[1]
        if graph.coordination[m] > 1 and polyhedra(int(graph.coordination[m])).name
    ]
    chosen = np.random.default_rng(0).permutation(len(kinds))[:n_judged]
    pairs = [(kinds[i][1].symmetry_measure[kinds[i][2]], chemenv(*kinds[i])) for i in tqdm(chosen)]
    ours, theirs = np.array(pairs).reshape(-1, 2).T
    return {
        "motifs": len(ours),
        "equal": int((np.abs(ours - theirs) < TOLERANCE).sum()),
        "ours is smaller: another numbering fits better": int((ours < theirs - TOLERANCE).sum()),
        "ours is larger": int((ours > theirs + TOLERANCE).sum()),
        "largest excess of ours": float((ours - theirs).max()),
    }


def chemenv(structure: Structure, graph: MotifGraph, motif: int) -> float:
    """ChemEnv's smallest symmetry measure of a motif."""
    own = slice(*graph.ligand_offset[motif : motif + 2])
    ends = structure.cart_coords[graph.ligand[own]] + graph.ligand_image[own] @ structure.lattice.matrix
    finder = LocalGeometryFinder()
    finder.local_geometry = AbstractGeometry(
        np.zeros(3), ends - structure.cart_coords[graph.center[motif]], "centroid", True
    )
    measures = finder.get_coordination_symmetry_measures(only_minimum=True, all_csms=False)
    return min(each["csm"] for each in measures.values())


def forests() -> dict[str, Any]:
    """Errors of random forests on the motif features of oxides, by rule of bonds and target."""
    parts = [
        load_crystals("mp2018", split=split, oxides=True, limit=n)
        for split, n in (("train", PEER_TRAIN), ("val", PEER_TEST))
    ]
    structures = [structure for part in parts for structure in part[0]]
    labels = pd.concat([part[1] for part in parts], ignore_index=True)
    training = np.arange(len(labels)) < len(parts[0][0])
    features = {rule: np.array([_features(s, rule) for s in tqdm(structures)]) for rule in BOND_RULES}
    return {
        rule: {
            target: score(RandomForestRegressor(**FOREST), table, labels[target].to_numpy(), training)
            for target in TARGETS
        }
        for rule, table in features.items()
    }


def _features(structure: Structure, rule: BondRule) -> NDArray[np.float64]:
    graph = motif_graph(structure, bonds=rule)
    crystal = Crystal(graph, np.array(structure.atomic_numbers), structure.volume)
    groups = FEATURE_GROUPS.values()
    return np.concatenate([quantities.features(crystal) for group in groups for quantities in group])


if __name__ == "__main__":
    main()
