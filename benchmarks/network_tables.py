"""Tables of the motif network, explanations, embeddings and trials of networks."""

from __future__ import annotations

from typing import Any

import pandas as pd
from common import RESULTS
from tables import read, table

BASELINE = "amdnet"
"""The trial that the others are compared with."""


def network_accuracy() -> str:
    """Properties of the nearest materials."""
    results = [read(RESULTS / f"motif_network-{part}.json") for part in ("accuracy", "transform")]
    targets = ("gap_pbe", "e_form")
    names = ("the network's own vectors", "`transform` of the models of mp2018")
    rows = [
        [
            name,
            *(f"{result[target]['mae']:.3f}" for target in targets),
            " and ".join(f"{result[target]['held_out']:,}" for target in targets),
        ]
        for name, result in zip(names, results, strict=True)
    ]
    title = (
        "**Nearest materials.** MAE of the distance-weighted mean of the nearest of four fifths of "
        "matbench_mp, on the rest; of the models of mp2018 on what is new to them of it: neither there nor "
        "of the same formula as a crystal there with a volume per atom within 1%. Published on another set: "
        "0.601 eV and 0.157 eV/atom (Aryal et al., 2026)."
    )
    heads = ["vectors", "band gap (eV)", "formation energy (eV/atom)", "crystals scored"]
    return table(title, heads, rows, *results)


def network_speed() -> str:
    """What a large motif network costs."""
    result = read(RESULTS / "motif_network-speed.json")
    memory = result["peak_memory_mb"]
    rows = [
        [
            "build",
            f"{result['build_seconds'] / 60:.0f} min, of CPU time {result['build_cpu_seconds'] / 60:.0f} min",
        ],
        [
            "peak memory, of this the crystals",
            f"{memory['built']:,.0f} MB, {memory['crystals alone']:,.0f} MB",
        ],
        ["file", f"{result['file']['megabytes']:.0f} MB"],
        ["read the file", f"{result['file']['load_ms']:.0f} ms"],
        *([name, f"{time:.0f} ms"] for name, time in result["milliseconds"].items()),
    ]
    title = (
        f"**Motif network of {result['crystals']:,} crystals.** {result['kinds']:,} kinds of motifs, "
        f"{result['links']:,} links; median time of a query of each kind, one process."
    )
    return table(title, ["what", "cost"], rows, result)


def explanations() -> str:
    """What explanations find of what was planted, and their cost."""
    result = read(RESULTS / "explanations.json")
    time = result["seconds of 100 crystals"]
    rows = [_planted_row(name, result[name]) for name in ("values of kinds", "neighbours at faces")]
    title = (
        f"**Explanations.** Properties made from motifs, learned from {result['training']:,} oxides and "
        f"explained on {result['tested']} others. Rank correlation of what is planted and what is found, of "
        "the largest that equal values allow; beside it after training on labels in random order. Deletion: "
        "change of a prediction without the motif that contributes most, and without another; in brackets "
        "the part of crystals where the first is more. Explaining 100 crystals takes "
        f"{time['explain']:.2f} s, predicting them {time['predict']:.2f} s."
    )
    heads = ["planted", "MAE, of the mean", "motifs", "random", "kinds of motifs", "random", "deletion"]
    return table(title, heads, rows, result)


def _planted_row(name: str, part: dict[str, Any]) -> list[str]:
    found, control = part["rank correlation"], part["rank correlation of labels in random order"]
    correlations = [
        text
        for what in ("of motifs", "of kinds")
        for text in (f"{found[what]:.2f} of {found[f'{what}, largest possible']:.2f}", f"{control[what]:.2f}")
    ]
    deletion = part["deletion"]
    first = deletion["part where the first is more"]
    change = f"{deletion['largest contribution']:.2f}, {deletion['another']:.2f} ({100 * first:.0f}%)"
    return [name, f"{part['mae']:.2f}, {part['mae of the mean']:.2f}", *correlations, change]


def embeddings() -> str:
    """Errors from a model's vectors and from Magpie's features, by regression."""
    result = read(RESULTS / "embeddings.json")
    rows = [
        [f"{task.removeprefix('matbench_')} ({part['unit']})".replace(" ()", ""), name]
        + [f"{e['mae']:.3g} ± {e['std']:.2g} ({e['mae_new']:.3g})" for e in by_regression.values()]
        for task, part in result["tasks"].items()
        for name, by_regression in part["features"].items()
    ]
    largest = max(part["crystals"] for part in result["tasks"].values())
    title = (
        f"**Embeddings.** MAE after {result['labels']} labels of properties that the models of mp2018 were "
        f"not trained on, on the others of {largest:,} crystals (phonons: all there are); mean and standard "
        f"deviation over {result['splits']} random splits, in brackets the mean on crystals without a twin "
        "in mp2018."
    )
    return table(
        title, ["property", "features", "ridge", "nearest neighbours", "random forest"], rows, result
    )


def trials() -> str:
    """What networks and recipes were tried, and what they are worth: on today's network, and before it."""
    return _trials("Trials", "trials") + _trials("Trials that made it", "trials-before")


def _trials(name: str, of: str) -> str:
    """The table of one result file."""
    result = read(RESULTS / f"{of}.json")
    runs = pd.DataFrame(result["runs"])
    targets = sorted(set(runs.target))
    usual = runs.loc[runs.trial == BASELINE, ["target", "seed", "mae", "seconds"]]
    runs = runs.merge(usual, on=["target", "seed"], suffixes=("", "_usual"), how="left")
    runs["change"], runs["time"] = runs.mae / runs.mae_usual - 1, runs.seconds / runs.seconds_usual
    rows = [
        [
            str(trial),
            *(_tried(group[group.target == target]) for target in targets),
            f"{group.time.mean():.2f}",
        ]
        for trial, group in sorted(runs.groupby("trial"), key=lambda item: item[1].change.mean())
    ]
    title = (
        f"**{name}.** {result['n_train']:,} crystals of mp2018's training part, {result['epochs']} epochs, "
        f"scored on {result['n_validation']:,} of its validation part, which judge the epochs "
        "too; each has changed what it is called by. MAE, the mean over so many seeds, "
        "and in brackets how much more or less it is than "
        "that of the same seeds of the default network of that revision, whose processor time is 1."
    )
    return table(title, ["trial", *(target.replace("_", " ") for target in targets), "time"], rows, result)


def _tried(runs: pd.DataFrame) -> str:
    """Error of a trial for a target, if it was tried."""
    if runs.empty:
        return ""
    return f"{runs.mae.mean():.4f}, {len(runs)} ({100 * runs.change.mean():+.1f}%)"
