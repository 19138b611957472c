"""Learning rates as functions of the optimizer step, evaluated in the core; step 0 is the first."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ganglion import _native, inputs
from ganglion.descriptions import Description, Family

__all__ = [
    "SCHEDULES",
    "Constant",
    "Cosine",
    "CosineDecay",
    "Exponential",
    "ExponentialDecay",
    "LinearDecay",
    "OneCycle",
    "PiecewiseConstant",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "Sampled",
    "Schedule",
    "StepDecay",
    "WarmUp",
    "learning_rate",
]


class Schedule(Description):
    """Base of the schedules; called with a step's number, one gives the rate that the core will use."""

    def __call__(self, step: int) -> float:
        """Rate of a step, counted from 0."""
        return self.native().rate(inputs.integer("step", step, minimum=0))

    def prepare(self, training: _native.Training, steps: int) -> None:
        """Let the core know what it cannot compute, before a run of so many steps."""

    @abstractmethod
    def native(self) -> _native.Schedule:
        """Its row of the core's table."""

    def _check_rate(self, name: str, *, zero: bool = False) -> None:
        bound: dict[str, float] = {"minimum": 0} if zero else {"above": 0}
        self._set(name, inputs.real(name, getattr(self, name), **bound))

    def _check_steps(self, minimum: int = 1) -> None:
        steps: object = getattr(self, "steps")  # noqa: B009 (the base has none)
        self._set("steps", inputs.integer("steps", steps, minimum=minimum, maximum=inputs.LARGEST_COUNT))


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
        self._check_rate("initial")
        self._check_rate("final", zero=True)
        self._check_steps()

    def native(self) -> _native.Schedule:
        """Its row of the core's table."""
        return _native.Schedule(self.row, self.initial, self.final, self.steps)


@SCHEDULES.add("step")
@dataclass(frozen=True, repr=False)
class StepDecay(Schedule):
    """A staircase: rate(t) = initial · factor^⌊t / steps⌋.

    Parameters
    ----------
    initial
        Rate of the first step, greater than 0.
    steps
        Number of optimizer steps at each rate.
    factor
        Greater than 0; above 1 the rate grows.

    Raises
    ------
    ValueError
        If a number is not finite or out of bounds.

    Examples
    --------
    >>> [StepDecay(1.0, steps=2, factor=0.5)(step) for step in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    initial: float
    steps: int
    factor: float

    def __post_init__(self) -> None:
        self._check_rate("initial")
        self._check_steps()
        self._check_rate("factor")

    def native(self) -> _native.Schedule:
        """Its row of the core's table."""
        return _native.Schedule(self.row, self.initial, 0.0, self.steps, factor=self.factor)


@SCHEDULES.add("exponential")
@dataclass(frozen=True, repr=False)
class Exponential(StepDecay):
    """A smooth decay: rate(t) = initial · factor^(t / steps), with the arguments of `StepDecay`.

    Examples
    --------
    >>> [round(Exponential(1.0, steps=2, factor=0.5)(step), 4) for step in range(5)]
    [1.0, 0.7071, 0.5, 0.3536, 0.25]
    """


@SCHEDULES.add("cosine")
@dataclass(frozen=True, repr=False)
class Cosine(LinearDecay):
    """Half a wave, then constant: rate(t) = final + (initial − final) · ½ (1 + cos(π · min(t, steps) / steps)).

    The arguments are those of `LinearDecay`. I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm
    restarts", ICLR 2017, equation 5, without restarts.

    Examples
    --------
    >>> [round(Cosine(1.0, 0.0, steps=4)(step), 4) for step in range(6)]
    [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]
    """


@SCHEDULES.add("piecewise")
@dataclass(frozen=True, repr=False)
class PiecewiseConstant(Schedule):
    """One rate after the other: rates[i] up to and with step boundaries[i], the last rate from there on.

    Parameters
    ----------
    boundaries
        Steps, ascending.
    rates
        One more; each at least 0.

    Raises
    ------
    TypeError, ValueError
        If the lengths do not fit, the boundaries do not ascend or a rate is not finite or negative.

    Examples
    --------
    >>> [PiecewiseConstant([1, 3], [0.1, 0.01, 0.001])(step) for step in range(5)]
    [0.1, 0.1, 0.01, 0.01, 0.001]
    """

    boundaries: Sequence[int]
    rates: Sequence[float]

    def __post_init__(self) -> None:
        for name in ("boundaries", "rates"):
            if not isinstance(getattr(self, name), Sequence):
                raise TypeError(f"{name} must be a list; given {getattr(self, name)!r}")
        boundaries = tuple(inputs.integer("a boundary", step, minimum=0) for step in self.boundaries)
        if list(boundaries) != sorted(set(boundaries)):
            raise ValueError(f"boundaries must ascend; given {list(boundaries)}")
        if len(self.rates) != len(boundaries) + 1:
            counts = f"{len(boundaries)} boundaries and {len(self.rates)} rates"
            raise ValueError(f"rates must be one more than boundaries; given {counts}")
        self._set("boundaries", boundaries)
        self._set("rates", tuple(inputs.real("a rate", rate, minimum=0) for rate in self.rates))

    def native(self) -> _native.Schedule:
        """Its row of the core's table."""
        return _native.Schedule(self.row, boundaries=list(self.boundaries), rates=list(self.rates))


