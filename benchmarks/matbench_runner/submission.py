"""The folder that is submitted to MatBench, and whether it is ready.

The conditions are those of ``scripts/test_submission.py`` in MatBench's repository and of its
page on submitting, as of January 2024.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from amdnet_matminer import MotifFeaturizer
from amdnet_matminer.files import package_versions
from matbench_runner.files import read_json, write_json
from matbench_runner.folds import Fold
from matbench_runner.leaderboard import TASKS, all_names
from matbench_runner.models import MODELS
from matbench_runner.options import Options
from matbench_runner.results import RESULTS, write_results
from matbench_runner.tasks import benchmark_class

PREFIX = "matbench_v0.1_"
INFO = "info.json"
NOT_EMPTY = ("authors", "algorithm", "algorithm_long", "bibtex_refs", "requirements")
LARGEST_MB = 10

_BENCHMARKS = Path(__file__).resolve().parent.parent
_SOURCES = ("run_matbench.py", "common.py", "leaderboard.json", "matbench_runner")
_PACKAGES = (
    "numpy",
    "pandas",
    "scipy",
    "scikit-learn",
    "pymatgen",
    "matminer",
    "matbench",
    "keras",
    "tensorflow",
    "jax",
    "torch",
)

_NETWORK = (
    "A crystal is read twice, as a graph of its atoms and as a graph of its structure motifs, which are the "
    "coordination polyhedra of its cations joined where they share corners, edges or faces. "
)
LONG_NAMES = {
    "amdnet": _NETWORK + "Atom-motif dual graph network with messages between the two graphs.",
    "amdnet-2021": _NETWORK + "Atom-motif dual graph network as published in 2021, two MEGNet branches.",
    "megnet": "The atom branch of the atom-motif dual graph network alone, which is a MEGNet.",
    "rf-motif": "Random forest on statistics of a crystal's structure motifs and their Motif2Vec vectors.",
    "rf-magpie": "Random forest on Magpie's statistics of a crystal's elements.",
    "mean": "The mean of the training labels, of a class its frequency.",
}


class Check(NamedTuple):
    """Whether a submission is ready."""

    missing: list[str]
    """What keeps it from being accepted."""
    notes: list[str]
    """What is worth knowing."""


def submission_folder(model: str, options: Options) -> Path:
    """Where a model's submission is."""
    return options.folder / f"{PREFIX}{MODELS[model]}"


def write_submission(model: str, folds: Sequence[Fold], options: Options) -> Path:
    """Write results, description, sources and hyperparameters.

    Args:
        model: One of ``MODELS``.
        folds: Its folds, at least one.
        options: What was asked for.

    Returns:
        The folder.
    """
    folder = submission_folder(model, options)
    write_results(folds, folder / RESULTS)
    write_json(folder / INFO, _info(model, folds, options), indent=1)
    parameters: dict[str, dict[str, Any]] = {}
    for fold in folds:
        of_task = parameters.setdefault(fold["job"]["task"], {})
        of_task[f"fold_{fold['job']['fold']}"] = fold["recorded"]["parameters"]
    write_json(folder / "hyperparameters.json", parameters, indent=1)
    for name in _SOURCES:
        source = _BENCHMARKS / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / name, dirs_exist_ok=True, ignore=ignored)
        else:
            shutil.copy2(source, folder / name)
    return folder


def check_submission(folder: Path) -> Check:
    """Look whether MatBench would take a folder.

    Args:
        folder: Whose name begins with ``matbench_v0.1_``.

    Returns:
        What is missing, and what is worth knowing.
    """
    if not folder.is_dir():
        return Check([f"{folder} is no folder"], [])
    found = [_check_files(folder), _check_info(folder), _check_results(folder)]
    return Check(*([line for check in found for line in check[part]] for part in (0, 1)))


def said_of_check(folder: Path) -> str:
    """The outcome of ``check_submission`` in words."""
    check = check_submission(folder)
    lines = [f"{folder}: {'not ready' if check.missing else 'ready to submit'}"]
    lines += [f"  missing: {line}" for line in check.missing]
    lines += [f"  note: {line}" for line in check.notes]
    return "\n".join(lines)


