"""Loops written by hand that PyTorch and its users' door must agree on, and losses that PyTorch gave, beside this file.

    python tests/golden/make_torch_golden.py

needs PyTorch (the file names the version that wrote it) and rewrites losses_torch.json: every optimizer with every
layer and every loss of both, the loss of some of 200 steps in float64. The tables have what both define alike.
"""

import json
from itertools import pairwise, product
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from ganglion import reference

FILE = Path(__file__).resolve().parent / "losses_torch.json"
# 16 · 4 numbers: a power of two, or L1's sums of ± 1/n that cancel would leave noise, and Adam steps by it.
WIDTHS = (3, 8, 4)
ROWS, BATCH_SIZE, STEPS = 48, 16, 200
STORED = (10, 100, 200)

LAYERS = {
    "Tanh": lambda nn: nn.Tanh(),
    "Sigmoid": lambda nn: nn.Sigmoid(),
    "ReLU": lambda nn: nn.ReLU(inplace=True),
    "LeakyReLU": lambda nn: nn.LeakyReLU(0.1),
    "ELU": lambda nn: nn.ELU(alpha=0.7),
    "SELU": lambda nn: nn.SELU(),
    "Softplus": lambda nn: nn.Softplus(),
    "SiLU": lambda nn: nn.SiLU(),
    "GELU": lambda nn: nn.GELU(),
    "GELU-tanh": lambda nn: nn.GELU(approximate="tanh"),
    "Softmax": lambda nn: nn.Softmax(dim=1),
    "Identity": lambda nn: nn.Identity(),
    "BatchNorm1d": lambda nn: nn.BatchNorm1d(8, momentum=0.2),
    "LayerNorm": lambda nn: nn.LayerNorm(8),
    "Dropout": lambda nn: nn.Dropout(0.0),
    "Flatten": lambda nn: nn.Flatten(),
}
OPTIMIZERS = {
    "SGD": lambda optim, p: optim.SGD(p, lr=0.1),
    "SGD-momentum": lambda optim, p: optim.SGD(p, 0.02, 0.9, weight_decay=1e-3),
    "SGD-Nesterov": lambda optim, p: optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True),
    "Adam": lambda optim, p: optim.Adam(p, lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=1e-3),
    "AdamW": lambda optim, p: optim.AdamW(p, lr=0.01),
    "RMSprop": lambda optim, p: optim.RMSprop(p, lr=0.002, eps=1e-4),
    "RMSprop-momentum": lambda optim, p: optim.RMSprop(p, 0.001, 0.9, 1e-4, weight_decay=1e-3, momentum=0.8),
    "Adagrad": lambda optim, p: optim.Adagrad(p, lr=0.05, initial_accumulator_value=0.1),
}
# The loss, what the model ends in besides, and the targets.
LOSSES = {
    "MSELoss": (lambda nn: nn.MSELoss(), None, "values"),
    "L1Loss": (lambda nn: nn.L1Loss(), None, "values"),
    "HuberLoss": (lambda nn: nn.HuberLoss(delta=0.4), None, "values"),
    "CrossEntropyLoss": (lambda nn: nn.CrossEntropyLoss(reduction="mean"), None, "labels"),
    "CrossEntropyLoss-rows": (lambda nn: nn.CrossEntropyLoss(), None, "rows"),
    "BCEWithLogitsLoss": (lambda nn: nn.BCEWithLogitsLoss(), None, "answers"),
    "BCELoss": (lambda nn: nn.BCELoss(), lambda nn: nn.Sigmoid(), "answers"),
}
RUNS = list(product(OPTIMIZERS, LAYERS, LOSSES))


def ours():
    """Ganglion's door, as PyTorch's users see it."""
    from ganglion import nn, optim

    def sequential(*layers):
        return nn.Sequential(*layers, dtype="float64")

    return SimpleNamespace(nn=nn, optim=optim, sequential=sequential, array=np.asarray)


def theirs():
    """PyTorch in float64."""
    import torch

    torch.set_num_threads(1)

    def sequential(*layers):
        return torch.nn.Sequential(*layers).double()

    return SimpleNamespace(nn=torch.nn, optim=torch.optim, sequential=sequential, array=torch.tensor)


def weights():
    """Weight and bias of both linear layers, by their names in a state."""
    state = {}
    for place, (inputs, outputs) in zip((0, 2), pairwise(WIDTHS), strict=True):
        for name, bias in (("weight", False), ("bias", True)):
            array = reference.initialize("fan_in_uniform", inputs, outputs, seed=0, index=place + bias, bias=bias)
            state[f"{place}.{name}"] = array.T
    return state


def data(targets):
    """All features and targets."""
    x = reference.normal(ROWS * WIDTHS[0], seed=0, kind=4).reshape(ROWS, -1)
    labels = (x[:, 0] > 0).astype(np.int64) + 2 * (x[:, 1] > 0)
    rows = np.eye(WIDTHS[-1])[labels]
    return x, {"values": rows - 0.5, "labels": labels, "rows": rows, "answers": 0.9 * rows + 0.05}[targets]


def model(door, layer, last=None):
    """Two linear layers with one between them, and its weights."""
    nn, ends = door.nn, () if last is None else (last(door.nn),)
    made = door.sequential(nn.Linear(*WIDTHS[:2]), LAYERS[layer](nn), nn.Linear(*WIDTHS[1:]), *ends)
    made.load_state_dict({**made.state_dict(), **{name: door.array(value) for name, value in weights().items()}})
    return made


def losses(door, optimizer, layer, loss, rate=1.0):
    """The loss of each step, before its update, as users of PyTorch write it; and the last gradients."""
    make_loss, last, targets = LOSSES[loss]
    network = model(door, layer, last)
    x, y = (door.array(array) for array in data(targets))
    optimizer = OPTIMIZERS[optimizer](door.optim, network.parameters())
    optimizer.param_groups[0]["lr"] *= rate
    loss_fn = make_loss(door.nn)
    found = []
    for step in range(STEPS):
        rows = slice(step * BATCH_SIZE % ROWS, step * BATCH_SIZE % ROWS + BATCH_SIZE)
        loss = loss_fn(network(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
        if step == STEPS // 2:
            optimizer.param_groups[0]["lr"] /= 2
    return np.array(found), [np.asarray(p.grad) for p in network.parameters()]


def golden():
    """The stored losses by the names of a run."""
    return json.loads(FILE.read_text(encoding="utf-8"))["losses"]


if __name__ == "__main__":
    import torch

    door = theirs()
    stored = {" ".join(run): losses(door, *run)[0][np.array(STORED) - 1].tolist() for run in RUNS}
    text = json.dumps({"PyTorch": torch.__version__, "losses": stored}, indent=0)
    FILE.write_text(text.replace(",\n", ", ").replace('], "', '],\n"') + "\n", encoding="utf-8")
