"""The network of materials and motifs: what it finds in known crystals, in files, and in bad input."""

from __future__ import annotations

import pickle

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from amdnet_matminer import MotifNetwork, persistence
from amdnet_matminer.errors import DatasetError, ModelFileError, StructureError
from amdnet_matminer.motif_network import files
from amdnet_matminer.persistence import read_arrays, write_arrays
from amdnet_matminer.prototypes import PROTOTYPES, textbook_structure

TI, MG = "TiO6 octahedral", "MgO6 octahedral"


class Bomb:
    """What fails the test when it is unpickled."""

    def __reduce__(self) -> tuple:
        return pytest.fail, ("the pickle was opened",)


class Model:
    """Stands for a trained model: one number of a crystal, and 1."""

    def transform(self, X: list[Structure]) -> np.ndarray:
        return np.array([[structure.density, 1.0] for structure in X])


@pytest.fixture(scope="module")
def materials(rutile, rock_salt, corundum, perovskite, spinel, wurtzite, copper, helium_box) -> pd.Series:
    no_motifs = Structure(Lattice.cubic(4.0), ["O2-"], [[0, 0, 0]])
    found = {"rutile": rutile, "salt": rock_salt, "corundum": corundum, "perovskite": perovskite}
    found |= {"spinel": spinel, "wurtzite": wurtzite, "copper": copper, "helium": helium_box, "O": no_motifs}
    return pd.Series(found)


@pytest.fixture(scope="module")
def network(materials: pd.Series) -> MotifNetwork:
    return MotifNetwork().fit(materials)


class TestContent:
    def test_links(self, network: MotifNetwork) -> None:
        found, motifs, links = network.to_frame()
        assert found.kinds.to_dict() == dict(zip(network.ids_, [1, 1, 1, 2, 2, 1, 1, 1, 0], strict=True))
        assert motifs.index[:2].tolist() == ["AlO6 octahedral", TI]
        spinel = links[links.id == "spinel"].set_index("motif")
        assert spinel.share.to_dict() == pytest.approx({"AlO6 octahedral": 2 / 3, "MgO4 tetrahedral": 1 / 3})
        assert spinel.loc["AlO6 octahedral", ["corner", "edge", "face"]].tolist() == [6, 6, 0]
        measure = spinel.symmetry_measure["AlO6 octahedral"]
        assert measure == pytest.approx(0.5418, abs=1e-3)
        assert spinel.weight["AlO6 octahedral"] == pytest.approx(2 / 3 * np.exp(-measure / 5))

    def test_materials_with(self, network: MotifNetwork) -> None:
        found = network.materials_with(TI)
        assert found.index.tolist() == ["rutile", "perovskite"]  # 1.0 at 0.41 against 0.5 at 0
        assert found.loc["rutile", ["corner", "edge", "face"]].tolist() == [8, 2, 0]
        assert network.materials_with(TI, sharing="edge").index.tolist() == ["rutile"]
        assert network.materials_with(TI, sharing="face").index.tolist() == ["perovskite"]
        assert network.materials_with(TI, max_distortion=0.1).index.tolist() == ["perovskite"]
        assert network.materials_with(MG, sharing="face").empty

    def test_bridge(self, network: MotifNetwork) -> None:
        assert network.bridge("rutile", "perovskite") == ["rutile", TI, "perovskite"]
        path = ["corundum", "AlO6 octahedral", "spinel", "MgO4 tetrahedral"]
        assert network.bridge("corundum", "MgO4 tetrahedral") == path
        assert network.bridge("rutile", "rutile") == ["rutile"]
        with pytest.raises(ValueError, match="no path of materials and motifs joins 'rutile' and 'salt'"):
            network.bridge("rutile", "salt")

    def test_bridges_over_strong_links(self, rutile, perovskite) -> None:
        distorted = perovskite.copy()
        distorted.translate_sites([1], [0.03, 0.0, 0.02])
        made = MotifNetwork().fit([perovskite, distorted, rutile], ["a", "b", "c"])
        weight = made.to_frame()[2].set_index(["id", "motif"]).weight
        total = {name: weight["a", name] + weight["b", name] for name in (TI, "SrO12 cuboctahedral")}
        assert made.bridge("a", "b") == ["a", max(total, key=total.__getitem__), "b"]

    def test_hubs_and_communities(self, network: MotifNetwork) -> None:
        assert network.hubs(2).materials.tolist() == [2, 2]
        group = network.communities()
        assert group.index.tolist() == [*network.ids_, *network.motifs_]
        assert group["rutile"] == group[TI] == group["perovskite"]
        assert group["corundum"] == group["spinel"]
        assert group.nunique() == 7  # two pairs, and five that share nothing

    def test_networkx_and_graphml(self, network: MotifNetwork, tmp_path) -> None:
        graph = network.to_networkx()
        assert nx.is_bipartite(graph)
        network.to_graphml(tmp_path / "network.graphml")
        read = nx.read_graphml(tmp_path / "network.graphml", node_type=int)
        assert dict(read.nodes(data=True)) == dict(graph.nodes(data=True))
        assert read.number_of_edges() == graph.number_of_edges() == len(network.links_.kind)
        assert read.edges[0, len(network.ids_) + network.motifs_.index(TI)]["share"] == 1


