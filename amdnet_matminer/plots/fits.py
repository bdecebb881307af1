"""How well a model does: predicted against true values, learning curves, errors by element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from pymatgen.core import Element

from amdnet_matminer.plots.figures import COLORS, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_F_BLOCK_GAP = 0.5
"""Rows of the periodic table between the main part and the lanthanoids."""
_MANY = 3000
"""From so many points on, their density is drawn in place of each."""


def parity_plot(
    true: ArrayLike,
    predicted: ArrayLike,
    quantity: str = "value",
    unit: str = "",
    *,
    path: str | Path | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw predicted against true values; of very many the density.

    Args:
        true: Values, shape (S,).
        predicted: Values, shape (S,).
        quantity: What they are, such as ``"band gap"``.
        unit: Their unit, such as ``"eV"``.
        path: The picture to write, if any; its suffix decides the format.
        ax: Where to draw; a new figure if not given.

    Returns:
        The axes that were drawn into.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ValueError: The values are not finite, or not as many of the one as of the other.
    """
    true, predicted = np.asarray(true, dtype=float), np.asarray(predicted, dtype=float)
    if true.ndim != 1 or true.shape != predicted.shape or true.size == 0:
        raise ValueError(
            f"got true values of shape {true.shape} and predicted ones of {predicted.shape}; "
            "pass as many of the one as of the other, in one dimension"
        )
    if not np.isfinite([true, predicted]).all():
        raise ValueError("a value is not finite; leave out the crystals that have no label or no prediction")
    ax = new_figure((5.2, 4.5), path).subplots() if ax is None else ax
    ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
    ax.plot(ends, ends, color="0.4", linewidth=1, zorder=3)
    if len(true) < _MANY:
        ax.scatter(true, predicted, s=14, alpha=0.6, linewidths=0, color=COLORS[0])
    else:
        density = ax.hexbin(true, predicted, gridsize=70, bins="log", mincnt=1, cmap="viridis")
        ax.figure.colorbar(density, ax=ax, label="crystals")
    of_unit = f" ({unit})" if unit else ""
    ax.set(xlabel=f"true {quantity}{of_unit}", ylabel=f"predicted {quantity}{of_unit}", aspect="equal")
    ax.set_title(f"MAE {np.abs(true - predicted).mean():.3g} {unit}".rstrip() + f", {len(true):,} crystals")
    save(ax, path)
    return ax


def learning_curve_plot(
    history: Mapping[str, Sequence[float]],
    unit: str = "",
    *,
    path: str | Path | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw training loss (left) and validation error (right) over the epochs, a line for each network.

    Args:
        history: The ``history_`` of a fitted estimator.
        unit: Unit of the target, such as ``"eV"``.
        path: The picture to write, if any; its suffix decides the format.
        ax: Where to draw; a new figure if not given.

    Returns:
        The axes of the training loss.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    ax = new_figure((6.0, 4.0), path).subplots() if ax is None else ax
    _draw_history(ax, history, "loss", "training loss (scaled)", COLORS[0], "-")
    ax.set_xlabel("epoch")
    if "val_mae" in history:
        label = f"validation MAE ({unit or 'unit of the target'})"
        _draw_history(ax.twinx(), history, "val_mae", label, COLORS[4], "--")
    elif "val_log_loss" in history:
        _draw_history(ax.twinx(), history, "val_log_loss", "validation log loss", COLORS[4], "--")
    save(ax, path)
    return ax


def plot_elements(
    values: Mapping[str, float],
    label: str,
    *,
    path: str | Path | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a value of each element in the periodic table.

    Args:
        values: By symbol, such as errors of the crystals that have the element; at least one.
        label: What they are, with their unit.
        path: The picture to write, if any; its suffix decides the format.
        ax: Where to draw; a new figure if not given.

    Returns:
        The axes that were drawn into.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    ax = new_figure((7.4, 3.9), path).subplots() if ax is None else ax
    places = np.array([_place_in_table(Element(symbol)) for symbol in values])
    numbers = np.fromiter(values.values(), float)
    squares = ax.scatter(places[:, 0], places[:, 1], c=numbers, s=330, marker="s", cmap="viridis_r")
    middle = (numbers.min() + numbers.max()) / 2
    for (x, y), symbol, number in zip(places, values, numbers, strict=True):
        paint = "white" if number > middle else "black"
        ax.text(x, y, symbol, ha="center", va="center", fontsize=8, color=paint)
    ax.set(xlim=(0.3, 18.7), ylim=(9.9 + _F_BLOCK_GAP, 0.3), aspect="equal")
    ax.set_axis_off()
    ax.figure.colorbar(squares, ax=ax, shrink=0.6, label=label)
    save(ax, path)
    return ax


def _draw_history(
    ax: Axes, history: Mapping[str, Sequence[float]], name: str, label: str, color: str, style: str
) -> None:
    """A line for each member of an ensemble, whose histories follow one another."""
    from matplotlib.ticker import LogLocator, NullFormatter

    values = np.asarray(history[name], dtype=float)
    member = np.asarray(history.get("member", np.zeros(len(values))))
    for number in np.unique(member):
        line = values[member == number]
        ax.plot(np.arange(1, len(line) + 1), line, style, color=color, linewidth=1.4)
    ax.set_ylabel(label, color=color)
    ax.tick_params(axis="y", which="both", colors=color)
    if (values > 0.0).all():
        ax.set_yscale("log")
        # 0.2 is easier to read than the powers of ten that are the default.
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())


def _place_in_table(element: Element) -> tuple[float, float]:
    """Column and row in the periodic table, with the lanthanoids and actinoids below it."""
    if element.is_lanthanoid or element.is_actinoid:
        first, row = (57, 8) if element.is_lanthanoid else (89, 9)
        return float(element.Z - first + 3), row + _F_BLOCK_GAP
    return float(element.group), float(element.row)
