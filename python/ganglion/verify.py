"""A user's own model against the reference: what it computes, its gradients, and what a step makes of its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ganglion import _native, inputs, machine
from ganglion.layers import Dense, Layer, Softmax
from ganglion.losses import LOSSES, CrossEntropy, Loss
from ganglion.optimizers import OPTIMIZERS, Optimizer
from ganglion.sequential import Sequential
from ganglion.trainer import Trainer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ganglion import reference
    from ganglion.inputs import Array

__all__ = ["Comparison", "Verification", "verify"]

QUANTITIES = ("output", "dW", "db", "new W", "new b")


@dataclass(frozen=True)
class Comparison:
    """One array of the core beside the reference's.

    Attributes
    ----------
    layer
        The layer's name; ``"loss"`` for the loss.
    quantity
        ``"output"``, ``"dW"``, ``"db"``, ``"new W"`` or ``"new b"``; ``""`` for the loss.
    error
        The largest \\|ganglion − reference\\|.
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
        for comparison in self.comparisons:
            quantity = comparison.quantity or "output"
            cells.setdefault(comparison.layer, {})[quantity] = f"{comparison.error:.1e} {_percent(comparison.share):>6}"
        columns = [quantity for quantity in QUANTITIES if any(quantity in row for row in cells.values())]
        first = max(map(len, cells))
        rows = [f"{'':<{first}}" + "".join(f"{quantity:>18}" for quantity in columns)]
        for layer, row in cells.items():
            rows.append(f"{layer:<{first}}" + "".join(f"{row.get(quantity, ''):>18}" for quantity in columns))
        title = f"{self.dtype} on {self.kernel_set}, {self.rows} rows: largest |ganglion − reference| and its share of the bound"
        return "\n".join([title, *(row.rstrip() for row in rows), self._verdict()])

    def _verdict(self) -> str:
        if self.ok:
            return "all within their bounds"
        outside = [f"{c.layer} {c.quantity}".rstrip() for c in self.failures]
        return f"NOT as the reference computes it: {', '.join(outside)}"


def verify(
    model: Sequential,
    x: ArrayLike,
    y: ArrayLike,
    loss: str | Loss = "cross_entropy",
    optimizer: str | Optimizer | None = None,
) -> Verification:
    """Compare a model with the same network in plain float64 NumPy, and print the largest errors.

    Looked at are each layer's output, the loss, the gradients of kernels and biases, and the new ones after an
    optimizer's first step from the gradients that the core found. The bounds are those of `ganglion.reference.bounds`,
    from the model's own weights and this very batch. The model is not changed, and a disagreement raises nothing.

    Parameters
    ----------
    model
        Any model whose sizes are known.
    x, y
        A batch, as `Trainer.fit` takes it; some ten rows show as much as many.
    loss
        ``"cross_entropy"``, ``"mse"``, or an object of ``ganglion.losses``.
    optimizer
        As `Trainer` takes it; ``"adam"`` by default.

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
    float32 on ..., 10 rows: largest |ganglion − reference| and its share of the bound
                     output                dW                db             new W             new b
    dense   ...
    dense_1 ...
    loss    ...
    all within their bounds
    >>> result.ok
    True
    """
    weights = model.get_weights()
    loss = LOSSES.find("loss", loss)
    optimizer = OPTIMIZERS.find("optimizer", "adam" if optimizer is None else optimizer)
    copy = Sequential.from_config(model.to_config())
    copy.set_weights(weights)
    trainer = Trainer(copy, loss, optimizer)
    trainer.evaluate(x, y)  # whatever is wrong with the batch, this says it
    features = inputs.features("x", x, copy.network.inputs, model.dtype)
    target = loss.targets("y", np.asarray(y), copy.network.outputs, model.dtype)
    # The core's first rounding of x is part of what the model is given, not of its error.
    exact = features.astype(model.dtype).astype(np.float64)
    batch = _Batch(features, exact, target.kind, target.array)
    context = machine.context()
    comparisons = [
        *_outputs(model, weights, batch),
        *_gradients_and_step(copy, weights, batch, loss, optimizer, lambda: trainer.train_on_batch(x, y)),
    ]
    order = [layer.name for layer in model.layers] + ["loss"]
    comparisons.sort(key=lambda comparison: order.index(comparison.layer))
    result = Verification(tuple(comparisons), len(exact), model.dtype, context.kernel_set)
    print(result)
    return result


