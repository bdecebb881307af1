"""Malformed input for ``fuzz.py``: mutated bytes, texts and trees, and crystals that cannot be."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import DummySpecies, Lattice, Structure

_ODD_NUMBERS = ("nan", "inf", "-1", "0", "1e308", "1e-308", "1e6", "-0.0", "99999999999999999999", "?", "")
_ODD_SYMBOLS = ("D", "T", "X", "Xx", "Og", "Uue", "Du", "He", "Fe3+", "O2-", "Q1", "0", "Ω")
_ODD_BYTES = (0x00, 0x01, 0x7F, 0x80, 0xFF)


Act = Callable[[random.Random], str]
"""Does one case of some random choices, and says what came of it."""


class Part(NamedTuple):
    """One kind of malformed input."""

    prepare: Callable[[Path], Act]
    """Makes, in an empty folder, what does the cases."""
    refusals: tuple[type[Exception], ...]
    """Errors that are right answers."""
    n: int
    """How many cases of it there are in a whole run."""


# What is given to it here is no list of coordinates that a type checker would take for one.
_structure: Any = Structure


def mutated_bytes(content: bytes, rng: random.Random) -> bytes:
    """Change a few bytes, or cut, repeat, move or insert a few."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        start = rng.randrange(len(data)) if data else 0
        end = min(len(data), start + rng.choice((1, 2, 4, 8, 64)))
        kind = rng.randrange(6)
        if kind == 0:
            data[start:end] = bytes(rng.choice(_ODD_BYTES) for _ in range(end - start))
        elif kind == 1:
            data[start:end] = rng.randbytes(end - start)
        elif kind == 2 and data:
            data[start] ^= 1 << rng.randrange(8)
        elif kind == 3:
            del data[start:end]
        elif kind == 4:
            data[start:start] = data[start:end]
        elif rng.random() < 0.2:
            del data[start:]
    return bytes(data)


def mutated_text(text: str, rng: random.Random) -> str:
    """Change numbers, symbols, lines or characters of a text."""
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        kind = rng.randrange(6)
        lines = text.splitlines(keepends=True)
        if kind == 0:
            text = _with_one_replaced(r"-?\d+\.?\d*", _ODD_NUMBERS, text, rng)
        elif kind == 1:
            text = _with_one_replaced(r"(?<![a-z_])[A-Z][a-z]?(?![a-z_])", _ODD_SYMBOLS, text, rng)
        elif kind == 2:
            del lines[rng.randrange(len(lines) or 1) :][:1]
            text = "".join(lines)
        elif kind == 3:
            rng.shuffle(lines)
            text = "".join(lines)
        elif kind == 4:
            place = rng.randrange(len(text) + 1)
            text = text[:place] + chr(rng.choice((0, 10, 39, 95, 123, 955, 0x1F4A9))) + text[place + 1 :]
        elif rng.random() < 0.3:
            text = text[: rng.randrange(len(text) + 1)]
    return text


def mutated_tree(tree: Any, rng: random.Random) -> Any:
    """Replace, drop or rename something in a tree of JSON values."""
    odd = ("null", "-1", "0", "1e308", "NaN", '"text"', "[]", "{}", "true", "[1, 2]", "1" + 30 * "0")
    mutated = json.loads(json.dumps(tree))
    for _ in range(rng.choice((1, 1, 2, 4))):
        node = mutated
        while isinstance(node, dict | list) and node:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            key = rng.choice(keys)
            if not isinstance(node[key], dict | list) or rng.random() < 0.3:
                if rng.random() < 0.3:
                    del node[key]
                else:
                    node[key] = json.loads(rng.choice(odd))
                break
            node = node[key]
    return mutated


def planted(tree: Any, value: Any, rng: random.Random) -> Any:
    """Put a value among those of some dictionary or list in a tree of JSON values."""
    nodes, open_nodes = [], [tree]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, dict | list):
            nodes.append(node)
            open_nodes.extend(node.values() if isinstance(node, dict) else node)
    if nodes:
        node = rng.choice(nodes)
        node.update(planted=value) if isinstance(node, dict) else node.append(value)
    return tree


