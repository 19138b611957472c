"""Training: whole epochs, and a call a step (``ganglion.loop``, ``jax``), with rows as they lie and in a new order."""

from dataclasses import replace

from ganglion.benchmark.workloads import FEATURE_TRAININGS, TRAININGS
from timed import cases, time_rounds


@cases(TRAININGS)
def test_rows_as_they_lie(benchmark, work, peer, threads):
    time_rounds(benchmark, work, peer, threads)


@cases(TRAININGS)
def test_rows_in_a_new_order_each_epoch(benchmark, work, peer, threads):
    time_rounds(benchmark, replace(work, shuffle=True), peer, threads)


@cases(FEATURE_TRAININGS)
def test_with_a_feature(benchmark, work, peer, threads):
    time_rounds(benchmark, work, peer, threads)
