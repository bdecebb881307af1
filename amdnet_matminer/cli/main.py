"""The entry point: arguments in, exit code out, faults as one line each."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

from amdnet_matminer import __version__
from amdnet_matminer.cli.exits import EXIT_CODES, Exit, IncompleteError
from amdnet_matminer.cli.messages import complain, messages_on_stderr
from amdnet_matminer.cli.outputs import any_name_on_stdout
from amdnet_matminer.errors import AMDNetError

_EPILOG = f"""examples:
  amdnet featurize crystals/ --output features.csv
  amdnet train crystals/ --labels labels.csv --predict band_gap --save_name gap.amdnet
  amdnet evaluate held_out.json.gz --predict band_gap --load_name gap.amdnet
  amdnet predict new_crystals/ --load_name gap.amdnet --output predictions.csv
  amdnet predict new_crystals/ --model mp-band-gap --output predictions.csv
  amdnet explain query.cif --model mp-band-gap
  amdnet network crystals/ --save_name crystals.network
  amdnet search query.cif --in crystals.network -k 5
  amdnet matbench --task matbench_phonons --fold 0

files of the original AMDNet:
  amdnet train --material_file material_data.pkl --motif_file motif_graph.pkl --save_name gap.amdnet
  amdnet evaluate --material_file material_data.pkl --motif_file motif_graph.pkl --load_name new_model.hdf5

{EXIT_CODES}
"""


class Command(NamedTuple):
    """A command of the program."""

    module: str
    """Has ``add_options(parser)`` and ``run(arguments)``; imported only when the command is asked for."""
    summary: str
    """What it does, for ``--help``."""


COMMANDS = {
    "featurize": Command(
        "amdnet_matminer.cli.featurize",
        "Describe crystals by their motifs: vectors, shapes and how they are joined.",
    ),
    "train": Command("amdnet_matminer.cli.train", "Fit a network to labelled crystals and save it."),
    "evaluate": Command("amdnet_matminer.cli.evaluate", "Compare a model's predictions with labels."),
    "predict": Command(
        "amdnet_matminer.cli.predict", "Predict a property of new crystals with a trained model."
    ),
    "explain": Command(
        "amdnet_matminer.cli.explain", "Say what motifs and atoms contribute to a model's predictions."
    ),
    "network": Command(
        "amdnet_matminer.cli.network", "Build a network of materials and the motifs that they have."
    ),
    "search": Command(
        "amdnet_matminer.cli.search", "Find the materials of a network that are most like some crystals."
    ),
    "matbench": Command(
        "amdnet_matminer.matbench.command",
        "Train on MatBench's official folds, compare with the leaderboard, make a submission.",
    ),
}
"""All commands by name; a line here and its module are all that one consists of."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: The arguments after the program's name; None takes those of the process.

    Returns:
        One of ``Exit``. A wrong option exits with 2, as argparse does.
    """
    arguments = _parser().parse_args(argv)
    program = arguments.parser.prog
    try:
        with messages_on_stderr(program), any_name_on_stdout():
            arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # A reader such as head wants no more; Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.CANNOT_RUN
    except IncompleteError as error:
        return complain(f"{program}: {error}", Exit.INCOMPLETE)
    except (AMDNetError, OSError) as error:
        return complain(f"{program}: {error}", Exit.CANNOT_RUN)
    except MemoryError:
        remedy = "give fewer or smaller crystals, or less --n_jobs"
        return complain(f"{program}: out of memory; {remedy}", Exit.CANNOT_RUN)
    except KeyboardInterrupt:
        return complain(f"{program}: interrupted", Exit.INTERRUPTED)
    return Exit.DONE


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(complain(f"{self.prog}: {message}; see {self.prog} --help", Exit.WRONG_OPTION))


class _CommandParser(_Parser):
    """The parser of one command, whose module is imported when it is needed.

    Args:
        module: The command's module.
        **options: As of ``argparse.ArgumentParser``.
    """

    def __init__(self, module: str, **options: Any) -> None:
        super().__init__(**options)
        self.module = module

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Take the command's options from its module, then parse."""
        command = import_module(self.module)
        command.add_options(self)
        self.set_defaults(run=command.run, parser=self)
        return super().parse_known_args(args, namespace)


def _parser() -> _Parser:
    parser = _Parser(
        prog="amdnet",
        description="Learn properties of crystals with the atom-motif dual graph network (AMDNet).",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_CommandParser)
    for name, (module, summary) in COMMANDS.items():
        commands.add_parser(name, module=module, help=summary, description=summary, allow_abbrev=False)
    return parser
