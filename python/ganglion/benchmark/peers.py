"""Who does the work: ganglion and, where they are installed, the libraries that it is compared with.

A peer is a function that takes a workload and a number of threads (0: its default) and returns a `Job`. It imports its
library itself, in a process of its own.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganglion.benchmark.features import FeatureTraining
from ganglion.benchmark.kernels import Activation, Product, Update
from ganglion.benchmark.networks import Prediction, Training
from ganglion.benchmark.workload import Workload

__all__ = ["DISTRIBUTIONS", "PEERS", "Job", "make", "names", "versions"]


@dataclass(frozen=True)
class Job:
    """A workload in the hands of one library.

    Attributes
    ----------
    check
        Does, once and first, what the answer is of.
    answer
        The answer as it is now: weights, outputs.
    run
        Does the workload's units, which is timed.
    """

    check: Callable[[], object]
    answer: Callable[[], list[NDArray[np.generic]]]
    run: Callable[[], object]


Peer = Callable[[Any, int], Job]

# What each name of a peer stands for; the first part names the library.
PEERS: dict[type[Workload], dict[str, str]] = {
    Training: {
        "ganglion": "training:ganglion",
        "ganglion.loop": "training:ganglion_loop",
        "numpy": "training:numpy",
        "torch": "training:torch",
        "torch.compile": "training:torch_compile",
        "jax": "training_jax:steps",
        "jax.scan": "training_jax:epochs",
        "keras": "training:keras",
        "sklearn": "training:sklearn",
    },
    FeatureTraining: {
        "ganglion": "training:ganglion",
        "torch": "training:torch",
        "jax": "training_jax:steps",
        "jax.scan": "training_jax:epochs",
        "keras": "training:keras",
    },
    Prediction: {name: f"prediction:{name}" for name in ("ganglion", "numpy", "torch", "jax", "onnxruntime")},
    Product: {name: f"kernels:{name}_product" for name in ("ganglion", "numpy", "torch", "jax")},
    Activation: {name: f"kernels:{name}_activation" for name in ("ganglion", "numpy", "torch", "jax")},
    Update: {name: f"kernels:{name}_update" for name in ("ganglion", "numpy", "torch")},
}

# Packages whose versions are shown: the peers', and what does their arithmetic.
DISTRIBUTIONS = ("ganglion", "numpy", "torch", "jax", "jaxlib", "keras", "scikit-learn", "onnxruntime")


def names() -> list[str]:
    """All peers, each once.

    Examples
    --------
    >>> names()[:3]
    ['ganglion', 'ganglion.loop', 'numpy']
    """
    return list(dict.fromkeys(name for table in PEERS.values() for name in table))


def make(work: Workload, peer: str, threads: int) -> Job:
    """Hand the work to a peer.

    Raises
    ------
    ImportError
        Its library is not installed.
    """
    module, _, function = PEERS[type(work)][peer].partition(":")
    maker: Peer = getattr(importlib.import_module(f"ganglion.benchmark.peer_{module}"), function)
    return maker(work, threads)


def versions() -> Iterator[tuple[str, str]]:
    """Name and version of each of `DISTRIBUTIONS` that is installed."""
    for name in DISTRIBUTIONS:
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
