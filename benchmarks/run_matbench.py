"""MatBench's structure tasks: train on the official folds, record, compare with the published scores.

    python benchmarks/run_matbench.py                                     # mp_gap and mp_e_form, all folds
    python benchmarks/run_matbench.py --task matbench_phonons --fold 0 --data-dir folder/with/task/files
    python benchmarks/run_matbench.py --task matbench_phonons --model random-forest

Each model sees the training and validation part of a fold only. Predictions go to ``results.json.gz``
as the matbench package writes it, after every fold, and each fold's score to ``benchmarks/results``.
Needs matbench 0.6: pip install --no-deps matbench==0.6
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from common import write_result
from sklearn.base import RegressorMixin
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline

from amdnet_matminer import AMDNetRegressor, MotifFeaturizer, __version__
from amdnet_matminer.datasets import load_matbench
from amdnet_matminer.errors import AMDNetError, MissingDependencyError
from amdnet_matminer.validation import check_parameters

LEADERBOARD = json.loads(Path(__file__).with_name("leaderboard.json").read_text(encoding="utf-8"))
TASKS: dict[str, Any] = LEADERBOARD["tasks"]
CLASSIFICATION = "matbench_mp_is_metal"
DEFAULT_TASKS = ("matbench_mp_gap", "matbench_mp_e_form")
FOLDS = range(5)
MODELS = ("amdnet", "random-forest", "mean")

SETTINGS = {
    "architecture": (str, "amdnet-2021 or megnet"),
    "epochs": (int, "passes over the training part"),
    "batch_size": (int, "crystals in a step"),
    "learning_rate": (float, "highest learning rate"),
    "patience": (int, "epochs without a better validation error after which training stops"),
    "atom_cutoff": (float, "largest distance of an atom pair, in angstrom"),
    "validation_fraction": (float, "part of the training part that epochs are judged by"),
}
"""Parameters of AMDNetRegressor that can be set, in place of ``default_settings``."""

LOCAL = ("cache_dir", "n_jobs", "verbose")
"""Parameters of AMDNetRegressor that do not change what it predicts."""


def default_settings(n_training: int) -> dict[str, Any]:
    """Settings of AMDNetRegressor, the same for all tasks: only the size of the training part counts.

    Larger sets need fewer passes, and learn as well in larger, faster steps.

    Args:
        n_training: Number of crystals in a fold's training and validation part.

    Returns:
        Parameters that differ from the estimator's own defaults.
    """
    if n_training <= 800:
        return {"epochs": 400, "batch_size": 32}
    if n_training <= 2_000:
        return {"epochs": 200, "batch_size": 32}
    if n_training <= 20_000:
        return {"epochs": 200, "batch_size": 64}
    return {"epochs": 100, "batch_size": 128}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tasks.

    Args:
        argv: The arguments after the program's name; None takes those of the process.

    Returns:
        The exit code: 0, or 1 when something needed is missing or unusable.
    """
    arguments = parse(argv)
    try:
        run(arguments)
    except (AMDNetError, OSError) as error:
        print(f"run_matbench.py: {error}", file=sys.stderr)
        return 1
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read and check the options; a wrong one exits with 2."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    _add_task_options(parser)
    _add_model_options(parser)
    arguments = parser.parse_args(argv)
    try:
        check_tasks(arguments.task)
        check_parameters(AMDNetRegressor(**given_settings(arguments)).get_params())
    except ValueError as error:
        parser.error(str(error))
    return arguments