@dataclass(frozen=True)
class _Batch:
    """Features as the core and as the reference take them, and targets."""

    features: Array
    exact: Array
    kind: str
    targets: Array

    def feed(self) -> _native.Feed:
        labels = self.kind == "labels"
        return _native.Feed(self.features, self.targets if labels else None, None if labels else self.targets)


def _outputs(model: Sequential, weights: list[Array], batch: _Batch) -> Iterator[Comparison]:
    """Each layer's output is that of a model which ends there."""
    from ganglion import reference

    layers, ends = _in_reference(model.layers, weights, model.dtype)
    network = reference.Sequential(layers)
    network.forward(batch.exact)
    bounds = reference.forward_bounds(network, model.dtype)
    used = 0
    size = batch.exact.shape[1]
    for count, (layer, end) in enumerate(zip(model.layers, ends, strict=True), start=1):
        used += len(layer.parameter_shapes(size))
        size = layer.outputs(size)
        part = Sequential(list(model.layers[:count]), dtype=model.dtype)
        part.build((batch.exact.shape[1],))
        part.set_weights(weights[:used])
        yield _compared(layer.name, "output", part.predict(batch.features), layers[end].y, bounds[end])


def _gradients_and_step(
    copy: Sequential,
    weights: list[Array],
    batch: _Batch,
    loss: Loss,
    optimizer: Optimizer,
    step: Callable[[], float],
) -> Iterator[Comparison]:
    from ganglion import reference

    schedule = optimizer.schedule.native()
    training = _native.Training(copy.network, loss.row, batch.kind, optimizer.native(), schedule, [])
    rate = training.learning_rate
    found = training.gradients(machine.context(), batch.feed())

    described = copy.layers
    layers, _ = _in_reference(described, weights, copy.dtype)
    if isinstance(loss, CrossEntropy) and isinstance(described[-1].function, Softmax):
        layers.pop()  # the loss's own
    network = reference.Sequential(layers)
    value, gradients = network.gradients(batch.exact, batch.targets, loss.row)
    of_loss, of_gradients = reference.gradient_bounds(network, batch.targets, loss.row, copy.dtype)

    start = [weight.astype(np.float64) for weight in weights]
    exact = [gradient.astype(np.float64) for gradient in found.arrays]

    def make() -> reference.Optimizer:
        options = {field.name: getattr(optimizer, field.name) for field in fields(optimizer)}  # type: ignore[arg-type]
        return reference.OPTIMIZERS[optimizer.row](**(options | {"learning_rate": rate}))

    of_step = reference.update_bounds(make, start, exact, copy.dtype)
    make().update(start, exact)
    step()

    names = [name.rpartition(".") for name in copy.state_dict()]
    new = copy.get_weights()
    for index, (layer, _, kind) in enumerate(names):
        letter = {"kernel": "W", "bias": "b"}[kind]
        yield _compared(layer, f"d{letter}", found.arrays[index], gradients[index], of_gradients[index])
        yield _compared(layer, f"new {letter}", new[index], start[index], of_step[index])
    yield _compared("loss", "", np.array(found.loss), np.array(value), np.array(of_loss))


def _in_reference(
    described: tuple[Layer, ...], weights: list[Array], dtype: str
) -> tuple[list[reference.Dense | reference.Activation], list[int]]:
    """The layers in the reference with exactly these weights, and where among them each of the model's layers ends."""
    from ganglion import reference

    remaining = iter(weight.astype(np.float64) for weight in weights)
    layers: list[reference.Dense | reference.Activation] = []
    ends = []
    for layer in described:
        if isinstance(layer, Dense):
            layers.append(reference.Dense(next(remaining), next(remaining) if layer.use_bias else None))
        function = layer.function
        alpha = float(np.dtype(dtype).type(function.alpha))
        options = dict.fromkeys(reference.ACTIVATIONS[function.row].options, alpha)
        if function.row != "identity" or not isinstance(layer, Dense):
            layers.append(reference.Activation(function.row, **options))
        ends.append(len(layers) - 1)
    return layers, ends


def _compared(layer: str | None, quantity: str, actual: Array, expected: Array, bound: Array) -> Comparison:
    errors = np.abs(actual.astype(np.float64) - expected)
    return Comparison(str(layer), quantity, float(errors.max()), float((errors / bound).max()))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share < 9.995 else f"{share:.2g} ×"
