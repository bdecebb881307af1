"""``amdnet train``: labelled crystals in, a model out. Options have the names that the original gave them."""

from __future__ import annotations

import argparse
import inspect
import logging
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from amdnet_matminer.architectures import architecture_names, network_class
from amdnet_matminer.cli.labelled import read_labelled, sound, usable
from amdnet_matminer.cli.messages import ids_in_messages, tell
from amdnet_matminer.cli.options import add_common, add_labelled_data, check_labelled_data, whole_number
from amdnet_matminer.cli.outputs import check_output
from amdnet_matminer.datasets import STRUCTURE_COLUMN
from amdnet_matminer.estimators import AMDNetRegressor
from amdnet_matminer.original import convert_with_given_motifs, read_original
from amdnet_matminer.parallel import map_structures
from amdnet_matminer.validation.parameters import check_parameters

logger = logging.getLogger(__name__)

TRAINING_OPTIONS = {
    "architecture": (
        "NAME",
        f"network: {', '.join(architecture_names())}",
    ),
    "epochs": ("COUNT", "largest number of passes over the training crystals"),
    "patience": ("COUNT", "epochs without a better validation error after which training stops"),
    "learning_rate": ("RATE", "highest learning rate"),
    "batch_size": ("COUNT", "crystals in a step"),
    "atom_cutoff": ("ANGSTROM", "largest distance of an atom pair, in angstrom"),
    "motif_cutoff": ("ANGSTROM", "centre of the last Gaussian for distances between motifs, in angstrom"),
    "rbf_edge_dim_atom": ("COUNT", "Gaussians for atom pairs"),
    "rbf_edge_dim_motif": ("COUNT", "Gaussians for motif edges"),
    "validation_fraction": ("PART", "of the crystals that epochs are judged by; 0 learns from all"),
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
    "validation_fraction": 0.1,
    "n_ensemble": 1,
}
"""What the original program took where an option was not given."""

ORIGINAL_RECIPE: dict[str, Any] = {
    "optimizer": "adamw",
    "weight_decay": 0.0,
    "schedule": "constant",
    "loss": "mse",
    "scale_targets": False,
    "clip_norm": None,
}
"""What the original program always did; without weight decay AdamW is Adam."""

ORIGINAL_SEED = 42
"""The original's for TensorFlow, of the initial weights; it shuffled with another, 999, where we have one."""

STOP = Path("STOP")
"""A file that ends a training, as in the original program."""

