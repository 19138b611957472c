"""Activations and their derivatives with respect to x, by the core's kernels for the forward and backward pass.

At a kink the derivative is the left one, as in training: relu's at 0 is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ganglion import _native, inputs, machine
from ganglion.layers import (
    ELU,
    GELU,
    SELU,
    Identity,
    LeakyReLU,
    NamedActivation,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Step,
    Swish,
    Tanh,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ganglion.inputs import Array


def _computed(kernel: Callable[..., Array | None], activation: NamedActivation, x: ArrayLike) -> Array:
    """A kernel's result for x, in the type that the package's docstring promises."""
    context, row, alpha = machine.context(), activation.core_row, activation.alpha
    result = kernel(context, row, x, alpha)
    if result is not None and result.ndim > 0:
        return result
    given = _floats(x)
    narrow = given.dtype.itemsize <= 4
    array = np.array(given, np.float32 if narrow else np.float64, order="C")
    converted: Array = kernel(context, row, array, alpha)  # type: ignore[assignment]
    if given.dtype.itemsize == 2:
        with np.errstate(over="ignore"):
            converted = converted.astype(np.float16)
    return converted[()]  # of a number, a number


def _floats(x: ArrayLike) -> Array:
    array = inputs.numeric("x", x)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


# Those without a parameter, made once: that takes as long as a small array's kernel.
IDENTITY, SIGMOID, TANH, RELU = Identity(), Sigmoid(), Tanh(), ReLU()
SELU_, SOFTPLUS, SWISH, STEP, SOFTMAX = SELU(), Softplus(), Swish(), Step(), Softmax()


def _value(activation: NamedActivation, x: ArrayLike) -> Array:
    return _computed(_native.apply_activation, activation, x)


def _derivative(activation: NamedActivation, x: ArrayLike) -> Array:
    return _computed(_native.differentiate_activation, activation, x)


def identity(x: ArrayLike) -> Array:
    """Return x itself, as a new array: the output of a regression.

    Examples
    --------
    >>> identity([-1.0, 2.0])
    array([-1.,  2.])
    """
    return _value(IDENTITY, x)


def identity_derivative(x: ArrayLike) -> Array:
    """Return 1 everywhere.

    Examples
    --------
    >>> identity_derivative([-1.0, 2.0])
    array([1., 1.])
    """
    return _derivative(IDENTITY, x)


def sigmoid(x: ArrayLike) -> Array:
    """Compute 1 / (1 + e⁻ˣ); no x overflows.

    Examples
    --------
    >>> sigmoid([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    >>> sigmoid(1)
    np.float64(0.7310585786300049)
    """
    return _value(SIGMOID, x)


def sigmoid_derivative(x: ArrayLike) -> Array:
    """Compute σ(x) (1 − σ(x)), at −|x|, where it is the same and no digit is lost.

    Examples
    --------
    >>> sigmoid_derivative([-800.0, 0.0, 40.0])
    array([0.00000000e+00, 2.50000000e-01, 4.24835426e-18])
    """
    return _derivative(SIGMOID, -np.abs(_floats(x)))


def tanh(x: ArrayLike) -> Array:
    """Compute (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ).

    Examples
    --------
    >>> tanh([-1000.0, 0.0, 0.5])
    array([-1.        ,  0.        ,  0.46211716])
    """
    return _value(TANH, x)


def tanh_derivative(x: ArrayLike) -> Array:
    """Compute 1 − tanh² x = 4 σ(2x) (1 − σ(2x)), in the latter form, which loses no digit.

    Examples
    --------
    >>> tanh_derivative([0.0, 0.5, 20.0])
    array([1.00000000e+00, 7.86447733e-01, 1.69934170e-17])
    """
    x = _floats(x)
    with np.errstate(all="ignore"):
        return 4 * sigmoid_derivative(x + x)


def relu(x: ArrayLike) -> Array:
    """Compute max(x, 0) (X. Glorot, A. Bordes & Y. Bengio, "Deep sparse rectifier neural networks", AISTATS 2011).

    Examples
    --------
    >>> relu([-2.0, 0.0, 3.0])
    array([0., 0., 3.])
    """
    return _value(RELU, x)


def relu_derivative(x: ArrayLike) -> Array:
    """Return 1 where x > 0, else 0.

    Examples
    --------
    >>> relu_derivative([-2.0, 0.0, 3.0])
    array([0., 0., 1.])
    """
    return _derivative(RELU, x)


def leaky_relu(x: ArrayLike, negative_slope: float = LeakyReLU.negative_slope) -> Array:
    """Compute x where x > 0, else negative_slope · x; the slope is at least 0 (see `ganglion.LeakyReLU`).

    Examples
    --------
    >>> leaky_relu([-2.0, 3.0])
    array([-0.02,  3.  ])
    """
    return _value(LeakyReLU(negative_slope), x)


def leaky_relu_derivative(x: ArrayLike, negative_slope: float = LeakyReLU.negative_slope) -> Array:
    """Return 1 where x > 0, else negative_slope.

    Examples
    --------
    >>> leaky_relu_derivative([-2.0, 3.0], negative_slope=0.2)
    array([0.2, 1. ])
    """
    return _derivative(LeakyReLU(negative_slope), x)


def elu(x: ArrayLike, negative_scale: float = ELU.negative_scale) -> Array:
    """Compute x where x > 0, else negative_scale · (eˣ − 1); the scale is at least 0 (see `ganglion.ELU`).

    Examples
    --------
    >>> elu([-1000.0, -1.0, 3.0])
    array([-1.        , -0.63212056,  3.        ])
    """
    return _value(ELU(negative_scale), x)


def elu_derivative(x: ArrayLike, negative_scale: float = ELU.negative_scale) -> Array:
    """Compute 1 where x > 0, else negative_scale · eˣ.

    Examples
    --------
    >>> elu_derivative([-1.0, 3.0])
    array([0.36787944, 1.        ])
    """
    return _derivative(ELU(negative_scale), x)


def selu(x: ArrayLike) -> Array:
    """Compute 1.0507 x where x > 0, else 1.0507 · 1.6733 (eˣ − 1) (see `ganglion.SELU`).

    Examples
    --------
    >>> selu([-1000.0, 1.0])
    array([-1.75809934,  1.05070099])
    """
    return _value(SELU_, x)


def selu_derivative(x: ArrayLike) -> Array:
    """Compute 1.0507 where x > 0, else 1.0507 · 1.6733 eˣ.

    Examples
    --------
    >>> selu_derivative([0.0, 1.0])
    array([1.75809934, 1.05070099])
    """
    return _derivative(SELU_, x)


def softplus(x: ArrayLike) -> Array:
    """Compute log(1 + eˣ); no x overflows (see `ganglion.Softplus`).

    Examples
    --------
    >>> softplus([-1000.0, 0.0, 1000.0])
    array([0.00000000e+00, 6.93147181e-01, 1.00000000e+03])
    """
    return _value(SOFTPLUS, x)


def softplus_derivative(x: ArrayLike) -> Array:
    """Compute the sigmoid of x.

    Examples
    --------
    >>> softplus_derivative([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    return _derivative(SOFTPLUS, x)


def swish(x: ArrayLike) -> Array:
    """Compute x · sigmoid(x), also called SiLU (see `ganglion.Swish`).

    Examples
    --------
    >>> swish([-1.0, 0.0, 1.0])
    array([-0.26894142,  0.        ,  0.73105858])
    """
    return _value(SWISH, x)


def swish_derivative(x: ArrayLike) -> Array:
    """Compute σ(x) + x σ(x) (1 − σ(x)).

    Examples
    --------
    >>> swish_derivative([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    return _derivative(SWISH, x)


def gelu(x: ArrayLike, approximate: bool = False) -> Array:
    """Compute x Φ(x), Φ being the normal distribution; with `approximate` by a tanh (see `ganglion.GELU`).

    Examples
    --------
    >>> gelu([-1.0, 0.0, 1.0])
    array([-0.15865525,  0.        ,  0.84134475])
    >>> gelu(1.0, approximate=True)
    np.float64(0.8411919906082768)
    """
    return _value(GELU(approximate), x)


def gelu_derivative(x: ArrayLike, approximate: bool = False) -> Array:
    """Compute Φ(x) + x φ(x), φ being the density of Φ; or the derivative of the other form.

    Examples
    --------
    >>> gelu_derivative([-1000.0, 0.0, 1.0])
    array([0.        , 0.5       , 1.08331547])
    """
    return _derivative(GELU(approximate), x)


def step(x: ArrayLike) -> Array:
    """Return 1 where x > 0, else 0: the perceptron's function, whose derivative is 0 wherever there is one.

    Examples
    --------
    >>> step([-1.0, 0.0, 2.0])
    array([0., 0., 1.])
    """
    return _value(STEP, x)


def softmax(x: ArrayLike) -> Array:
    """Compute e^(xⱼ − max x) / Σₖ e^(xₖ − max x) over the last axis: one sample (O,), or a batch (…, O).

    Raises
    ------
    ValueError
        If x is a single number.

    Examples
    --------
    >>> softmax([0.3, 2.9, 4.0])
    array([0.01821127, 0.24519181, 0.73659691])
    >>> softmax([[1000.0, 1000.0], [0.0, -2000.0]])
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    return _value(SOFTMAX, _rows(x))


def softmax_derivative(x: ArrayLike) -> Array:
    """Compute the Jacobian of each row, (…, O, O): element [j, k] is ∂hⱼ/∂xₖ = hⱼ ([j = k] − hₖ), h = softmax(x).

    Raises
    ------
    ValueError
        If x is a single number.

    Examples
    --------
    >>> softmax_derivative([0.0, 0.0])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    h = softmax(x)
    ones = np.eye(h.shape[-1], dtype=h.dtype)
    jacobian: Array = h[..., :, None] * (ones - h[..., None, :])
    return jacobian


def _rows(x: ArrayLike) -> Array:
    array = inputs.numeric("x", x)
    if array.ndim == 0:
        raise ValueError(f"x must have shape (O,) or (…, O), O being the number of classes; given the number {array}")
    return array
