"""Oxides built from textbook crystals.

A prototype is a real crystal as the textbooks print it. Another oxide of the same
type is made by putting other cations on its sites and scaling the whole cell until
the bonds have the lengths that Shannon's ionic radii ask for (Acta Cryst. A32, 751,
1976). Shannon lists a radius only for coordinations that are seen in real crystals,
so his table also says which cations fit which sites.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import gcd
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice, Structure

CATIONS: dict[int, tuple[str, ...]] = {
    1: ("Li", "Na", "K", "Rb", "Cu", "Ag"),
    2: ("Be", "Mg", "Ca", "Sr", "Ba", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Cd", "Pd", "Pb"),
    3: ("Al", "Ga", "In", "Sc", "Y", "La", "Nd", "Gd", "Lu", "V", "Cr", "Mn", "Fe", "Co", "Bi"),
    4: ("Si", "Ge", "Sn", "Pb", "Ti", "Zr", "Hf", "V", "Mn", "Ru", "Ce", "Th"),
    5: ("As", "Sb", "V", "Nb", "Ta"),
    6: ("Mo", "W", "Re", "U"),
}
"""Cations by formal charge."""

TOLERANCE = (0.93, 1.07)
"""Allowed range of the tolerance factor, see ``oxides_of``."""

_NUMBER = {"II": 2, "IV": 4, "IVSQ": 4, "IVPY": 4, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "XII": 12}
# No cation-oxygen bond of a textbook oxide is longer, in angstrom.
_LONGEST_BOND = 4.0
# Shannon's radii of O2- by the number of its cations, in angstrom.
_OXYGEN_CATIONS = (2, 3, 4, 6, 8)
_OXYGEN_RADII = (1.35, 1.36, 1.38, 1.40, 1.42)


class Prototype(NamedTuple):
    """A textbook oxide and what may replace its cations."""

    name: str
    """Common name of the structure type."""
    spacegroup: str
    """Hermann-Mauguin symbol, with the origin or axes choice where there are several."""
    lattice: Lattice
    """Conventional cell of the textbook oxide."""
    sites: tuple[tuple[str, tuple[float, float, float]], ...]
    """Element and fractional coordinates of each Wyckoff site of the textbook oxide."""
    coordination: dict[str, str]
    """Coordination of each cation by oxygen in Shannon's notation, in the order of the formula."""
    charges: tuple[tuple[int, ...], ...]
    """Formal charges that the cations may have, one tuple for each distribution."""


class Oxide(NamedTuple):
    """An oxide of a prototype."""

    prototype: str
    """Name of the structure type."""
    formula: str
    """Cations in the order of the prototype's formula, then oxygen."""
    structure: Structure
    """Primitive cell, without oxidation states."""
    charge: dict[str, float]
    """Formal charge of each element."""


