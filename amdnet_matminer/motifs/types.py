"""The typed values of the motif stage."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amdnet_matminer.crystal_arrays import Indices, IntArray, spans

FloatArray = NDArray[np.float32]

BondRule = Literal["own", "either"]
"""Whose list makes a bond: that of the centre alone, or that of either end."""
BOND_RULES: tuple[BondRule, ...] = get_args(BondRule)

DISTORTIONS = ("symmetry_measure", "bond_length_distortion", "bond_angle_variance", "quadratic_elongation")
"""What ``MotifGraph`` has of how far motifs are from their ideal polyhedra."""

_SHOWN = 10
"""How many kinds of motifs a representation names."""


class Environments(NamedTuple):
    """Bonded neighbours and fingerprints of C chosen sites of one structure, B bonds in all.

    What an engine returns: the neighbours that the rule of bonds gives the sites, of
    any kind. The bonds of the c-th site are rows ``offset[c]:offset[c + 1]``.
    """

    neighbor: IntArray
    """(B,) site index of the bonded neighbour."""
    image: IntArray
    """(B, 3) lattice translation that brings the neighbour to the bond."""
    offset: IntArray
    """(C + 1,) first bond of each site."""
    fingerprint: FloatArray
    """(C, 61) CrystalNN order-parameter fingerprint, labels in ``FINGERPRINT_LABELS``."""
    bonded: NDArray[np.bool_]
    """(C,) whether a bond to the site is listed by itself or by any neighbour."""

    def of(self, sites: Indices) -> Environments:
        """Those of some of the C sites.

        Args:
            sites: Their positions among the C, shape (K,).

        Returns:
            The environments of the K.
        """
        count = np.diff(self.offset)[sites]
        bonds = spans(self.offset[sites], count)
        return Environments(
            neighbor=self.neighbor[bonds],
            image=self.image[bonds],
            offset=np.concatenate([[0], np.cumsum(count)]).astype(np.int32),
            fingerprint=self.fingerprint[sites],
            bonded=self.bonded[sites],
        )


class MotifGraph(NamedTuple):
    """The structure motifs of one crystal and how they share ligands.

    M motifs with L ligands in all, joined by E directed edges; edges come in
    reverse pairs. An edge runs from ``sender`` (translated by ``image``) to
    ``receiver`` (in the home cell).
    """

    center: IntArray
    """(M,) site index of the motif's centre."""
    name: NDArray[np.str_]
    """(M,) such as ``"TiO6 octahedral"``."""
    symmetry_measure: FloatArray
    """(M,) continuous symmetry measure to the nearest ideal polyhedron, 0 ideal to 100."""
    bond_angle_variance: FloatArray
    """(M,) bond-angle variance from that polyhedron, in square degrees; NaN without angles or polyhedron."""
    quadratic_elongation: FloatArray
    """(M,) quadratic elongation from that polyhedron, 1 ideal; NaN where either has no volume."""
    fingerprint: FloatArray
    """(M, 61) CrystalNN order-parameter fingerprint of the centre."""
    ligand: IntArray
    """(L,) site index of each ligand, motif after motif."""
    ligand_image: IntArray
    """(L, 3) lattice translation of each ligand, the centre being in the home cell."""
    ligand_offset: IntArray
    """(M + 1,) the ligands of motif m are rows ``ligand_offset[m]:ligand_offset[m + 1]``."""
    bond_length: FloatArray
    """(L,) distance from centre to ligand, in angstrom."""
    sender: IntArray
    """(E,) motif index."""
    receiver: IntArray
    """(E,) motif index."""
    image: IntArray
    """(E, 3) lattice translation of the sender."""
    distance: FloatArray
    """(E,) distance between the two centres, in angstrom."""
    n_shared: IntArray
    """(E,) number of shared ligands: 1 corner, 2 edge, 3 or more face."""
    angle: FloatArray
    """(E,) mean centre-ligand-centre angle over the shared ligands, in degrees."""
    multiplicity: IntArray
    """(M,) number of symmetry-equivalent centres that the motif stands for."""
    edge_multiplicity: IntArray
    """(E,) number of pairs of motifs of equal ends and sharing that the edge stands for."""

    @property
    def coordination(self) -> IntArray:
        """(M,) number of ligands of each motif."""
        return np.diff(self.ligand_offset).astype(np.int32)

    @property
    def bond_length_distortion(self) -> FloatArray:
        """(M,) Baur's distortion index: mean deviation of bond lengths from their mean, relative to that.

        Acta Cryst. B 30, 1195 (1974); 0 without bonds.
        """
        n_bonds = np.maximum(self.coordination, 1)
        motif = np.repeat(np.arange(len(n_bonds)), self.coordination)
        mean = np.bincount(motif, self.bond_length, len(n_bonds)) / n_bonds
        deviation = np.abs(self.bond_length - mean[motif]) / mean[motif]
        return (np.bincount(motif, deviation, len(n_bonds)) / n_bonds).astype(np.float32)

    @property
    def edge_weight(self) -> IntArray:
        """(E,) number of connections of the crystal that each edge stands for."""
        return self.multiplicity[self.receiver] * self.edge_multiplicity

    def __repr__(self) -> str:
        """Kinds and counts: ``MotifGraph(2 motifs: 2 TiO6 octahedral; 20 connections)``."""
        kinds = [f"{number} {name}" for name, number in self._kinds().items()]
        shown = ", ".join([*kinds[:_SHOWN], *["..."] * (len(kinds) > _SHOWN)])
        n_edges = int(self.edge_weight.sum())
        return f"MotifGraph({self.multiplicity.sum()} motifs: {shown or 'none'}; {n_edges} connections)"

    def _repr_html_(self) -> str:
        """A row for each kind of motif, for notebooks."""
        motifs, _ = self.to_frame()
        kinds = motifs.groupby("name", sort=False)
        table = kinds.agg(motifs=("multiplicity", "sum"), symmetry_measure=("symmetry_measure", "mean"))
        html = table.sort_values("motifs", ascending=False).round(2).to_html(max_rows=_SHOWN)
        return f"<p>{escape(repr(self))}</p>{html}"

    def _kinds(self) -> dict[str, int]:
        """Number of motifs of each name, the commonest first."""
        kinds: Counter[str] = Counter()
        for name, number in zip(self.name.tolist(), self.multiplicity.tolist(), strict=True):
            kinds[name] += number
        return dict(kinds.most_common())

    def to_frame(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Tabulate motifs and connections.

        Returns:
            A row for each motif: site of the centre, name, coordination number, mean bond
            length in angstrom, ``DISTORTIONS`` and multiplicity; and a row for each
            connection: both motifs and their names, lattice translation of the sender,
            distance in angstrom, number of shared ligands, mean angle at these in degrees,
            and multiplicity.
        """
        coordination = self.coordination
        owner = np.repeat(np.arange(len(coordination)), coordination)
        sums = np.bincount(owner, self.bond_length, len(coordination))
        mean = np.divide(sums, coordination, where=coordination > 0, out=np.full(len(sums), np.nan))
        motifs = {"center": self.center, "name": self.name, "coordination": coordination, "bond_length": mean}
        motifs |= {name: getattr(self, name) for name in (*DISTORTIONS, "multiplicity")}
        connections: dict[str, Any] = {
            "sender": self.sender,
            "receiver": self.receiver,
            "sender_name": self.name[self.sender],
            "receiver_name": self.name[self.receiver],
            "image": list(map(tuple, self.image.tolist())),
        }
        features = ("distance", "n_shared", "angle", "edge_multiplicity")
        connections |= {name: getattr(self, name) for name in features}
        return pd.DataFrame(motifs).rename_axis("motif"), pd.DataFrame(connections).rename_axis("connection")

    @classmethod
    def empty(cls) -> MotifGraph:
        """The graph of a crystal without motifs."""
        integers, numbers = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
        return cls(
            center=integers,
            name=np.array([], dtype=np.str_),
            symmetry_measure=numbers,
            bond_angle_variance=numbers,
            quadratic_elongation=numbers,
            fingerprint=numbers.reshape(0, 61),
            ligand=integers,
            ligand_image=integers.reshape(0, 3),
            ligand_offset=np.zeros(1, dtype=np.int32),
            bond_length=numbers,
            sender=integers,
            receiver=integers,
            image=integers.reshape(0, 3),
            distance=numbers,
            n_shared=integers,
            angle=numbers,
            multiplicity=integers,
            edge_multiplicity=integers,
        )
