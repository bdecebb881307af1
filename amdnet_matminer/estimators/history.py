"""What training notes of its epochs, of one network and of an ensemble."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

History = dict[str, list[float]]
"""One list a quantity, with an entry per epoch; ``member`` numbers the networks of an ensemble."""


def history_of_member(history: History, number: int) -> History:
    """The history of one member, of those that ``joined_histories`` has put together."""
    owner = history.get("member")
    if owner is None:
        return history
    return {
        name: [value for value, member in zip(values, owner, strict=True) if member == number]
        for name, values in history.items()
        if name != "member"
    }


def joined_histories(histories: Sequence[History]) -> History:
    """The histories of the members one after another, with a column that numbers the members.

    A quantity that one of them lacks, such as an error without validation data, is NaN there.
    """
    names = {name: None for history in histories for name in history}
    joined = {
        name: [value for h in histories for value in h.get(name, [np.nan] * len(h.get("loss", [])))]
        for name in names
    }
    if len(histories) > 1:
        joined["member"] = [float(k) for k, history in enumerate(histories) for _ in history.get("loss", [])]
    return joined
