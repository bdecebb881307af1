"""The ``amdnet`` command: motif features, training, evaluation and prediction from files of crystals."""

from __future__ import annotations

import argparse
import inspect
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amdnet_matminer import __version__
from amdnet_matminer.datasets import STRUCTURE_COLUMN, read_dataset, read_structures
from amdnet_matminer.errors import AMDNetError, StructureError, TargetError
from amdnet_matminer.estimators import AMDNetRegressor
from amdnet_matminer.featurizer import MotifFeaturizer
from amdnet_matminer.validation import check_parameters, check_targets

_EPILOG = """examples:
  amdnet featurize crystals/ --output features.csv
  amdnet train crystals/ --labels labels.csv --predict band_gap --save_name gap.amdnet
  amdnet evaluate held_out.json.gz --predict band_gap --load_name gap.amdnet
  amdnet predict new_crystals/ --load_name gap.amdnet --output predictions.csv

The exit code is 0, 1 when a file or a crystal cannot be used, or 2 when an option is wrong.
"""

_STRUCTURES_HELP = (
    "a folder with CIF, VASP or POSCAR files, one such file, or a dataframe with a column 'structure' as "
    "matminer and MatBench store it (.json or .json.gz); an id is a file name without its suffix, or an index"
)

_TRAINING_OPTIONS = {
    "architecture": ("NAME", "network: amdnet-2021, the published one, or megnet, its atom branch alone"),
    "epochs": ("COUNT", "largest number of passes over the training crystals"),
    "patience": ("COUNT", "epochs without a better validation error after which training stops"),
    "learning_rate": ("RATE", "highest learning rate of Adam"),
    "batch_size": ("COUNT", "crystals in a step"),
    "atom_cutoff": ("ANGSTROM", "largest distance of an atom pair, in angstrom"),
    "motif_cutoff": ("ANGSTROM", "centre of the last Gaussian for distances between motifs, in angstrom"),
    "rbf_edge_dim_atom": ("COUNT", "Gaussians for atom pairs"),
    "rbf_edge_dim_motif": ("COUNT", "Gaussians for motif edges"),
}
"""Parameters of AMDNetRegressor, under the names that the original program gives its options."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: The arguments after the program's name; None takes those of the process.

    Returns:
        The exit code: 0, 1 when a file or a crystal cannot be used, 130 when
        interrupted. A wrong option exits with 2, as argparse does.
    """
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # A reader such as head wants no more; Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (AMDNetError, OSError) as error:
        return _complain(f"{arguments.parser.prog}: {error}", 1)
    except KeyboardInterrupt:
        return _complain(f"{arguments.parser.prog}: interrupted", 130)
    return 0


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(_complain(f"{self.prog}: {message}; see {self.prog} --help", 2))


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
        summary = inspect.getdoc(run)
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        command.set_defaults(run=run, parser=command)
        command.add_argument("structures", metavar="STRUCTURES", type=Path, help=_STRUCTURES_HELP)
        add_options(command)
        _add_common_options(command)
    return parser


def _add_common_options(parser: _Parser) -> None:
    parser.add_argument(
        "--n_jobs",
        type=_n_jobs,
        default=1,
        metavar="COUNT",
        help="processes that find motifs and make graphs; -1 takes all processors (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def _add_label_options(parser: _Parser) -> None:
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="CSV",
        help="labels with a header line, ids in the first column (default: the columns of STRUCTURES)",
    )
    parser.add_argument(
        "--predict",
        default="band_gap",
        metavar="COLUMN",
        help="column of the label, in whose unit predictions and errors are (default: %(default)s)",
    )


def _add_output_option(parser: _Parser, content: str, default: str) -> None:
    parser.add_argument("--output", type=Path, metavar="CSV", help=f"where {content} go (default: {default})")


def _add_load_option(parser: _Parser) -> None:
    parser.add_argument(
        "--load_name", type=Path, required=True, metavar="FILE", help="a model that amdnet train has saved"
    )


def _featurize_options(parser: _Parser) -> None:
    _add_output_option(parser, "ids and features", "standard output")


def _train_options(parser: _Parser) -> None:
    _add_label_options(parser)
    parser.add_argument("--save_name", type=Path, required=True, metavar="FILE", help="where the model goes")
    defaults = inspect.signature(AMDNetRegressor).parameters
    for name, (metavar, text) in _TRAINING_OPTIONS.items():
        default = defaults[name].default
        parser.add_argument(
            f"--{name}",
            type=type(default),
            default=default,
            metavar=metavar,
            help=f"{text} (default: %(default)s)",
        )
    parser.add_argument(
        "--seed",
        type=_seed,
        metavar="NUMBER",
        help="makes the training repeatable on a CPU (default: random)",
    )


def _evaluate_options(parser: _Parser) -> None:
    _add_label_options(parser)
    _add_load_option(parser)
    _add_output_option(parser, "ids, labels and predictions", "nowhere")


