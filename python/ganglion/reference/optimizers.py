"""Optimizers: what a step does to the parameters, given their gradients."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from .array import Array, as_float64
from .clipping import clipped
from .schedules import Constant, Schedule


class Optimizer(ABC):
    """Base of the optimizers: w ← w − ηₜ · direction(g + λ w).

    Parameters
    ----------
    learning_rate
        η, a number or a schedule: a function of the number of steps done.
    weight_decay
        λ, the gradient of the penalty λ/2 |w|² added to the loss; for biases too.

    Attributes
    ----------
    clip_norm, clip_value
        What `clipped` does to the gradients first.
    """

    clip_norm: float | None = None
    clip_value: float | None = None

    def __init__(self, learning_rate: float | Schedule, weight_decay: float) -> None:
        self.schedule = learning_rate if callable(learning_rate) else Constant(learning_rate)
        self.weight_decay = weight_decay
        self.step = 0

    def update(self, parameters: Sequence[Array], gradients: Sequence[Array]) -> None:
        """Make one step, in place; the arrays come in the same order at every call."""
        if self.step == 0:
            self.m = [np.zeros_like(w) for w in parameters]
            self.v = [np.zeros_like(w) for w in parameters]
        rate = self.schedule(self.step)
        self.step += 1
        gradients = clipped(gradients, self.clip_norm, self.clip_value)
        for index, (w, g) in enumerate(zip(parameters, gradients, strict=True)):
            w -= rate * self.direction(index, g + self.weight_decay * w)

    @abstractmethod
    def direction(self, index: int, g: Array) -> Array:
        """Return what the rate multiplies, from the gradient of parameter `index`; its moments are advanced."""


class SGD(Optimizer):
    """Stochastic gradient descent, with the heavy ball of Polyak 1964: m ← μ m + g, w ← w − ηₜ m.

    Nesterov's momentum is that of Sutskever, Martens, Dahl & Hinton 2013, restated for gradients at w:
    w ← w − ηₜ (g + μ m) with the new m.

    Examples
    --------
    >>> w, optimizer = np.array([1.0]), SGD(learning_rate=0.1, momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.update([w], [np.array([2.0])])
    >>> w
    array([0.5])
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 1e-2,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay)
        self.momentum, self.nesterov = momentum, nesterov

    def direction(self, index: int, g: Array) -> Array:
        """Return m, or g + μ m."""
        self.m[index] = self.momentum * self.m[index] + g
        return g + self.momentum * self.m[index] if self.nesterov else self.m[index]


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, Algorithm 1), with λ w added to the gradient first.

    m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  w ← w − ηₜ m̂ / (√v̂ + ε)
    with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ), t = 1, 2, …

    Examples
    --------
    >>> w = np.array([1.0])
    >>> Adam(learning_rate=0.1).update([w], [np.array([5.0])])
    >>> w.round(6)
    array([0.9])
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def direction(self, index: int, g: Array) -> Array:
        """Return m̂ / (√v̂ + ε)."""
        self.m[index] = self.beta1 * self.m[index] + (1 - self.beta1) * g
        self.v[index] = self.beta2 * self.v[index] + (1 - self.beta2) * g**2
        m_hat = self.m[index] / (1 - self.beta1**self.step)
        v_hat = self.v[index] / (1 - self.beta2**self.step)
        return as_float64(m_hat / (np.sqrt(v_hat) + self.epsilon))


class AdamW(Adam):
    """Adam with weights that shrink by themselves (Loshchilov & Hutter 2019, Algorithm 2): w ← (1 − ηₜ λ) w first.

    Examples
    --------
    >>> w = np.array([1.0])
    >>> AdamW(learning_rate=0.1, weight_decay=0.5).update([w], [np.array([5.0])])
    >>> w.round(6)
    array([0.85])
    """

    def update(self, parameters: Sequence[Array], gradients: Sequence[Array]) -> None:
        """Make one step, in place."""
        decay, self.weight_decay = self.weight_decay, 0.0  # none of it in the gradient
        for w in parameters:
            w *= 1 - self.schedule(self.step) * decay
        super().update(parameters, gradients)
        self.weight_decay = decay


class RMSprop(Optimizer):
    """The lecture of Tieleman & Hinton 2012: v ← ρ v + (1 − ρ) g², and w ← w − ηₜ m, m ← μ m + g / (√v + ε).

    Examples
    --------
    >>> w = np.array([1.0])
    >>> RMSprop(learning_rate=0.1, rho=0.75).update([w], [np.array([5.0])])
    >>> w.round(6)
    array([0.8])
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 1e-3,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay)
        self.rho, self.momentum, self.epsilon = rho, momentum, epsilon

    def direction(self, index: int, g: Array) -> Array:
        """Return m."""
        self.v[index] = self.rho * self.v[index] + (1 - self.rho) * g**2
        self.m[index] = self.momentum * self.m[index] + g / (np.sqrt(self.v[index]) + self.epsilon)
        return self.m[index]


class AdaGrad(Optimizer):
    """Duchi, Hazan & Singer 2011: w ← w − ηₜ g / (√v + ε), v being the sum of all g² and what it starts with.

    Examples
    --------
    >>> w, optimizer = np.array([1.0]), AdaGrad(learning_rate=0.1)
    >>> for g in (3.0, 4.0):
    ...     optimizer.update([w], [np.array([g])])
    >>> w.round(6)
    array([0.82])
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 1e-2,
        initial_accumulator: float = 0.0,
        epsilon: float = 1e-10,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay)
        self.initial_accumulator, self.epsilon = initial_accumulator, epsilon

    def direction(self, index: int, g: Array) -> Array:
        """Return g / (√v + ε)."""
        self.v[index] = self.v[index] + g**2
        return as_float64(g / (np.sqrt(self.v[index] + self.initial_accumulator) + self.epsilon))


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": SGD,
    "momentum": SGD,
    "nesterov": partial(SGD, nesterov=True),
    "adam": Adam,
    "adamw": AdamW,
    "rmsprop": RMSprop,
    "rmsprop_momentum": RMSprop,
    "adagrad": AdaGrad,
}
