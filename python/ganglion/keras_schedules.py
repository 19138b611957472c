"""Keras's names and arguments for schedules that mean the same here; `ganglion.schedules` has them too."""

# ruff: noqa: N802 (the names are Keras's)

from __future__ import annotations

from typing import TYPE_CHECKING

from ganglion import inputs
from ganglion.schedules import Cosine, Exponential, LinearDecay, PiecewiseConstant, Schedule, StepDecay, WarmUp

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CosineDecay", "ExponentialDecay", "PiecewiseConstantDecay", "PolynomialDecay"]


def ExponentialDecay(
    initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False
) -> Schedule:
    """Keras's name of `Exponential`, or with ``staircase=True`` of `StepDecay`."""
    kind = StepDecay if inputs.flag("staircase", staircase) else Exponential
    return kind(initial_learning_rate, decay_steps, decay_rate)


def PiecewiseConstantDecay(boundaries: Sequence[int], values: Sequence[float]) -> Schedule:
    """Keras's name of `PiecewiseConstant`."""
    return PiecewiseConstant(boundaries, values)


def PolynomialDecay(
    initial_learning_rate: float, decay_steps: int, end_learning_rate: float = 1e-4, power: float = 1.0
) -> Schedule:
    """Keras's name of `LinearDecay`, which it is with the power 1 alone.

    Raises
    ------
    ValueError
        If the power is another.
    """
    if power != 1:
        raise ValueError(f"power must be 1, a straight line; for {power!r} give learning_rate a function of the step")
    return LinearDecay(initial_learning_rate, end_learning_rate, decay_steps)


def CosineDecay(
    initial_learning_rate: float,
    decay_steps: int,
    alpha: float = 0.0,
    *,
    warmup_target: float | None = None,
    warmup_steps: int = 0,
) -> Schedule:
    """Keras's name of `Cosine` down to the share alpha, after a `WarmUp` where there is a target for one.

    Examples
    --------
    >>> CosineDecay(0.0, 900, warmup_target=0.1, warmup_steps=100)
    WarmUp(Cosine(0.1, 0.0, 900), 100)
    """
    if warmup_target is None:
        return Cosine(initial_learning_rate, alpha * initial_learning_rate, decay_steps)
    after = Cosine(warmup_target, alpha * warmup_target, decay_steps)
    return WarmUp(after, warmup_steps, initial_learning_rate) if warmup_steps else after
