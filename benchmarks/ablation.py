r"""What is the motif level worth: networks with and without it, on the same crystals and budget?

    python benchmarks/ablation.py
    python benchmarks/ablation.py --data nomad2018 --variants amdnet "amdnet, atoms only" --seeds 0
    python benchmarks/ablation.py --data "mp2018 oxides" --result ablation-bonds \
        --variants amdnet "amdnet, bonds of either end"

Every variant is trained for the same number of epochs on the same crystals with Muon, once per seed. A tenth
of the training crystals judges the epochs; the scored crystals take no part in any choice. "Shuffled
motifs" gives each crystal the motif graph of another one, its atoms drawn from the crystal at hand:
what it is better than "atoms only" by, more parameters are worth, not motifs. "Bonds of
either end" has motifs with the ligands that only list their centre. All but "with dropout" go without
dropout, which the published networks do not have. Runs are kept one by one, so an interrupted
benchmark goes on. Data: mp2018 and nomad2018.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, NamedTuple

import numpy as np
from common import load_crystals, parse, parser_of, write_result
from joblib import Parallel, delayed

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.architectures import register
from amdnet_matminer.files import write_atomically
from amdnet_matminer.graphs import DualGraph
from amdnet_matminer.motifs import MotifGraph
from amdnet_matminer.motifs.types import BondRule

SETS = {
    "mp2018 oxides": {"target": "band_gap", "unit": "eV", "n_train": 3000, "n_test": 800, "epochs": 25},
    "nomad2018": {"target": "band_gap", "unit": "eV", "n_train": 500, "n_test": 400, "epochs": 25},
}


class Variant(NamedTuple):
    """One network of the comparison."""

    architecture: str = "amdnet"
    """Which network."""
    width: int | None = None
    """Its width; None is its own."""
    dropout: float = 0.0
    """Part of the hidden values that is dropped in training."""
    motifs: Literal["own", "shuffled", "none"] = "own"
    """Whose motifs each crystal gets."""
    bonds: BondRule = "own"
    """Whose list makes a bond of a motif."""


VARIANTS = {
    "megnet": Variant("megnet"),
    "megnet, wider": Variant("megnet", width=46),
    "amdnet-2021": Variant("amdnet-2021"),
    "amdnet, atoms only": Variant("amdnet, levels apart", motifs="none"),
    "amdnet, levels apart": Variant("amdnet, levels apart"),
    "amdnet, shuffled motifs": Variant(motifs="shuffled"),
    "amdnet": Variant(),
    "amdnet with dropout": Variant(dropout=0.1),
    "amdnet, bonds of either end": Variant(bonds="either"),
}

Graphs = Sequence[DualGraph]


class Data(NamedTuple):
    """The crystals of one comparison, as every variant reads them."""

    training: tuple[Graphs, np.ndarray]
    """Graphs and targets, (S,)."""
    test: tuple[Graphs, np.ndarray]
    """Graphs and targets, (T,)."""


def main() -> None:
    """Train every variant on every data set with every seed, and write the table."""
    parser = parser_of(__doc__)
    parser.add_argument("--data", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--epochs", type=int, help="instead of each data set's own")
    parser.add_argument("--n_train", type=int, help="instead of each data set's own")
    parser.add_argument("--n_jobs", type=int, default=1, help="trainings at a time, one thread each")
    parser.add_argument("--work", type=Path, default=Path(".ablation"), help="folder of the single runs")
    parser.add_argument("--result", default="ablation", help="first part of the result's name")
    options = parse(parser)
    options.work.mkdir(exist_ok=True)
    given = {name: getattr(options, name) for name in ("epochs", "n_train") if getattr(options, name)}
    for name in options.data:
        settings = SETS[name] | given
        run = partial(run_once, name, settings, options.work)
        tasks = [(variant, seed) for seed in options.seeds for variant in options.variants]
        rows = Parallel(n_jobs=options.n_jobs)(delayed(run)(*task) for task in tasks)
        result = settings | {"data": name, "seeds": options.seeds, "device": "CPU", "runs": rows}
        print(write_result(f"{options.result}-{name.replace(' ', '-')}", result, options.allow_dirty))


def run_once(data: str, settings: dict[str, Any], work: Path, variant: str, seed: int) -> dict[str, Any]:
    """Train one variant with one seed, unless that has been done.

    Args:
        data: Name of the data set.
        settings: Its sizes and epochs.
        work: Folder of the finished runs.
        variant: Name of the variant.
        seed: Of weights, split, shuffling.

    Returns:
        Errors, parameters and time.
    """
    key = f"{data} {settings['n_train']} {settings['epochs']} {variant} {seed}"
    done = work / f"{key.replace(',', '').replace(' ', '-')}.json"
    if done.exists():
        found: dict[str, Any] = json.loads(done.read_text())
        return found
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    register_levels_apart()
    row = {"variant": variant, "seed": seed} | train_variant(data, settings, work, VARIANTS[variant], seed)
    write_atomically(done, json.dumps(row).encode())
    print(row, flush=True)
    return row


def train_variant(
    data: str, settings: dict[str, Any], work: Path, variant: Variant, seed: int
) -> dict[str, Any]:
    """Train one network and score it.

    Args:
        data: Name of the data set.
        settings: Its sizes and epochs.
        work: Folder that keeps the graphs.
        variant: Which network.
        seed: Of weights, split, shuffling.

    Returns:
        Errors in the unit of the target, parameters and time.
    """
    crystals = read_data(data, settings, work, variant)
    training, validation = split(*crystals.training, np.random.default_rng(seed))
    model = estimator(variant, settings["epochs"], seed)
    start = perf_counter()
    model.fit(*training, validation_data=validation)
    seconds = perf_counter() - start
    test_graphs, expected = crystals.test
    return {
        "mae": float(np.abs(model.predict(test_graphs) - expected).mean()),
        "validation_mae": min(model.history_["val_mae"]),
        "training_mae": model.history_["loss"][-1] * model.scaler_.scale[0],
        "parameters": sum(weight.size for weight in model.weights_[0]),
        "seconds": seconds,
    }


def estimator(variant: Variant, epochs: int, seed: int | None = None) -> AMDNetRegressor:
    """The network of a variant, with the recipe that all share.

    Args:
        variant: Which network.
        epochs: How often it sees every crystal.
        seed: Of weights and shuffling.

    Returns:
        An estimator that is not fitted.
    """
    return AMDNetRegressor(
        architecture=variant.architecture,
        width=variant.width,
        dropout=variant.dropout,
        optimizer="muon",
        epochs=epochs,
        patience=epochs,
        random_state=seed,
    )


def register_levels_apart() -> None:
    """Make known the network whose levels meet at its end only, as those of the published one."""
    from amdnet_matminer.network.amdnet import AMDNet

    @register("amdnet, levels apart")
    class LevelsApart(AMDNet):
        cross_level = False


def split(graphs: Graphs, y: np.ndarray, rng: np.random.Generator) -> list[tuple[Graphs, np.ndarray]]:
    """Keep a random tenth of the training crystals to judge epochs by; first the larger part."""
    held, kept = np.split(rng.permutation(len(y)), [len(y) // 10])
    return [([graphs[i] for i in part], y[part]) for part in (kept, held)]


def read_data(data: str, settings: dict[str, Any], work: Path, variant: Variant) -> Data:
    """Load crystals and make the graphs that a variant reads.

    Args:
        data: Name of the data set.
        settings: Its sizes.
        work: Folder that keeps the graphs.
        variant: Whose graphs: with the neighbours that its network reads.

    Returns:
        Training and test part.
    """
    n_train, n_test, target = settings["n_train"], settings["n_test"], settings["target"]
    if data == "nomad2018":
        structures, table = load_crystals("nomad2018", limit=n_train + n_test)
        order = np.random.default_rng(0).permutation(len(structures))
        structures, y = [structures[i] for i in order], table[target].to_numpy(float)[order]
    else:
        parts = [("train", n_train), ("val", n_test)]
        loaded = [load_crystals("mp2018", split=part, oxides=True, limit=n) for part, n in parts]
        structures = [s for part, _ in loaded for s in part]
        y = np.concatenate([table[target].to_numpy(float) for _, table in loaded])
    register_levels_apart()
    converter = estimator(variant, settings["epochs"]).graph_converter()
    maker = replace(converter, motifs=variant.bonds if converter.motifs else None)
    graphs: Graphs = list(maker.convert_many(structures, cache_dir=work / "graphs"))
    # The networks are to read whatever motifs a variant has as if they were their own.
    graphs = [replace(graph, converter=converter) for graph in graphs]
    if variant.motifs == "none":
        graphs = [replace(graph, motifs=MotifGraph.empty()) for graph in graphs]
    if variant.motifs == "shuffled":
        graphs = shuffle_motifs(graphs, np.random.default_rng(0))
    return Data((graphs[:n_train], y[:n_train]), (graphs[n_train:], y[n_train:]))


def shuffle_motifs(graphs: Graphs, rng: np.random.Generator) -> list[DualGraph]:
    """Give each crystal the motif graph of another one.

    Args:
        graphs: S crystals.
        rng: Source of the order.

    Returns:
        S graphs; centres and ligands are atoms of the crystal at hand, drawn at random.
    """
    mixed = []
    for graph, other in zip(graphs, rng.permutation(len(graphs)), strict=True):
        motifs = graphs[other].motifs
        n_atoms = len(graph.atoms.atomic_number)
        drawn = {
            name: rng.integers(n_atoms, size=len(getattr(motifs, name)), dtype=np.int32)
            for name in ("center", "ligand")
        }
        mixed.append(replace(graph, motifs=motifs._replace(**drawn)))
    return mixed


if __name__ == "__main__":
    main()
