"""Activation functions of a hidden layer's outputs, in cache, on one thread."""

from ganglion.benchmark.workloads import ACTIVATIONS
from timed import cases, time_rounds


@cases(ACTIVATIONS)
def test_activation(benchmark, work, peer, threads):
    time_rounds(benchmark, work, peer, threads)
