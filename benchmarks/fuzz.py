"""Throw malformed input at every reader and count what comes of it.

python benchmarks/fuzz.py

A case is right if it gives what was written, or an error of this package that says
what is wrong. All else is a finding: another exception, other content, a hang, a
file left half-written. Results go to results/fuzz.json.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import pickle
import random
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from functools import cache, partial
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd
from common import ROOT, write_result
from fuzz_cases import mutated_bytes, mutated_text, mutated_tree, named_odd_structures, random_structure
from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.cli import main as amdnet
from amdnet_matminer.cli.tables import ResultFile
from amdnet_matminer.datasets import oxides
from amdnet_matminer.errors import AMDNetError, DatasetError, ModelFileError, StructureError
from amdnet_matminer.graphs import DualGraph, GraphCache, dual_graph
from amdnet_matminer.original.pickles import read_pickle
from amdnet_matminer.persistence import read_model, write_model
from amdnet_matminer.screening import Outcome
from amdnet_matminer.structure_files import Entry, open_crystals, read_entry
from amdnet_matminer.validation import check_elements, check_structure

HANG = 30
"""Seconds after which a case counts as hanging."""

MEMORY = 8 * 2**30
"""Bytes that a case may ask for, so that one that wants more is told instead of killed."""

OLD_MODEL = ROOT / "tests" / "data" / "model-format-1.amdnet"


class Findings:
    """Counts of what came of the cases, and the cases that came out wrong."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.slowest = 0.0

    def run(self, case: str, act: Callable[[], str], allowed: tuple[type[Exception], ...]) -> None:
        """Do one case.

        Args:
            case: What it is called, so that it can be made again.
            act: Gives the outcome.
            allowed: Errors that are right answers.
        """
        start = time.perf_counter()
        try:
            with _limits():
                self.outcomes[act()] += 1
        except allowed as error:
            self.outcomes[type(error).__name__] += 1
        except Exception as error:  # whatever else comes is what is looked for
            self.outcomes["wrong"] += 1
            self.wrong.append(f"{case}: {error!r}"[:300])
        self.slowest = max(self.slowest, time.perf_counter() - start)

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "cases": sum(self.outcomes.values()),
            "outcomes": dict(self.outcomes),
            "slowest_s": round(self.slowest, 3),
            "wrong": self.wrong[:50],
        }


@cache
def crystals() -> pd.Series:
    """What is mutated: the built-in oxides."""
    return oxides().structure


def model_files(n: int, seed: int, folder: Path) -> dict[str, Any]:
    """Mutated bytes of a model file: the same content, or a ModelFileError."""
    path = folder / "model.amdnet"
    weights: list[np.ndarray] = [np.arange(12, dtype=np.float32).reshape(3, 4), np.ones(2)]
    write_model(path, {"parameters": {"epochs": 3}, "history": {"loss": [0.5, 0.25]}}, weights)
    whole = path.read_bytes()
    written = repr(read_model(path))
    findings, before = Findings(), _memory()

    def act(content: bytes) -> str:
        path.write_bytes(content)
        if repr(read_model(path)) != written:
            raise AssertionError("other content was read")
        return "same content"

    for number in range(n):
        rng = random.Random(f"{seed} {number}")
        findings.run(f"case {number}", partial(act, mutated_bytes(whole, rng)), (ModelFileError,))
    return findings.told() | {"memory_growth_mb": round(_memory() - before, 1)}


def model_descriptions(n: int, seed: int, folder: Path) -> dict[str, Any]:
    """Models that are whole but wrongly described: loaded, or a ModelFileError."""
    description, weights = read_model(OLD_MODEL)
    changed = {name: description[name] for name in ("parameters", "scaler", "ladder", "history")}
    kept = ("estimator", "training", "domain", "target_shape", "std_factor")
    whole = {name: description[name] for name in kept}
    findings = Findings()
    path = folder / "model.amdnet"

    def act(rng: random.Random) -> str:
        arrays = [w for w in weights if rng.random() > 0.001]
        write_model(path, whole | mutated_tree(changed, rng), arrays)
        AMDNetRegressor.load(path)
        return "loaded"

    for number in range(n):
        rng = random.Random(f"{seed} {number}")
        findings.run(f"case {number}", partial(act, rng), (ModelFileError,))
    return findings.told()


