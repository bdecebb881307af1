"""``amdnet featurize``."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure

from amdnet_matminer import MotifFeaturizer
from amdnet_matminer.datasets import read_structures


@pytest.fixture
def featurize(run: Callable) -> Callable[..., pd.DataFrame]:
    """The table that the command prints."""

    def featurized(*words: object, code: int = 0) -> pd.DataFrame:
        found, output, _ = run("featurize", *words, "--quiet")
        assert found == code
        return pd.read_csv(io.StringIO(output), index_col="id")

    return featurized


@pytest.fixture
def mixed(tmp_path: Path, rock_salt: Structure, rutile: Structure) -> Path:
    """A folder with a sound crystal on either side of a disordered one and of one that is no CIF."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    rock_salt.to(filename=str(folder / "a.cif"))
    Structure(Lattice.cubic(4.2), [{"Mg": 0.5, "Ca": 0.5}], [[0, 0, 0]]).to(filename=str(folder / "b.cif"))
    (folder / "c.cif").write_text("no crystal at all")
    rutile.to(filename=str(folder / "d.cif"))
    return folder


def test_same_as_the_featurizer(run: Callable, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "features.csv"
    assert run("featurize", folder, "--output", file, "--quiet") == (0, "", "")
    written = pd.read_csv(file, index_col="id")
    structures = read_structures(folder)
    featurizer = MotifFeaturizer.from_preset("mp2018")
    assert written.error.isna().all()
    values = written.drop(columns="error")
    assert values.to_numpy() == pytest.approx(featurizer.transform(structures), abs=1e-9)
    assert list(values) == featurizer.feature_labels()
    assert written.index.tolist() == structures.index.tolist()


def test_a_crystal_has_its_features_in_any_company(featurize: Callable, folder: Path) -> None:
    together = featurize(folder)
    alone = featurize(folder / "rutile-TiO2.cif")
    pd.testing.assert_series_equal(together.loc["rutile-TiO2"], alone.loc["rutile-TiO2"])


def test_the_same_crystal_in_two_folders(featurize: Callable, shared_data: Path) -> None:
    first, second = (featurize(shared_data / "field_cases" / name) for name in ("ftA", "ftB"))
    pd.testing.assert_series_equal(first.loc["x"], second.loc["x"])


def test_failures_keep_their_rows(run: Callable, mixed: Path) -> None:
    code, output, error = run("featurize", mixed, "--quiet")
    written = pd.read_csv(io.StringIO(output), index_col="id")
    assert code == 3
    assert written.index.tolist() == ["a", "b", "c", "d"]
    assert written.error.isna().tolist() == [True, False, False, True]
    assert written.error["b"].startswith("structure 'b', site 0 is disordered")
    assert "c" in written.error["c"]
    assert written.drop(columns="error").isna().all(axis=1).tolist() == [False, True, True, False]
    assert error.startswith("amdnet featurize: 2 of 4 crystals could not be described")
    assert error.count("\n") == 1


def test_goes_on_after_a_stop(run: Callable, folder: Path, tmp_path: Path, stop_at: Callable) -> None:
    """The second run reads only what the first had no row of."""
    read = stop_at(6, window=4)
    words = ("featurize", folder, "--output", tmp_path / "out.csv", "--quiet")
    assert run(*words)[0] == 130
    assert run(*words) == (0, "", "")
    ids = read_structures(folder).index.tolist()
    assert read[6:] == ids[4:]
    assert pd.read_csv(tmp_path / "out.csv").id.tolist() == ids


def test_rows_of_other_crystals_of_the_same_names_are_not_kept(
    run: Callable, tmp_path: Path, stop_at: Callable, rock_salt: Structure, rutile: Structure
) -> None:
    """Rows of tables without ids are called by their numbers, whichever table it is."""
    for name, crystal in ("a.csv", rock_salt), ("b.csv", rutile):
        pd.DataFrame({"structure": [json.dumps(crystal.as_dict())] * 6}).to_csv(tmp_path / name, index=False)
    assert run("featurize", tmp_path / "b.csv", "--output", tmp_path / "once.csv", "--quiet")[0] == 0
    read = stop_at(4, window=2)
    output = ("--output", tmp_path / "out.csv", "--quiet")
    assert run("featurize", tmp_path / "a.csv", *output)[0] == 130
    (part,) = tmp_path.glob("out.csv.*.part")
    code, _, error = run("featurize", tmp_path / "b.csv", *output)
    assert code == 0
    assert f"the rows in {part} are not taken: they are of crystals that were others" in error
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "once.csv").read_bytes()
    assert run("featurize", tmp_path / "a.csv", *output) == (0, "", "")  # goes on with its own
    assert len(read) == 4 + 6 + 4


