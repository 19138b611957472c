"""Errors of outputs y against targets t, as numbers computed in float64, and their derivatives with respect to y.

Nothing is broadcast. A derivative has the shape of y, and its type where that is a float type, else float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganglion import inputs

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ganglion.inputs import Array

DELTA = 1e-7  # inside the logarithm, so that a probability of 0 costs 16.1 and not infinity


def sum_squares_error(y: ArrayLike, t: ArrayLike) -> float:
    """Compute ½ Σ (y − t)² over all elements.

    Raises
    ------
    TypeError, ValueError
        If y and t differ in shape or hold no real numbers.

    Examples
    --------
    >>> t = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    >>> round(sum_squares_error([0.1, 0.05, 0.6, 0.0, 0.05, 0.1, 0.0, 0.1, 0.0, 0.0], t), 12)
    0.0975
    """
    y, t = _pair(y, t)
    return float(0.5 * np.sum((y - t) ** 2))


def sum_squares_error_derivative(y: ArrayLike, t: ArrayLike) -> Array:
    """Compute y − t.

    Examples
    --------
    >>> sum_squares_error_derivative([0.5, 1.0], [0, 1])
    array([0.5, 0. ])
    """
    outputs, t = _pair(y, t)
    return _typed(outputs - t, y)


def mean_squared_error(y: ArrayLike, t: ArrayLike) -> float:
    """Compute the mean of (y − t)² over all N elements.

    Raises
    ------
    TypeError, ValueError
        If y and t differ in shape, hold no real numbers, or nothing.

    Examples
    --------
    >>> mean_squared_error([1.0, 3.0], [1.0, 1.0])
    2.0
    """
    y, t = _pair(y, t)
    return float(np.sum((y - t) ** 2) / _count(y))


def mean_squared_error_derivative(y: ArrayLike, t: ArrayLike) -> Array:
    """Compute 2 (y − t) / N.

    Examples
    --------
    >>> mean_squared_error_derivative([1.0, 3.0], [1.0, 1.0])
    array([0., 2.])
    """
    outputs, t = _pair(y, t)
    return _typed(2 * (outputs - t) / _count(outputs), y)


def mean_absolute_error(y: ArrayLike, t: ArrayLike) -> float:
    """Compute the mean of |y − t| over all N elements.

    Raises
    ------
    TypeError, ValueError
        If y and t differ in shape, hold no real numbers, or nothing.

    Examples
    --------
    >>> mean_absolute_error([1.0, 3.0], [1.0, 1.0])
    1.0
    """
    y, t = _pair(y, t)
    return float(np.sum(np.abs(y - t)) / _count(y))


def mean_absolute_error_derivative(y: ArrayLike, t: ArrayLike) -> Array:
    """Compute sign(y − t) / N, which is 0 where both are equal.

    Examples
    --------
    >>> mean_absolute_error_derivative([1.0, 3.0], [1.0, 1.0])
    array([0. , 0.5])
    """
    outputs, t = _pair(y, t)
    return _typed(np.sign(outputs - t) / _count(outputs), y)


def cross_entropy_error(y: ArrayLike, t: ArrayLike) -> float:
    """Compute −(1/B) Σ_b Σ_j t_bj log(y_bj + 10⁻⁷) of probabilities y, as `ganglion.functional.softmax` gives them.

    Parameters
    ----------
    y
        One sample (O,) or a batch (B, O).
    t
        One-hot rows or distributions of the shape of y, or labels: an integer for one sample, (B,) for a batch.

    Raises
    ------
    TypeError, ValueError
        If a shape or label does not fit, or a probability is negative: logits need a softmax first.

    Notes
    -----
    For training use ``loss="cross_entropy"``, which takes logits: without the 10⁻⁷ and with no digit lost.

    Examples
    --------
    >>> y = [0.1, 0.05, 0.6, 0.0, 0.05, 0.1, 0.0, 0.1, 0.0, 0.0]
    >>> cross_entropy_error(y, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    0.510825457099338
    >>> cross_entropy_error(y, 2)
    0.510825457099338
    """
    probabilities, t = _probabilities(y, t)
    return float(-np.sum(t * np.log(probabilities + DELTA)) / len(probabilities))


def cross_entropy_error_derivative(y: ArrayLike, t: ArrayLike) -> Array:
    """Compute −t / (y + 10⁻⁷) / B.

    Examples
    --------
    >>> cross_entropy_error_derivative([0.5, 0.5], 1).round(5)
    array([-0., -2.])
    """
    probabilities, t = _probabilities(y, t)
    gradient = -t / (probabilities + DELTA) / len(probabilities)
    return _typed(gradient.reshape(np.shape(y)), y)


def _pair(y: ArrayLike, t: ArrayLike) -> tuple[Array, Array]:
    """Both in float64."""
    outputs, targets = inputs.numeric("y", y), inputs.targets("t", t)
    if outputs.shape != targets.shape:
        remedy = ""
        if outputs.size == targets.size:
            remedy = f"; if they belong together element by element, pass t.reshape({outputs.shape})"
        raise ValueError(f"y and t must have one shape; y has {outputs.shape}, t has {targets.shape}{remedy}")
    return outputs.astype(np.float64), targets.astype(np.float64)


def _probabilities(y: ArrayLike, t: ArrayLike) -> tuple[Array, Array]:
    """Probabilities and one-hot or other distributions, both (B, O) in float64."""
    outputs, targets = inputs.numeric("y", y), inputs.targets("t", t)
    if outputs.ndim not in (1, 2) or outputs.size == 0:
        raise ValueError(f"y must have shape (O,) for one sample or (B, O) for a batch; given {outputs.shape}")
    shape, single = outputs.shape, outputs.ndim == 1
    negative = inputs.first_where(outputs, lambda block: block < 0)
    if negative is not None:
        place = f"{inputs.element('y', negative)} is {outputs[negative]}"
        raise ValueError(f"y must hold probabilities; {place}: if these are logits, pass softmax(y)")
    outputs = np.atleast_2d(outputs).astype(np.float64)
    rows, classes = outputs.shape
    if targets.shape in (shape, outputs.shape, outputs.shape[1:] if rows == 1 else shape):
        return outputs, targets.reshape(outputs.shape).astype(np.float64)
    if targets.shape in ((rows,), (rows, 1)) or (single and targets.ndim == 0):
        return outputs, np.eye(classes)[_labels(targets, classes)]
    labels = "one label" if single else f"labels of shape ({rows},)"
    raise ValueError(f"t must hold {labels} or one-hot values of y's shape {shape}; given {targets.shape}")


def _labels(targets: Array, classes: int) -> Array:
    labels = targets.reshape(-1)
    wrong = inputs.first_where(labels, lambda block: ~((block >= 0) & (block < classes) & (block == np.rint(block))))
    if wrong is not None:
        place = f"{inputs.element('t', wrong) if targets.ndim else 't'} is {labels[wrong]}"
        raise ValueError(f"t must hold labels 0 to {classes - 1}, as y has {classes} columns; {place}")
    return labels.astype(np.intp)


def _count(y: Array) -> int:
    if y.size == 0:
        raise ValueError(f"y and t must not be empty: there is no mean of nothing; given shape {y.shape}")
    return y.size


def _typed(gradient: Array, y: ArrayLike) -> Array:
    dtype = np.asarray(y).dtype
    return gradient.astype(dtype)[()] if dtype.kind == "f" else gradient[()]