def pickles(n: int, seed: int, folder: Path) -> dict[str, Any]:
    """Mutated pickles of the original's data: something, or a DatasetError; never code that runs."""
    table = crystals()[:3].to_frame().assign(band_gap=1.0)
    whole = pickle.dumps((table, (["a"], ["b"], ["c"])), protocol=4)
    findings, before = Findings(), _memory()
    path = folder / "data.pkl"

    def act(content: bytes) -> str:
        path.write_bytes(content)
        read_pickle(path)
        return "opened"

    for number in range(n):
        rng = random.Random(f"{seed} {number}")
        findings.run(f"case {number}", partial(act, mutated_bytes(whole, rng)), (DatasetError,))
    return findings.told() | {"memory_growth_mb": round(_memory() - before, 1)}


def structure_files(n: int, seed: int, folder: Path) -> dict[str, Any]:
    """Mutated CIF and JSON files, from reading to the graph that the network reads."""
    findings = Findings()
    for number in range(n):
        path = _mutated_file(folder, "mutated", random.Random(f"{seed} {number}"))
        findings.run(f"{path.suffix} {number}", partial(_graph_of_file, path), (AMDNetError,))
    return findings.told()


def structures(n: int, seed: int, folder: Path) -> dict[str, Any]:
    """Objects that are no crystal, or one that cannot be: a graph, or a StructureError."""
    findings = Findings()
    for number in range(n):
        rng = random.Random(f"{seed} {number}")
        findings.run(f"case {number}", partial(_graph_of_odd, rng), (StructureError,))
    for name, make in named_odd_structures().items():
        findings.run(name, partial(_graph_of, make), (StructureError,))
    return findings.told()


def killed(n: int, seed: int, folder: Path) -> dict[str, Any]:
    """Processes killed (-9) while they save, cache and predict: nothing half, nothing lost."""
    findings = Findings()
    rng = random.Random(seed)
    for number in range(n):
        for task in (_killed_saving, _killed_caching, _killed_predicting):
            place = Path(tempfile.mkdtemp(dir=folder))
            findings.run(f"{task.__name__} {number}", partial(task, place, rng), ())
    return findings.told()


def full_disk(n: int, seed: int, folder: Path) -> dict[str, Any]:
    """Files that may not grow beyond some bytes: an OSError, and what was there before is still there."""
    findings = Findings()
    rng = random.Random(seed)
    for number in range(n):
        for task in (_saving_without_room, _caching_without_room, _predicting_without_room):
            place = Path(tempfile.mkdtemp(dir=folder))
            act = partial(_in_child, partial(task, place, rng.randrange(1, 3000)))
            findings.run(f"{task.__name__} {number}", act, ())
    return findings.told()


def command_line(n: int, seed: int, folder: Path) -> dict[str, Any]:
    """``amdnet predict`` on folders of which most files are mutated: a row for each, no traceback."""
    findings = Findings()
    for number in range(n):
        rng = random.Random(f"{seed} {number}")
        place = Path(tempfile.mkdtemp(dir=folder, prefix="β-Kristalle "))
        for name in ("a", "b", "c"):
            _mutated_file(place, name, rng)
        crystals()["rock-salt-MgO"].to(filename=str(place / "Ω sound.cif"))
        findings.run(f"case {number}", partial(_predicted, place), ())
    findings.run("read-only folder", partial(_in_child, _refused_in_a_read_only_folder), ())
    return findings.told()


def _mutated_file(folder: Path, name: str, rng: random.Random) -> Path:
    crystal = crystals().iloc[rng.randrange(len(crystals()))]
    kind, text = ("cif", str(CifWriter(crystal))) if rng.random() < 0.5 else ("json", crystal.to_json())
    path = folder / f"{name}.{kind}"
    path.write_text(mutated_text(text, rng), encoding="utf-8", errors="replace")
    return path


