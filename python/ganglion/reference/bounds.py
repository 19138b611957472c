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
from .layers import Activation, Dense, Layer
from .layers import Moment as Moment
from .losses import LOSSES, clipped, one_hot
from .optimizers import Optimizer
from .regularizers import penalty
from .sequential import Sequential
from .transformations import BatchNormalization, Dropout, Normalization, Rescale

CONFIDENCE = 8.0
FEW = 16.0  # roundings, generously, in an elementwise function and the operations around it
SHARE_KEPT = 1e-4  # of a gradient in what an optimizer computes with, which must not be flushed
COUPLED = frozenset({"cross_entropy", "categorical_crossentropy"})  # losses whose gradient depends on the whole row


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


def forward_of(layer: Layer, dx: Array, p: Precision) -> Array:
    """Compute the deviation of a layer's y, whose x deviates by dx."""
    if not isinstance(layer, (Dense, Activation)):
        return transformed(layer, dx, p)
    if isinstance(layer, Dense):
        kernel = layer.parameters[0]
        bias = np.abs(layer.parameters[1]) if len(layer.parameters) == 2 else np.zeros(kernel.shape[1])
        of_bias = np.sqrt(len(kernel)) * p.unit * bias
        return combined(*through(dx, kernel), matmul_rounding(layer.x, kernel, p), of_bias, p.smallest)
    passed_on = carried(lambda x: layer.row.function(x, **layer.options), layer.x, dx, layer.row.whole_rows)
    return combined(passed_on, p.unit * roundings(layer) * np.abs(layer.y), p.smallest)


def roundings(layer: Activation) -> Array:
    """Count the roundings in an activation's value; a softmax also rounds exp's argument and a sum.

    What the argument of an exponential has been rounded by is a relative error of the result times that argument.
    """
    if layer.row.exponent is not None:
        return as_float64(FEW + 4 * np.abs(layer.row.exponent(layer.x)))
    if not layer.row.whole_rows:
        return np.full_like(layer.x, FEW)
    return as_float64(layer.x.max(axis=1, keepdims=True) - layer.x + FEW + np.sqrt(layer.x.shape[1]))


def backward_of(layer: Layer, ddy: Array, dx: Array, p: Precision) -> tuple[Array, list[Array]]:
    """Compute the deviations of dx and of the parameters' gradients from those of dy and x."""
    if not isinstance(layer, (Dense, Activation)):
        return transformed_back(layer, ddy, dx, p)
    if isinstance(layer, Dense):
        kernel, x, dy = layer.parameters[0], layer.x, layer.dy
        of_kernel = np.abs(x.T) @ ddy + dx.T @ np.abs(dy) + matmul_rounding(x.T, dy, p)
        if layer.l1 or layer.l2:
            _, of_penalty = penalty(kernel, layer.l1, layer.l2)
            of_kernel += p.unit * (np.abs(layer.gradients[0]) + FEW * np.abs(of_penalty))
        of_bias = ddy.sum(axis=0) + matmul_rounding(np.ones((1, len(dy))), dy, p)[0]
        below = combined(*through(ddy, kernel.T), matmul_rounding(dy, kernel.T, p), p.smallest)
        return below, [of_kernel, of_bias][: len(layer.parameters)]
    options, rows, backward = layer.options, layer.row.whole_rows, layer.row.backward
    if backward is None:
        raise ValueError(f"nothing can be trained through the activation {layer.name!r}")
    from_dy = carried(lambda dy: backward(dy, layer.x, **options), layer.dy, ddy, rows)
    from_x = carried(lambda x: backward(layer.dy, x, **options), layer.x, dx, rows)
    largest = np.abs(layer.dy).max(axis=1, keepdims=True) if rows else np.abs(layer.dy)
    size = np.abs(layer.y) if rows else max(1.0, *options.values(), 1.0)
    own = combined(from_dy, p.unit * roundings(layer) * size * largest, p.smallest * (1 + largest))
    return from_x + own, []  # on the other side of a kink all of from_x is there at once


