"""What is known of the elements before anything is learned, as arrays by atomic number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element

from amdnet_matminer.validation.structures import HEAVIEST_ELEMENT

_ELEMENTS = [Element.from_Z(number) for number in range(1, HEAVIEST_ELEMENT + 1)]
_UNMEASURED_RADIUS = 1.5
"""In angstrom, of noble gases and others without a compound or crystal to be measured in."""


def _by_number(values: list[Any], dtype: type) -> NDArray[Any]:
    """A value for each atomic number; 0 for number 0, which padding has."""
    return np.array([0, *values], dtype=dtype)


PERIOD: NDArray[np.int32] = _by_number([element.row for element in _ELEMENTS], np.int32)
"""From 1 to 7."""
GROUP: NDArray[np.int32] = _by_number([element.group for element in _ELEMENTS], np.int32)
"""From 1 to 18; lanthanides and actinides are of group 3."""
RADIUS: NDArray[np.float32] = _by_number(
    [float(element.atomic_radius or _UNMEASURED_RADIUS) for element in _ELEMENTS], np.float32
)
"""Of atoms in angstrom, measured by Slater (Journal of Chemical Physics 41, 3199, 1964)."""
N_PERIODS, N_GROUPS = 7, 18
