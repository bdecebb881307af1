"""``amdnet network`` and ``amdnet search``: from a folder of crystals to the ones most like another."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Structure

from amdnet_matminer import MotifNetwork


@pytest.fixture
def network_file(run: Callable, folder: Path, table: pd.DataFrame, tmp_path: Path) -> Path:
    file = tmp_path / "crystals.network"
    code, output, error = run("network", folder, "--save_name", file, "--quiet")
    assert (code, error) == (0, "")
    assert output == f"joined {len(table)} materials to 9 kinds of motifs, saved as {file}\n"
    return file


def test_most_like(run: Callable, network_file: Path, rutile: Structure, tmp_path: Path) -> None:
    rutile.to(filename=str(tmp_path / "query.cif"))
    words = ["search", tmp_path / "query.cif", "--in", network_file, "-k", 3, "--quiet"]
    code, output, error = run(*words)
    assert (code, error) == (0, "")
    found = pd.read_csv(StringIO(output), keep_default_na=False)
    assert found.id.tolist() == ["query"] * 3
    assert found.material[0] == "rutile-TiO2"
    assert found.similarity[0] == pytest.approx(1, abs=1e-3)
    expected = MotifNetwork.load(network_file).similar(rutile, 3)
    assert found.similarity.tolist() == pytest.approx(expected.similarity.tolist(), abs=1e-3)
    code, output, _ = run(*words, "--by", "motifs", "--output", tmp_path / "found.csv")
    assert (code, output) == (0, "")
    assert pd.read_csv(tmp_path / "found.csv").material.tolist() == ["rutile-TiO2", "perovskite-SrTiO3"]


def test_crystals_that_cannot_be_used(
    run: Callable, network_file: Path, folder: Path, rutile: Structure, tmp_path: Path
) -> None:
    disordered = rutile.copy()
    disordered[0] = {"Ti": 0.5, "Zr": 0.5}
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    disordered.to(filename=str(mixed / "bad.json"))
    rutile.to(filename=str(mixed / "good.json"))
    code, output, error = run("search", mixed, "--in", network_file, "-k", 1, "--quiet")
    assert code == 3
    assert "1 of 2 crystals failed; structure 'bad', site 0 is disordered" in error
    assert pd.read_csv(StringIO(output), keep_default_na=False).material.tolist() == ["", "rutile-TiO2"]
    code, output, error = run("network", mixed, "--save_name", tmp_path / "n", "--quiet")
    assert code == 3
    assert output.startswith("joined 1 materials to 1 kinds")
    assert "1 crystals are left out; structure 'bad'" in error
    code, _, error = run("network", mixed / "bad.json", "--save_name", tmp_path / "n", "--quiet")
    assert code == 1
    assert "no crystal can be used: structure 'bad'" in error


def test_what_is_no_network(run: Callable, folder: Path, network_file: Path) -> None:
    for file, reason in ((folder / "labels.csv", "damaged"), (folder / "absent", "No such file")):
        code, output, error = run("search", folder, "--in", file, "--quiet")
        assert (code, output) == (1, "")
        assert reason in error
    code, _, error = run("search", folder, "--in", network_file, "-k", 0)
    assert code == 2
    assert "must be 1 or more" in error
    code, _, error = run("search", folder, "--in", network_file, "-k", "a")
    assert code == 2
    assert "-k: must be a whole number, got 'a'" in error


class Model:
    """Stands for a trained model."""

    def transform(self, X: list[Structure]) -> np.ndarray:
        return np.array([[structure.density, 1.0] for structure in X])


def test_a_network_with_the_vectors_of_a_model(run: Callable, table: pd.DataFrame, tmp_path: Path) -> None:
    """Refused before anything is read, not once for every crystal."""
    file = tmp_path / "emb.network"
    MotifNetwork(embedder=Model()).fit(table.structure).save(file)
    for by in ("both", "embedding"):
        code, output, error = run("search", "nowhere", "--in", file, "--by", by)
        assert (code, output) == (1, "")
        assert f"{file} has vectors of a model, which is not in it; search with --by motifs" in error
    table.structure["CsCl"].to(filename=str(tmp_path / "query.cif"))
    code, output, _ = run("search", tmp_path / "query.cif", "--in", file, "--by", "motifs", "--quiet")
    assert code == 0
    assert pd.read_csv(StringIO(output)).material[0] == "CsCl"
