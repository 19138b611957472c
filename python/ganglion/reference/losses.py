"""Losses: the mean over a batch, and its gradient with respect to the network's output."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .activations import sigmoid, softmax
from .array import Array, as_float64


def one_hot(labels: NDArray[np.integer], classes: int) -> Array:
    """Make rows that are 1 in column labels[b] and 0 elsewhere; (B,) → (B, classes).

    Examples
    --------
    >>> one_hot(np.array([2, 0]), 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    return as_float64(np.eye(classes)[labels])


def cross_entropy(logits: Array, targets: ArrayLike) -> tuple[float, Array]:
    """Compute L = −1/B Σ_b Σ_j t_bj log p_bj with p the softmax of the logits, and dL/dlogits = (p Σ_j t_bj − t) / B.

    Parameters
    ----------
    logits
        (B, O), any finite numbers.
    targets
        Labels, integers of shape (B,), or the distributions t themselves, (B, O); a label is the one-hot t.

    Returns
    -------
    loss, gradient
        A number, in nats, and (B, O).

    Examples
    --------
    >>> loss, gradient = cross_entropy(np.zeros((1, 2)), np.array([0]))
    >>> round(loss, 6), gradient
    (0.693147, array([[-0.5,  0.5]]))
    """
    t = np.asarray(targets)
    if t.ndim == 1:
        t = one_hot(t, logits.shape[1])
    t = as_float64(t)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = len(logits)
    return float(-(t * log_p).sum() / rows), (softmax(logits) * t.sum(axis=1, keepdims=True) - t) / rows


def mse(output: Array, targets: ArrayLike) -> tuple[float, Array]:
    """Compute L = 1/(B O) Σ_b Σ_j (y_bj − t_bj)², and dL/dy = 2 (y − t) / (B O).

    Parameters
    ----------
    output, targets
        y and t, both (B, O).

    Returns
    -------
    loss, gradient
        A number and (B, O).

    Examples
    --------
    >>> mse(np.array([[1.0, 3.0]]), [[1.0, 1.0]])
    (2.0, array([[0., 2.]]))
    """
    difference = output - as_float64(targets).reshape(output.shape)
    return float(np.mean(difference**2)), 2 * difference / difference.size


LEAST_PROBABILITY = 1e-7  # Keras's epsilon


def clipped(p: Array) -> tuple[Array, Array]:
    """Return p between 10⁻⁷ and 1 − 10⁻⁷, and whether it was there already, so that it has a gradient.

    Examples
    --------
    >>> clipped(np.array([0.0, 0.5]))
    (array([1.e-07, 5.e-01]), array([False,  True]))
    """
    q = np.clip(p, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return q, q == p


def categorical_crossentropy(output: Array, targets: ArrayLike) -> tuple[float, Array]:
    """Compute L = −1/B Σ_b Σ_j t_bj log q_bj with q_bj = y_bj / Σ_k y_bk clipped, as Keras does, and dL/dy.

    Parameters
    ----------
    output
        (B, O), not negative; no row of zeros.
    targets
        As for `cross_entropy`.

    Examples
    --------
    >>> loss, gradient = categorical_crossentropy(np.array([[1.0, 1.0]]), np.array([0]))
    >>> round(loss, 6), gradient
    (0.693147, array([[-0.5,  0.5]]))
    """
    t = np.asarray(targets)
    if t.ndim == 1:
        t = one_hot(t, output.shape[1])
    total = output.sum(axis=1, keepdims=True)
    q, inside = clipped(output / total)
    dq = -t / q * inside / len(output)
    return float(-(t * np.log(q)).sum() / len(output)), (dq - (dq * output / total).sum(axis=1, keepdims=True)) / total


def binary_cross_entropy(logits: Array, targets: ArrayLike) -> tuple[float, Array]:
    """Compute L = −1/(B O) Σ_b Σ_j (t log s + (1 − t) log(1 − s)) with s = sigmoid(logits), and its gradient.

    Both logarithms are −log(1 + exp(∓z)); the gradient is (s − t) / (B O).

    Parameters
    ----------
    logits, targets
        (B, O) both; the targets in [0, 1].

    Examples
    --------
    >>> loss, gradient = binary_cross_entropy(np.array([[0.0]]), [[1.0]])
    >>> round(loss, 6), gradient
    (0.693147, array([[-0.5]]))
    """
    t = as_float64(targets).reshape(logits.shape)
    surprise = t * np.logaddexp(0, -logits) + (1 - t) * np.logaddexp(0, logits)
    return float(np.mean(surprise)), (sigmoid(logits) - t) / logits.size


def binary_crossentropy(output: Array, targets: ArrayLike) -> tuple[float, Array]:
    """Compute L = −1/(B O) Σ_b Σ_j (t log p + (1 − t) log(1 − p)) with p the output, clipped as Keras does, and dL/dy.

    Examples
    --------
    >>> loss, gradient = binary_crossentropy(np.array([[0.5]]), [[1.0]])
    >>> round(loss, 6), gradient
    (0.693147, array([[-2.]]))
    """
    t = as_float64(targets).reshape(output.shape)
    p, inside = clipped(output)
    loss = -np.mean(t * np.log(p) + (1 - t) * np.log1p(-p))
    return float(loss), inside * ((1 - t) / (1 - p) - t / p) / p.size


def mae(output: Array, targets: ArrayLike) -> tuple[float, Array]:
    """Compute L = 1/(B O) Σ_b Σ_j |y_bj − t_bj|, and dL/dy = sign(y − t) / (B O).

    Examples
    --------
    >>> mae(np.array([[1.0, 3.0]]), [[1.0, 1.0]])
    (1.0, array([[0. , 0.5]]))
    """
    difference = output - as_float64(targets).reshape(output.shape)
    return float(np.mean(np.abs(difference))), np.sign(difference) / difference.size


def huber(output: Array, targets: ArrayLike, delta: float = 1.0) -> tuple[float, Array]:
    """Compute the mean of ½ e² where |e| ≤ δ, else δ (|e| − δ/2), e = y − t (Huber 1964), and its gradient.

    Examples
    --------
    >>> huber(np.array([[1.0, 4.0]]), [[0.0, 1.0]], delta=2.0)
    (2.25, array([[0.5, 1. ]]))
    """
    e = output - as_float64(targets).reshape(output.shape)
    small = np.abs(e) <= delta
    loss = np.mean(np.where(small, e**2 / 2, delta * (np.abs(e) - delta / 2)))
    return float(loss), np.where(small, e, delta * np.sign(e)) / e.size


def sum_squares_error(output: Array, targets: ArrayLike) -> tuple[float, Array]:
    """Compute L = 1/B Σ_b ½ Σ_j (y_bj − t_bj)², and dL/dy = (y − t) / B.

    Examples
    --------
    >>> sum_squares_error(np.array([[1.0, 3.0]]), [[1.0, 1.0]])
    (2.0, array([[0., 2.]]))
    """
    difference = output - as_float64(targets).reshape(output.shape)
    return float((difference**2).sum() / 2 / len(output)), difference / len(output)


@dataclass(frozen=True)
class Loss:
    """A row of the table.

    Attributes
    ----------
    function
        The loss and its gradient from the output, the targets and the options.
    options
        Names of its further arguments.
    """

    function: Callable[..., tuple[float, Array]]
    options: tuple[str, ...] = ()


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss(cross_entropy),
    "categorical_crossentropy": Loss(categorical_crossentropy),
    "binary_cross_entropy": Loss(binary_cross_entropy),
    "binary_crossentropy": Loss(binary_crossentropy),
    "mse": Loss(mse),
    "mae": Loss(mae),
    "huber": Loss(huber, ("delta",)),
    "sum_squares_error": Loss(sum_squares_error),
}