class TestFit:
    def test_learns_from_the_crystals(self, featurize: Callable, folder: Path) -> None:
        written = featurize(folder, "--fit")
        expected = MotifFeaturizer().fit_transform(read_structures(folder))
        assert written.drop(columns="error").to_numpy() == pytest.approx(expected, abs=1e-6)
        assert not np.allclose(
            written.filter(like="motif vector"), featurize(folder).filter(like="motif vector")
        )

    def test_what_is_saved_is_used_again(self, featurize: Callable, mixed: Path, tmp_path: Path) -> None:
        """Of the crystals that can be used; the file does for ``MotifFeaturizer`` too."""
        file = tmp_path / "vectors.npz"
        fitted = featurize(mixed, "--fit", "--save_featurizer", file, code=3)
        again = featurize(mixed / "d.cif", "--featurizer", file)
        columns = again.columns.drop("error")
        assert fitted.loc["d", columns].tolist() == again.loc["d", columns].tolist()
        featurizer = MotifFeaturizer(pretrained=file)
        expected = featurizer.featurize(Structure.from_file(mixed / "d.cif"))
        assert again.loc["d", columns].tolist() == pytest.approx(expected, abs=1e-9)

    def test_nothing_to_fit(self, run: Callable, mixed: Path) -> None:
        code, output, error = run("featurize", mixed / "c.cif", "--fit", "--quiet")
        assert (code, output) == (1, "")
        assert error == "amdnet featurize: no crystal can be used to fit; run without --fit to see why\n"

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (["--save_featurizer", "v.npz"], "--save_featurizer needs --fit"),
            (["--featurizer", "none.npz"], "there are no pretrained motif vectors 'none.npz'; choose"),
            (["--featurizer", "mp2018", "--fit"], "not allowed with argument"),
        ],
    )
    def test_wrong_options(self, run: Callable, words: list[str], reason: str) -> None:
        code, _, error = run("featurize", "x", *words)
        assert code == 2
        assert reason in error

    def test_a_file_of_something_else(self, run: Callable, folder: Path, tmp_path: Path) -> None:
        code, _, error = run("featurize", folder, "--featurizer", folder / "labels.csv")
        assert code == 1
        assert "labels.csv holds no motif vectors" in error


def test_comes_without_tensorflow(run_apart: Callable, folder: Path) -> None:
    """As do the help of a training, the names of the networks, and the MatBench runner before it runs."""
    then = """
import amdnet_matminer.matbench.command
import amdnet_matminer.validation.parameters
from amdnet_matminer.architectures import architecture_names
assert "amdnet-2021" in architecture_names()
try:
    main(["train", "--help"])
except SystemExit:
    print([name for name in ("tensorflow", "keras", "matbench", "jinja2") if name in sys.modules])"""
    done = run_apart("featurize", folder / "rock-salt-MgO.cif", then=then)
    assert "\nrock-salt-MgO," in done.stdout
    assert "--learning_rate" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_is_left_out_is_said_and_sub_folders_are_asked_for(
    run: Callable, mixed: Path, rutile: Structure
) -> None:
    (mixed / "sub").mkdir()
    rutile.to(filename=str(mixed / "sub" / "e.cif"))
    (mixed / "notes.txt").write_text("not a crystal")
    for words, left_out, ids in (((), 2, "abcd"), (("--recursive",), 1, "abcde")):
        code, output, error = run("featurize", mixed, *words)
        assert code == 3
        assert error.startswith(f"left out {left_out}: 1 of no kind that crystals are read from (notes.txt)")
        assert pd.read_csv(io.StringIO(output), index_col="id").index.tolist() == list(ids)
