"""Pickles of tables and crystals, opened without running anything that they ask for.

A pickle names the classes and functions that it wants called. Here none is called,
not even numpy's and pandas', which a malformed pickle can crash: an inert object takes
the place of each, with what it would have been given. Arrays, tables and structures
are then made anew from these contents. That also mends structures pickled by pymatgen
2020, which lack what today's methods need.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pymatgen.core import DummySpecies, Element, Lattice, Species, Structure

from amdnet_matminer.errors import DatasetError

_ADMITTED = {
    "_codecs": {"encode"},
    "numpy": {"ndarray", "dtype"},
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy.core.numeric": {"_frombuffer"},
    "numpy._core.numeric": {"_frombuffer"},
    "pandas.core.frame": {"DataFrame"},
    "pandas.core.indexes.base": {"Index", "_new_Index"},
    "pandas.core.indexes.range": {"RangeIndex"},
    "pandas.core.indexes.numeric": {"Int64Index", "UInt64Index", "Float64Index"},
    "pandas.core.internals.managers": {"BlockManager"},
    "pandas._libs.internals": {"_unpickle_block"},
    "pymatgen.core.structure": {"Structure", "IStructure"},
    "pymatgen.core.sites": {"PeriodicSite"},
    "pymatgen.core.lattice": {"Lattice"},
    "pymatgen.core.composition": {"Composition"},
    "pymatgen.core.periodic_table": {"Element", "Species", "Specie", "DummySpecies", "DummySpecie"},
}
"""What tables of crystals are pickled with, by module."""

_DTYPES = r"O\d?|[fiubSU]\d{1,4}"
"""Objects, numbers, truth values, texts."""


_MOST_ITEMS = 10**8
"""Of a file, one that occurs again counted anew: printing or hashing them takes as long."""


class PickledObject:
    """What a pickle wanted a class or function to be given; the name of its own class is that name."""

    arguments: tuple[Any, ...] = ()
    state: Any = None

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Member(PickledObject):
    """A member of an enumeration that is asked for with getattr, as Python 3.11.2 pickles elements.

    Nothing is looked up: it is what the class would have been called with, as later versions pickle it.
    """

    def __init__(self, kind: Any, name: Any) -> None:
        if not (isinstance(kind, type) and kind.__name__ == "Element" and isinstance(name, str)):
            raise _refused("builtins.getattr")
        super().__init__(name)


def read_pickle(path: str | Path) -> Any:
    """Open a pickle of numpy arrays, pandas tables and pymatgen structures; nothing in it is run.

    Args:
        path: The file.

    Returns:
        What was pickled, arrays and tables made anew, with a ``PickledObject`` in the place of
        every pymatgen object.

    Raises:
        FileNotFoundError: There is no such file.
        DatasetError: It is no pickle, is damaged, or asks for anything else; the
            message names what.
    """
    data = Path(path).read_bytes()
    try:
        return _made(_Unpickler(io.BytesIO(data)).load(), _Done())
    except DatasetError as error:
        raise error.at(item=path) from error.__cause__
    except Exception as error:  # damaged bytes lead pickle, numpy and pandas to whatever they raise
        reason = f"cannot be read: {error!r}"
        raise DatasetError(reason, "it is no pickle, or damaged; copy it anew", item=path) from error


def rebuild_structure(pickled: Any) -> Structure:
    """Make a structure from what a pickle held of one.

    Args:
        pickled: A structure as ``read_pickle`` gives it.

    Returns:
        The structure, with its oxidation states if it had any.

    Raises:
        DatasetError: It was no structure, or is broken.
    """
    if not isinstance(pickled, PickledObject):
        raise DatasetError(f"is a {type(pickled).__name__}, not a pymatgen Structure")
    try:
        sites = [site.state for site in pickled.state["_sites"]]
        return Structure(
            Lattice(_made(pickled.state["_lattice"].state["_matrix"], _Done())),
            [_species(site["_species"]) for site in sites],
            [_made(site["_frac_coords"], _Done()) for site in sites],
        )
    except Exception as error:  # a damaged state leads numpy and pymatgen to whatever they raise
        raise DatasetError(f"has a broken structure ({error!r})") from error


_PLAIN = (str, bytes, int, float, NoneType, PickledObject)


class _Unpickler(pickle._Unpickler):
    """A pickle reader that calls nothing, and hashes nothing but what is hashed at once.

    The pure-Python reader of the standard library, since the compiled one hashes the keys of
    dictionaries, and a tuple of tuples of tuples may take longer than anyone waits, or the stack.
    """

    dispatch = pickle._Unpickler.dispatch.copy()

    def _with_plain_keys(self, load: Callable[[Any], None], keys: slice) -> None:
        """Load a part of a dictionary or set whose keys, on top of the stack, can be hashed at once."""
        for key in self.stack[keys]:  # type: ignore[attr-defined]
            parts = key if type(key) is tuple else (key,)
            if not all(isinstance(part, _PLAIN) for part in parts):
                raise DatasetError(
                    f"has a {type(key).__name__} as a key, which tables of crystals do not need"
                )
        load(self)

    def find_class(self, module: str, name: str) -> Any:
        if name in _ADMITTED.get(module, ()):
            return type(name, (PickledObject,), {})
        if (module, name) in (("builtins", "slice"), ("__builtin__", "slice")):
            return slice
        if (module, name) in (("builtins", "getattr"), ("__builtin__", "getattr")):
            return type("Element", (_Member,), {})
        raise _refused(f"{module}.{name}")


def _refused(what: str) -> DatasetError:
    return DatasetError(
        f"asks for {what}, which tables of crystals do not need, so it is not opened: it may do harm",
        "write it anew with nothing but numpy, pandas and pymatgen in it",
    )


def _guarded(opcode: bytes, keys: slice) -> None:
    load = pickle._Unpickler.dispatch[opcode[0]]
    _Unpickler.dispatch[opcode[0]] = partial(_Unpickler._with_plain_keys, load=load, keys=keys)


# SETITEM finds a key and a value on top of the stack, the others all that came since a mark.
_guarded(pickle.SETITEM, slice(-2, None, 2))
for _opcode, _keys in (
    (pickle.SETITEMS, slice(None, None, 2)),
    (pickle.DICT, slice(None, None, 2)),
    (pickle.ADDITEMS, slice(None)),
    (pickle.FROZENSET, slice(None)),
):
    _guarded(_opcode, _keys)


class _Done(dict[int, tuple[Any, int]]):
    """What has been made of each item, and how many items that was, those that occur again included."""

    n_items = 0


def _made(item: Any, done: _Done) -> Any:
    """An item with all arrays and tables in it made; ``done`` has those that occur again."""
    before = done.n_items
    made, n_items = done[id(item)] if id(item) in done else (_newly_made(item, done), 0)
    done.n_items = max(done.n_items, before + n_items) + 1
    if done.n_items > _MOST_ITEMS:
        raise DatasetError(f"unfolds to more than {_MOST_ITEMS:,} items, which tables of crystals do not")
    if isinstance(item, PickledObject | list | tuple | dict):
        done[id(item)] = made, done.n_items - before
    return made


def _newly_made(item: Any, done: _Done) -> Any:
    if isinstance(item, PickledObject):
        make = _MAKERS.get(type(item).__name__)
        return item if make is None else make(item, done)
    if isinstance(item, list | tuple):
        return type(item)(_made(part, done) for part in item)
    if isinstance(item, dict):
        return {key: _made(part, done) for key, part in item.items()}
    return item


def _array(pickled: PickledObject, done: _Done) -> NDArray:
    if type(pickled).__name__ == "_frombuffer":
        data, dtype, shape, order = pickled.arguments
    else:
        _, shape, dtype, column_major, data = pickled.state
        order = "F" if column_major else "C"
    kind = _dtype(dtype)
    if kind.kind != "O":
        return np.frombuffer(_bytes(data), kind).reshape(shape, order=order).copy()
    array = np.empty(len(data), dtype=object)
    for place, item in enumerate(data):
        array[place] = _made(item, done)
    return array.reshape(shape)


def _scalar(pickled: PickledObject, done: _Done) -> Any:
    dtype, data = pickled.arguments
    return np.frombuffer(_bytes(data), _dtype(dtype))[0]


def _dtype(pickled: PickledObject) -> np.dtype:
    name, order = pickled.arguments[0], pickled.state[1]
    if not re.fullmatch(_DTYPES, name):
        raise ValueError(f"it has an array of {name!r}")
    return np.dtype(name).newbyteorder(order)


def _bytes(data: Any) -> bytes:
    """The content of an array; before protocol 3, bytes were texts to be encoded."""
    return data.arguments[0].encode("latin1") if isinstance(data, PickledObject) else bytes(data)


def _index(pickled: PickledObject, done: _Done) -> pd.Index:
    content = pickled.arguments[1]
    if "data" in content:
        return pd.Index(_made(content["data"], done), name=content.get("name"))
    return pd.RangeIndex(content["start"], content["stop"], content["step"], name=content.get("name"))


def _frame(pickled: PickledObject, done: _Done) -> pd.DataFrame:
    names, index, blocks = _blocks(pickled.state["_mgr"])
    names = _made(names, done)
    columns: dict[int, NDArray] = {}
    for stored, placement in blocks:
        places = range(len(names))[placement] if isinstance(placement, slice) else _made(placement, done)
        columns |= dict(zip(places, _made(stored, done), strict=True))
    frame = pd.DataFrame({i: columns[i] for i in range(len(names))}, index=_made(index, done))
    return frame.set_axis(names, axis="columns")


def _blocks(manager: PickledObject) -> tuple[Any, Any, list[tuple[Any, Any]]]:
    """Names, index, and values with the columns that they are of, as pandas 1.1 or 2 keeps them."""
    if manager.arguments:
        blocks, (names, index) = manager.arguments
        return names, index, [block.arguments[:2] for block in blocks]
    content = manager.state[3]["0.14.1"]
    names, index = content["axes"]
    return names, index, [(block["values"], block["mgr_locs"]) for block in content["blocks"]]


_MAKERS: dict[str, Callable[[PickledObject, _Done], Any]] = {
    "_reconstruct": _array,
    "_frombuffer": _array,
    "scalar": _scalar,
    "_new_Index": _index,
    "DataFrame": _frame,
}


def _species(composition: PickledObject) -> dict[Any, float]:
    return {_specie(specie): float(amount) for specie, amount in composition.state["_data"].items()}


def _specie(pickled: PickledObject) -> Element | Species | DummySpecies:
    if pickled.arguments:
        return Element(pickled.arguments[0])
    if "_el" in pickled.state:
        return Species(_specie(pickled.state["_el"]).symbol, pickled.state["_oxi_state"])
    return DummySpecies(pickled.state["_symbol"], pickled.state["_oxi_state"])
