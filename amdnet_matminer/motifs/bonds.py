"""Bonds as sites list them, and as their neighbours do."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amdnet_matminer.crystal_arrays import CrystalArrays, spans
from amdnet_matminer.motifs.types import BondRule, Environments, FloatArray, IntArray
from amdnet_matminer.symmetry import SiteOrbits


class Bonds(NamedTuple):
    """B bonds, each listed by a site in the home cell."""

    site: IntArray
    """(B,) index of the site that lists the bond."""
    neighbor: IntArray
    """(B,) index of the site at the other end."""
    image: IntArray
    """(B, 3) lattice translation of the neighbour."""

    @classmethod
    def joined(cls, *lists: Bonds) -> Bonds:
        """Several lists, one after the other."""
        return cls(*(np.concatenate(columns) for columns in zip(*lists, strict=True)))

    def carried(self, crystals: CrystalArrays, orbits: SiteOrbits, sites: IntArray) -> Bonds:
        """The bonds of some sites, from those of the sites that symmetry makes them of.

        Args:
            self: The lists of the sources of ``sites``, sorted by site.
            crystals: Their crystals.
            orbits: The symmetry of these.
            sites: Site indices, shape (C,).

        Returns:
            The bonds, site after site and in the order of their sources.
        """
        source = orbits.source[sites]
        first = np.searchsorted(self.site, source)
        count = np.searchsorted(self.site, source, side="right") - first
        listed = spans(first, count)
        site, neighbor, image = np.repeat(sites, count), self.neighbor[listed], self.image[listed]
        moved = np.flatnonzero(site != self.site[listed])
        neighbor[moved], image[moved] = orbits.carried(crystals, site[moved], neighbor[moved], image[moved])
        return Bonds(site, neighbor, image)

    def of_neighbors_only(self, own: Bonds, sites: IntArray) -> Bonds:
        """The bonds to some sites that only the other end lists, as the sites see them.

        Args:
            self: All lists, those of the sites too.
            own: The lists of the sites.
            sites: Site indices, shape (C,).

        Returns:
            The bonds, listed by the sites.
        """
        to_sites = np.isin(self.neighbor, sites)
        seen = Bonds(self.neighbor[to_sites], self.site[to_sites], -self.image[to_sites])
        key = _keys(Bonds.joined(seen, own))
        new = ~np.isin(key[: len(seen.site)], key[len(seen.site) :])
        return Bonds(*(column[new] for column in seen))

    def environments(
        self, sites: IntArray, extra: Bonds, rule: BondRule, fingerprint: FloatArray
    ) -> Environments:
        """The surroundings of C sites.

        Args:
            self: What the sites list.
            sites: Site indices, shape (C,).
            extra: Bonds to the sites that only their neighbours list.
            rule: Whether these count.
            fingerprint: Of the sites, shape (C, 61).

        Returns:
            The bonds site after site, own ones first.
        """
        both = Bonds.joined(self, extra)
        counted = both if rule == "either" else self
        place = np.argsort(sites)
        cell = place[np.searchsorted(sites, counted.site, sorter=place)]
        order = np.argsort(cell, kind="stable")
        return Environments(
            neighbor=counted.neighbor[order],
            image=counted.image[order],
            offset=np.searchsorted(cell[order], np.arange(len(sites) + 1)).astype(np.int32),
            fingerprint=fingerprint,
            bonded=np.isin(sites, both.site),
        )


def _keys(bonds: Bonds) -> NDArray[np.int64]:
    """One number for each bond: comparing rows would cost more."""
    columns = np.column_stack(bonds).astype(np.int64)
    low = columns.min(axis=0, initial=0)
    span = columns.max(axis=0, initial=0) - low + 1
    return np.ravel_multi_index((columns - low).T, span)
