"""The training loop."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .array import Array
from .layers import Moment
from .optimizers import Optimizer
from .random import shuffle as shuffled
from .sequential import Sequential


@dataclass(frozen=True)
class Losses:
    """What `train` saw.

    Attributes
    ----------
    steps
        The loss of every batch, before its update.
    epochs
        The mean over every epoch's rows.
    """

    steps: list[float]
    epochs: list[float]


def batches(rows: int, batch_size: int, seed: int, epoch: int, shuffle: bool) -> Iterator[NDArray[np.int64]]:
    """Yield the row numbers of each batch of an epoch; the last batch may be short.

    Examples
    --------
    >>> list(batches(5, 2, seed=0, epoch=0, shuffle=False))
    [array([0, 1]), array([2, 3]), array([4])]
    """
    order = shuffled(rows, seed, epoch) if shuffle else np.arange(rows)
    for first in range(0, rows, batch_size):
        yield order[first : first + batch_size]


def train(
    model: Sequential,
    x: ArrayLike,
    y: ArrayLike,
    *,
    loss: str,
    optimizer: Optimizer,
    epochs: int = 1,
    batch_size: int = 32,
    shuffle: bool = True,
    seed: int = 0,
    weights: ArrayLike | None = None,
    accumulate: int = 1,
    **options: float,
) -> Losses:
    """Minimise the loss of a model on x (n, I) and targets y by minibatches, row i counting `weights[i]` times.

    A step takes the mean gradient of `accumulate` minibatches, or of those that are left of an epoch.

    Examples
    --------
    >>> from ganglion.reference import SGD, Dense
    >>> model = Sequential([Dense(np.zeros((1, 1)))])
    >>> losses = train(model, [[1.0], [2.0]], [[3.0], [6.0]], loss="mse", optimizer=SGD(0.1), epochs=50)
    >>> model.parameters[0].round(6)
    array([[3.]])
    """
    x, y = np.asarray(x), np.asarray(y)
    w = np.ones(len(x)) if weights is None else np.asarray(weights)
    seen = Losses([], [])
    for epoch in range(epochs):
        total = 0.0
        waiting: list[list[Array]] = []
        left = -(-len(x) // batch_size)
        for rows in batches(len(x), batch_size, seed, epoch, shuffle):
            moment = Moment(epoch, optimizer.step * accumulate + len(waiting))
            share = None if weights is None else w[rows]
            value, gradients = model.gradients(x[rows], y[rows], loss, share, moment, **options)
            waiting.append(gradients)
            left -= 1
            if len(waiting) == accumulate or left == 0:
                optimizer.update(model.parameters, [sum(g) / len(waiting) for g in zip(*waiting, strict=True)])
                waiting.clear()
            for layer in model.layers:
                layer.advance()
            seen.steps.append(value)
            total += value * len(rows)
        seen.epochs.append(total / len(x))
    return seen
