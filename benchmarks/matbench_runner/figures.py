"""Pictures of the report, as SVG text. Need matplotlib, the ``plots`` extra."""

from __future__ import annotations

from io import StringIO
from typing import Any

import numpy as np
from pymatgen.core import Composition, Element

from amdnet_matminer.errors import MissingDependencyError
from matbench_runner.leaderboard import is_classification, unit_of
from matbench_runner.summary import CHEMISTRIES, METALS, Summary, chemistry_of, error_by, errors_of

_MANY = 3000
"""From so many points on, their density is drawn in place of each."""
_F_BLOCK_GAP = 0.5


def parity(summary: Summary) -> str:
    """Draw predicted against true values of all test crystals; of a classification, the probabilities."""
    figure, axes = _figure((4.4, 4.0))
    if is_classification(summary.task):
        for label, name in ((True, "metals"), (False, "not metals")):
            axes.hist(summary.predicted[summary.true == label], bins=40, range=(0, 1), alpha=0.6, label=name)
        axes.set(xlabel="predicted probability of a metal", ylabel="crystals", yscale="log")
        axes.legend(frameon=False)
        return _svg(figure)
    ends = [float(f(np.concatenate([summary.true, summary.predicted]))) for f in (np.min, np.max)]
    axes.plot(ends, ends, color="0.6", linewidth=1, zorder=1)
    if len(summary.true) > _MANY:
        drawn = axes.hexbin(
            summary.true, summary.predicted, gridsize=70, bins="log", mincnt=1, cmap="viridis"
        )
        figure.colorbar(drawn, label="crystals")
    else:
        axes.scatter(summary.true, summary.predicted, s=9, alpha=0.5, linewidths=0, zorder=2)
    unit = f" ({unit_of(summary.task)})"
    axes.set(xlabel=f"true{unit}", ylabel=f"predicted{unit}", aspect="equal")
    return _svg(figure)


def by_chemistry(summary: Summary) -> str:
    """Draw the mean error of groups of compounds, as bars."""
    groups = [(chemistry_of(formula),) for formula in summary.formula]
    found = error_by(groups, errors_of(summary))
    names = [name for name in (*(name for name, _ in CHEMISTRIES), METALS) if name in found][::-1]
    figure, axes = _figure((4.4, 0.5 + 0.42 * len(names)))
    axes.barh(range(len(names)), [found[name][0] for name in names], color="#3b6ea5")
    axes.set_yticks(
        range(len(names)), [f"{name.replace(', ', ',' + chr(10), 1)} ({found[name][1]})" for name in names]
    )
    axes.set(xlabel=_error_label(summary))
    return _svg(figure)


def by_element(summary: Summary) -> str:
    """Draw the mean error of crystals with an element, in the periodic table."""
    groups = [{element.symbol for element in Composition(formula)} for formula in summary.formula]
    found = error_by(groups, errors_of(summary))
    figure, axes = _figure((7.2, 3.8))
    places = [_place(Element(name)) for name in found]
    values = np.array([error for error, _ in found.values()])
    drawn = axes.scatter(*np.transpose(places), c=values, s=330, marker="s", cmap="viridis_r")
    middle = (values.min() + values.max()) / 2
    for (x, y), name, value in zip(places, found, values, strict=True):
        axes.text(
            x, y, name, ha="center", va="center", fontsize=8, color="white" if value > middle else "black"
        )
    axes.set(xlim=(0.3, 18.7), ylim=(9.9 + _F_BLOCK_GAP, 0.3), aspect="equal")
    axes.set_axis_off()
    figure.colorbar(drawn, ax=axes, shrink=0.6, label=_error_label(summary))
    return _svg(figure)


def _error_label(summary: Summary) -> str:
    if is_classification(summary.task):
        return "wrong classes"
    return f"mean absolute error ({unit_of(summary.task)})"


def _place(element: Element) -> tuple[float, float]:
    """Column and row in the periodic table, with the lanthanoids and actinoids below it."""
    if element.is_lanthanoid or element.is_actinoid:
        first, row = (57, 8) if element.is_lanthanoid else (89, 9)
        return float(element.Z - first + 3), row + _F_BLOCK_GAP
    return float(element.group), float(element.row)


def _figure(size: tuple[float, float]) -> tuple[Any, Any]:
    try:
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            f"cannot import matplotlib ({error})", "install it with: pip install matplotlib"
        ) from error
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasSVG(figure)
    return figure, figure.subplots()


def _svg(figure: Any) -> str:
    for axes in figure.axes:
        for collection in axes.collections:
            collection.set_rasterized(True)
    text = StringIO()
    figure.savefig(text, format="svg", dpi=150, metadata={"Date": None})
    return text.getvalue()
