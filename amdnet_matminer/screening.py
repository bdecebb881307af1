"""One result for each of very many crystals: read a window at a time, in order, failures in their places."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from pymatgen.core import Element

from amdnet_matminer.errors import AMDNetError, StructureError
from amdnet_matminer.parallel import Work, attempt, chunked
from amdnet_matminer.structure_files import Entry, read_noted

if TYPE_CHECKING:
    from amdnet_matminer.estimators import AMDNetEstimator
    from amdnet_matminer.graphs import DualGraph

logger = logging.getLogger(__name__)

Value = TypeVar("Value", covariant=True)
Product = TypeVar("Product")

WINDOW = 512
"""Crystals held at a time: enough to fill batches, few enough to lose little when stopped."""

_WINDOWS_AHEAD = 2
"""Windows that processes work on while results are used: a network predicts meanwhile."""

_CRYSTALS_PER_TASK = 4
"""Held at least for each task, where a cluster has so many processes that a window is soon done."""

_TASKS_PER_PROCESS = 4
"""In a window: few, since each is sent what it needs; more than one, since crystals differ in size."""


class Outcome(NamedTuple, Generic[Value]):
    """What became of one crystal."""

    id: str
    value: Value | None
    """None if it failed."""
    error: str = ""
    """Why it failed, in one line; empty if it did not."""


class Prediction(NamedTuple):
    """What a model says of one crystal."""

    prediction: Any
    """A number in the unit of the target, of several targets a list; of a classifier the class."""
    std: Any
    """Its standard deviation, of several targets a list; NaN if none was asked for."""
    novelty: float
    """How much of the crystal was not in the training, from 0 to 1; NaN if the model does not know."""
    unseen: tuple[str, ...]
    """Elements that were in no training crystal."""
    probabilities: Sequence[float] = ()
    """Of the classes of a classifier, in the order of its ``classes_``."""


def screen(
    entries: Iterable[Entry], work: Work[Value], n_jobs: int | None = 1
) -> Iterator[Sequence[Outcome[Value]]]:
    """Do something with every crystal while they are read.

    Args:
        entries: The crystals, as ``open_crystals`` gives them.
        work: What gives one value for each of a list of crystals; must be picklable if
            ``n_jobs`` is not 1.
        n_jobs: Number of processes that read and work, as joblib counts them.

    Yields:
        The outcomes of a window of crystals after another: one for each, in order. What
        should be known about a crystal that can be used is logged as a warning.

    Raises:
        DatasetError: A file ends in something that cannot be read.
    """
    remaining = iter(entries)
    n_processes = effective_n_jobs(n_jobs)
    n_tasks = _TASKS_PER_PROCESS * n_processes
    held = max(WINDOW, _CRYSTALS_PER_TASK * n_tasks)
    with Parallel(n_jobs=n_jobs) as parallel:

        def next_window() -> list[tuple[list[Outcome[Value]], list[str]]]:
            window = list(islice(remaining, held))
            size = -(-len(window) // n_tasks)
            tasks = (window[first : first + size] for first in range(0, len(window), size or 1))
            return list(parallel(delayed(_work_on)(work, task) for task in tasks))

        # What one process does cannot be done ahead of itself.
        for done in _ahead(next_window) if n_processes > 1 else iter(next_window, []):
            for note in (note for _, notes in done for note in notes):
                logger.warning("%s", note)
            yield [outcome for outcomes, _ in done for outcome in outcomes]


def predict(
    model: AMDNetEstimator,
    entries: Iterable[Entry],
    return_std: bool = False,
    convert: Work[DualGraph] | None = None,
) -> Iterator[Sequence[Outcome[Prediction]]]:
    """Predict crystals while they are read.

    Args:
        model: A fitted estimator; its ``n_jobs`` is also the number of processes that
            read crystals and make their graphs.
        entries: The crystals, as ``open_crystals`` gives them.
        return_std: Whether standard deviations are asked for, which a classifier does not give.
        convert: What makes graphs of the crystals; None is the model's converter.

    Yields:
        The predictions of a window of crystals after another: one for each, in order.

    Raises:
        DatasetError: A file ends in something that cannot be read.
    """
    for window in screen(entries, convert or model.converter_.convert_few, model.n_jobs):
        graphs = [outcome.value for outcome in window if outcome.value is not None]
        found = iter(_predictions(model, graphs, return_std) if graphs else [])
        yield [
            Outcome(key, None, error) if error else _outcome(key, _finite(next(found)))
            for key, _, error in window
        ]


def _ahead(produce: Callable[[], list[Product]]) -> Iterator[list[Product]]:
    """What a function gives, call after call until it gives nothing, made in a thread while it is used."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        waiting: deque[Future[list[Product]]] = deque()
        try:
            waiting.extend(thread.submit(produce) for _ in range(_WINDOWS_AHEAD))
            while product := waiting.popleft().result():
                waiting.append(thread.submit(produce))
                yield product
        finally:
            thread.shutdown(cancel_futures=True)


