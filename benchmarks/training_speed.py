"""How fast are training and prediction beside megnet and matgl, on the same crystals, run alternately?

    python benchmarks/training_speed.py --install      once: peers into environments of their own
    python benchmarks/training_speed.py
    python benchmarks/training_speed.py --parts profile growth

Data: mp2018. Peers train their own MEGNet of the size of the published atom branch, 5 angstrom, batches
of 32, on two threads, as their documentation does. Each round runs every program once, in a process of
its own, so that all see the same state of the machine; a ratio is the median over rounds. Graphs are made
before; compilation, which all pay once, is left out by a first epoch that does not count. Published
networks are trained with Adam, as the peers train theirs, "amdnet" with its own default, Muon.

``fit`` itself is not timed: it compiles with XLA, and takes up what it has compiled before, only where
the number of steps pays for it, which no measurement of minutes has. So the parts that ``fit`` and
``predict`` are made of (``amdnet_matminer.training``) are put together here as a long training does it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from common import ROOT, load_crystals, parse, parser_of, write_result

from amdnet_matminer.options import Optimizer

PEERS = Path(__file__).resolve().parent / "peers"
REQUIREMENTS = {
    "matgl": [["torch==2.13.0", "matgl==4.1.2"]],
    "megnet": [
        ["tensorflow==2.15.1", "pymatgen==2023.10.4", "numpy<1.26", "scikit-learn<1.5", "monty<2024"],
        ["--no-deps", "megnet==1.3.2"],
    ],
}
ARCHITECTURES: tuple[str, ...] = ("megnet", "amdnet-2021", "amdnet")
N_CRYSTALS = 1000


def main() -> None:
    """Install the peers, or measure."""
    parser = parser_of(__doc__)
    parser.add_argument("--install", action="store_true", help="make the peers' environments and stop")
    parser.add_argument("--environments", type=Path, default=ROOT / ".peers", help="their folder")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--worker", choices=ARCHITECTURES, help=argparse.SUPPRESS)
    parser.add_argument("--crystals", help=argparse.SUPPRESS)
    options = parse(parser)
    if options.worker:
        work(options.worker, options.crystals)
    elif options.install:
        install(options.environments)
    else:
        for part in options.parts:
            print(write_result(f"training_speed-{part}", PARTS[part](options), options.allow_dirty))


def install(folder: Path) -> None:
    """Make an environment for each peer; this interpreter must be one that they support (3.11).

    Args:
        folder: Where the environments go.
    """
    for peer, steps in REQUIREMENTS.items():
        subprocess.run([sys.executable, "-m", "venv", folder / peer], check=True)
        for requirements in steps:
            subprocess.run([folder / peer / "bin" / "pip", "install", "-q", *requirements], check=True)


def compare(options: argparse.Namespace) -> dict[str, Any]:
    """Rates of all programs in alternating rounds, and what they are to the faster peer's.

    Args:
        options: Of the command line.

    Returns:
        Rates in crystals per second, all rounds, and ratios.
    """
    worker = [sys.executable, str(Path(__file__).resolve()), "--allow-dirty", "--worker"]
    with tempfile.TemporaryDirectory() as folder:
        structures, table = load_crystals("mp2018", split="train", limit=N_CRYSTALS)
        y = table["formation_energy_per_atom"].to_numpy(float)
        crystals = write_crystals(Path(folder) / "crystals.npz", structures, y)
        commands = {
            peer: [
                options.environments.resolve() / peer / "bin" / "python",
                PEERS / f"{peer}_speed.py",
                crystals,
            ]
            for peer in REQUIREMENTS
        } | {f"ours, {name}": [*worker, name, "--crystals", crystals] for name in ARCHITECTURES}
        rounds = []
        for number in range(options.rounds):
            rounds.append({name: run(command) for name, command in commands.items()})
            print(number, json.dumps(rounds[-1]), flush=True)
    return {"n_crystals": N_CRYSTALS, "batch_size": 32, "rounds": rounds, "ratios": ratios(rounds)}


def run(command: list[Any]) -> dict[str, float]:
    """Run a worker and read the last line that it prints.

    Args:
        command: The program and its arguments.

    Returns:
        Crystals per second of each phase.
    """
    words = [str(word) for word in command]
    # Peers leave files where they run.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr[-2000:]}")
    rates: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return rates


def ratios(rounds: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Our rates over the peers', the median over rounds.

    Args:
        rounds: Rates by program and phase.

    Returns:
        By architecture: training over the faster peer, prediction over each peer's call per crystal
        and over matgl's own batches.
    """
    found = {}
    for ours in (name for name in rounds[0] if name.startswith("ours")):
        found[ours] = {
            "training / faster peer": median(
                r[ours]["training"] / max(r[peer]["training"] for peer in REQUIREMENTS) for r in rounds
            ),
            "prediction / matgl, batches": median(
                r[ours]["prediction"] / r["matgl"]["prediction"] for r in rounds
            ),
        } | {
            f"prediction / {peer}, one by one": median(
                r[ours]["prediction"] / r[peer]["predict_structure"] for r in rounds
            )
            for peer in REQUIREMENTS
        }
    return found


