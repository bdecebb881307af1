"""Keras and its backend: a quiet start, and the devices to compute on."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from typing import Any

from amdnet_matminer.errors import MissingDependencyError

VERBOSITY = "TF_CPP_MIN_LOG_LEVEL"
"""TensorFlow's own switch; whoever sets it below 3 gets all of TensorFlow's notes."""

BACKENDS = ("tensorflow", "jax", "torch")
"""What Keras can compute with."""

_computing_process: int | None = None


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Send what C++ code writes past ``sys.stderr`` to nowhere."""
    stderr = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def has_gpu() -> bool:
    """Whether Keras' backend sees a GPU."""
    import keras

    backend = import_module(keras.backend.backend())
    if keras.backend.backend() == "tensorflow":
        return bool(backend.config.list_physical_devices("GPU"))
    if keras.backend.backend() == "jax":
        return bool(backend.default_backend() == "gpu")
    return bool(backend.cuda.is_available())


def sharing_devices(shares: int) -> Any:
    """The Keras distribution that lets several devices share a batch, if one is set.

    Args:
        shares: Into how many equal parts every array of a batch can be cut.

    Returns:
        The distribution, or None for a single device.

    Raises:
        ValueError: This way of sharing would cut graphs where they do not come apart.
    """
    import keras

    distribution = keras.distribution.distribution()
    if keras.backend.backend() != "jax":
        if distribution is not None or _has_strategy():
            raise ValueError(
                "several devices can share the graphs of a batch on JAX only; set KERAS_BACKEND=jax and "
                "keras.distribution.set_distribution(keras.distribution.DataParallel())"
            )
    elif distribution is not None and shares % (n_devices := distribution.device_mesh.devices.size):
        raise ValueError(
            f"{n_devices} devices cannot share a batch, whose arrays are cut into {shares} parts; give "
            f"DataParallel(devices=...) a number of devices that divides {shares}"
        )
    return distribution


def refuse_forked_process() -> None:
    """Stop a process that was forked from one that has computed, before it hangs.

    TensorFlow and JAX compute in threads, which a fork does not copy, so that the child would
    wait for them without end. To be called before anything is computed.

    Raises:
        RuntimeError: This is such a process.
    """
    global _computing_process
    import keras

    if _computing_process is None:
        _computing_process = os.getpid()
        if hasattr(os, "register_at_fork"):
            # What is no longer used is left to the parent: to let go of functions of TensorFlow crashes a
            # child that only featurizes, as those of matminer's pools do.
            os.register_at_fork(after_in_child=gc.freeze)
    if _computing_process != os.getpid() and keras.backend.backend() != "torch":
        raise RuntimeError(
            f"this process was forked from one that had computed with {keras.backend.backend()}, whose "
            "threads a fork does not copy: it would wait for them without end; start processes with "
            "joblib's loky, which is its default, or with multiprocessing.get_context('spawn')"
        )


def _has_strategy() -> bool:
    """Whether TensorFlow is told to distribute its own way, which would cut the arrays of a batch apart."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and tensorflow.distribute.has_strategy()


def start_keras() -> None:
    """Import Keras without TensorFlow's notes on the machine, which would bury real messages.

    Recent versions of TensorFlow write them whatever ``TF_CPP_MIN_LOG_LEVEL`` says.

    Raises:
        MissingDependencyError: Keras or its backend is not installed.
    """
    is_quiet = os.environ.setdefault(VERBOSITY, "3") == "3"
    with _silent_stderr() if is_quiet else nullcontext():
        try:
            keras = import_module("keras")
        except ModuleNotFoundError as error:
            raise _missing(error) from error
        if is_quiet and keras.backend.backend() == "tensorflow":
            has_gpu()


def _missing(error: ModuleNotFoundError) -> ImportError:
    """What to do about a module without which Keras cannot be imported."""
    name = (error.name or "").partition(".")[0]
    if name not in ("keras", *BACKENDS):
        return error
    return MissingDependencyError(
        f"networks need {name}, which is not installed",
        f"pip install {name}, or let KERAS_BACKEND name what is there, of {', '.join(BACKENDS)}",
    )


start_keras()
