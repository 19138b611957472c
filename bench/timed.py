"""How the tests here time peers: in processes of their own, by a clock that stands still while nothing is timed."""

from collections.abc import Iterable

import pytest

from ganglion import machine
from ganglion.benchmark import peers, processes

ROUNDS = 5
PLAN = processes.Plan()


class Clock:
    """What pytest-benchmark takes for the time: the sum of all seconds that workers have reported."""

    now = 0.0

    def __call__(self):
        return self.now

    def add(self, seconds):
        self.now += seconds


clock = Clock()


def cases(works: Iterable):
    """Each workload with each of its peers and each number of threads, to be given to `time_rounds`."""
    default = machine.context().threads
    return pytest.mark.parametrize(
        ("work", "peer", "threads"),
        [
            pytest.param(work, peer, threads, id=f"{work.name}-{peer}-{threads or 'default'}")
            for work in works
            for peer in peers.PEERS[type(work)]
            for threads in processes.settings(work, default)
        ],
    )


def time_rounds(benchmark, work, peer, threads):
    """Compare the peer's answer, which decides the test; then time it, seconds being those of a step or call."""
    benchmark.group = work.name
    benchmark.extra_info.update(title=work.title, unit=work.unit, flops=work.flops, bytes=work.bytes_moved)
    with processes.started(work, peer, threads, PLAN) as worker:
        try:
            worker.check(work, work.expected())
        except processes.AbsentError as error:
            pytest.skip(str(error))
        benchmark.extra_info["deviation"] = worker.deviation
        benchmark.pedantic(lambda: clock.add(worker.time()), rounds=ROUNDS)
        worker.check_again()