def _predict_options(parser: _Parser) -> None:
    _add_load_option(parser)
    _add_output_option(parser, "ids and predictions", "standard output")


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


def _featurize(arguments: argparse.Namespace) -> None:
    """Describe crystals by their motifs: vectors, shapes and how they are joined."""
    _check_writable(arguments.output)
    structures = read_structures(arguments.structures)
    _tell_size(arguments, structures)
    featurizer = MotifFeaturizer(verbose=int(not arguments.quiet))
    featurizer.set_n_jobs(arguments.n_jobs)
    with _ids_in_messages(structures.index):
        features = featurizer.fit_transform(structures)
    _write(pd.DataFrame(features, structures.index, featurizer.feature_labels()), arguments.output)


def _train(arguments: argparse.Namespace) -> None:
    """Fit a network to labelled crystals and save it."""
    model = AMDNetRegressor(
        **{name: getattr(arguments, name) for name in _TRAINING_OPTIONS},
        n_jobs=arguments.n_jobs,
        random_state=arguments.seed,
        verbose=int(not arguments.quiet),
    )
    try:
        check_parameters(model.get_params())
    except ValueError as error:
        arguments.parser.error(str(error))
    _check_folder(arguments.save_name)
    table = _read_labelled(arguments)
    with _ids_in_messages(table.index):
        model.fit(table[STRUCTURE_COLUMN], table[arguments.predict])
    model.save(arguments.save_name)
    print(f"trained on {len(table)} crystals for {model.n_iter_} epochs, saved as {arguments.save_name}")


def _evaluate(arguments: argparse.Namespace) -> None:
    """Compare a model's predictions with labels."""
    _check_writable(arguments.output)
    model = _load(arguments)
    table = _read_labelled(arguments)
    with _ids_in_messages(table.index):
        labels = check_targets(table[arguments.predict], len(table))
        predictions = model.predict(table[STRUCTURE_COLUMN])
    for name, value in _scores(labels, predictions).items():
        print(f"{name:8} {value:.6g}")
    if arguments.output is not None:
        _write(table[[arguments.predict]].assign(prediction=predictions), arguments.output)


def _predict(arguments: argparse.Namespace) -> None:
    """Predict a property of new crystals with a trained model."""
    _check_writable(arguments.output)
    model = _load(arguments)
    structures = read_structures(arguments.structures)
    _tell_size(arguments, structures)
    with _ids_in_messages(structures.index):
        predictions = model.predict(structures)
    _write(pd.DataFrame({"prediction": predictions}, structures.index), arguments.output)


_COMMANDS = {
    "featurize": (_featurize, _featurize_options),
    "train": (_train, _train_options),
    "evaluate": (_evaluate, _evaluate_options),
    "predict": (_predict, _predict_options),
}


def _read_labelled(arguments: argparse.Namespace) -> pd.DataFrame:
    table = read_dataset(arguments.structures, arguments.labels, arguments.predict)
    _tell_size(arguments, table)
    return table


def _tell_size(arguments: argparse.Namespace, crystals: pd.Series | pd.DataFrame) -> None:
    if not arguments.quiet:
        print(f"read {len(crystals)} crystals from {arguments.structures}", file=sys.stderr)


def _load(arguments: argparse.Namespace) -> AMDNetRegressor:
    model = AMDNetRegressor.load(arguments.load_name)
    return model.set_params(n_jobs=arguments.n_jobs, verbose=int(not arguments.quiet))


def _scores(labels: NDArray[np.float64], predictions: NDArray[np.float64]) -> dict[str, float]:
    """Number of crystals, errors in the label's unit, and R2, which equal labels leave undefined."""
    error = predictions - labels
    variance = labels.var()
    return {
        "crystals": len(labels),
        "MAE": np.abs(error).mean(),
        "RMSE": np.sqrt(np.square(error).mean()),
        "R2": 1.0 - np.square(error).mean() / variance if variance > 0.0 else np.nan,
    }


@contextmanager
def _ids_in_messages(ids: pd.Index) -> Iterator[None]:
    """Let errors name a crystal by its id, which the user knows, instead of by its number."""
    try:
        yield
    except (StructureError, TargetError) as error:
        message = re.sub(r"^(structure|label) (\d+)", lambda at: f"{at[1]} {ids[int(at[2])]!r}", str(error))
        raise type(error)(message) from error


def _check_folder(path: Path) -> None:
    """Refuse a model file that could not be written, before hours of training."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is no folder; make it, or save elsewhere")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path.parent} is not writable; save elsewhere")


def _check_writable(path: Path | None) -> None:
    """Refuse an output that could not be written, before work that may be long."""
    if path is None or (path.exists() and not path.is_dir() and os.access(path, os.W_OK)):
        return
    _check_folder(path)


def _write(table: pd.DataFrame, output: Path | None) -> None:
    table.to_csv(sys.stdout if output is None else output, index_label="id")