def _work_on(work: Work[Value], entries: Sequence[Entry]) -> tuple[list[Outcome[Value]], list[str]]:
    """What became of crystals, and what should be known about them, told by the process that asked."""
    notes: list[str] = []
    found = [_read(entry, notes) for entry in entries]
    readable = [(i, read) for i, read in enumerate(found) if not isinstance(read, AMDNetError)]
    results = iter(chain.from_iterable(attempt(work, chunk) for chunk in chunked(readable)))
    return [
        _outcome(entry.id, read if isinstance(read, AMDNetError) else next(results))
        for entry, read in zip(entries, found, strict=True)
    ], notes


def _read(entry: Entry, notes: list[str]) -> Any:
    """What an entry has for a crystal, or the error that it has."""
    try:
        structure, said = read_noted(entry)
    except AMDNetError as error:
        return error
    notes += said
    return structure


def _outcome(key: str, found: Value | AMDNetError) -> Outcome[Value]:
    if not isinstance(found, AMDNetError):
        return Outcome(key, found)
    failure = found.at(item=key) if isinstance(found, StructureError) else found
    return Outcome(key, None, " ".join(str(failure).split()))


def _predictions(model: AMDNetEstimator, graphs: Sequence[DualGraph], return_std: bool) -> list[Prediction]:
    from amdnet_matminer.estimators import AMDNetClassifier

    unknown = np.full(len(graphs), np.nan)
    novelty = unknown if model.domain_ is None else model.novelty(graphs)
    unseen = [_unseen(model, graph) for graph in graphs]
    if isinstance(model, AMDNetClassifier):
        probabilities = model.predict_proba(graphs)
        said = model.classes_[probabilities.argmax(axis=1)], unknown, novelty
        return list(map(Prediction, *(part.tolist() for part in said), unseen, probabilities.tolist()))
    mean, std = model.predict(graphs, return_std=True) if return_std else (model.predict(graphs), unknown)
    if mean[0].size == 1:  # one target, of shape () or (1,)
        mean, std = mean.ravel(), std.ravel()
    return list(map(Prediction, mean.tolist(), std.tolist(), novelty.tolist(), unseen))


def _unseen(model: AMDNetEstimator, graph: DualGraph) -> tuple[str, ...]:
    """Elements of a crystal that the model was not fitted to, by atomic number."""
    if model.domain_ is None:
        return ()
    numbers = set(graph.atoms.atomic_number.tolist()) - model.domain_.elements
    return tuple(Element.from_Z(number).symbol for number in sorted(numbers))


def _finite(found: Prediction | AMDNetError) -> Prediction | AMDNetError:
    if isinstance(found, AMDNetError) or np.isfinite(found.probabilities or found.prediction).all():
        return found
    return StructureError(f"gets {found.prediction} from the model", "train the model anew")
