"""Optimizer updates from what fits the first cache to what fits none, on one thread."""

from ganglion.benchmark.workloads import UPDATES
from timed import cases, time_rounds


@cases(UPDATES)
def test_update(benchmark, work, peer, threads):
    time_rounds(benchmark, work, peer, threads)