def write_crystals(path: Path, structures: list[Any], y: np.ndarray) -> Path:
    """Write crystals as plain arrays, which every version of pymatgen can read.

    Args:
        path: The file.
        structures: S crystals.
        y: Their targets, shape (S,).

    Returns:
        The file.
    """
    np.savez(
        path,
        n_atoms=[len(s) for s in structures],
        lattice=np.stack([s.lattice.matrix for s in structures]),
        frac_coords=np.concatenate([s.frac_coords for s in structures]),
        atomic_numbers=np.concatenate([s.atomic_numbers for s in structures]),
        y=y,
    )
    return path


def work(architecture: str, crystals: str) -> None:
    """The worker for one of our networks: what ``fit`` and ``predict`` do once graphs are there.

    Args:
        architecture: Which network.
        crystals: File of the sample.
    """
    from peers.speed import read, report

    bench = Bench(*read(crystals), architecture)
    # All shapes that occur come twice, so that nothing is compiled while the time is taken. At first
    # predictions are those of a model just loaded, later they use what the training has compiled.
    bench.predict()
    loaded = seconds(bench.predict)
    bench.train(5)
    bench.predict()
    report(
        len(bench.graphs),
        training=seconds(lambda: bench.train(5)) / 5,
        prediction=seconds(bench.predict),
        prediction_when_loaded=loaded,
    )


