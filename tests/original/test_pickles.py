"""Pickles of tables and crystals: what is opened, what is refused, and that nothing is run."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import DummySpecies, Element, Lattice, Structure

from amdnet_matminer.errors import DatasetError
from amdnet_matminer.original.pickles import PickledObject, read_pickle, rebuild_structure


class Call:
    """Pickled as a call of a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple:
        return self.call


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_tables_of_crystals_are_opened(materials: pd.DataFrame, tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "data.pkl"
    path.write_bytes(pickle.dumps((materials, (["mp-1"], [], [])), protocol))
    table, lists = read_pickle(path)
    assert lists == (["mp-1"], [], [])
    pd.testing.assert_frame_equal(table.drop(columns="structure"), materials.drop(columns="structure"))
    for found, written in zip(table.structure, materials.structure, strict=True):
        assert isinstance(found, PickledObject)
        assert rebuild_structure(found) == written


def test_numbers_of_all_kinds_are_opened(write: Callable) -> None:
    content = [np.float64(1.5), np.arange(6, dtype=">i2").reshape(2, 3), np.array(["a", None], dtype=object)]
    numbers, array, objects = read_pickle(write("numbers.pkl", content))
    assert numbers == 1.5
    np.testing.assert_array_equal(array, content[1])
    assert objects.tolist() == ["a", None]


def test_species_keep_their_states(write: Callable) -> None:
    written = Structure(
        Lattice.cubic(4), ["Fe3+", DummySpecies("X", -2), "D"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0]]
    )
    assert rebuild_structure(read_pickle(write("one.pkl", written))) == written


@pytest.mark.parametrize("protocol", [2, 4])
def test_elements_of_python_3_11_2_are_opened(
    rutile: Structure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    """It pickles a member of an enumeration as its name, to be looked up in the class."""
    monkeypatch.setattr(Element, "__reduce_ex__", lambda self, _: (getattr, (type(self), self.name)))
    path = tmp_path / "old.pkl"
    path.write_bytes(pickle.dumps(rutile, protocol))
    assert b"getattr" in path.read_bytes()
    assert rebuild_structure(read_pickle(path)) == rutile


def test_structures_of_pymatgen_2020_are_rebuilt(rutile: Structure, write: Callable) -> None:
    """Their sites, lattices and compositions lack attributes of today's."""
    old = copy.deepcopy(rutile)
    del old._properties, old._lattice._pbc
    for site in old:
        del site._label
        del site._species._n_atoms
    path = write("old.pkl", old)
    broken = pickle.loads(path.read_bytes())
    with pytest.raises(AttributeError):
        repr(broken)
    assert rebuild_structure(read_pickle(path)) == rutile


def test_a_structure_with_an_array_of_no_kind_is_broken() -> None:
    array = type("_reconstruct", (PickledObject,), {})()
    array.state = (1, (3, 3), PickledObject(), False, b"")
    lattice, structure = PickledObject(), PickledObject()
    lattice.state = {"_matrix": array}
    structure.state = {"_sites": [], "_lattice": lattice}
    with pytest.raises(DatasetError, match=r"has a broken structure \(IndexError"):
        rebuild_structure(structure)


def bomb(kind: type, depth: int) -> Any:
    """Twice the same, of twice the same, ...: small as a pickle, without end when it is hashed or printed."""
    item: Any = "x"
    for _ in range(depth):
        item = kind([item, item])
    return item


def unframed(item: Any) -> bytes:
    pickler = pickle._Pickler(stream := io.BytesIO(), 3)
    pickler.dump(item)
    return stream.getvalue()[2:-1]


def with_key(before: bytes, key: Any, after: bytes) -> bytes:
    """A pickle of a dictionary or set that has such a key."""
    return pickle.PROTO + b"\x04" + before + unframed(key) + after + pickle.STOP


@pytest.mark.parametrize("key", [bomb(tuple, 60), bomb(tuple, 2)])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (pickle.EMPTY_DICT, pickle.NONE + pickle.SETITEM),
        (pickle.EMPTY_DICT + pickle.MARK, pickle.NONE + pickle.SETITEMS),
        (pickle.MARK, pickle.NONE + pickle.DICT),
        (pickle.EMPTY_SET + pickle.MARK, pickle.ADDITEMS),
        (pickle.MARK, pickle.FROZENSET),
    ],
)
def test_keys_that_take_forever_to_hash_are_refused(
    tmp_path: Path, key: Any, before: bytes, after: bytes
) -> None:
    (tmp_path / "key.pkl").write_bytes(with_key(before, key, after))
    with pytest.raises(DatasetError, match=r"key\.pkl.* has a tuple as a key"):
        read_pickle(tmp_path / "key.pkl")


