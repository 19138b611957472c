"""What `optim` refuses, with the text that says so."""

import re

import numpy as np
import pytest

import ganglion as gg
from ganglion import optim
from torch_door import two_layers


def raises(error, text):
    return pytest.raises(error, match=f"^{re.escape(text)}$")


def given_parameters(**options):
    return optim.SGD(two_layers().parameters(), **options)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: optim.SGD([], lr=0.1),
            ValueError,
            "params is empty: pass model.parameters(), which is used up once it has been gone through",
        ),
        (
            lambda: optim.SGD(gg.Sequential(gg.Dense(1, input_shape=(2,))).parameters(), lr=0.1),
            TypeError,
            "params must be an nn.Sequential's model.parameters(); given one of type ndarray",
        ),
        (
            lambda: optim.SGD("model", lr=0.1),
            TypeError,
            "params must be model.parameters(); given 'model' of type str",
        ),
        (
            lambda: optim.SGD([*two_layers().parameters(), *two_layers().parameters()], lr=0.1),
            ValueError,
            "params must be of one model; given those of 2: make an optimizer for each",
        ),
        (
            lambda: optim.SGD(2 * list(two_layers().parameters()), lr=0.1),
            ValueError,
            "params must not name a parameter twice",
        ),
        (lambda: given_parameters(lr=-1), ValueError, "lr must be finite and >= 0; given -1"),
        (lambda: given_parameters(lr="0.1"), TypeError, "lr must be a number; given '0.1' of type str"),
        (lambda: given_parameters(momentum=1.5), ValueError, "momentum must be finite and >= 0 and < 1; given 1.5"),
        (lambda: given_parameters(dampening=0.1), ValueError, "dampening must be 0; given 0.1"),
        (
            lambda: given_parameters(nesterov=True),
            ValueError,
            "nesterov=True needs a momentum greater than 0, like 0.9; given 0",
        ),
        (
            lambda: optim.Adam(two_layers().parameters(), betas=0.9),
            TypeError,
            "betas must be a pair like (0.9, 0.999); given 0.9",
        ),
        (
            lambda: optim.Adam(two_layers().parameters(), betas=(0.9, 1)),
            ValueError,
            "betas[1] must be finite and >= 0 and < 1; given 1",
        ),
        (lambda: optim.Adam(two_layers().parameters(), eps=0), ValueError, "eps must be finite and > 0; given 0"),
        (
            lambda: optim.SGD([{"params": two_layers().parameters(), "rate": 1}]),
            ValueError,
            "unknown option 'rate'; known: lr, momentum, dampening, weight_decay, nesterov",
        ),
        (
            lambda: optim.RMSprop(two_layers().parameters(), alpha=1),
            ValueError,
            "alpha must be finite and >= 0 and < 1; given 1",
        ),
        (
            lambda: optim.RMSprop(two_layers().parameters(), centered=True),
            ValueError,
            "centered must be False; given True",
        ),
        (
            lambda: optim.Adagrad(two_layers().parameters(), lr_decay=0.1),
            ValueError,
            "lr_decay must be 0; given 0.1: write param_groups[0]['lr'] instead",
        ),
        (
            lambda: optim.RMSprop(two_layers().parameters()).param_groups[0].update(momentum=0.9),
            ValueError,
            "momentum is fixed from the start, 0.0 here; make a new optimizer for another",
        ),
        (lambda: optim.SGD([{"lr": 1}]), ValueError, "a group of parameters needs 'params'; given 'lr'"),
    ],
)
def test_optimizers(call, error, text):
    with raises(error, text):
        call()


@pytest.mark.parametrize(
    ("key", "value", "error", "text"),
    [
        ("lr", -0.1, ValueError, "lr must be finite and >= 0; given -0.1"),
        ("lr", np.nan, ValueError, "lr must be finite and >= 0; given nan"),
        ("momentum", 1, ValueError, "momentum must be finite and >= 0 and < 1; given 1"),
        ("params", [], TypeError, "the parameters of a group are fixed; make a new optimizer for others"),
        ("rate", 1, ValueError, "unknown option 'rate'; known: lr, momentum, dampening, weight_decay, nesterov"),
    ],
)
def test_options_written_later(key, value, error, text):
    group = given_parameters(lr=0.1).param_groups[0]
    before = dict(group)
    with raises(error, text):
        group[key] = value
    with raises(error, text):
        group.update({key: value})
    assert group == before


def test_an_epsilon_that_the_models_type_does_not_know():
    text = "epsilon must be at least the smallest normal number of the model's dtype, -126 as a power of 2"
    with raises(ValueError, text):
        optim.Adam(two_layers().parameters(), eps=1e-40)
    optimizer = optim.Adam(two_layers().parameters())
    optimizer.param_groups[0]["eps"] = 1e-40
    with raises(ValueError, text):
        optimizer.step()
    optim.Adam(two_layers("float64").parameters(), eps=1e-40)
