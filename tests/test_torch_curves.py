"""The same loop written by hand in PyTorch and through its users' door, in float64: the loss of each of 200 steps."""

import importlib.util

import numpy as np
import pytest

from golden import make_torch_golden as torch_door
from tolerance import assert_refused, assert_within

TOLERANCE = 1e-11  # relative; 1e-14 is usual
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
STORED = np.array(torch_door.STORED) - 1


@pytest.fixture(scope="module")
def golden():
    return {name: np.array(losses) for name, losses in torch_door.golden().items()}


def test_the_stored_runs_are_those_of_the_tables(golden):
    assert [tuple(name.split()) for name in golden] == torch_door.RUNS
    assert all(losses.shape == STORED.shape and (losses > 0).all() for losses in golden.values())


@pytest.mark.parametrize("layer", torch_door.LAYERS)
@pytest.mark.parametrize("optimizer", torch_door.OPTIMIZERS)
def test_against_stored_losses(optimizer, layer, golden):
    for loss in torch_door.LOSSES:
        found, _ = torch_door.losses(torch_door.ours(), optimizer, layer, loss)
        assert found[-3:].mean() < 0.95 * found[:3].mean(), loss
        expected = golden[f"{optimizer} {layer} {loss}"]
        assert_within(found[STORED], expected, TOLERANCE * expected)


@pytest.mark.parametrize("loss", torch_door.LOSSES)
@pytest.mark.parametrize("optimizer", torch_door.OPTIMIZERS)
def test_the_tolerance_tells_a_small_change_of_the_rate(optimizer, loss, golden):
    expected = golden[f"{optimizer} Tanh {loss}"]
    found, _ = torch_door.losses(torch_door.ours(), optimizer, "Tanh", loss, rate=1 + 1e-6)
    assert_refused(found[STORED], expected, TOLERANCE * expected)


def assert_alike(optimizer, layer, loss):
    found, gradients = torch_door.losses(torch_door.ours(), optimizer, layer, loss)
    expected, their_gradients = torch_door.losses(torch_door.theirs(), optimizer, layer, loss)
    assert_within(found, expected, TOLERANCE * expected)
    for own, their in zip(gradients, their_gradients, strict=True):
        assert own.shape == their.shape
        np.testing.assert_allclose(own, their, rtol=1e-6, atol=1e-12)


# Each optimizer, layer and loss at least once; all of them together are slow.
SOME = [
    (list(torch_door.OPTIMIZERS)[i % len(torch_door.OPTIMIZERS)], layer, list(torch_door.LOSSES)[i % 7])
    for i, layer in enumerate(torch_door.LAYERS)
]


@needs_torch
@pytest.mark.parametrize(("optimizer", "layer", "loss"), SOME)
def test_every_step_against_torch(optimizer, layer, loss):
    assert_alike(optimizer, layer, loss)


@pytest.mark.slow
@needs_torch
@pytest.mark.parametrize(("optimizer", "layer", "loss"), sorted(set(torch_door.RUNS) - set(SOME)))
def test_every_step_of_the_others_against_torch(optimizer, layer, loss):
    assert_alike(optimizer, layer, loss)
