"""A user's own model against the reference: what it computes, its gradients, and what a step makes of its weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion import _native, inputs, machine, rows
from ganglion.counterparts import in_reference
from ganglion.custom import Fallible
from ganglion.losses import LOSSES, Loss
from ganglion.optimizers import OPTIMIZERS, Optimizer
from ganglion.sequential import Sequential
from ganglion.trainer import Trainer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ganglion import reference
    from ganglion.inputs import Array

__all__ = ["Comparison", "Verification", "verify"]

NUMERICALLY = " numerically"
LETTERS = {
    "kernel": "W",
    "bias": "b",
    "gamma": "γ",
    "beta": "β",
    "moving_mean": "mean",
    "moving_variance": "variance",
}
OF_LETTERS = [f"{prefix}{letter}" for prefix in ("d", "new ") for letter in LETTERS.values()]
QUANTITIES = ("output", *OF_LETTERS, "loss")


@dataclass(frozen=True)
class Comparison:
    """One array of the core beside the reference's.

    Attributes
    ----------
    layer
        The layer's name; empty for the loss.
    quantity
        ``"output"``, ``"dW"``, ``"db"``, ``"new W"``, ``"new b"`` or ``"loss"``, and of a normalization ``"dγ"``,
        ``"dβ"``, ``"new γ"``, ``"new β"``, ``"new mean"`` or ``"new variance"``; ``"dW numerically"`` and so on are
        beside differences of the loss instead.
    error
        The largest absolute difference from the reference.
    share
        The largest share of its bound that an element's error takes; NaN if one is NaN.
    """

    layer: str
    quantity: str
    error: float
    share: float

    @property
    def ok(self) -> bool:
        """Whether every element is within its bound."""
        return self.share <= 1


@dataclass(frozen=True, repr=False)
class Verification:
    """What `verify` found; printed, it is a table.

    Attributes
    ----------
    comparisons
        In the order of the layers, the loss last.
    rows
        Of the batch.
    dtype
        Of the model.
    kernel_set
        What the core ran on.
    """

    comparisons: tuple[Comparison, ...]
    rows: int
    dtype: str
    kernel_set: str

    @property
    def ok(self) -> bool:
        """Whether everything is within its bound."""
        return not self.failures

    @property
    def failures(self) -> tuple[Comparison, ...]:
        """What is not."""
        return tuple(comparison for comparison in self.comparisons if not comparison.ok)

    def __repr__(self) -> str:
        return f"Verification(ok={self.ok}, comparisons={len(self.comparisons)}, failures={len(self.failures)})"

    def __str__(self) -> str:
        cells: dict[str, dict[str, str]] = {}
        numerical: dict[str, dict[str, str]] = {}
        for row in self.comparisons:
            table = numerical if row.quantity.endswith(NUMERICALLY) else cells
            quantity = row.quantity.removesuffix(NUMERICALLY)
            table.setdefault(row.layer, {})[quantity] = f"{row.error:.1e} {_percent(row.share):>6}"
        of_loss = cells.pop("", {})
        width = max(map(len, ["loss", *cells]))
        what = "largest error against the reference, share of its bound"
        lines = [
            f"{self.dtype} on {self.kernel_set}, {self.rows} rows: {what}",
            *_table(cells, width),
            *(_line(quantity, [cell], width) for quantity, cell in of_loss.items()),
        ]
        if numerical:
            lines += ["gradients in float64 against differences of the loss", *_table(numerical, width)]
        lines.append("all within their bounds")
        if not self.ok:
            outside = ", ".join(f"{row.layer} {row.quantity}".strip() for row in self.failures)
            lines[-1] = f"NOT as the reference computes it: {outside}"
        return "\n".join(lines)


def _table(cells: dict[str, dict[str, str]], width: int) -> Iterator[str]:
    columns = [quantity for quantity in QUANTITIES if any(quantity in row for row in cells.values())]
    yield _line("", columns, width)
    for layer, row in cells.items():
        yield _line(layer, [row.get(quantity, "") for quantity in columns], width)


def _line(name: str, cells: list[str], width: int) -> str:
    return (f"{name:<{width}}" + "".join(f"{cell:>18}" for cell in cells)).rstrip()


def verify(
    model: Sequential,
    x: ArrayLike,
    y: ArrayLike,
    loss: str | Loss = "cross_entropy",
    optimizer: str | Optimizer | None = None,
    *,
    numerical: bool = False,
) -> Verification:
    """Compare a model with the same network in plain float64 NumPy, and print the largest errors.

    Looked at are each layer's output in prediction, the loss and the gradients of kernels, biases and the like in
    training, and the new ones after an optimizer's first step from the gradients that the core found. The bounds are
    those of `ganglion.reference.bounds`, from the model's own weights and this very batch. The model is not changed,
    and a disagreement raises nothing.

    Parameters
    ----------
    model
        Any model whose sizes are known.
    x, y
        A batch, as `Trainer.fit` takes it; some ten rows show as much as many.
    loss
        A name like ``"cross_entropy"`` or ``"mse"``, or an object of ``ganglion.losses``.
    optimizer
        As `Trainer` takes it; ``"adam"`` by default.
    numerical
        Whether to compare the gradients also with `ganglion.functional.numerical_gradient` of the loss, on a copy in
        float64: up to twenty elements of each kernel and bias, those beside a kink of the loss left out.

    Returns
    -------
    Verification
        Its ``ok`` says whether every error is within its bound.

    Raises
    ------
    NotFittedError
        If the model's sizes are not known yet.
    TypeError, ValueError, TrainingDivergedError
        As `Trainer.train_on_batch`.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> model = gg.Sequential(gg.Dense(8, activation="tanh", input_shape=(3,)), gg.Dense(2), seed=1)
    >>> x = np.linspace(-1, 1, 30).reshape(10, 3)
    >>> result = gg.verify(model, x, [0, 1] * 5)
    float32 on ..., 10 rows: largest error against the reference, share of its bound
                     output                dW                db             new W             new b
    dense   ...
    dense_1 ...
    loss    ...
    all within their bounds
    >>> result.ok
    True
    """
    weights = model.get_weights()
    numerical = inputs.flag("numerical", numerical)
    loss = LOSSES.find("loss", loss)
    for part in (loss, *model.layers):
        if isinstance(part, Fallible):
            raise ValueError(
                f"the reference has no {type(part).__name__} to compare with: verify the model with the core's losses "
                "and layers, and your gradient with ganglion.functional.numerical_gradient"
            )
    optimizer = OPTIMIZERS.find("optimizer", "adam" if optimizer is None else optimizer)
    copy = model.copy()
    Trainer(copy, loss, optimizer).train_on_batch(x, y)  # also says whatever is wrong with the batch
    batch = rows.checked(model, loss, x, y)
    exact = batch.x.astype(model.dtype).astype(np.float64)  # as the core takes them after its first rounding
    context = machine.context()

    target = batch.targets.kind
    schedule = optimizer.schedule.native()
    training = _native.Training(model.network, loss.native(), target, optimizer.clipped(), schedule, [])
    found = training.gradients(context, batch.feed())
    names = [name.rpartition(".")[::2] for name in model.arrays()]
    comparisons = [
        *_outputs(model, weights, batch.x, exact),
        *_gradients(model, weights, exact, batch.targets.array, training, names, found.loss, found.arrays),
        *_steps(model, weights, found.arrays, optimizer, optimizer.schedule(0), names, copy.get_weights()),
        *_statistics(model, weights, exact, names, copy.get_weights()),
    ]
    layers = [*(layer.name for layer in model.layers), ""]
    comparisons.sort(key=lambda row: (layers.index(row.layer), QUANTITIES.index(row.quantity)))
    if numerical:
        from ganglion.numerical_check import differences

        for name, actual, expected, bound in differences(model, x, y, loss, optimizer):
            layer, _, kind = name.rpartition(".")
            comparisons.append(_compared(layer, f"d{LETTERS[kind]}{NUMERICALLY}", actual, expected, bound))
    result = Verification(tuple(comparisons), len(exact), model.dtype, context.kernel_set)
    print(result)
    return result


def _outputs(model: Sequential, weights: list[Array], x: Array, exact: Array) -> Iterator[Comparison]:
    """Each layer's output is that of a model which ends there."""
    from ganglion import reference

    layers, ends = in_reference(model, weights)
    network = reference.Sequential(layers)
    network.forward(exact)
    bounds = reference.forward_bounds(network, model.dtype)
    used, size = 0, exact.shape[1]
    for count, (layer, end) in enumerate(zip(model.layers, ends, strict=True), start=1):
        used += len(layer.parameter_shapes(size))
        size = layer.outputs(size)
        part = Sequential(list(model.layers[:count]), dtype=model.dtype)
        part.build((exact.shape[1],))
        part.set_weights(weights[:used])
        yield _compared(layer.name, "output", part.predict(x), layers[end].y, bounds[end])


