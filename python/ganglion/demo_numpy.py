"""The demo's training in NumPy alone, float32, in a process of its own: ``python -m ganglion.demo_numpy WORK.npz``.

The network, its initial weights, the batches, the loss and Adam are those of ganglion's training, written as one would
by hand with some care: arrays that are used again are updated in place. Each line on the standard input starts a
training from the initial weights; the answer is a line of JSON with its seconds and the mean loss of each epoch.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["Training", "Work", "main"]

Array = NDArray[np.float32]
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Work:
    """What to train, on what and how.

    Attributes
    ----------
    x, y
        Images (n, I) and labels (n,).
    orders
        Row numbers, (epochs, n): the order of the images in each epoch.
    weights
        Kernel (I, O) and bias (O,) of each layer; ReLU between the layers, softmax and cross-entropy after the last.
    batch_size, learning_rate
        Adam's rate falls in a straight line from `learning_rate` to 0, which it would reach one step after the last.
    """

    x: Array
    y: NDArray[np.int64]
    orders: NDArray[np.int64]
    weights: list[Array]
    batch_size: int
    learning_rate: float

    def write(self, path: Path) -> None:
        """Write all of it to an ``.npz`` file."""
        numbered = {f"weight{i}": weight for i, weight in enumerate(self.weights)}
        numbers = {"batch_size": self.batch_size, "learning_rate": self.learning_rate}
        np.savez(path, x=self.x, y=self.y, orders=self.orders, **numbered, **numbers)  # type: ignore[arg-type]

    @classmethod
    def read(cls, path: Path) -> Work:
        """Read what `write` wrote."""
        with np.load(path) as file:
            weights = [file[f"weight{i}"] for i in range(sum(name.startswith("weight") for name in file))]
            numbers = int(file["batch_size"]), float(file["learning_rate"])
            return cls(file["x"], file["y"], file["orders"], weights, *numbers)


@dataclass(frozen=True)
class Training:
    """What one training took and found."""

    seconds: float
    losses: list[float]


def train(work: Work) -> Training:
    """Train from the initial weights."""
    weights = [weight.copy() for weight in work.weights]
    first = [np.zeros_like(weight) for weight in weights]
    second = [np.zeros_like(weight) for weight in weights]
    steps = len(work.orders) * -(-len(work.x) // work.batch_size)
    step, losses = 0, []
    began = time.perf_counter()
    for order in work.orders:
        total = 0.0
        for start in range(0, len(order), work.batch_size):
            rows = order[start : start + work.batch_size]
            loss, gradients = _gradients(weights, work.x[rows], work.y[rows])
            total += loss * len(rows)
            rate = work.learning_rate * (1 - step / steps)
            step += 1
            a, c = rate / (1 - BETA1**step), 1 / np.sqrt(1 - BETA2**step)
            for w, g, m, v in zip(weights, gradients, first, second, strict=True):
                m *= BETA1
                m += np.float32(1 - BETA1) * g
                v *= BETA2
                g *= g
                g *= np.float32(1 - BETA2)
                v += g
                np.sqrt(v, out=g)
                g *= np.float32(c)
                g += np.float32(EPSILON)
                np.divide(m, g, out=g)
                g *= np.float32(a)
                w -= g
        losses.append(total / len(order))
    return Training(time.perf_counter() - began, losses)


def _gradients(weights: list[Array], x: Array, y: NDArray[np.int64]) -> tuple[float, list[Array]]:
    """Mean cross-entropy of a batch and its gradients, in the order of the weights."""
    h = [x]
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        z = h[-1] @ kernel
        z += bias
        h.append(np.maximum(z, 0, out=z))
    z = h[-1] @ weights[-2]
    z += weights[-1]
    z -= z.max(axis=1, keepdims=True)
    d = np.exp(z)
    sums = d.sum(axis=1, keepdims=True)
    every = np.arange(len(y))
    loss = float(np.mean(np.log(sums[:, 0]) - z[every, y], dtype=np.float64))
    d /= sums
    d[every, y] -= 1
    d /= np.float32(len(y))
    gradients: list[Array] = []
    for layer in reversed(range(len(h))):
        gradients[:0] = h[layer].T @ d, d.sum(axis=0)
        if layer:
            d = d @ weights[2 * layer].T
            d *= h[layer] > 0
    return loss, gradients


def main() -> None:
    """Answer each line of the standard input with a training."""
    work = Work.read(Path(sys.argv[1]))
    for _ in sys.stdin:
        print(json.dumps(asdict(train(work))), flush=True)


if __name__ == "__main__":
    main()
