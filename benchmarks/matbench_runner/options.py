"""The command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.validation import check_parameters
from matbench_runner.device import check_device
from matbench_runner.leaderboard import TASKS
from matbench_runner.models import MODELS
from matbench_runner.presets import PRESETS, check_presets

FOLDS = range(5)
DEFAULT_TASKS = ("matbench_mp_gap", "matbench_mp_e_form")
COMMANDS = {
    "run": "train and record folds, then write the submission and the report (the default)",
    "check": "say whether the submission folders are ready, or what is missing",
    "report": "write the report anew",
    "project": "tell what full runs would take, from what stand-in runs have taken",
}
SETTINGS = {
    "epochs": (int, "passes over the training part"),
    "batch_size": (int, "crystals in a step"),
    "learning_rate": (float, "highest learning rate"),
    "optimizer": (str, "muon, or adamw, which the published networks take unless told otherwise"),
    "weight_decay": (float, "relative to the learning rate"),
    "patience": (int, "epochs without a better validation error after which training stops"),
    "atom_cutoff": (float, "largest distance of an atom pair, in angstrom"),
    "n_neighbors": (int, "neighbours that an atom hears of"),
    "n_blocks": (int, "rounds of messages"),
    "dropout": (float, "part of the hidden values that is dropped in training"),
    "width": (int, "numbers that an atom's state has"),
    "validation_fraction": (float, "part of the training part that epochs are judged by"),
    "n_ensemble": (int, "networks that are averaged; of several the standard deviation is recorded too"),
}
"""Parameters of AMDNetRegressor that can be set, over those of the preset."""


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    command: str
    """One of ``COMMANDS``."""
    task: list[str]
    """Names of tasks, each once."""
    fold: list[int]
    """Numbers of folds, ascending."""
    model: list[str]
    """Names of models, each once."""
    preset: list[str]
    """As ``presets.preset_of`` takes them."""
    settings: dict[str, Any]
    """Parameters of the networks that go before the preset's."""
    minutes: float | None
    """How long a fold may train, in place of a number of epochs."""
    seed: int
    """Of all that is random."""
    data_dir: Path | None
    """Folder with the tasks' files; None downloads them."""
    output_dir: Path
    """Folder of all that is written."""
    cache_dir: Path
    """Folder of the graphs."""
    stand_in: str | None
    """Crystals in place of the tasks' own; None takes these."""
    stand_in_size: int
    """How many stand-in crystals a task has."""
    parallel: int
    """Folds at a time."""
    device: str
    """``auto``, ``cpu`` or ``gpu``, with a number or without."""
    n_jobs: int
    """Processes that make graphs and features, as joblib counts them."""
    authors: str
    """Who submits."""
    merge: bool
    """Whether to put together the folds that are there, and train none."""
    worker: int | None
    """The place of this process among those that another has started for a fold each; else None."""
    prepare: bool
    """Whether this process is to make graphs only."""
    quiet: bool
    """Whether to show no progress bars."""

    @property
    def folder(self) -> Path:
        """Where results go; those on stand-in crystals are kept apart."""
        if self.stand_in is None:
            return self.output_dir
        return self.output_dir / f"stand-in-{self.stand_in}-{self.stand_in_size}"


def parse(argv: Sequence[str] | None, description: str | None = None) -> Options:
    """Read and check the options.

    Args:
        argv: The arguments after the program's name; None takes those of the process.
        description: What the help begins with.

    Returns:
        The options.

    Raises:
        SystemExit: One is wrong: with 2, and the reason on standard error.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    _add_what(parser)
    _add_how(parser)
    _add_where(parser)
    _add_settings(parser)
    given = vars(parser.parse_args(argv))
    settings = {name: given.pop(name) for name in SETTINGS}
    given["settings"] = {name: value for name, value in settings.items() if value is not None}
    try:
        return _checked(Options(**given))
    except ValueError as error:
        parser.error(str(error))


def _checked(options: Options) -> Options:
    unknown = set(options.task) - {*TASKS, "all"}
    if unknown:
        raise ValueError(f"{min(unknown)!r} is no MatBench task on structures; choose of {', '.join(TASKS)}")
    check_presets(options.preset)
    check_device(options.device)
    check_parameters(AMDNetRegressor(**options.settings).get_params())
    if options.minutes is not None and (options.minutes <= 0 or "epochs" in options.settings):
        raise ValueError("--minutes must be above 0, and goes without --epochs")
    if options.parallel < 1 or options.stand_in_size < 20:
        raise ValueError("--parallel must be at least 1, and --stand-in-size at least 20")
    tasks = list(TASKS) if "all" in options.task else list(dict.fromkeys(options.task))
    changed = {
        "task": tasks,
        "fold": sorted(set(options.fold)),
        "model": list(dict.fromkeys(options.model)),
        "cache_dir": options.cache_dir or options.output_dir / "graphs",
    }
    return Options(**vars(options) | changed)


def _add_what(parser: argparse.ArgumentParser) -> None:
    commands = "; ".join(f"{name}: {text}" for name, text in COMMANDS.items())
    parser.add_argument("command", nargs="?", choices=COMMANDS, default="run", help=commands)
    default_tasks = " ".join(DEFAULT_TASKS)
    tasks = f"all, or of {', '.join(TASKS)} (default: {default_tasks})"
    parser.add_argument("--task", nargs="+", default=list(DEFAULT_TASKS), help=tasks)
    parser.add_argument(
        "--fold",
        nargs="+",
        type=int,
        choices=FOLDS,
        default=list(FOLDS),
        help="official folds (default: all)",
    )
    parser.add_argument(
        "--model", nargs="+", choices=MODELS, default=["amdnet"], help="what to train (default: amdnet)"
    )
    parser.add_argument(
        "--merge", action="store_true", help="put together the folds that are there, train none"
    )
    parser.add_argument(
        "--stand-in",
        metavar="CRYSTALS",
        help="train on crystals of another set (mp2018, or the built-in oxides), with the tasks' official "
        "folds scaled down; tells what a full run takes, and is no score",
    )
    parser.add_argument(
        "--stand-in-size", type=int, default=5000, help="crystals of a stand-in task (default: %(default)s)"
    )


def _add_how(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--parallel", type=int, default=1, help="folds at a time, each in a process (default: 1)"
    )
    parser.add_argument(
        "--device",
        default="auto",
        help="auto: the freest GPU, or else the CPU; cpu; gpu; gpu:1 (default: auto)",
    )
    parser.add_argument(
        "--n_jobs",
        type=int,
        default=-1,
        help="processes that make graphs and features (default: all processors)",
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress bars")
    parser.add_argument("--prepare", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)


def _add_where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir", type=Path, help="folder with <task>.json.gz (default: matminer downloads the file once)"
    )
    parser.add_argument(
        "--output-dir", type=Path, default=Path("matbench-output"), help="of results (default: %(default)s)"
    )
    parser.add_argument(
        "--cache-dir", type=Path, help="of graphs, for all tasks (default: graphs in the output)"
    )
    parser.add_argument(
        "--authors", default="amdnet_matminer developers", help="for the submission (default: %(default)s)"
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--preset",
        nargs="+",
        default=[],
        help=f"named settings, of {', '.join(PRESETS)}; for one task as task=name (default: default)",
    )
    for name, (kind, text) in SETTINGS.items():
        parser.add_argument(f"--{name}", type=kind, help=f"{text} (default: the preset's)")
    parser.add_argument(
        "--minutes", type=float, help="train a fold for about so long: sets the epochs, from a short trial"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: 0)")
