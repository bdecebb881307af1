"""``amdnet matbench``: what is asked for, and the order in which it is done."""

from __future__ import annotations

import argparse
import sys

from amdnet_matminer.errors import AMDNetError, MissingDependencyError
from amdnet_matminer.matbench.arguments import add_options, options_from
from amdnet_matminer.matbench.folds import folds_of
from amdnet_matminer.matbench.models import MODELS
from amdnet_matminer.matbench.options import Options
from amdnet_matminer.matbench.provenance import check_clean
from amdnet_matminer.matbench.publish import publish
from amdnet_matminer.matbench.report import markdown, write_report
from amdnet_matminer.matbench.runs import run_all
from amdnet_matminer.matbench.submission import PREFIX, check_in_words, check_submission, write_submission
from amdnet_matminer.matbench.summary import Summary, summaries

__all__ = ["add_options", "run"]


def run(arguments: argparse.Namespace) -> None:
    """Train models on MatBench's official folds, and compare and submit them.

    Args:
        arguments: As parsed.

    Raises:
        AMDNetError: Something needed is missing, unusable or not ready.
        OSError: A file cannot be read or written.
    """
    options = options_from(arguments)
    if options.command == "check":
        _check(options)
        return
    if options.publish is not None:
        check_clean()
    if options.command == "run":
        run_all(options)
    _report(options)


def _check(options: Options) -> None:
    folders = sorted(options.output_dir.glob(f"{PREFIX}*"))
    if not folders:
        raise AMDNetError(f"has no folder {PREFIX}...", "run some folds first", item=options.output_dir)
    for folder in folders:
        print(check_in_words(folder))
    unready = [folder.name for folder in folders if check_submission(folder).missing]
    if unready:
        raise AMDNetError(f"not ready to submit: {', '.join(unready)}", "see above what is missing")


def _report(options: Options) -> None:
    """Put together the folds that are there."""
    found = {model: folds for model in MODELS if (folds := folds_of(model, options))}
    if not found:
        raise AMDNetError("has no folds", "run some, or copy their files there", item=options.output_dir)
    for model, folds in found.items():
        print(check_in_words(write_submission(model, folds, options)))
    compared = summaries(fold for folds in found.values() for fold in folds)
    print(f"\n{markdown(compared)}")
    _publish(compared, options)
    try:
        print(*write_report(compared, options), sep="\n")
    except MissingDependencyError as error:
        print(f"no report.html: {error}", file=sys.stderr)


def _publish(compared: list[Summary], options: Options) -> None:
    """Write result files of what was asked for."""
    if options.publish is None:
        return
    for summary in compared:
        if summary.task in options.task and summary.model in options.model:
            print(publish(summary, options.publish, options.peers))
