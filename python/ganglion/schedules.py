"""Learning rates as functions of the optimizer step, evaluated in the core; step 0 is the first."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from ganglion import _native, inputs
from ganglion.descriptions import Description, Family

__all__ = ["SCHEDULES", "Constant", "LinearDecay", "Schedule", "learning_rate"]


class Schedule(Description):
    """Base of the schedules."""

    @abstractmethod
    def native(self) -> _native.Schedule:
        """Its row of the core's table."""


SCHEDULES = Family[Schedule]("schedule", Schedule)


@SCHEDULES.add("constant")
@dataclass(frozen=True, repr=False)
class Constant(Schedule):
    """The same rate at every step; a plain number given as ``learning_rate`` means this.

    Parameters
    ----------
    rate
        Greater than 0.

    Raises
    ------
    ValueError
        If the rate is not finite and positive.
    """

    rate: float

    def __post_init__(self) -> None:
        self._set("rate", inputs.real("learning_rate", self.rate, above=0))

    def native(self) -> _native.Schedule:
        """Its row of the core's table."""
        return _native.Schedule(self.row, self.rate, self.rate, 1)


@SCHEDULES.add("linear")
@dataclass(frozen=True, repr=False)
class LinearDecay(Schedule):
    """A straight line, then constant: rate(t) = initial + (final − initial) · min(t, steps) / steps.

    Parameters
    ----------
    initial
        Rate of the first step, greater than 0.
    final
        Rate from step number `steps` on; it may be 0.
    steps
        Number of optimizer steps until then: epochs · ⌈rows / batch_size⌉ for a whole training.

    Raises
    ------
    ValueError
        If a rate is not finite or out of bounds, or `steps` is not in 1 … 2³¹ − 1.

    Examples
    --------
    >>> import ganglion as gg
    >>> gg.SGD(gg.LinearDecay(0.1, 0.0, steps=1000), momentum=0.9)
    SGD(learning_rate=LinearDecay(0.1, 0.0, 1000), momentum=0.9)
    """

    initial: float
    final: float
    steps: int

    def __post_init__(self) -> None:
        self._set("initial", inputs.real("initial", self.initial, above=0))
        self._set("final", inputs.real("final", self.final, minimum=0))
        self._set("steps", inputs.integer("steps", self.steps, minimum=1, maximum=inputs.LARGEST_COUNT))

    def native(self) -> _native.Schedule:
        """Its row of the core's table."""
        return _native.Schedule(self.row, self.initial, self.final, self.steps)


def learning_rate(value: object) -> float | Schedule:
    """What an optimizer stores: a schedule, or a positive number."""
    return value if isinstance(value, Schedule) else inputs.real("learning_rate", value, above=0)
