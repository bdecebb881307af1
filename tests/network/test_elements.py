"""What is known of elements, by atomic number."""

from __future__ import annotations

import numpy as np
import pytest

from amdnet_matminer.network.elements import GROUP, N_GROUPS, N_PERIODS, PERIOD, RADIUS
from amdnet_matminer.validation.structures import HEAVIEST_ELEMENT


@pytest.mark.parametrize(
    ("number", "period", "group", "radius"),
    [
        (1, 1, 1, 0.25),
        (8, 2, 16, 0.60),
        (22, 4, 4, 1.40),
        (57, 6, 3, 1.95),
        (60, 6, 3, 1.85),
        (92, 7, 3, 1.75),
    ],
)
def test_some_elements(number, period, group, radius):
    assert (PERIOD[number], GROUP[number]) == (period, group)
    assert RADIUS[number] == pytest.approx(radius)


def test_every_element_has_all_and_padding_has_nothing():
    for values, highest in ((PERIOD, N_PERIODS), (GROUP, N_GROUPS), (RADIUS, 3.0)):
        assert len(values) == HEAVIEST_ELEMENT + 1
        assert values[0] == 0
        assert (values[1:] > 0).all()
        assert values.max() <= highest
    assert RADIUS.dtype == np.float32
