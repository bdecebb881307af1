"""Which processor trains: chosen before the deep-learning library is loaded."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from typing import NamedTuple

from amdnet_matminer.errors import AMDNetError

_CHOICE = re.compile(r"auto|cpu|gpu(:\d+)?")
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_QUERY = ["nvidia-smi", "--query-gpu=index,name,memory.free", "--format=csv,noheader,nounits"]


class Gpu(NamedTuple):
    """A graphics processor."""

    number: int
    """How the driver counts it."""
    name: str
    """What its maker calls it."""
    free: int
    """Memory that nobody uses, in MiB; 0 where the driver does not tell."""


def check_device(choice: str) -> None:
    """Refuse what is no choice of a device.

    Raises:
        ValueError: It is none of those that the message names.
    """
    if not _CHOICE.fullmatch(choice):
        raise ValueError(f"--device must be auto, cpu, gpu or gpu:NUMBER, got {choice!r}")


def gpus() -> list[Gpu]:
    """All NVIDIA processors of the machine; none if it has no driver."""
    try:
        answer = subprocess.run(_QUERY, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    rows = csv.reader(answer.splitlines(), skipinitialspace=True)
    # One that shares the memory of the machine answers "[N/A]".
    return [Gpu(int(number), name, int(free) if free.isdigit() else 0) for number, name, free in rows]


def choose_device(choice: str, nth: int = 0) -> str:
    """Let this process and those that it starts see one device.

    A choice that the environment makes (``CUDA_VISIBLE_DEVICES``) is left as it is.

    Args:
        choice: ``auto``, ``cpu``, ``gpu`` or ``gpu:1``; the first and the third take the
            processor with the most free memory.
        nth: Number of the process, of several that share the processors in turn.

    Returns:
        What was chosen, in words.

    Raises:
        AMDNetError: There is no such GPU.
    """
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    if choice == "cpu":
        os.environ[_VISIBLE] = "-1"
        return "CPU"
    found = sorted(gpus(), key=lambda gpu: -gpu.free)
    if ":" in choice:
        found = [gpu for gpu in found if gpu.number == int(choice.partition(":")[2])]
    if choice != "auto" and not found:
        remedy = "nvidia-smi shows which there are, and --device cpu does without"
        raise AMDNetError(f"there is no {choice}", remedy)
    if _VISIBLE in os.environ:
        return f"CUDA_VISIBLE_DEVICES={os.environ[_VISIBLE]}"
    if not found:
        return "CPU"
    gpu = found[nth % len(found)]
    # The driver counts by slot, CUDA by speed unless it is told to count so too.
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    os.environ[_VISIBLE] = str(gpu.number)
    return f"GPU {gpu.number}, {gpu.name}"


def used_device() -> str:
    """What the deep-learning library does see: ``cpu``, or the names of GPUs."""
    import keras

    found = [name for name in keras.distribution.list_devices() if not name.startswith("cpu")]
    names = {gpu.number: gpu.name for gpu in gpus()}
    visible = os.environ.get(_VISIBLE, "")
    known = names.get(int(visible)) if visible.isdigit() else None
    return ", ".join(known or name for name in found) or "cpu"