def test_plain_keys_are_read(tmp_path: Path) -> None:
    content = {"a": 1, ("b", 2): 2, None: 3, 4: {5, 6}, 1.5: frozenset({b"x"})}
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(content))
    assert read_pickle(tmp_path / "plain.pkl") == content


@pytest.mark.parametrize("kind", [tuple, list])
def test_what_unfolds_without_end_is_refused(tmp_path: Path, kind: type) -> None:
    (tmp_path / "bomb.pkl").write_bytes(pickle.dumps(bomb(kind, 60)))
    with pytest.raises(DatasetError, match=r"bomb\.pkl.* unfolds to more than 100,000,000 items"):
        read_pickle(tmp_path / "bomb.pkl")
    (tmp_path / "small.pkl").write_bytes(pickle.dumps(bomb(kind, 10)))
    assert read_pickle(tmp_path / "small.pkl") == bomb(kind, 10)


def test_what_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    data = pickle.EMPTY_TUPLE + pickle.TUPLE1 * 1_000_000 + pickle.STOP
    (tmp_path / "deep.pkl").write_bytes(pickle.PROTO + b"\x04" + data)
    with pytest.raises(DatasetError, match="RecursionError"):
        read_pickle(tmp_path / "deep.pkl")


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (print, "builtins.print"),
        (eval, "builtins.eval"),
        (Path.unlink, f"{Path.unlink.__module__}.Path.unlink"),
        (np.load, "numpy.load"),
        (pd.read_pickle, "pandas.io.pickle.read_pickle"),
        (pickle.loads, "_pickle.loads"),
        (Structure.from_file, "builtins.getattr"),
    ],
)
def test_other_functions_are_refused_by_name(
    function: Callable, name: str, write: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("harm.pkl", (pd.DataFrame({"a": [1]}), [Call(function, "ran")]))
    with pytest.raises(DatasetError, match=f"harm.pkl asks for {name}, which tables of crystals do not need"):
        read_pickle(path)
    assert capsys.readouterr().out == ""


def test_dotted_names_are_refused(tmp_path: Path) -> None:
    """Protocol 4 reaches any attribute of a module, so also what a module has imported."""
    for module, name in (
        ("numpy", "os.system"),
        ("pymatgen.core.structure", "os.system"),
        ("numpy", "dtype.x"),
    ):
        harm = (
            b"\x80\x04" + b"".join(b"\x8c" + bytes([len(x)]) + x.encode() for x in (module, name)) + b"\x93."
        )
        (tmp_path / "harm.pkl").write_bytes(harm)
        with pytest.raises(DatasetError, match=f"asks for {module}.{name}"):
            read_pickle(tmp_path / "harm.pkl")


@pytest.mark.parametrize("content", [b"", b"not a pickle", b"\x80\x04K\x01", b"\x80\xff.", b"(lp0\n"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "some.pkl").write_bytes(content)
    with pytest.raises(DatasetError, match=r"some\.pkl cannot be read"):
        read_pickle(tmp_path / "some.pkl")


@pytest.mark.parametrize("value", [None, 3.0, "MgO", PickledObject(), PickledObject("Ti")])
def test_what_is_no_structure_is_said_to_be_none(value: Any) -> None:
    with pytest.raises(DatasetError, match=r"not a pymatgen Structure|has a broken structure"):
        rebuild_structure(value)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damaged_files_give_an_error_or_data(
    data: st.DataObject, materials: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(pickle.dumps(materials, 4))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.pkl"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        read_pickle(path)
    except DatasetError as error:
        assert "damaged.pkl" in str(error)  # noqa: PT017  either outcome is right
