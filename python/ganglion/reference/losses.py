"""Losses: the mean over a batch, and its gradient with respect to the network's output."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .activations import softmax
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


LOSSES: dict[str, Callable[[Array, ArrayLike], tuple[float, Array]]] = {"cross_entropy": cross_entropy, "mse": mse}
