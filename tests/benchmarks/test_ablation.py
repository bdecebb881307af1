"""The ablation: its controls are what they claim to be, and a run is done once."""

from __future__ import annotations

import json

import ablation
import numpy as np
import pytest

from amdnet_matminer.graphs import DualGraphConverter, SizeLadder, batch_graphs, sizes_of
from amdnet_matminer.network import NetworkConfig, build_network


@pytest.fixture
def graphs(crystals):
    return [DualGraphConverter(n_neighbors=16).convert(crystal) for crystal in crystals]


def test_shuffled_motifs_are_those_of_another_crystal_in_atoms_of_this_one(graphs):
    mixed = ablation.shuffle_motifs(graphs, np.random.default_rng(0))
    for before, after in zip(graphs, mixed, strict=True):
        np.testing.assert_array_equal(before.atoms.atomic_number, after.atoms.atomic_number)
        sites = np.concatenate([after.motifs.center, after.motifs.ligand])
        assert sites.size == 0 or sites.max() < len(before.atoms.atomic_number)
    assert sorted(len(g.motifs.center) for g in mixed) == sorted(len(g.motifs.center) for g in graphs)
    assert any(a.motifs.name.tolist() != b.motifs.name.tolist() for a, b in zip(graphs, mixed, strict=True))
    sizes = sizes_of(mixed)
    batch_graphs(mixed, SizeLadder.for_crystals(sizes, len(mixed)).step_for(sizes.sum(axis=0)))


def test_a_finished_run_is_not_run_again(graphs, tmp_path, monkeypatch):
    y = np.array([g.atoms.atomic_number.mean() for g in graphs])
    data = ablation.Data((graphs * 3, np.tile(y, 3)), (graphs, y))
    monkeypatch.setattr(ablation, "read_data", lambda *_: data)
    monkeypatch.setitem(ablation.VARIANTS, "tiny", ablation.Variant(width=8))
    estimator = ablation.estimator
    monkeypatch.setattr(ablation, "estimator", lambda *given: estimator(*given).set_params(n_blocks=1))
    settings = {"n_train": len(y) * 3, "epochs": 2}
    row = ablation.run_once("mp2018 oxides", settings, tmp_path, "tiny", 0)
    assert row["mae"] > 0
    assert row["parameters"] > 1000
    monkeypatch.setattr(ablation, "train_variant", None)
    assert ablation.run_once("mp2018 oxides", settings, tmp_path, "tiny", 0) == row
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text()) == row


def test_variants_differ_in_what_they_claim():
    variants = ablation.VARIANTS
    assert variants["amdnet, atoms only"].motifs == "none"
    ablation.register_levels_apart()
    apart, joined = (
        build_network(NetworkConfig.of(variants[name].architecture))
        for name in ("amdnet, levels apart", "amdnet")
    )
    assert not apart.cross_level
    assert joined.cross_level
    assert apart.count_params() < joined.count_params()
    assert variants["amdnet"]._replace(motifs="shuffled") == variants["amdnet, shuffled motifs"]
    assert variants["amdnet"]._replace(dropout=0.1) == variants["amdnet with dropout"]
    assert variants["amdnet, shuffled motifs"].motifs == "shuffled"
