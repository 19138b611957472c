"""What a piece of work is that several libraries can do, and how far an answer lies from the right one."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ganglion import reference

__all__ = ["Array", "Exact", "Workload", "exact_optimizer"]

Array = NDArray[np.float32]
Exact = NDArray[np.float64]

ADAM_RATE, SGD_RATE = 1e-4, 0.05
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def exact_optimizer(name: str) -> reference.Optimizer:
    """The optimizer that all peers must be, with the constants above."""
    if name == "sgd":
        return reference.SGD(SGD_RATE)
    return reference.Adam(ADAM_RATE, beta1=BETA1, beta2=BETA2, epsilon=EPSILON)


@dataclass(frozen=True)
class Workload(ABC):
    """One piece of work that several libraries can do.

    Attributes
    ----------
    name
        How the command line calls it.
    unit
        What the times are of: a step, a call, a product.
    tolerance
        The largest `deviation` of an answer in float32.
    one_thread_only
        Whether it is compared on one thread alone.
    """

    name: str

    unit: ClassVar[str]
    tolerance: ClassVar[float]
    one_thread_only: ClassVar[bool] = False

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is, in a few words."""

    @property
    @abstractmethod
    def units(self) -> int:
        """How many units a peer does before it looks at the clock."""

    @property
    @abstractmethod
    def flops(self) -> int:
        """Floating-point operations of the unit's products, 0 if it has none; a fused multiply-add counts as two."""

    @property
    @abstractmethod
    def bytes_moved(self) -> int:
        """The least that a unit must read and write: each number that it needs or changes once."""

    @abstractmethod
    def expected(self) -> list[Exact]:
        """The right answer, computed in float64 by `ganglion.reference`."""

    def start(self) -> Sequence[Array | float]:
        """What the answer would be if nothing were done: that of no answer is its distance from here."""
        return [0.0] * len(self.expected())

    def deviation(self, answer: Sequence[NDArray[Any]], expected: Sequence[Exact]) -> float:
        """The largest ‖answer − expected‖ / ‖expected − start‖ of the answer's arrays; infinite where shapes differ.

        Doing nothing has the deviation 1, and so has doing twice as much.

        Examples
        --------
        >>> from ganglion.benchmark.workloads import find
        >>> work = find("matmul-16")[0]
        >>> [right] = expected = work.expected()
        >>> work.deviation([right], expected), work.deviation([2 * right], expected), work.deviation([], expected)
        (0.0, 1.0, inf)
        """
        if [part.shape for part in answer] != [part.shape for part in expected]:
            return math.inf
        parts = zip(answer, expected, self.start(), strict=True)
        shares = [_norm(a - e) / _norm(e - s) for a, e, s in parts]
        return max(shares) if np.isfinite(shares).all() else math.inf


def _norm(x: Exact) -> float:
    return float(np.linalg.norm(x))
