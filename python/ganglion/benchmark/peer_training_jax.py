"""Training by JAX: a compiled step called from Python, and whole epochs in one compiled call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ganglion.benchmark.features import CLIP_NORM, DROPOUT_RATE, NORM_EPSILON
from ganglion.benchmark.networks import Training
from ganglion.benchmark.peer_training import Amount, training_job
from ganglion.benchmark.peers import Job
from ganglion.benchmark.workload import ADAM_RATE, BETA1, BETA2, EPSILON, SGD_RATE


@dataclass
class _State:
    """What a step changes, all of it JAX's arrays: weights, Adam's moments and number of steps, right answers seen."""

    values: Any
    key: Any


def _step(work: Training) -> Callable[..., Any]:
    """One step as a pure function (values, x, y) → values, not compiled yet."""
    import jax
    import jax.numpy as jnp

    activation = {"relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}[work.activation]
    hidden = len(work.widths) - 2

    def loss(weights: Any, x: Any, y: Any, key: Any) -> Any:
        left = iter(weights)
        for layer in range(hidden):
            x = activation(x @ next(left) + next(left))
            if work.feature == "dropout":
                kept = jax.random.bernoulli(jax.random.fold_in(key, layer), 1 - DROPOUT_RATE, x.shape)
                x = jnp.where(kept, x / (1 - DROPOUT_RATE), 0)
            if work.feature == "norm":
                mean, variance = x.mean(axis=0), x.var(axis=0)
                x = (x - mean) / jnp.sqrt(variance + NORM_EPSILON) * next(left) + next(left)
        z = x @ next(left) + next(left)
        if work.loss == "mse":
            return jnp.mean((z - y) ** 2), 0
        right = (z.argmax(axis=1) == y).sum() if work.feature == "metrics" else 0
        return jnp.mean(jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, y[:, None], axis=1)[:, 0]), right

    def step(values: Any, x: Any, y: Any) -> Any:
        weights, first, second, count, right = values
        key = jax.random.fold_in(jax.random.key(0), count.astype(jnp.int32)) if work.feature == "dropout" else None
        gradients, found = jax.grad(loss, has_aux=True)(weights, x, y, key)
        right = right + found
        if work.feature == "clipping":
            norm = jnp.sqrt(sum(jnp.sum(g * g) for g in gradients))
            gradients = [g * (CLIP_NORM / jnp.maximum(CLIP_NORM, norm)) for g in gradients]
        if work.optimizer == "sgd":
            return [w - SGD_RATE * g for w, g in zip(weights, gradients, strict=True)], first, second, count, right
        count = count + 1
        first = [BETA1 * m + (1 - BETA1) * g for m, g in zip(first, gradients, strict=True)]
        second = [BETA2 * v + (1 - BETA2) * g * g for v, g in zip(second, gradients, strict=True)]
        a, c = ADAM_RATE / (1 - BETA1**count), (1 - BETA2**count) ** -0.5
        moved = zip(weights, first, second, strict=True)
        return [w - a * m / (c * jnp.sqrt(v) + EPSILON) for w, m, v in moved], first, second, count, right

    return step


def _start(work: Training) -> tuple[_State, Any, Any]:
    """Initial state and the data on the device."""
    import jax
    import jax.numpy as jnp

    weights = [jnp.asarray(weight) for weight in work.weights()]
    zeros = [[jnp.zeros_like(weight) for weight in weights] for _ in range(2)]
    x, y = work.data()
    values = weights, *zeros, jnp.zeros((), jnp.float32), jnp.zeros((), jnp.int32)
    return _State(values, jax.random.key(0)), jnp.asarray(x), jnp.asarray(y)


def _rows(x: Any, y: Any, first: Any, batch: int, order: Any) -> tuple[Any, Any]:
    """A batch: consecutive rows, or those that `order` names from `first` on."""
    from jax.lax import dynamic_slice_in_dim

    if order is None:
        return dynamic_slice_in_dim(x, first, batch), dynamic_slice_in_dim(y, first, batch)
    chosen = dynamic_slice_in_dim(order, first, batch)
    return x[chosen], y[chosen]


def steps(work: Training, threads: int) -> Job:
    """A call from Python for each step."""
    del threads
    import jax

    step, batch = _step(work), work.batch
    state, x, y = _start(work)

    @partial(jax.jit, donate_argnums=0)
    def one(values: Any, x: Any, y: Any, first: Any, order: Any) -> Any:
        return step(values, *_rows(x, y, first, batch, order))

    permutation = jax.jit(jax.random.permutation, static_argnums=1)

    def train(amount: Amount) -> None:
        steps, epochs, shuffle = amount
        for _ in range(epochs):
            state.key, key = jax.random.split(state.key) if shuffle else (state.key, None)
            order = permutation(key, steps * batch) if shuffle else None
            for first in range(0, steps * batch, batch):
                state.values = one(state.values, x, y, first, order)
        jax.block_until_ready(state.values)

    return training_job(work, train, lambda: [*map(_numpy, state.values[0])])


def epochs(work: Training, threads: int) -> Job:
    """All epochs in one call: a scan over the steps inside a scan over the epochs."""
    del threads
    import jax
    import jax.numpy as jnp

    step, batch = _step(work), work.batch
    state, x, y = _start(work)

    @partial(jax.jit, donate_argnums=0, static_argnums=4)
    def many(values: Any, x: Any, y: Any, key: Any, amount: Amount) -> Any:
        steps, epochs, shuffle = amount

        def epoch(values: Any, key: Any) -> Any:
            order = jax.random.permutation(key, steps * batch) if shuffle else None
            firsts = jnp.arange(steps) * batch
            return jax.lax.scan(lambda v, first: (step(v, *_rows(x, y, first, batch, order)), None), values, firsts)

        return jax.lax.scan(epoch, values, jax.random.split(key, epochs))[0]

    def train(amount: Amount) -> None:
        state.key, key = jax.random.split(state.key)
        state.values = many(state.values, x, y, key, amount)
        jax.block_until_ready(state.values)

    return training_job(work, train, lambda: [*map(_numpy, state.values[0])])


def _numpy(array: Any) -> Any:
    import numpy as np

    return np.asarray(array)
