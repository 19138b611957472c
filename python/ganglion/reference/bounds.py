"""How far a network computed in floating point may lie from the reference.

Every rounding is taken for a random number of mean zero and relative size at most u (Higham & Mary 2019, "A new
approach to probabilistic rounding error analysis"). A chain of K products then deviates by √K u |A||B|, where the worst
case has K u |A||B|, and deviations that meet add as the root of the sum of their squares. A bound is `CONFIDENCE`
deviations.

The reference's own roundings are counted too. Second-order terms are not, but kinks are: a derivative is looked at on
both sides of where its argument may lie.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from .array import Array
from .layers import Activation, Dense
from .losses import LOSSES, one_hot
from .optimizers import Optimizer
from .sequential import Sequential

CONFIDENCE = 4.0
FEW = 16.0  # roundings, generously, in an elementwise function and the operations around it
COUPLED = frozenset({"cross_entropy"})  # losses whose gradient depends on the whole row


def unit_roundoff(dtype: str) -> float:
    """Return u of a dtype, plus that of the reference itself.

    Examples
    --------
    >>> unit_roundoff("float64") == 2.0**-52
    True
    """
    return float(np.finfo(dtype).eps + np.finfo(np.float64).eps) / 2


def combined(*deviations: Array) -> Array:
    """Compute the deviation of a sum of independent errors.

    Examples
    --------
    >>> combined(np.array([3.0]), np.array([4.0]))
    array([5.])
    """
    return np.sqrt(sum(np.square(deviation) for deviation in deviations))


def matmul_deviation(a: Array, da: Array, b: Array, db: Array, unit: float) -> Array:
    """Compute the deviation of a b, (M, K) by (K, N), whose factors deviate by da and db."""
    rounding = np.sqrt(a.shape[1] + 1) * unit * (np.abs(a) @ np.abs(b))
    return combined(np.sqrt(da**2 @ b**2 + a**2 @ db**2), rounding)


def carried(function: Callable[[Array], Array], at: Array, deviation: Array, whole_rows: bool) -> Array:
    """Compute the deviation of function(at) from that of its argument; it takes each element alone, or each row."""
    value = function(at)
    total = np.zeros_like(value)
    for columns in np.eye(at.shape[1]) if whole_rows else np.ones((1, at.shape[1])):
        step = CONFIDENCE * deviation * columns
        change = np.maximum(np.abs(function(at + step) - value), np.abs(function(at - step) - value))
        total += (change / CONFIDENCE) ** 2
    return np.asarray(np.sqrt(total))


def forward_deviations(model: Sequential, unit: float) -> list[Array]:
    """Compute the deviations of every layer's x, and of the output, after the model's `forward`."""
    deviations = [np.zeros_like(model.layers[0].x)]
    for layer in model.layers:
        deviations.append(forward_of(layer, deviations[-1], unit))
    return deviations


def forward_of(layer: Dense | Activation, dx: Array, unit: float) -> Array:
    """Compute the deviation of a layer's y, whose x deviates by dx."""
    if isinstance(layer, Dense):
        kernel = layer.parameters[0]
        bias = np.abs(layer.parameters[1]) if len(layer.parameters) == 2 else np.zeros(kernel.shape[1])
        rounding = np.sqrt(len(kernel)) * unit * np.broadcast_to(bias, layer.y.shape)
        return combined(matmul_deviation(layer.x, dx, kernel, np.zeros_like(kernel), unit), rounding)
    passed_on = carried(lambda x: layer.row.function(x, **layer.options), layer.x, dx, layer.row.whole_rows)
    return combined(passed_on, unit * roundings(layer) * np.abs(layer.y))


def roundings(layer: Activation) -> Array:
    """Count the roundings in an activation's value; a softmax also rounds exp's argument and a sum."""
    if not layer.row.whole_rows:
        return np.full_like(layer.x, FEW)
    return np.asarray(layer.x.max(axis=1, keepdims=True) - layer.x + FEW + np.sqrt(layer.x.shape[1]))


def backward_of(layer: Dense | Activation, ddy: Array, dx: Array, unit: float) -> tuple[Array, list[Array]]:
    """Compute the deviations of dx and of the parameters' gradients from those of dy and x."""
    if isinstance(layer, Dense):
        kernel = layer.parameters[0]
        ones = np.ones((1, len(layer.x)))
        of_kernel = matmul_deviation(layer.x.T, dx.T, layer.dy, ddy, unit)
        of_bias = matmul_deviation(ones, np.zeros_like(ones), layer.dy, ddy, unit)[0]
        below = matmul_deviation(layer.dy, ddy, kernel.T, np.zeros_like(kernel.T), unit)
        return below, [of_kernel, of_bias][: len(layer.parameters)]
    row, options, rows = layer.row, layer.options, layer.row.whole_rows
    from_dy = carried(lambda dy: row.backward(dy, layer.x, **options), layer.dy, ddy, rows)
    from_x = carried(lambda x: row.backward(layer.dy, x, **options), layer.x, dx, rows)
    largest = np.abs(layer.dy).max(axis=1, keepdims=True) if rows else np.abs(layer.dy)
    size = np.abs(layer.y) if rows else max(1.0, *options.values(), 1.0)
    return combined(from_dy, from_x, unit * roundings(layer) * size * largest), []


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
    smallest = float(np.finfo(dtype).smallest_normal)  # what is below may have been flushed to zero
    return [CONFIDENCE * deviation + smallest for deviation in forward_deviations(model, unit_roundoff(dtype))[1:]]


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
    unit = unit_roundoff(dtype)
    smallest = float(np.finfo(dtype).smallest_normal)
    targets = np.asarray(targets)
    deviations = forward_deviations(model, unit)
    output = model.layers[-1].y
    in_loss, in_gradient = LOSS_ROUNDINGS[loss](output, targets)
    _, gradient = LOSSES[loss](output, targets)
    of_loss = np.sqrt(np.sum((gradient * deviations[-1]) ** 2) + (unit * in_loss) ** 2)
    carried_on = carried(lambda z: LOSSES[loss](z, targets)[1], output, deviations[-1], loss in COUPLED)
    below = combined(carried_on, unit * in_gradient)
    found: list[Array] = []
    for layer, dx in zip(reversed(model.layers), reversed(deviations[:-1]), strict=True):
        below, of_parameters = backward_of(layer, below, dx, unit)
        found = of_parameters + found
    return float(CONFIDENCE * of_loss), [CONFIDENCE * deviation + smallest for deviation in found]


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
    unit = unit_roundoff(dtype)
    decay = make().weight_decay

    def updated(sign: int) -> list[Array]:
        """Step with the gradients moved by more than their roundings, and those of the penalty's, can."""
        moved = [
            g + sign * FEW * unit * (np.abs(g) + decay * np.abs(w)) for w, g in zip(parameters, gradients, strict=True)
        ]
        copies = [w.copy() for w in parameters]
        make().update(copies, moved)
        return copies

    bounds = []
    for w, below, new, above in zip(parameters, updated(-1), updated(0), updated(1), strict=True):
        moved = np.maximum(np.abs(above - new), np.abs(below - new))
        bounds.append(moved + FEW * unit * np.abs(new - w) + 2 * unit * np.abs(new) + np.finfo(dtype).smallest_normal)
    return bounds
