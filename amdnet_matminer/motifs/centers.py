"""Which sites of a crystal are motif centres and which are their ligands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from math import gcd
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Species

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.motifs.types import IntArray


def anion_elements(amounts: Mapping[Element | Species, int]) -> frozenset[str]:
    """Find the elements that are anions in a crystal.

    Oxidation states of the species decide where all have them. Otherwise the
    composition does: the anions are the fewest of the most electronegative
    nonmetals and metalloids (Pauling) that let the charges balance, every element
    being in its common oxidation states.

    Args:
        amounts: How many sites of the crystal each specie is on.

    Returns:
        Element symbols; empty for an element or an alloy.
    """
    states: dict[str, set[float]] = {}
    for specie in amounts:
        charge = specie.oxi_state if isinstance(specie, Species) else None
        if charge is None:
            break
        states.setdefault(specie.symbol, set()).add(charge)
    else:
        return frozenset(symbol for symbol, charges in states.items() if max(charges) < 0)
    counts: Counter[str] = Counter()
    for specie, amount in amounts.items():
        counts[specie.symbol] += amount
    units = gcd(*counts.values())
    return _anions_by_balance(tuple(sorted((symbol, count // units) for symbol, count in counts.items())))


class Roles(NamedTuple):
    """What the sites of crystals are to their motifs."""

    center: IntArray
    """(M,) sites that are motif centres, ascending; in a crystal without anions all are."""
    is_ligand: NDArray[np.bool_]
    """(N,) whether bonds to a site make it a ligand: of anions, and of all where there are no anions."""


def site_roles(crystals: CrystalArrays) -> Roles:
    """Tell motif centres from ligands.

    Args:
        crystals: CrystalArrays of N sites in all.

    Returns:
        The roles of the sites.
    """
    is_anion = np.zeros(len(crystals.kind), dtype=np.bool_)
    has_anions = np.zeros(len(crystals), dtype=np.bool_)
    for crystal in range(len(crystals)):
        sites = slice(crystals.offset[crystal], crystals.offset[crystal + 1])
        kinds, counts = np.unique(crystals.kind[sites], return_counts=True)
        species = [crystals.species[kind] for kind in kinds.tolist()]
        anions = anion_elements(dict(zip(species, counts.tolist(), strict=True)))
        has_anions[crystal] = bool(anions)
        of_anion = [specie.symbol in anions for specie in species]
        is_anion[sites] = np.isin(crystals.kind[sites], kinds[of_anion])
    return Roles(np.flatnonzero(~is_anion).astype(np.int32), is_anion | ~has_anions[crystals.crystal])


@lru_cache(maxsize=256)
def electronegativity(symbol: str) -> float:
    """Pauling electronegativity of an element, 0 where none is known (He, Ne, Ar)."""
    value = Element(symbol).data.get("X")
    return float(value) if isinstance(value, int | float) else 0.0


@lru_cache(maxsize=65536)
def _anions_by_balance(amounts: tuple[tuple[str, int], ...]) -> frozenset[str]:
    """Anions of a reduced composition, given as sorted (element, amount) pairs."""
    candidates = sorted((symbol for symbol, _ in amounts if _can_be_anion(symbol)), key=electronegativity)[
        ::-1
    ]
    if not candidates or len(amounts) == 1:
        return frozenset()
    most = min(len(candidates), len(amounts) - 1)
    fewest = max(1, min(most, sum(symbol in ("F", "O") for symbol in candidates)))
    # From the usual to the unusual: full reduction before partial (peroxides, pyrite),
    # common states of the metals before all that are known.
    for partial in (False, True):
        for known in (_common_states, _all_states):
            for k in range(fewest, most + 1):
                if _balances(amounts, frozenset(candidates[:k]), known, partial):
                    return frozenset(candidates[:k])
    return frozenset(candidates[:fewest])


def _balances(
    amounts: Iterable[tuple[str, int]],
    anions: frozenset[str],
    states: Callable[[str], tuple[int, ...]],
    partial: bool,
) -> bool:
    """Whether the charges can add up to zero, elements averaging between their extreme states."""
    low = high = 0.0
    for symbol, amount in amounts:
        if symbol in anions:
            low += amount * _lowest_state(symbol)
            high += amount * (0 if partial else _lowest_state(symbol))
        else:
            positive = [state for state in states(symbol) if state > 0] or [0]
            low += amount * min(positive)
            high += amount * max(positive)
    return low <= 0 <= high


@lru_cache(maxsize=256)
def _can_be_anion(symbol: str) -> bool:
    element = Element(symbol)
    return not element.is_metal and not element.is_noble_gas and _lowest_state(symbol) < 0


@lru_cache(maxsize=256)
def _lowest_state(symbol: str) -> int:
    return min(_common_states(symbol) + tuple(Element(symbol).icsd_oxidation_states))


@lru_cache(maxsize=256)
def _common_states(symbol: str) -> tuple[int, ...]:
    element = Element(symbol)
    return tuple(element.common_oxidation_states or element.oxidation_states or (0,))


@lru_cache(maxsize=256)
def _all_states(symbol: str) -> tuple[int, ...]:
    """All known states of a metal; the unusual ones of nonmetals would make cations of anions."""
    element = Element(symbol)
    return tuple(element.oxidation_states) if element.is_metal else _common_states(symbol)
