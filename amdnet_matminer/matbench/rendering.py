"""The texts of this package that are filled in, in the folder ``templates``."""

from __future__ import annotations

from typing import Any

from amdnet_matminer.errors import MissingDependencyError


def templates(autoescape: bool = False) -> Any:
    """The texts of this package that are filled in.

    Args:
        autoescape: Whether what is filled in is made safe for HTML.

    Returns:
        A ``jinja2.Environment``.

    Raises:
        MissingDependencyError: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise MissingDependencyError(
            f"cannot import jinja2 ({error})", "install it with: pip install 'amdnet-matminer[matbench]'"
        ) from error
    return Environment(
        loader=PackageLoader("amdnet_matminer.matbench"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
