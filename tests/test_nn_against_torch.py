"""Models of PyTorch's users' door beside PyTorch's own: how they print, their states, names and initial weights."""

import inspect

import numpy as np
import pytest

from ganglion import nn
from golden import make_torch_golden as golden

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


def test_models_print_alike():
    def model(nn):
        return nn.Sequential(
            nn.Linear(3, 8),
            *(make(nn) for name, make in golden.LAYERS.items() if name not in ("ReLU", "BatchNorm1d", "LayerNorm")),
            nn.Linear(8, 4, bias=False),
        )

    assert repr(model(nn)) == repr(model(torch.nn))
    assert repr(nn.Sequential(nn.Linear(1, 13), nn.Tanh())) == repr(
        torch.nn.Sequential(torch.nn.Linear(1, 13), torch.nn.Tanh())
    )


def test_normalizations_print_alike():
    if "bias" not in inspect.signature(torch.nn.BatchNorm1d).parameters:
        pytest.skip("this PyTorch prints normalizations without their bias")
    for make in (
        lambda nn: nn.BatchNorm1d(8, eps=1e-3, momentum=0.3),
        lambda nn: nn.BatchNorm1d(8, affine=False),
        lambda nn: nn.LayerNorm(8),
    ):
        assert repr(nn.Sequential(make(nn))) == repr(torch.nn.Sequential(make(torch.nn)))


def test_running_statistics_follow_the_batches_and_serve_in_evaluation():
    x = np.random.default_rng(3).normal(2, 3, size=(64, 3))
    ours, theirs = (
        nn.Sequential(nn.BatchNorm1d(3), dtype="float64"),
        torch.nn.Sequential(torch.nn.BatchNorm1d(3)).double(),
    )
    for first in range(0, 64, 16):
        ours(x[first : first + 16])
        theirs(torch.from_numpy(x[first : first + 16]))
    found, expected = ours.state_dict(), theirs.state_dict()
    np.testing.assert_allclose(found["0.running_mean"], expected["0.running_mean"].numpy(), rtol=1e-12)
    biased = 0.9**4 + (expected["0.running_var"].numpy() - 0.9**4) * 15 / 16
    np.testing.assert_allclose(found["0.running_var"], biased, rtol=1e-12)
    ours.load_state_dict(expected)
    np.testing.assert_allclose(ours.eval()(x), theirs.eval()(torch.from_numpy(x)).detach().numpy(), rtol=1e-12)
    assert all(np.array_equal(value, expected[name].numpy()) for name, value in ours.state_dict().items())


def test_names_shapes_and_states_are_interchangeable():
    ours, theirs = (
        package.Sequential(package.Linear(2, 3), package.ReLU(), package.Linear(3, 1, bias=False))
        for package in (nn, torch.nn)
    )
    assert [(name, tuple(p.shape)) for name, p in ours.named_parameters()] == [
        (name, tuple(p.shape)) for name, p in theirs.named_parameters()
    ]
    theirs.load_state_dict({name: torch.tensor(np.array(value)) for name, value in ours.state_dict().items()})
    x = np.random.default_rng(1).normal(size=(5, 2)).astype(np.float32)
    np.testing.assert_allclose(ours(x), theirs(torch.from_numpy(x)).detach().numpy(), rtol=1e-5)
    with torch.no_grad():
        ours.load_state_dict(theirs.state_dict())
    np.testing.assert_allclose(ours(torch.from_numpy(x)), theirs(torch.from_numpy(x)).detach().numpy(), rtol=1e-5)


def test_the_initial_weights_have_the_same_distribution():
    torch.manual_seed(1)
    ours = [np.asarray(p) for p in nn.Sequential(nn.Linear(50, 2000)).parameters()]
    theirs = [p.detach().numpy() for p in torch.nn.Sequential(torch.nn.Linear(50, 2000)).parameters()]
    for own, expected in zip(ours, theirs, strict=True):
        deciles = np.linspace(0, 1, 11)
        np.testing.assert_allclose(np.quantile(own, deciles), np.quantile(expected, deciles), atol=0.012)
        assert np.abs(own).max() <= 50**-0.5
