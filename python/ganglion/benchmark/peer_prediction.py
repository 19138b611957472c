"""Prediction by each peer, NumPy arrays in and out, as a program would call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ganglion.benchmark.networks import Prediction
from ganglion.benchmark.peers import Job
from ganglion.benchmark.workload import Array


def _job(work: Prediction, predict: Callable[[Array], Any]) -> Job:
    x = work.x()
    answers = []

    def run() -> None:
        for _ in range(work.units):
            predict(x)

    return Job(lambda: answers.append(np.array(predict(x))), lambda: answers, run)


def ganglion(work: Prediction, threads: int) -> Job:
    """`Sequential.predict`."""
    import ganglion as gg

    layers = [gg.Dense(units, activation="relu") for units in work.widths[1:-1]]
    model = gg.Sequential([*layers, gg.Dense(work.widths[-1])], seed=0)
    model.build((work.widths[0],))
    model.set_weights(work.weights())
    return _job(work, (lambda x: model.predict(x, threads=threads)) if threads else model.predict)


def numpy(work: Prediction, threads: int) -> Job:
    """Products and sums."""
    del threads
    weights = work.weights()
    *hidden, last = zip(weights[::2], weights[1::2], strict=True)

    def predict(x: Array) -> Array:
        for kernel, bias in hidden:
            x = x @ kernel
            x += bias
            np.maximum(x, 0, out=x)
        x = x @ last[0]
        x += last[1]
        return x

    return _job(work, predict)


def torch(work: Prediction, threads: int) -> Job:
    """A module in inference mode."""
    import torch
    from torch import nn

    if threads:
        torch.set_num_threads(threads)
    weights = work.weights()
    model = nn.Sequential()
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        layer = nn.Linear(*kernel.shape)
        layer.load_state_dict({"weight": torch.from_numpy(kernel.T), "bias": torch.from_numpy(bias)})
        model.extend([layer, nn.ReLU()])
    model = model[:-1].eval()

    def predict(x: Array) -> Any:
        with torch.inference_mode():
            return model(torch.from_numpy(x)).numpy()

    return _job(work, predict)


def jax(work: Prediction, threads: int) -> Job:
    """A compiled function."""
    del threads
    import jax
    import jax.numpy as jnp

    parameters = [jnp.asarray(weight) for weight in work.weights()]

    def outputs(parameters: Any, x: Any) -> Any:
        *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
        for kernel, bias in hidden:
            x = jax.nn.relu(x @ kernel + bias)
        return x @ last[0] + last[1]

    compiled = jax.jit(outputs)
    return _job(work, lambda x: np.asarray(compiled(parameters, x)))


def onnxruntime(work: Prediction, threads: int) -> Job:
    """A graph of Gemm and Relu nodes."""
    import onnxruntime
    from onnx import TensorProto, checker, helper, numpy_helper

    weights = work.weights()
    nodes, constants, value = [], [], "x"
    for layer, pair in enumerate(zip(weights[::2], weights[1::2], strict=True)):
        names = [f"kernel{layer}", f"bias{layer}"]
        constants += [numpy_helper.from_array(array, name) for array, name in zip(pair, names, strict=True)]
        nodes.append(helper.make_node("Gemm", [value, *names], [f"z{layer}"]))
        nodes.append(helper.make_node("Relu", [f"z{layer}"], [value := f"h{layer}"]))
    (z,) = nodes.pop().input
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])
        for name, width in (("x", work.widths[0]), (z, work.widths[-1]))
    ]
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], constants)
    # Versions that runtimes of several years can read.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return _job(work, lambda x: session.run(None, {"x": x})[0])
