"""What the benchmark scripts share: the command line, the crystal data, and results of a commit."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
from public_data import load_public
from pymatgen.core import Structure

from amdnet_matminer.files import write_atomically
from amdnet_matminer.matbench.provenance import check_clean, stamp

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """A script's parser, with the options that all scripts have.

    Args:
        description: The script's docstring: its question, data and command.

    Returns:
        The parser, to be given to ``parse`` when it has the script's own options.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument(
        "--allow-dirty",
        action="store_true",
        help="write results of a checkout with changes too, which then say so",
    )
    return parser


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Parse the command line, and refuse a checkout with changes before the work begins.

    Args:
        parser: As ``parser_of`` makes them.

    Returns:
        The options.
    """
    options = parser.parse_args()
    if not options.allow_dirty:
        check_clean()
    return options


def load_crystals(name: str, **options: Any) -> tuple[list[Structure], pd.DataFrame]:
    """Load a crystal data set from the folder AMDNET_DATA, or ../shared/data beside the checkout.

    Args:
        name: ``"mp2018"`` or ``"nomad2018"``.
        **options: ``split`` (``"train"``, ``"val"``), ``oxides`` (metal oxides only), ``limit`` (a random
            sample of so many) and its ``seed``.

    Returns:
        The structures and the table of their labels.

    Raises:
        FileNotFoundError: The folder has neither the files that ``public_data`` reads nor a reader of its
            own, ``crystals.py``.
    """
    folder = data_folder()
    reader = folder / "crystals.py"
    if not reader.is_file():
        return load_public(folder, name, **options)
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
    if not folder.is_dir():
        raise FileNotFoundError(
            f"no crystal data in {folder}; let AMDNET_DATA name their folder, and see benchmarks/README.md "
            "for where to download them"
        )
    return folder


def write_result(name: str, result: dict[str, Any], allow_dirty: bool = False) -> Path:
    """Write a result as ``results/<name>.json``, with date, git revision, machine and versions.

    Args:
        name: Of the file, without its ending.
        result: What was measured, as JSON can hold it.
        allow_dirty: Whether the checkout may have changes that are not committed.

    Returns:
        The file.

    Raises:
        AMDNetError: It has, and may not.
    """
    if not allow_dirty:
        check_clean()
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    write_atomically(path, (json.dumps(stamp() | result, indent=2) + "\n").encode())
    return path