def _gradients(
    model: Sequential,
    weights: list[Array],
    exact: Array,
    targets: Array,
    training: _native.Training,
    names: list[tuple[str, str]],
    found_loss: float,
    found: list[Array],
) -> Iterator[Comparison]:
    from ganglion import reference

    layers, _ = in_reference(model, weights)
    if training.fused:  # the last activation is the loss's own
        own = [isinstance(layer, reference.Activation) and layer.name != "identity" for layer in layers]
        layers[len(own) - 1 - own[::-1].index(True)] = reference.Activation("identity")
    network = reference.Sequential(layers)
    name, number = training.loss.name, float(np.dtype(model.dtype).type(training.loss.parameter))
    options: dict[str, Any] = dict.fromkeys(reference.LOSSES[name].options, number)
    value, gradients = network.gradients(exact, targets, name, **options)
    of_loss, bounds = reference.gradient_bounds(network, targets, name, model.dtype, **options)
    trained = [name for name, trainable in zip(names, model.network.trainable, strict=True) if trainable]
    for (layer, kind), actual, expected, bound in zip(trained, found, gradients, bounds, strict=True):
        yield _compared(layer, f"d{LETTERS[kind]}", actual, expected, bound)
    yield _compared("", "loss", np.array(found_loss), np.array(value), np.array(of_loss))


