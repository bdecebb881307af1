"""Graphs a second of process time on one core, by the package in a folder, now or an earlier one."""

from __future__ import annotations

import sys

sys.path.insert(0, sys.argv[1])

from speed import one_core, process_seconds, read, report

from amdnet_matminer.graphs import DualGraphConverter

CHUNK = 32

one_core()
structures, _ = read(sys.argv[2])
converter = DualGraphConverter(n_neighbors=16)


def one_by_one() -> None:
    """A call for each crystal."""
    for structure in structures:
        converter.convert(structure)


def together() -> None:
    """As many crystals at a time as work on many takes, where the package has it."""
    if not hasattr(converter, "convert_few"):
        one_by_one()
        return
    for first in range(0, len(structures), CHUNK):
        converter.convert_few(structures[first : first + CHUNK])


together()
report(len(structures), chunks=process_seconds(together), one=process_seconds(one_by_one))
