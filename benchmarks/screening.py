"""From a crystal, or a file of crystals, to its graph and its predicted gap: how fast, beside others?

    python benchmarks/training_speed.py --install           once: peers into environments of their own
    python benchmarks/screening.py
    python benchmarks/screening.py --parts files --crystals 10000

``graphs``: crystals in memory to dual graphs, in milliseconds of process time, beside the revision EARLIER of
this package, which is checked out for the time of the run. ``gaps``: crystals in memory to band gaps by the
shipped model, beside ``predict_structure`` of matgl and megnet, networks of the published size at 5 angstrom,
whose weights do not matter here; process time on one core. ``files``: the whole command ``amdnet predict``,
start of Python and TensorFlow included, from one json.gz and from a folder of CIFs to a table, on all cores,
beside a process of matgl for each core that reads the same files (its start not included), in wall time.
``workers``: CIFs to graphs on one and two processes of this computer, and on as many workers of Dask and Ray
clusters on it, once they run, in wall time. Nothing else may run beside the last two.

Data: mp2018, 300 crystals of the validation part for what is in memory, as many as asked for of the
training part in files. All programs run alternately, each time in a process of its own. Writes
``results/screening-<part>.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pandas as pd
from common import ROOT, load_crystals, parse, parser_of, write_result
from matminer.utils.io import store_dataframe_as_json
from pymatgen.core import Structure
from training_speed import PEERS, run, write_crystals

from amdnet_matminer.cli.backends import backend
from amdnet_matminer.graphs import DualGraphConverter
from amdnet_matminer.screening import screen
from amdnet_matminer.structure_files import open_crystals

EARLIER = "bb405a7"
"""Before symmetry was used and crystals were read many at a time."""

N_IN_MEMORY = 300
N_FOR_WORKERS = 6000
BACKENDS = ("loky", "dask", "ray")
MODEL = "mp2018-band-gap"


def main() -> None:
    """Run the parts that are asked for and write their results."""
    parser = parser_of(__doc__)
    parser.add_argument("--environments", type=Path, default=ROOT / ".peers", help="the peers' folder")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--crystals", type=int, default=10_000, help="in files (default: %(default)s)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    options = parse(parser)
    if options.worker:
        work(*options.worker)
        return
    for part in options.parts:
        print(write_result(f"screening-{part}", PARTS[part](options), options.allow_dirty))


def graphs(options: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds from a structure to its dual graph, now and at an earlier revision.

    Args:
        options: Of the command line.

    Returns:
        By program, of all rounds, and how many times as fast.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        crystals = _in_memory(folder)
        tree = folder / "earlier"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--detach", str(tree), EARLIER], check=True, capture_output=True)
        try:
            commands = {
                place: [sys.executable, PEERS / "graphs_speed.py", path, crystals]
                for place, path in (("now", ROOT), ("earlier", tree))
            }
            rounds = _rounds(commands, options.rounds)
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True, capture_output=True)
    milliseconds = {
        f"{place}, {how}": [1e3 / one[place][how] for one in rounds]
        for place in commands
        for how in rounds[0][place]
    }
    medians = {name: median(values) for name, values in milliseconds.items()}
    return {
        "crystals": N_IN_MEMORY,
        "earlier": EARLIER,
        "milliseconds": milliseconds,
        "medians": medians,
        "times as fast": {
            how: medians[f"earlier, {how}"] / medians[f"now, {how}"] for how in rounds[0]["now"]
        },
    }


def gaps(options: argparse.Namespace) -> dict[str, Any]:
    """Crystals in memory to band gaps, a second of one core.

    Args:
        options: Of the command line.

    Returns:
        Crystals per second by program, of all rounds, and how many times as fast as each peer.
    """
    with tempfile.TemporaryDirectory() as name:
        crystals = _in_memory(Path(name))
        commands: dict[str, list[Any]] = {
            "ours": [sys.executable, PEERS / "our_gaps.py", MODEL, crystals],
            **{
                peer: [_python(options, peer), PEERS / f"{peer}_gaps.py", crystals]
                for peer in ("matgl", "megnet")
            },
        }
        rounds = _rounds(commands, options.rounds)
    return {
        "crystals": N_IN_MEMORY,
        "model": MODEL,
        "rounds": rounds,
        "times as fast": {
            peer: median(one["ours"]["gaps"] / one[peer]["gaps"] for one in rounds)
            for peer in commands
            if peer != "ours"
        },
    }


def files(options: argparse.Namespace) -> dict[str, Any]:
    """Files of crystals to a table of band gaps on all cores.

    Args:
        options: Of the command line.

    Returns:
        Of each kind of file crystals per second by program, of all rounds, memory, and how many times
        as fast as matgl.
    """
    n_processes = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        structures = load_crystals("mp2018", split="train", limit=options.crystals, seed=0)[0]
        sources = {"json.gz": _write_json(folder, structures), "CIFs": _write_cifs(folder, structures)}
        found: dict[str, Any] = {}
        for kind, source in sources.items():
            peer = [_python(options, "matgl"), PEERS / "matgl_files.py", source, n_processes]
            rounds = [
                {"ours": _predicted(source, folder, n_processes, len(structures)), "matgl": run(peer)}
                for _ in range(options.rounds)
            ]
            print(kind, rounds, flush=True)
            found[kind] = {
                "rounds": rounds,
                "times as fast": median(one["ours"]["crystals"] / one["matgl"]["crystals"] for one in rounds),
            }
    return {"crystals": len(structures), "model": MODEL, "processes": n_processes, **found}


def workers(options: argparse.Namespace) -> dict[str, Any]:
    """Crystals a second from CIFs to graphs, on one and two workers of each backend.

    Args:
        options: Of the command line.

    Returns:
        Rates by backend and number of workers, of all rounds, and what part of two workers' time is used.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        structures = load_crystals("mp2018", split="train", limit=N_FOR_WORKERS, seed=0)[0]
        source = _write_cifs(folder, structures)
        commands: dict[str, list[Any]] = {
            f"{kind}, {n}": [sys.executable, __file__, "--allow-dirty", "--worker", kind, str(n), source]
            for kind in BACKENDS
            for n in (1, 2)
        }
        rounds = _rounds(commands, options.rounds)
    rates = {name: median(one[name]["crystals"] for one in rounds) for name in commands}
    return {
        "crystals": len(structures),
        "rounds": rounds,
        "crystals per second": rates,
        "efficiency": {name: rates[f"{name}, 2"] / 2 / rates[f"{name}, 1"] for name in BACKENDS},
    }


