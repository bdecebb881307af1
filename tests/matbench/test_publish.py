"""Result files, which only a clean commit may write, and what a number was made by."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amdnet_matminer.errors import AMDNetError
from amdnet_matminer.matbench import provenance

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def at_commit(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Let this checkout be of a commit."""
    return lambda name: monkeypatch.setattr(provenance, "revision", lambda: name)


def test_publish(run: Callable, complete: Path, at_commit: Callable, tmp_path: Path) -> None:
    at_commit(COMMIT)
    peers = tmp_path / "peers.json"
    peers.write_text(json.dumps({"matbench_jdft2d": {"rows": 30, "A": {"folds": [1, 2, 1, 2, 1]}}}))
    results = tmp_path / "results"
    assert run("--model", "mean", "--publish", str(results), "--peers", str(peers)) == 0
    (file,) = results.iterdir()
    assert file.name == "matbench_jdft2d-mean.json"
    result = json.loads(file.read_text())
    assert result["revision"] == COMMIT
    assert (result["rows"], result["place"]) == ("official folds, all 30 rows", 1)
    assert result["peers on these rows"] == {"A": [1, 2, 1, 2, 1]}
    assert (result["complete"], result["pretrained"]) == (True, None)
    assert [fold["fold"] for fold in result["folds"]] == list(range(5))
    scores = [fold["scores"]["mae"] for fold in result["folds"]]
    assert result["mean"] == pytest.approx(sum(scores) / 5)
    assert all(fold["revision"] == COMMIT for fold in result["folds"])
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<td>A</td><td>1.0000</td><td>2.0000</td>" in page
    assert "<td>1.4000 ± 0.4899</td>" in page


def test_folds_so_far_are_marked_as_incomplete(
    run: Callable, complete: Path, at_commit: Callable, tmp_path: Path
) -> None:
    at_commit(COMMIT)
    file = tmp_path / "results" / "matbench_jdft2d-mean.json"
    assert run("--model", "mean", "--fold", "0", "2", "--publish", str(file.parent)) == 0
    result = json.loads(file.read_text())
    assert (result["complete"], result["place"]) == (False, None)
    assert [fold["fold"] for fold in result["folds"]] == [0, 2]
    assert run("--model", "mean", "--publish", str(file.parent)) == 0
    assert json.loads(file.read_text())["complete"]


@pytest.mark.parametrize("name", [f"{COMMIT}-dirty", None])
def test_no_clean_commit(
    run: Callable, at_commit: Callable, tmp_path: Path, capsys: Any, name: str | None
) -> None:
    at_commit(name)
    assert run("--model", "mean", "--publish", str(tmp_path / "results")) == 1
    assert "results are published of a commit" in capsys.readouterr().err
    assert not list(tmp_path.iterdir()), "refused only after the work"
    assert run("--model", "mean") == 0
    at_commit(COMMIT)
    assert run("report", "--model", "mean", "--publish", str(tmp_path / "results")) == 1
    assert not (tmp_path / "results").exists()


class TestRevision:
    """The commit that the package is of."""

    @pytest.fixture
    def checkout(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """A repository with the module and a result, on which git commands can be run."""

        def git(*words: str) -> None:
            identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
            subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True)

        (tmp_path / "provenance.py").write_text("1")
        (tmp_path / "benchmarks" / "results").mkdir(parents=True)
        (tmp_path / "benchmarks" / "results" / "a.json").write_text("1")
        monkeypatch.setattr(provenance, "_HERE", tmp_path)
        git("init")
        return git

    def test_commit_and_changes(self, checkout: Callable, tmp_path: Path) -> None:
        assert provenance.revision() is None  # not part of the repository
        checkout("add", ".")
        checkout("commit", "-m", "first")
        commit = provenance.revision()
        assert len(commit) == 40
        (tmp_path / "benchmarks" / "results" / "a.json").write_text("2")
        assert provenance.revision() == commit
        (tmp_path / "provenance.py").write_text("2")
        assert provenance.revision() == f"{commit}-dirty"
        with pytest.raises(AMDNetError, match=f"this is {commit}-dirty, with changes; commit first"):
            provenance.check_clean()

    def test_no_git(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        assert provenance.revision() is None


def test_stamp() -> None:
    stamp = provenance.stamp()
    assert set(stamp) == {"date", "revision", "machine", "versions"}
    assert {"python", "numpy", "pymatgen", "amdnet-matminer"} <= set(stamp["versions"])
