"""One peer with one workload in a process of its own: ``python -m ganglion.benchmark.worker``.

The first line of the standard input is a request in JSON. The peer does what its answer is of, writes the answer to the
file that the request names, and says so; then each line ``time`` is answered with seconds a unit, and ``answer`` with
the answer as it has become. Whatever a library prints goes to the standard error.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganglion.benchmark.peers import Job, make
from ganglion.benchmark.workloads import find

__all__ = ["Request", "main", "read_answer"]


@dataclass(frozen=True)
class Request:
    """What a worker is to do.

    Attributes
    ----------
    work, shuffle
        The workload's name, and whether a training shuffles.
    peer, threads
        Who does it and on how many threads; 0 is the peer's default.
    seconds
        The least that a round takes.
    answer
        The file to write the answer to.
    """

    work: str
    shuffle: bool
    peer: str
    threads: int
    seconds: float
    answer: str


def write_answer(job: Job, path: Path) -> None:
    """Write the arrays of the job's answer."""
    np.savez(path, *job.answer())


def read_answer(path: Path) -> list[Any]:
    """Read what `write_answer` wrote."""
    with np.load(path) as file:
        return [file[name] for name in file]


def _timed(job: Job, times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        job.run()
    return time.perf_counter() - start


def main() -> None:
    """Serve one request until the standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(**message: object) -> None:
        print(json.dumps(message), file=answers, flush=True)

    request = Request(**json.loads(sys.stdin.readline()))
    path = Path(request.answer)
    (work,) = find(request.work, shuffle=request.shuffle)
    try:
        job = make(work, request.peer, request.threads)
        job.check()
        write_answer(job, path)
        _timed(job, 1)  # compiles, and wakes pools and caches up
        times = max(1, math.ceil(request.seconds / _timed(job, 1)))
    except ImportError as error:
        return say(absent=str(error))
    except Exception as error:  # whatever a library may raise is said, and the others go on
        return say(failed=f"{type(error).__name__}: {error}")
    say(ready=True)
    for line in sys.stdin:
        if line == "time\n":
            _timed(job, 1)
            say(seconds=_timed(job, times) / (times * work.units))
        else:
            write_answer(job, path)
            say(ready=True)
    return None


if __name__ == "__main__":
    main()
