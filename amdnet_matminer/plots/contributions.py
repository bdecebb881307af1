"""What motifs and atoms contribute: bars for one crystal, a ranking for many."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from amdnet_matminer.plots.figures import COLORS, MARKERS, OTHER, new_figure, save
from amdnet_matminer.plots.scene import one_crystal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_BARS = 12
_RAISES, _LOWERS = COLORS[4], COLORS[0]
_ROW = 0.32
"""Height of a row in inches."""


def plot_contributions(
    explanation: pd.DataFrame,
    quantity: str = "prediction",
    unit: str = "",
    *,
    path: str | Path | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how a crystal's motifs and atoms lead from the baseline to its prediction, bar after bar.

    Those of one name are one bar, the largest first; of more than 12 the smallest are one.

    Args:
        explanation: One crystal's rows of what ``explain`` gave.
        quantity: What is predicted, such as ``"band gap"``.
        unit: Its unit, such as ``"eV"``.
        path: The picture to write, if any; its suffix decides the format.
        ax: Where to draw; a new figure if not given.

    Returns:
        The axes that were drawn into.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ValueError: The explanation is of none or several crystals.
    """
    bars = _bars(one_crystal(explanation))
    baseline, prediction = explanation[["baseline", "prediction"]].iloc[0]
    ends = baseline + np.cumsum(bars)
    starts = ends - bars
    ax = new_figure((6.0, 1.3 + _ROW * len(bars)), path).subplots() if ax is None else ax
    rows = np.arange(len(bars))
    ax.barh(rows, bars, left=starts, height=0.7, color=np.where(bars > 0, _RAISES, _LOWERS))
    ax.vlines(starts[1:], rows[:-1], rows[1:], color="0.4", linewidth=0.8)
    for value, name in ((baseline, "baseline"), (prediction, "prediction")):
        ax.axvline(value, color="0.4", linewidth=0.8, linestyle=":", zorder=0)
        ax.text(value, -0.7, f"{name}\n{value:.3g}", ha="center", va="bottom", fontsize=8)
    for row, bar, right in zip(rows, bars, np.maximum(starts, ends), strict=True):
        ax.annotate(f"{bar:+.3g}", (right, row), (3, 0), textcoords="offset points", va="center", fontsize=8)
    ax.set_yticks(rows, bars.index)
    ax.set(ylim=(len(bars) - 0.4, -0.6), xlabel=quantity + (f" ({unit})" if unit else ""))
    ax.margins(x=0.15)
    ax.spines[["top", "right"]].set_visible(False)
    save(ax, path)
    return ax


def plot_summary(
    summary: pd.DataFrame,
    unit: str = "",
    n_kinds: int = 20,
    *,
    path: str | Path | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Rank kinds of motifs and atoms by their effect on predictions, with confidence and counts.

    Args:
        summary: What ``summarize_explanation`` gave; its 95% intervals are lines, cut where they are long.
        unit: Of the target, such as ``"eV"``.
        n_kinds: How many kinds to draw, those in the most crystals.
        path: The picture to write, if any; its suffix decides the format.
        ax: Where to draw; a new figure if not given.

    Returns:
        The axes that were drawn into.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ValueError: The summary is empty, or it is no summary.
    """
    _check_summary(summary)
    shown = (
        summary.nlargest(n_kinds, "crystals").sort_values("effect", ascending=False).reset_index(drop=True)
    )
    ax = new_figure((6.4, 1.0 + 0.8 * _ROW * len(shown)), path).subplots() if ax is None else ax
    for kind, marker, color in zip(("motif", "atom"), MARKERS, COLORS, strict=False):
        rows = shown[shown.kind == kind]
        reach = (rows.high - rows.effect).fillna(0.0)
        ax.errorbar(rows.effect, rows.index, xerr=reach, fmt=marker, color=color, capsize=2, label=f"{kind}s")
    ax.axvline(0.0, color=OTHER, linewidth=1, zorder=0)
    labels = [f"{name} (n = {n:,})" for name, n in zip(shown.name, shown.crystals, strict=True)]
    ax.set_yticks(shown.index, labels)
    # Means of two or three crystals have intervals that would hide all others.
    low, high = min(shown.effect.min(), 0.0), max(shown.effect.max(), 0.0)
    margin = 0.3 * (high - low) or 1.0
    of_unit = f" ({unit})" if unit else ""
    ax.set(ylim=(len(shown) - 0.4, -0.6), xlim=(low - margin, high + margin))
    ax.set_xlabel(f"mean effect on the prediction{of_unit}")
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    save(ax, path)
    return ax


def _bars(explanation: pd.DataFrame) -> pd.Series:
    """Contributions by name, with the numbers of motifs and atoms, the largest first."""
    names = explanation.groupby(["kind", "name"], sort=False)[["multiplicity", "contribution"]].sum()
    names = names.sort_values("contribution", key=abs, ascending=False)
    labels = [f"{n} {name}" for (_, name), n in zip(names.index, names.multiplicity, strict=True)]
    bars = pd.Series(names.contribution.to_numpy(), labels)
    if len(bars) <= _MOST_BARS:
        return bars
    first, rest = bars[: _MOST_BARS - 1], bars[_MOST_BARS - 1 :]
    return pd.concat([first, pd.Series({f"{len(rest)} others": rest.sum()})])


def _check_summary(summary: pd.DataFrame) -> None:
    missing = [name for name in ("kind", "name", "crystals", "effect", "high") if name not in summary]
    if missing:
        raise ValueError(
            f"the summary has no {', '.join(map(repr, missing))}; give what summarize_explanation makes "
            "of what explain gave"
        )
    if summary.empty:
        raise ValueError("the summary has no motifs and atoms; there is nothing to draw")
