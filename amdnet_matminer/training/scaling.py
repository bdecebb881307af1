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
    def of(cls, y: NDArray[np.float64], weight: NDArray[np.float64] | None = None) -> TargetScaler:
        """Scale by mean and standard deviation; a constant target is shifted and divided by its size.

        Args:
            y: Targets, shape (S, T), NaN where one is missing; each target has a value.
            weight: How much each crystal counts, shape (S,); None is 1 for all.

        Returns:
            The scaler.
        """
        counts = np.isfinite(y) * (np.ones(len(y)) if weight is None else weight)[:, None]
        largest = np.nanmax(np.abs(y), axis=0)
        # In units of a power of 2 near the largest, squares of 1e300 or 1e-300 are numbers, and digits stay.
        unit = np.ldexp(1.0, np.frexp(largest)[1] - 1)
        relative = np.nan_to_num(y / unit)
        mean = (counts * relative).sum(axis=0) / counts.sum(axis=0)
        spread = np.sqrt((counts * np.square(relative - mean)).sum(axis=0) / counts.sum(axis=0))
        # Below this the spread is rounding of a constant, not a property to learn.
        constant = spread <= 1e-12
        scale = np.where(constant, np.where(largest > 0, largest, 1.0), unit * spread)
        # Less may be rounded to 0, and what is divided by it is infinite.
        scale = np.maximum(scale, np.finfo(float).tiny)
        return cls(tuple((unit * mean).tolist()), tuple(scale.tolist()))

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