class TestSimilar:
    def test_by_motifs(self, network: MotifNetwork, materials: pd.Series) -> None:
        found = network.similar("rutile", by="motifs")
        assert found.index.tolist() == ["perovskite"]
        new = network.similar(materials["rutile"], by="motifs")
        assert new.index.tolist() == ["rutile", "perovskite"]
        assert new.similarity.iloc[0] == pytest.approx(1)
        assert new.similarity["perovskite"] == pytest.approx(found.similarity["perovskite"])

    def test_joined_the_same_way(self, rutile, perovskite) -> None:
        """Of two with TiO6 octahedra, that whose octahedra share edges is more like anatase."""
        (anatase,) = (textbook_structure(each) for each in PROTOTYPES if each.name == "anatase")
        made = MotifNetwork().fit([perovskite, rutile], ["perovskite", "rutile"])
        assert made.similar(anatase, by="motifs").index.tolist() == ["rutile", "perovskite"]

    def test_by_embedding_and_both(self, network: MotifNetwork, materials: pd.Series) -> None:
        motifs, vectors, both = (
            network.similar("rutile", 20, by).similarity for by in ("motifs", "embedding", "both")
        )
        assert len(vectors) == len(both) == len(materials) - 1
        expected = (vectors + motifs.reindex(vectors.index).fillna(0)) / 2
        assert both.to_dict() == pytest.approx(expected.to_dict(), abs=1e-6)
        assert len(network.similar("rutile", 3)) == 3
        stored = dict(zip(network.ids_, network.vectors_, strict=True))
        assert network.transform(materials[["salt", "O"]]) == pytest.approx(
            np.array([stored["salt"], stored["O"]]), abs=1e-5
        )

    def test_of_a_model(self, materials: pd.Series, tmp_path) -> None:
        made = MotifNetwork(embedder=Model()).fit(materials)
        expected = Model().transform(materials)
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        assert made.vectors_ == pytest.approx(expected)
        assert made.similar(materials["copper"], 1, by="embedding").index.tolist() == ["copper"]
        made.save(tmp_path / "file")
        again = MotifNetwork.load(tmp_path / "file", embedder=Model())
        pd.testing.assert_frame_equal(again.similar(materials["salt"]), made.similar(materials["salt"]))
        alone = MotifNetwork.load(tmp_path / "file")
        assert alone.similar("salt", 1, by="embedding").equals(made.similar("salt", 1, by="embedding"))
        assert alone.similar(materials["salt"], by="motifs").index.tolist() == ["salt"]
        with pytest.raises(ValueError, match="load it with embedder=model"):
            alone.similar(materials["salt"])

    def test_ids_that_are_numbers(self, materials: pd.Series) -> None:
        """As the index of a Series that was given none, they are asked by as numbers and as texts."""
        made = MotifNetwork().fit(materials.reset_index(drop=True))
        expected, path = made.similar("3"), ["0", TI, "3"]
        for zero, three in ((0, 3), (np.int64(0), np.int32(3)), ("0", "3")):
            pd.testing.assert_frame_equal(made.similar(three), expected)
            assert made.bridge(zero, three) == path
        assert made.bridge(TI, 3) == [TI, "3"]
        with pytest.raises(ValueError, match="there is no material '99' among the 9"):
            made.similar(99)
        with pytest.raises(ValueError, match="there is no material or kind of motif '99' among the"):
            made.bridge(0, 99)

    def test_without_motifs(self, network: MotifNetwork, materials: pd.Series) -> None:
        for query in ("O", materials["O"]):
            with pytest.raises(StructureError, match="has no motifs of this network; search by='embedding'"):
                network.similar(query, by="motifs")
            assert len(network.similar(query, 3)) == 3
        alone = MotifNetwork().fit([materials["O"]])
        assert alone.similar("0").empty
        assert [len(frame) for frame in alone.to_frame()] == [1, 0, 0]

    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 2**32 - 1), cell=st.sampled_from([(1, 1, 2), (2, 1, 1), (1, 1, 1)]))
    def test_no_cell_and_no_order_of_sites_matters(self, network, materials, seed, cell) -> None:
        rng = np.random.default_rng(seed)
        for name in ("perovskite", "spinel"):
            other = materials[name] * cell
            other = Structure.from_sites(rng.permutation(np.array(other.sites, dtype=object)).tolist())
            for by in ("motifs", "embedding", "both"):
                found = network.similar(other, 3, by)
                assert found.index[0] == name
                assert found.similarity.iloc[0] == pytest.approx(1, abs=1e-3)