class Bench:
    """One network with the graphs of a sample, ready to be timed.

    Args:
        structures: S crystals.
        y: Targets, shape (S,).
        architecture: Which network.
        width: Its width; None is its own.
    """

    def __init__(
        self, structures: list[Any], y: np.ndarray, architecture: str, width: int | None = None
    ) -> None:
        from amdnet_matminer.architectures import NetworkConfig, network_class
        from amdnet_matminer.graphs import DualGraphConverter, SizeLadder, sizes_of
        from amdnet_matminer.training import Compilation, Labelled, TargetScaler

        network = network_class(architecture)
        self.graphs = [
            DualGraphConverter(
                n_neighbors=network.default_n_neighbors, motifs="own" if network.reads_motifs else None
            ).convert(s)
            for s in structures
        ]
        self.data = Labelled(self.graphs, y[:, None], np.ones(len(y)))
        self.scaler = TargetScaler.of(self.data.y)
        self.ladder = SizeLadder.for_crystals(sizes_of(self.graphs), 32)
        optimizer: Optimizer = "muon" if architecture == "amdnet" else "adamw"
        self.compilation = Compilation(
            NetworkConfig.of(architecture, width=width), optimizer=optimizer, xla=True
        )

    def train(self, epochs: int) -> None:
        """Some epochs, always the same, so that a second call compiles nothing."""
        from amdnet_matminer.training import Settings, compiled_network, train

        settings = Settings("mae", epochs, 32, 1e-3, "constant", epochs)
        with compiled_network(self.compilation) as network:
            train(network, self.data, None, self.scaler, self.ladder, settings, 0)

    def predict(self) -> None:
        """All crystals once, as ``predict`` does it."""
        from amdnet_matminer.training import compiled_network, predict_graphs, xla_pays

        compilation = self.compilation._replace(xla=xla_pays(n_predictions=len(self.graphs)))
        with compiled_network(compilation, only_predicts=True) as network:
            predict_graphs(network, self.graphs, self.ladder)

    def network_and_batch(self) -> tuple[Any, Any]:
        """A network of the same kind, and a batch of the usual size for it."""
        from amdnet_matminer.network import build_network

        return build_network(self.compilation.network), next(self._batches(32))[0]

    def packing_seconds(self) -> float:
        """How long it takes to put a batch together."""
        batches = self._batches(32)
        next(batches)
        return seconds(lambda: [next(batches) for _ in range(31)]) / 31

    def _batches(self, batch_size: int) -> Any:
        from amdnet_matminer.training.batches import training_batches

        return training_batches(self.data, -(-len(self.graphs) // batch_size), self.ladder, 0)


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    start = perf_counter()
    call()
    return perf_counter() - start


def growth(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds per epoch against number of crystals, atoms per cell and width.

    Args:
        options: Of the command line.

    Returns:
        Seconds by size.
    """
    return {
        "crystals": {n: epoch_seconds(load(n)) for n in (1000, 10_000, 44_787)},
        "atoms": {
            f"up to {largest}": epoch_seconds(load(1000, smallest, largest))
            for smallest, largest in ((1, 8), (9, 24), (25, 60), (61, 300))
        },
        "width": {width: epoch_seconds(load(1000), width) for width in (32, 64, 128)},
    }


def load(n: int, smallest: int = 1, largest: int = 10_000) -> tuple[list[Any], np.ndarray]:
    """A random sample of crystals whose cells have a number of atoms in a range."""
    structures, table = training_part()
    y = table["formation_energy_per_atom"].to_numpy(float)
    order = np.random.default_rng(0).permutation(len(structures)).tolist()
    fit = [i for i in order if smallest <= len(structures[i]) <= largest][:n]
    return [structures[i] for i in fit], y[fit]


@cache
def training_part() -> tuple[list[Any], Any]:
    """All training crystals of the Materials Project 2018 set, and their table."""
    return load_crystals("mp2018", split="train")


def epoch_seconds(data: tuple[list[Any], np.ndarray], width: int | None = None) -> float:
    """Seconds per epoch of ``"amdnet"``, compilation left out."""
    bench = Bench(*data, "amdnet", width)
    bench.train(2)
    return seconds(lambda: bench.train(2)) / 2


def profile(options: argparse.Namespace) -> dict[str, Any]:
    """Where the time of a training step goes, and what part of the machine's matrix rate it reaches.

    Args:
        options: Of the command line.

    Returns:
        Milliseconds of a step, of its operations by kind and of packing, by architecture.
    """
    from step_profile import flops, matrix_rate, record, replay_seconds

    data = load(N_CRYSTALS)
    rate = matrix_rate()
    found: dict[str, Any] = {"gigaflops of one large product": rate / 1e9}
    for architecture in ARCHITECTURES:
        bench = Bench(*data, architecture)
        bench.train(2)
        step = seconds(lambda bench=bench: bench.train(5)) / 5 / -(-len(bench.graphs) // 32)  # type: ignore[misc]
        calls = record(*bench.network_and_batch())
        found[architecture] = {
            "step (ms)": 1e3 * step,
            "packing, beside it (ms)": 1e3 * bench.packing_seconds(),
            **{f"{kind} (ms)": 1e3 * value for kind, value in replay_seconds(calls).items()},
            "matrix rate reached": 3.0 * flops(calls) / step / rate,
        }
        print(architecture, found[architecture], flush=True)
    return found


PARTS = {"compare": compare, "profile": profile, "growth": growth}

if __name__ == "__main__":
    main()
