"""How far a network computed in floating point may lie from the reference.

Every rounding is taken for a random number of mean zero and relative size at most u (Higham & Mary 2019, "A new
approach to probabilistic rounding error analysis"). A chain of K products then deviates by √K u |A||B|, where the worst
case has K u |A||B|, and deviations that meet add as the root of the sum of their squares. Units and rows may be alike,
though, and their errors too: over units the sum of equal errors is counted as well, over the rows of a batch deviations
add as they are. A bound is `CONFIDENCE` deviations.

The reference's own roundings are counted too. Second-order terms are not, but kinks are: a derivative is looked at on
both sides of where its argument may lie.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .array import Array, as_float64
from .layers import Activation, Dense
from .losses import LOSSES, one_hot
from .optimizers import Optimizer
from .regularizers import penalty
from .sequential import Sequential

CONFIDENCE = 8.0
FEW = 16.0  # roundings, generously, in an elementwise function and the operations around it
SHARE_KEPT = 1e-4  # of a gradient in what an optimizer computes with, which must not be flushed
COUPLED = frozenset({"cross_entropy"})  # losses whose gradient depends on the whole row


@dataclass(frozen=True)
class Precision:
    """What a dtype does to numbers.

    Attributes
    ----------
    unit
        u: half the distance of 1 from the next number, plus that of the reference itself.
    smallest
        Smaller numbers may be flushed to zero; in float64 also those whose squares vanish here.
    """

    unit: float
    smallest: float


def precision(dtype: str) -> Precision:
    """Return that of a dtype.

    Examples
    --------
    >>> precision("float64").unit == 2.0**-52, precision("float32").smallest == 2.0**-126
    (True, True)
    """
    unit = float(np.finfo(dtype).eps + np.finfo(np.float64).eps) / 2
    return Precision(unit, max(float(np.finfo(dtype).smallest_normal), 1e-150))


def combined(*deviations: Array | float) -> Array:
    """Compute the deviation of a sum of independent errors.

    Examples
    --------
    >>> combined(np.array([3.0]), np.array([4.0]))
    array([5.])
    """
    return np.sqrt(sum(np.square(deviation) for deviation in deviations))


def matmul_rounding(a: Array, b: Array, p: Precision) -> Array:
    """Compute the deviation of a b, (M, K) by (K, N), from its own roundings."""
    return as_float64(np.sqrt(a.shape[1] + 1) * p.unit * (np.abs(a) @ np.abs(b)))


def through(deviation: Array, kernel: Array) -> tuple[Array, Array]:
    """Compute what the columns' deviations become: where their errors are independent, and where they are equal."""
    return np.sqrt(deviation**2 @ kernel**2), deviation @ kernel


def carried(function: Callable[[Array], Array], at: Array, deviation: Array, whole_rows: bool) -> Array:
    """Compute the deviation of function(at) from that of its argument; it takes each element alone, or each row."""
    value = function(at)
    total = np.zeros_like(value)
    for columns in np.eye(at.shape[1]) if whole_rows else np.ones((1, at.shape[1])):
        step = CONFIDENCE * deviation * columns
        change = np.maximum(np.abs(function(at + step) - value), np.abs(function(at - step) - value))
        total += (change / CONFIDENCE) ** 2
    return as_float64(np.sqrt(total))


def forward_deviations(model: Sequential, p: Precision) -> list[Array]:
    """Compute the deviations of every layer's x, and of the output, after the model's `forward`."""
    deviations = [np.zeros_like(model.layers[0].x)]
    for layer in model.layers:
        deviations.append(forward_of(layer, deviations[-1], p))
    return deviations


def forward_of(layer: Dense | Activation, dx: Array, p: Precision) -> Array:
    """Compute the deviation of a layer's y, whose x deviates by dx."""
    if isinstance(layer, Dense):
        kernel = layer.parameters[0]
        bias = np.abs(layer.parameters[1]) if len(layer.parameters) == 2 else np.zeros(kernel.shape[1])
        of_bias = np.sqrt(len(kernel)) * p.unit * bias
        return combined(*through(dx, kernel), matmul_rounding(layer.x, kernel, p), of_bias, p.smallest)
    passed_on = carried(lambda x: layer.row.function(x, **layer.options), layer.x, dx, layer.row.whole_rows)
    return combined(passed_on, p.unit * roundings(layer) * np.abs(layer.y), p.smallest)


def roundings(layer: Activation) -> Array:
    """Count the roundings in an activation's value; a softmax also rounds exp's argument and a sum."""
    if not layer.row.whole_rows:
        return np.full_like(layer.x, FEW)
    return as_float64(layer.x.max(axis=1, keepdims=True) - layer.x + FEW + np.sqrt(layer.x.shape[1]))


def backward_of(layer: Dense | Activation, ddy: Array, dx: Array, p: Precision) -> tuple[Array, list[Array]]:
    """Compute the deviations of dx and of the parameters' gradients from those of dy and x."""
    if isinstance(layer, Dense):
        kernel, x, dy = layer.parameters[0], layer.x, layer.dy
        of_kernel = np.abs(x.T) @ ddy + dx.T @ np.abs(dy) + matmul_rounding(x.T, dy, p)
        if layer.l1 or layer.l2:
            _, of_penalty = penalty(kernel, layer.l1, layer.l2)
            of_kernel += p.unit * (np.abs(layer.gradients[0]) + FEW * np.abs(of_penalty))
        of_bias = ddy.sum(axis=0) + matmul_rounding(np.ones((1, len(dy))), dy, p)[0]
        below = combined(*through(ddy, kernel.T), matmul_rounding(dy, kernel.T, p), p.smallest)
        return below, [of_kernel, of_bias][: len(layer.parameters)]
    row, options, rows = layer.row, layer.options, layer.row.whole_rows
    from_dy = carried(lambda dy: row.backward(dy, layer.x, **options), layer.dy, ddy, rows)
    from_x = carried(lambda x: row.backward(layer.dy, x, **options), layer.x, dx, rows)
    largest = np.abs(layer.dy).max(axis=1, keepdims=True) if rows else np.abs(layer.dy)
    size = np.abs(layer.y) if rows else max(1.0, *options.values(), 1.0)
    own = combined(from_dy, p.unit * roundings(layer) * size * largest, p.smallest * (1 + largest))
    return from_x + own, []  # on the other side of a kink all of from_x is there at once


