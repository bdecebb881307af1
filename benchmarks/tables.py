"""What all tables of results are made with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def table(title: str, heads: list[str], rows: list[list[str]], *results: dict[str, Any]) -> str:
    """A Markdown table under a title, with the commits that its numbers are of."""
    made = f"{title} {revisions(results)}" if results else title
    return f"{made}\n\n{grid(heads, rows)}\n\n"


def grid(heads: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, without the end of its last line."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def revisions(results: Sequence[dict[str, Any]]) -> str:
    """The commits that results are of, in the order of their dates; ``+`` marks one with changes."""
    ordered = sorted(results, key=lambda result: result["date"])
    names = [str(result["revision"] or "unknown").partition("-") for result in ordered]
    short = list(dict.fromkeys(name[:7] + "+" * bool(dirty) for name, dirty, _ in names))
    return f"Revision{'s' if len(short) > 1 else ''} {', '.join(short)}."


def n_labelled(errors: dict[str, Any]) -> int:
    """How many crystals have the label that errors by kind are of."""
    return sum(part["n"] for part in errors["by kind"]["chemistry"].values())


def read(path: Path) -> dict[str, Any]:
    """One result file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