class TestFiles:
    def test_comes_back(self, network: MotifNetwork, tmp_path) -> None:
        network.save(tmp_path / "file")
        read = MotifNetwork.load(tmp_path / "file")
        for frame, other in zip(read.to_frame(), network.to_frame(), strict=True):
            pd.testing.assert_frame_equal(frame, other)
        pd.testing.assert_frame_equal(read.similar("spinel"), network.similar("spinel"))
        read.save(tmp_path / "again")
        assert (tmp_path / "again").read_bytes() == (tmp_path / "file").read_bytes()

    def test_damaged(self, network: MotifNetwork, tmp_path) -> None:
        file = tmp_path / "file"
        network.save(file)
        data = bytearray(file.read_bytes())
        data[-5] ^= 1
        file.write_bytes(data)
        with pytest.raises(ModelFileError, match="damaged"):
            MotifNetwork.load(file)
        file.write_bytes(data[:500])
        with pytest.raises(ModelFileError, match="damaged"):
            MotifNetwork.load(file)

    @pytest.mark.parametrize(
        ("place", "change", "reason"),
        [
            (1, lambda a: a[:-1], "ids, formulas and names"),
            (3, lambda a: a[::-1].copy(), "not shared out"),
            (4, lambda a: a + 1000, "ends at no kind"),
            (4, lambda a: a.astype(np.int64), "int64"),
            (5, lambda a: a * np.float32("nan"), "not finite"),
            (7, lambda a: a[:, :2], "of shape"),
            (8, lambda a: a[1:], "vectors are of shape"),
            (9, lambda a: a[1:], "do not fit each other"),
        ],
    )
    def test_what_no_fit_gives(self, network: MotifNetwork, tmp_path, place, change, reason) -> None:
        network.save(tmp_path / "file")
        header, arrays = read_arrays(tmp_path / "file")
        arrays[place] = change(arrays[place])
        write_arrays(tmp_path / "file", header, arrays)
        with pytest.raises(ModelFileError, match=reason):
            MotifNetwork.load(tmp_path / "file")

    def test_may_be_larger_than_a_model(self, network: MotifNetwork, tmp_path, monkeypatch) -> None:
        network.save(tmp_path / "file")
        monkeypatch.setattr(persistence, "LARGEST_FILE", 100)
        assert MotifNetwork.load(tmp_path / "file").ids_ == network.ids_
        monkeypatch.setattr(files, "LARGEST_FILE", 100)
        with pytest.raises(ModelFileError, match="no such file more than 100"):
            MotifNetwork.load(tmp_path / "file")

    def test_a_pickle_is_not_opened(self, tmp_path) -> None:
        (tmp_path / "file").write_bytes(pickle.dumps(Bomb()))
        with pytest.raises(ModelFileError, match="is no model of amdnet_matminer or is damaged"):
            MotifNetwork.load(tmp_path / "file")

    @pytest.mark.parametrize("header", [{}, {"kind": "x", "n_components": 1, "own_embedding": True}])
    def test_other_files_of_this_package(self, header, tmp_path) -> None:
        write_arrays(tmp_path / "file", header, [np.zeros(1)])
        with pytest.raises(ModelFileError, match="holds no motif network"):
            files.read_network(tmp_path / "file")


