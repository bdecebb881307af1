"""Targets scaled to mean 0 and standard deviation 1."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class TargetScaler(NamedTuple):
    """The affine map between T targets and what the network learns: ``(y - mean) / scale``."""

    mean: tuple[float, ...]
    """(T,) in the units of the targets."""
    scale: tuple[float, ...]
    """(T,) in the units of the targets, positive."""

    @classmethod
    def of(cls, y: NDArray[np.float64]) -> TargetScaler:
        """Scale by mean and standard deviation; a constant target is only shifted.

        Args:
            y: Targets, shape (S, T), NaN where one is missing; each target has a value.

        Returns:
            The scaler.
        """
        spread = np.nanstd(y, axis=0)
        # Below this the spread is rounding of a constant, not a property to learn.
        constant = spread <= 1e-12 * np.maximum(1.0, np.nanmax(np.abs(y), axis=0))
        return cls(tuple(np.nanmean(y, axis=0).tolist()), tuple(np.where(constant, 1.0, spread).tolist()))

    @classmethod
    def identity(cls, n_targets: int) -> TargetScaler:
        """Leave targets as they are.

        Args:
            n_targets: Number of targets T.

        Returns:
            The scaler.
        """
        return cls((0.0,) * n_targets, (1.0,) * n_targets)

    def transform(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale targets of shape (S, T)."""
        return (y - np.array(self.mean)) / np.array(self.scale)

    def inverse(self, scaled: NDArray) -> NDArray[np.float64]:
        """Bring scaled targets of shape (S, T) back to their units."""
        return np.asarray(scaled, dtype=np.float64) * np.array(self.scale) + np.array(self.mean)
