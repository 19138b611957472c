"""Networks to train and to ask."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganglion import reference
from ganglion.benchmark.workload import Array, Exact, Workload, exact_optimizer

__all__ = ["Prediction", "Training"]


def _weights(widths: Sequence[int], seed: int, biases: bool) -> list[Array]:
    """Kernel (I, O) and bias (O,) of each layer, the kernels normal with variance 1/I, the biases normal or 0."""
    random = np.random.default_rng(seed)
    weights: list[Array] = []
    for inputs, outputs in itertools.pairwise(widths):
        weights.append((random.standard_normal((inputs, outputs)) / math.sqrt(inputs)).astype(np.float32))
        weights.append(random.standard_normal(outputs, np.float32) if biases else np.zeros(outputs, np.float32))
    return weights


def _network(weights: Sequence[Array], activation: str) -> reference.Sequential:
    exact = [weight.astype(np.float64) for weight in weights]
    layers: list[reference.Dense | reference.Activation] = []
    for kernel, bias in zip(exact[::2], exact[1::2], strict=True):
        layers += [reference.Dense(kernel, bias), reference.Activation(activation)]
    return reference.Sequential(layers[:-1])


def _sizes(widths: Sequence[int]) -> str:
    return "-".join(map(str, widths))


def _parameters(widths: Sequence[int]) -> int:
    return sum(inputs * outputs + outputs for inputs, outputs in itertools.pairwise(widths))


def _products(widths: Sequence[int]) -> int:
    return sum(inputs * outputs for inputs, outputs in itertools.pairwise(widths))


@dataclass(frozen=True)
class Training(Workload):
    """Optimizer steps of a dense network, all batches full; the answer is its weights after the first few steps.

    Attributes
    ----------
    activation
        Of the hidden layers; the last layer has none.
    loss
        ``"cross_entropy"`` of labels or ``"mse"``.
    steps, epochs
        Steps of an epoch, which goes through all rows, and epochs between two looks at the clock.
    shuffle
        Whether each epoch takes the rows in a new order when it is timed. The answer is that of the rows as they lie.
    checked_steps
        How many steps the answer is of.
    feature
        One of `features.FEATURES`, or none.
    """

    widths: tuple[int, ...]
    activation: str
    loss: str
    optimizer: str
    batch: int
    steps: int
    epochs: int = 1
    shuffle: bool = False
    checked_steps: int = 4
    feature: str = ""

    unit = "step"
    # Peers lie 1e-6 to 1e-2 off: one of the three million inputs of `wide`'s ReLUs that is all rounding, taken for
    # positive, changes the gradients of a unit, and Adam makes whole steps of its smallest ones. A step of the four
    # left out is 0.25, a learning rate 10 % too small 0.1.
    tolerance = 0.05

    @property
    def title(self) -> str:
        order = ", shuffled" if self.shuffle else ""
        name = {"sgd": "SGD", "adam": "Adam"}[self.optimizer]
        return f"{_sizes(self.widths)} {self.activation}, {self.loss}, batch {self.batch}, {name}{order}"

    @property
    def rows(self) -> int:
        """Of the data set."""
        return self.batch * self.steps

    @property
    def units(self) -> int:
        return self.steps * self.epochs

    @property
    def flops(self) -> int:
        # Forward and weight gradient of every layer, input gradient of all but the first.
        return 6 * self.batch * _products(self.widths) - 2 * self.batch * self.widths[0] * self.widths[1]

    @property
    def bytes_moved(self) -> int:
        moments = {"sgd": 0, "adam": 2}[self.optimizer]
        return 4 * (self.batch * self.widths[0] + 2 * (1 + moments) * _parameters(self.widths))

    @property
    def amount(self) -> tuple[int, int, bool]:
        """Steps, epochs, shuffle: what is timed."""
        return self.steps, self.epochs, self.shuffle

    @property
    def checked_amount(self) -> tuple[int, int, bool]:
        """Steps, epochs, shuffle: what the answer is of."""
        steps = min(self.steps, self.checked_steps)
        return steps, self.checked_steps // steps, False

    def data(self) -> tuple[Array, NDArray[np.float32] | NDArray[np.int64]]:
        """Normal x (n, I) and targets: labels (n,), every class among the first rows, or normal values (n, O)."""
        random = np.random.default_rng(0)
        x = random.standard_normal((self.rows, self.widths[0]), np.float32)
        classes = self.widths[-1]
        if self.loss == "mse":
            return x, random.standard_normal((self.rows, classes), np.float32)
        labels = random.integers(0, classes, self.rows)
        labels[:classes] = np.arange(classes)  # scikit-learn wants them all
        return x, labels

    def weights(self) -> list[Array]:
        """Initial weights: kernel (I, O) and bias (O,) of each layer in turn."""
        return _weights(self.widths, seed=1, biases=False)

    def start(self) -> Sequence[Array | float]:
        return self.weights()

    def expected(self) -> list[Exact]:
        model = _network(self.weights(), self.activation)
        steps, epochs, _ = self.checked_amount
        x, y = (part[: steps * self.batch] for part in self.data())
        settings = {"epochs": epochs, "batch_size": self.batch, "shuffle": False}
        reference.train(model, x, y, loss=self.loss, optimizer=exact_optimizer(self.optimizer), **settings)  # type: ignore[arg-type]
        return model.parameters

    def batches(self, amount: tuple[int, int, bool]) -> Iterator[slice | NDArray[np.int64]]:
        """The rows of each step: a slice, or row numbers when they are shuffled."""
        steps, epochs, shuffle = amount
        random = np.random.default_rng()
        for _ in range(epochs):
            order = random.permutation(steps * self.batch) if shuffle else None
            for first in range(0, steps * self.batch, self.batch):
                rows = slice(first, first + self.batch)
                yield rows if order is None else order[rows]


@dataclass(frozen=True)
class Prediction(Workload):
    """The outputs of a trained ReLU network for a few rows, asked for from Python."""

    widths: tuple[int, ...]
    rows: int = 1

    unit = "call"
    tolerance = 1e-5  # float32 lies below 1e-6; an output without its bias, and weights in half precision, far above
    units = 100

    @property
    def title(self) -> str:
        return f"{_sizes(self.widths)} relu, {self.rows} {'row' if self.rows == 1 else 'rows'}"

    @property
    def flops(self) -> int:
        return 2 * self.rows * _products(self.widths)

    @property
    def bytes_moved(self) -> int:
        return 4 * (_parameters(self.widths) + self.rows * (self.widths[0] + self.widths[-1]))

    def x(self) -> Array:
        """(rows, I)."""
        return np.random.default_rng(2).standard_normal((self.rows, self.widths[0]), np.float32)

    def weights(self) -> list[Array]:
        """Kernel (I, O) and bias (O,) of each layer in turn."""
        return _weights(self.widths, seed=1, biases=True)

    def expected(self) -> list[Exact]:
        return [_network(self.weights(), "relu").forward(self.x())]
