"""Crystals as they are published, for those who have no other copy.

In the folder that AMDNET_DATA names there may be:

``mp.2018.6.1.json``        Materials Project 2018.6.1 as MEGNet published it: a list of ``structure`` (CIF
                            text), ``band_gap``, ``formation_energy_per_atom``, ``material_id``
``mp.2018.6.1.split.json``  the published split by id: under ``train``, ``val`` and ``test`` a list of
                            ``material_id``, or a mapping from these to anything
``nomad2018/train.csv``     NOMAD 2018 as the competition published it, with the crystals in
                            ``nomad2018/train/<id>/geometry.xyz`` (lattice_vector and atom lines)
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pandas as pd
from ase import Atoms
from joblib import Parallel, delayed
from pymatgen.core import Composition, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from amdnet_matminer.matbench.kinds import chemistry_of

MP2018, SPLIT = "mp.2018.6.1.json", "mp.2018.6.1.split.json"
NOMAD2018 = "nomad2018"
_NOMAD_LABELS = {"bandgap_energy_ev": "band_gap", "formation_energy_ev_natom": "formation_energy_per_cation"}


def load_public(
    folder: Path,
    name: str,
    split: str | None = None,
    oxides: bool = False,
    limit: int | None = None,
    seed: int = 0,
) -> tuple[list[Structure], pd.DataFrame]:
    """Load a data set.

    Args:
        folder: With the files.
        name: ``"mp2018"`` or ``"nomad2018"``.
        split: Part of the published split; None takes all.
        oxides: Whether to take compounds of a metal with oxygen only.
        limit: The size of a random sample; None takes all.
        seed: Of the sample.

    Returns:
        The structures, and their table with the columns ``id``, ``band_gap`` (eV) and
        ``formation_energy_per_atom`` (eV/atom) or ``formation_energy_per_cation`` (eV/cation).

    Raises:
        FileNotFoundError: A file is not there.
        ValueError: There is no such set or split, or an id of the split has no crystal.
    """
    if name not in _READERS:
        raise ValueError(f"there is no data set {name!r}; choose of {', '.join(_READERS)}")
    table, read = _READERS[name](folder, split)
    if oxides:
        table = table[[chemistry_of(Composition(formula)) == "metal oxide" for formula in table.formula]]
    if limit is not None and limit < len(table):
        chosen = np.sort(np.random.default_rng(seed).choice(len(table), limit, replace=False))
        table = table.iloc[chosen]
    structures = Parallel(n_jobs=-1)(delayed(read)(source) for source in table.source)
    return structures, table.drop(columns=["source", "formula"]).reset_index(drop=True)


def _mp2018(folder: Path, split: str | None) -> tuple[pd.DataFrame, Callable[[str], Structure]]:
    entries: list[dict[str, Any]] = json.loads((folder / MP2018).read_text(encoding="utf-8"))
    table = pd.DataFrame(
        {
            "id": [entry["material_id"] for entry in entries],
            "band_gap": [entry["band_gap"] for entry in entries],
            "formation_energy_per_atom": [entry["formation_energy_per_atom"] for entry in entries],
            "source": [entry["structure"] for entry in entries],
            "formula": [_formula_in(entry["structure"]) for entry in entries],
        }
    )
    if split is None:
        return table, _read_cif
    parts = json.loads((folder / SPLIT).read_text(encoding="utf-8"))
    if split not in parts:
        raise ValueError(f"{folder / SPLIT} has no part {split!r}; choose of {', '.join(parts)}")
    missing = sorted(set(parts[split]) - set(table.id))
    if missing:
        raise ValueError(
            f"{folder / MP2018} has no crystal {missing[0]!r}, which {SPLIT} names; get both anew"
        )
    return table[table.id.isin(parts[split])], _read_cif


def _formula_in(cif: str) -> str:
    found = re.search(r"_chemical_formula_sum\s+['\"]?([^'\"\n]+)", cif)
    if found is None:
        raise ValueError(f"a CIF of {MP2018} has no _chemical_formula_sum; get the file anew")
    return found[1]


def _read_cif(text: str) -> Structure:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that coordinates were rounded, of every file
        return Structure.from_str(text, fmt="cif")


def _nomad2018(folder: Path, split: str | None) -> tuple[pd.DataFrame, Callable[[str], Structure]]:
    if split is not None:
        raise ValueError(f"nomad2018 has no published validation part, so there is no split {split!r}")
    table = pd.read_csv(folder / NOMAD2018 / "train.csv").rename(columns=_NOMAD_LABELS)
    files = [str(folder / NOMAD2018 / "train" / str(number) / "geometry.xyz") for number in table.id]
    columns = ["id", "spacegroup", *_NOMAD_LABELS.values()]
    return table[columns].assign(source=files, formula="Al2O3"), _read_geometry


def _read_geometry(file: str) -> Structure:
    # The competition's .xyz files are in the format of the program that relaxed the crystals, FHI-aims.
    atoms = ase.io.read(file, index=0, format="aims")
    if not isinstance(atoms, Atoms):
        raise ValueError(f"{file} holds several crystals; get it anew")
    return AseAtomsAdaptor.get_structure(atoms, cls=Structure)


_READERS: dict[str, Callable[[Path, str | None], tuple[pd.DataFrame, Callable[[str], Structure]]]] = {
    "mp2018": _mp2018,
    NOMAD2018: _nomad2018,
}
