"""Throw malformed input at every reader and count what comes of it.

python benchmarks/fuzz.py

A case is right if it gives what was written, something finite, or an error of this
package that says what is wrong. All else is a finding: another exception, other
content, a prediction that is no number, code that runs, a hang, a file left
half-written. Results go to results/fuzz.json.
"""

from __future__ import annotations

import json
import logging
import random
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from common import parse, parser_of, write_result
from fuzz_cases import Part
from fuzz_faults import FAULTS
from fuzz_readers import READERS

PARTS: dict[str, Part] = READERS | FAULTS

HANG = 30
"""Seconds after which a case counts as hanging."""

MEMORY = 4 * 2**30
"""Bytes that a case may ask for, so that one that wants more fails instead of being killed."""


class Findings:
    """Counts of what came of the cases, and the cases that came out wrong."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.slowest = 0.0

    def run(self, case: str, act: Callable[[], str], refusals: tuple[type[Exception], ...]) -> None:
        """Do one case.

        Args:
            case: What it is called, so that it can be made again.
            act: Gives the outcome.
            refusals: Errors that are right answers.
        """
        start = time.perf_counter()
        try:
            with _limits():
                outcome = act()
        except refusals as error:
            outcome = f"{type(error).__name__}"
        except Exception as error:  # whatever else comes is what is looked for
            outcome = "wrong"
            self.wrong.append(f"{case}: {error!r}"[:300])
        self.outcomes[outcome] += 1
        self.slowest = max(self.slowest, time.perf_counter() - start)


def run_part(part: Part, n: int, seed: int) -> dict[str, Any]:
    """Do some cases of a part.

    Args:
        part: The part.
        n: Number of cases; case i is the same for equal seeds.
        seed: Source of the random choices.

    Returns:
        Counts, seconds and what was wrong, as JSON holds them.
    """
    findings, before, start = Findings(), _memory("VmRSS"), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        act = part.prepare(Path(folder))
        for number in range(n):
            rng = random.Random(f"{seed} {number}")
            findings.run(f"case {number}", partial(act, rng), part.refusals)
    return {
        "cases": n,
        "outcomes": dict(findings.outcomes.most_common()),
        "wrong": findings.wrong[:50],
        "slowest_s": round(findings.slowest, 3),
        "seconds": round(time.perf_counter() - start, 1),
        "memory_growth_mb": round(_memory("VmRSS") - before, 1),
    }


@contextmanager
def _limits() -> Iterator[None]:
    """Let what takes too much time or memory fail."""

    def ring(signum: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"hangs for more than {HANG} s")

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(HANG)
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (round(1e6 * _memory("VmSize")) + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.alarm(0)


def _memory(kind: str) -> float:
    """Memory of this process now, in MB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(kind))


def main() -> int:
    """Run the parts and write what they found."""
    parser = parser_of(__doc__)
    parser.add_argument("--part", nargs="*", choices=PARTS, default=list(PARTS), help="default: all")
    parser.add_argument("--fraction", type=float, default=1.0, help="of the number of cases")
    parser.add_argument("--seed", type=int, default=0)
    options = parse(parser)
    warnings.simplefilter("ignore")
    logging.disable()
    results = {}
    for name in options.part:
        part = PARTS[name]
        results[name] = run_part(part, max(1, round(part.n * options.fraction)), options.seed)
        print(name, json.dumps(results[name], indent=1), flush=True)
    if options.fraction == 1.0 and options.part == list(PARTS):
        write_result("fuzz", {"seed": options.seed, "parts": results}, options.allow_dirty)
    return int(any(part["wrong"] for part in results.values()))


if __name__ == "__main__":
    sys.exit(main())
