"""`functional.matmul` beside NumPy's on one thread: squares from 16 to 2048, what the layers of networks multiply,
forward and, with transposed views, backward, many or few rows through wide layers, and few columns.

usage: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python bench/micro/products.py

Prints both speeds, ours as a share of the measured peak, and the ratio of the times: with an array to write to, and
with one made by the call.
"""

import time
from itertools import pairwise

import numpy as np

from ganglion import _native, functional, machine

SIZES = (
    16,
    24,
    32,
    48,
    50,
    64,
    96,
    100,
    128,
    160,
    200,
    256,
    300,
    384,
    500,
    512,
    640,
    768,
    1000,
    1024,
    1536,
    2000,
    2048,
)
# Batch and widths of the six workloads, and of one row through two of them.
NETWORKS = (
    (11, (1, 13, 1)),
    (64, (17, 64, 64, 6)),
    (100, (784, 50, 10)),
    (256, (54, 256, 256, 7)),
    (128, (784, 512, 512, 10)),
    (1024, (1024, 1024, 1024, 1024, 1000)),
    (1, (17, 64)),
    (1, (784, 512)),
)


def steps():
    """Every product of their steps once, x · W, xᵀ · dz and dz · Wᵀ: M, N, K and which operand is a transposed view."""
    for B, widths in NETWORKS:
        for layer, (I, O) in enumerate(pairwise(widths)):
            yield B, O, I, ""
            if B > 1:
                yield I, O, B, "a"
                if layer > 0:
                    yield B, I, O, "b"


SIDES = (16, 64, 256, 2048)
OTHERS = (
    *[(M, N, K) for M in SIDES for N in SIDES for K in SIDES if len({M, N, K}) > 1],
    *((1, 2048, 2048), (4, 2048, 2048), (98, 2048, 784), (300, 900, 700), (6000, 512, 784), (4096, 512, 64)),
)
TRANSPOSED = [(M, N, K, view) for view in "ab" for M in SIDES for N in SIDES for K in SIDES]
NARROW = [(256, N, 256) for N in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13)]
ROUNDS = 11


def medians(calls, flops):
    """Seconds of each call, the calls taking turns."""
    times = max(1, int(0.015 / (flops / 1e11 + 1e-6)))
    rounds = []
    for _ in range(ROUNDS):
        rounds.append([])
        for call in calls:
            start = time.perf_counter()
            for _ in range(times):
                call()
            rounds[-1].append((time.perf_counter() - start) / times)
    return np.median(rounds[1:], axis=0)


def main():
    random = np.random.default_rng(0)
    peak = _native.measured_peak(machine.context(1))
    for group, shapes in {
        "squares": [(n, n, n, "") for n in SIZES],
        "layers": tuple(dict.fromkeys(steps())),
        "others": [(*shape, "") for shape in OTHERS],
        "transposed": TRANSPOSED,
        "narrow": [(*shape, "") for shape in NARROW],
    }.items():
        ratios = []
        for M, N, K, transposed in shapes:
            a, b = random.standard_normal((M, K), np.float32), random.standard_normal((K, N), np.float32)
            if transposed == "a":
                a = np.ascontiguousarray(a.T).T
            if transposed == "b":
                b = np.ascontiguousarray(b.T).T
            out, flops = np.zeros((M, N), np.float32), 2 * M * N * K
            np.testing.assert_allclose(functional.matmul(a, b, threads=1), a @ b, rtol=1e-3, atol=1e-3)
            theirs, ours, their_new, our_new = medians(
                (
                    lambda a=a, b=b, out=out: np.matmul(a, b, out=out),
                    lambda a=a, b=b, out=out: functional.matmul(a, b, out, threads=1),
                    lambda a=a, b=b: a @ b,
                    lambda a=a, b=b: functional.matmul(a, b, threads=1),
                ),
                flops,
            )
            ratios.append((theirs / ours, their_new / our_new))
            speeds = (
                f"NumPy {flops / theirs / 1e9:4.0f}, ours {flops / ours / 1e9:4.0f} GFLOP/s, {flops / ours / peak:4.0%}"
            )
            view = {"a": "aᵀ", "b": "bᵀ", "": "  "}[transposed]
            print(f"{M:5} × {K:4} × {N:4} {view}  {speeds}  {ratios[-1][0]:.2f}  {ratios[-1][1]:.2f}", flush=True)
        print(f"{group}: median ratios {np.median(ratios, axis=0).round(2)}, least {np.min(ratios, axis=0).round(2)}")


if __name__ == "__main__":
    main()
