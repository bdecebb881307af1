"""Gradients, which Keras has no way to ask for on all its backends, and their integrals over states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from amdnet_matminer.graphs.batching import Batch, Level
from amdnet_matminer.network.base import Network, States
from amdnet_matminer.network.layers import Tensor

Function = Callable[..., Tensor]
Quantity = Callable[[Tensor], Tensor]
"""From outputs of a network, shape (G, T), to what is explained, shape (G,)."""

PLACES, WEIGHTS = np.polynomial.legendre.leggauss(24)
"""Of Gauss and Legendre's integration; parts of what shipped models say then add up to six digits."""


class Attribution(NamedTuple):
    """What the nodes of a batch contribute to what is said of their crystals, padding included."""

    atoms: NDArray[np.float64]
    """(N,) of each atom, with all that it stands for."""
    motifs: NDArray[np.float64]
    """(M,) of each motif, with all that it stands for."""
    baseline: NDArray[np.float64]
    """(G,) what is said where all states are 0."""
    value: NDArray[np.float64]
    """(G,) what is said of the crystals: the baseline and all that their nodes contribute."""


def integrated_gradients(network: Network, batch: Batch, quantity: Quantity) -> Attribution:
    r"""Share out what a network says of crystals to their atoms and motifs.

    .. math::
        c_i = v_i \cdot \int_0^1 \frac{\partial f}{\partial v_i}(\alpha v) \, d\alpha \qquad
        \sum_i c_i = f(v) - f(0)

    Integrated gradients (Sundararajan et al., Proc. Mach. Learn. Res. 70, 3319, 2017), which are
    Aumann-Shapley values, over the last states v of atoms and motifs. At the baseline these are 0, so
    that nodes tell nothing: it takes no data, and is the same for all crystals, whose contributions
    may therefore be compared.

    Args:
        network: One that has ``states``, ``read`` and ``head``.
        batch: Crystals.
        quantity: What is explained, of the outputs of its head.

    Returns:
        The contributions.

    Raises:
        NotImplementedError: The network does not read crystals from states of atoms and motifs.
    """
    states = states_of(network, batch)

    def said(nodes: Sequence[Tensor], of: Batch) -> Tensor:
        tensors = States(*map(ops.convert_to_tensor, nodes))
        return ops.cast(quantity(network.head(network.read(tensors, of))), "float32")

    # Crystals do not depend on each other's nodes, so that all of them are asked at all places at once.
    copies = _copies(batch, len(PLACES))
    weight = np.outer(WEIGHTS / 2, batch.crystal).ravel().astype(np.float32)
    path = [np.kron((PLACES[:, None] + 1) / 2, state).astype(np.float32) for state in states]
    slopes = gradients(lambda *nodes: ops.vdot(said(nodes, copies), weight), path)
    atoms, motifs = (
        (slope.reshape(len(PLACES), *state.shape).sum(axis=0) * state).sum(axis=1, dtype=np.float64)
        for slope, state in zip(map(ops.convert_to_numpy, slopes), states, strict=True)
    )
    baseline, value = (
        ops.convert_to_numpy(said(nodes, batch)).astype(np.float64)
        for nodes in ([ops.zeros_like(state) for state in states], states)
    )
    return Attribution(atoms, motifs, baseline, value)


def _copies(batch: Batch, number: int) -> Batch:
    """So many batches end to end, of which crystals and nodes are known but no edges."""

    def repeated(level: Level) -> Level:
        shift = np.repeat(np.arange(number) * len(batch.crystal), len(level.graph))
        graph = (np.tile(level.graph, number) + shift).astype(np.int32)
        return level._replace(weight=np.tile(level.weight, number), graph=graph)

    return batch._replace(
        crystal=np.tile(batch.crystal, number), atoms=repeated(batch.atoms), motifs=repeated(batch.motifs)
    )


def log_odds(logits: Tensor, column: int) -> Tensor:
    """Logarithm of the probability of a class to that of all others.

    Args:
        logits: Of K classes, shape (G, K).
        column: The class.

    Returns:
        The log-odds, shape (G,).
    """
    others = ops.concatenate([logits[:, :column], logits[:, column + 1 :]], axis=1)
    return logits[:, column] - ops.logsumexp(others, axis=1)


def states_of(network: Network, batch: Batch) -> States:
    """The last states of the nodes of a batch, as arrays.

    Args:
        network: One that has ``states``.
        batch: Crystals.

    Raises:
        NotImplementedError: It has none.
    """
    return States(*(ops.convert_to_numpy(ops.cast(s, "float32")) for s in network.states(batch)))


def gradients(function: Function, arguments: Sequence[Any]) -> list[Tensor]:
    """Differentiate a function.

    Args:
        function: From tensors to a number.
        arguments: Where to differentiate it: arrays or tensors.

    Returns:
        The gradient by each argument, of its shape; zeros by one that it does not depend on.
    """
    return _BACKENDS[keras.backend.backend()](
        function, [ops.convert_to_tensor(argument) for argument in arguments]
    )


def _of_tensorflow(function: Function, arguments: list[Tensor]) -> list[Tensor]:
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        for argument in arguments:
            tape.watch(argument)
        value = function(*arguments)
    # Gradients of what is gathered are sparse unless they are asked to be tensors.
    found = tape.gradient(value, arguments, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return [tf.convert_to_tensor(gradient) for gradient in found]


def _of_jax(function: Function, arguments: list[Tensor]) -> list[Tensor]:
    import jax

    return list(jax.grad(function, argnums=tuple(range(len(arguments))))(*arguments))


def _of_torch(function: Function, arguments: list[Tensor]) -> list[Tensor]:
    import torch  # type: ignore[import-not-found, unused-ignore]

    with torch.enable_grad():
        watched = [argument.detach().requires_grad_() for argument in arguments]
        return list(torch.autograd.grad(function(*watched), watched, materialize_grads=True))


_BACKENDS: dict[str, Callable[[Function, list[Tensor]], list[Tensor]]] = {
    "tensorflow": _of_tensorflow,
    "jax": _of_jax,
    "torch": _of_torch,
}
