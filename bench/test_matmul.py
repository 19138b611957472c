"""Matrix products on one thread: squares, and what the layers of the networks multiply."""

from ganglion.benchmark.workloads import PRODUCTS
from timed import cases, time_rounds


@cases(PRODUCTS)
def test_product(benchmark, work, peer, threads):
    time_rounds(benchmark, work, peer, threads)
