"""What are motif vectors and motif features worth, on real crystals?

    python benchmarks/motif_features.py --cache folder

Data: mp2018. Scores random forests and gradient boosting of fixed settings on its oxides, trained on
the training split and scored on the validation split, with motif features, Magpie's composition
features, both, and matminer's SiteStatsFingerprint. Measures whether motifs with like vectors have like
shapes, against shuffled labels.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from common import load_crystals, parse, parser_of, write_result
from matminer.featurizers.base import BaseFeaturizer
from matminer.featurizers.composition import ElementProperty
from matminer.featurizers.structure import SiteStatsFingerprint
from numpy.typing import NDArray
from pymatgen.core import Structure
from sklearn.cluster import KMeans
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from amdnet_matminer import Motif2Vec, MotifFeaturizer
from amdnet_matminer.graphs import GraphCache
from amdnet_matminer.motifs import MotifGraph, motif_graphs_of
from amdnet_matminer.motifs.types import BondRule
from amdnet_matminer.pretrained import FOLDER

TARGETS = {"band_gap": "eV", "formation_energy_per_atom": "eV/atom"}
PRESET: dict[str, Any] = {"n_components": 32, "min_count": 2, "counting": "occurrence"}
FOREST: dict[str, Any] = {"n_estimators": 100, "max_features": 1 / 3, "random_state": 0}
BOOSTING: dict[str, Any] = {"max_iter": 500, "learning_rate": 0.1, "early_stopping": False, "random_state": 0}
FAMILIES = {
    "cubic": "cube",
    "cuboctahedral": "cuboctahedron",
    "octahedral": "octahedron",
    "tetrahedral": "tetrahedron or square plane",
    "square planar": "tetrahedron or square plane",
}
"""The clusters of the published map of motifs."""
PEER_TRAIN, PEER_TEST, TIMED = 1500, 400, 100
COMMON = 5
"""Motifs in at least this many crystals are common."""

Table = NDArray[np.float64]


def main() -> None:
    """Measure everything and write the results."""
    parser = parser_of(__doc__)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "amdnet-motif-features")
    parser.add_argument("--n_jobs", type=int, default=-1)
    options = parse(parser)
    options.cache.mkdir(parents=True, exist_ok=True)
    result = {
        "data": "mp2018 oxides, training and validation split",
        "purity": purities(options),
        "oxides": compare(options, None, None, with_peer=False),
        "peer": compare(options, PEER_TRAIN, PEER_TEST, with_peer=True),
        "milliseconds": times(),
        "forest": FOREST,
        "boosting": BOOSTING,
    }
    print(write_result("motif_features", result, options.allow_dirty))


def graphs_of(
    structures: list[Structure], options: argparse.Namespace, bonds: BondRule = "either"
) -> list[MotifGraph]:
    """The motif graphs of crystals, kept in the cache folder."""
    cache = GraphCache(options.cache / "graphs", motif_graphs_of, MotifGraph, bonds=bonds)
    return cache.all_graphs(structures, options.n_jobs, verbose=True)


def purities(options: argparse.Namespace) -> dict[str, Any]:
    """Purity of the pretrained vectors, and of ones fitted to oxides alone as the published map was."""
    oxides = graphs_of(load_crystals("mp2018", split="train", oxides=True)[0], options)
    start = perf_counter()
    fitted = Motif2Vec(**PRESET).fit(oxides)
    seconds = round(perf_counter() - start, 1)
    return {
        "pretrained": purity(Motif2Vec.load(FOLDER / "mp2018.npz"), 1),
        "pretrained, common motifs": purity(Motif2Vec.load(FOLDER / "mp2018.npz"), COMMON),
        "oxides": purity(fitted, 1) | {"crystals": len(oxides), "fit_seconds": seconds},
        "oxides, common motifs": purity(fitted, COMMON),
    }


def purity(model: Motif2Vec, min_crystals: int) -> dict[str, Any]:
    """Whether motifs with like vectors have like shapes, beside shuffled labels.

    Args:
        model: Fitted motif vectors.
        min_crystals: Motifs in fewer crystals are left out, as are those without neighbours.

    Returns:
        Each measure, as found and with shuffled labels.
    """
    table = model.to_frame()[np.linalg.norm(model.vectors_, axis=1) > 0]
    table = table[table.crystals >= min_crystals]
    vectors = normalize(table.filter(like="motif vector").to_numpy())
    in_family = table.geometry.isin(FAMILIES).to_numpy()
    family = table.geometry[in_family].map(FAMILIES).to_numpy(dtype=str)
    nearest, nearest_in_family = neighbors(vectors), neighbors(vectors[in_family])
    cluster = KMeans(12, n_init=5, random_state=0).fit_predict(vectors[in_family])
    return {
        "motifs": len(table),
        **{
            f"same {part}": against_shuffled(neighbor_purity, nearest, table[part].to_numpy(dtype=str))
            for part in ("geometry", "center", "ligands")
        },
        "families": {
            name: against_shuffled(neighbor_purity, nearest_in_family, family, name)
            for name in np.unique(family).tolist()
        },
        "clusters": against_shuffled(cluster_purity, cluster, family),
    }


def neighbors(vectors: Table) -> NDArray[np.intp]:
    """The ten nearest by cosine of unit vectors, shape (V, 10)."""
    # Without an argument kneighbors leaves each one itself out, also among equal vectors.
    return NearestNeighbors(n_neighbors=10).fit(vectors).kneighbors(return_distance=False)


def against_shuffled(
    measure: Callable[..., float], found: NDArray[np.integer], label: NDArray[np.str_], *options: Any
) -> dict[str, float]:
    """How pure neighbours or clusters are, and the mean of this over five shufflings of the labels."""
    rng = np.random.default_rng(0)
    shuffled = [measure(found, rng.permutation(label), *options) for _ in range(5)]
    return {"found": measure(found, label, *options), "shuffled": float(np.mean(shuffled))}


def neighbor_purity(nearest: NDArray[np.intp], label: NDArray[np.str_], of: str | None = None) -> float:
    """Fraction of the nearest neighbours with the same label: of all motifs, or of those of one label."""
    chosen = np.full(len(label), True) if of is None else label == of
    return float((label[nearest[chosen]] == label[chosen][:, None]).mean())


def cluster_purity(cluster: NDArray[np.integer], label: NDArray[np.str_]) -> float:
    """Fraction of the motifs whose label is the commonest of their cluster."""
    return float(pd.crosstab(cluster, label).max(axis=1).sum() / len(label))


def compare(
    options: argparse.Namespace, n_train: int | None, n_test: int | None, with_peer: bool
) -> dict[str, Any]:
    """Errors of the models with each set of features."""
    parts = [
        load_crystals("mp2018", split=s, oxides=True, limit=n)
        for s, n in (("train", n_train), ("val", n_test))
    ]
    structures = [structure for part in parts for structure in part[0]]
    labels = pd.concat([part[1] for part in parts], ignore_index=True)
    training = np.arange(len(labels)) < len(parts[0][0])
    features = tables(structures, labels.id, options, with_peer)
    scores: dict[str, Any] = {"n_training": int(training.sum()), "n_test": int((~training).sum())}
    for target in TARGETS:
        y = labels[target].to_numpy()
        scores[target] = {"mean value": score(DummyRegressor(), np.zeros((len(y), 1)), y, training)}
        for name, table in features.items():
            forest = RandomForestRegressor(**FOREST, n_jobs=options.n_jobs)
            scores[target][name] = {
                "random forest": score(forest, table, y, training),
                "boosting": score(HistGradientBoostingRegressor(**BOOSTING), table, y, training),
            }
            print(target, name, scores[target][name], flush=True)
    return scores


def tables(
    structures: list[Structure], ids: pd.Series, options: argparse.Namespace, with_peer: bool
) -> dict[str, Table]:
    """The feature sets; those of matminer are kept in the cache folder."""
    motifs = MotifFeaturizer(pretrained="mp2018", cache_dir=options.cache / "graphs", verbose=1)
    motifs.set_n_jobs(options.n_jobs)
    compositions = [structure.composition for structure in structures]
    magpie = kept("magpie", ElementProperty.from_preset("magpie"), compositions, ids, options)
    found = {"motifs": motifs.transform(structures), "Magpie": magpie}
    found["motifs and Magpie"] = np.hstack([found["motifs"], found["Magpie"]])
    if with_peer:
        found["SiteStatsFingerprint"] = kept("site_stats", peer(), structures, ids, options)
    return found


def kept(
    name: str, featurizer: BaseFeaturizer, entries: list[Any], ids: pd.Series, options: argparse.Namespace
) -> Table:
    """Features of a matminer featurizer, computed only for what is not in the cache folder yet."""
    file = options.cache / f"{name}.pkl"
    labels = featurizer.feature_labels()
    done = pd.read_pickle(file) if file.exists() else pd.DataFrame(columns=labels, dtype=float)
    entry_of = dict(zip(ids, entries, strict=True))
    missing = [key for key in entry_of if key not in done.index]
    for start in range(0, len(missing), 200):
        keys = missing[start : start + 200]
        rows = pd.DataFrame([featurizer.featurize(entry_of[key]) for key in keys], keys, labels)
        done = pd.concat([done, rows]) if len(done) else rows
        done.to_pickle(file)
    return done.loc[ids].to_numpy(dtype=float)


def peer() -> SiteStatsFingerprint:
    """The peer: statistics of the same fingerprint over the sites."""
    return SiteStatsFingerprint.from_preset("CrystalNNFingerprint_ops")


def score(model: Any, table: Table, y: Table, training: NDArray[np.bool_]) -> float:
    """Mean absolute error on what is not for training."""
    model.fit(table[training], y[training])
    return float(np.abs(model.predict(table[~training]) - y[~training]).mean())


def times() -> dict[str, float]:
    """Mean time of a crystal, ours and the peer's in turn on one core, in milliseconds."""
    structures, _ = load_crystals("mp2018", split="val", oxides=True, limit=TIMED)
    featurizers = {"motifs": MotifFeaturizer.from_preset("mp2018"), "SiteStatsFingerprint": peer()}
    seconds = dict.fromkeys(featurizers, 0.0)
    for featurizer in featurizers.values():
        featurizer.featurize(structures[0].copy())
    for structure in structures:
        for name, featurizer in featurizers.items():
            fresh = structure.copy()
            start = perf_counter()
            featurizer.featurize(fresh)
            seconds[name] += perf_counter() - start
    return {name: 1000 * value / len(structures) for name, value in seconds.items()}


if __name__ == "__main__":
    main()
