"""Activations with their derivatives: z is what a layer's activation receives, h = f(z) what it returns."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .array import Array, as_float64


def identity(z: Array) -> Array:
    """Return h = z.

    Examples
    --------
    >>> identity(np.array([-1.0, 2.0]))
    array([-1.,  2.])
    """
    return z


def identity_derivative(z: Array) -> Array:
    """Return dh/dz = 1."""
    return np.ones_like(z)


def sigmoid(z: Array) -> Array:
    """Compute h = 1 / (1 + exp(−z)), with exp(−|z|) so that nothing overflows.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    e = np.exp(-np.abs(z))
    return as_float64(np.where(z < 0, e, 1.0) / (1 + e))


def sigmoid_derivative(z: Array) -> Array:
    """Compute dh/dz = exp(−|z|) / (1 + exp(−|z|))², which is even in z.

    Examples
    --------
    >>> sigmoid_derivative(np.array([0.0]))
    array([0.25])
    """
    e = np.exp(-np.abs(z))
    return as_float64(e / (1 + e) ** 2)


def tanh(z: Array) -> Array:
    """Compute h = (exp(z) − exp(−z)) / (exp(z) + exp(−z)).

    Examples
    --------
    >>> tanh(np.array([0.0, 1000.0]))
    array([0., 1.])
    """
    return np.tanh(z)


def tanh_derivative(z: Array) -> Array:
    """Compute dh/dz = sech²(z) = 4 exp(−2|z|) / (1 + exp(−2|z|))².

    Examples
    --------
    >>> tanh_derivative(np.array([0.0, 1000.0]))
    array([1., 0.])
    """
    e = np.exp(-2 * np.abs(z))
    return as_float64(4 * e / (1 + e) ** 2)


def relu(z: Array) -> Array:
    """Compute h = max(z, 0); a NaN stays one.

    Examples
    --------
    >>> relu(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """
    return np.where(z <= 0, 0.0, z)


def relu_derivative(z: Array) -> Array:
    """Compute dh/dz = 1 where z > 0, else 0: at the kink the left derivative is taken.

    Examples
    --------
    >>> relu_derivative(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 1.])
    """
    return np.where(z > 0, 1.0, 0.0)


def leaky_relu(z: Array, alpha: float) -> Array:
    """Compute h = z where z > 0, else α z (Maas, Hannun & Ng 2013, section 2).

    Examples
    --------
    >>> leaky_relu(np.array([-2.0, 3.0]), alpha=0.5)
    array([-1.,  3.])
    """
    return np.where(z > 0, z, alpha * z)


def leaky_relu_derivative(z: Array, alpha: float) -> Array:
    """Compute dh/dz = 1 where z > 0, else α.

    Examples
    --------
    >>> leaky_relu_derivative(np.array([-2.0, 3.0]), alpha=0.5)
    array([0.5, 1. ])
    """
    return np.where(z > 0, 1.0, alpha)


def elu(z: Array, alpha: float) -> Array:
    """Compute h = z where z > 0, else α (exp(z) − 1) (Clevert, Unterthiner & Hochreiter 2016, equation 15).

    Examples
    --------
    >>> elu(np.array([-1000.0, 3.0]), alpha=2.0)
    array([-2.,  3.])
    """
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def elu_derivative(z: Array, alpha: float) -> Array:
    """Compute dh/dz = 1 where z > 0, else α exp(z).

    Examples
    --------
    >>> elu_derivative(np.array([0.0, 3.0]), alpha=2.0)
    array([2., 1.])
    """
    return np.where(z > 0, 1.0, alpha * np.exp(np.minimum(z, 0)))


SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def selu(z: Array) -> Array:
    """Compute h = λ z where z > 0, else λ α (exp(z) − 1) (Klambauer, Unterthiner, Mayr & Hochreiter 2017, equation 2).

    Examples
    --------
    >>> selu(np.array([-1000.0, 1.0])).round(6)
    array([-1.758099,  1.050701])
    """
    return SELU_SCALE * elu(z, SELU_ALPHA)


def selu_derivative(z: Array) -> Array:
    """Compute dh/dz = λ where z > 0, else λ α exp(z).

    Examples
    --------
    >>> selu_derivative(np.array([0.0, 3.0])).round(6)
    array([1.758099, 1.050701])
    """
    return SELU_SCALE * elu_derivative(z, SELU_ALPHA)


def softplus(z: Array) -> Array:
    """Compute h = log(1 + exp(z)) as logarithm of the sum of exp(0) and exp(z).

    Examples
    --------
    >>> softplus(np.array([-1000.0, 0.0, 10.0])).round(6)
    array([ 0.      ,  0.693147, 10.000045])
    """
    with np.errstate(invalid="ignore"):  # a NaN is no cause for a warning
        return as_float64(np.logaddexp(0.0, z))


def softplus_derivative(z: Array) -> Array:
    """Compute dh/dz = sigmoid(z).

    Examples
    --------
    >>> softplus_derivative(np.array([0.0]))
    array([0.5])
    """
    return sigmoid(z)


def swish(z: Array) -> Array:
    """Compute h = z sigmoid(z) (Hendrycks & Gimpel 2016, section 2, there called SiLU).

    Examples
    --------
    >>> swish(np.array([-1000.0, 0.0, 1000.0]))
    array([  -0.,    0., 1000.])
    """
    return z * sigmoid(z)


def swish_derivative(z: Array) -> Array:
    """Compute dh/dz = sigmoid(z) + z sigmoid′(z).

    Examples
    --------
    >>> swish_derivative(np.array([0.0]))
    array([0.5])
    """
    return sigmoid(z) + z * sigmoid_derivative(z)


