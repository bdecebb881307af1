"""Voronoi cells: known polyhedra, space filled without gaps, pymatgen's own cells."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.analysis.local_env import VoronoiNN
from pymatgen.core import Lattice, Structure

from amdnet_matminer.crystal_arrays import CrystalArrays
from amdnet_matminer.errors import StructureError
from amdnet_matminer.motifs import tessellation
from amdnet_matminer.motifs.tessellation import voronoi_facets


def all_facets(structure):
    return voronoi_facets(CrystalArrays.of([structure]), np.arange(len(structure), dtype=np.int32))


def facet_table(facets, cell):
    """Solid angle and area by neighbour and image of a cell's facets, touching corners left out."""
    return {
        (int(n), *image): (angle, area)
        for c, n, image, angle, area in zip(
            facets.cell, facets.neighbor, facets.image.tolist(), facets.solid_angle, facets.area, strict=True
        )
        if c == cell and angle > 1e-6
    }


def test_simple_cubic_cell_is_a_cube():
    facets = all_facets(Structure(Lattice.cubic(3.36), ["Po"], [[0.2, 0.9, -0.4]]))
    large = facets.area > 1e-6
    np.testing.assert_allclose(facets.area[large], [3.36**2] * 6)
    np.testing.assert_allclose(facets.solid_angle[large], [4 * np.pi / 6] * 6)
    assert {tuple(image) for image in facets.image[large].tolist()} == {
        (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)
    }  # fmt: skip


def test_face_centred_cell_is_a_rhombic_dodecahedron(copper):
    facets = voronoi_facets(CrystalArrays.of([copper]), np.array([2], dtype=np.int32))
    large = facets.area > 1e-6
    np.testing.assert_allclose(facets.solid_angle[large], [4 * np.pi / 12] * 12)
    np.testing.assert_allclose(facets.distance[large], 3.615 / np.sqrt(2))
    np.testing.assert_allclose(facets.area[large], 3.615**2 / 8 * np.sqrt(2))


@pytest.mark.parametrize("name", ["rutile", "corundum", "spinel", "wurtzite", "nickel_arsenide"])
def test_facets_are_those_of_pymatgen(name, request):
    crystal = request.getfixturevalue(name).copy()
    crystal.perturb(0.05)
    facets = all_facets(crystal)
    for site in (0, len(crystal) - 1):
        expected = {
            (info["site_index"], *(int(x) for x in info["image"])): (
                info["poly_info"]["solid_angle"],
                info["poly_info"]["area"],
            )
            for info in VoronoiNN(cutoff=7.0).get_nn_info(crystal, site)
            if info["poly_info"]["solid_angle"] > 1e-6
        }
        found = facet_table(facets, site)
        assert found.keys() == expected.keys()
        for key, values in expected.items():
            np.testing.assert_allclose(found[key], values, rtol=1e-6, atol=1e-9)


def test_cells_of_real_crystals_fill_space(load_crystals):
    """With a sphere so large that it holds every atom that cuts a cell."""
    crystals, _ = load_crystals("mp2018", limit=40, seed=4)
    for crystal in crystals:
        facets = voronoi_facets(
            CrystalArrays.of([crystal]), np.arange(len(crystal), dtype=np.int32), radius=15.0
        )
        angle = np.bincount(facets.cell, weights=facets.solid_angle, minlength=len(crystal))
        np.testing.assert_allclose(angle, 4 * np.pi, rtol=1e-6)
        assert (facets.area * facets.distance).sum() / 6 == pytest.approx(crystal.volume, rel=1e-6)


@pytest.mark.parametrize("shear", [1, 7, 40])
def test_skewed_lattice_vectors_change_nothing(rutile, shear):
    matrix = np.array([[1, 0, 0], [shear, 1, 0], [-shear, shear, 1]]) @ rutile.lattice.matrix
    skewed = Structure(Lattice(matrix), rutile.species, rutile.cart_coords, coords_are_cartesian=True)
    one, other = all_facets(rutile), all_facets(skewed)
    for site in range(len(rutile)):
        values = [np.array(sorted(facet_table(facets, site).values())) for facets in (one, other)]
        np.testing.assert_allclose(values[0], values[1], rtol=1e-6)


def test_thin_cell_needs_no_supercell():
    facets = all_facets(Structure(Lattice.orthorhombic(0.8, 5.0, 6.0), ["H"], [[0, 0, 0]]))
    large = facets.area > 1e-6
    assert sorted(facets.area[large].round(6)) == [4.0, 4.0, 4.8, 4.8, 30.0, 30.0]


def test_isolated_atom_has_no_facets(helium_box):
    assert len(all_facets(helium_box).cell) == 0


def test_no_sites_have_no_facets(rutile):
    facets = voronoi_facets(CrystalArrays.of([rutile]), np.array([], dtype=np.int32))
    assert facets.vector.shape == (0, 3)


def test_layer_in_vacuum_is_closed_by_the_next_layer():
    graphene = Structure(
        Lattice.hexagonal(2.46, 20.0), ["C", "C"], [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]]
    )
    facets = all_facets(graphene)
    assert set(facets.cell) == {0, 1}
    assert (facets.area * facets.distance).sum() / 6 == pytest.approx(graphene.volume)


def test_open_and_closed_cells_keep_their_order():
    """A layer with an atom of another kind under it: the open cells come back to their places."""
    lattice = Lattice.hexagonal(3.18, 30.0)
    heights = np.array([0.0, 1.56, -1.56, 4.0]) / 30
    sites = [
        [1 / 3, 2 / 3, heights[0]],
        [2 / 3, 1 / 3, heights[1]],
        [2 / 3, 1 / 3, heights[2]],
        [0, 0, heights[3]],
    ]
    layer = Structure(lattice, ["Mo", "S", "S", "Li"], sites)
    facets = all_facets(layer)
    assert (np.diff(facets.cell) >= 0).all()
    np.testing.assert_allclose(np.bincount(facets.cell, weights=facets.solid_angle), 4 * np.pi)
    np.testing.assert_allclose(
        facets.vector,
        layer.cart_coords[facets.neighbor] + facets.image @ lattice.matrix - layer.cart_coords[facets.cell],
        atol=1e-9,
    )


def test_cell_that_cannot_be_closed_is_an_error(rutile, monkeypatch):
    monkeypatch.setattr(tessellation, "_closed_hull", lambda dual: None)
    with pytest.raises(StructureError, match="site 3 has an open Voronoi cell"):
        voronoi_facets(CrystalArrays.of([rutile]), np.array([3], dtype=np.int32))
