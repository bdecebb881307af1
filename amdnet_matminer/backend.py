"""Start Keras and its backend, quietly."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

VERBOSITY = "TF_CPP_MIN_LOG_LEVEL"
"""TensorFlow's own switch; whoever sets it below 3 gets all of TensorFlow's notes."""


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
    """Whether TensorFlow sees a GPU."""
    import tensorflow

    return bool(tensorflow.config.list_physical_devices("GPU"))


def start_keras() -> None:
    """Import Keras without TensorFlow's notes on the machine, which would bury real messages.

    Recent versions of TensorFlow write them whatever ``TF_CPP_MIN_LOG_LEVEL`` says.
    """
    if os.environ.setdefault(VERBOSITY, "3") != "3":
        return
    with _silent_stderr():
        keras = import_module("keras")
        if keras.backend.backend() == "tensorflow":
            has_gpu()


start_keras()
