"""Single operations by each peer, on one thread and, where the library can, into memory that is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ganglion.benchmark.kernels import Activation, Product, Update
from ganglion.benchmark.peers import Job
from ganglion.benchmark.workload import ADAM_RATE, BETA1, BETA2, EPSILON, SGD_RATE, Array, Workload


def _job(work: Workload, operate: Callable[[], Any], answer: Callable[[], Any] | None = None) -> Job:
    """Of an operation whose result is what it returns, or what `answer` tells after it."""
    results: list[Any] = []

    def check() -> None:
        result = operate()
        results.append(np.array(answer() if answer else result))

    def run() -> None:
        for _ in range(work.units):
            operate()

    return Job(check, lambda: results, run)


def _core() -> tuple[Any, str]:
    from ganglion import _native, machine

    return _native._ganglion_core.operations, machine.context().kernel_set


def ganglion_product(work: Product, threads: int) -> Job:
    """`functional.matmul`."""
    from ganglion import functional

    a, b = work.factors()
    out = np.empty((work.M, work.N), np.float32)
    return _job(work, lambda: functional.matmul(a, b, out, threads=threads))


def numpy_product(work: Product, threads: int) -> Job:
    """`np.matmul`."""
    del threads
    a, b = work.factors()
    out = np.empty((work.M, work.N), np.float32)
    return _job(work, lambda: np.matmul(a, b, out=out))


def torch_product(work: Product, threads: int) -> Job:
    """`torch.mm`."""
    import torch

    torch.set_num_threads(threads or torch.get_num_threads())
    a, b = (torch.from_numpy(factor) for factor in work.factors())
    out = torch.empty((work.M, work.N))
    return _job(work, lambda: torch.mm(a, b, out=out))


def jax_product(work: Product, threads: int) -> Job:
    """`jnp.matmul`, compiled."""
    del threads
    import jax
    import jax.numpy as jnp

    a, b = map(jnp.asarray, work.factors())
    multiply = jax.jit(jnp.matmul)
    return _job(work, lambda: multiply(a, b).block_until_ready())


def ganglion_activation(work: Activation, threads: int) -> Job:
    """The forward kernel."""
    del threads
    operations, kernel_set = _core()
    z = work.z()
    h = np.empty_like(z)
    return _job(work, lambda: operations.activation_in_place(kernel_set, work.function, z, h), lambda: h)


def numpy_activation(work: Activation, threads: int) -> Job:
    """Universal functions."""
    del threads
    z = work.z()
    h = np.empty_like(z)

    def sigmoid() -> Array:
        np.negative(z, out=h)
        np.exp(h, out=h)
        np.add(h, 1, out=h)
        return np.reciprocal(h, out=h)

    return _job(
        work,
        {
            "relu": lambda: np.maximum(z, 0, out=h),
            "tanh": lambda: np.tanh(z, out=h),
            "sigmoid": sigmoid,
        }[work.function],
    )


def torch_activation(work: Activation, threads: int) -> Job:
    """PyTorch's functions."""
    import torch

    torch.set_num_threads(threads or torch.get_num_threads())
    z = torch.from_numpy(work.z())
    h = torch.empty_like(z)
    if work.function == "relu":
        return _job(work, lambda: torch.clamp_min(z, 0, out=h))
    function = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}[work.function]
    return _job(work, lambda: function(z, out=h))


def jax_activation(work: Activation, threads: int) -> Job:
    """Compiled functions."""
    del threads
    import jax
    import jax.numpy as jnp

    z = jnp.asarray(work.z())
    function = jax.jit({"relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}[work.function])
    return _job(work, lambda: function(z).block_until_ready())


def ganglion_update(work: Update, threads: int) -> Job:
    """The kernel; Adam with the constants of the first step."""
    del threads
    operations, kernel_set = _core()
    w, g = work.arrays()
    if work.optimizer == "sgd":
        return _job(
            work, lambda: operations.update_in_place(kernel_set, "sgd", w, g, None, None, [SGD_RATE, 0.0]), lambda: w
        )
    m, v = np.zeros_like(w), np.zeros_like(w)
    a, c = ADAM_RATE / (1 - BETA1), (1 - BETA2) ** -0.5
    constants = [a, 0.0, BETA1, 1 - BETA1, BETA2, 1 - BETA2, c, EPSILON]
    return _job(work, lambda: operations.update_in_place(kernel_set, "adam", w, g, m, v, constants), lambda: w)


def numpy_update(work: Update, threads: int) -> Job:
    """By hand, in place."""
    del threads
    w, g = work.arrays()
    m, v, change = np.zeros_like(w), np.zeros_like(w), np.empty_like(w)
    a, c = np.float32(ADAM_RATE / (1 - BETA1)), np.float32((1 - BETA2) ** -0.5)

    def adam() -> None:
        np.multiply(m, np.float32(BETA1), out=m)
        np.multiply(g, np.float32(1 - BETA1), out=change)
        np.add(m, change, out=m)
        np.multiply(v, np.float32(BETA2), out=v)
        np.multiply(g, g, out=change)
        np.multiply(change, np.float32(1 - BETA2), out=change)
        np.add(v, change, out=v)
        np.sqrt(v, out=change)
        np.multiply(change, c, out=change)
        np.add(change, np.float32(EPSILON), out=change)
        np.divide(m, change, out=change)
        np.multiply(change, a, out=change)
        np.subtract(w, change, out=w)

    def sgd() -> None:
        np.multiply(g, np.float32(SGD_RATE), out=change)
        np.subtract(w, change, out=w)

    return _job(work, {"adam": adam, "sgd": sgd}[work.optimizer], lambda: w)


def torch_update(work: Update, threads: int) -> Job:
    """The fused optimizers."""
    import torch

    torch.set_num_threads(threads or torch.get_num_threads())
    w, g = (torch.from_numpy(array) for array in work.arrays())
    w.requires_grad_()
    w.grad = g
    if work.optimizer == "sgd":
        optimizer = torch.optim.SGD([w], SGD_RATE, fused=True)
    else:
        optimizer = torch.optim.Adam([w], ADAM_RATE, (BETA1, BETA2), EPSILON, fused=True)
    return _job(work, optimizer.step, lambda: w.detach().numpy())
