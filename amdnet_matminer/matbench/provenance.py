"""When, on what machine, with which versions and by which commit a number was made."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amdnet_matminer.errors import AMDNetError
from amdnet_matminer.files import PACKAGES, package_versions

_HERE = Path(__file__).resolve().parent
DIRTY = "-dirty"
"""Ends the name of a commit since which something but results has been changed."""
# What benchmarks write; that it has been written anew does not make the code another one.
_MADE = (":(exclude,top)benchmarks/results", ":(exclude,top)amdnet_matminer/pretrained/mp*")


def stamp() -> dict[str, Any]:
    """Date, revision, machine and versions, as every result has them."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": revision(),
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "system": platform.system()},
        "versions": {"python": platform.python_version()} | package_versions(("amdnet-matminer", *PACKAGES)),
    }


def revision() -> str | None:
    """The commit that this package is of, and whether it was changed; None if it is in no git checkout."""
    # An environment may lie within a repository that does not hold the package.
    if not _git("ls-files", Path(__file__).name):
        return None
    top = _git("rev-parse", "--show-toplevel")
    changes = ("status", "--porcelain", "--untracked-files=no", "--", top, *_MADE)
    return _git("rev-parse", "HEAD") + DIRTY * bool(_git(*changes))


def check_clean(*revisions: str | None) -> None:
    """Refuse to publish what no commit can make again.

    Args:
        *revisions: As ``revision`` gives them; none looks at this checkout.

    Raises:
        AMDNetError: One is unknown, or has changes that are not committed.
    """
    for found in revisions or (revision(),):
        if found is None or found.endswith(DIRTY):
            state = "unknown, since this is no git checkout" if found is None else f"{found}, with changes"
            raise AMDNetError(f"results are published of a commit, and this is {state}", "commit first")


def _git(*command: str) -> str:
    try:
        done = subprocess.run(["git", *command], cwd=_HERE, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # no git
        return ""
    return done.stdout.strip()


def _processor() -> str:
    """The processor's name: Linux tells it only here."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
