"""Has the fast motif engine the answers of pymatgen and matminer, how much faster, and where does time go?

    python benchmarks/motif_engine.py                       # about half an hour, nearly all in the reference
    python benchmarks/motif_engine.py --answers folder      # keeps the reference's answers for the next run
    python benchmarks/motif_engine.py --crystals 100 --nomad 20
    python benchmarks/motif_engine.py --parts many          # only this, the results of other parts are kept
    python benchmarks/motif_engine.py --parts database      # every crystal of mp2018 on one core, minutes

Data: mp2018 and nomad2018. Needs psutil for the part ``many``. Writes ``results/motif_engine.json``.
Set OMP_NUM_THREADS=1 to time one core.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from time import perf_counter
from typing import Any
from unittest.mock import patch

import numpy as np
import psutil
from common import RESULTS, load_crystals, parse, parser_of, write_result
from joblib import Memory
from matminer.featurizers.site.fingerprint import CrystalNNFingerprint
from pymatgen.analysis.local_env import CrystalNN
from pymatgen.core import Structure
from tqdm import tqdm

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.errors import StructureError
from amdnet_matminer.motifs import FINGERPRINT_LABELS, extraction, fast, motif_graphs, motif_graphs_of
from amdnet_matminer.motifs.centers import site_roles
from amdnet_matminer.motifs.fast import fast_environments
from amdnet_matminer.motifs.reference import reference_environments
from amdnet_matminer.motifs.types import Environments, IntArray
from amdnet_matminer.parallel import chunked
from amdnet_matminer.symmetry import SiteOrbits, site_orbits

TOLERANCE = 1e-3
"""Fingerprints are equal that differ less in every component."""

PARTS = ["speed", "stages", "agreement", "many", "database"]

MATBENCH = 106_113
"""Number of crystals of MatBench's band gap task."""

STAGES = (
    (extraction, "check_structure"),
    (extraction, "site_orbits"),
    (extraction, "site_roles"),
    (fast, "voronoi_facets"),
    (fast, "bond_candidates"),
    (fast, "fingerprints"),
    (extraction, "share_ligands"),
    (extraction, "nearest_polyhedra"),
    (extraction, "motif_names"),
)


def main() -> None:
    """Run the benchmark and write its result."""
    parser = parser_of(__doc__)
    parser.add_argument("--crystals", type=int, default=2000, help="of mp2018 to compare (default 2000)")
    parser.add_argument("--nomad", type=int, default=200, help="of nomad2018 to compare (default 200)")
    parser.add_argument("--oxides", type=int, default=200, help="of mp2018 to time (default 200)")
    parser.add_argument("--answers", help="folder that keeps the reference's answers")
    parser.add_argument("--many", type=int, default=10_000, help="of mp2018 in processes (default 10000)")
    parser.add_argument("--n_jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=PARTS,
        default=PARTS[:-1],
        help="what to run (default: all but the last)",
    )
    options = parse(parser)
    warnings.simplefilter("ignore", UserWarning)
    result = earlier_parts(options.parts)
    for part in options.parts:
        result[part] = run(part, options)
    print(write_result("motif_engine", result, options.allow_dirty))


def run(part: str, options: argparse.Namespace) -> dict[str, Any]:
    """Run one part of the benchmark."""
    if part == "database":
        return database()
    if part == "many":
        return many(options.many, options.n_jobs)
    if part == "agreement":
        memory = Memory(options.answers, verbose=0)
        sets = (("mp2018", options.crystals), ("nomad2018", options.nomad))
        return {name: agreement(name, limit, memory) for name, limit in sets}
    oxides, _ = load_crystals("mp2018", oxides=True, limit=options.oxides, seed=2)
    return speed(oxides) if part == "speed" else stages(oxides)


def earlier_parts(parts: list[str]) -> dict[str, Any]:
    """The results of the other parts, and when and at what revision they were measured."""
    file = RESULTS / "motif_engine.json"
    if not file.is_file():
        return {}
    earlier = json.loads(file.read_text())
    kept = {part: earlier[part] for part in PARTS if part in earlier and part not in parts}
    stamp = {name: earlier[name] for name in ("date", "revision")}
    return kept | {
        "measured_earlier": {part: earlier.get("measured_earlier", {}).get(part, stamp) for part in kept}
    }


