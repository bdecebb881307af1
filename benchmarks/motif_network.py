"""Does a network of materials and motifs find materials of like properties, and is it fast?

    python benchmarks/motif_network.py --part accuracy
    python benchmarks/motif_network.py --part transform
    python benchmarks/motif_network.py --part speed

Data: matbench_mp. Accuracy: band gap and formation energy of a random fifth of the rows, predicted by the
distance-weighted mean of the nearest of the other rows in the network's embedding. How many and how
weighted is chosen on a tenth of those other rows; the fifth has no part in it. The published network has
0.601 eV and 0.157 eV/atom on a set of its own (Aryal et al., arXiv 2601.17170, 2026).

Transform: the same in what ``transform`` of the shipped models gives, on the part of the fifth that these
have not seen: no crystal of mp2018, which they were trained and judged on, and none of the same formula
as one of these with a volume per atom within 1%.

Speed: time to build the network of all rows, size, milliseconds of a query and peak memory.
"""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from common import load_crystals, parse, parser_of, write_result
from numpy.typing import NDArray
from pymatgen.core import Structure
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from amdnet_matminer import AMDNetRegressor, MotifNetwork

DATA = "matbench_mp"


class Target(NamedTuple):
    """A property, and what is known of it."""

    row: str
    """The column that says whether a crystal has one, -1 if not."""
    model: str
    """The shipped model that was trained on it."""
    unit: str
    goal: float


TARGETS = {
    "gap_pbe": Target("row_mp_gap", "mp2018-band-gap", "eV", 0.45),
    "e_form": Target("row_mp_e_form", "mp2018-formation-energy", "eV/atom", 0.10),
}
TWIN = 0.01
"""Largest relative difference of volumes per atom of crystals of one formula that count as the same."""
NUMBERS, POWERS = (1, 3, 4, 5, 6, 8, 12), (1, 2, 4, 6)
"""Of neighbours, and of the distance in their weight; chosen on a part of the training rows."""
N_QUERIES, N_BRIDGES = 100, 10
N_TUNED = 20_000
"""Size of the random sample that the weights of the embedding were chosen on; none of it is held out."""

Table = NDArray[np.floating]


def main() -> None:
    """Measure one part and write its result."""
    parser = parser_of(__doc__)
    parser.add_argument("--part", choices=PARTS, required=True)
    parser.add_argument("--crystals", type=int, help="a random sample of so many (default: all)")
    parser.add_argument("--n_jobs", type=int, default=1, help="default: %(default)s")
    options = parse(parser)
    structures, table = load_crystals(DATA, limit=options.crystals)
    result = {"data": DATA, "crystals": len(structures)} | PARTS[options.part](
        structures, table, options.n_jobs
    )
    print(result)
    if options.crystals is None:
        print(write_result(f"motif_network-{options.part}", result, options.allow_dirty))


def accuracy(structures: list[Structure], table: pd.DataFrame, n_jobs: int) -> dict[str, Any]:
    """Errors on a random fifth, which the embedding has not seen either."""
    held_out, training = split(len(structures))
    network = MotifNetwork(n_jobs=n_jobs).fit((structures[i] for i in training), training.tolist())
    vectors = np.empty((len(structures), network.vectors_.shape[1]), network.vectors_.dtype)
    vectors[training] = network.vectors_
    vectors[held_out] = network.transform(structures[i] for i in held_out)
    return {name: score(name, table, vectors, training, held_out) for name in TARGETS}


def transform(structures: list[Structure], table: pd.DataFrame, n_jobs: int) -> dict[str, Any]:
    """Errors in the vectors of the shipped models, on rows of the fifth that are new to them."""
    held_out, training = split(len(structures))
    new = ~(in_mp2018(structures) | table["in_mp2018_train"].to_numpy(bool))
    # The first rows, which choose the number of neighbours, are new to the models as what is scored is.
    training = training[np.argsort(~new[training], kind="stable")]
    graphs = AMDNetRegressor().graph_converter().convert_many(structures, n_jobs)
    scores: dict[str, Any] = {"new_to_models": int(new.sum())}
    for name, target in TARGETS.items():
        # Of length 1, as MotifNetwork has the vectors of an embedder.
        vectors = normalize(AMDNetRegressor.from_pretrained(target.model).transform(graphs))
        scores[name] = score(name, table, vectors, training, held_out[new[held_out]])
        scores[name] |= {"model": target.model}
    return scores


def score(
    name: str,
    table: pd.DataFrame,
    vectors: Table,
    training: NDArray[np.integer],
    held_out: NDArray[np.integer],
) -> dict[str, Any]:
    """The error of a target on those of some rows that have it, with unit and goal.

    Args:
        name: Of the target.
        table: Of all rows.
        vectors: Of all rows, shape (S, D).
        training: Numbers of the rows that neighbours are taken from.
        held_out: Numbers of those that are scored.
    """
    target, y = TARGETS[name], table[name].to_numpy()
    known = table[target.row].to_numpy() >= 0
    fit, test = training[known[training]], held_out[known[held_out]]
    found = nearest_error((vectors[fit], y[fit]), (vectors[test], y[test]))
    print(name, found, flush=True)
    return found | {"unit": target.unit, "goal": target.goal}


def in_mp2018(structures: list[Structure]) -> NDArray[np.bool_]:
    """Which crystals have a twin among those that the shipped models were trained on or judged by."""
    volumes: dict[str, list[float]] = {}
    for other in load_crystals("mp2018")[0]:
        volumes.setdefault(other.composition.reduced_formula, []).append(other.volume / len(other))
    ratios = (
        np.array(volumes.get(each.composition.reduced_formula, [])) / (each.volume / len(each))
        for each in structures
    )
    return np.array([bool((np.abs(ratio - 1) <= TWIN).any()) for ratio in ratios])


