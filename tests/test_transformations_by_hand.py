"""Dropout and normalizations in loops written by hand: the bits of `fit`'s gradients, training and evaluation mode."""

import ctypes
import sys

import numpy as np
import pytest

import ganglion as gg
from ganglion import nn, optim, reference
from ganglion.counterparts import in_reference
from tolerance import assert_only_right_passes, assert_within, relative

X = np.random.default_rng(1).standard_normal((150, 5))
Y = np.random.default_rng(2).standard_normal((150, 3))
FIRST = 2**32 - 1  # the epoch that such loops draw their dropouts in

NETWORKS = {
    "dropout": lambda: [nn.Linear(5, 9), nn.Tanh(), nn.Dropout(0.25), nn.Linear(9, 3)],
    "batch": lambda: [nn.Linear(5, 70), nn.BatchNorm1d(70), nn.Tanh(), nn.Linear(70, 3), nn.BatchNorm1d(3)],
    "batch first": lambda: [nn.BatchNorm1d(5, affine=False), nn.Linear(5, 3)],
    "layer": lambda: [nn.LayerNorm(5), nn.Linear(5, 9), nn.LayerNorm((9,), bias=False), nn.Tanh(), nn.Linear(9, 3)],
}
each_network = pytest.mark.parametrize("name", NETWORKS)


def made(name):
    return nn.Sequential(NETWORKS[name](), seed=3, dtype="float64")


def gradients(model, x=X, y=Y):
    model.zero_grad()
    loss = nn.MSELoss()(model(x), y)
    loss.backward()
    return loss.item(), [parameter.grad for parameter in model.parameters()]


@each_network
def test_training_mode(name):
    model = made(name)
    network = reference.Sequential(in_reference(model, model.get_weights())[0])
    expected_loss, expected = network.gradients(X, Y, "mse", moment=reference.Moment(FIRST, 0))
    loss, found = gradients(model)
    assert loss == pytest.approx(expected_loss, rel=1e-12)
    for actual, array in zip(found, expected, strict=True):
        array = array.T
        bound = np.full(array.shape, 1e-12) if np.abs(array).max() < 1e-12 else relative(array, 1e-10)
        assert_within(actual, array, bound)
    for layer in network.layers:
        layer.advance()
    for actual, array in zip(model.get_weights(), network.weights, strict=True):
        assert_within(actual, array, 1e-12)


@each_network
def test_evaluation_mode(name):
    model = made(name)
    for _ in range(3):
        model(X)
    model.eval()
    before = model.get_weights()
    network = reference.Sequential(in_reference(model, before)[0])
    output = network.forward(X)
    np.testing.assert_array_equal(model(X), model.predict(X))
    assert_only_right_passes(np.asarray(model(X)), output, relative(output, 1e-12))
    _, dy = reference.LOSSES["mse"].function(output, Y)
    network.backward(dy)
    expected = [gradient for layer in network.layers for gradient in layer.gradients]
    for actual, array in zip(gradients(model)[1], expected, strict=True):
        assert_only_right_passes(actual, array.T, relative(array, 1e-10))
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs glibc by name")
def test_the_callers_rounding_mode_reaches_neither_moving_statistics_nor_outputs():
    libm = ctypes.CDLL("libm.so.6")
    found = []
    for mode in (0, 0x400):  # to nearest, towards -infinity
        model = made("batch")
        assert libm.fesetround(mode) == 0
        try:
            model(X)
            model.eval()
            outputs = [np.array(model(X)), *(model.predict(X[:2], threads=threads) for threads in (1, 3))]
            assert libm.fegetround() == mode
        finally:
            libm.fesetround(0)
        found.append([*model.get_weights(), *outputs])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_each_forward_pass_drops_other_elements():
    model = made("dropout")
    first, second = np.array(model(X)), np.array(model(X))
    assert not np.array_equal(first, second)
    model.eval()
    np.testing.assert_array_equal(model(X), model(X))


@each_network
def test_a_loop_learns(name):
    model = made(name)
    optimizer, loss_fn = optim.Adam(model.parameters(), lr=0.01), nn.MSELoss()
    target = np.tanh(X[:, :3] - X[:, 1:4])
    losses = []
    for _ in range(200):
        loss = loss_fn(model(X), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_running_statistics_are_in_the_state_but_no_parameters():
    model = made("batch")
    assert "1.running_mean" in model.state_dict()
    assert "1.running_mean" not in dict(model.named_parameters())
    assert [name for name, _ in model.named_parameters()][2:4] == ["1.weight", "1.bias"]
    state = {name: np.array(array) for name, array in model.state_dict().items()}
    model(X)
    assert not np.array_equal(model.state_dict()["1.running_mean"], state["1.running_mean"])
    model.load_state_dict({**state, "1.num_batches_tracked": 7})
    np.testing.assert_array_equal(model.state_dict()["1.running_mean"], state["1.running_mean"])


def test_repr_is_pytorchs():
    layers = [nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.2), nn.LayerNorm(3)]
    assert repr(nn.Sequential(layers)).splitlines()[1:-1] == [
        "  (0): Flatten(start_dim=1, end_dim=-1)",
        "  (1): Linear(in_features=4, out_features=3, bias=True)",
        "  (2): BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)",
        "  (3): Dropout(p=0.2, inplace=False)",
        "  (4): LayerNorm((3,), eps=1e-05, elementwise_affine=True, bias=True)",
    ]


def test_images_are_flattened():
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    images = np.random.default_rng(1).standard_normal((6, 3, 4)).astype(np.float32)
    np.testing.assert_array_equal(model(images), model(images.reshape(6, 12)))


def test_a_variance_that_overflows_moves_nothing():
    model = nn.Sequential(nn.BatchNorm1d(1))
    before = model.get_weights()
    loss = nn.MSELoss()(model(np.array([[1e30], [-1e30]], np.float32)), np.zeros((2, 1), np.float32))
    with pytest.raises(
        gg.errors.TrainingDivergedError, match=r"layer '0': the output of step 1 is not a finite number"
    ):
        loss.backward()
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
