"""How often two processors compute no more than one, as where a virtual machine's host puts both on one core.

usage: two_peaks.py [SECONDS]
The peak of one thread and of two in looks of 0.02 s, in GFLOP/s, and the share of looks below 1.5 times one's.
"""

import statistics
import sys
import time

from ganglion import _ganglion_core as core

LOOK = 0.02


def peak(threads):
    return core.measured_peak(core.Context(None, threads), seconds=LOOK) / 1e9


def main(seconds):
    end, one, two = time.perf_counter() + seconds, [], []
    while time.perf_counter() < end:
        one.append(peak(1))
        two.append(peak(2))
    slow = sum(b < 1.5 * statistics.median(one) for b in two) / len(two)
    print(f"one thread {statistics.median(one):.0f} GFLOP/s, two {statistics.median(two):.0f}")
    print(f"two no faster than one in {slow:.0%} of {len(two)} looks")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30)
