"""The core's gradients against differences of its own loss, in float64: what ``numerical=True`` adds to `verify`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion import machine, rows
from ganglion.functional.calculus import numerical_diff, numerical_gradient
from ganglion.sequential import Sequential
from ganglion.trainer import Trainer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ganglion.inputs import Array
    from ganglion.losses import Loss
    from ganglion.optimizers import Optimizer

STEP = 1e-5  # leaves an error of STEP² from the third derivative and 10⁻¹⁶ / STEP from rounding
OF_GRADIENT, OF_LOSS = 1e-6, 1e-9  # the bound, as shares of the largest gradient and of the loss
ELEMENTS = 20  # looked at of each parameter


def differences(
    model: Sequential, x: ArrayLike, y: ArrayLike, loss: Loss, optimizer: Optimizer
) -> Iterator[tuple[str, Array, Array, Array]]:
    """Name, gradient by the core, gradient by differences and bound, for some elements of each parameter.

    An element where the loss has a kink, as beside a relu's zero, has no derivative to compare with and is left out.
    """
    twin = Sequential.from_config(model.to_config() | {"dtype": "float64"})
    twin.set_weights(model.get_weights())
    batch = rows.checked(twin, loss, x, y)
    training = Trainer(twin, loss, optimizer)._evaluation(batch)
    context, feed = machine.context(), batch.feed()
    found = training.gradients(context, feed)
    bound = OF_GRADIENT * max((np.abs(array).max() for array in found.arrays), default=0.0) + OF_LOSS * abs(found.loss)
    generator = np.random.default_rng(0)
    gradients = iter(found.arrays)
    for index, (name, weights) in enumerate(twin.state_dict().items()):
        if not twin.network.trainable[index]:
            continue
        gradient = next(gradients)
        kept = np.array(weights)
        chosen = np.sort(generator.permutation(kept.size)[:ELEMENTS])

        def value(some: Array, where: Any = chosen, kept: Array = kept, index: int = index) -> float:
            moved = kept.copy()
            moved.flat[where] = some
            twin.network.assign(index, moved)
            return training.gradients(context, feed).loss  # the loss as training sees it, dropout and all

        expected = numerical_gradient(value, kept.flat[chosen], STEP)
        actual = gradient.flat[chosen]
        smooth = [
            abs(a - e) <= bound or not _has_kink(value, kept.flat[place], place, bound)
            for a, e, place in zip(actual, expected, chosen, strict=True)
        ]
        twin.network.assign(index, kept)
        if any(smooth):
            yield name, actual[smooth], expected[smooth], np.full(sum(smooth), bound)


def _has_kink(value: Callable[..., float], at: float, place: int, bound: float) -> bool:
    """Whether slopes to the right and left do not come together as the step is halved, as a smooth function's do."""

    def along(w: float) -> float:
        return value(w, place)

    def slopes(step: float) -> tuple[float, float]:
        return numerical_diff(along, at + step / 2, step / 2), numerical_diff(along, at - step / 2, step / 2)

    right, left = slopes(STEP)
    nearer_right, nearer_left = slopes(STEP / 2)
    bend = abs((right - left) / 2 - (nearer_right - nearer_left))
    change = abs((right + left) - (nearer_right + nearer_left)) / 2
    return max(bend, change) > bound / 2