def work(name: str, n_workers: str, source: str) -> None:
    """Read CIFs and make graphs on the workers of a backend, and print the rate after the first window."""
    arguments = argparse.Namespace(
        backend=None if name == "loky" else name, scheduler=None, n_jobs=int(n_workers)
    )
    convert = DualGraphConverter(n_neighbors=16).convert_few
    ends: list[tuple[float, int]] = []
    with backend(arguments):
        for window in screen(open_crystals(source).entries, convert, int(n_workers)):
            ends.append((perf_counter(), len(window)))
    n_crystals = sum(number for _, number in ends[1:])
    print(json.dumps({"crystals": n_crystals / (ends[-1][0] - ends[0][0])}))


def _in_memory(folder: Path) -> Path:
    structures, table = load_crystals("mp2018", split="val", limit=N_IN_MEMORY, seed=0)
    return write_crystals(folder / "crystals.npz", structures, table["band_gap"].to_numpy(float))


def _rounds(commands: dict[str, list[Any]], n_rounds: int) -> list[dict[str, dict[str, float]]]:
    rounds = []
    for _ in range(n_rounds):
        rounds.append({name: run(command) for name, command in commands.items()})
        print(rounds[-1], flush=True)
    return rounds


def _python(options: argparse.Namespace, peer: str) -> Path:
    """The interpreter of a peer's environment."""
    return Path(options.environments.resolve() / peer / "bin" / "python")


def _write_json(folder: Path, structures: list[Structure]) -> Path:
    path = folder / "crystals.json.gz"
    frame = pd.DataFrame({"structure": structures}, [f"crystal-{i:06d}" for i in range(len(structures))])
    store_dataframe_as_json(frame, str(path), compression="gz", pbar=False)
    return path


def _write_cifs(folder: Path, structures: list[Structure]) -> Path:
    path = folder / "cifs"
    path.mkdir()
    for number, structure in enumerate(structures):
        structure.to(filename=str(path / f"crystal-{number:06d}.cif"))
    return path


def _predicted(source: Path, folder: Path, n_processes: int, n_crystals: int) -> dict[str, float]:
    """Run the command, and check that it predicted every crystal."""
    output = folder / "predictions.csv"
    words = ["predict", source, "--model", MODEL, "--output", output, "--n_jobs", n_processes, "--quiet"]
    command = [sys.executable, "-c", "import sys; from amdnet_matminer.cli import main; sys.exit(main())"]
    start = perf_counter()
    subprocess.run([*command, *map(str, words)], check=True)
    seconds = perf_counter() - start
    written = pd.read_csv(output, index_col="id")
    output.unlink()
    if written.index.tolist() != sorted(written.index) or written.prediction.notna().sum() != n_crystals:
        raise RuntimeError(f"not all of {n_crystals} crystals were predicted, in order")
    return {"crystals": n_crystals / seconds, "seconds": seconds}


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "graphs": graphs,
    "gaps": gaps,
    "files": files,
    "workers": workers,
}

if __name__ == "__main__":
    main()
