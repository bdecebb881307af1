"""The command line of ``amdnet matbench``."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from amdnet_matminer.estimators import AMDNetRegressor
from amdnet_matminer.matbench.device import check_device
from amdnet_matminer.matbench.leaderboard import FOLDS, TASKS
from amdnet_matminer.matbench.models import MODELS, check_presets, preset_names
from amdnet_matminer.matbench.options import Options
from amdnet_matminer.validation.parameters import check_parameters

DEFAULT_TASKS = ("matbench_mp_gap", "matbench_mp_e_form")
COMMANDS = {
    "run": "train and record the folds that are not there, then as report (the default)",
    "report": "write submission folders and report.html of the folds that are there, also of ones that were "
    "copied from other machines",
    "check": "say whether the submission folders are ready, or what is missing",
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
"""Parameters of the networks that can be set, over those of the preset."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``amdnet matbench``."""
    commands = "; ".join(f"{name}: {text}" for name, text in COMMANDS.items())
    parser.add_argument("command", nargs="?", choices=COMMANDS, default="run", help=commands)
    _add_what(parser)
    _add_how(parser)
    _add_where(parser)
    _add_results(parser)
    _add_settings(parser)


def options_from(arguments: argparse.Namespace) -> Options:
    """Check the arguments of a parser that ``add_options`` has given its options.

    Args:
        arguments: As parsed, with the parser itself as ``parser``.

    Returns:
        What was asked for.

    Raises:
        SystemExit: An option is wrong: with 2, and the reason on standard error.
    """
    given = {name: value for name, value in vars(arguments).items() if name in Options.__annotations__}
    settings = {name: getattr(arguments, name) for name in SETTINGS}
    given["settings"] = {name: value for name, value in settings.items() if value is not None}
    try:
        return _checked(Options(**given))
    except ValueError as error:
        arguments.parser.error(str(error))
        raise


def _checked(options: Options) -> Options:
    unknown = set(options.task) - {*TASKS, "all"}
    if unknown:
        raise ValueError(f"{min(unknown)!r} is no MatBench task on structures; choose of {', '.join(TASKS)}")
    check_presets(options.preset)
    check_device(options.device)
    check_parameters(AMDNetRegressor(**options.settings).get_params())
    if options.parallel < 1 or not 0 < options.rows <= 1:
        raise ValueError("--parallel must be at least 1, and --rows above 0 and at most 1")
    return replace(
        options,
        task=list(TASKS) if "all" in options.task else list(dict.fromkeys(options.task)),
        fold=sorted(set(options.fold)),
        model=list(dict.fromkeys(options.model)),
        cache_dir=options.cache_dir or options.output_dir / "graphs",
    )


def _add_what(parser: argparse.ArgumentParser) -> None:
    tasks = f"all, or of {', '.join(TASKS)} (default: {' '.join(DEFAULT_TASKS)})"
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
        "--rows",
        type=float,
        default=1.0,
        metavar="FRACTION",
        help="part of a task's rows to use, evenly spread, for a quick look; no submission (default: 1, all)",
    )


def _add_how(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--parallel", type=int, default=1, help="networks that are trained at a time (default: 1)"
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


def _add_where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir",
        type=Path,
        help="folder with <task>.json.gz, which may lack rows if its index holds the official row numbers "
        "(default: matminer downloads the file once)",
    )
    parser.add_argument(
        "--output-dir",
        type=Path,
        default=Path("matbench-output"),
        help="of all that is written (default: %(default)s)",
    )
    parser.add_argument(
        "--cache-dir", type=Path, help="of graphs, for all tasks (default: graphs in the output)"
    )


def _add_results(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--authors", default="amdnet_matminer developers", help="for the submission (default: %(default)s)"
    )
    parser.add_argument(
        "--peers",
        type=Path,
        metavar="JSON",
        help="scores of others on the same rows, for the report: by task 'rows' and, by algorithm, 'folds'",
    )
    parser.add_argument(
        "--publish",
        type=Path,
        metavar="FOLDER",
        help="also write a result file of each task and model, of the folds so far, to this folder; wants a "
        "git checkout without changes",
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--preset",
        nargs="+",
        default=[],
        help=f"settings, of {', '.join(preset_names())}, or a JSON file with parameters by task, such as a "
        "submission's hyperparameters.json; for one task as task=name (default: default)",
    )
    for name, (kind, text) in SETTINGS.items():
        parser.add_argument(f"--{name}", type=kind, help=f"{text} (default: the preset's)")
    parser.add_argument("--seed", type=int, help="of all that is random (default: the preset's, 0)")