def normal_distribution(z: Array) -> Array:
    """Compute Φ(z) = ½ erfc(−z/√2), the distribution function of the normal distribution.

    Examples
    --------
    >>> normal_distribution(np.array([0.0, 1.0])).round(6)
    array([0.5     , 0.841345])
    """
    return as_float64(np.vectorize(math.erfc, otypes=[np.float64])(-z / math.sqrt(2)) / 2)


def normal_density(z: Array) -> Array:
    """Compute φ(z) = exp(−z²/2) / √(2π).

    Examples
    --------
    >>> normal_density(np.array([0.0])).round(6)
    array([0.398942])
    """
    return as_float64(np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi))


def gelu(z: Array) -> Array:
    """Compute h = z Φ(z) (Hendrycks & Gimpel 2016, section 2).

    Examples
    --------
    >>> gelu(np.array([-1000.0, 1.0])).round(6)
    array([-0.      ,  0.841345])
    """
    return z * normal_distribution(z)


def gelu_derivative(z: Array) -> Array:
    """Compute dh/dz = Φ(z) + z φ(z).

    Examples
    --------
    >>> gelu_derivative(np.array([0.0]))
    array([0.5])
    """
    return normal_distribution(z) + z * normal_density(z)


def gelu_tanh(z: Array) -> Array:
    """Compute h = z/2 (1 + tanh u), u = √(2/π) (z + 0.044715 z³) (Hendrycks & Gimpel 2016, section 2).

    It is computed as z sigmoid(2u), which is the same: where tanh u is close to −1 the sum would lose its digits.

    Examples
    --------
    >>> gelu_tanh(np.array([-1000.0, 1.0])).round(6)
    array([-0.      ,  0.841192])
    """
    return z * sigmoid(gelu_tanh_argument(z))


def gelu_tanh_argument(z: Array) -> Array:
    """Compute 2u = 2 √(2/π) (z + 0.044715 z³)."""
    return 2 * math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)


def gelu_tanh_derivative(z: Array) -> Array:
    """Compute dh/dz = sigmoid(2u) + z sigmoid′(2u) 2 √(2/π) (1 + 3 · 0.044715 z²).

    Examples
    --------
    >>> gelu_tanh_derivative(np.array([0.0]))
    array([0.5])
    """
    two_u, slope = gelu_tanh_argument(z), 2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z**2)
    return sigmoid(two_u) + z * sigmoid_derivative(two_u) * slope


def step(z: Array) -> Array:
    """Return 1 where z > 0, else 0; a NaN stays one. Its derivative, 0 where there is one, is of no use.

    Examples
    --------
    >>> step(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 1.])
    """
    return np.where(np.isnan(z), z, np.where(z > 0, 1.0, 0.0))


def softmax(z: Array) -> Array:
    """Compute h_bj = exp(z_bj − m_b) / Σ_k exp(z_bk − m_b) with m_b the largest of row b; z is (B, O).

    Subtracting m_b changes nothing but keeps exp from overflowing (Blanchard, Higham & Higham 2021).

    Examples
    --------
    >>> softmax(np.array([[0.0, np.log(3.0)]]))
    array([[0.25, 0.75]])
    """
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return as_float64(e / e.sum(axis=1, keepdims=True))


def softmax_backward(dh: Array, z: Array) -> Array:
    """Compute dz_bi = Σ_j dh_bj ∂h_bj/∂z_bi, and ∂h_j/∂z_i = h_j ([i = j] − h_i); all (B, O).

    Examples
    --------
    >>> softmax_backward(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]]))
    array([[ 0.25, -0.25]])
    """
    h = softmax(z)
    return as_float64(h * dh - h * (h * dh).sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Activation:
    """A row of the table.

    Attributes
    ----------
    function
        h from z, both (B, O), and the options.
    backward
        dz from dh and z, and the options; None where there is nothing to train through.
    options
        Names of the further arguments of both.
    whole_rows
        Whether an output depends on its whole row and not on one input alone.
    exponent
        What the formula takes the exponential of, from z, where its roundings are more than a few of z's.
    """

    function: Callable[..., Array]
    backward: Callable[..., Array] | None
    options: tuple[str, ...] = ()
    whole_rows: bool = False
    exponent: Callable[[Array], Array] | None = None


def elementwise(function: Callable[..., Array], derivative: Callable[..., Array], *options: str) -> Activation:
    """Make the row of a function of one number: dz = dh · f′(z)."""

    def backward(dh: Array, z: Array, **values: float) -> Array:
        return dh * derivative(z, **values)

    return Activation(function, backward, options)


ACTIVATIONS: dict[str, Activation] = {
    "identity": elementwise(identity, identity_derivative),
    "sigmoid": elementwise(sigmoid, sigmoid_derivative),
    "tanh": elementwise(tanh, tanh_derivative),
    "relu": elementwise(relu, relu_derivative),
    "leaky_relu": elementwise(leaky_relu, leaky_relu_derivative, "alpha"),
    "elu": elementwise(elu, elu_derivative, "alpha"),
    "selu": elementwise(selu, selu_derivative),
    "softplus": elementwise(softplus, softplus_derivative),
    "swish": elementwise(swish, swish_derivative),
    "gelu": elementwise(gelu, gelu_derivative),
    "gelu_tanh": replace(elementwise(gelu_tanh, gelu_tanh_derivative), exponent=gelu_tanh_argument),
    "step": Activation(step, None),
    "softmax": Activation(softmax, softmax_backward, whole_rows=True),
}
