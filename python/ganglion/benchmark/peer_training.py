"""Training by ganglion, NumPy, PyTorch, Keras and scikit-learn; JAX has a file of its own."""

from __future__ import annotations

import itertools
import math
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganglion.benchmark.features import CLIP_NORM, DROPOUT_RATE, NORM_EPSILON, NORM_MOMENTUM
from ganglion.benchmark.networks import Training
from ganglion.benchmark.peers import Job
from ganglion.benchmark.workload import ADAM_RATE, BETA1, BETA2, EPSILON, SGD_RATE, Array

# Keras and scikit-learn add ε before they correct √v for its bias, which makes it larger: a factor √(1 − β₂ᵗ)
# makes both the same at step t, and nearly so at the steps around it.
EARLY_EPSILON = EPSILON * math.sqrt(1 - BETA2**2)

Amount = tuple[int, int, bool]  # steps of an epoch, epochs, whether to shuffle


def training_job(work: Training, train: Callable[[Amount], object], weights: Callable[[], list[NDArray[Any]]]) -> Job:
    """A job from a function that trains so much and one that tells the weights."""
    return Job(lambda: train(work.checked_amount), weights, lambda: train(work.amount))


def _ganglion_trainer(work: Training, threads: int) -> Any:
    import ganglion as gg

    layers: list[gg.layers.Layer] = []
    for units in work.widths[1:-1]:
        layers.append(gg.Dense(units, activation=work.activation))
        if work.feature == "dropout":
            layers.append(gg.Dropout(DROPOUT_RATE))
        if work.feature == "norm":
            layers.append(gg.BatchNormalization(momentum=NORM_MOMENTUM, epsilon=NORM_EPSILON))
    model = gg.Sequential([*layers, gg.Dense(work.widths[-1])], seed=0)
    model.build((work.widths[0],))
    names = [name for name in model.state_dict() if "moving" not in name]
    model.load_state_dict({**model.state_dict(), **dict(zip(names, work.weights(), strict=True))})
    bound = CLIP_NORM if work.feature == "clipping" else None
    optimizer = gg.SGD(SGD_RATE) if work.optimizer == "sgd" else gg.Adam(ADAM_RATE, clip_norm=bound)
    metrics = ["accuracy"] if work.feature == "metrics" else []
    return gg.Trainer(model, work.loss, optimizer, metrics=metrics, threads=threads or None)


def _trained_weights(trainer: Any) -> list[NDArray[Any]]:
    return [array for name, array in trainer.model.state_dict().items() if "moving" not in name]


def ganglion(work: Training, threads: int) -> Job:
    """Whole epochs in `Trainer.fit`."""
    trainer = _ganglion_trainer(work, threads)
    x, y = work.data()

    def train(amount: Amount) -> None:
        steps, epochs, shuffle = amount
        rows = steps * work.batch
        trainer.fit(x[:rows], y[:rows], batch_size=work.batch, epochs=epochs, shuffle=shuffle, verbose=0)

    return training_job(work, train, lambda: _trained_weights(trainer))


def ganglion_loop(work: Training, threads: int) -> Job:
    """A loop in Python around `Trainer.train_on_batch`."""
    trainer = _ganglion_trainer(work, threads)
    x, y = work.data()

    def train(amount: Amount) -> None:
        for rows in work.batches(amount):
            trainer.train_on_batch(x[rows], y[rows])

    return training_job(work, train, lambda: _trained_weights(trainer))


