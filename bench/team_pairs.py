"""Is the team that ganglion chooses ever a bad one? Times it beside one thread, in pairs.

usage: python bench/team_pairs.py [WORKLOAD ...]

For each training of `ganglion bench`, 31 pairs of fits, in turn one with ``threads=1`` and one that chooses for itself.
Prints the median of the 31 ratios of their times, chosen / one thread, and the quartiles; it should be at most 1.03.
"""

import math
import sys
import time

import numpy as np

from ganglion.benchmark import peers, workloads

PAIRS, SECONDS = 31, 0.1


def timed(job, times):
    start = time.perf_counter()
    for _ in range(times):
        job.run()
    return time.perf_counter() - start


def main():
    for work in workloads.TRAININGS:
        if sys.argv[1:] and work.name not in sys.argv[1:]:
            continue
        one, chosen = (peers.make(work, "ganglion", threads) for threads in (1, 0))
        timed(chosen, math.ceil(1 / timed(chosen, 1)))  # the team is found
        times = max(1, math.ceil(SECONDS / timed(one, 1)))
        ratios = [timed(chosen, times) / timed(one, times) for _ in range(PAIRS)]
        low, median, high = np.percentile(ratios, (25, 50, 75))
        print(f"{work.name:8} {median:.3f}   ({low:.3f} – {high:.3f})", flush=True)


if __name__ == "__main__":
    main()
