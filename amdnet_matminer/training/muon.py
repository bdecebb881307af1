"""Keras' Muon, which orthogonalises all matrices of one shape at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from amdnet_matminer.network.layers import Tensor


class Muon(keras.optimizers.Muon):
    """Muon in which matrices of one shape go through the Newton-Schulz iteration together.

    Its steps and its state are those of the class of Keras (Jordan 2024). That takes the
    matrices one after another, which for the many small ones of a network costs a third
    more time in a step, and twice the time to compile it.
    """

    def _backend_update_step(
        self, grads: Sequence[Tensor], trainable_variables: Sequence[Any], learning_rate: Tensor
    ) -> None:
        alike: dict[tuple[int, ...], list[tuple[Any, Tensor]]] = {}
        for variable, gradient in zip(trainable_variables, grads, strict=True):
            if self._should_use_adamw(variable):
                self.update_step(gradient, variable, learning_rate)
            else:
                wanted = self._follow(gradient, self.momentums[self._get_variable_index(variable)])
                alike.setdefault(tuple(variable.shape), []).append((variable, wanted))
        for matrices in alike.values():
            stacked = ops.stack([wanted for _, wanted in matrices])
            steps = ops.unstack(self.zeropower_via_newtonschulz5(stacked, self.ns_steps), len(matrices))
            for (variable, _), step in zip(matrices, steps, strict=True):
                self.assign_sub(variable, self.lr_adjust(learning_rate * step))

    def _follow(self, gradient: Tensor, momentum: keras.Variable) -> Tensor:
        """Update a momentum; the direction before it is orthogonalised, with Nesterov's look ahead."""
        self.assign_add(momentum, ops.add(gradient, momentum * (self.momentum - 1)))
        return ops.add(gradient, self.momentum * momentum)
