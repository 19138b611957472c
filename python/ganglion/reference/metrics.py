"""Metrics: numbers for people, not minimised."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .array import Array


def accuracy(output: Array, targets: ArrayLike) -> float:
    """Compute the share of rows whose class is that of their target.

    The class of a row is the column of its largest number, the first of equals; with one column, whether it is above ½.

    Parameters
    ----------
    output
        (B, O).
    targets
        Labels (B,), or rows (B, O).

    Examples
    --------
    >>> accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), [1, 1])
    0.5
    """
    t = np.asarray(targets)
    return float(np.mean(classes(output) == (t if t.ndim == 1 and output.shape[1] > 1 else classes(t))))


def classes(rows: ArrayLike) -> NDArray[np.int64]:
    """Return the class that each row stands for.

    Examples
    --------
    >>> classes([[0.1, 0.9], [0.8, 0.2]]), classes([[0.1], [0.9]])
    (array([1, 0]), array([0, 1]))
    """
    values = np.asarray(rows)
    if values.ndim == 1 or values.shape[1] == 1:
        return (values.reshape(-1) > 0.5).astype(np.int64)
    return np.asarray(values.argmax(axis=1), np.int64)
