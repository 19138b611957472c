"""A worker of the benchmarks with peers that do what peers must not: ``python bad_peers.py``, see test_benchmark.py."""

import os
import sys
import time
from dataclasses import replace

from ganglion.benchmark import peer_training, peers, worker
from ganglion.benchmark.networks import Training


def _run_by(job, run):
    return replace(job, run=run)


def right(work, threads):
    return peer_training.numpy(work, threads)


def wrong(work, threads):
    return peer_training.numpy(replace(work, checked_steps=work.checked_steps - 1), threads)


def raises(work, threads):
    raise RuntimeError("no such device")


def absent(work, threads):
    raise ImportError("No module named 'absent'")


def dies(work, threads):
    print("illegal instruction", file=sys.stderr, flush=True)
    os._exit(3)


def dies_later(work, threads):
    return _run_by(right(work, threads), DiesAt(4))


class DiesAt:
    """The process ends at so many calls."""

    def __init__(self, calls):
        self.calls = calls

    def __call__(self):
        self.calls -= 1
        if self.calls == 0:
            os._exit(4)


def hangs(work, threads):
    print("printed by a library")  # which must not be taken for an answer
    time.sleep(1000)


def diverges(work, threads):
    job = right(work, threads)
    return _run_by(job, lambda: job.answer()[0].fill(float("nan")))


NAMES = ("right", "wrong", "raises", "absent", "dies", "dies_later", "hangs", "diverges")
TABLE = {name: f"bad:{name}" for name in NAMES}

if __name__ == "__main__":
    sys.modules["ganglion.benchmark.peer_bad"] = sys.modules["__main__"]
    peers.PEERS[Training] = TABLE
    worker.main()
