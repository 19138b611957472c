"""What an update can reach: the bounds that let a gradient go into the weights unseen hold, and are seen to bind."""

import numpy as np
import pytest

from bits import DTYPES, operations
from ganglion import _ganglion_core as core

OPTIONS = {"momentum": 0.9, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-3, "weight_decay": 0.01}
MOMENTS = dict(operations.tables("scalar")["optimizers"])
RATE = 0.05


def magnitudes(x):
    """The largest."""
    return float(np.abs(x.astype(np.float64)).max()) if x is not None else 0.0


def reached(name, dtype, shares):
    """After updates with random gradients of all sizes: the largest moment and change as shares of their bounds.

    `shares` shrinks what the bound is told of gradients, weights and moments.
    """
    random = np.random.default_rng(11)
    optimizer = core.Optimizer(name, **OPTIONS)
    w = random.standard_normal((30, 40)).astype(dtype)
    moments = [np.zeros_like(w) if number < MOMENTS[name] else None for number in (0, 1)]
    known, largest = 0.0, np.zeros(2)
    for step in range(40):
        size = 10.0 ** random.integers(-6, 7)
        g = (size * random.choice([-1.0, 1.0], w.shape) * random.random(w.shape) ** 0.1).astype(dtype)
        told = [share * value for share, value in zip(shares, (magnitudes(g), magnitudes(w), known), strict=True)]
        constants, (_, moment, change) = operations.optimizer_rule(optimizer, RATE, step, *told)
        new, *moments, _ = operations.update("scalar", name, w, g, *moments, constants[:8])
        with np.errstate(invalid="ignore", divide="ignore"):
            now = [np.divide(magnitudes(moments[0]), moment or np.inf), magnitudes(new - w.astype(np.float64)) / change]
        largest = np.maximum(largest, now)
        w, known = new, moment
    return largest


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", core.optimizers())
def test_an_update_stays_below_its_bounds(name, dtype):
    """A little is left for roundings: the bounds themselves are compared with limits that are far from overflow."""
    moment, change = reached(name, dtype, (1, 1, 1))
    assert moment <= 2
    assert change <= 1 + 1e-4
    assert (moment > 0) == (MOMENTS[name] > 0)


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov"])
def test_a_bound_that_is_told_too_little_is_broken(name):
    assert reached(name, "float64", (0.5, 1, 0.5))[1] > 1 + 1e-4


@pytest.mark.parametrize("name", ["adam", "adamw", "rmsprop", "adagrad"])
def test_the_bound_of_the_moment_is_told_of_the_gradient(name):
    assert reached(name, "float64", (1e-3, 1, 0))[0] > 2
