"""Initializers: the parameters before the first step; element i·O + j of the stream becomes w[i, j]."""

import math
from collections.abc import Callable

import numpy as np

from .array import Array, as_float64
from .random import INITIAL_WEIGHTS, normal, uniform

Draw = Callable[[int, int, int], Array]  # count, seed and index of the parameter → numbers
Scale = Callable[[int, int], float]  # I and O → their factor


def unit(count: int, seed: int, index: int) -> Array:
    """Draw uniform numbers in [0, 1)."""
    return uniform(count, seed, INITIAL_WEIGHTS, index)


def constant(count: int, _seed: int, _index: int) -> Array:
    """Return ones."""
    return as_float64([1.0] * count)


def symmetric(count: int, seed: int, index: int) -> Array:
    """Draw uniform numbers in [−1, 1), whose variance is 1/3."""
    return 2 * uniform(count, seed, INITIAL_WEIGHTS, index) - 1


def standard_normal(count: int, seed: int, index: int) -> Array:
    """Draw normal numbers of mean 0 and variance 1, not truncated."""
    return normal(count, seed, INITIAL_WEIGHTS, index)


# A weight's variance is 2 / (I + O) in Glorot & Bengio 2010, equation 16, 2 / I in He et al. 2015, equation 10, and
# 1 / I in LeCun et al. 1998, equation 16.
INITIALIZERS: dict[str, tuple[Draw, Scale]] = {
    "zeros": (constant, lambda _inputs, _outputs: 0.0),
    "ones": (constant, lambda _inputs, _outputs: 1.0),
    "constant": (constant, lambda _inputs, _outputs: 1.0),
    "normal": (standard_normal, lambda _inputs, _outputs: 1.0),
    "uniform": (unit, lambda _inputs, _outputs: 1.0),
    "glorot_uniform": (symmetric, lambda inputs, outputs: (6 / (inputs + outputs)) ** 0.5),
    "glorot_normal": (standard_normal, lambda inputs, outputs: (2 / (inputs + outputs)) ** 0.5),
    "he_uniform": (symmetric, lambda inputs, _outputs: (6 / inputs) ** 0.5),
    "he_normal": (standard_normal, lambda inputs, _outputs: (2 / inputs) ** 0.5),
    "lecun_uniform": (symmetric, lambda inputs, _outputs: (3 / inputs) ** 0.5),
    "lecun_normal": (standard_normal, lambda inputs, _outputs: inputs**-0.5),
    "fan_in_uniform": (symmetric, lambda inputs, _outputs: inputs**-0.5),
    "orthogonal": (standard_normal, lambda _inputs, _outputs: 1.0),
}


def orthogonal(numbers: Array) -> Array:
    """Return Q of the decomposition Q R of a tall matrix, or of a wide one's transpose, transposed.

    R's diagonal is positive. The numbers fill the tall matrix row by row.

    Examples
    --------
    >>> orthogonal(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]])
    """
    rows, columns = numbers.shape
    q, r = np.linalg.qr(numbers.reshape(max(rows, columns), min(rows, columns)))
    q = as_float64(q * np.sign(np.diagonal(r)))
    return q.T if rows < columns else q


def initialize(
    name: str, inputs: int, outputs: int, seed: int, index: int, bias: bool = False, first: float = 0, second: float = 0
) -> Array:
    """Draw the kernel (I, O), or the bias (O,) beside it, that is parameter number `index` of a network of a seed.

    Parameters
    ----------
    name, inputs, outputs, seed, index, bias
        Which one.
    first, second
        The constant's value; the normal distribution's deviation and mean; the uniform one's ends; the gain.

    Examples
    --------
    >>> initialize("glorot_uniform", 1, 2, seed=0, index=0).round(4)
    array([[ 0.1879, -0.9548]])
    """
    draw, scale = INITIALIZERS[name]
    shape = (1, outputs) if bias else (inputs, outputs)
    numbers = draw(math.prod(shape), seed, index).reshape(shape) * scale(inputs, outputs)
    if name == "orthogonal":
        numbers = first * orthogonal(numbers)
    elif name == "uniform":
        numbers = first + (second - first) * numbers
    elif name in ("constant", "normal"):
        numbers = first * numbers + second
    return numbers.reshape(outputs) if bias else numbers