PROTOTYPES: tuple[Prototype, ...] = (
    Prototype(
        "antifluorite",
        "Fm-3m",
        Lattice.cubic(4.619),
        (("Li", (0.25, 0.25, 0.25)), ("O", (0, 0, 0))),
        {"Li": "IV"},
        ((1,),),
    ),
    Prototype(
        "cuprite",
        "Pn-3m:2",
        Lattice.cubic(4.270),
        (("Cu", (0, 0, 0)), ("O", (0.25, 0.25, 0.25))),
        {"Cu": "II"},
        ((1,),),
    ),
    Prototype(
        "rock salt",
        "Fm-3m",
        Lattice.cubic(4.212),
        (("Mg", (0, 0, 0)), ("O", (0.5, 0.5, 0.5))),
        {"Mg": "VI"},
        ((2,),),
    ),
    Prototype(
        "wurtzite",
        "P6_3mc",
        Lattice.hexagonal(3.2495, 5.2069),
        (("Zn", (1 / 3, 2 / 3, 0)), ("O", (1 / 3, 2 / 3, 0.382))),
        {"Zn": "IV"},
        ((2,),),
    ),
    Prototype(
        "zinc blende",
        "F-43m",
        Lattice.cubic(4.60),
        (("Zn", (0, 0, 0)), ("O", (0.25, 0.25, 0.25))),
        {"Zn": "IV"},
        ((2,),),
    ),
    Prototype(
        "cooperite",
        "P4_2/mmc",
        Lattice.tetragonal(3.043, 5.337),
        (("Pd", (0, 0.5, 0)), ("O", (0, 0, 0.25))),
        {"Pd": "IVSQ"},
        ((2,),),
    ),
    Prototype(
        "litharge",
        "P4/nmm:2",
        Lattice.tetragonal(3.975, 5.023),
        (("Pb", (0.25, 0.25, 0.2345)), ("O", (0.75, 0.25, 0))),
        {"Pb": "IVPY"},
        ((2,),),
    ),
    Prototype(
        "corundum",
        "R-3c:H",
        Lattice.hexagonal(4.759, 12.991),
        (("Al", (0, 0, 0.3522)), ("O", (0.3064, 0, 0.25))),
        {"Al": "VI"},
        ((3,),),
    ),
    Prototype(
        "bixbyite",
        "Ia-3",
        Lattice.cubic(10.117),
        (("In", (0.25, 0.25, 0.25)), ("In", (0.4668, 0, 0.25)), ("O", (0.3904, 0.1544, 0.3823))),
        {"In": "VI"},
        ((3,),),
    ),
    Prototype(
        "A-type La2O3",
        "P-3m1",
        Lattice.hexagonal(3.937, 6.130),
        (("La", (1 / 3, 2 / 3, 0.2454)), ("O", (0, 0, 0)), ("O", (1 / 3, 2 / 3, 0.6471))),
        {"La": "VII"},
        ((3,),),
    ),
    Prototype(
        "fluorite",
        "Fm-3m",
        Lattice.cubic(5.411),
        (("Ce", (0, 0, 0)), ("O", (0.25, 0.25, 0.25))),
        {"Ce": "VIII"},
        ((4,),),
    ),
    Prototype(
        "rutile",
        "P4_2/mnm",
        Lattice.tetragonal(4.594, 2.959),
        (("Ti", (0, 0, 0)), ("O", (0.3053, 0.3053, 0))),
        {"Ti": "VI"},
        ((4,),),
    ),
    Prototype(
        "anatase",
        "I41/amd:1",
        Lattice.tetragonal(3.785, 9.514),
        (("Ti", (0, 0, 0)), ("O", (0, 0, 0.2081))),
        {"Ti": "VI"},
        ((4,),),
    ),
    Prototype(
        "scrutinyite",
        "Pbcn",
        Lattice.orthorhombic(4.971, 5.956, 5.438),
        (("Pb", (0, 0.1779, 0.25)), ("O", (0.268, 0.401, 0.425))),
        {"Pb": "VI"},
        ((4,),),
    ),
    Prototype(
        "alpha-quartz",
        "P3_221",
        Lattice.hexagonal(4.913, 5.405),
        (("Si", (0.4697, 0, 2 / 3)), ("O", (0.4135, 0.2669, 0.7858))),
        {"Si": "IV"},
        ((4,),),
    ),
    Prototype(
        "alpha-cristobalite",
        "P4_12_12",
        Lattice.tetragonal(4.971, 6.928),
        (("Si", (0.3003, 0.3003, 0)), ("O", (0.2392, 0.1044, 0.1787))),
        {"Si": "IV"},
        ((4,),),
    ),
    Prototype(
        "ReO3",
        "Pm-3m",
        Lattice.cubic(3.75),
        (("Re", (0, 0, 0)), ("O", (0.5, 0, 0))),
        {"Re": "VI"},
        ((6,),),
    ),
    Prototype(
        "delafossite",
        "R-3m:H",
        Lattice.hexagonal(2.857, 16.939),
        (("Cu", (0, 0, 0)), ("Al", (0, 0, 0.5)), ("O", (0, 0, 0.1099))),
        {"Cu": "II", "Al": "VI"},
        ((1, 3),),
    ),
    Prototype(
        "alpha-NaFeO2",
        "R-3m:H",
        Lattice.hexagonal(3.025, 16.094),
        (("Na", (0, 0, 0)), ("Fe", (0, 0, 0.5)), ("O", (0, 0, 0.2332))),
        {"Na": "VI", "Fe": "VI"},
        ((1, 3),),
    ),
    Prototype(
        "ilmenite",
        "R-3:H",
        Lattice.hexagonal(5.088, 14.085),
        (("Fe", (0, 0, 0.3553)), ("Ti", (0, 0, 0.1464)), ("O", (0.3174, 0.0233, 0.2450))),
        {"Fe": "VI", "Ti": "VI"},
        ((2, 4),),
    ),
    Prototype(
        "lithium niobate",
        "R3c:H",
        Lattice.hexagonal(5.148, 13.863),
        (("Li", (0, 0, 0.2829)), ("Nb", (0, 0, 0)), ("O", (0.0492, 0.3446, 0.0647))),
        {"Li": "VI", "Nb": "VI"},
        ((1, 5),),
    ),
    Prototype(
        "perovskite",
        "Pm-3m",
        Lattice.cubic(3.905),
        (("Sr", (0, 0, 0)), ("Ti", (0.5, 0.5, 0.5)), ("O", (0.5, 0.5, 0))),
        {"Sr": "XII", "Ti": "VI"},
        ((2, 4), (1, 5), (3, 3)),
    ),
    Prototype(
        "2H perovskite",
        "P6_3/mmc",
        Lattice.hexagonal(5.629, 4.811),
        (("Ba", (1 / 3, 2 / 3, 0.75)), ("Ni", (0, 0, 0)), ("O", (0.1462, 0.2924, 0.25))),
        {"Ba": "XII", "Ni": "VI"},
        ((2, 4),),
    ),
    Prototype(
        "K2NiF4",
        "I4/mmm",
        Lattice.tetragonal(3.886, 12.60),
        (("Sr", (0, 0, 0.355)), ("Ti", (0, 0, 0)), ("O", (0, 0.5, 0)), ("O", (0, 0, 0.155))),
        {"Sr": "IX", "Ti": "VI"},
        ((2, 4), (3, 2)),
    ),
    Prototype(
        "spinel",
        "Fd-3m:2",
        Lattice.cubic(8.083),
        (("Mg", (0.125, 0.125, 0.125)), ("Al", (0.5, 0.5, 0.5)), ("O", (0.2624, 0.2624, 0.2624))),
        {"Mg": "IV", "Al": "VI"},
        ((2, 3),),
    ),
    Prototype(
        "pyrochlore",
        "Fd-3m:2",
        Lattice.cubic(10.095),
        (
            ("Y", (0.5, 0.5, 0.5)),
            ("Ti", (0, 0, 0)),
            ("O", (0.3285, 0.125, 0.125)),
            ("O", (0.375, 0.375, 0.375)),
        ),
        {"Y": "VIII", "Ti": "VI"},
        ((3, 4),),
    ),
    Prototype(
        "zircon",
        "I41/amd:2",
        Lattice.tetragonal(6.607, 5.982),
        (("Zr", (0, 0.75, 0.125)), ("Si", (0, 0.25, 0.375)), ("O", (0, 0.0661, 0.1953))),
        {"Zr": "VIII", "Si": "IV"},
        ((4, 4), (3, 5)),
    ),
    Prototype(
        "scheelite",
        "I41/a:2",
        Lattice.tetragonal(5.243, 11.374),
        (("Ca", (0, 0.25, 0.625)), ("W", (0, 0.25, 0.125)), ("O", (0.1504, 0.0085, 0.2111))),
        {"Ca": "VIII", "W": "IV"},
        ((2, 6), (3, 5)),
    ),
)
"""The structure types, by number and charge of the cations."""


