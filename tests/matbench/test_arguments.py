"""The options, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from amdnet_matminer.cli import main


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--task", "matbench_steels"], "no MatBench task on structures"),
        (["--fold", "5"], "invalid choice: 5"),
        (["--epochs", "0"], "epochs must be an integer from 1 to"),
        (["--model", "magic"], "invalid choice: 'magic'"),
        (["--preset", "slow"], "there is no preset 'slow'"),
        (["--preset", "matbench_steels=quick"], "a preset is given for 'matbench_steels'"),
        (["--device", "tpu"], "--device must be auto, cpu"),
        (["--parallel", "0"], "--parallel must be at least 1"),
        (["--rows", "1.5"], "--rows above 0 and at most 1"),
        (["--arch=megnet"], "unrecognized arguments"),
    ],
)
def test_wrong_option(options: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["matbench", *options])
    assert stop.value.code == 2
    assert reason in capsys.readouterr().err


def test_all_tasks_and_one_task_once(options_of: Callable) -> None:
    assert len(options_of("--task", "all").task) == 9
    options = options_of(
        "--task", "matbench_jdft2d", "matbench_mp_gap", "matbench_jdft2d", "--fold", "3", "0"
    )
    assert (options.task, options.fold) == (["matbench_jdft2d", "matbench_mp_gap"], [0, 3])
