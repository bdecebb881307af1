"""What opening files of crystals gives: crystals that are not read yet, and what was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from pymatgen.core import Structure

_NAMED = 3
"""How many of the files that were left out for one reason are named."""


class ReadingNote(UserWarning):
    """Something about a crystal that its user should know, though it can be used."""


class Entry(NamedTuple):
    """One crystal that may not have been read yet."""

    id: str
    read: Callable[[], Structure]
    """Reads it, warns with a ``ReadingNote`` of what should be known about it, or raises
    whatever a malformed file leads its parser to."""


class Skipped(NamedTuple):
    """A file or folder that was found and left out."""

    path: str
    reason: str
    """As the end of a sentence, such as ``"hidden"``."""


class Crystals(NamedTuple):
    """The crystals of some files, in order."""

    entries: Iterable[Entry]
    total: int | None
    """How many they are; None if only reading them all would tell."""
    skipped: tuple[Skipped, ...] = ()
    """What was found beside them and is not read."""
    notes: tuple[str, ...] = ()
    """What was chosen among several files of one crystal, and how crystals are named; a sentence each."""
    files: tuple[Path, ...] = ()
    """All that they may be read from."""

    def remarks(self) -> list[str]:
        """What a user should be told: the notes, and one line that counts and names what is left out."""
        reasons = dict.fromkeys(skipped.reason for skipped in self.skipped)
        parts = [_counted([item.path for item in self.skipped if item.reason == why], why) for why in reasons]
        skipped = [f"left out {len(self.skipped)}: {'; '.join(parts)}"] if parts else []
        return [*self.notes, *skipped]


def _counted(paths: list[str], reason: str) -> str:
    names = [path.rstrip("/").rpartition("/")[2] for path in paths[:_NAMED]]
    named = ", ".join(names) + (", ..." if len(paths) > _NAMED else "")
    return f"{len(paths)} {reason} ({named})"
