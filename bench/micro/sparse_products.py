"""Products that leave out zeros beside dense ones, on one core: from which density on is it worth it?

usage: python bench/micro/sparse_products.py

Prints for each shape the dense speed and, by the share of A that is not zero, how many times as fast the sparse one is.
"""

import time

import numpy as np

from ganglion import _ganglion_core as core
from ganglion import machine

SHAPES = ((128, 512, 512), (64, 512, 512), (112, 1024, 1024), (128, 128, 128), (100, 784, 64), (1, 784, 512))
DENSITIES = (1.0, 0.7, 0.6, 0.5, 0.35, 0.2, 0.1)
ROUNDS = 15


def padded(rows, columns):
    """Rows that begin a cache line and are not a multiple of 4 KiB apart, as a network's."""
    memory = np.zeros(rows * (columns + 16) + 16, np.float32)
    first = -memory.ctypes.data // 4 % 16
    return memory[first : first + rows * (columns + 16)].reshape(rows, -1)[:, :columns]


def seconds(kernel_set, a, b, c, sparse):
    """Of a product, the median of some rounds."""
    times = max(1, int(2e-3 / (2 * a.size * b.shape[1] / 1e11)))
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(times):
            core.operations.matmul(kernel_set, a, b, out=c, sparse=sparse)
        rounds.append((time.perf_counter() - start) / times)
    return np.median(rounds)


def main() -> None:
    """Print a line for each shape."""
    kernel_set = machine.info().kernel_set
    generator = np.random.default_rng(0)
    print("M × K × N; times as fast with", *(f"{density:.0%}" for density in DENSITIES))
    for m, k, n in SHAPES:
        a, b, c = padded(m, k), padded(k, n), padded(m, n)
        b[:] = generator.standard_normal(b.shape)
        ratios = []
        for density in DENSITIES:
            a[:] = np.where(generator.random(a.shape) < density, generator.standard_normal(a.shape), 0)
            dense, sparse = (seconds(kernel_set, a, b, c, sparse) for sparse in (False, True))
            ratios.append(dense / sparse)
        speed = 2e-9 * m * n * k / dense
        print(f"{m:4} × {k:4} × {n:4}  dense {speed:4.0f} GFLOP/s  ", *(f"{ratio:.2f}" for ratio in ratios))


if __name__ == "__main__":
    main()
