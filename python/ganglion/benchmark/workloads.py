"""The tables of all that is timed, and their names."""

from __future__ import annotations

from dataclasses import replace

from ganglion.benchmark.features import with_features
from ganglion.benchmark.kernels import Activation, Product, Update
from ganglion.benchmark.networks import Prediction, Training
from ganglion.benchmark.workload import Workload

__all__ = [
    "ACTIVATIONS",
    "FEATURE_TRAININGS",
    "GROUPS",
    "PREDICTIONS",
    "PRODUCTS",
    "TRAININGS",
    "UPDATES",
    "WORKLOADS",
    "find",
]

TRAININGS = (
    Training("thermo", (1, 13, 1), "tanh", "mse", "sgd", batch=11, steps=1, epochs=2000),
    Training("rl", (17, 64, 64, 6), "tanh", "mse", "adam", batch=64, steps=64, epochs=16),
    Training("book", (784, 50, 10), "sigmoid", "cross_entropy", "sgd", batch=100, steps=200),
    Training("tabular", (54, 256, 256, 7), "relu", "cross_entropy", "adam", batch=256, steps=78, epochs=2),
    Training("mnist", (784, 512, 512, 10), "relu", "cross_entropy", "adam", batch=128, steps=60),
    Training("wide", (1024, 1024, 1024, 1024, 1000), "relu", "cross_entropy", "adam", batch=1024, steps=8),
)
FEATURE_TRAININGS = tuple(
    found for work in TRAININGS if work.name in {"tabular", "mnist"} for found in with_features(work)
)
PREDICTIONS = tuple(
    Prediction(f"predict-{name}{suffix}", widths, rows)
    for name, widths in (("small", (17, 64, 64, 6)), ("mnist", (784, 512, 512, 10)))
    for suffix, rows in (("", 1), ("-64", 64))
)
# Squares, then what the layers of the networks above multiply: forward, weight gradient and input gradient.
_SHAPES = (
    *((n, n, n) for n in (16, 32, 64, 128, 256, 512, 1024)),
    *((64, 17, 64), (64, 64, 64), (64, 64, 6), (100, 784, 50), (784, 100, 50), (256, 54, 256), (256, 256, 7)),
    *((256, 256, 256), (128, 784, 512), (784, 128, 512), (128, 512, 512), (128, 512, 10), (512, 128, 10)),
)
PRODUCTS = tuple(
    Product(f"matmul-{M}" if M == K == N else f"matmul-{M}x{K}x{N}", M, K, N) for M, K, N in dict.fromkeys(_SHAPES)
)
ACTIVATIONS = tuple(Activation(f"activation-{name}", name) for name in ("relu", "sigmoid", "tanh"))
UPDATES = tuple(
    Update(f"update-{name}-{size}", name, size) for name in ("sgd", "adam") for size in (2**12, 2**16, 2**20, 2**23)
)

GROUPS: dict[str, tuple[Workload, ...]] = {
    "train": TRAININGS,
    "features": FEATURE_TRAININGS,
    "predict": PREDICTIONS,
    "matmul": PRODUCTS,
    "activation": ACTIVATIONS,
    "update": UPDATES,
}
WORKLOADS: dict[str, Workload] = {work.name: work for group in GROUPS.values() for work in group}


def find(name: str, *, shuffle: bool = False) -> tuple[Workload, ...]:
    """The workload of this name, or all of a group: train, features, predict, matmul, activation, update.

    Raises
    ------
    ValueError
        There is no such name; the message lists the known ones.

    Examples
    --------
    >>> [work.name for work in find("train")]
    ['thermo', 'rl', 'book', 'tabular', 'mnist', 'wide']
    """
    found = GROUPS.get(name) or ((WORKLOADS[name],) if name in WORKLOADS else ())
    if not found:
        known = f"the groups {', '.join(GROUPS)} and {', '.join(WORKLOADS)}"
        raise ValueError(f"unknown workload {name!r}; known are {known}")
    return tuple(replace(work, shuffle=shuffle) if isinstance(work, Training) else work for work in found)
