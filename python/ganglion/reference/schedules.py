"""Schedules: the learning rate of each step, of which the first is step 0."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Schedule: TypeAlias = Callable[[int], float]


@dataclass(frozen=True)
class Constant:
    """The same rate at every step.

    Examples
    --------
    >>> Constant(0.1)(1000)
    0.1
    """

    rate: float

    def __call__(self, _step: int) -> float:
        """Return the rate of a step."""
        return self.rate


@dataclass(frozen=True)
class Linear:
    """From `initial` at step 0 in a straight line to `final` at step `steps`, and `final` from there on.

    Examples
    --------
    >>> [Linear(1.0, 0.0, 4)(step) for step in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    initial: float
    final: float
    steps: int

    def __call__(self, step: int) -> float:
        """Return the rate of a step."""
        share = min(step / self.steps, 1.0)
        return (1 - share) * self.initial + share * self.final


SCHEDULES: dict[str, Callable[..., Schedule]] = {"constant": Constant, "linear": Linear}
