"""Motif graphs that were made elsewhere, as input of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from pymatgen.core import Structure

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.graphs import DualGraph, DualGraphConverter
from amdnet_matminer.motifs import FINGERPRINT_LABELS, MotifGraph
from amdnet_matminer.motifs.types import FloatArray, IntArray

GIVEN_MOTIFS = "motif_graph"
"""Where a structure's ``properties`` hold the motif graph to be read instead of finding one."""


def motif_graph_of_row(row: Mapping[str, Any]) -> MotifGraph:
    """Turn a row of the original's motif file into a motif graph.

    The file keeps neither centres, ligands, sharing nor angles, so they are missing
    from the graph too; ``"amdnet-2021"`` reads none of them.

    Args:
        row: With ``_numbers`` (M, 61), ``_offset`` (E, at least 1) whose first column is
            the distance of the centres in angstrom, and the edges' ends ``_idx_ik`` and
            ``_idx_jk`` (E,).

    Returns:
        The graph.

    Raises:
        DatasetError: Something is absent or does not fit.
    """
    fingerprint, receiver, sender, distance = _arrays_of_row(row)
    n_motifs, n_edges = len(fingerprint), len(sender)
    return MotifGraph.empty()._replace(
        # All are said to be at the first atom: it is not told where they are.
        center=np.zeros(n_motifs, dtype=np.int32),
        name=np.array([""] * n_motifs),
        symmetry_measure=np.zeros(n_motifs, dtype=np.float32),
        bond_angle_variance=np.zeros(n_motifs, dtype=np.float32),
        quadratic_elongation=np.ones(n_motifs, dtype=np.float32),
        fingerprint=fingerprint,
        ligand_offset=np.zeros(n_motifs + 1, dtype=np.int32),
        sender=sender,
        receiver=receiver,
        image=np.zeros((n_edges, 3), dtype=np.int32),
        distance=distance,
        n_shared=np.ones(n_edges, dtype=np.int32),
        angle=np.zeros(n_edges, dtype=np.float32),
        multiplicity=np.ones(n_motifs, dtype=np.int32),
        edge_multiplicity=np.ones(n_edges, dtype=np.int32),
    )


def _arrays_of_row(row: Mapping[str, Any]) -> tuple[FloatArray, IntArray, IntArray, FloatArray]:
    """Fingerprints, receivers, senders and distances of a row, checked."""
    try:
        fingerprint = np.asarray(row["_numbers"], dtype=np.float32)
        receiver, sender = (np.asarray(row[name], dtype=np.int32) for name in ("_idx_ik", "_idx_jk"))
        distance = np.asarray(row["_offset"], dtype=np.float32).reshape(len(receiver), -1)[:, 0]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DatasetError(f"has a broken motif graph ({error!r})") from error
    if fingerprint.ndim != 2 or fingerprint.shape[1] != len(FINGERPRINT_LABELS):
        raise DatasetError(f"has motifs of {fingerprint.shape} numbers instead of (M, 61)")
    ends = np.concatenate([receiver, sender])
    if len(sender) != len(receiver) or ((ends < 0) | (ends >= len(fingerprint))).any():
        raise DatasetError("has motif edges that end at motifs that are not there")
    if not (np.isfinite(fingerprint).all() and np.isfinite(distance).all()):
        raise DatasetError("has a motif graph with numbers that are not finite")
    return fingerprint, receiver, sender, distance


def has_only_false_contacts(graph: MotifGraph) -> bool:
    """Whether every motif touches nothing but itself at distance 0, as a fault of the generator writes it."""
    return bool(len(graph.sender)) and bool(
        ((graph.sender == graph.receiver) & (graph.distance == 0.0)).all()
    )


def convert_with_given_motifs(
    structures: Sequence[Structure], converter: DualGraphConverter
) -> list[DualGraph]:
    """Read crystals as dual graphs, with the motif graphs that they come with, if they do.

    Args:
        structures: S crystals; the ``properties`` of each may have a ``motif_graph``.
        converter: How atoms are read, and motifs where none are given.

    Returns:
        S graphs, as an estimator with this converter takes them.

    Raises:
        StructureError: A structure cannot be used.
    """
    given = [structure.properties.get(GIVEN_MOTIFS) for structure in structures]
    finder = converter if any(motifs is None for motifs in given) else replace(converter, motifs=None)
    return [
        DualGraph(graph.atoms, graph.motifs if motifs is None else motifs, converter)
        for graph, motifs in zip(finder.convert_few(structures), given, strict=True)
    ]
