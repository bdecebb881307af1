"""Targets scaled to mean 0 and standard deviation 1."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class TargetScaler(NamedTuple):
    """The affine map between a target and what the network learns: ``(y - mean) / scale``."""

    mean: float = 0.0
    """In the unit of the target."""
    scale: float = 1.0
    """In the unit of the target, positive."""

    @classmethod
    def of(cls, y: NDArray[np.float64]) -> TargetScaler:
        """Scale by mean and standard deviation; a constant target is only shifted.

        Args:
            y: Targets, shape (S,).

        Returns:
            The scaler.
        """
        spread = float(np.std(y))
        # Below this the spread is rounding of a constant, not a property to learn.
        constant = spread <= 1e-12 * max(1.0, float(np.abs(y).max()))
        return cls(float(np.mean(y)), 1.0 if constant else spread)

    def transform(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale targets."""
        return (y - self.mean) / self.scale

    def inverse(self, scaled: NDArray) -> NDArray[np.float64]:
        """Bring scaled targets back to their unit."""
        return np.asarray(scaled, dtype=np.float64) * self.scale + self.mean
