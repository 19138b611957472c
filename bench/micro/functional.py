"""`ganglion.functional` beside what a textbook writes in NumPy, on small arrays of float32: what a call costs.

usage: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python bench/micro/functional.py

Prints microseconds a call of ours and of NumPy's, the least of some rounds by turns.
"""

import time

import numpy as np

import ganglion.functional as F  # noqa: N812

SHAPES = ((10,), (64, 64), (100, 50))
FUNCTIONS = (
    ("relu", F.relu, lambda x: np.maximum(x, 0)),
    ("relu'", F.relu_derivative, lambda x: (x > 0).astype(x.dtype)),
    ("sigmoid", F.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    ("sigmoid'", F.sigmoid_derivative, lambda x: (lambda y: y * (1 - y))(1 / (1 + np.exp(-x)))),
    ("tanh", F.tanh, np.tanh),
    ("tanh'", F.tanh_derivative, lambda x: 1 - np.tanh(x) ** 2),
    ("softmax", F.softmax, lambda x: (lambda e: e / e.sum(-1, keepdims=True))(np.exp(x - x.max(-1, keepdims=True)))),
)
CALLS, ROUNDS = 1000, 9


def microseconds(call, x):
    """Of one of many calls."""
    start = time.perf_counter()
    for _ in range(CALLS):
        call(x)
    return (time.perf_counter() - start) / CALLS * 1e6


def main() -> None:
    """Print a line for each shape and function."""
    random = np.random.default_rng(0)
    for shape in SHAPES:
        x = random.standard_normal(shape, np.float32)
        for name, ours, theirs in FUNCTIONS:
            np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-4, atol=1e-6)
            rounds = [(microseconds(ours, x), microseconds(theirs, x)) for _ in range(ROUNDS)]
            own, numpy = np.min(rounds, axis=0)
            print(f"{shape!s:10} {name:9} {own:6.2f}  NumPy {numpy:6.2f}  {numpy / own:.2f}", flush=True)


if __name__ == "__main__":
    main()