def cross_entropy_roundings(logits: Array, targets: Array) -> tuple[float, Array]:
    """Count the roundings in the loss and in its gradient, times what they round."""
    if targets.ndim == 1:
        targets = one_hot(targets.astype(np.int64), logits.shape[1])
    weight = targets.sum(axis=1, keepdims=True)
    n = logits.shape[1]
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    in_row = (np.abs(logits).max(axis=1, keepdims=True) * 2 + 2 * np.log(n) + np.sqrt(n) + FEW) * weight
    in_gradient = (FEW + np.sqrt(n)) * (p * weight + targets)
    return float(in_row.mean()), in_gradient / len(logits)


def mse_roundings(output: Array, targets: Array) -> tuple[float, Array]:
    """Count the roundings in the loss and in its gradient, times what they round."""
    loss, gradient = LOSSES["mse"](output, targets)
    return (FEW + np.sqrt(output.shape[1])) * loss, FEW * np.abs(gradient)


LOSS_ROUNDINGS: dict[str, Callable[[Array, Array], tuple[float, Array]]] = {
    "cross_entropy": cross_entropy_roundings,
    "mse": mse_roundings,
}


def forward_bounds(model: Sequential, dtype: str) -> list[Array]:
    """Bound the error of each layer's output in `dtype`; to be called after the model's `forward`.

    Examples
    --------
    >>> model = Sequential([Dense(np.array([[2.0], [3.0]]))])
    >>> output = model.forward([[1.0, 1.0]])
    >>> forward_bounds(model, "float32")[0] < 1e-5
    array([[ True]])
    """
    return [CONFIDENCE * deviation for deviation in forward_deviations(model, precision(dtype))[1:]]


def gradient_bounds(model: Sequential, targets: ArrayLike, loss: str, dtype: str) -> tuple[float, list[Array]]:
    """Bound the errors of the loss and of the gradients in `dtype`; to be called after the model's `gradients`.

    Examples
    --------
    >>> model = Sequential([Dense(np.array([[2.0], [3.0]]))])
    >>> loss, gradients = model.gradients([[1.0, 1.0]], [[4.0]], "mse")
    >>> of_loss, of_gradients = gradient_bounds(model, [[4.0]], "mse", "float32")
    >>> of_loss < 1e-4, of_gradients[0].shape
    (True, (2, 1))
    """
    p = precision(dtype)
    targets = np.asarray(targets)
    deviations = forward_deviations(model, p)
    output = model.layers[-1].y
    in_loss, in_gradient = LOSS_ROUNDINGS[loss](output, targets)
    _, gradient = LOSSES[loss](output, targets)
    of_loss = np.abs(gradient * deviations[-1]).sum() + p.unit * in_loss + p.smallest
    passed_on = carried(lambda z: LOSSES[loss](z, targets)[1], output, deviations[-1], loss in COUPLED)
    below = combined(passed_on, p.unit * in_gradient, p.smallest)
    found: list[Array] = []
    for layer, dx in zip(reversed(model.layers), reversed(deviations[:-1]), strict=True):
        below, of_parameters = backward_of(layer, below, dx, p)
        found = of_parameters + found
    dense = [layer for layer in model.layers if isinstance(layer, Dense)]
    of_loss += p.unit * sum(penalty(layer.parameters[0], layer.l1, layer.l2)[0] for layer in dense)
    return float(CONFIDENCE * of_loss), [CONFIDENCE * (deviation + p.smallest) for deviation in found]


def update_bounds(
    make: Callable[[], Optimizer], parameters: Sequence[Array], gradients: Sequence[Array], dtype: str
) -> list[Array]:
    """Bound the error in `dtype` of the parameters after a new optimizer's first step, from exactly these gradients.

    Examples
    --------
    >>> from ganglion.reference import SGD
    >>> of_w, = update_bounds(lambda: SGD(0.1), [np.array([1.0])], [np.array([2.0])], "float32")
    >>> of_w < 1e-5
    array([ True])
    """
    p, decay = precision(dtype), make().weight_decay

    def updated(sign: int) -> list[Array]:
        """Step with the gradients moved by more than their roundings, and those of the penalty's, can."""
        copies = [w.copy() for w in parameters]
        pairs = zip(parameters, gradients, strict=True)
        by = [FEW * p.unit * (np.abs(g) + decay * np.abs(w)) + p.smallest / SHARE_KEPT for w, g in pairs]
        make().update(copies, [g + sign * step for g, step in zip(gradients, by, strict=True)])
        return copies

    bounds = []
    for w, below, new, above in zip(parameters, updated(-1), updated(0), updated(1), strict=True):
        moved = np.maximum(np.abs(above - new), np.abs(below - new))
        bounds.append(moved + FEW * p.unit * np.abs(new - w) + 2 * p.unit * np.abs(new) + p.smallest)
    return bounds
