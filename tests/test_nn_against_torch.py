"""The same loop written by hand in PyTorch and through its users' door, in float64: the loss of each of 200 steps."""

import inspect
from types import SimpleNamespace

import numpy as np
import pytest

from ganglion import nn, optim

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

STEPS = 200
TOLERANCE = 1e-8  # relative
OURS = SimpleNamespace(nn=nn, optim=optim, array=np.asarray, options={"dtype": "float64"})
THEIRS = SimpleNamespace(nn=torch.nn, optim=torch.optim, array=torch.from_numpy, options={})

ACTIVATIONS = {
    "Tanh": lambda nn: nn.Tanh(),
    "Sigmoid": lambda nn: nn.Sigmoid(),
    "ReLU": lambda nn: nn.ReLU(inplace=True),
    "LeakyReLU": lambda nn: nn.LeakyReLU(0.1),
    "ELU": lambda nn: nn.ELU(alpha=0.7),
    "SELU": lambda nn: nn.SELU(),
    "Softplus": lambda nn: nn.Softplus(),
    "SiLU": lambda nn: nn.SiLU(),
    "GELU": lambda nn: nn.GELU(),
    "GELU tanh": lambda nn: nn.GELU(approximate="tanh"),
    "Softmax": lambda nn: nn.Softmax(dim=1),
    "Identity": lambda nn: nn.Identity(),
    "BatchNorm1d": lambda nn: nn.BatchNorm1d(8, momentum=0.2),
    "LayerNorm": lambda nn: nn.LayerNorm(8),
    "Dropout": lambda nn: nn.Dropout(0.0),
    "Flatten": lambda nn: nn.Flatten(),
}
OPTIMIZERS = {
    "SGD": lambda optim, p: optim.SGD(p, lr=0.05),
    "momentum": lambda optim, p: optim.SGD(p, 0.02, 0.9, weight_decay=1e-3),
    "Nesterov": lambda optim, p: optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True),
    "Adam": lambda optim, p: optim.Adam(p, lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=1e-3),
    "AdamW": lambda optim, p: optim.AdamW(p, lr=0.01),
    "RMSprop": lambda optim, p: optim.RMSprop(p, lr=0.002, eps=1e-4),
    "RMSprop with momentum": lambda optim, p: optim.RMSprop(p, 0.001, 0.9, 1e-4, weight_decay=1e-3, momentum=0.8),
    "Adagrad": lambda optim, p: optim.Adagrad(p, lr=0.05, initial_accumulator_value=0.1),
}
LOSSES = {
    "MSELoss": lambda nn: nn.MSELoss(),
    "CrossEntropyLoss": lambda nn: nn.CrossEntropyLoss(reduction="mean"),
    "L1Loss": lambda nn: nn.L1Loss(),
    "HuberLoss": lambda nn: nn.HuberLoss(delta=0.4),
    "BCEWithLogitsLoss": lambda nn: nn.BCEWithLogitsLoss(),
}


def curve(door, activation, optimizer, loss, state, steps=STEPS, rate=1.0):
    """The losses of a training as users of PyTorch write it, and the last gradients."""
    nn = door.nn
    layers = [nn.Linear(3, 8), ACTIVATIONS[activation](nn), nn.Linear(8, 4)]
    model = nn.Sequential(*layers, **door.options)
    if door is THEIRS:
        model.double()
    model.load_state_dict(state)
    x, y = data(loss)
    x, y = door.array(x), door.array(y)
    optimizer = OPTIMIZERS[optimizer](door.optim, model.parameters())
    optimizer.param_groups[0]["lr"] *= rate
    loss_fn = LOSSES[loss](nn)
    losses = []
    for step in range(steps):
        rows = slice(step % 3 * 10, step % 3 * 10 + 10)
        loss = loss_fn(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step == 100:
            optimizer.param_groups[0]["lr"] /= 2
    return np.array(losses), [np.asarray(p.grad) for p in model.parameters()]


def data(loss):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(30, 3))
    labels = (x[:, 0] > 0).astype(np.int64) + 2 * (x[:, 1] > 0)
    if loss == "CrossEntropyLoss":
        return x, labels
    return x, np.eye(4)[labels] - 0.5 * (loss != "BCEWithLogitsLoss")


def initial_state(activation):
    torch.manual_seed(0)
    layers = [torch.nn.Linear(3, 8), ACTIVATIONS[activation](torch.nn), torch.nn.Linear(8, 4)]
    return {name: value.clone() for name, value in torch.nn.Sequential(*layers).double().state_dict().items()}


def relative_difference(a, b):
    return np.max(np.abs(a - b) / np.abs(b))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_same_loss_curve(activation, optimizer, loss):
    state = initial_state(activation)
    ours, our_gradients = curve(OURS, activation, optimizer, loss, state)
    theirs, their_gradients = curve(THEIRS, activation, optimizer, loss, state)
    assert len(ours) == STEPS
    assert ours[-3:].mean() < 0.95 * ours[:3].mean()
    assert relative_difference(ours, theirs) < TOLERANCE
    for own, expected in zip(our_gradients, their_gradients, strict=True):
        assert own.shape == expected.shape
        np.testing.assert_allclose(own, expected, rtol=1e-6, atol=1e-12)


def test_the_tolerance_tells_a_small_change_of_the_rate():
    state = initial_state("Tanh")
    ours, _ = curve(OURS, "Tanh", "Adam", "MSELoss", state, rate=1 + 1e-6)
    theirs, _ = curve(THEIRS, "Tanh", "Adam", "MSELoss", state)
    assert relative_difference(ours, theirs) > TOLERANCE


def test_models_print_alike():
    def model(nn):
        return nn.Sequential(
            nn.Linear(3, 8),
            *(make(nn) for name, make in ACTIVATIONS.items() if name not in ("ReLU", "BatchNorm1d", "LayerNorm")),
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
        door.nn.Sequential(door.nn.Linear(2, 3), door.nn.ReLU(), door.nn.Linear(3, 1, bias=False))
        for door in (OURS, THEIRS)
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
