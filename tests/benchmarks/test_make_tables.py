"""The tables of the front page."""

from __future__ import annotations

import make_tables


def test_a_table_tells_the_commits_it_is_of() -> None:
    results = [
        {"date": "2026-02-01", "revision": "b" * 40},
        {"date": "2026-01-01", "revision": "a" * 40 + "-dirty"},
        {"date": "2026-03-01", "revision": "b" * 40},
        {"date": "2026-04-01", "revision": None},
    ]
    text = make_tables.table("**Title.**", ["x"], [["1"]], *results)
    assert text.splitlines()[0] == "**Title.** Revisions aaaaaaa+, bbbbbbb, unknown."
