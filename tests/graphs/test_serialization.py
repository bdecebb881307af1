"""Graphs as bytes: exactly what was written, or an error."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amdnet_matminer.graphs import DualGraph, DualGraphConverter
from amdnet_matminer.graphs.serialization import graph_from_bytes, graph_to_bytes
from amdnet_matminer.motifs import MotifGraph

START = 14
"""Mark, checksum and length of the JSON text."""


def rewritten(data: bytes, change: Callable[[dict], Any] = lambda forms: forms, tail: bytes = b"") -> bytes:
    """The same with another description of its arrays, or more bytes, and a right checksum."""
    length = int.from_bytes(data[10:14], "little")
    text = change(json.loads(data[START : START + length]))
    text = text if isinstance(text, bytes) else json.dumps(text).encode()
    rest = text + data[START + length :] + tail
    checksum = zlib.crc32(rest, zlib.crc32(b"key"))
    return b"AMDNet" + checksum.to_bytes(4, "little") + len(text).to_bytes(4, "little") + rest


@pytest.fixture(scope="module")
def data(rutile) -> bytes:
    return graph_to_bytes(DualGraphConverter().convert(rutile), "key")


@settings(max_examples=50)
@given(
    image=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5),
    sites=st.lists(st.integers(0, 2**24 - 1), min_size=1, max_size=5),
    name=st.sampled_from(["TiO6 octahedral", "He isolated", ""]),
)
def test_any_values_come_back(image: list[int], sites: list[int], name: str) -> None:
    empty = MotifGraph.empty()
    graph = empty._replace(
        center=np.array(sites, dtype=np.int32),
        name=np.array([name] * len(sites), dtype=np.str_),
        symmetry_measure=np.zeros(len(sites), dtype=np.float32),
        bond_angle_variance=np.zeros(len(sites), dtype=np.float32),
        quadratic_elongation=np.ones(len(sites), dtype=np.float32),
        fingerprint=np.zeros((len(sites), 61), dtype=np.float32),
        multiplicity=np.ones(len(sites), dtype=np.int32),
        ligand_offset=np.array([0] * len(sites) + [len(image)], dtype=np.int32),
        ligand=np.zeros(len(image), dtype=np.int32),
        ligand_image=np.array([[n, 0, -1] for n in image], dtype=np.int32).reshape(-1, 3),
        bond_length=np.full(len(image), 2.1, dtype=np.float32),
    )
    found = graph_from_bytes(graph_to_bytes(graph, "key"), "key", MotifGraph)
    for array, other in zip(found, graph, strict=True):
        np.testing.assert_array_equal(array, other)
        assert array.dtype.kind == other.dtype.kind


def test_the_same_bytes_rewritten_are_read(data: bytes) -> None:
    found = graph_from_bytes(rewritten(data), "key", DualGraph)
    assert graph_to_bytes(found, "key") == data


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[:8], "is no graph"),
        (lambda data: b"", "is no graph"),
        (lambda data: data[:-1], "is damaged"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "is damaged"),
        (lambda data: rewritten(data, tail=b"x"), "bytes are left over"),
        (lambda data: rewritten(data, lambda forms: 10**5 * b"["), "holds no DualGraph"),
        (lambda data: rewritten(data, lambda forms: []), "its levels are \\[\\]|holds no DualGraph"),
        (lambda data: rewritten(data, lambda forms: {"motifs": forms["motifs"]}), "its levels are"),
        (lambda data: rewritten(data, lambda forms: forms | {"bonds": []}), "its levels are"),
        (lambda data: rewritten(data, lambda forms: forms | {"motifs": forms["motifs"][:-1]}), "holds no"),
        (lambda data: rewritten(data, lambda forms: with_form(forms, ["|O", [1]])), "is of '|O'"),
        (lambda data: rewritten(data, lambda forms: with_form(forms, ["<i1,<i1", [1]])), "is of"),
        (lambda data: rewritten(data, lambda forms: with_form(forms, ["|u1", [-1]])), "is of"),
        (lambda data: rewritten(data, lambda forms: with_form(forms, ["|u1", [2**60]])), "holds no"),
        (lambda data: rewritten(data, lambda forms: with_form(forms, ["|u1", "6"])), "holds no"),
        (lambda data: rewritten(data, lambda forms: with_form(forms, [1, [1]])), "holds no"),
    ],
)
def test_other_bytes_are_refused(data: bytes, change: Callable[[bytes], bytes], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        graph_from_bytes(change(data), "key", DualGraph)


def with_form(forms: dict, form: list) -> dict:
    """The first array of the atoms described otherwise."""
    return forms | {"atoms": [form, *forms["atoms"][1:]]}


def test_long_integers_are_not_cut(rutile) -> None:
    graph = DualGraphConverter().convert(rutile)
    long = graph.atoms.sender.astype(np.int64) + 2**32
    data = graph_to_bytes(replace(graph, atoms=graph.atoms._replace(sender=long)), "key")
    with pytest.raises(ValueError, match="more than 32 bits"):
        graph_from_bytes(data, "key", DualGraph)


def test_a_graph_of_another_kind_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="holds no MotifGraph"):
        graph_from_bytes(data, "key", MotifGraph)
    with pytest.raises(ValueError, match="is damaged"):
        graph_from_bytes(data, "another key", DualGraph)
