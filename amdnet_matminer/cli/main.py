"""The entry point: arguments in, exit code out, faults as one line each."""

from __future__ import annotations

import argparse
import inspect
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from tqdm.auto import tqdm

from amdnet_matminer import __version__
from amdnet_matminer.cli.commands import evaluate, featurize, train
from amdnet_matminer.cli.options import (
    add_common_options,
    add_evaluate_options,
    add_featurize_options,
    add_predict_options,
    add_train_options,
)
from amdnet_matminer.cli.predict import predict
from amdnet_matminer.errors import AMDNetError

_EPILOG = """examples:
  amdnet featurize crystals/ --output features.csv
  amdnet train crystals/ --labels labels.csv --predict band_gap --save_name gap.amdnet
  amdnet evaluate held_out.json.gz --predict band_gap --load_name gap.amdnet
  amdnet predict new_crystals/ --load_name gap.amdnet --output predictions.csv
  amdnet predict new_crystals/ --model mp2018-band-gap --output predictions.csv

files of the original AMDNet:
  amdnet train --material_file material_data.pkl --motif_file motif_graph.pkl --save_name gap.amdnet
  amdnet evaluate --material_file material_data.pkl --motif_file motif_graph.pkl --load_name new_model.hdf5

The exit code is 0, 1 when a file or a crystal cannot be used, or 2 when an option is wrong.
"""

_COMMANDS = {
    "featurize": (featurize, add_featurize_options),
    "train": (train, add_train_options),
    "evaluate": (evaluate, add_evaluate_options),
    "predict": (predict, add_predict_options),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: The arguments after the program's name; None takes those of the process.

    Returns:
        The exit code: 0, 1 when a file or a crystal cannot be used, 130 when
        interrupted. A wrong option exits with 2, as argparse does.
    """
    arguments = _parser().parse_args(argv)
    program = arguments.parser.prog
    try:
        with _messages_on_stderr(program):
            arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # A reader such as head wants no more; Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (AMDNetError, OSError) as error:
        return _complain(f"{program}: {error}", 1)
    except MemoryError:
        return _complain(f"{program}: out of memory; give fewer or smaller crystals, or less --n_jobs", 1)
    except KeyboardInterrupt:
        return _complain(f"{program}: interrupted", 130)
    return 0


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(_complain(f"{self.prog}: {message}; see {self.prog} --help", 2))


class _Lines(logging.Handler):
    """Writes messages as lines that leave a progress bar whole."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(" ".join(self.format(record).split()), file=sys.stderr)


@contextmanager
def _messages_on_stderr(program: str) -> Iterator[None]:
    """Show warnings of this package and of others, each in one line."""
    logger = logging.getLogger("amdnet_matminer")
    handler = _Lines()
    handler.setFormatter(logging.Formatter(f"{program}: %(message)s"))
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings():
            for meant_for_programmers in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
                warnings.simplefilter("ignore", meant_for_programmers)
            warnings.showwarning = lambda message, *_, **__: logger.warning("%s", message)
            yield
    finally:
        logger.removeHandler(handler)


def _complain(message: str, code: int) -> int:
    print(" ".join(message.split()), file=sys.stderr)
    return code


def _parser() -> _Parser:
    parser = _Parser(
        prog="amdnet",
        description="Learn properties of crystals with the atom-motif dual graph network (AMDNet).",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (run, add_options) in _COMMANDS.items():
        summary = str(inspect.getdoc(run)).partition("\n")[0]
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        command.set_defaults(run=run, parser=command)
        add_options(command)
        add_common_options(command)
    return parser
