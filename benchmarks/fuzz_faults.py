"""What happens to files when a process is killed, the disk is full, or input is bad; for ``fuzz.py``."""

from __future__ import annotations

import io
import multiprocessing
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fuzz_cases import Act, Part, mutated_text
from fuzz_readers import crystals
from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter

from amdnet_matminer.cli import main as amdnet
from amdnet_matminer.cli.exits import Exit
from amdnet_matminer.cli.tables import ResultFile
from amdnet_matminer.graphs import DualGraph, DualGraphConverter, GraphCache, dual_graphs
from amdnet_matminer.persistence import read_arrays, write_arrays
from amdnet_matminer.screening import Outcome
from amdnet_matminer.structure_files import Entry


def _killed(folder: Path) -> Act:
    """Processes killed (-9) while they save, cache and predict: nothing half, nothing lost."""

    def act(rng: random.Random) -> str:
        task = rng.choice([_killed_saving, _killed_caching, _killed_predicting])
        return task(Path(tempfile.mkdtemp(dir=folder)), rng)

    return act


def _full_disk(folder: Path) -> Act:
    """Files that may not grow beyond some bytes: an OSError, and what was there before is still there."""

    def act(rng: random.Random) -> str:
        task = rng.choice([_saving_without_room, _caching_without_room, _predicting_without_room])
        place = Path(tempfile.mkdtemp(dir=folder))
        return _in_child(partial(task, place, rng.randrange(1, 3000)))

    return act


def _command_line(folder: Path) -> Act:
    """``amdnet predict`` on folders of which most files are mutated: a row for each, no traceback."""

    def act(rng: random.Random) -> str:
        place = Path(tempfile.mkdtemp(dir=folder, prefix="β-Kristalle "))
        for name in ("a", "b", "c"):
            crystal = crystals().iloc[rng.randrange(len(crystals()))]
            text = mutated_text(str(CifWriter(crystal)), rng)
            (place / f"{name}.cif").write_text(text, encoding="utf-8", errors="replace")
        crystals()["rock-salt-MgO"].to(filename=str(place / "Ω sound.cif"))
        return _predicted(place)

    return act


def _read_only_folder(folder: Path) -> Act:
    """A folder that may not be written to: one sentence, no traceback."""
    return lambda rng: _in_child(_refused_in_a_read_only_folder)


FAULTS = {
    "command_line": Part(_command_line, (), 100),
    "read_only_folder": Part(_read_only_folder, (), 1),
    "killed": Part(_killed, (), 150),
    "full_disk": Part(_full_disk, (), 150),
}
"""Faults, and how many cases each gets."""


def _predicted(folder: Path) -> str:
    output = folder / "out.csv"
    words = ["predict", folder, "--model", "mp2018-band-gap", "--output", output, "--quiet"]
    with redirect_stderr(io.StringIO()) as errors:
        code = amdnet([str(word) for word in words])
    table = pd.read_csv(output, index_col="id")
    told = table.prediction.notna() != table.error.notna()
    if (
        table.index.tolist() != ["a", "b", "c", "Ω sound"]
        or not told.all()
        or np.isnan(table.prediction.iloc[3])
    ):
        raise AssertionError("rows are missing")
    expected = Exit.INCOMPLETE if table.error.notna().any() else Exit.DONE
    if code != expected or "Traceback" in errors.getvalue():
        raise AssertionError(f"code {code}, {errors.getvalue()}")
    return expected.name.lower()


def _refused_in_a_read_only_folder() -> str:
    """As an ordinary user: root may write anywhere."""
    folder = Path(tempfile.mkdtemp())
    crystals().iloc[0].to(filename=str(folder / "one.cif"))
    folder.chmod(0o555)
    if os.geteuid() == 0:
        os.setuid(65534)
    with redirect_stderr(io.StringIO()) as errors:
        code = amdnet(["featurize", str(folder / "one.cif"), "--output", str(folder / "out.csv")])
    if code != Exit.CANNOT_RUN or "is not writable; save elsewhere" not in errors.getvalue():
        raise AssertionError(f"code {code}, {errors.getvalue()}")
    return "refused"


