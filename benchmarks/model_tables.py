"""Tables of the shipped models: what more crystals gave them, and what they are worth as beginnings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd
from common import RESULTS
from tables import read, table

from amdnet_matminer.matbench.leaderboard import unit_of

MODELS = ("mp-band-gap", "mp-formation-energy")
KINDS = {
    "origin": None,
    "volume of an atom (cubic angstrom)": None,
    "hydrogen": None,
    "elements": ("1",),
    "atoms per cell": ("4: above 60",),
}
"""Divisions of crystals that are shown, with the labels where not all."""


class Gain(NamedTuple):
    """Errors of a model and of the one that it went on from, as ``train_models.score`` gives them."""

    now: dict[str, Any]
    before: dict[str, Any]

    def told(self, what: str) -> str:
        """A number, before and now."""
        return f"{self.before[what]:.4f} → {self.now[what]:.4f}"

    def of_kind(self, division: str, label: str) -> str:
        """The mean error on a kind of crystals, and how many these are; empty if there are none."""
        now, before = (errors["by kind"][division].get(label) for errors in self)
        return "" if now is None else f"{Gain(now, before).told('mae')} ({now['n']:,})"


def more_crystals() -> str:
    """What the models that went on with more crystals gained, and on which."""
    results = [read(RESULTS / f"pretrained-{name}.json") for name in MODELS]
    gains = [Gain(*(next(iter(r[when].values())) for when in ("errors", "before"))) for r in results]
    metals = read(RESULTS / "pretrained-mp-is-metal.json")
    ranks = [f"{result['rank correlation of error and std']:.2f}" for result in results]
    rows = [
        ["all", *(gain.told("mae") for gain in gains)],
        *_by_kind(gains),
        ["off by more than 0.5", *(f"{g.before['large']:.2%} → {g.now['large']:.2%}" for g in gains)],
        ["metals told by small gaps, area under the curve", gains[0].told("auc of metals"), ""],
        ["the same by `mp-is-metal`", f"{metals['errors']['is_metal']['auc of metals']:.4f}", ""],
        ["rank correlation of error and standard deviation", *ranks],
    ]
    title = (
        "**More crystals.** What the shipped models of all of the Materials Project at hand gain over those "
        "of mp2018, from whose weights they went on: MAE before → now and number of crystals, on the "
        "validation part of mp2018 and on a fiftieth of the crystals beside it, drawn at random, so that "
        "some of these are twins of crystals that the models now have learned."
    )
    return table(title, ["crystals", *(f"`{name}`" for name in MODELS)], rows, *results, metals)


def _by_kind(gains: list[Gain]) -> Iterator[list[str]]:
    """A row for each kind of crystals."""
    for division, labels in KINDS.items():
        for label in labels or sorted({label for gain in gains for label in gain.now["by kind"][division]}):
            name = label.partition(": ")[2] or label
            yield [f"{division}: {name}", *(gain.of_kind(division, label) for gain in gains)]


def fine_tuning() -> str:
    """Errors after few crystals, from scratch and from shipped models."""
    result = read(RESULTS / "fine_tuning.json")
    runs = pd.DataFrame(result["runs"])
    runs["beginning"] = [
        "scratch" if start == "scratch" else f"{share:g} of `{start}`"
        for start, share in zip(runs.start, runs.share, strict=True)
    ]
    beginnings = sorted(set(runs.beginning), key=lambda name: (name != "scratch", name))
    rows = []
    for (task, size), group in runs.groupby(["task", "size"]):
        errors = [group.mae[group.beginning == name] for name in beginnings]
        told = [f"{e.mean():.3g} ± {e.std(ddof=0):.2g}, {len(e)}" if len(e) else "" for e in errors]
        name, unit = str(task).removeprefix("matbench_"), unit_of(str(task))
        rows.append([f"{name} ({unit})", f"{size:,}", *told])
    title = (
        "**Fine-tuning.** MAE after few crystals of the training part of a task's first fold, on others of "
        "it, after 100 epochs; mean, standard deviation and number of seeds, which also draw the crystals. "
        "A beginning is so much of each weight of a shipped model, and the rest drawn (`init_share`)."
    )
    return table(title, ["task", "crystals", *beginnings], rows, result)
