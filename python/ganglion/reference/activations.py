"""Activations with their derivatives: z is what a layer's activation receives, h = f(z) what it returns."""

from collections.abc import Callable
from dataclasses import dataclass

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
        dz from dh and z, and the options.
    options
        Names of the further arguments of both.
    whole_rows
        Whether an output depends on its whole row and not on one input alone.
    """

    function: Callable[..., Array]
    backward: Callable[..., Array]
    options: tuple[str, ...] = ()
    whole_rows: bool = False


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
    "softmax": Activation(softmax, softmax_backward, whole_rows=True),
}
