"""The runs that ganglion and Keras must agree on, and some of the losses that Keras gave, written beside this file.

    KERAS_BACKEND=jax python tests/golden/make_keras_golden.py

needs Keras (the file names the version that wrote it) and rewrites losses_keras.json: the loss of some steps of some
runs in float64. Epsilons are next to nothing: Keras adds its own elsewhere, before Adam's bias correction and under
RMSprop's and AdaGrad's roots.
"""

import json
import os
import sys
from itertools import pairwise, product
from pathlib import Path

import numpy as np

from ganglion import reference

FILE = Path(__file__).resolve().parent / "losses_keras.json"
# 4 · 32 numbers: a power of two, or mae's sums of ± 1/n that cancel would leave noise, and Adam steps by it.
WIDTHS = (6, 8, 7, 4)
ROWS, BATCH_SIZE, STEPS = 320, 32, 200
STORED = (1, 2, 10, 50, 100, 150, 200)
EPSILON = 1e-30

# What ganglion and Keras call an optimizer, and the arguments of both.
OPTIMIZERS = {  # at rates where no probability comes near 10⁻⁷, to which Keras clips them
    "sgd": ("SGD", {"learning_rate": 0.05}),
    "momentum": ("SGD", {"learning_rate": 0.01, "momentum": 0.9}),
    "nesterov": ("SGD", {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True}),
    "adam": ("Adam", {"learning_rate": 1e-3, "epsilon": EPSILON}),
    "adamw": ("AdamW", {"learning_rate": 1e-3, "epsilon": EPSILON, "weight_decay": 0.01}),
    "rmsprop": ("RMSprop", {"learning_rate": 1e-3, "epsilon": EPSILON}),
    "rmsprop_momentum": ("RMSprop", {"learning_rate": 2e-4, "epsilon": EPSILON, "momentum": 0.9}),
    "adagrad": ("Adagrad", {"learning_rate": 1e-2, "epsilon": EPSILON}),
}
ACTIVATIONS = ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "softplus", "silu", "gelu", "softmax")
# What the last layer ends in, what Keras calls a loss, its arguments, and the targets.
LOSSES = {
    "mse": ("linear", "MeanSquaredError", {}, "values"),
    "mae": ("linear", "MeanAbsoluteError", {}, "values"),
    "huber": ("linear", "Huber", {}, "values"),
    "labels": ("linear", "SparseCategoricalCrossentropy", {"from_logits": True}, "labels"),
    "one_hot": ("linear", "CategoricalCrossentropy", {"from_logits": True}, "one_hot"),
    "probabilities": ("softmax", "CategoricalCrossentropy", {}, "one_hot"),
    "yes_or_no": ("linear", "BinaryCrossentropy", {"from_logits": True}, "answers"),
    "sigmoid": ("sigmoid", "BinaryCrossentropy", {}, "answers"),
}
RUNS = list(product(OPTIMIZERS, ACTIVATIONS, LOSSES))
# Every optimizer with every activation, and each of both with every loss.
STORED_RUNS = [
    (optimizer, activation, list(LOSSES)[(i + j) % len(LOSSES)])
    for i, optimizer in enumerate(OPTIMIZERS)
    for j, activation in enumerate(ACTIVATIONS)
]


def weights():
    """Kernel and bias of each layer in order; no bias is 0, where relu has its kink."""
    arrays = []
    for layer, (inputs, outputs) in enumerate(pairwise(WIDTHS)):
        arrays.append(reference.initialize("glorot_uniform", inputs, outputs, 0, index=2 * layer))
        arrays.append(0.1 * reference.normal(outputs, 0, kind=4, index=10 + layer))
    return arrays


def batches(targets):
    """200 batches, from the start again where the rows end."""
    x = reference.normal(ROWS * WIDTHS[0], 0, kind=4).reshape(ROWS, -1)
    values = np.tanh(x @ reference.normal(WIDTHS[0] * WIDTHS[-1], 0, kind=4, index=1).reshape(WIDTHS[0], -1))
    labels = values.argmax(axis=1)
    y = {"values": values, "labels": labels, "one_hot": np.eye(WIDTHS[-1])[labels], "answers": 1.0 * (values > 0)}
    for step in range(STEPS):
        first = step * BATCH_SIZE % ROWS
        yield x[first : first + BATCH_SIZE], y[targets][first : first + BATCH_SIZE]


def keras():
    """Keras in float64, on JAX unless KERAS_BACKEND names another."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.setdefault("JAX_ENABLE_X64", "1")
    import keras
    from keras.src.backend.common import dtypes

    keras.config.set_floatx("float64")
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # else means and sums are float32, but on TensorFlow
    return keras


def keras_losses(optimizer, activation, loss):
    """The loss of each step, before its update."""
    library = keras()
    last, name, arguments, targets = LOSSES[loss]
    hidden = [library.layers.Dense(units, activation=activation) for units in WIDTHS[1:-1]]
    ends = library.layers.Dense(WIDTHS[-1], activation=last)
    model = library.Sequential([library.layers.Input(WIDTHS[:1]), *hidden, ends])
    model.set_weights(weights())
    kind, options = OPTIMIZERS[optimizer]
    model.compile(getattr(library.optimizers, kind)(**options), getattr(library.losses, name)(**arguments))
    losses = []
    for x, y in batches(targets):
        model.reset_metrics()  # else it is the mean over all batches
        losses.append(float(model.train_on_batch(x, y)))
    return losses


def golden():
    """The stored losses by the names of a run."""
    return json.loads(FILE.read_text())["losses"]


if __name__ == "__main__":
    found = {}
    for number, run in enumerate(STORED_RUNS):
        losses = keras_losses(*run)
        found[" ".join(run)] = [losses[step - 1] for step in STORED]
        print(number + 1, "of", len(STORED_RUNS), *run, losses[-1], file=sys.stderr)
    text = json.dumps({"keras": keras().__version__, "losses": found}, indent=0)
    FILE.write_text(text.replace(",\n", ", ").replace('], "', '],\n"') + "\n")
