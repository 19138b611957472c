"""How long an import takes, in fresh interpreters."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys

__all__ = ["IMPORTS", "import_seconds"]

# What is shown, and the program whose last line is timed.
IMPORTS = {
    "numpy": ("import numpy",),
    "ganglion": ("import ganglion",),
    "ganglion after numpy": ("import numpy", "import ganglion"),
    # The package imports most of itself when it is asked for; this is what a program that trains asks for.
    "ganglion to train after numpy": ("import numpy", "from ganglion import Adam, Dense, Sequential, Trainer"),
    "torch": ("import torch",),
    "jax": ("import jax",),
    "keras": ("import keras",),
    "sklearn": ("import sklearn.neural_network",),
    "onnxruntime": ("import onnxruntime",),
}


def import_once(name: str) -> float | None:
    """Seconds of the last line of the program; None if it fails.

    Examples
    --------
    >>> import_once("numpy") > 0
    True
    """
    *before, timed = IMPORTS[name]
    began, ended = "start = time.perf_counter()", "print(time.perf_counter() - start)"
    program = "\n".join(["import time", *before, began, timed, ended])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else None


def import_seconds(names: list[str], rounds: int) -> dict[str, tuple[float, ...]]:
    """Seconds of each import, one a round in random order, fastest median first; what is not installed is left out."""
    # The first import, which reads the files from disk, does not count.
    times: dict[str, list[float]] = {name: [] for name in names if import_once(name) is not None}
    for _ in range(rounds):
        for name in random.sample(list(times), len(times)):
            seconds = import_once(name)
            if seconds is not None:
                times[name].append(seconds)
    found = {name: tuple(seconds) for name, seconds in times.items() if seconds}
    return dict(sorted(found.items(), key=lambda item: statistics.median(item[1])))