KERAS_SUFFIXES = (".hdf5", ".h5", ".keras")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``amdnet train``."""
    add_labelled_data(parser)
    parser.add_argument(
        "--skip_bad",
        action="store_true",
        help="leave out the crystals and labels that cannot be used, after naming all of them",
    )
    parser.add_argument(
        "--save_name", type=_model_name, required=True, metavar="FILE", help="where the model goes"
    )
    _add_training_options(parser)
    parser.add_argument(
        "--init_from",
        metavar="MODEL",
        help="a saved model, or the name of one that is shipped, to begin with (default: a new network)",
    )
    parser.add_argument(
        "--seed",
        type=_seed,
        metavar="NUMBER",
        help=f"makes a training repeatable on a CPU (default: random; with --material_file {ORIGINAL_SEED})",
    )
    parser.add_argument(
        "--checkpoint_dir",
        type=Path,
        metavar="FOLDER",
        help="keeps the state of the training, so that the same command, with a --seed, goes on after a stop",
    )
    add_common(parser)
    parser.epilog = "touch STOP, in the folder where the command was started, ends a training after its epoch"


def run(arguments: argparse.Namespace) -> None:
    """Fit a network to labelled crystals and save it.

    Args:
        arguments: As parsed.

    Raises:
        AMDNetError: A file, a crystal or a label cannot be used.
        OSError: A file cannot be read or written.
    """
    check_labelled_data(arguments)
    model = _new_model(arguments)
    check_output(arguments.save_name, arguments)
    if STOP.exists():
        logger.warning("the file %s is from before and ignored; touch it to end this training", STOP)
    if arguments.material_file is None:
        table = usable(read_labelled(arguments), arguments)
        with ids_in_messages(table.index):
            model.fit(table[STRUCTURE_COLUMN], table[arguments.predict])
    else:
        table = _train_as_original(model, arguments)
    model.save(arguments.save_name)
    print(f"trained on {len(table)} crystals for {model.n_iter_} epochs, saved as {arguments.save_name}")


def _add_training_options(parser: argparse.ArgumentParser) -> None:
    for name, (metavar, text) in TRAINING_OPTIONS.items():
        default, original = _default(name), ORIGINAL_DEFAULTS[name]
        shown = str(default) if default == original else f"{default}; with --material_file {original}"
        parser.add_argument(
            f"--{name}", type=type(default), metavar=metavar, help=f"{text} (default: {shown})"
        )


def _default(name: str) -> Any:
    """What an option is where neither it nor --material_file is given."""
    return inspect.signature(AMDNetRegressor).parameters[name].default


def _new_model(arguments: argparse.Namespace) -> AMDNetRegressor:
    """The estimator that was asked for, with the original's settings for the original's files."""
    original = arguments.material_file is not None
    chosen = {name: getattr(arguments, name) for name in TRAINING_OPTIONS}
    for name in TRAINING_OPTIONS:
        if chosen[name] is None:
            chosen[name] = ORIGINAL_DEFAULTS[name] if original else _default(name)
    seed = arguments.seed
    if original:
        chosen |= ORIGINAL_RECIPE
        seed = ORIGINAL_SEED if seed is None else seed
    if arguments.checkpoint_dir is not None and seed is None:
        arguments.parser.error(
            "--checkpoint_dir needs a --seed: a training that begins at random is not known again"
        )
    model = AMDNetRegressor(
        **chosen,
        init_from=arguments.init_from,
        checkpoint_dir=arguments.checkpoint_dir,
        stop_file=STOP,
        n_jobs=arguments.n_jobs,
        random_state=seed,
        verbose=int(not arguments.quiet),
    )
    try:
        check_parameters(model.get_params())
    except ValueError as error:
        arguments.parser.error(str(error))
    if arguments.motif_file is not None and not network_class(model.architecture).reads_published_motifs:
        arguments.parser.error(f"{model.architecture} does not read a --motif_file; leave it out")
    return model


def _train_as_original(model: AMDNetRegressor, arguments: argparse.Namespace) -> pd.DataFrame:
    """Fit to the training part of the original's files, judged by their validation part."""
    data = read_original(arguments.material_file, arguments.motif_file, arguments.predict)
    table, validation = (
        usable(sound(part, arguments), arguments, part.missing) for part in (data.train, data.validation)
    )
    tell(arguments, f"read {len(table)} crystals to train on and {len(validation)} for validation")
    convert = partial(convert_with_given_motifs, converter=model.graph_converter())
    graphs = []
    for part in (table, validation):
        with ids_in_messages(part.index):
            made = map_structures(
                convert, part[STRUCTURE_COLUMN], arguments.n_jobs, "graphs", not arguments.quiet
            )
            graphs.append(list(made))
    with ids_in_messages(table.index):
        model.fit(
            graphs[0],
            table[arguments.predict],
            validation_data=(graphs[1], validation[arguments.predict]),
        )
    return table


def _model_name(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() in KERAS_SUFFIXES:
        raise argparse.ArgumentTypeError(
            "a model is saved in a format of this package, which neither Keras nor the original reads; "
            f"call it {path.with_suffix('.amdnet')}"
        )
    return path


def _seed(text: str) -> int:
    seed = whole_number(text)
    if not 0 <= seed < 2**32:
        raise argparse.ArgumentTypeError(f"must be in [0, {2**32 - 1}], got {seed}")
    return seed