def _info(model: str, folds: Sequence[Fold], options: Options) -> dict[str, Any]:
    tasks = ", ".join(dict.fromkeys(fold["job"]["task"] for fold in folds))
    devices = ", ".join(sorted({fold["measured"]["device"] for fold in folds}))
    hours = sum(fold["measured"]["training_s"] for fold in folds) / 3600
    return {
        "authors": options.authors,
        "algorithm": MODELS[model],
        "algorithm_long": LONG_NAMES[model],
        "bibtex_refs": "\n".join(MotifFeaturizer().citations()[:1]),
        "notes": (
            f"Tasks: {tasks}. One configuration on all folds of a task, see hyperparameters.json; epochs are "
            "judged by a part of the training and validation data, test parts are used for the recorded "
            f"predictions only. Training took {hours:.2g} h on {devices}."
        ),
        "requirements": {
            "python": [
                f"{name}=={text}" for name, text in package_versions(("amdnet-matminer", *_PACKAGES)).items()
            ]
        },
    }


def _check_files(folder: Path) -> Check:
    missing = [f"{name} is not there" for name in (INFO, RESULTS) if not (folder / name).is_file()]
    if not [*folder.glob("*.py"), *folder.glob("*.ipynb")]:
        missing.append("there is no .py or .ipynb file")
    if not folder.name.startswith(PREFIX):
        missing.append(f"the folder's name does not begin with {PREFIX}")
    if (folder / ".ipynb_checkpoints").exists():
        missing.append(".ipynb_checkpoints must not be there")
    for file in sorted(folder.rglob("*")):
        megabytes = file.stat().st_size / 1e6
        if file.name != RESULTS and megabytes > LARGEST_MB:
            missing.append(f"{file.relative_to(folder)} has {megabytes:.0f} MB, more than {LARGEST_MB}")
    return Check(missing, [])


def _check_info(folder: Path) -> Check:
    if not (folder / INFO).is_file():
        return Check([], [])
    try:
        info = read_json(folder / INFO)
        missing = [f"{INFO} has no {key}" for key in NOT_EMPTY if not info.get(key)]
    except (ValueError, AttributeError) as error:
        return Check([f"{INFO} holds no JSON object: {error}"], [])
    if "notes" not in info:
        missing.append(f"{INFO} has no notes")
    name = info.get("algorithm")
    others = {_name_in(other) for other in folder.parent.glob(f"{PREFIX}*") if other != folder}
    if name and name in all_names() | others:
        missing.append(f"{INFO}: the algorithm {name} is there already; give it another name")
    notes = []
    if name and not 5 <= len(name) <= 15:
        notes.append(f"{INFO}: MatBench wishes an algorithm's name of 5 to 15 letters, not {name}")
    return Check(missing, notes)


def _name_in(folder: Path) -> str | None:
    """What another submission calls its algorithm."""
    file = folder / INFO
    name: str | None = read_json(file).get("algorithm") if file.is_file() else None
    return name


def _check_results(folder: Path) -> Check:
    if not (folder / RESULTS).is_file():
        return Check([], [])
    try:
        content = json.loads((folder / RESULTS).read_text(encoding="utf-8"))
    except ValueError as error:
        return Check([f"{RESULTS} is no JSON text, as which the matbench package reads it: {error}"], [])
    try:
        valid = benchmark_class().from_file(folder / RESULTS).is_valid
    except (KeyError, TypeError, ValueError) as error:
        return Check([f"{RESULTS}: {error}"], [])
    return Check([] if valid else [f"{RESULTS} is not valid"], _notes(content))


def _notes(content: dict[str, Any]) -> list[str]:
    """On which leaderboards the results will be, and where their crystals come from."""
    tasks = content["tasks"]
    left = [task for task in TASKS if task not in tasks]
    notes = ["it has all nine structure tasks, so it counts as general-purpose"]
    if left:
        notes = [f"it is for {len(tasks)} leaderboards; to be general-purpose it lacks {', '.join(left)}"]
    origins = content["user_metadata"].get("origins", {})
    foreign = [task for task, origin in origins.items() if not origin["official"]]
    if foreign:
        notes.append(f"not the official file by SHA-256; check crystals, labels, order: {', '.join(foreign)}")
    return notes