def split(n: int) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """A random fifth of n rows, and the others, which have all of the sample that weights were chosen on."""
    order = np.random.default_rng(0).permutation(n)
    if n > N_TUNED:
        tuned = np.random.default_rng(0).choice(n, N_TUNED, replace=False)
        order = np.concatenate([order[~np.isin(order, tuned)], tuned])
    held_out, training = np.split(order, [n // 5])
    # The first of the training choose the number of neighbours.
    return held_out, np.random.default_rng(1).permutation(training)


def nearest_error(training: tuple[Table, Table], held_out: tuple[Table, Table]) -> dict[str, Any]:
    """Mean absolute error; a tenth of the training chooses the number of neighbours and their weighting.

    Args:
        training: Vectors (S, D) and values (S,).
        held_out: The same of what is scored.

    Returns:
        The error, that of the mean value, and what was chosen.
    """
    vectors, y = training
    first = np.arange(len(y)) < max(len(y) // 10, 1)
    part, rest = (vectors[first], y[first]), (vectors[~first], y[~first])
    tried = errors(rest, part)
    k, power = min(tried, key=tried.__getitem__)
    return {
        "mae": errors(training, held_out)[k, power],
        "mae_of_mean": float(np.abs(held_out[1] - y.mean()).mean()),
        "mae_on_validation": tried[k, power],
        "k": k,
        "power": power,
        "training": len(y),
        "held_out": len(held_out[1]),
    }


def errors(training: tuple[Table, Table], held_out: tuple[Table, Table]) -> dict[tuple[int, int], float]:
    """Mean absolute errors of the mean of k neighbours, weighted by 1 / distance^power, by k and power."""
    search = NearestNeighbors(n_neighbors=min(max(NUMBERS), len(training[1]))).fit(training[0])
    distance, neighbor = search.kneighbors(held_out[0])
    distance, values = np.maximum(distance, 1e-3), training[1][neighbor]
    return {
        (k, power): float(
            np.abs(
                np.average(values[:, :k], axis=1, weights=distance[:, :k] ** -float(power)) - held_out[1]
            ).mean()
        )
        for k, power in product(NUMBERS, POWERS)
    }


def speed(structures: list[Structure], table: pd.DataFrame, n_jobs: int) -> dict[str, Any]:
    """Time to build, size, time of queries, memory."""
    crystals_alone = peak_memory()
    start, cpu_start = perf_counter(), process_time()
    network = MotifNetwork(n_jobs=n_jobs).fit(structures)
    seconds, cpu_seconds = perf_counter() - start, process_time() - cpu_start
    built = peak_memory()
    return {
        "n_jobs": n_jobs,
        "kinds": len(network.motifs_),
        "links": len(network.links_.kind),
        "build_seconds": seconds,
        "build_cpu_seconds": cpu_seconds,
        "file": file_costs(network),
        "milliseconds": query_times(network, structures),
        "peak_memory_mb": {"crystals alone": crystals_alone, "built": built, "searched": peak_memory()},
    }


def peak_memory() -> float:
    """Of this process until now, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def file_costs(network: MotifNetwork) -> dict[str, float]:
    """Size of a network's file, and time to write and to read it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.amdnet"
        save, load = timed(network.save, [file]), timed(MotifNetwork.load, [file])
        return {"megabytes": file.stat().st_size / 1e6, "save_ms": save, "load_ms": load}


def query_times(network: MotifNetwork, structures: list[Structure]) -> dict[str, float]:
    """Median time of a query of each kind, in milliseconds."""
    draw = np.random.default_rng(0).choice
    crystals = [structures[i] for i in draw(len(structures), N_QUERIES)]
    ids, motifs = draw(network.ids_, N_QUERIES).tolist(), draw(network.motifs_, N_QUERIES).tolist()
    pairs = list(zip(ids[:N_BRIDGES], ids[-N_BRIDGES:], strict=True))
    common = network.hubs(N_QUERIES).index.tolist()
    network.similar(ids[0])  # what is made once
    network.bridge(ids[0], ids[0])
    return {
        "similar to a new crystal": timed(network.similar, crystals),
        "similar to a material": timed(network.similar, ids),
        "similar to a material, by motifs": timed(partial(network.similar, by="motifs"), ids),
        "similar to a material, by embedding": timed(partial(network.similar, by="embedding"), ids),
        "materials with a motif": timed(network.materials_with, motifs),
        "materials with one of the commonest": timed(network.materials_with, common),
        "the same that share edges": timed(partial(network.materials_with, sharing="edge"), common),
        "bridge": timed(lambda pair: _bridge(network, *pair), pairs),
        "hubs": timed(network.hubs, [10]),
    }


def timed(work: Callable[[Any], Any], items: Sequence[Any]) -> float:
    """Median time of one call, in milliseconds."""
    times = []
    for item in items:
        start = perf_counter()
        work(item)
        times.append(1000 * (perf_counter() - start))
    return float(np.median(times))


def _bridge(network: MotifNetwork, a: str, b: str) -> list[str]:
    try:
        return network.bridge(a, b)
    except ValueError:  # some materials have motifs of their own
        return []


PARTS: dict[str, Callable[[list[Structure], pd.DataFrame, int], dict[str, Any]]] = {
    "accuracy": accuracy,
    "transform": transform,
    "speed": speed,
}


if __name__ == "__main__":
    main()
