"""Initializers: the parameters before the first step; element i·O + j of the stream becomes w[i, j]."""

import math
from collections.abc import Callable

from .array import Array, as_float64
from .random import INITIAL_WEIGHTS, normal, uniform

Draw = Callable[[int, int, int], Array]  # count, seed and index of the parameter → numbers
Scale = Callable[[int, int], float]  # I and O → their factor


def constant(count: int, _seed: int, _index: int) -> Array:
    """Return ones."""
    return as_float64([1.0] * count)


def symmetric(count: int, seed: int, index: int) -> Array:
    """Draw uniform numbers in [−1, 1), whose variance is 1/3."""
    return 2 * uniform(count, seed, INITIAL_WEIGHTS, index) - 1


def standard_normal(count: int, seed: int, index: int) -> Array:
    """Draw normal numbers of mean 0 and variance 1, not truncated."""
    return normal(count, seed, INITIAL_WEIGHTS, index)


# A weight's variance is 2 / (I + O) in Glorot & Bengio 2010, equation 16, and 2 / I in He et al. 2015, equation 10.
INITIALIZERS: dict[str, tuple[Draw, Scale]] = {
    "zeros": (constant, lambda _inputs, _outputs: 0.0),
    "glorot_uniform": (symmetric, lambda inputs, outputs: (6 / (inputs + outputs)) ** 0.5),
    "glorot_normal": (standard_normal, lambda inputs, outputs: (2 / (inputs + outputs)) ** 0.5),
    "he_uniform": (symmetric, lambda inputs, _outputs: (6 / inputs) ** 0.5),
    "he_normal": (standard_normal, lambda inputs, _outputs: (2 / inputs) ** 0.5),
}


def initialize(name: str, inputs: int, outputs: int, seed: int, index: int, bias: bool = False) -> Array:
    """Draw the kernel (I, O), or the bias (O,) beside it, that is parameter number `index` of a network of a seed.

    Examples
    --------
    >>> initialize("glorot_uniform", 1, 2, seed=0, index=0).round(4)
    array([[ 0.1879, -0.9548]])
    """
    draw, scale = INITIALIZERS[name]
    shape = (outputs,) if bias else (inputs, outputs)
    return draw(math.prod(shape), seed, index).reshape(shape) * scale(inputs, outputs)