def transformed(layer: Layer, dx: Array, p: Precision) -> Array:
    """Compute the deviation of the y of a layer without a kernel, whose x deviates by dx."""
    if isinstance(layer, Dropout):
        return combined(dx * layer.factors((dx.shape[0], dx.shape[1])), 2 * p.unit * np.abs(layer.y), p.smallest)
    if isinstance(layer, Rescale):
        rounded = np.abs(layer.scale * layer.x) + np.abs(layer.y) + abs(layer.offset)
        return combined(dx * layer.scale, 2 * p.unit * rounded, p.smallest)
    if isinstance(layer, Normalization):
        rounded = p.unit * (np.abs(layer.y) + (0 if layer.beta is None else np.abs(layer.beta)))
        size = 1 if layer.gamma is None else np.abs(layer.gamma)
        return combined(normalized_deviation(layer, dx, p) * size, 2 * rounded, p.smallest)
    return dx.reshape(layer.y.shape)


def along(layer: Normalization, function: Callable[[Array], Array], at: Array, deviation: Array) -> Array:
    """Compute `carried` for a function that couples what a normalization takes its statistics over."""
    if layer.axis == 1 or not layer.adapts:
        return carried(function, at, deviation, layer.adapts)
    return carried(lambda turned: function(turned.T).T, at.T, deviation.T, True).T


def normalized_roundings(layer: Normalization, p: Precision) -> Array:
    """Compute the deviation of x̂ from its own roundings: those of the mean, magnified where σ is small, and of σ."""
    _, variance = layer.of(layer.x)
    count = layer.x.shape[layer.axis] if layer.adapts else 1
    of_mean = np.abs(layer.x).max(axis=layer.axis, keepdims=True) / np.sqrt(variance + layer.epsilon)
    return as_float64((FEW + np.sqrt(count)) * p.unit * (np.abs(layer.normalized(layer.x)) + of_mean))


def normalized_deviation(layer: Normalization, dx: Array, p: Precision) -> Array:
    """Compute the deviation of x̂, whose x deviates by dx."""
    return combined(along(layer, layer.normalized, layer.x, dx), normalized_roundings(layer, p), p.smallest)


def transformed_back(layer: Layer, ddy: Array, dx: Array, p: Precision) -> tuple[Array, list[Array]]:
    """Compute what `backward_of` does, for a layer without a kernel."""
    if isinstance(layer, Dropout):
        factors = layer.factors((ddy.shape[0], ddy.shape[1]))
        return combined(ddy * factors, 2 * p.unit * np.abs(layer.dy) * factors, p.smallest * (1 + factors)), []
    if isinstance(layer, Rescale):
        return combined(ddy * layer.scale, 2 * p.unit * np.abs(layer.scale * layer.dy), p.smallest), []
    if not isinstance(layer, Normalization):
        return ddy.reshape(layer.x.shape), []
    x, dy, normalized = layer.x, layer.dy, layer.normalized(layer.x)
    from_dy = along(layer, lambda dy: layer.input_gradient(dy, x), dy, ddy)
    from_x = along(layer, lambda x: layer.input_gradient(dy, x), x, dx)
    _, variance = layer.of(x)
    g = np.abs(dy) * (1 if layer.gamma is None else np.abs(layer.gamma))
    off, size = normalized_roundings(layer, p), np.abs(normalized)
    means = [(g * factor).mean(axis=layer.axis, keepdims=True) for factor in (np.ones_like(g), size, off)]
    own = (
        (FEW + np.sqrt(x.shape[layer.axis])) * p.unit * (g + means[0] + size * means[1])
        + off * means[1]
        + size * means[2]
    )
    below = combined(from_dy, from_x, own / np.sqrt(variance + layer.epsilon), p.smallest)
    of_normalized = normalized_deviation(layer, dx, p)
    rounding = np.sqrt(len(x)) * p.unit
    of_gamma = (ddy * size + np.abs(dy) * of_normalized).sum(axis=0) + rounding * np.abs(dy * normalized).sum(axis=0)
    of_beta = ddy.sum(axis=0) + rounding * np.abs(dy).sum(axis=0)
    pairs = ((layer.gamma, of_gamma), (layer.beta, of_beta))
    return below, [deviation for parameter, deviation in pairs if parameter is not None]


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


def sum_roundings(loss: str) -> Callable[..., tuple[float, Array]]:
    """Make the count for a loss that adds what is not negative and has but a few roundings in each element."""

    def count(output: Array, targets: Array, **options: float) -> tuple[float, Array]:
        """Count the roundings in the loss and in its gradient, times what they round."""
        value, gradient = LOSSES[loss].function(output, targets, **options)
        return (FEW + np.sqrt(output.shape[1])) * value, FEW * np.abs(gradient)

    return count


