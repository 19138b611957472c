"""One call of each function that draws, on small data, for tests that hold for all pictures."""

from functools import partial
from types import SimpleNamespace

import numpy as np

import ganglion as gg
from ganglion import plotting


def random(*shape):
    return np.random.default_rng(7).standard_normal(shape)


def monitors(layers, steps):
    norms = 10.0 ** (np.arange(layers)[:, None] - layers) * np.exp(0.2 * random(layers, steps))
    names = ["dense", *(f"dense_{index}" for index in range(1, layers))]
    watched = {name: {"gradient_norm": norm.tolist()} for name, norm in zip(names, norms, strict=True)}
    return SimpleNamespace(monitored=watched, monitored_steps=list(range(0, 100 * steps, 100)))


def valley(x, y):
    return x**2 / 20 + y**2


def spiral(turns):
    t = np.linspace(0, 1, 40)[:, None]
    return (1 - t) * np.column_stack([6 * np.cos(turns * t), 2 * np.sin(turns * t)])


EPOCHS = {
    "loss": [1.0, 0.4, 0.2],
    "val_loss": [0.9, 0.5, 0.4],
    "accuracy": [0.5, 0.8, 0.9],
    "val_accuracy": [0.6, 0.7, 0.8],
}
PLANE = random(60, 2)
SIDES = (PLANE[:, 0] > 0).astype(int) + (PLANE[:, 1] > 0.5)
LABELS = np.arange(40) % 5
TAKEN_FOR = np.where(np.arange(40) % 7 == 0, (LABELS + 2) % 5, LABELS)
MODEL = gg.Sequential(gg.Dense(9, activation="tanh", input_shape=(16,)), gg.Dense(5), seed=3)
CURVE = gg.Sequential(gg.Dense(4, activation="tanh", input_shape=(1,)), gg.Dense(1), seed=3)
PLANES = gg.Sequential(gg.Dense(3, input_shape=(2,)), seed=3)
X = np.linspace(-2, 2, 9)

# f(ax=…, path=…) by name; a picture of several panels has their number.
PICTURES = {
    "learning_curves": partial(plotting.learning_curves, EPOCHS),
    "gradients": partial(plotting.gradients, monitors(4, 10)),
    "gradients of many layers": partial(plotting.gradients, monitors(12, 40)),
    "activation_functions": partial(plotting.activation_functions),
    "an activation function": partial(plotting.activation_functions, ["step"]),
    "descent_paths": partial(
        plotting.descent_paths, valley, {"SGD": spiral(9), "Adam": spiral(2)}, limits=(-8, 8, -3, 3), log=True
    ),
    "descent_paths of four": partial(
        plotting.descent_paths, valley, {f"way {n}": spiral(n)[:12] for n in range(4)}, limits=(-8, 8, -3, 3)
    ),
    "descent_curve": partial(
        plotting.descent_curve, np.square, {f"μ = {m}": 2 * (1 - 2 * m) ** np.arange(9) for m in (0.2, 0.6, 1.1)},
        limits=(-3, 3),
    ),
    "decision_boundary": partial(plotting.decision_boundary, PLANES, PLANE, SIDES),
    "fit_1d": partial(plotting.fit_1d, {"1-4-1": CURVE, "sin": np.sin}, X, np.sin(X), validation=(X[:3] + 0.1, X[:3])),
    "confusion_matrix": partial(plotting.confusion_matrix, LABELS, TAKEN_FOR),
    "confusion_matrix with names": partial(
        plotting.confusion_matrix, LABELS, TAKEN_FOR, names=["T-shirt", "trousers", "pullover", "dress", "ankle boot"]
    ),
    "first_weights": partial(plotting.first_weights, MODEL, shape=(4, 4)),
    "misclassified": partial(plotting.misclassified, random(40, 16), LABELS, TAKEN_FOR, shape=(4, 4)),
    "none misclassified": partial(plotting.misclassified, random(40, 16), LABELS, LABELS, shape=(4, 4)),
    "lines": partial(plotting.lines, X, {"a": X, "b": X**2}, xlabel="x", ylabel="y", title="powers"),
    "lines over names": partial(
        plotting.lines, ["SGD", "Adam", "RMSprop"], {f"{n} epochs": [n, 2 * n, 3 * n] for n in (1, 4, 9)},
        xlabel="", ylabel="loss", log=True,
    ),
}  # fmt: skip
PANELS = {"learning_curves": 2, "activation_functions": 4}