def _add_task_options(parser: argparse.ArgumentParser) -> None:
    default_tasks = " ".join(DEFAULT_TASKS)
    parser.add_argument(
        "--task", nargs="+", default=DEFAULT_TASKS, help=f"of {', '.join(TASKS)} (default: {default_tasks})"
    )
    parser.add_argument(
        "--fold",
        nargs="+",
        type=int,
        choices=FOLDS,
        default=list(FOLDS),
        help="official folds (default: all)",
    )
    parser.add_argument("--model", choices=MODELS, default="amdnet", help="what to train (default: amdnet)")
    parser.add_argument(
        "--data-dir", type=Path, help="folder with <task>.json.gz (default: matminer downloads the file once)"
    )
    parser.add_argument(
        "--output-dir", type=Path, default=Path("matbench-output"), help="of results (default: %(default)s)"
    )


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    by_size = "by the size of the training part"
    for name, (kind, text) in SETTINGS.items():
        parser.add_argument(f"--{name}", type=kind, help=f"{text} (default: the estimator's or {by_size})")
    parser.add_argument("--seed", type=int, default=0, help="of the training (default: 0)")
    parser.add_argument(
        "--n_jobs",
        type=int,
        default=-1,
        help="processes that make graphs and features (default: all processors)",
    )
    parser.add_argument(
        "--cache-dir", type=Path, help="folder that keeps graphs for other folds and tasks (default: none)"
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress bars")


def check_tasks(tasks: Sequence[str]) -> None:
    """Refuse what is no regression on structures.

    Raises:
        ValueError: A task is a classification or unknown; the message says which there are.
    """
    for task in tasks:
        if task == CLASSIFICATION:
            raise ValueError(
                f"{task} is a classification, and AMDNetRegressor predicts numbers; leave it out"
            )
        if task not in TASKS:
            raise ValueError(f"{task!r} is no MatBench task on structures; choose of {', '.join(TASKS)}")


def given_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that were asked for."""
    given = {name: getattr(arguments, name) for name in SETTINGS}
    return {name: value for name, value in given.items() if value is not None}


def run(arguments: argparse.Namespace) -> None:
    """Run the folds of all tasks, write and print their results."""
    benchmark = new_benchmark(list(dict.fromkeys(arguments.task)))
    name = name_of(arguments)
    benchmark.add_metadata({"algorithm": name, "package": f"amdnet_matminer {__version__}"})
    arguments.output_dir.mkdir(parents=True, exist_ok=True)
    file = arguments.output_dir / "results.json.gz"
    for task in benchmark.tasks:
        task.df = load_matbench(task.dataset_name, arguments.data_dir)
        for fold in sorted(set(arguments.fold)):
            result = run_fold(task, fold, arguments)
            save(benchmark, file)
            print(summary(result), flush=True)
            write_result(f"{task.dataset_name}-{name}-fold-{fold}", result)
        # The next task needs the memory.
        task.df = None
        print(f"\n{table_of_scores(task, name)}\n", flush=True)
    print(f"{file}: {state_of(benchmark)}")


def state_of(benchmark: Any) -> str:
    """Whether MatBench takes what is recorded."""
    if not all(task.all_folds_recorded for task in benchmark.tasks):
        return "not valid for MatBench until all folds are in it"
    return "valid" if benchmark.is_valid else "not valid for MatBench"


def save(benchmark: Any, file: Path) -> None:
    """Write what is recorded so far; an interrupt leaves the file as it was."""
    unfinished = file.with_name(f".{file.name}")
    benchmark.to_file(unfinished)
    unfinished.replace(file)


def new_benchmark(tasks: list[str]) -> Any:
    """An empty ``MatbenchBenchmark`` of some tasks.

    Raises:
        MissingDependencyError: matbench is not installed.
    """
    try:
        from matbench.bench import MatbenchBenchmark
    except ImportError as error:
        raise MissingDependencyError(
            f"cannot import matbench ({error}); install it with: pip install --no-deps matbench==0.6"
        ) from error
    logging.getLogger("matbench").setLevel(logging.WARNING)
    return MatbenchBenchmark(autoload=False, subset=tasks)


def run_fold(task: Any, fold: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Train on a fold's training and validation part, predict its test part, and record that.

    Args:
        task: A ``MatbenchTask`` with its data.
        fold: Number of the fold.
        arguments: The options.

    Returns:
        Scores, settings, sizes and times, as JSON can hold them.
    """
    structures, labels = task.get_train_and_val_data(fold)
    settings = settings_of(arguments, len(labels))
    model = make_model(arguments, settings)
    start = perf_counter()
    model.fit(structures, labels)
    trained = perf_counter()
    predictions = model.predict(task.get_test_data(fold, include_target=False))
    done = perf_counter()
    task.record(fold, [float(value) for value in predictions], params=settings)
    scores = task.results[task.folds_map[fold]].scores
    return {
        "task": task.dataset_name,
        "fold": fold,
        "model": name_of(arguments),
        "settings": settings,
        "epochs_done": getattr(model, "n_iter_", None),
        "n_training": len(labels),
        "n_test": len(predictions),
        "unit": TASKS[task.dataset_name]["unit"],
        "scores": {metric: float(score) for metric, score in scores.items()},
        "training_s": round(trained - start, 1),
        "prediction_s": round(done - trained, 1),
    }


def summary(result: dict[str, Any]) -> str:
    """A fold's score and time in one line."""
    minutes = (result["training_s"] + result["prediction_s"]) / 60
    return "{task} fold {fold}: MAE {scores[mae]:.4f} {unit}".format_map(result) + f", {minutes:.1f} min"


def name_of(arguments: argparse.Namespace) -> str:
    """How results call the model: an AMDNetRegressor goes by its architecture."""
    return settings_of(arguments, 0)["architecture"] if arguments.model == "amdnet" else arguments.model


def settings_of(arguments: argparse.Namespace, n_training: int) -> dict[str, Any]:
    """What a fold's model is made with, as it is recorded."""
    if arguments.model == "mean":
        return {}
    if arguments.model == "random-forest":
        return {"n_estimators": 500, "max_features": 1 / 3, "random_state": arguments.seed}
    settings = default_settings(n_training) | given_settings(arguments) | {"random_state": arguments.seed}
    recorded = AMDNetRegressor(**settings).get_params()
    return {name: value for name, value in recorded.items() if name not in LOCAL}


def make_model(arguments: argparse.Namespace, settings: dict[str, Any]) -> RegressorMixin:
    """An unfitted model that takes structures."""
    if arguments.model == "mean":
        return DummyRegressor()
    if arguments.model == "random-forest":
        featurizer = MotifFeaturizer(cache_dir=arguments.cache_dir)
        featurizer.set_n_jobs(arguments.n_jobs)
        return make_pipeline(featurizer, RandomForestRegressor(**settings, n_jobs=arguments.n_jobs))
    verbose = int(not arguments.quiet)
    return AMDNetRegressor(
        **settings, cache_dir=arguments.cache_dir, n_jobs=arguments.n_jobs, verbose=verbose
    )


def table_of_scores(task: Any, model: str) -> str:
    """The folds' scores, and their mean in its place among the published ones.

    Args:
        task: With at least one fold recorded.
        model: How the table calls what was trained.

    Returns:
        Several lines.
    """
    folds = [fold for fold, recorded in task.is_recorded.items() if recorded]
    errors = [task.results[task.folds_map[fold]].scores.mae for fold in folds]
    rows = [(score["mean"], score["std"], name) for name, score in TASKS[task.dataset_name]["mae"].items()]
    which = "five folds" if len(folds) == len(FOLDS) else f"fold {' '.join(map(str, folds))} only"
    rows.append((float(np.mean(errors)), float(np.std(errors)), f"<-- {model}, this run, {which}"))
    return "\n".join(
        [
            f"{task.dataset_name}, MAE in {TASKS[task.dataset_name]['unit']}",
            *(f"  fold {fold}    {error:10.4f}" for fold, error in zip(folds, errors, strict=True)),
            f"beside MatBench's leaderboard of {LEADERBOARD['date']}, mean ± std over five folds",
            *(f"  {mean:10.4f} ± {std:<8.4f} {name}" for mean, std, name in sorted(rows)),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
