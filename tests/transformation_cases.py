"""Numbers, trainings and feeds for the tests of layers without a kernel."""

import numpy as np

from ganglion import _ganglion_core as core


def numbers(*shape, seed):
    """Normal numbers that are exact in float32."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32).astype(np.float64)


def training(model, optimizer="sgd", loss="mse", rate=0.25, **options):
    schedule = core.Schedule("constant", rate, 0.0, 1)
    return core.Training(model.network, loss, "values", core.Optimizer(optimizer, **options), schedule, [])


def feed(x, y, dtype):
    return core.Feed(x.astype(dtype), None, y.astype(dtype))