@SCHEDULES.add("warm_up")
@dataclass(frozen=True, repr=False)
class WarmUp(Schedule):
    """A straight line up to another schedule, which then begins at its step 0.

    rate(t) = initial + (schedule(0) − initial) · t / steps for t < steps, else schedule(t − steps).

    Parameters
    ----------
    schedule
        What follows: a schedule, or a number for a constant rate.
    steps
        Number of optimizer steps until then.
    initial
        Rate of the first step, at least 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds.

    Examples
    --------
    >>> [WarmUp(0.2, steps=4)(step) for step in range(6)]
    [0.0, 0.05, 0.1, 0.15..., 0.2, 0.2]
    """

    schedule: float | Schedule
    steps: int
    initial: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.schedule, Sampled) or (callable(self.schedule) and not isinstance(self.schedule, Schedule)):
            raise TypeError("schedule must be a formula or a number; write the warm-up into the function of the step")
        self._set("schedule", learning_rate(self.schedule))
        self._check_steps()
        self._check_rate("initial", zero=True)

    def native(self) -> _native.Schedule:
        """Its row of the core's table."""
        after = self.schedule if isinstance(self.schedule, Schedule) else Constant(self.schedule)
        return _native.Schedule(self.row, self.initial, 0.0, self.steps, then=after.native())


@SCHEDULES.add("one_cycle")
@dataclass(frozen=True, repr=False)
class OneCycle(Schedule):
    """Up to a peak and down to almost nothing, each along half a wave.

    From peak / divisor at step 0 to `peak` at step rise · steps − 1, then to peak / divisor / final_divisor at step
    steps − 1, and constant from there on.

    Parameters
    ----------
    peak
        The largest rate, greater than 0.
    steps
        Number of optimizer steps of the whole training, at least 2.
    rise
        Share of them that the rate rises for, in (0, 1).
    divisor, final_divisor
        Greater than 0.

    Raises
    ------
    ValueError
        If a number is not finite or out of bounds.

    Notes
    -----
    L. N. Smith and N. Topin, "Super-convergence: very fast training of neural networks using large learning rates",
    2018. The same as PyTorch's ``OneCycleLR`` with ``max_lr``, ``total_steps``, ``pct_start``, ``div_factor`` and
    ``final_div_factor``, which moves Adam's beta1 too unless ``cycle_momentum=False``.

    Examples
    --------
    >>> [round(OneCycle(1.0, steps=10, rise=0.3)(step), 3) for step in (0, 1, 2, 5, 9)]
    [0.04, 0.52, 1.0, 0.611, 0.0]
    """

    peak: float
    steps: int
    rise: float = 0.3
    divisor: float = 25.0
    final_divisor: float = 1e4

    def __post_init__(self) -> None:
        for name in ("peak", "divisor", "final_divisor"):
            self._check_rate(name)
        self._check_steps(minimum=2)
        self._set("rise", inputs.real("rise", self.rise, above=0, below=1))

    def native(self) -> _native.Schedule:
        """Its row of the core's table."""
        initial = self.peak / self.divisor
        final, peak_step = initial / self.final_divisor, self.rise * self.steps - 1
        return _native.Schedule(self.row, initial, final, self.steps, peak=self.peak, peak_step=peak_step)


@SCHEDULES.add("sampled")
@dataclass(frozen=True, repr=False)
class Sampled(Schedule):
    """Any function of the step; a function given as ``learning_rate`` means this.

    It is called ahead of the steps, once for each, an epoch at a time: let the rate depend on the step alone.

    Parameters
    ----------
    function
        From the step's number, 0, 1, …, to its rate, finite and at least 0.

    Raises
    ------
    TypeError, ValueError
        If it cannot be called, or, when a run is about to begin, if it gives no such rate.

    Examples
    --------
    >>> import ganglion as gg
    >>> optimizer = gg.SGD(lambda step: 0.1 / (1 + step))
    >>> optimizer.schedule(3)
    0.025
    """

    function: Callable[[int], float]

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(f"function must be a function of the step; given {self.function!r}")

    def __call__(self, step: int) -> float:
        """Rate of a step, counted from 0."""
        return inputs.real(f"learning_rate({step})", self.function(step), minimum=0)

    def prepare(self, training: _native.Training, steps: int) -> None:
        """Call the function for the steps of the next run."""
        first = training.step
        training.sample(first, [self(step) for step in range(first, first + steps)])

    def native(self) -> _native.Schedule:
        """Its row of the core's table, without rates yet."""
        return _native.Schedule(self.row)


def learning_rate(value: object) -> float | Schedule:
    """What an optimizer stores: a schedule, or a positive number."""
    if isinstance(value, Schedule):
        return value
    if callable(value) and not isinstance(value, type):
        return Sampled(value)
    if isinstance(value, type):
        raise TypeError(f"learning_rate is the class {value.__name__} itself; write {value.__name__}(…)")
    return inputs.real("learning_rate", value, above=0)


from ganglion.keras_schedules import (  # noqa: E402 (it takes the classes above)
    CosineDecay,
    ExponentialDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
