"""Every optimizer beside PyTorch's of the same definition: the same losses from the same weights and batches."""

import importlib.util

import numpy as np
import pytest

import ganglion as gg
from golden import make_optimizers as make
from tolerance import assert_refused, assert_within

TOLERANCE = 1e-9  # relative: reordered sums differ by 1e-16, and 200 steps carry that on
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


def losses(name, **changed):
    """The loss of each step, before its update."""
    kind, options, *_ = make.RUNS[name]
    hidden, outputs = make.WIDTHS[1:]
    model = gg.Sequential(gg.Dense(hidden, "tanh", input_shape=make.WIDTHS[:1]), gg.Dense(outputs), dtype="float64")
    model.set_weights(make.weights())
    trainer = gg.Trainer(model, "mse", getattr(gg, kind)(**options | changed))
    return np.array([trainer.train_on_batch(x, y) for x, y in make.batches()])


@pytest.mark.parametrize("name", make.RUNS)
def test_against_stored_losses(name):
    expected = np.array(make.golden(name))
    assert_within(losses(name)[:: make.KEPT], expected, TOLERANCE * expected)
    assert expected[-1] < expected[0] / 2
    changes = [{"learning_rate": make.RUNS[name][1]["learning_rate"] * (1 + 1e-6)}, {"weight_decay": 0.02}]
    if "epsilon" in vars(gg.optimizers.OPTIMIZERS.classes[make.RUNS[name][0]]()):
        changes.append({"epsilon": 1e-7})
    for change in changes:
        assert_refused(losses(name, **change)[:: make.KEPT], expected, TOLERANCE * expected, str(change))


def test_every_optimizer_has_a_run():
    assert {kind for kind, *_ in make.RUNS.values()} == set(gg.optimizers.OPTIMIZERS.classes)


@needs_torch
@pytest.mark.parametrize("name", make.RUNS)
def test_against_torch(name):
    expected = np.array(make.torch_losses(name))
    assert_within(losses(name), expected, TOLERANCE * expected)