class _NumpyNetwork:
    """The network by hand in float32, arrays that are used again being updated in place."""

    def __init__(self, work: Training) -> None:
        self.work = work
        self.weights = work.weights()
        self.first = [np.zeros_like(weight) for weight in self.weights]
        self.second = [np.zeros_like(weight) for weight in self.weights]
        self.step = 0

    def gradients(self, x: Array, y: NDArray[Any]) -> list[Array]:
        h: list[Array] = [x]
        for kernel, bias in zip(self.weights[:-2:2], self.weights[1:-2:2], strict=True):
            z = h[-1] @ kernel
            z += bias
            h.append(self._activate(z))
        d: Array = h[-1] @ self.weights[-2]
        d += self.weights[-1]
        if self.work.loss == "mse":
            d -= y
            d *= np.float32(2 / d.size)
        else:
            d -= d.max(axis=1, keepdims=True)
            np.exp(d, out=d)
            d /= d.sum(axis=1, keepdims=True)
            d[np.arange(len(y)), y] -= 1
            d /= np.float32(len(y))
        gradients: list[Array] = []
        for layer in reversed(range(len(h))):
            gradients[:0] = h[layer].T @ d, d.sum(axis=0)
            if layer:
                d = d @ self.weights[2 * layer].T
                self._differentiate(d, h[layer])
        return gradients

    def _activate(self, z: Array) -> Array:
        if self.work.activation == "relu":
            return np.maximum(z, 0, out=z)
        if self.work.activation == "tanh":
            return np.tanh(z, out=z)
        np.negative(z, out=z)
        np.exp(z, out=z)
        z += 1
        return np.reciprocal(z, out=z)

    def _differentiate(self, d: Array, h: Array) -> None:
        if self.work.activation == "relu":
            d *= h > 0
        elif self.work.activation == "tanh":
            d *= 1 - h * h
        else:
            d *= h * (1 - h)

    def update(self, gradients: list[Array]) -> None:
        self.step += 1
        a = np.float32(ADAM_RATE / (1 - BETA1**self.step))
        c = np.float32((1 - BETA2**self.step) ** -0.5)
        for w, g, m, v in zip(self.weights, gradients, self.first, self.second, strict=True):
            if self.work.optimizer == "sgd":
                g *= np.float32(SGD_RATE)
            else:
                m *= np.float32(BETA1)
                m += np.float32(1 - BETA1) * g
                v *= np.float32(BETA2)
                g *= g
                g *= np.float32(1 - BETA2)
                v += g
                np.sqrt(v, out=g)
                g *= c
                g += np.float32(EPSILON)
                np.divide(m, g, out=g)
                g *= a
            w -= g


def numpy(work: Training, threads: int) -> Job:
    """NumPy by hand."""
    del threads  # the environment has them
    network = _NumpyNetwork(work)
    x, y = work.data()

    def train(amount: Amount) -> None:
        for rows in work.batches(amount):
            network.update(network.gradients(x[rows], y[rows]))

    return training_job(work, train, lambda: list(network.weights))


def torch(work: Training, threads: int, *, compiled: bool = False) -> Job:
    """PyTorch: modules, autograd and the fused optimizer."""
    import torch
    from torch import nn

    if threads:
        torch.set_num_threads(threads)
    activations = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
    network = nn.Sequential()
    for inputs, outputs in itertools.pairwise(work.widths):
        network.extend([nn.Linear(inputs, outputs), activations[work.activation]()])
        if work.feature == "dropout":
            network.append(nn.Dropout(DROPOUT_RATE))
        if work.feature == "norm":
            network.append(nn.BatchNorm1d(outputs, NORM_EPSILON, 1 - NORM_MOMENTUM))
    network = network[: -2 if work.feature in {"dropout", "norm"} else -1]
    parameters = list(network.parameters())
    with torch.no_grad():
        for parameter, weight in zip(parameters, work.weights(), strict=True):
            parameter.copy_(torch.from_numpy(weight.T))
    model = torch.compile(network) if compiled else network
    loss = nn.MSELoss() if work.loss == "mse" else nn.CrossEntropyLoss()
    if work.optimizer == "sgd":
        optimizer = torch.optim.SGD(parameters, SGD_RATE, fused=True)
    else:
        optimizer = torch.optim.Adam(parameters, ADAM_RATE, (BETA1, BETA2), EPSILON, fused=True)
    x, y = (torch.from_numpy(part) for part in work.data())
    right = torch.zeros((), dtype=torch.int64)

    def train(amount: Amount) -> None:
        for chosen in work.batches(amount):
            rows = chosen if isinstance(chosen, slice) else torch.from_numpy(chosen)
            optimizer.zero_grad()
            z = model(x[rows])
            loss(z, y[rows]).backward()
            if work.feature == "clipping":
                nn.utils.clip_grad_norm_(parameters, CLIP_NORM)
            if work.feature == "metrics":
                right.add_((z.argmax(dim=1) == y[rows]).sum())
            optimizer.step()

    return training_job(work, train, lambda: [parameter.detach().numpy().T for parameter in parameters])