def oxides_of(prototype: Prototype) -> Iterator[Oxide]:
    """Make all oxides of a structure type whose cations fit together.

    The cell of the textbook oxide is stretched by one factor. Each cation asks for its
    own, the sum of its and oxygen's radii over its mean bond length in the textbook
    oxide. The cell gets the mean of these, weighted by charge because strong bonds are
    stiff. Their ratio is the tolerance factor of the type; for a perovskite it is
    Goldschmidt's. Oxides with a factor beyond ``TOLERANCE`` are not made.

    Args:
        prototype: The structure type.

    Yields:
        The oxides, by charge distribution and then in the order of ``CATIONS``.
    """
    template = textbook_structure(prototype)
    amount = {symbol: int(count) for symbol, count in template.composition.as_dict().items()}
    bonds = np.array([_mean_bond(template, symbol, prototype) for symbol in prototype.coordination])
    oxygen = _oxygen_radius(prototype, amount)
    for charges in prototype.charges:
        weights = np.array(charges) * [amount[symbol] for symbol in prototype.coordination]
        for cations, radii in _fitting_cations(prototype, charges):
            stretches = (radii + oxygen) / bonds
            if TOLERANCE[0] <= stretches[0] / stretches[-1] <= TOLERANCE[1]:
                replaced = dict(zip(prototype.coordination, cations, strict=True)) | {"O": "O"}
                yield Oxide(
                    prototype=prototype.name,
                    formula=_formula(replaced, amount),
                    structure=_substitute(template, replaced, float(np.average(stretches, weights=weights))),
                    charge={"O": -2.0} | dict(zip(cations, charges, strict=True)),
                )


