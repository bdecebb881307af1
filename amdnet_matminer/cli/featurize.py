"""``amdnet featurize``: crystals in, motif features out."""

from __future__ import annotations

import argparse

import pandas as pd

from amdnet_matminer.cli.messages import ids_in_messages, tell
from amdnet_matminer.cli.options import add_common, add_output, add_structures
from amdnet_matminer.cli.outputs import check_output, write_table
from amdnet_matminer.datasets import read_structures
from amdnet_matminer.featurizer import MotifFeaturizer


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``amdnet featurize``."""
    add_structures(parser, "+")
    add_output(parser, "ids and features", "standard output")
    add_common(parser)


def run(arguments: argparse.Namespace) -> None:
    """Describe crystals by their motifs.

    Args:
        arguments: As parsed.

    Raises:
        AMDNetError: A file or a crystal cannot be used.
        OSError: A file cannot be read or written.
    """
    check_output(arguments.output)
    structures = read_structures(*arguments.structures)
    tell(arguments, f"read {len(structures)} crystals from {' '.join(arguments.structures)}")
    featurizer = MotifFeaturizer(verbose=int(not arguments.quiet))
    featurizer.set_n_jobs(arguments.n_jobs)
    with ids_in_messages(structures.index):
        features = featurizer.fit_transform(structures)
    write_table(pd.DataFrame(features, structures.index, featurizer.feature_labels()), arguments.output)
