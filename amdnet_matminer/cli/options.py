"""The options that several commands have."""

from __future__ import annotations

import argparse
from pathlib import Path

from amdnet_matminer.pretrained import MODELS, model_file, pretrained_model_file

_STRUCTURES_HELP = (
    "a folder with CIF, VASP, pymatgen or ASE files, one such file, a pattern in quotes, a dataframe with "
    "a column 'structure' (.json, .json.gz as matminer and MatBench store it, .csv, .parquet), or what ASE "
    "reads (.xyz, .extxyz, .traj, .db); an id is a file name without its suffix, or an index"
)


def add_structures(parser: argparse.ArgumentParser, nargs: str) -> None:
    """The argument that says where the crystals are.

    Args:
        parser: Of the command.
        nargs: How many there are, as argparse writes it.
    """
    parser.add_argument("structures", metavar="STRUCTURES", nargs=nargs, help=_STRUCTURES_HELP)
    parser.add_argument("--recursive", action="store_true", help="also search sub-folders for crystals")
    parser.add_argument(
        "--unlimited",
        action="store_true",
        help="read compressed files however large they unpack (default: up to 8 GiB, and beyond 64 MiB up to "
        "100 times their size)",
    )


def add_labelled_data(parser: argparse.ArgumentParser) -> None:
    """The options that say where crystals with labels are."""
    add_structures(parser, "?")
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="CSV",
        help="labels with a header line, ids in the first column (default: the columns of STRUCTURES)",
    )
    _add_original_data(parser)
    parser.add_argument(
        "--predict",
        default="band_gap",
        metavar="COLUMN",
        help="column of the label, in whose unit predictions and errors are (default: %(default)s)",
    )


def check_labelled_data(arguments: argparse.Namespace) -> None:
    """Refuse two sources of crystals, or none.

    Args:
        arguments: Of a command with ``add_labelled_data``.
    """
    if (arguments.structures is None) == (arguments.material_file is None):
        arguments.parser.error("give either STRUCTURES or --material_file")
    if arguments.motif_file is not None and arguments.material_file is None:
        arguments.parser.error("--motif_file needs --material_file")
    if arguments.labels is not None and arguments.material_file is not None:
        arguments.parser.error("--material_file has its own labels; leave out --labels")


def add_output(parser: argparse.ArgumentParser, content: str, default: str) -> None:
    """The option that says where results go.

    Args:
        parser: Of the command.
        content: What the results are.
        default: Where they go without the option.
    """
    parser.add_argument("--output", type=Path, metavar="CSV", help=f"where {content} go (default: {default})")


def add_model(parser: argparse.ArgumentParser) -> None:
    """The options that say which trained model to load, as ``load_name``."""
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument(
        "--load_name",
        type=model_file,
        metavar="FILE",
        help="a model that amdnet train has saved, or the .hdf5 file of one of the original program",
    )
    # Both say which file to load, so the commands need not know that there are two ways.
    model.add_argument(
        "--model",
        type=_pretrained,
        dest="load_name",
        metavar="NAME",
        help=f"a model that comes with the package: {', '.join(MODELS)}",
    )


def add_common(parser: argparse.ArgumentParser) -> None:
    """The options of commands that read crystals in processes."""
    parser.add_argument(
        "--n_jobs",
        type=_n_jobs,
        default=1,
        metavar="COUNT",
        help="processes that read crystals and make graphs; -1 takes all processors (default: 1)",
    )
    add_quiet(parser)


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """The option of every command that reads crystals."""
    parser.add_argument(
        "--quiet", action="store_true", help="show no progress, nor which files of a folder are left out"
    )


def _add_original_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--material_file",
        type=Path,
        metavar="PICKLE",
        help="instead of STRUCTURES: material_data.pkl of the original program, with labels and the lists of "
        "training, validation and test crystals",
    )
    parser.add_argument(
        "--motif_file",
        type=Path,
        metavar="PICKLE",
        help="motif_graph.pkl of the original program (default: motifs are found in the structures)",
    )


def _pretrained(name: str) -> Path:
    try:
        return pretrained_model_file(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def whole_number(text: str) -> int:
    """The number that an option is given.

    Args:
        text: What was given.

    Returns:
        The number.

    Raises:
        argparse.ArgumentTypeError: It is none, or not whole.
    """
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}") from error


def _n_jobs(text: str) -> int:
    n_jobs = whole_number(text)
    if n_jobs == 0:
        raise argparse.ArgumentTypeError("must be 1 or more, or -1 for all processors, got 0")
    return n_jobs
