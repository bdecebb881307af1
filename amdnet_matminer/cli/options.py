"""The options of the commands. Those for training have the names that the original program gave them."""

from __future__ import annotations

import argparse
import inspect
import os
from pathlib import Path
from typing import Any

from amdnet_matminer.estimators import AMDNetRegressor
from amdnet_matminer.pretrained import MODELS, pretrained_model_file

_STRUCTURES_HELP = (
    "a folder with CIF, VASP or POSCAR files, one such file, a pattern of files in quotes, a dataframe with "
    "a column 'structure' (.json, .json.gz as matminer and MatBench store it, .csv, .parquet), or what ASE "
    "reads (.xyz, .extxyz, .traj, .db); an id is a file name without its suffix, or an index"
)

TRAINING_OPTIONS = {
    "architecture": (
        "NAME",
        "network: amdnet; amdnet-2021, the published one; or megnet, its atom branch alone",
    ),
    "epochs": ("COUNT", "largest number of passes over the training crystals"),
    "patience": ("COUNT", "epochs without a better validation error after which training stops"),
    "learning_rate": ("RATE", "highest learning rate"),
    "batch_size": ("COUNT", "crystals in a step"),
    "atom_cutoff": ("ANGSTROM", "largest distance of an atom pair, in angstrom"),
    "motif_cutoff": ("ANGSTROM", "centre of the last Gaussian for distances between motifs, in angstrom"),
    "rbf_edge_dim_atom": ("COUNT", "Gaussians for atom pairs"),
    "rbf_edge_dim_motif": ("COUNT", "Gaussians for motif edges"),
    "n_ensemble": ("COUNT", "networks that are trained; 2 or more give predict --std its spread"),
}
"""Parameters of AMDNetRegressor, each with the name of its value and what it is."""

ORIGINAL_DEFAULTS: dict[str, Any] = {
    "architecture": "amdnet-2021",
    "epochs": 1000,
    "patience": 100,
    "learning_rate": 5e-5,
    "batch_size": 32,
    "atom_cutoff": 5.0,
    "motif_cutoff": 11.0,
    "rbf_edge_dim_atom": 100,
    "rbf_edge_dim_motif": 100,
    "n_ensemble": 1,
}
"""What the original program took where an option was not given."""

ORIGINAL_RECIPE: dict[str, Any] = {
    "optimizer": "adamw",
    "weight_decay": 0.0,
    "schedule": "constant",
    "loss": "mse",
    "scale_targets": False,
}
"""What the original program always did; without weight decay AdamW is Adam."""


def training_default(name: str) -> Any:
    """What an option is where neither it nor --material_file is given."""
    return inspect.signature(AMDNetRegressor).parameters[name].default


def add_featurize_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``amdnet featurize``."""
    parser.add_argument("structures", metavar="STRUCTURES", nargs="+", help=_STRUCTURES_HELP)
    _add_output_option(parser, "ids and features", "standard output")


def add_train_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``amdnet train``."""
    _add_data_options(parser)
    parser.add_argument("--save_name", type=Path, required=True, metavar="FILE", help="where the model goes")
    for name, (metavar, text) in TRAINING_OPTIONS.items():
        default, original = training_default(name), ORIGINAL_DEFAULTS[name]
        shown = str(default) if default == original else f"{default}; with --material_file {original}"
        parser.add_argument(
            f"--{name}", type=type(default), metavar=metavar, help=f"{text} (default: {shown})"
        )
    parser.add_argument(
        "--seed",
        type=_seed,
        metavar="NUMBER",
        help="makes the training repeatable on a CPU (default: random)",
    )
    parser.add_argument(
        "--checkpoint_dir",
        type=Path,
        metavar="FOLDER",
        help="keeps the state of the training, so that the same command, with a --seed, goes on after a stop",
    )


def add_evaluate_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``amdnet evaluate``."""
    _add_data_options(parser)
    _add_load_option(parser)
    _add_output_option(parser, "ids, labels and predictions", "nowhere")
    parser.add_argument(
        "--plot", type=Path, metavar="PICTURE", help="where a plot of predictions against labels goes"
    )


def add_predict_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``amdnet predict``."""
    parser.add_argument("structures", metavar="STRUCTURES", nargs="+", help=_STRUCTURES_HELP)
    _add_load_option(parser)
    parser.add_argument(
        "--std", action="store_true", help="also give standard deviations, if the model is an ensemble"
    )
    _add_output_option(
        parser, "ids, predictions and errors", "standard output; a file is gone on with after a stop"
    )


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command."""
    parser.add_argument(
        "--n_jobs",
        type=_n_jobs,
        default=1,
        metavar="COUNT",
        help="processes that read crystals and make graphs; -1 takes all processors (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def check_data_options(arguments: argparse.Namespace) -> None:
    """Refuse two sources of crystals, or none.

    Args:
        arguments: Of a command with ``_add_data_options``.
    """
    if (arguments.structures is None) == (arguments.material_file is None):
        arguments.parser.error("give either STRUCTURES or --material_file")
    if arguments.motif_file is not None and arguments.material_file is None:
        arguments.parser.error("--motif_file needs --material_file")
    if arguments.labels is not None and arguments.material_file is not None:
        arguments.parser.error("--material_file has its own labels; leave out --labels")


def check_folder(path: Path) -> None:
    """Refuse a file that could not be made, before work that may be long.

    Args:
        path: The file.

    Raises:
        OSError: Its folder is absent or not writable, or it is a folder itself.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is no folder; make it, or save elsewhere")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path.parent} is not writable; save elsewhere")


def is_stream(path: Path) -> bool:
    """Whether a path is a pipe or a device rather than a file."""
    return path.exists() and not path.is_file() and not path.is_dir()


def check_output(path: Path | None) -> None:
    """Refuse an output that could not be written, before work that may be long.

    Args:
        path: The file or stream, if any.

    Raises:
        OSError: It cannot be written.
    """
    if path is None or is_stream(path):
        return
    check_folder(path)


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("structures", metavar="STRUCTURES", nargs="?", help=_STRUCTURES_HELP)
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="CSV",
        help="labels with a header line, ids in the first column (default: the columns of STRUCTURES)",
    )
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
    parser.add_argument(
        "--predict",
        default="band_gap",
        metavar="COLUMN",
        help="column of the label, in whose unit predictions and errors are (default: %(default)s)",
    )


def _add_output_option(parser: argparse.ArgumentParser, content: str, default: str) -> None:
    parser.add_argument("--output", type=Path, metavar="CSV", help=f"where {content} go (default: {default})")


def _add_load_option(parser: argparse.ArgumentParser) -> None:
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument(
        "--load_name",
        type=Path,
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


def _pretrained(name: str) -> Path:
    try:
        return pretrained_model_file(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _n_jobs(text: str) -> int:
    n_jobs = int(text)
    if n_jobs == 0:
        raise argparse.ArgumentTypeError("must be 1 or more, or -1 for all processors, got 0")
    return n_jobs


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed < 2**32:
        raise argparse.ArgumentTypeError(f"must be in [0, {2**32 - 1}], got {seed}")
    return seed
