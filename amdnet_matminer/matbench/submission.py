"""The folder that is submitted to MatBench, and whether it is ready.

The conditions are those of ``scripts/test_submission.py`` in MatBench's repository and of its
page on submitting, as of January 2024.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from amdnet_matminer.featurizer import MotifFeaturizer
from amdnet_matminer.files import PACKAGES, package_versions, write_atomically
from amdnet_matminer.matbench.folds import Fold, read_json, version_of, write_json
from amdnet_matminer.matbench.leaderboard import TASKS, all_names
from amdnet_matminer.matbench.models import MODELS
from amdnet_matminer.matbench.options import Options
from amdnet_matminer.matbench.rendering import templates
from amdnet_matminer.matbench.tasks import Origin, benchmark_class, new_benchmark

PREFIX = "matbench_v0.1_"
RESULTS = "results.json.gz"
INFO = "info.json"
PARAMETERS = "hyperparameters.json"
SCRIPT = "run.py"
NOT_EMPTY = ("authors", "algorithm", "algorithm_long", "bibtex_refs", "requirements")
LARGEST_MB = 10

_PACKAGES = (
    "amdnet-matminer",
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


class Check(NamedTuple):
    """Whether a submission is ready."""

    missing: list[str]
    """What keeps it from being accepted."""
    notes: list[str]
    """What is worth knowing."""


def write_submission(model: str, folds: Sequence[Fold], options: Options) -> Path:
    """Write results, description, settings and the script that makes them again.

    Args:
        model: One of ``MODELS``.
        folds: Its folds, at least one, all of a task with the same settings and crystals, all made by the
            same version of this package.
        options: What was asked for.

    Returns:
        The folder.

    Raises:
        MissingDependencyError: matbench is not installed.
    """
    folder = options.output_dir / f"{PREFIX}{MODELS[model].algorithm}"
    write_json(folder / RESULTS, results_of(folds))
    write_json(folder / INFO, _info(model, folds, options), indent=1)
    settings = {fold["job"]["task"]: fold["settings"] for fold in folds}
    write_json(folder / PARAMETERS, settings, indent=1)
    script = templates().get_template("run.py.jinja")
    filled = script.render(
        model=model, tasks=list(settings), version=version_of(folds[0]), parameters=PARAMETERS
    )
    write_atomically(folder / SCRIPT, filled.encode())
    return folder


def results_of(folds: Sequence[Fold]) -> dict[str, Any]:
    """Folds as the matbench package writes them, the same for the same folds.

    Args:
        folds: Of one model, at least one.

    Returns:
        What ``results.json.gz`` holds, which in spite of its name is no gzip file.

    Raises:
        MissingDependencyError: matbench is not installed.
    """
    tasks = list(dict.fromkeys(fold["job"]["task"] for fold in folds))
    benchmark = new_benchmark(tasks)
    from matbench.util import RecursiveDotDict, hash_dictionary

    for fold in folds:
        task = benchmark.tasks_map[fold["job"]["task"]]
        task.results[task.folds_map[fold["job"]["fold"]]] = RecursiveDotDict(fold["recorded"])
    benchmark.add_metadata(_metadata(folds))
    # The package takes the time at which the file is written.
    last = datetime.fromisoformat(max(fold["made"]["date"] for fold in folds))
    content = benchmark.as_dict() | {"datestamp": last.strftime("%Y.%m.%d %H:%M.%S")}
    del content["hash"]
    return content | {"hash": hash_dictionary(content)}


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


def check_in_words(folder: Path) -> str:
    """The outcome of ``check_submission`` in words."""
    check = check_submission(folder)
    lines = [f"{folder}: {'not ready' if check.missing else 'ready to submit'}"]
    lines += [f"  missing: {line}" for line in check.missing]
    lines += [f"  note: {line}" for line in check.notes]
    return "\n".join(lines)


def _metadata(folds: Sequence[Fold]) -> dict[str, Any]:
    origins = {fold["job"]["task"]: fold["origin"] for fold in folds}
    return {
        "algorithm": MODELS[folds[0]["job"]["model"]].algorithm,
        "package": f"amdnet_matminer {version_of(folds[0])}",
        "origins": {task: origins[task] for task in sorted(origins)},
    }


def _info(model: str, folds: Sequence[Fold], options: Options) -> dict[str, Any]:
    origins = {fold["job"]["task"]: Origin(**fold["origin"]) for fold in folds}
    tasks = "; ".join(f"{task} ({origin.rows_in_words()})" for task, origin in origins.items())
    devices = ", ".join(sorted({fold["measured"]["device"] for fold in folds}))
    hours = sum(fold["measured"]["training_s"] for fold in folds) / 3600
    judged = any(fold["settings"].get("validation_fraction") for fold in folds)
    epochs = "epochs are judged by a part of the training and validation data, " * judged
    return {
        "authors": options.authors,
        "algorithm": MODELS[model].algorithm,
        "algorithm_long": MODELS[model].description,
        "bibtex_refs": "\n".join(MotifFeaturizer().citations()[:1]),
        "notes": (
            f"Package amdnet-matminer {version_of(folds[0])}. Tasks: {tasks}. One configuration on all folds "
            f"of a task, see {PARAMETERS}; {epochs}test parts are used for the recorded predictions only. "
            f"Training took {hours:.2g} h on {devices}."
        ),
        "requirements": {"python": [f"{name}=={text}" for name, text in _versions(folds).items()]},
    }


def _versions(folds: Sequence[Fold]) -> dict[str, str]:
    """Of what folds tell the versions that made the last of them, of all else those that are here."""
    told: dict[str, str] = max((fold["made"] for fold in folds), key=lambda made: made["date"])["versions"]
    here = package_versions(name for name in _PACKAGES if name not in PACKAGES)
    return {name: text for name, text in (here | told).items() if name in _PACKAGES}


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
        content = read_json(folder / RESULTS)
    except ValueError as error:
        return Check([f"{RESULTS} is no JSON text, as which the matbench package reads it: {error}"], [])
    partial = _partial_tasks(content)
    if partial:
        return Check(partial, [])
    try:
        valid = benchmark_class().from_file(folder / RESULTS).is_valid
    except (KeyError, TypeError, ValueError) as error:
        return Check([f"{RESULTS}: {error}"], [])
    return Check([] if valid else [f"{RESULTS} is not valid"], _notes(content))


def _origins(content: dict[str, Any]) -> dict[str, Origin]:
    origins = content.get("user_metadata", {}).get("origins", {})
    return {task: Origin(**origin) for task, origin in origins.items()}


def _partial_tasks(content: dict[str, Any]) -> list[str]:
    """Tasks that were run on some of their rows, with the reason why that is no submission."""
    return [
        f"{task}: {origin.rows_in_words()}, which is no submission; run it with the official file and all "
        "rows, or the other tasks alone with another --output-dir"
        for task, origin in _origins(content).items()
        if not origin.is_complete
    ]


def _notes(content: dict[str, Any]) -> list[str]:
    """On which leaderboards the results will be, and where their crystals come from."""
    tasks = content["tasks"]
    left = [task for task in TASKS if task not in tasks]
    notes = ["it has all nine structure tasks, so it counts as general-purpose"]
    if left:
        notes = [f"it is for {len(tasks)} leaderboards; to be general-purpose it lacks {', '.join(left)}"]
    foreign = [task for task, origin in _origins(content).items() if not origin.official]
    if foreign:
        notes.append(f"not the official file by SHA-256; check crystals, labels, order: {', '.join(foreign)}")
    return notes