def agreement(name: str, limit: int, memory: Memory, seed: int = 1) -> dict[str, Any]:
    """Compare bonds and fingerprints of all sites of random crystals."""
    structures, table = load_crystals(name, limit=limit, seed=seed)
    answer = memory.cache(reference_answer, ignore=["structure"])
    counts: Counter[str] = Counter()
    differences = []
    for number, structure in enumerate(tqdm(structures, desc=f"agreement, {name}")):
        expected = answer(name, limit, seed, number, structure)
        crystals = CrystalArrays.of([structure])
        orbits = site_orbits(crystals)
        found = fast_environments(crystals, all_sites(structure), orbits)
        counts["sites"] += len(structure)
        for site in differing_sites(found, expected):
            equivalent = np.flatnonzero(orbits.representative == orbits.representative[site]).astype(np.int32)
            difference = explain(structure, site, equivalent, found, expected)
            counts["other_bonds"] += not difference["same_bonds"]
            counts["other_fingerprint"] += difference["difference"] >= TOLERANCE
            differences.append({"id": str(table["id"][number]), "site": site} | difference)
    classes = Counter(f"{d['component']}: {d['cause']}" for d in differences)
    return {
        "crystals": len(structures),
        "sites": counts["sites"],
        "same_bonds": 1 - counts["other_bonds"] / counts["sites"],
        "same_fingerprint": 1 - counts["other_fingerprint"] / counts["sites"],
        "differences": dict(classes.most_common()),
        "examples": differences[:20],
    }


def reference_answer(name: str, limit: int, seed: int, number: int, structure: Structure) -> Environments:
    """What the reference says about all sites of a crystal, which the other arguments name."""
    return reference_of(structure, all_sites(structure))


def reference_of(structure: Structure, sites: IntArray) -> Environments:
    """What the reference says about some sites of a crystal."""
    return reference_environments(CrystalArrays.of([structure]), sites, SiteOrbits.single(len(structure)))


def differing_sites(found: Environments, expected: Environments) -> list[int]:
    """Sites whose bonds or fingerprints are not the same."""
    bonds, others = bond_sets(found), bond_sets(expected)
    apart = np.abs(found.fingerprint - expected.fingerprint).max(axis=1, initial=0.0)
    return [i for i in range(len(bonds)) if bonds[i] != others[i] or apart[i] >= TOLERANCE]


def explain(
    structure: Structure, site: int, equivalent: IntArray, found: Environments, expected: Environments
) -> dict[str, Any]:
    """What differs at a site, and whether the reference is of one mind about it.

    Where bonds are equally strong or at right angles, rounding decides on the values
    that depend on it. So the reference is asked about the equivalent sites too, and again
    with every atom moved by a few 1e-6 angstrom, the precision of the data, and the
    sites in another order.
    """
    apart = np.abs(found.fingerprint[site] - expected.fingerprint[site])
    component = int(apart.argmax())
    values = expected.fingerprint[equivalent, component].tolist()
    if np.ptp(values) < TOLERANCE:
        rng = np.random.default_rng(0)
        values += [reference_again(structure, site, rng)[component] for _ in range(12)]
    return {
        "same_bonds": bond_sets(found)[site] == bond_sets(expected)[site],
        "component": FINGERPRINT_LABELS[component],
        "difference": float(apart[component]),
        "cause": "tie, the reference contradicts itself" if np.ptp(values) >= TOLERANCE else "unexplained",
    }


def reference_again(structure: Structure, site: int, rng: np.random.Generator) -> np.ndarray:
    """The reference's fingerprint of a site of the same crystal, written differently."""
    moved = structure.cart_coords + rng.uniform(-5e-6, 5e-6, (len(structure), 3))
    order = rng.permutation(len(structure))
    other = Structure(
        structure.lattice,
        [structure[i].specie for i in order],
        moved[order],
        coords_are_cartesian=True,
    )
    return reference_of(other, np.flatnonzero(order == site).astype(np.int32)).fingerprint[0]


def speed(structures: list[Structure]) -> dict[str, Any]:
    """Time both ways from crystals to bonds and cation fingerprints, taking turns at chunks of crystals."""
    ways: dict[str, Callable[[list[Structure]], object]] = {"fast": fast_way, "reference": reference_way}
    seconds = dict.fromkeys(ways, 0.0)
    for run in ways.values():  # Tables and imports are loaded on first use.
        run(structures[:3])
    for some in tqdm(chunks(structures), desc="speed"):
        for way, run in ways.items():
            seconds[way] += timed(run, some)
    milliseconds = {f"{way}_ms": total / len(structures) * 1e3 for way, total in seconds.items()}
    return {
        "crystals": len(structures),
        "mean_sites": float(np.mean([len(structure) for structure in structures])),
        **milliseconds,
        "ratio": seconds["reference"] / seconds["fast"],
    }


def fast_way(structures: list[Structure]) -> None:
    """Bonds and fingerprints of the cations with the fast engine."""
    crystals = CrystalArrays.of(structures)
    fast_environments(crystals, site_roles(crystals).center, site_orbits(crystals))


