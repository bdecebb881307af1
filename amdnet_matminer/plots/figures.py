"""Figures that are shown or only saved, and what pictures have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from amdnet_matminer.errors import MissingDependencyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours that readers with colour-blindness tell apart (Okabe and Ito, 2008), but for its yellow,
# which is faint on white; with more than three of them, markers differ too.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", ":")
"""Of corners, edges and faces."""
OTHER = "0.8"
"""Colour of what has none of its own."""

NO_MATPLOTLIB = ("pictures need matplotlib", "install it with pip install 'amdnet-matminer[plots]'")


def unshown_figure(size: tuple[float, float]) -> Figure:
    """A figure that is only saved, and leaves pyplot's state alone.

    Args:
        size: Width and height in inches.

    Returns:
        An empty figure, to be filled by the functions that take ``ax``.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(*NO_MATPLOTLIB) from error
    return Figure(figsize=size, layout="constrained")


def new_figure(size: tuple[float, float], path: str | Path | None) -> Figure:
    """A figure that is shown, of pyplot, or one that is only saved.

    Args:
        size: Width and height in inches.
        path: The picture that will be written, if any.

    Returns:
        An empty figure.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    if path is not None:
        return unshown_figure(size)
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingDependencyError(*NO_MATPLOTLIB) from error
    return pyplot.figure(figsize=size, layout="constrained")


def check_picture(path: str | Path) -> None:
    """Refuse a picture that could not be written, before work that may be long.

    Args:
        path: The picture; without a suffix matplotlib adds its own.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ValueError: Its suffix is of no format that matplotlib writes.
    """
    suffix = Path(path).suffix
    known = [f".{name}" for name in unshown_figure((1.0, 1.0)).canvas.get_supported_filetypes()]
    if suffix and suffix.lower() not in known:
        raise ValueError(
            f"{path} ends in {suffix}, which is of no picture that matplotlib writes; "
            f"choose one of {', '.join(known)}"
        )


def save(ax: Axes, path: str | Path | None) -> None:
    """Write the whole figure that some axes are in.

    Args:
        ax: The axes.
        path: The picture, if any.
    """
    figure = ax.get_figure(root=True)
    if path is not None and figure is not None:
        figure.savefig(path, dpi=150)
