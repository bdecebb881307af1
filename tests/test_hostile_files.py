"""Files made to do harm are refused by name or of no effect, as SECURITY.md says."""

from __future__ import annotations

from pathlib import Path

import hostile_files
import pytest


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{case.kind}: {case.hostile}") for case in hostile_files.CASES]
)
def test_what_happens_is_what_the_table_says(case: hostile_files.Case, tmp_path: Path) -> None:
    hostile_files.check(case, tmp_path)


def test_the_table_is_that_of_the_document() -> None:
    text = hostile_files.DOCUMENT.read_text(encoding="utf-8")
    assert hostile_files.with_table(text) == text


def test_other_outcomes_are_found(tmp_path: Path) -> None:
    (refused, *_), (read, *_) = (
        [case for case in hostile_files.CASES if (case.refusal is None) is useful] for useful in (False, True)
    )
    wrong = [
        refused._replace(open_in=lambda folder: "read"),
        refused._replace(reason="another reason"),
        read._replace(open_in=refused.open_in),
        read._replace(open_in=lambda folder: __import__(hostile_files.TRAP).__name__),
    ]
    for number, case in enumerate(wrong):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(AssertionError):
            hostile_files.check(case, folder)
