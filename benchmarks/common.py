"""What the benchmark scripts share: the crystal data, and results with the machine they come from."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pymatgen.core import Structure

from amdnet_matminer.files import package_versions

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def load_crystals(name: str, **options: Any) -> tuple[list[Structure], pd.DataFrame]:
    """Load a crystal data set from the folder AMDNET_DATA, or ../shared/data beside the checkout.

    Args:
        name: Such as ``"mp2018"``.
        **options: ``split``, ``oxides``, ``limit`` and ``seed`` of the folder's ``crystals.load``.

    Returns:
        The structures and the table of their labels.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    reader = data_folder() / "crystals.py"
    spec = importlib.util.spec_from_file_location("crystals", reader)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"cannot read {reader}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    structures, table = module.load(name, **options)
    return structures, table


def data_folder() -> Path:
    """The folder of the crystal data.

    Raises:
        FileNotFoundError: There is none.
    """
    folder = Path(os.environ.get("AMDNET_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "crystals.py").is_file():
        raise FileNotFoundError(f"no crystal data in {folder}; set AMDNET_DATA to its folder")
    return folder


def write_result(name: str, result: dict[str, Any]) -> Path:
    """Write a result as ``results/<name>.json``, with date, git revision, machine and versions.

    Args:
        name: Of the file, without its ending.
        result: What was measured, as JSON can hold it.

    Returns:
        The file.
    """
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(_stamp() | result, indent=2) + "\n")
    return path


def _stamp() -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": _revision(),
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "system": platform.system()},
        "versions": {"python": platform.python_version()} | package_versions(),
    }


def _revision() -> str:
    """The commit, and whether anything but results has been changed since."""
    commit = _git("rev-parse", "HEAD") or "unknown"
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)benchmarks/results")
    return commit + "-dirty" * bool(changed)


def _git(*command: str) -> str:
    done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _processor() -> str:
    """The processor's name: Linux tells it only here."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