def reference_way(structures: list[Structure]) -> None:
    """The same with pymatgen's bonded structure and matminer's fingerprint."""
    fingerprint = CrystalNNFingerprint.from_preset("ops", cation_anion=False)
    for structure in structures:
        CrystalNN().get_bonded_structure(structure)
        for site in site_roles(CrystalArrays.of([structure])).center.tolist():
            fingerprint.featurize(structure, site)


def stages(structures: list[Structure]) -> dict[str, float]:
    """Milliseconds a crystal spends in each stage of ``motif_graphs_of``."""
    with stopwatches() as spent:
        total = sum(timed(motif_graphs_of, some) for some in chunks(structures))
    spent["other"] = total - sum(spent.values())
    return {stage: seconds / len(structures) * 1e3 for stage, seconds in (spent | {"total": total}).items()}


def chunks(structures: list[Structure]) -> list[list[Structure]]:
    """Crystals in lists that are worked on at once."""
    return [[structure for _, structure in chunk] for chunk in chunked(enumerate(structures))]


@contextmanager
def stopwatches() -> Iterator[dict[str, float]]:
    """Sum the time spent in the functions of ``STAGES``, in seconds."""
    spent = {name: 0.0 for _, name in STAGES}

    def watch(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any) -> Any:
            start = perf_counter()
            try:
                return function(*arguments)
            finally:
                spent[name] += perf_counter() - start

        return watched

    with ExitStack() as stack:
        for module, name in STAGES:
            stack.enter_context(patch.object(module, name, watch(name, getattr(module, name))))
        yield spent


def database() -> dict[str, Any]:
    """Motif graphs of every crystal of mp2018: failures and speed."""
    structures, table = load_crystals("mp2018")
    start = perf_counter()
    graphs = list(motif_graphs(structures, on_error="return", verbose=True))
    seconds = perf_counter() - start
    failures = {
        str(name): str(graph)
        for name, graph in zip(table["id"], graphs, strict=True)
        if isinstance(graph, StructureError)
    }
    return {
        "crystals": len(structures),
        "failures": failures,
        "crystals_per_second": len(structures) / seconds,
    }


def many(n_crystals: int, n_jobs: int) -> dict[str, Any]:
    """Motif graphs in several processes, their start included: speed, and memory as they come."""
    structures, _ = load_crystals("mp2018", limit=n_crystals, seed=3)
    before, spent = memory_in_use(), processor_time()
    along = []
    with memory_watch() as peak:
        start = perf_counter()
        for number, _ in enumerate(motif_graphs(structures, n_jobs=n_jobs, verbose=True), start=1):
            if number % (n_crystals // 5) == 0:
                along.append(memory_in_use())
        seconds = perf_counter() - start
    return {
        "crystals": len(structures),
        "processes": n_jobs,
        "seconds": seconds,
        "processor_seconds": processor_time() - spent,
        "crystals_per_second": len(structures) / seconds,
        "matbench_minutes": MATBENCH / len(structures) * seconds / 60,
        "memory_mb": {"crystals_loaded": before, "each_fifth": along, "peak": peak[0]},
    }


@contextmanager
def memory_watch() -> Iterator[list[float]]:
    """The most memory in use so far, looked at ten times a second."""
    peak, done = [memory_in_use()], Event()

    def watch() -> None:
        while not done.wait(0.1):
            peak[0] = max(peak[0], memory_in_use())

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def memory_in_use() -> float:
    """Resident memory of this process and all that it has started, in MB; shared pages count in each."""
    return sum(process.memory_info().rss for process in family()) / 1e6


def processor_time() -> float:
    """Seconds that this process and all that it has started have kept processors busy."""
    return sum(sum(process.cpu_times()[:2]) for process in family())


def family() -> list[psutil.Process]:
    """This process and all that it has started."""
    return [psutil.Process(), *psutil.Process().children(recursive=True)]


def timed(function: Callable[[list[Structure]], object], structures: list[Structure]) -> float:
    """Seconds that a function of crystals takes."""
    start = perf_counter()
    function(structures)
    return perf_counter() - start


def all_sites(structure: Structure) -> IntArray:
    """Indices of all sites."""
    return np.arange(len(structure), dtype=np.int32)


def bond_sets(found: Environments) -> list[set[tuple[int, ...]]]:
    """Bonds of each site as (neighbour, image)."""
    bonds = [(int(n), *image) for n, image in zip(found.neighbor, found.image.tolist(), strict=True)]
    return [set(bonds[a:b]) for a, b in zip(found.offset[:-1], found.offset[1:], strict=True)]


if __name__ == "__main__":
    main()
