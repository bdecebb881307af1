"""Which sites of a crystal are motif centres and which are their ligands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from math import gcd

import numpy as np
from pymatgen.core import Element, Species, Structure

from amdnet_matminer.motifs.types import IntArray


def anion_elements(structure: Structure) -> frozenset[str]:
    """Find the elements that are anions in a crystal.

    Oxidation states on the sites decide where all sites carry them. Otherwise the
    composition does: the anions are the fewest of the most electronegative
    nonmetals and metalloids (Pauling) that let the charges balance, every element
    being in its common oxidation states.

    Args:
        structure: An ordered crystal.

    Returns:
        Element symbols; empty for an element or an alloy.
    """
    states: dict[str, set[float]] = {}
    for specie in {site.specie for site in structure}:
        charge = specie.oxi_state if isinstance(specie, Species) else None
        if charge is None:
            break
        states.setdefault(specie.symbol, set()).add(charge)
    else:
        return frozenset(symbol for symbol, charges in states.items() if max(charges) < 0)
    counts = Counter(site.specie.symbol for site in structure)
    units = gcd(*counts.values())
    return _anions_by_balance(tuple(sorted((symbol, count // units) for symbol, count in counts.items())))


def center_sites(structure: Structure) -> tuple[IntArray, frozenset[str]]:
    """Split the sites into motif centres and anions.

    Args:
        structure: An ordered crystal.

    Returns:
        The site indices of the M centres, ascending, shape (M,), and the anion
        elements. Without anions every site is a centre.
    """
    anions = anion_elements(structure)
    centers = [i for i, site in enumerate(structure) if site.specie.symbol not in anions]
    return np.array(centers, dtype=np.int32), anions


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
