"""Compares first, then times: every peer in processes of its own, one of them at work at a time.

Thread pools of different libraries in one process disturb one another by factors of ten and more, and so do processes
that work at the same time. Machines get faster and slower by the minute, so rounds are interleaved in random order.
"""

from __future__ import annotations

import json
import math
import os
import random
import selectors
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from ganglion.benchmark.networks import Training
from ganglion.benchmark.peers import PEERS
from ganglion.benchmark.worker import Request, read_answer
from ganglion.benchmark.workload import Exact, Workload

__all__ = ["Dropped", "Outcome", "PeerError", "Plan", "Result", "Worker", "compare", "started"]

COMMAND = (sys.executable, "-m", "ganglion.benchmark.worker")
DEADLINE = 300.0  # seconds for one answer; torch.compile takes half a minute

# The variables that libraries read once, when they are loaded.
ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
ON_THE_CPU = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}


class PeerError(RuntimeError):
    """A peer gave no answer or a wrong one; the text says what happened."""


class AbsentError(PeerError):
    """The peer's library is not installed."""


@dataclass(frozen=True)
class Plan:
    """How to measure.

    Attributes
    ----------
    rounds
        How often each peer is timed.
    seconds
        The least that a round takes.
    deadline
        Seconds after which a peer that gives no answer is dropped.
    """

    rounds: int = 7
    seconds: float = 0.25
    deadline: float = DEADLINE


@dataclass(frozen=True)
class Result:
    """One peer at one number of threads.

    Attributes
    ----------
    threads
        0 for the peer's default.
    deviation
        That of its answer, see `Workload.deviation`.
    seconds
        Of a unit, one a round.
    """

    peer: str
    threads: int
    deviation: float
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds a unit."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Dropped:
    """A peer that was not timed, or not to the end."""

    peer: str
    threads: int
    reason: str


@dataclass(frozen=True)
class Outcome:
    """What came of one workload."""

    work: Workload
    results: tuple[Result, ...]
    dropped: tuple[Dropped, ...]

    def best(self) -> list[Result]:
        """The better of each peer's results, fastest first."""
        better: dict[str, Result] = {}
        for result in sorted(self.results, key=lambda result: result.median):
            better.setdefault(result.peer, result)
        return list(better.values())

    def ratio(self, peer: str = "ganglion") -> float | None:
        """How many times as fast as the best of the other libraries it is; None where one of the two is missing."""
        library = peer.partition(".")[0]
        ours = [result for result in self.best() if result.peer == peer]
        others = [result for result in self.best() if result.peer.partition(".")[0] != library]
        return others[0].median / ours[0].median if ours and others else None


class Worker:
    """A process with one peer in it."""

    def __init__(self, process: subprocess.Popen[str], request: Request, deadline: float, log: IO[str]) -> None:
        self.process, self.request, self.deadline, self.log = process, request, deadline, log
        self.deviation = math.inf
        self.times: list[float] = []

    def ask(self, line: str) -> dict[str, Any]:
        """Send a line and wait for the answer.

        Raises
        ------
        PeerError
            It died, hung or said that it failed.
        """
        stdin, stdout = cast("IO[str]", self.process.stdin), cast("IO[str]", self.process.stdout)
        with suppress(BrokenPipeError):  # what it said before its end is read below
            stdin.write(line + "\n")
            stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            if not selector.select(self.deadline):
                raise PeerError(f"no answer in {self.deadline:g} s")
        said = stdout.readline()
        if not said:
            status = self.process.wait()
            raise PeerError(f"ended with status {status}{self._last_words()}")
        answer: dict[str, Any] = json.loads(said)
        if "absent" in answer:
            raise AbsentError(answer["absent"])
        if "failed" in answer:
            raise PeerError(answer["failed"])
        return answer

    def _last_words(self) -> str:
        self.log.seek(0)
        lines = self.log.read().strip().splitlines()
        return f": {lines[-1]}" if lines else ""

    def check(self, work: Workload, expected: Sequence[Exact]) -> None:
        """Let it compute its answer and compare that with the right one."""
        self.ask(json.dumps(asdict(self.request)))
        self.deviation = work.deviation(read_answer(Path(self.request.answer)), expected)
        if not self.deviation <= work.tolerance:
            raise PeerError(f"wrong answer: {self.deviation:.2g} off, where {work.tolerance:g} is allowed")

    def time(self) -> float:
        """Time a round: seconds a unit, also kept in `times`."""
        self.times.append(float(self.ask("time")["seconds"]))
        return self.times[-1]

    def end(self) -> None:
        """End the process and all that it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(BrokenPipeError):
                cast("IO[str]", pipe).close()

    def check_again(self) -> None:
        """Look whether what was timed has led to finite numbers."""
        self.ask("answer")
        if not all(np.isfinite(part).all() for part in read_answer(Path(self.request.answer))):
            raise PeerError("its numbers were no longer finite after the timing")


@contextmanager
def started(work: Workload, peer: str, threads: int, plan: Plan) -> Iterator[Worker]:
    """A worker that has not been asked anything yet; its process ends with the block."""
    environment = {**os.environ, **ON_THE_CPU, **(ONE_THREAD if threads == 1 else {})}
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        shuffle = isinstance(work, Training) and work.shuffle
        request = Request(work.name, shuffle, peer, threads, plan.seconds, str(Path(folder) / "answer.npz"))
        process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
            start_new_session=True,  # it and all that it has started can be ended together
        )
        worker = Worker(process, request, plan.deadline, log)
        try:
            yield worker
        finally:
            worker.end()


def settings(work: Workload, default_threads: int) -> tuple[int, ...]:
    """The numbers of threads to try: one, and each peer's default where that may be more."""
    return (1,) if work.one_thread_only or default_threads == 1 else (1, 0)


def compare(work: Workload, peers: Sequence[str], thread_settings: Sequence[int], plan: Plan) -> Outcome:
    """Check every peer's answer, then time those that were right.

    A peer whose library is not installed is left out; one that fails, dies, hangs or is wrong is dropped and named.
    """
    expected = work.expected()
    chosen = [(peer, threads) for peer in peers if peer in PEERS[type(work)] for threads in thread_settings]
    dropped: list[Dropped] = []
    with ExitStack() as stack:
        workers: dict[tuple[str, int], Worker] = {}

        def keep(key: tuple[str, int], ask: Callable[[Worker], object]) -> None:
            """Keep the worker if it does what it is asked."""
            try:
                ask(workers[key])
            except PeerError as error:
                workers.pop(key).end()  # what hangs may be busy, and must not disturb the others
                if not isinstance(error, AbsentError):
                    dropped.append(Dropped(*key, str(error)))

        for key in chosen:
            workers[key] = stack.enter_context(started(work, *key, plan))
            keep(key, lambda worker: worker.check(work, expected))
        for _ in range(plan.rounds):
            for key in random.sample(list(workers), len(workers)):
                keep(key, Worker.time)
        for key in list(workers):
            keep(key, Worker.check_again)
        results = [Result(*key, worker.deviation, tuple(worker.times)) for key, worker in workers.items()]
    return Outcome(work, tuple(results), tuple(dropped))