def _predicted(folder: Path) -> str:
    output = folder / "out.csv"
    words = ["predict", folder, "--load_name", OLD_MODEL, "--output", output, "--quiet"]
    with redirect_stderr(io.StringIO()) as errors:
        code = amdnet([str(word) for word in words])
    table = pd.read_csv(output, index_col="id")
    told = table.prediction.notna() != table.error.notna()
    if (
        table.index.tolist() != ["a", "b", "c", "Ω sound"]
        or not told.all()
        or np.isnan(table.prediction.iloc[3])
    ):
        raise AssertionError("rows are missing")
    if code != int(table.error.notna().any()) or "Traceback" in errors.getvalue():
        raise AssertionError(f"code {code}, {errors.getvalue()}")
    return f"code {code}"


def _refused_in_a_read_only_folder() -> str:
    """As an ordinary user: root may write anywhere."""
    folder = Path(tempfile.mkdtemp())
    crystals().iloc[0].to(filename=str(folder / "one.cif"))
    folder.chmod(0o555)
    if os.geteuid() == 0:
        os.setuid(65534)
    with redirect_stderr(io.StringIO()) as errors:
        code = amdnet(["featurize", str(folder / "one.cif"), "--output", str(folder / "out.csv")])
    if code != 1 or "is not writable; save elsewhere" not in errors.getvalue():
        raise AssertionError(f"code {code}, {errors.getvalue()}")
    return "refused"


def _graph_of_file(path: Path) -> str:
    (entry,) = open_crystals(path).entries
    return _graph_of(partial(read_entry, entry))


def _graph_of(make: Callable[[], Any]) -> str:
    structure = make()
    check_structure(structure)
    check_elements([structure])
    graph = dual_graph(structure)
    if not all(np.isfinite(x).all() for x in (graph.atoms.distance, graph.motifs.fingerprint)):
        raise AssertionError("the graph is not finite")
    return "graph"


def _graph_of_odd(rng: random.Random) -> str:
    try:
        structure = random_structure(rng)
    except (ValueError, TypeError, np.linalg.LinAlgError):
        return "refused by pymatgen"
    return _graph_of(lambda: structure)


def _killed_saving(folder: Path, rng: random.Random) -> str:
    models = [[np.full(10**5, value, dtype=np.float32)] for value in (0.0, 1.0)]
    path = folder / "model.amdnet"
    write_model(path, {}, models[0])

    def save() -> None:
        for turn in range(10**6):
            write_model(path, {}, models[turn % 2])

    _kill(save, rng)
    if len(set(read_model(path)[1][0])) != 1:
        raise AssertionError("two models are mixed")
    return "whole model"


def _killed_caching(folder: Path, rng: random.Random) -> str:
    some = crystals().iloc[:40].tolist()
    settings: dict[str, Any] = {"atom_cutoff": 3.0}

    def cache() -> None:
        GraphCache(folder, dual_graph, DualGraph, **settings).graphs(some)

    _kill(cache, rng)
    graphs = GraphCache(folder, dual_graph, DualGraph, **settings).graphs(some)
    for crystal, graph in zip(some, graphs, strict=True):
        if not np.array_equal(graph.atoms.distance, dual_graph(crystal, **settings).atoms.distance):
            raise AssertionError("another graph is read")
    return "same graphs"


def _killed_predicting(folder: Path, rng: random.Random) -> str:
    predict = partial(_predict_rows, folder / "out.csv", 2000)
    for _ in range(2):
        _kill(predict, rng, 0.3)
    if not (folder / "out.csv").exists():
        predict()
    return _all_rows(folder / "out.csv", 2000)


