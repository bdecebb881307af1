"""Which processor trains."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from amdnet_matminer.errors import AMDNetError
from amdnet_matminer.matbench import device


class Driver:
    """A stand-in for nvidia-smi."""

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def __call__(self, *_: Any, **__: Any) -> SimpleNamespace:
        return SimpleNamespace(stdout=self.answer)


@pytest.mark.parametrize(
    ("choice", "nth", "visible", "said"),
    [
        ("auto", 0, "1", "GPU 1, NVIDIA B"),
        ("auto", 1, "0", "GPU 0, NVIDIA A"),
        ("auto", 2, "1", "GPU 1, NVIDIA B"),
        ("gpu", 0, "1", "GPU 1, NVIDIA B"),
        ("gpu:0", 1, "0", "GPU 0, NVIDIA A"),
        ("cpu", 0, "-1", "CPU"),
    ],
)
def test_device(monkeypatch: pytest.MonkeyPatch, choice: str, nth: int, visible: str, said: str) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    monkeypatch.setattr(subprocess, "run", Driver("0, NVIDIA A, 100\n1, NVIDIA B, 2000\n"))
    assert device.choose_device(choice, nth) == said
    assert device.os.environ["CUDA_VISIBLE_DEVICES"] == visible
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    assert device.choose_device("auto") == "CUDA_VISIBLE_DEVICES=7"


def test_gpus_are_counted_as_the_driver_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    monkeypatch.setattr(subprocess, "run", Driver("0, NVIDIA A, 100\n1, NVIDIA B, 2000\n"))
    assert device.choose_device("gpu:1") == "GPU 1, NVIDIA B"
    assert device.os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_gpu__memory_that_is_not_told_is_taken_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(subprocess, "run", Driver("0, NVIDIA GB10, [N/A]\n1, NVIDIA B, 2000\n"))
    assert [gpu.free for gpu in device.gpus()] == [0, 2000]
    assert device.choose_device("auto") == "GPU 1, NVIDIA B"


def test_device__there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(subprocess, "run", Driver(""))
    assert device.choose_device("auto") == "CPU"
    with pytest.raises(AMDNetError, match="there is no gpu:1"):
        device.choose_device("gpu:1")
