"""PyTorch and ganglion from the same weights through the same batches in float64: the loss of each of 200 steps."""

import importlib.util
from itertools import islice

import numpy as np
import pytest

import ganglion as gg
from ganglion import reference
from golden import make_golden
from tolerance import assert_within

TOLERANCE = 1e-12
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


def ganglion_losses(x, y, steps=make_golden.STEPS, epsilon=1e-8, dtype="float64"):
    """The loss of each step, before its update."""
    *hidden, outputs = make_golden.WIDTHS[1:]
    layers = [gg.Dense(units, activation="relu") for units in hidden]
    model = gg.Sequential(*layers, gg.Dense(outputs), dtype=dtype)
    model.build(make_golden.WIDTHS[:1])
    model.set_weights(make_golden.initial_weights())
    optimizer = gg.Adam(make_golden.LEARNING_RATE, epsilon=epsilon)
    trainer = gg.Trainer(model, loss="cross_entropy", optimizer=optimizer)
    batches = islice(make_golden.batches(x, y), steps)
    return np.array([trainer.train_on_batch(images, labels) for images, labels in batches])


def assert_agree(losses, expected):
    expected = np.array(expected)[: len(losses)]
    assert_within(losses, expected, TOLERANCE * expected)


@pytest.fixture(scope="module")
def synthetic():
    return make_golden.synthetic()


@pytest.fixture(scope="module")
def synthetic_losses(synthetic):
    return ganglion_losses(*synthetic)


@pytest.fixture(scope="module")
def digits(mnist_folder):
    return make_golden.digits(mnist_folder)


@pytest.fixture(scope="module")
def digits_losses(digits):
    return ganglion_losses(*digits)


def test_synthetic_against_stored_losses(synthetic_losses):
    assert_agree(synthetic_losses, make_golden.golden("synthetic"))


def test_digits_against_stored_losses(digits_losses):
    assert_agree(digits_losses, make_golden.golden("mnist"))


@pytest.mark.slow
@needs_torch
def test_synthetic_against_torch(synthetic, synthetic_losses):
    assert_agree(synthetic_losses, make_golden.torch_losses(*synthetic))


@needs_torch
def test_digits_against_torch(digits, digits_losses):
    assert_agree(digits_losses, make_golden.torch_losses(*digits))


@pytest.mark.parametrize("name", ["synthetic", "mnist"])
def test_the_stored_runs_have_learnt(name):
    losses = make_golden.golden(name)
    assert len(losses) == make_golden.STEPS
    assert losses[-1] < losses[0] / 3


@pytest.mark.parametrize("change", [{"epsilon": 1.01e-8}, {"dtype": "float32"}])
def test_the_tolerance_tells_small_differences(change, synthetic):
    with pytest.raises(AssertionError, match="outside the bound"):
        assert_agree(ganglion_losses(*synthetic, steps=5, **change), make_golden.golden("synthetic"))


def test_the_tolerance_tells_a_missing_step(synthetic_losses):
    with pytest.raises(AssertionError, match="outside the bound"):
        assert_agree(synthetic_losses[1:], make_golden.golden("synthetic"))


def test_the_runs_begin_with_the_models_own_weights():
    model = gg.Sequential(gg.Dense(512, input_shape=(784,)), gg.Dense(512), gg.Dense(10), dtype="float64")
    for own, expected in zip(model.get_weights(), make_golden.initial_weights(), strict=True):
        assert np.array_equal(own, expected)


def test_the_reference_takes_the_same_first_steps(synthetic):
    weights = iter(make_golden.initial_weights())
    layers = []
    for kernel, bias in zip(weights, weights, strict=True):
        layers += [reference.Dense(kernel, bias), reference.Activation("relu")]
    model, optimizer = reference.Sequential(layers[:-1]), reference.Adam(make_golden.LEARNING_RATE)
    losses = []
    for images, labels in islice(make_golden.batches(*synthetic), 3):
        loss, gradients = model.gradients(images, labels, "cross_entropy")
        optimizer.update(model.parameters, gradients)
        losses.append(loss)
    expected = np.array(make_golden.golden("synthetic")[:3])
    assert_within(np.array(losses), expected, TOLERANCE * expected)
