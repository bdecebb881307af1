"""Pictures of how well a model does. Needs matplotlib, the ``plots`` extra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from amdnet_matminer.errors import MissingDependencyError


def parity_plot(true: ArrayLike, predicted: ArrayLike, quantity: str, path: str | Path) -> None:
    """Draw predicted against true values.

    Args:
        true: Values, shape (S,).
        predicted: Values, shape (S,).
        quantity: What they are, with the unit.
        path: The picture to write; its suffix decides the format.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    true, predicted = np.asarray(true), np.asarray(predicted)
    figure, axes = _figure((4.5, 4.5))
    both = np.concatenate([true, predicted])
    ends = [both.min(), both.max()]
    axes.plot(ends, ends, color="0.6", linewidth=1)
    axes.scatter(true, predicted, s=12, alpha=0.6, linewidths=0)
    axes.set(xlabel=f"true {quantity}", ylabel=f"predicted {quantity}", aspect="equal")
    axes.set_title(f"MAE {np.abs(true - predicted).mean():.3g}, {len(true)} crystals")
    figure.savefig(path, dpi=150)


def learning_curve_plot(history: Mapping[str, Sequence[float]], path: str | Path) -> None:
    """Draw loss and validation error over the epochs.

    Args:
        history: The ``history_`` of a fitted estimator.
        path: The picture to write; its suffix decides the format.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    figure, axes = _figure((5.5, 4.0))
    epochs = np.arange(1, len(history["loss"]) + 1)
    axes.plot(epochs, history["loss"], label="training loss (scaled)")
    if "val_mae" in history:
        axes.plot(epochs, history["val_mae"], label="validation MAE (unit of the target)")
    axes.set(xlabel="epoch", yscale="log")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


def _figure(size: tuple[float, float]) -> tuple[Any, Any]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            "pictures need matplotlib; install it with pip install 'amdnet-matminer[plots]'"
        ) from error
    # A figure of its own: pyplot would change the caller's global state and backend.
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()