def _predict_rows(path: Path, n: int) -> None:
    """Give crystal i the prediction i / 7, going on with what is there."""

    def unread() -> Structure:
        raise AssertionError("it need not be read")

    with ResultFile(path, ["prediction"], "digest") as table:
        for entry in table.skip_done([Entry(f"crystal, {i}", unread) for i in range(n)]):
            number = int(entry.id.removeprefix("crystal, "))
            table.add([Outcome(entry.id, [number / 7])])


def _all_rows(path: Path, n: int) -> str:
    table = pd.read_csv(path, float_precision="round_trip")
    if (
        table.id.tolist() != [f"crystal, {i}" for i in range(n)]
        or (table.prediction != table.index / 7).any()
    ):
        raise AssertionError("rows are lost, repeated or changed")
    return "all rows once"


def _saving_without_room(folder: Path, room: int) -> str:
    path = folder / "model.amdnet"
    write_model(path, {}, [np.zeros(3)])
    with _room(room):
        _refused(partial(write_model, path, {}, [np.random.default_rng(0).random(10**4)]))
    if len(read_model(path)[1][0]) != 3 or len(list(folder.iterdir())) != 1:
        raise AssertionError("the old model is gone, or a half one lies there")
    return "old model kept"


def _caching_without_room(folder: Path, room: int) -> str:
    crystal = crystals().iloc[-1]
    cache = GraphCache(folder, dual_graph, DualGraph)
    with _room(min(room, 500)):
        _refused(partial(cache.graph, crystal))
    if any(path.is_file() for path in folder.rglob("*")):
        raise AssertionError("a half graph lies there")
    return "nothing half cached"


def _predicting_without_room(folder: Path, room: int) -> str:
    predict = partial(_predict_rows, folder / "out.csv", 1000)
    with _room(room):
        _refused(predict)
    predict()
    return _all_rows(folder / "out.csv", 1000)


def _refused(act: Callable[[], Any]) -> None:
    try:
        act()
    except OSError:
        return
    raise AssertionError("it was not refused")


@contextmanager
def _room(n_bytes: int) -> Iterator[None]:
    """No file may be longer, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def _kill(act: Callable[[], None], rng: random.Random, longest: float = 0.5) -> None:
    """Do something in another process, for a random short time."""
    child = multiprocessing.get_context("fork").Process(target=act)
    child.start()
    time.sleep(rng.uniform(0.0, longest))
    child.kill()
    child.join()


def _in_child(act: Callable[[], str]) -> str:
    """Do something in another process, so that its limits are not ours."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(act)


@contextmanager
def _limits() -> Iterator[None]:
    """Let what takes too much time or memory fail."""

    def ring(signum: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"hangs for more than {HANG} s")

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(HANG)
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (round(1e6 * _memory("VmSize")) + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.alarm(0)


def _memory(kind: str = "VmRSS") -> float:
    """Memory of this process now, in MB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(kind))


PARTS: dict[str, tuple[Callable[[int, int, Path], dict[str, Any]], int]] = {
    "model_files": (model_files, 100_000),
    "model_descriptions": (model_descriptions, 300),
    "pickles": (pickles, 5_000),
    "structure_files": (structure_files, 2_000),
    "structures": (structures, 2_000),
    "command_line": (command_line, 100),
    "killed": (killed, 50),
    "full_disk": (full_disk, 50),
}
"""What is done, and how many cases of it."""


def main() -> int:
    """Run the parts and write what they found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--part", nargs="*", choices=PARTS, default=list(PARTS), help="default: all")
    parser.add_argument("--fraction", type=float, default=1.0, help="of the number of cases")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    results = {}
    for name in arguments.part:
        act, n = PARTS[name]
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            found = act(max(1, round(n * arguments.fraction)), arguments.seed, Path(folder))
        results[name] = found | {"seconds": round(time.perf_counter() - start, 1)}
        print(name, json.dumps(results[name], indent=1), flush=True)
    if arguments.fraction == 1.0 and arguments.part == list(PARTS):
        write_result("fuzz", {"seed": arguments.seed, "parts": results})
    return int(any(part["wrong"] for part in results.values()))


if __name__ == "__main__":
    sys.exit(main())
