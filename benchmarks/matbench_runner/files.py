"""Files that are there whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_whole(file: Path, text: str) -> None:
    """Write a text file; a kill or a crash leaves the old one, or none.

    Args:
        file: The file; its folder is made.
        text: What it is to hold.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    with unfinished.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(file)


def write_json(file: Path, content: Any, indent: int | None = None) -> None:
    """As ``write_whole``, for what JSON can hold."""
    write_whole(file, json.dumps(content, indent=indent) + "\n")


def read_json(file: Path) -> Any:
    """What a JSON file holds."""
    return json.loads(file.read_text(encoding="utf-8"))
