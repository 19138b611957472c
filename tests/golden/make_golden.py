"""The run that ganglion and PyTorch must agree on, and the losses that PyTorch gave, written beside this file.

    python tests/golden/make_golden.py [folder of MNIST's IDX files]

needs PyTorch (the files name the version that wrote them) and rewrites losses_synthetic.json and, with a folder,
losses_mnist.json. The numbers are float64 and written to the last bit; another version, CPU or number of threads gives
others in the last two or three digits, and the tests ask for twelve.
"""

import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from ganglion import reference
from ganglion.data import mnist

FOLDER = Path(__file__).resolve().parent
WIDTHS = (784, 512, 512, 10)
BATCH_SIZE = 128
STEPS = 200
LEARNING_RATE = 1e-3
SEED = 0


def initial_weights():
    """Kernel and bias of each layer in order."""
    weights = []
    for layer, (inputs, outputs) in enumerate(pairwise(WIDTHS)):
        weights.append(reference.initialize("glorot_uniform", inputs, outputs, SEED, index=2 * layer))
        weights.append(np.zeros(outputs))
    return weights


def batches(x, y):
    """The data in its own order, from the start again where it ends; every batch is full."""
    each = len(x) // BATCH_SIZE
    for step in range(STEPS):
        first = step % each * BATCH_SIZE
        yield x[first : first + BATCH_SIZE], y[first : first + BATCH_SIZE]


def synthetic():
    """6400 rows that anybody can make: uniform numbers, half of them zero; the label is the largest of ten sums."""
    rows = 50 * BATCH_SIZE
    x = np.maximum(2 * reference.uniform(rows * WIDTHS[0], SEED, kind=4).reshape(rows, -1) - 1, 0)
    teacher = reference.normal(WIDTHS[0] * WIDTHS[-1], SEED, kind=4, index=1).reshape(WIDTHS[0], -1)
    sums = x @ teacher
    return x, (sums - sums.mean(axis=0)).argmax(axis=1)


def digits(folder):
    """The rows of MNIST's training images that the batches reach."""
    (images, labels), _ = mnist(folder, raw=True)
    rows = STEPS * BATCH_SIZE
    return images[:rows].reshape(rows, -1) / 255, labels[:rows]


def torch_losses(x, y):
    """The loss of each step, before its update: ReLU between the layers, plain Adam, all in float64."""
    import torch

    layers = []
    arrays = iter(initial_weights())
    for kernel, bias in zip(arrays, arrays, strict=True):
        layer = torch.nn.Linear(*kernel.shape, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(kernel.T))
            layer.bias.copy_(torch.from_numpy(bias))
        layers += [layer, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    losses = []
    for images, labels in batches(x, y):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            model(torch.from_numpy(images)), torch.from_numpy(labels.astype(np.int64))
        )
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def golden(name):
    """The stored losses of a run."""
    return json.loads((FOLDER / f"losses_{name}.json").read_text())["losses"]


def write(name, x, y):
    """Run PyTorch and store its losses."""
    import torch

    content = {"torch": torch.__version__, "losses": torch_losses(x, y)}
    (FOLDER / f"losses_{name}.json").write_text(json.dumps(content, indent=0) + "\n")


if __name__ == "__main__":
    write("synthetic", *synthetic())
    if len(sys.argv) > 1:
        write("mnist", *digits(sys.argv[1]))
