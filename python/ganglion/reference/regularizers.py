"""Penalties on weights: what they add to a loss, and to the gradients of the weights."""

import numpy as np

from .array import Array, as_float64


def penalty(w: Array, l1: float = 0.0, l2: float = 0.0) -> tuple[float, Array]:
    """Compute l1 Σ |w| + l2 Σ w², and its gradient l1 sign(w) + 2 l2 w, where sign(0) = 0.

    Examples
    --------
    >>> penalty(np.array([[1.0, -2.0, 0.0]]), l1=0.5, l2=0.25)
    (2.75, array([[ 1. , -1.5,  0. ]]))
    """
    return float(l1 * np.sum(np.abs(w)) + l2 * np.sum(w**2)), as_float64(l1 * np.sign(w) + 2 * l2 * w)