def textbook_structure(prototype: Prototype) -> Structure:
    """The primitive cell of the textbook oxide that a structure type is named after."""
    elements, positions = zip(*prototype.sites, strict=True)
    conventional = Structure.from_spacegroup(prototype.spacegroup, prototype.lattice, elements, positions)
    return conventional.to_primitive()


def shannon_radius(symbol: str, charge: int, coordination: str) -> float | None:
    """Shannon's ionic radius of a cation, of high spin where there are two.

    Args:
        symbol: Element.
        charge: Formal charge.
        coordination: In Shannon's notation, such as ``"VI"`` or ``"IVSQ"``.

    Returns:
        The radius in angstrom, or None if Shannon has none for this coordination.
    """
    by_spin = Element(symbol).data["Shannon radii"].get(str(charge), {}).get(coordination)
    if by_spin is None:
        return None
    spin = "High Spin" if "High Spin" in by_spin else next(iter(by_spin))
    return float(by_spin[spin]["ionic_radius"])


def _fitting_cations(
    prototype: Prototype, charges: tuple[int, ...]
) -> Iterator[tuple[tuple[str, ...], NDArray[np.float64]]]:
    """Different cations of these charges that Shannon knows in these coordinations, and their radii."""
    sites = list(zip(charges, prototype.coordination.values(), strict=True))
    for cations in product(*(CATIONS[charge] for charge in charges)):
        radii = [shannon_radius(symbol, *site) for symbol, site in zip(cations, sites, strict=True)]
        if None not in radii and len(set(cations)) == len(cations):
            yield cations, np.array(radii, dtype=np.float64)


def _mean_bond(template: Structure, symbol: str, prototype: Prototype) -> float:
    """Mean cation-oxygen bond length of an element in the textbook oxide, in angstrom."""
    number = _NUMBER[prototype.coordination[symbol]]
    bonds = []
    for cation in template:
        if cation.specie.symbol == symbol:
            around = template.get_neighbors(cation, _LONGEST_BOND)
            bonds += sorted(site.nn_distance for site in around if site.specie.symbol == "O")[:number]
    return float(np.mean(bonds))


def _oxygen_radius(prototype: Prototype, amount: dict[str, int]) -> float:
    """Shannon's radius of oxygen for the mean number of cations around it, in angstrom."""
    n_bonds = sum(_NUMBER[kind] * amount[symbol] for symbol, kind in prototype.coordination.items())
    return float(np.interp(n_bonds / amount["O"], _OXYGEN_CATIONS, _OXYGEN_RADII))


def _formula(replaced: dict[str, str], amount: dict[str, int]) -> str:
    units = gcd(*amount.values())
    counts = {new: amount[old] // units for old, new in replaced.items()}
    return "".join(symbol + (str(count) if count > 1 else "") for symbol, count in counts.items())


def _substitute(template: Structure, replaced: dict[str, str], stretch: float) -> Structure:
    """The template with other elements and all lengths multiplied by ``stretch``."""
    elements = [replaced[site.specie.symbol] for site in template]
    return Structure(template.lattice.matrix * stretch, elements, template.frac_coords)