def binary_cross_entropy_roundings(logits: Array, _targets: Array) -> tuple[float, Array]:
    """Count the roundings in the loss and in its gradient, times what they round: terms may cancel, s − t too."""
    size = np.abs(logits).mean() + 1
    return float((FEW + np.sqrt(logits.shape[1])) * size), np.full_like(logits, FEW / logits.size)


def binary_crossentropy_roundings(output: Array, targets: Array) -> tuple[float, Array]:
    """Count the roundings in the loss and in its gradient, times what they round: p − t may cancel."""
    value, _ = LOSSES["binary_crossentropy"].function(output, targets)
    p, _ = clipped(output)
    in_gradient = FEW / (p * (1 - p) * p.size)
    return (FEW + np.sqrt(output.shape[1])) * value + 1, as_float64(in_gradient)


def categorical_crossentropy_roundings(output: Array, targets: Array) -> tuple[float, Array]:
    """Count the roundings in the loss and in its gradient, times what they round; a sum's are in each share."""
    if targets.ndim == 1:
        targets = one_hot(targets.astype(np.int64), output.shape[1])
    weight, total, n = targets.sum(axis=1, keepdims=True), output.sum(axis=1, keepdims=True), output.shape[1]
    q, _ = clipped(output / total)
    few = FEW + np.sqrt(n)
    in_row = few * (targets * (1 + np.abs(np.log(q)))).sum(axis=1)
    return float(in_row.mean()), as_float64(few * (weight + targets / q) / total / len(output))


LOSS_ROUNDINGS: dict[str, Callable[..., tuple[float, Array]]] = {
    "cross_entropy": cross_entropy_roundings,
    "categorical_crossentropy": categorical_crossentropy_roundings,
    "binary_cross_entropy": binary_cross_entropy_roundings,
    "binary_crossentropy": binary_crossentropy_roundings,
    **{loss: sum_roundings(loss) for loss in ("mse", "mae", "huber", "sum_squares_error")},
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


def gradient_bounds(
    model: Sequential, targets: ArrayLike, loss: str, dtype: str, **options: float
) -> tuple[float, list[Array]]:
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
    in_loss, in_gradient = LOSS_ROUNDINGS[loss](output, targets, **options)
    _, gradient = LOSSES[loss].function(output, targets, **options)
    of_loss = np.abs(gradient * deviations[-1]).sum() + p.unit * in_loss + p.smallest
    function = LOSSES[loss].function
    passed_on = carried(lambda z: function(z, targets, **options)[1], output, deviations[-1], loss in COUPLED)
    below = combined(passed_on, p.unit * in_gradient, p.smallest)
    found: list[Array] = []
    for layer, dx in zip(reversed(model.layers), reversed(deviations[:-1]), strict=True):
        below, of_parameters = backward_of(layer, below, dx, p)
        found = of_parameters + found
    dense = [layer for layer in model.layers if isinstance(layer, Dense)]
    of_loss += p.unit * sum(penalty(layer.parameters[0], layer.l1, layer.l2)[0] for layer in dense)
    return float(CONFIDENCE * of_loss), [CONFIDENCE * (deviation + p.smallest) for deviation in found]


def statistics_bounds(model: Sequential, dtype: str) -> list[Array]:
    """Bound the errors of the moving statistics after a step; to be called after its `forward`, before `advance`.

    Examples
    --------
    >>> model = Sequential([BatchNormalization(None, None, np.zeros(1), np.ones(1))])
    >>> output = model.forward([[1.0], [3.0]], moment=Moment(0, 0))
    >>> [float(bound[0]) < 1e-4 for bound in statistics_bounds(model, "float32")]
    [True, True]
    """
    p = precision(dtype)
    bounds = []
    for layer, dx in zip(model.layers, forward_deviations(model, p)[:-1], strict=True):
        if not isinstance(layer, BatchNormalization):
            continue
        share, (mean, variance) = 1 - layer.momentum, layer.of(layer.x)
        rounding = (FEW + np.sqrt(len(dx))) * p.unit
        of_mean = dx.mean(axis=0) + rounding * np.abs(layer.x).mean(axis=0)
        of_variance = 2 * ((dx + of_mean) * np.abs(layer.x - mean)).mean(axis=0) + rounding * variance[0]
        for moving, off in zip(layer.statistics, (of_mean, of_variance), strict=True):
            bounds.append(CONFIDENCE * (share * off + FEW * p.unit * np.abs(moving) + p.smallest))
    return bounds


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
