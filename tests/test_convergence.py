"""Every optimizer of the core's table must solve small problems whose answers are known."""

import numpy as np
import pytest

from cases import LEARNING_RATES, OPTIMIZERS, native_optimizer, numbers
from ganglion._native import _ganglion_core as core

DTYPES = ["float32", "float64"]


def train(layers, loss, feed, inputs, name, dtype, steps):
    """The mean loss before and after, and the network."""
    network = core.Network(inputs, layers, dtype, 3)
    schedule = core.Schedule("linear", LEARNING_RATES[name], 0.0, steps)
    target = "labels" if loss == "cross_entropy" else "values"
    training = core.Training(network, loss, target, native_optimizer(core, name, **OPTIMIZERS[name]), schedule, [])
    context = core.Context(None, 2)
    before = training.evaluate(context, feed).loss
    training.run(context, feed, batch_size=16, steps=steps, shuffle=True)
    return before, training.evaluate(context, feed).loss, network


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", core.optimizers())
def test_linear_regression_finds_the_plane(name, dtype):
    x = numbers(64, 3, seed=1)
    kernel, bias = np.array([[1.0, -2.0], [0.5, 0.25], [-1.0, 3.0]]), np.array([0.5, -0.25])
    feed = core.Feed(x.astype(dtype), None, (x @ kernel + bias).astype(dtype))
    layers = [core.Dense("dense", 2, True, "identity", 0.0, "zeros", "zeros")]
    before, after, network = train(layers, "mse", feed, 3, name, dtype, steps=2000)
    assert before > 1
    assert after < 1e-6
    assert network.parameters()[0] == pytest.approx(kernel, abs=5e-3)
    assert network.parameters()[1] == pytest.approx(bias, abs=5e-3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", core.optimizers())
def test_a_hidden_layer_separates_the_quadrants(name, dtype):
    """Exclusive or, which no plane separates: a network without its hidden layer stays at log 2."""
    x = np.sign(numbers(64, 2, seed=2)) + numbers(64, 2, seed=3) / 8
    labels = (x[:, 0] * x[:, 1] > 0).astype(np.int32)
    feed = core.Feed(x.astype(dtype), labels, None)
    hidden = core.Dense("hidden", 16, True, "tanh", 0.0, "glorot_uniform", "zeros")
    output = core.Dense("output", 2, True, "identity", 0.0, "glorot_uniform", "zeros")
    before, after, _ = train([hidden, output], "cross_entropy", feed, 2, name, dtype, steps=2000)
    _, without_hidden, _ = train([output], "cross_entropy", feed, 2, name, dtype, steps=2000)
    assert before > 0.5
    assert after < 0.01
    assert without_hidden > 0.5
