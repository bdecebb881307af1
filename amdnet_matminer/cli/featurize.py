"""``amdnet featurize``: crystals in, motif features out, window by window."""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path

from tqdm.auto import tqdm

from amdnet_matminer.cli.backends import add_backend, backend, count_of_jobs
from amdnet_matminer.cli.crystals import fingerprint, open_structures
from amdnet_matminer.cli.options import add_common, add_output, add_structures
from amdnet_matminer.cli.outputs import check_output
from amdnet_matminer.cli.tables import open_table, write_rows
from amdnet_matminer.errors import DatasetError
from amdnet_matminer.featurizer import MotifFeaturizer
from amdnet_matminer.motifs import motif_graphs_of
from amdnet_matminer.motifs.motif2vec import Motif2Vec
from amdnet_matminer.pretrained import PRESETS, motif2vec_file
from amdnet_matminer.screening import screen


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``amdnet featurize``."""
    add_structures(parser, "+")
    vectors = parser.add_mutually_exclusive_group()
    vectors.add_argument(
        "--featurizer",
        default=PRESETS[0],
        type=_vectors,
        metavar="FILE",
        help="motif vectors: those that --save_featurizer has saved, or pretrained ones of this name "
        "(default: %(default)s); with the same ones a crystal has the same features in any company",
    )
    vectors.add_argument("--fit", action="store_true", help="learn motif vectors from these crystals instead")
    parser.add_argument("--save_featurizer", type=Path, metavar="FILE", help="where the vectors of --fit go")
    add_output(parser, "ids, features and errors", "standard output; a file is gone on with after a stop")
    add_common(parser)
    add_backend(parser)


def run(arguments: argparse.Namespace) -> None:
    """Describe crystals by their motifs.

    Args:
        arguments: As parsed.

    Raises:
        AMDNetError: A file cannot be used, or, after all others have been described,
            some crystals could not be.
        OSError: A file cannot be read or written.
    """
    if arguments.save_featurizer is not None and not arguments.fit:
        arguments.parser.error("--save_featurizer needs --fit")
    for path in (arguments.output, arguments.save_featurizer):
        check_output(path, arguments)
    with backend(arguments):
        _fit_and_describe(arguments)


def _fit_and_describe(arguments: argparse.Namespace) -> None:
    if not arguments.fit:
        return _describe(arguments, arguments.featurizer)
    with tempfile.TemporaryDirectory() as folder:
        file = arguments.save_featurizer or Path(folder) / "vectors.npz"
        _fitted(arguments).save(file)
        return _describe(arguments, file)


def _fitted(arguments: argparse.Namespace) -> Motif2Vec:
    """Motif vectors of those crystals that can be used."""
    crystals = open_structures(arguments)
    windows = screen(crystals.entries, motif_graphs_of, count_of_jobs(arguments))
    with tqdm(total=crystals.total, desc="fit", unit=" crystals", disable=arguments.quiet) as bar:
        graphs = []
        for window in windows:
            graphs += [outcome.value for outcome in window if outcome.value is not None]
            bar.update(len(window))
    if not graphs:
        raise DatasetError("no crystal can be used to fit", "run without --fit to see why", subject="")
    return Motif2Vec().fit(graphs)


def _describe(arguments: argparse.Namespace, vectors: Path) -> None:
    """Write a row of features for every crystal."""
    n_components = min(MotifFeaturizer().n_components, Motif2Vec.load(vectors).n_components)
    featurizer = MotifFeaturizer(n_components, pretrained=vectors)
    featurizer.set_n_jobs(1)  # each of the processes that read
    work = partial(screen, work=featurizer.transform, n_jobs=count_of_jobs(arguments))
    crystals = open_structures(arguments)
    source = vectors.read_bytes() + fingerprint(crystals, arguments)
    with open_table(arguments.output, featurizer.feature_labels(), source) as table:
        write_rows(table, crystals, work, arguments.quiet)
    table.check("described")


def _vectors(name: str) -> Path:
    try:
        return motif2vec_file(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