class TestBadInput:
    def test_names(self, network: MotifNetwork) -> None:
        with pytest.raises(ValueError, match=r"no kind of motif 'TiO6 octaheder' .* mean 'TiO6 octahedral'"):
            network.materials_with("TiO6 octaheder")
        with pytest.raises(ValueError, match=r"no kind of motif 'TiO6' .* did you mean 'TiO6 octahedral'\?"):
            network.materials_with("TiO6")
        with pytest.raises(
            ValueError, match=r"no kind .* 'Mg' .* mean 'MgO4 tetrahedral', 'MgO6 octahedral'\?"
        ):
            network.materials_with("Mg")
        with pytest.raises(ValueError, match=r"no material 'rutil' .* mean 'rutile'"):
            network.similar("rutil")
        with pytest.raises(ValueError, match=r"no material or kind of motif '@' .* to_frame"):
            network.bridge("@", "rutile")
        with pytest.raises(ValueError, match="sharing must be one of"):
            network.materials_with(TI, sharing="edges")
        with pytest.raises(ValueError, match="by must be one of"):
            network.similar("rutile", by="all")
        with pytest.raises(ValueError, match="k must be at least 1"):
            network.similar("rutile", 0)

    def test_ids(self, rutile, rock_salt) -> None:
        with pytest.raises(DatasetError, match="id 'a' is there more than once"):
            MotifNetwork().fit([rutile, rock_salt], ["a", "a"])
        for ids in (["a"], ["a", "b", "c"]):
            with pytest.raises(DatasetError, match=f"got {len(ids)} ids of 2 crystals"):
                MotifNetwork().fit([rutile, rock_salt], ids)
        assert MotifNetwork().fit(iter([rutile, rock_salt])).ids_ == ["0", "1"]

    def test_crystals(self, rutile, network: MotifNetwork) -> None:
        disordered = rutile.copy()
        disordered[0] = {"Ti": 0.5, "Zr": 0.5}
        with pytest.raises(StructureError, match="structure 'b', site 0 is disordered"):
            MotifNetwork().fit([rutile, disordered], ["a", "b"])
        with pytest.raises(StructureError, match="structure 1, site 0 is disordered"):
            MotifNetwork().fit([rutile, disordered])
        with pytest.raises(StructureError, match="disordered"):
            network.similar(disordered)
        with pytest.raises(StructureError, match="got no structures; pass at least one"):
            network.transform([])
        with pytest.raises(StructureError, match="got no structures"):
            MotifNetwork().fit([])

    def test_not_fitted(self, tmp_path) -> None:
        with pytest.raises(ValueError, match="has no materials yet"):
            MotifNetwork().similar("a")
        with pytest.raises(ValueError, match="n_components must be at least 1"):
            MotifNetwork(n_components=0).fit([])
        with pytest.raises(FileNotFoundError):
            MotifNetwork.load(tmp_path / "nothing")
