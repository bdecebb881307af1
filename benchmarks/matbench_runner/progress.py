"""How long the folds that are left will take."""

from __future__ import annotations

from collections.abc import Sequence

from matbench_runner.folds import Job
from matbench_runner.models import settings_of
from matbench_runner.options import Options
from matbench_runner.tasks import n_crystals


class Progress:
    """Counts the folds that are done, and tells from their times when the rest will be.

    Args:
        jobs: All folds that are to be trained.
        options: What was asked for.
    """

    def __init__(self, jobs: Sequence[Job], options: Options) -> None:
        self._left = list(jobs)
        self._work = {job: work_of(job, options) for job in jobs}
        self._parallel = options.parallel
        self._seconds: dict[Job, float] = {}

    def done(self, job: Job, seconds: float) -> str:
        """Note that a fold is done.

        Args:
            job: Which one.
            seconds: How long it took.

        Returns:
            How many folds are done and how much time is left, of its task and in all.
        """
        self._left.remove(job)
        self._seconds[job] = seconds
        of_task = self._said([other for other in self._left if other[:2] == job[:2]], job[:2])
        in_all = (
            "" if all(other[:2] == job[:2] for other in self._left) else f"; in all {self._said(self._left)}"
        )
        return f"{job.task}, {job.model}: {of_task}{in_all}"

    def _said(self, left: Sequence[Job], of: tuple[str, str] | None = None) -> str:
        n_done = sum(of is None or other[:2] == of for other in self._seconds)
        text = f"{n_done} of {n_done + len(left)} folds done"
        rates = [self._seconds_per_work(job) for job in left]
        if not left or None in rates:
            return text
        seconds = sum(self._work[job] * rate for job, rate in zip(left, rates, strict=True) if rate)
        return f"{text}, about {duration(seconds / min(self._parallel, len(left)))} left"

    def _seconds_per_work(self, job: Job) -> float | None:
        """From folds of the same task, or else of the same model; None if there are none."""
        alike = [other for other in self._seconds if other[:2] == job[:2]]
        alike = alike or [other for other in self._seconds if other.model == job.model]
        if not alike:
            return None
        return sum(self._seconds[other] for other in alike) / sum(self._work[other] for other in alike)


def work_of(job: Job, options: Options) -> float:
    """What a fold costs: crystals, times the passes that networks make over them."""
    settings = settings_of(job.model, job.task, options)
    n_task = n_crystals(job.task) if options.stand_in is None else options.stand_in_size
    if "minutes" in settings:
        return settings["minutes"]
    return float(n_task * settings.get("epochs", 1) * settings.get("n_ensemble", 1))


def duration(seconds: float) -> str:
    """A time in a unit that suits it."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