def _steps(
    model: Sequential,
    weights: list[Array],
    gradients: list[Array],
    optimizer: Optimizer,
    rate: float,
    names: list[tuple[str, str]],
    new: list[Array],
) -> Iterator[Comparison]:
    from ganglion import reference

    def make() -> reference.Optimizer:
        options = {field.name: getattr(optimizer, field.name) for field in fields(optimizer) if not field.kw_only}
        made = reference.OPTIMIZERS[optimizer.row](**(options | {"learning_rate": rate}))
        made.clip_norm, made.clip_value = optimizer.clip_norm, optimizer.clip_value
        return made

    trained = [index for index, trainable in enumerate(model.network.trainable) if trainable]
    weights, new = [weights[index] for index in trained], [new[index] for index in trained]
    names = [names[index] for index in trained]
    expected = [weight.astype(np.float64) for weight in weights]
    exact = [gradient.astype(np.float64) for gradient in gradients]
    bounds = reference.update_bounds(make, expected, exact, str(weights[0].dtype)) if weights else []
    make().update(expected, exact)
    for (layer, kind), actual, array, bound in zip(names, new, expected, bounds, strict=True):
        yield _compared(layer, f"new {LETTERS[kind]}", actual, array, bound)


def _statistics(
    model: Sequential, weights: list[Array], exact: Array, names: list[tuple[str, str]], new: list[Array]
) -> Iterator[Comparison]:
    """The moving statistics after a step, as the reference moves them from its own activations."""
    from ganglion import reference

    layers, _ = in_reference(model, weights)
    network = reference.Sequential(layers)
    network.forward(exact, reference.Moment(0, 0))
    bounds = iter(reference.statistics_bounds(network, model.dtype))
    for layer in layers:
        layer.advance()
    for (layer_name, kind), actual, expected, trainable in zip(
        names, new, network.weights, model.network.trainable, strict=True
    ):
        if not trainable:
            yield _compared(layer_name, f"new {LETTERS[kind]}", actual, expected, next(bounds))


def _compared(layer: str | None, quantity: str, actual: Array, expected: Array, bound: Array) -> Comparison:
    errors = np.abs(actual.astype(np.float64) - expected)
    with np.errstate(divide="ignore"):
        shares = np.divide(errors, bound, out=np.zeros_like(errors), where=errors != 0)  # nothing to bound is exact
    return Comparison(str(layer), quantity, float(errors.max()), float(shares.max()))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share < 9.995 else f"{share:.2g} ×"
