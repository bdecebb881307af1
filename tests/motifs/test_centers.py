"""Which sites are centres and which are anions."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Composition, Lattice, Structure

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.motifs.centers import Roles, anion_elements, electronegativity, site_roles

ANIONS = {
    # oxides, also of nonmetals, and with two kinds of cations
    "MgO": "O",
    "TiO2": "O",
    "Al2O3": "O",
    "SrTiO3": "O",
    "MgAl2O4": "O",
    "Mn2V2O7": "O",
    "Fe3O4": "O",
    "CaCO3": "O",
    "LiFePO4": "O",
    "Na2SO4": "O",
    "KMnO4": "O",
    "CO2": "O",
    "H2O": "O",
    # partly reduced anions
    "BaO2": "O",
    "FeS2": "S",
    "CaC2": "C",
    # other anions
    "TiN": "N",
    "Si3N4": "N",
    "BN": "N",
    "NaCl": "Cl",
    "CsCl": "Cl",
    "CaF2": "F",
    "Na3AlF6": "F",
    "K2PtCl6": "Cl",
    "GaAs": "As",
    "NiAs": "As",
    "Zn3P2": "P",
    "SiC": "C",
    "Mg2Si": "Si",
    # mixed anions
    "BaClF": "Cl F",
    "BiOCl": "Cl O",
    "TaON": "N O",
    "LaFeAsO": "As O",
    "Bi2O2Se": "O Se",
    "NH4Cl": "Cl N",
    # hydrogen as anion and as cation
    "LiH": "H",
    "MgH2": "H",
    "MgO2H2": "O",
    # no anions: alloys and elements
    "Ni3Al": "",
    "CuZn": "",
    "Cu": "",
    "C": "",
    "O2": "",
    "He": "",
}


@pytest.mark.parametrize("formula", ANIONS)
def test_anions_by_composition(formula):
    assert anions_of(of_formula(formula)) == set(ANIONS[formula].split())


@given(order=st.permutations(range(7)), formula=st.sampled_from(["Ba2Cl3F2", "Ta3N2O2", "Ca1Ti2O4"]))
def test_site_order_does_not_matter(order, formula):
    structure = of_formula(formula)
    reordered = Structure.from_sites([structure[i] for i in order])
    assert anions_of(reordered) == anions_of(structure)
    assert {order[i] for i in roles(reordered).center} == set(roles(structure).center.tolist())


def test_number_of_formula_units_does_not_matter():
    assert anions_of(of_formula("FeS2") * 3) == anions_of(of_formula("FeS2"))


def test_oxidation_states_decide_where_all_sites_have_them():
    # As positive in an oxide of composition that allows either reading of its charge.
    positive = decorated(["As3+", "As3+", "O2-", "O2-", "O2-"])
    assert anions_of(positive) == {"O"}
    negative = decorated(["La3+", "Fe2+", "As3-", "O2-"])
    assert anions_of(negative) == {"O", "As"}


def test_an_element_that_is_both_is_no_anion():
    # Ammonium nitrate, with nitrogen as 3- and 5+.
    nitrate = decorated(["N3-", "H+", "H+", "H+", "H+", "N5+", "O2-", "O2-", "O2-"])
    assert anions_of(nitrate) == {"O"}
    assert roles(nitrate).center.tolist() == [0, 1, 2, 3, 4, 5]
    assert roles(nitrate).is_ligand.tolist() == [False] * 6 + [True] * 3


def test_incomplete_oxidation_states_are_not_used():
    assert anions_of(decorated(["Mg2-", "O"])) == {"O"}


def test_charges_of_zero_make_no_anions():
    assert anions_of(decorated(["Ni0+", "Al0+"])) == frozenset()


def test_centers_are_all_other_sites_in_their_order(perovskite):
    center, is_ligand = roles(perovskite)
    assert center.tolist() == [1, 3]
    assert center.dtype == np.int32
    assert is_ligand.tolist() == [True, False, True, False, True]


def test_every_site_is_a_center_without_anions(copper):
    center, is_ligand = roles(copper)
    assert center.tolist() == [0, 1, 2, 3]
    assert is_ligand.all()


def test_crystals_do_not_share_their_anions(copper, rock_salt):
    """Chlorine's own crystal has none."""
    chlorine = decorated(["Cl", "Cl"])
    together = site_roles(CrystalArrays.of([rock_salt, chlorine, copper]))
    apart = [roles(crystal) for crystal in (rock_salt, chlorine, copper)]
    assert together.is_ligand.tolist() == [mark for each in apart for mark in each.is_ligand.tolist()]
    assert len(together.center) == sum(len(each.center) for each in apart)


def test_electronegativity():
    assert electronegativity("Cl") == 3.16
    assert electronegativity("He") == 0.0


def of_formula(formula: str) -> Structure:
    """Atoms of a composition, far apart: for anions only the composition counts."""
    amounts = Composition(formula).get_el_amt_dict().items()
    return decorated([symbol for symbol, amount in amounts for _ in range(int(amount))])


def decorated(species: list[str]) -> Structure:
    return Structure(Lattice.cubic(30.0), species, [[i / len(species), 0, 0] for i in range(len(species))])


def anions_of(structure: Structure) -> frozenset[str]:
    return anion_elements(Counter(structure.species))


def roles(structure: Structure) -> Roles:
    return site_roles(CrystalArrays.of([structure]))
