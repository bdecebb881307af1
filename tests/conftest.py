"""Crystals that the tests share, named by formula, and the real data where it is at hand."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

# Nothing here needs a GPU.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


@pytest.fixture(autouse=True)
def _compiled_networks_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of many small networks compile each once, where Keras has been imported by one."""
    if (compiled := sys.modules.get("amdnet_matminer.training.compiled")) is not None:
        monkeypatch.setattr(compiled, "MOST_IDLE", 40)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real crystal data beside the checkout, or AMDNET_DATA."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("AMDNET_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no crystal data in {folder}; set AMDNET_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def load_crystals(shared_data: Path) -> Callable:
    """The reader of the real data sets: ``load_crystals("mp2018", limit=10)``."""
    spec = importlib.util.spec_from_file_location("crystals", shared_data / "crystals.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load


@pytest.fixture(scope="session")
def half_precision() -> Callable[[], AbstractContextManager[None]]:
    """``with half_precision():`` computes networks that are made meanwhile in bfloat16."""

    def meanwhile() -> AbstractContextManager[None]:
        from amdnet_matminer.training import precision

        return precision("mixed_bfloat16")

    return meanwhile


@pytest.fixture(scope="session")
def rutile() -> Structure:
    return Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
    )


@pytest.fixture(scope="session")
def rock_salt() -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.212), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.fixture(scope="session")
def rock_salts() -> list[Structure]:
    """Four oxides in four sizes each, whose volumes a network can learn."""
    return [
        Structure.from_spacegroup(
            "Fm-3m", Lattice.cubic(4.0 + 0.1 * i + 0.02 * j), [metal, "O"], [[0] * 3, [0.5] * 3]
        ).get_primitive_structure()
        for i, metal in enumerate(["Mg", "Ca", "Sr", "Ba"])
        for j in range(4)
    ]


@pytest.fixture(scope="session")
def corundum() -> Structure:
    return Structure.from_spacegroup(
        "R-3c", Lattice.hexagonal(4.759, 12.991), ["Al", "O"], [[0, 0, 0.3522], [0.3064, 0, 0.25]]
    )


@pytest.fixture(scope="session")
def perovskite() -> Structure:
    """SrTiO3 with its anions first and its cations between them."""
    return Structure(
        Lattice.cubic(3.905),
        ["O", "Ti", "O", "Sr", "O"],
        [[0.5, 0.5, 0], [0.5, 0.5, 0.5], [0.5, 0, 0.5], [0, 0, 0], [0, 0.5, 0.5]],
    )


@pytest.fixture(scope="session")
def fluorite() -> Structure:
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.463), ["Ca", "F"], [[0, 0, 0], [0.25, 0.25, 0.25]]
    )


@pytest.fixture(scope="session")
def spinel() -> Structure:
    """MgAl2O4."""
    return Structure.from_spacegroup(
        "Fd-3m:2",
        Lattice.cubic(8.083),
        ["Mg", "Al", "O"],
        [[0.125, 0.125, 0.125], [0.5, 0.5, 0.5], [0.2624, 0.2624, 0.2624]],
    )


@pytest.fixture(scope="session")
def wurtzite() -> Structure:
    """ZnO."""
    return Structure.from_spacegroup(
        "P6_3mc", Lattice.hexagonal(3.2495, 5.2069), ["Zn", "O"], [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.382]]
    )


@pytest.fixture(scope="session")
def nickel_arsenide() -> Structure:
    return Structure.from_spacegroup(
        "P6_3/mmc", Lattice.hexagonal(3.619, 5.034), ["Ni", "As"], [[0, 0, 0], [1 / 3, 2 / 3, 0.25]]
    )


@pytest.fixture(scope="session")
def caesium_chloride() -> Structure:
    return Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(4.123), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )


@pytest.fixture(scope="session")
def copper() -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.615), ["Cu"], [[0, 0, 0]])


@pytest.fixture(scope="session")
def helium_box() -> Structure:
    """One isolated atom in a large cell."""
    return Structure(Lattice.cubic(30.0), ["He"], [[0, 0, 0]])


@pytest.fixture(scope="session")
def crystals(
    rutile: Structure,
    rock_salt: Structure,
    corundum: Structure,
    perovskite: Structure,
    wurtzite: Structure,
    copper: Structure,
    helium_box: Structure,
) -> list[Structure]:
    """A small mixed set: oxides, a metal, an isolated atom."""
    return [rutile, rock_salt, corundum, perovskite, wurtzite, copper, helium_box]
