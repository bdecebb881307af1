"""MatBench's structure tasks: train on the official folds, record, compare, and make the submission.

    python benchmarks/run_matbench.py                                     # mp_gap and mp_e_form, all folds
    python benchmarks/run_matbench.py --task matbench_phonons --fold 0 --data-dir folder/with/task/files
    python benchmarks/run_matbench.py --task all --model amdnet rf-motif rf-magpie mean --parallel 2
    python benchmarks/run_matbench.py --merge                             # folds copied from other machines
    python benchmarks/run_matbench.py check

Each model sees the training and validation part of a fold only. A fold that is done is a file in
``<output-dir>/folds``; end the program anywhere, and the same command goes on with the same result.
When it ends, ``<output-dir>`` has a folder ``matbench_v0.1_<model>`` to submit, and ``report.html``.
Needs matbench 0.6: pip install --no-deps matbench==0.6
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from common import write_result
from matbench_runner.models import NETWORKS
from matbench_runner.options import Options, parse
from matbench_runner.projection import project, said_of
from matbench_runner.report import markdown, write_report
from matbench_runner.results import folds_of, models_with_folds, write_results
from matbench_runner.schedule import run_all, run_worker
from matbench_runner.submission import PREFIX, check_submission, said_of_check, write_submission
from matbench_runner.summary import as_result, summaries

from amdnet_matminer.errors import AMDNetError, MissingDependencyError


def main(argv: Sequence[str] | None = None) -> int:
    """Do what is asked for.

    Args:
        argv: The arguments after the program's name; None takes those of the process.

    Returns:
        The exit code: 0, or 1 when something needed is missing or unusable, or not ready.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    options = parse(words, __doc__)
    before = signal.signal(signal.SIGINT, _stop)
    try:
        return _COMMANDS[options.command](options, words)
    except (AMDNetError, OSError) as error:
        print(f"run_matbench.py: {error}", file=sys.stderr)
        return 1
    finally:
        signal.signal(signal.SIGINT, before)


def _stop(*_: object) -> NoReturn:
    # An estimator that is interrupted keeps what it has learned; a fold must not be recorded with that.
    raise SystemExit("run_matbench.py: stopped; the same command goes on from here")


def _run(options: Options, words: Sequence[str]) -> int:
    """Train what is not there, and put together what is."""
    if options.worker is not None:
        run_worker(options)
        return 0
    if not options.merge:
        run_all(options, words)
    found = models_with_folds(options)
    if not found:
        raise AMDNetError(f"{options.folder} has no folds; copy their files there, or run without --merge")
    for model in found:
        _put_together(model, options)
    return 0 if options.stand_in is not None else _report(options, words)


def _put_together(model: str, options: Options) -> None:
    """Write a model's submission; of stand-in crystals, only results that say so."""
    folds = folds_of(model, options)
    if options.stand_in is not None:
        file = options.folder / f"stand-in-results-{model}.json.gz"
        write_results(folds, file)
        print(f"{file}: of stand-in crystals, no score")
        return
    print(said_of_check(write_submission(model, folds, options)))
    for summary in summaries(folds):
        result = as_result(summary, folds)
        networks = result["settings"].get("n_ensemble", 1)
        write_result(f"{summary.task}-{model}{f'-x{networks}' if networks > 1 else ''}", result)


def _check(options: Options, words: Sequence[str]) -> int:
    folders = sorted(options.folder.glob(f"{PREFIX}*"))
    if not folders:
        raise AMDNetError(f"{options.folder} has no folder {PREFIX}...; run some folds first")
    for folder in folders:
        print(said_of_check(folder))
    return int(any(check_submission(folder).missing for folder in folders))


def _report(options: Options, words: Sequence[str]) -> int:
    folds = [fold for model in models_with_folds(options) for fold in folds_of(model, options)]
    if not folds:
        raise AMDNetError(f"{options.folder} has no folds to report; run some first")
    print(f"\n{markdown(summaries(folds))}")
    try:
        print(*write_report(options), sep="\n")
    except MissingDependencyError as error:
        print(f"no report.html: {error}", file=sys.stderr)
    return 0


def _project(options: Options, words: Sequence[str]) -> int:
    for task in options.task:
        for model in (model for model in options.model if model in NETWORKS):
            projection = project(model, task, options)
            print(said_of(projection))
            write_result(f"projection-{task}-{model}", projection)
    return 0


_COMMANDS = {"run": _run, "check": _check, "report": _report, "project": _project}

if __name__ == "__main__":
    sys.exit(main())
