"""Schedules: the learning rate of each step, of which the first is step 0."""

import math
from collections.abc import Callable, Sequence
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


@dataclass(frozen=True)
class Staircase:
    """`initial`, multiplied by `factor` after every `steps` steps.

    Examples
    --------
    >>> [Staircase(1.0, 2, 0.5)(step) for step in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    initial: float
    steps: int
    factor: float

    def __call__(self, step: int) -> float:
        """Return the rate of a step."""
        return float(self.initial * self.factor ** (step // self.steps))


@dataclass(frozen=True)
class Exponential:
    """`initial`, multiplied by `factor` over every `steps` steps, a little at each.

    Examples
    --------
    >>> [round(Exponential(1.0, 2, 0.5)(step), 4) for step in range(4)]
    [1.0, 0.7071, 0.5, 0.3536]
    """

    initial: float
    steps: int
    factor: float

    def __call__(self, step: int) -> float:
        """Return the rate of a step."""
        return float(self.initial * self.factor ** (step / self.steps))


@dataclass(frozen=True)
class Cosine:
    """From `initial` at step 0 along half a wave to `final` at step `steps` (Loshchilov & Hutter 2017, equation 5).

    Examples
    --------
    >>> [round(Cosine(1.0, 0.0, 4)(step), 4) for step in range(6)]
    [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]
    """

    initial: float
    final: float
    steps: int

    def __call__(self, step: int) -> float:
        """Return the rate of a step."""
        angle = math.pi * min(step / self.steps, 1.0)
        return self.final + (self.initial - self.final) * (1 + math.cos(angle)) / 2


@dataclass(frozen=True)
class Piecewise:
    """rates[i] as long as the step is not past boundaries[i], then the last.

    Examples
    --------
    >>> [Piecewise((1, 3), (0.1, 0.01, 0.001))(step) for step in range(5)]
    [0.1, 0.1, 0.01, 0.01, 0.001]
    """

    boundaries: Sequence[int]
    rates: Sequence[float]

    def __call__(self, step: int) -> float:
        """Return the rate of a step."""
        return self.rates[sum(boundary < step for boundary in self.boundaries)]


@dataclass(frozen=True)
class WarmUp:
    """From `initial` in a straight line to the first rate of another schedule, which begins at step `steps`.

    Examples
    --------
    >>> [WarmUp(0.0, 2, Linear(1.0, 0.0, 4))(step) for step in range(5)]
    [0.0, 0.5, 1.0, 0.75, 0.5]
    """

    initial: float
    steps: int
    then: Schedule

    def __call__(self, step: int) -> float:
        """Return the rate of a step."""
        return (
            Linear(self.initial, self.then(0), self.steps)(step) if step < self.steps else self.then(step - self.steps)
        )


@dataclass(frozen=True)
class OneCycle:
    """Half a wave up to `peak` at `peak_step`, half a wave down to `final` at step `steps` − 1 (Smith & Topin 2018).

    Examples
    --------
    >>> [round(OneCycle(0.0, 1.0, 0.5, 2, 5)(step), 3) for step in range(6)]
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.5]
    """

    initial: float
    peak: float
    final: float
    peak_step: float
    steps: int

    def __call__(self, step: int) -> float:
        """Return the rate of a step."""
        points, rates = [0.0, self.peak_step, self.steps - 1.0], [self.initial, self.peak, self.final]
        part = 0 if step < points[1] else 1
        share = min((step - points[part]) / (points[part + 1] - points[part]), 1.0)
        return rates[part] + (rates[part + 1] - rates[part]) * math.sin(math.pi / 2 * share) ** 2


@dataclass(frozen=True)
class Sampled:
    """Rates one by one, from a step on.

    Examples
    --------
    >>> Sampled((0.3, 0.1))(1)
    0.1
    """

    rates: Sequence[float]
    first: int = 0

    def __call__(self, step: int) -> float:
        """Return the rate of a step."""
        return self.rates[step - self.first]


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "constant": Constant,
    "linear": Linear,
    "step": Staircase,
    "exponential": Exponential,
    "cosine": Cosine,
    "piecewise": Piecewise,
    "warm_up": WarmUp,
    "one_cycle": OneCycle,
    "sampled": Sampled,
}
