"""Prediction of one row and of 64, NumPy arrays in and out."""

from ganglion.benchmark.workloads import PREDICTIONS
from timed import cases, time_rounds


@cases(PREDICTIONS)
def test_prediction(benchmark, work, peer, threads):
    time_rounds(benchmark, work, peer, threads)
