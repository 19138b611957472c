"""What PyTorch's optimizers make of a small network, written beside this file as optimizers.json.

    python tests/golden/make_optimizers.py

needs PyTorch. A network 6-8-3 with tanh and mean squared error, in float64, 200 steps on batches of 16 of 64 rows in
their own order; the file has the loss of every twentieth step, before its update, by the name of the run.
"""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np

from ganglion import reference

FILE = Path(__file__).resolve().parent / "optimizers.json"
WIDTHS = (6, 8, 3)
ROWS, BATCH_SIZE, STEPS, KEPT = 64, 16, 200, 20

# By the name of the run: ganglion's class and arguments, PyTorch's.
RUNS = {
    "SGD": ("SGD", {"learning_rate": 0.05}, "SGD", {"lr": 0.05}),
    "SGD, momentum, weight decay": (
        "SGD",
        {"learning_rate": 0.02, "momentum": 0.9, "weight_decay": 0.01},
        "SGD",
        {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.01},
    ),
    "SGD, Nesterov": (
        "SGD",
        {"learning_rate": 0.02, "momentum": 0.9, "nesterov": True},
        "SGD",
        {"lr": 0.02, "momentum": 0.9, "nesterov": True},
    ),
    "Adam": (
        "Adam",
        {"learning_rate": 0.01, "weight_decay": 0.01},
        "Adam",
        {"lr": 0.01, "weight_decay": 0.01},
    ),
    "AdamW": (
        "AdamW",
        {"learning_rate": 0.01, "weight_decay": 0.1},
        "AdamW",
        {"lr": 0.01, "weight_decay": 0.1},
    ),
    "RMSprop": (
        "RMSprop",
        {"learning_rate": 0.01, "rho": 0.99, "weight_decay": 0.01},
        "RMSprop",
        {"lr": 0.01, "alpha": 0.99, "weight_decay": 0.01},
    ),
    "RMSprop, momentum": (
        "RMSprop",
        {"learning_rate": 0.002, "rho": 0.99, "momentum": 0.9},
        "RMSprop",
        {"lr": 0.002, "alpha": 0.99, "momentum": 0.9},
    ),
    "AdaGrad": (
        "AdaGrad",
        {"learning_rate": 0.1, "initial_accumulator": 0.1, "weight_decay": 0.01},
        "Adagrad",
        {"lr": 0.1, "initial_accumulator_value": 0.1, "weight_decay": 0.01},
    ),
}


def weights():
    """Kernel and bias of both layers."""
    arrays = []
    for layer in range(2):
        sizes = WIDTHS[layer : layer + 2]
        arrays.append(reference.initialize("glorot_uniform", *sizes, seed=0, index=2 * layer))
        arrays.append(reference.initialize("fan_in_uniform", *sizes, seed=0, index=2 * layer + 1, bias=True))
    return arrays


def batches():
    """(x, y) of each step."""
    x = reference.normal(ROWS * WIDTHS[0], seed=0, kind=4).reshape(ROWS, -1)
    y = np.stack([x[:, 0] * x[:, 1], np.tanh(x[:, 2] - x[:, 3]), x[:, 4]], axis=1)
    for step in range(STEPS):
        first = step * BATCH_SIZE % ROWS
        yield x[first : first + BATCH_SIZE], y[first : first + BATCH_SIZE]


def torch_losses(name):
    """The loss of each step, before its update."""
    import torch

    torch.set_num_threads(1)
    _, _, kind, options = RUNS[name]
    layers = [torch.nn.Linear(i, o, dtype=torch.float64) for i, o in pairwise(WIDTHS)]
    model = torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1])
    with torch.no_grad():
        for parameter, array in zip(model.parameters(), weights(), strict=True):
            parameter.copy_(torch.from_numpy(array.T.copy()))
    optimizer = getattr(torch.optim, kind)(model.parameters(), **options)
    losses = []
    for x, y in batches():
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(torch.from_numpy(x)), torch.from_numpy(y))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def golden(name):
    """The stored losses of a run."""
    return json.loads(FILE.read_text(encoding="utf-8"))["losses"][name]


if __name__ == "__main__":
    import torch

    losses = {name: torch_losses(name)[::KEPT] for name in RUNS}
    FILE.write_text(json.dumps({"PyTorch": torch.__version__, "losses": losses}, indent=1) + "\n", encoding="utf-8")
