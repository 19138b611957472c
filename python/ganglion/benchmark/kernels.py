"""Single operations: matrix products, activation functions, optimizer updates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganglion import reference
from ganglion.benchmark.workload import Array, Exact, Workload, exact_optimizer

__all__ = ["Activation", "Product", "Update"]


@dataclass(frozen=True)
class Product(Workload):
    """A (M, K) times B (K, N) into memory that is there: a single kernel, so all on one thread."""

    M: int
    K: int
    N: int

    unit = "product"
    tolerance = 1e-5
    one_thread_only = True

    @property
    def title(self) -> str:
        return f"({self.M}, {self.K}) · ({self.K}, {self.N})"

    @property
    def units(self) -> int:
        return max(1, min(100, 10**8 // self.flops))

    @property
    def flops(self) -> int:
        return 2 * self.M * self.K * self.N

    @property
    def bytes_moved(self) -> int:
        return 4 * (self.M * self.K + self.K * self.N + self.M * self.N)

    def factors(self) -> tuple[Array, Array]:
        """A and B."""
        random = np.random.default_rng(3)
        a = random.standard_normal((self.M, self.K), np.float32)
        return a, random.standard_normal((self.K, self.N), np.float32)

    def expected(self) -> list[Exact]:
        a, b = self.factors()
        return [a.astype(np.float64) @ b.astype(np.float64)]


@dataclass(frozen=True)
class Activation(Workload):
    """An activation function of as many numbers as a hidden layer has, in cache, into memory that is there."""

    function: str
    size: int = 128 * 256

    unit = "sweep"
    units = 20
    tolerance = 1e-5
    one_thread_only = True
    flops = 0

    @property
    def title(self) -> str:
        return f"{self.function} of {self.size:,} numbers"

    @property
    def bytes_moved(self) -> int:
        return 8 * self.size

    def z(self) -> Array:
        """(size,)."""
        return np.random.default_rng(4).standard_normal(self.size, np.float32)

    def expected(self) -> list[Exact]:
        return [reference.Activation(self.function).forward(self.z().astype(np.float64))]


@dataclass(frozen=True)
class Update(Workload):
    """One optimizer's update of a flat array of parameters; the answer is the weights after the first."""

    optimizer: str
    size: int

    unit = "update"
    units = 20
    tolerance = 1e-3  # of the change, which is small beside the weight that it is added to
    one_thread_only = True
    flops = 0

    @property
    def title(self) -> str:
        return f"{self.optimizer} of {self.size:,} parameters"

    @property
    def bytes_moved(self) -> int:
        return 4 * self.size * {"sgd": 3, "adam": 7}[self.optimizer]

    def arrays(self) -> tuple[Array, Array]:
        """Weights and gradient, (size,)."""
        random = np.random.default_rng(5)
        return random.standard_normal(self.size, np.float32), random.standard_normal(self.size, np.float32)

    def start(self) -> Sequence[Array | float]:
        return [self.arrays()[0]]

    def expected(self) -> list[Exact]:
        w, g = (array.astype(np.float64) for array in self.arrays())
        exact_optimizer(self.optimizer).update([w], [g])
        return [w]
