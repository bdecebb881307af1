"""The typed values of the motif stage."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int32]
FloatArray = NDArray[np.float32]

BondRule = Literal["own", "either"]
"""Whose list makes a bond: that of the centre alone, or that of either end."""
BOND_RULES: tuple[BondRule, ...] = get_args(BondRule)


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

    @classmethod
    def empty(cls) -> MotifGraph:
        """The graph of a crystal without motifs."""
        integers, numbers = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
        return cls(
            center=integers,
            name=np.array([], dtype=np.str_),
            symmetry_measure=numbers,
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