def _killed_saving(folder: Path, rng: random.Random) -> str:
    models = [[np.full(10**5, value, dtype=np.float32)] for value in (0.0, 1.0)]
    path = folder / "model.amdnet"
    write_arrays(path, {}, models[0])

    def save() -> None:
        for turn in range(10**6):
            write_arrays(path, {}, models[turn % 2])

    _kill(save, rng)
    if len(set(read_arrays(path)[1][0])) != 1:
        raise AssertionError("two models are mixed")
    return "whole model"


def _killed_caching(folder: Path, rng: random.Random) -> str:
    some = crystals().iloc[:40].tolist()
    settings: dict[str, Any] = {"atom_cutoff": 3.0}

    def cache() -> None:
        GraphCache(folder, dual_graphs, DualGraph, converter=DualGraphConverter(**settings)).graphs(some)

    _kill(cache, rng)
    graphs = GraphCache(folder, dual_graphs, DualGraph, converter=DualGraphConverter(**settings)).graphs(some)
    for crystal, graph in zip(some, graphs, strict=True):
        if not np.array_equal(
            graph.atoms.distance, DualGraphConverter(**settings).convert(crystal).atoms.distance
        ):
            raise AssertionError("another graph is read")
    return "same graphs"


def _killed_predicting(folder: Path, rng: random.Random) -> str:
    predict = partial(_predict_rows, folder / "out.csv", 2000)
    for _ in range(2):
        _kill(predict, rng, 0.3)
    if not (folder / "out.csv").exists():
        predict()
    return _all_rows(folder / "out.csv", 2000)


def _predict_rows(path: Path, n: int) -> None:
    """Give crystal i the prediction i / 7, going on with what is there."""

    def unread() -> Structure:
        raise AssertionError("it need not be read")

    with ResultFile(path, ["prediction"], "digest") as table:
        for entry in table.skip_done([Entry(f"crystal, {i}", unread) for i in range(n)]):
            number = int(entry.id.removeprefix("crystal, "))
            table.add([Outcome(entry.id, [number / 7])])


def _all_rows(path: Path, n: int) -> str:
    table = pd.read_csv(path, float_precision="round_trip")
    if (
        table.id.tolist() != [f"crystal, {i}" for i in range(n)]
        or (table.prediction != table.index / 7).any()
    ):
        raise AssertionError("rows are lost, repeated or changed")
    return "all rows once"


def _saving_without_room(folder: Path, room: int) -> str:
    path = folder / "model.amdnet"
    write_arrays(path, {}, [np.zeros(3)])
    with _room(room):
        _refused(partial(write_arrays, path, {}, [np.random.default_rng(0).random(10**4)]))
    if len(read_arrays(path)[1][0]) != 3 or len(list(folder.iterdir())) != 1:
        raise AssertionError("the old model is gone, or a half one lies there")
    return "old model kept"


def _caching_without_room(folder: Path, room: int) -> str:
    crystal = crystals().iloc[-1]
    cache = GraphCache(folder, dual_graphs, DualGraph, converter=DualGraphConverter())
    with _room(cache.store.file.stat().st_size + min(room, 500)):
        _refused(partial(cache.graph, crystal))
    if cache.store.known([cache.key(crystal)]):
        raise AssertionError("a half graph lies there")
    return "nothing half cached"


def _predicting_without_room(folder: Path, room: int) -> str:
    predict = partial(_predict_rows, folder / "out.csv", 1000)
    with _room(room):
        _refused(predict)
    predict()
    return _all_rows(folder / "out.csv", 1000)


def _refused(act: Callable[[], Any]) -> None:
    try:
        act()
    except OSError:
        return
    raise AssertionError("it was not refused")


@contextmanager
def _room(n_bytes: int) -> Iterator[None]:
    """No file may be longer, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def _kill(act: Callable[[], None], rng: random.Random, longest: float = 0.5) -> None:
    """Do something in another process, for a random short time."""
    child = multiprocessing.get_context("fork").Process(target=act)
    child.start()
    time.sleep(rng.uniform(0.0, longest))
    child.kill()
    child.join()


def _in_child(act: Callable[[], str]) -> str:
    """Do something in another process, so that its limits are not ours."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(act)
