"""Files that are there whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from amdnet_matminer.files import write_atomically


def write_whole(file: Path, text: str) -> None:
    """Write a text file; a kill or a crash leaves the old one, or none.

    Args:
        file: The file; its folder is made.
        text: What it is to hold.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, text.encode())


def write_json(file: Path, content: Any, indent: int | None = None) -> None:
    """As ``write_whole``, for what JSON can hold."""
    write_whole(file, json.dumps(content, indent=indent) + "\n")


def read_json(file: Path) -> Any:
    """What a JSON file holds."""
    return json.loads(file.read_text(encoding="utf-8"))
