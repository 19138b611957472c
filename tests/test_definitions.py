"""Activations and losses against PyTorch's and Keras's of the same names in float64, values and gradients.

Where a definition differs, the class's docstring says how, and the range here leaves the difference out.
"""

import os

import numpy as np
import pytest

from bits import SETS, operations
from tolerance import assert_within

TOLERANCE = 1e-13
MEAN_IN_FLOAT32 = 2e-7  # Keras's ops.mean on PyTorch rounds to float32, whatever it is given
DELTA = 0.75
Z = np.concatenate([np.linspace(-15, 15, 601), [-1e-3, 1e-3, -1e-8, 1e-8]])[None]
LOGITS = np.random.default_rng(1).normal(0, 3, (20, 7))
SHARES = np.random.default_rng(2).random((20, 7)) * (LOGITS > -2)  # not negative, rows that do not sum to 1, zeros
LABELS = np.random.default_rng(3).integers(0, 7, 20).astype(np.int32)
ONE_HOT = np.eye(7)[LABELS]
ANSWERS = np.random.default_rng(4).random((20, 7)).round(1)

# Our row: PyTorch's function and its arguments, Keras's and its own.
ACTIVATIONS = {
    "relu": ("relu", {}, "relu", {}),
    "leaky_relu": ("leaky_relu", {"negative_slope": 0.25}, "leaky_relu", {"negative_slope": 0.25}),
    "elu": ("elu", {"alpha": 0.25}, "elu", {"alpha": 0.25}),
    "selu": ("selu", {}, "selu", {}),
    "softplus": ("softplus", {}, "softplus", {}),
    "swish": ("silu", {}, "silu", {}),
    "gelu": ("gelu", {}, "gelu", {"approximate": False}),
    "gelu_tanh": ("gelu", {"approximate": "tanh"}, "gelu", {"approximate": True}),
    "sigmoid": ("sigmoid", {}, "sigmoid", {}),
    "tanh": ("tanh", {}, "tanh", {}),
}

# Our row, what it is given, PyTorch's function and its arguments, Keras's.
LOSSES = [
    ("cross_entropy", LOGITS, LABELS, "cross_entropy", {}, "sparse_categorical_crossentropy", {"from_logits": True}),
    ("cross_entropy", LOGITS, ONE_HOT, "cross_entropy", {}, "categorical_crossentropy", {"from_logits": True}),
    ("categorical_crossentropy", SHARES, LABELS, None, {}, "sparse_categorical_crossentropy", {}),
    ("categorical_crossentropy", SHARES, ONE_HOT, None, {}, "categorical_crossentropy", {}),
    (
        "binary_cross_entropy",
        LOGITS,
        ANSWERS,
        "binary_cross_entropy_with_logits",
        {},
        "binary_crossentropy",
        {"from_logits": True},
    ),
    ("binary_crossentropy", SHARES, ANSWERS, None, {}, "binary_crossentropy", {}),
    ("mse", LOGITS, ANSWERS, "mse_loss", {}, "mean_squared_error", {}),
    ("mae", LOGITS, ANSWERS, "l1_loss", {}, "mean_absolute_error", {}),
    ("huber", LOGITS, ANSWERS, "huber_loss", {"delta": DELTA}, "huber", {"delta": DELTA}),
]
IDS = [f"{row[0]}-{'labels' if row[2] is LABELS else 'values'}" for row in LOSSES]


def our_activation(name):
    """Values and derivatives."""
    h, kept, _ = operations.activation_forward(SETS[0], name, Z, None, 0.25)
    d, _ = operations.activation_backward(SETS[0], name, np.ones_like(Z), h if kept is None else kept, 0.25)
    return h, d[:, : Z.shape[1]]


def our_loss(name, output, targets):
    """The mean and its gradient."""
    per_element = {row: each for row, _, each in operations.tables("scalar")["losses"]}[name]
    count = output.size if per_element else len(output)
    given = {"labels" if targets is LABELS else "values": targets}
    losses, d, _, _ = operations.loss_gradient(SETS[0], name, output, **given, scale=1 / count, parameter=DELTA)
    return losses.sum() / count, d[:, : output.shape[1]]


def assert_same(found, expected, tolerance=TOLERANCE):
    for ours, theirs in zip(found, expected, strict=True):
        theirs = np.asarray(theirs)
        assert_within(ours, theirs, tolerance * np.abs(theirs).max())
        with pytest.raises(AssertionError, match="outside the bound"):
            assert_within(np.asarray(ours) * (1 + 10 * tolerance), theirs, tolerance * np.abs(theirs).max())


def through_torch(function, z):
    """A function's value and the gradient of the sum of it, by PyTorch."""
    import torch

    x = torch.tensor(z, requires_grad=True)
    value = function(x)
    value.sum().backward()
    return value.detach().numpy(), x.grad.numpy()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_torch(name):
    torch = pytest.importorskip("torch")
    theirs, options, *_ = ACTIVATIONS[name]
    function = getattr(torch.nn.functional, theirs)
    # PyTorch's softplus is z itself from 20 on: the same to 2·10⁻⁹; Z ends below.
    assert_same(our_activation(name), through_torch(lambda z: function(z, **options), Z))


@pytest.mark.parametrize(("name", "output", "targets", "theirs", "options", "_keras", "_more"), LOSSES, ids=IDS)
def test_losses_are_those_of_torch(name, output, targets, theirs, options, _keras, _more):
    torch = pytest.importorskip("torch")
    if theirs is None:
        pytest.skip("PyTorch has no loss of this definition")
    t = torch.tensor(targets.astype(np.int64) if targets is LABELS else targets)
    loss = getattr(torch.nn.functional, theirs)
    assert_same(our_loss(name, output, targets), through_torch(lambda z: loss(z, t, **options), output))


@pytest.fixture(scope="module")
def keras():
    """Keras on PyTorch, computing in float64."""
    pytest.importorskip("torch")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    if keras.backend.backend() != "torch":
        pytest.skip("Keras runs on another backend than PyTorch")
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield keras
    keras.config.set_floatx(before)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_keras(name, keras):
    _, _, theirs, options = ACTIVATIONS[name]
    function = getattr(keras.activations, theirs)
    assert_same(our_activation(name), through_torch(lambda z: function(z, **options), Z))


@pytest.mark.parametrize(("name", "output", "targets", "_torch", "_options", "theirs", "more"), LOSSES, ids=IDS)
def test_losses_are_those_of_keras(name, output, targets, _torch, _options, theirs, more, keras):
    import torch

    loss, t = getattr(keras.losses, theirs), torch.tensor(targets)
    tolerance = TOLERANCE if "categorical" in theirs else MEAN_IN_FLOAT32
    expected = through_torch(lambda z: loss(t, z, **more).mean(), output)
    assert_same(our_loss(name, output, targets), expected, tolerance)