def mutated_array(array: NDArray, rng: random.Random) -> NDArray:
    """Change a value, the type or the shape of an array."""
    kind = rng.randrange(8)
    if kind < 4 and array.size and array.dtype.kind in "iuf":
        changed = array.copy()
        odd = (np.nan, np.inf, -1.0, 1e30) if array.dtype.kind == "f" else (-1, 0, 2**20, 2**31 - 1)
        changed.flat[rng.randrange(array.size)] = rng.choice(odd)
        return changed
    if kind == 4:
        return array[: rng.randrange(len(array) + 1)] if array.ndim else array
    if kind == 5:
        return array[..., None]
    if kind == 6:
        return array.repeat(2, axis=0) if array.ndim else array
    with np.errstate(invalid="ignore"):
        other = np.dtype(rng.choice(["f2", "f8", "i1", "i8", "u2", "?", "U3", "c8"]))
        return array.astype(other if array.dtype.kind in "iuf" else "U1")


def named_odd_structures() -> dict[str, Callable[[], Any]]:
    """Each way of being no usable crystal that people have met."""
    cubic = Lattice.cubic
    return {
        "none": lambda: None,
        "text": lambda: "MgO",
        "empty": lambda: _structure(cubic(4), [], []),
        "nan cell": lambda: _structure(Lattice(np.full((3, 3), np.nan)), ["Mg"], [[0, 0, 0]]),
        "infinite cell": lambda: _structure(cubic(np.inf), ["Mg"], [[0, 0, 0]]),
        "nan coordinate": lambda: _structure(cubic(4), ["Mg"], [[np.nan, 0, 0]]),
        "flat cell": lambda: _structure(Lattice([[1, 0, 0], [0, 1, 0], [1, 1, 0]]), ["Mg"], [[0, 0, 0]]),
        "million angstrom": lambda: _structure(cubic(1e6), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
        "million by one": lambda: _structure(
            Lattice.orthorhombic(1e6, 2, 2), ["Mg", "O"], [[0, 0, 0], [0.5] * 3]
        ),
        "needle": lambda: _structure(Lattice.from_parameters(3, 3, 3, 2, 90, 90), ["Mg"], [[0, 0, 0]]),
        "tiny cell": lambda: _structure(cubic(1e-3), ["Mg"], [[0, 0, 0]]),
        "deuterium": lambda: _structure(cubic(3), ["D", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
        "dummy": lambda: _structure(cubic(4), [DummySpecies("X")], [[0, 0, 0]]),
        "oganesson": lambda: _structure(cubic(4), ["Og"], [[0, 0, 0]]),
        "disordered": lambda: _structure(cubic(4), [{"Mg": 0.5, "Ca": 0.5}], [[0, 0, 0]]),
        "vacancy": lambda: _structure(cubic(4), [{"Mg": 0.5}], [[0, 0, 0]]),
        "one place twice": lambda: _structure(cubic(4), ["Mg", "O"], [[0, 0, 0], [0, 0, 1]]),
        "far coordinates": lambda: _structure(cubic(4), ["Mg", "O"], [[0, 0, 0], [1e6 + 0.5, 0.5, 0.5]]),
        "left-handed": lambda: _structure(Lattice(-4 * np.eye(3)), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
        "isolated atom": lambda: _structure(cubic(50), ["He"], [[0, 0, 0]]),
    }


def random_structure(rng: random.Random) -> Structure:
    """A crystal with a cell and coordinates of any size, also none.

    Raises:
        Exception: pymatgen refuses it.
    """
    extreme = (np.nan, np.inf, 0.0, 1e-9, 1e-3, 0.5, 2.0, 4.0, 50.0, 1e6, -3.0)
    usual = rng.random() < 0.5
    matrix = [[rng.uniform(-5, 5) if usual else rng.choice(extreme) for _ in range(3)] for _ in range(3)]
    n_sites = rng.randrange(1, 6)
    symbols = [rng.choice(("Mg", "O", "Fe", "H", "Xe", "U", *_ODD_SYMBOLS[:3])) for _ in range(n_sites)]
    coords = [[rng.choice((rng.random(), rng.choice(extreme))) for _ in range(3)] for _ in range(n_sites)]
    return Structure(Lattice(matrix), symbols, coords)


def _with_one_replaced(pattern: str, choices: tuple[str, ...], text: str, rng: random.Random) -> str:
    found = list(re.finditer(pattern, text))
    if not found:
        return text
    start, end = rng.choice(found).span()
    return text[:start] + rng.choice(choices) + text[end:]
