"""The tables of what motifs say."""

from __future__ import annotations

from network_tables import _planted_row


def test_a_planted_property_is_a_row() -> None:
    found = {"of motifs": 0.5, "of kinds": 0.75}
    part = {
        "mae": 0.1,
        "mae of the mean": 0.6,
        "rank correlation": found | {f"{name}, largest possible": 1.0 for name in found},
        "rank correlation of labels in random order": dict.fromkeys(found, -0.125),
        "deletion": {"largest contribution": 0.3, "another": 0.2, "part where the first is more": 0.7},
    }
    assert _planted_row("faces", part) == [
        "faces",
        "0.10, 0.60",
        "0.50 of 1.00",
        "-0.12",
        "0.75 of 1.00",
        "-0.12",
        "0.30, 0.20 (70%)",
    ]
