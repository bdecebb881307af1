"""Where the time of a training step goes: its operations, recorded and then replayed kind by kind.

A compiled step is one program, of which a profiler sees no parts. So this looks inside a network that is
not compiled: it puts itself in front of Keras' operations, and of the activations that the layers hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from amdnet_matminer.graphs.batching import Batch
from amdnet_matminer.network.layers import MLP

KINDS = {
    "matrix products": ("matmul",),
    "activations": ("silu", "sigmoid", "tanh", "exp"),
    "gathers": ("take",),
    "sums over edges": ("segment_sum",),
}
REPETITIONS = 20


class Call(NamedTuple):
    """One operation of a forward pass."""

    kind: str
    """A key of ``KINDS``."""
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any]


def record(network: keras.Model, batch: Batch) -> list[Call]:
    """The operations of a forward pass, in order.

    Args:
        network: Any network of this package.
        batch: What it reads.

    Returns:
        Those of the kinds that are told apart.
    """
    calls: list[Call] = []

    def spy(kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            calls.append(Call(kind, function, arguments, options))
            return function(*arguments, **options)

        return called

    with _spied(network, spy):
        network(batch)
    return calls


@contextmanager
def _spied(network: keras.Model, spy: Callable[..., Any]) -> Iterator[None]:
    """Let ``spy`` see the operations, and the activations that layers hold as functions."""
    layers = [layer for layer in network._flatten_layers() if isinstance(layer, MLP)]
    held = [layer.activation for layer in layers]
    patches = [
        mock.patch.object(ops, name, spy(kind, getattr(ops, name)))
        for kind, names in KINDS.items()
        for name in names
    ]
    for patch in patches:
        patch.start()
    for layer in layers:
        layer.activation = spy("activations", layer.activation)
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()
        for layer, activation in zip(layers, held, strict=True):
            layer.activation = activation


def flops(calls: list[Call]) -> float:
    """Multiplications and additions of the matrix products of a forward pass."""
    shapes = [(c.arguments[0].shape, c.arguments[1].shape) for c in calls if c.kind == "matrix products"]
    return float(sum(2 * rows * inner * columns for (rows, inner), (_, columns) in shapes))


def replay_seconds(calls: list[Call]) -> dict[str, float]:
    """Time of the operations of each kind, forward and backward, compiled one by one.

    Args:
        calls: Of a forward pass.

    Returns:
        Seconds by kind. A compiled step fuses some of them, so they need not add up to its time.
    """
    alike: dict[Any, list[Call]] = {}
    for call in calls:
        shapes = [tuple(np.shape(argument)) for argument in call.arguments]
        alike.setdefault(repr((call.function, shapes, call.options)), []).append(call)
    seconds = dict.fromkeys(KINDS, 0.0)
    for group in alike.values():
        seconds[group[0].kind] += len(group) * _seconds(_with_gradient(group[0]))
    return seconds


def matrix_rate(size: int = 2048) -> float:
    """Floating-point operations per second of one large float32 matrix product, compiled likewise."""
    rng = np.random.default_rng(0)
    a, b = (tf.constant(rng.normal(size=(size, size)).astype(np.float32)) for _ in range(2))
    product = tf.function(tf.matmul, jit_compile=True)
    return 2.0 * size**3 / _seconds(lambda: product(a, b))


def _with_gradient(call: Call) -> Callable[[], Any]:
    values = [tf.convert_to_tensor(argument) for argument in call.arguments]
    floating = [value for value in values if value.dtype.is_floating]

    @tf.function(jit_compile=True)
    def both() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(floating)
            result = call.function(*values, **call.options)
        return result, tape.gradient(result, floating)

    return both


def _seconds(function: Callable[[], Any]) -> float:
    """Median time of a call, compilation left out."""
    function()
    times = []
    for _ in range(REPETITIONS):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
    return median(times)