def torch_compile(work: Training, threads: int) -> Job:
    """PyTorch with the network compiled."""
    return torch(work, threads, compiled=True)


def keras(work: Training, threads: int) -> Job:
    """Keras, on JAX where that is installed, all steps of an epoch in one execution."""
    del threads
    if "KERAS_BACKEND" not in os.environ:
        from importlib.util import find_spec

        installed = (name for name in ("jax", "torch", "tensorflow") if find_spec(name))
        os.environ["KERAS_BACKEND"] = next(installed, "jax")
    import keras

    layers = []
    for units in work.widths[1:-1]:
        layers.append(keras.layers.Dense(units, activation=work.activation))
        if work.feature == "dropout":
            layers.append(keras.layers.Dropout(DROPOUT_RATE))
        if work.feature == "norm":
            layers.append(keras.layers.BatchNormalization(momentum=NORM_MOMENTUM, epsilon=NORM_EPSILON))
    model = keras.Sequential([keras.Input((work.widths[0],)), *layers, keras.layers.Dense(work.widths[-1])])
    for variable, weight in zip(model.trainable_variables, work.weights(), strict=True):
        variable.assign(weight)
    loss = "mse" if work.loss == "mse" else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if work.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(SGD_RATE)
    else:
        bound = CLIP_NORM if work.feature == "clipping" else None
        optimizer = keras.optimizers.Adam(ADAM_RATE, BETA1, BETA2, EARLY_EPSILON, global_clipnorm=bound)
    metrics = ["accuracy"] if work.feature == "metrics" else None
    model.compile(optimizer=optimizer, loss=loss, metrics=metrics, steps_per_execution=work.steps)
    x, y = work.data()

    def train(amount: Amount) -> None:
        steps, epochs, shuffle = amount
        rows = steps * work.batch
        model.fit(x[:rows], y[:rows], batch_size=work.batch, epochs=epochs, shuffle=shuffle, verbose=0)

    return training_job(work, train, lambda: [variable.numpy() for variable in model.trainable_variables])


def sklearn(work: Training, threads: int) -> Job:
    """scikit-learn's multilayer perceptron, started warm from the given weights; each `fit` makes a new optimizer."""
    del threads
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    warnings.filterwarnings("ignore")  # that so few epochs have not converged
    outputs = work.widths[-1]
    # Its squared error is halved and not divided by the outputs.
    scale = 2 / outputs if work.loss == "mse" else 1.0
    kind = MLPRegressor if work.loss == "mse" else MLPClassifier
    model = kind(
        hidden_layer_sizes=work.widths[1:-1],
        activation={"sigmoid": "logistic"}.get(work.activation, work.activation),
        solver=work.optimizer,
        alpha=0,
        batch_size=work.batch,
        learning_rate_init=SGD_RATE * scale if work.optimizer == "sgd" else ADAM_RATE,
        epsilon=EARLY_EPSILON / scale,
        momentum=0,
        tol=0,
        n_iter_no_change=10**9,
        warm_start=True,
    )
    x, y = work.data()
    if y.ndim == 2 and outputs == 1:
        y = y[:, 0]

    def train(amount: Amount) -> None:
        steps, epochs, shuffle = amount
        rows = steps * work.batch
        model.set_params(max_iter=epochs, shuffle=shuffle).fit(x[:rows], y[:rows])

    train((1, 1, False))  # makes the attributes, the weights among them
    weights = work.weights()
    model.coefs_, model.intercepts_ = weights[::2], weights[1::2]
    return training_job(
        work,
        train,
        lambda: [part for pair in zip(model.coefs_, model.intercepts_, strict=True) for part in pair],
    )
