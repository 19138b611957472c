"""``ganglion verify``: whether this machine trains to the published bits, on each of its kernel sets and any team."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import ganglion as gg
from ganglion.progress import duration

__all__ = ["PUBLISHED", "Run", "data", "model", "run", "runs"]

ROWS, FEATURES, CLASSES = 700, 37, 5
TEAMS = (1, 2, 3)
# SHA-256 of the weights, in parameter order, after the training below. Only a new version of the numerics changes them.
PUBLISHED = {
    "float32": "61702da6ec4c3fb6d5b850b4e7b0c453bb9337843116cfd60b2b791da6a954d2",
    "float64": "83671d20fbc668096b1386eaa19efba58ca8bd583da66baf46b835d468985a57",
}


@dataclass(frozen=True)
class Run:
    """One training, what was asked for and what ran."""

    dtype: str
    kernel_set: str
    threads: int
    ran: tuple[str, int]
    seconds: float
    sha256: str

    @property
    def ok(self) -> bool:
        """Whether what was asked for ran and gave the published bits."""
        return self.ran == (self.kernel_set, self.threads) and self.sha256 == PUBLISHED[self.dtype]

    def __str__(self) -> str:
        verdict = "as published" if self.ok else "NOT as published"
        return f"{self.sha256[:16]}… by {self.ran[0]} with a team of {self.ran[1]}, {verdict}"


def data() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Make images of a sort by exact arithmetic, so that no library's version matters."""
    i = np.arange(ROWS * FEATURES).reshape(ROWS, FEATURES)
    x = ((i * 7919 % 1009 - 504) / 512).astype(np.float32)
    return x, i[:, 0] * 31 % 101 % CLASSES


def model(dtype: str) -> gg.Sequential:
    """Make a network whose sizes are multiples of nothing."""
    hidden = [gg.Dense(67, activation="tanh"), gg.Dense(35, activation="sigmoid"), gg.Dense(19, activation="relu")]
    return gg.Sequential([*hidden, gg.Dense(CLASSES)], seed=1, dtype=dtype)


def runs() -> Iterator[Run]:
    """Train on every kernel set of the machine with every team."""
    x, y = data()
    names = [name for name, supported in gg.info().kernel_sets.items() if supported]
    try:
        for dtype, name, threads in itertools.product(PUBLISHED, names, TEAMS):
            gg.use_kernel_set(name)
            network = model(dtype)
            trainer = gg.Trainer(network, "cross_entropy", gg.Adam(1e-2), threads=threads)
            history = trainer.fit(x, y, epochs=4, batch_size=300, verbose=0)
            ran = (history.report.kernel_set, history.report.team) if history.report else ("none", 0)
            digest = hashlib.sha256(b"".join(weight.tobytes() for weight in network.get_weights())).hexdigest()
            yield Run(dtype, name, threads, ran, history.seconds, digest)
    finally:
        gg.use_kernel_set(None)


def run() -> bool:
    """Do it, compare a model with the reference, and print all of it; tell whether all is well."""
    print(gg.info())
    print()
    print("weights after 12 steps, by their SHA-256:")
    well = True
    for (dtype, kernel_set), group in itertools.groupby(runs(), key=lambda result: (result.dtype, result.kernel_set)):
        results = list(group)
        wrong = [result for result in results if not result.ok]
        well &= not wrong
        teams = ", ".join(str(result.threads) for result in results)
        seconds = duration(sum(result.seconds for result in results))
        verdict = "; ".join(map(str, wrong)) or f"{PUBLISHED[dtype][:16]}…, as published"
        print(f"  {dtype}  {kernel_set:<7} threads {teams} {seconds:>8}   {verdict}")
    x, y = data()
    for dtype in PUBLISHED:
        print()
        network = model(dtype)
        network.build((FEATURES,))
        well &= gg.verify(network, x[:64], y[:64]).ok
    print()
    print("all is well" if well else "THIS MACHINE DOES NOT COMPUTE WHAT IT SHOULD: please report the lines above")
    return well
