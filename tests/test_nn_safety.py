"""What a loop written by hand could do wrong unseen: write in place, target an output, fail in a layer of one's own."""

import re

import numpy as np
import pytest

import ganglion as gg
from ganglion import nn
from torch_door import batch, two_layers

X, Y = batch()


def raises(error, text):
    return pytest.raises(error, match=f"^{re.escape(text)}$")


def test_outputs_and_layers_are_not_written_in_place():
    model = two_layers()
    output = model(X)
    refused = "a model's output is not written in place: write to a copy, output.detach().copy()"
    for view in (output, output.flatten()):
        with raises(TypeError, refused):
            view[view < 0] = 0
        with pytest.raises(ValueError, match="read-only"):
            np.add(view, 1, out=view)
    copy = output.copy()
    copy += 1
    copy[0] = 0
    with raises(
        AttributeError,
        "a layer's weight is not assigned: use model.load_state_dict(state) or model.set_weights(weights)",
    ):
        model[0].weight = np.zeros((5, 3))
    with raises(AttributeError, "a layer's activation is not assigned: make a new model for other layers"):
        model[0].activation = "relu"
    nn.MSELoss()(output, Y).backward()


def test_what_a_layer_of_ones_own_raises_on_the_way_back():
    class Once(gg.CustomLayer):
        failed = False

        def forward(self, x):
            return x

        def backward(self, x, output, gradient):
            if not Once.failed:
                Once.failed = True
                raise OSError("no such luck")
            return gradient

    model = nn.Sequential(nn.Linear(3, 4), Once(), nn.Linear(4, 2))
    with raises(OSError, "no such luck"):
        (2 * nn.MSELoss()(model(X), Y)).backward()
    assert next(model.parameters()).grad is None
    nn.MSELoss()(model(X), Y.tolist()).backward()
    assert next(model.parameters()).grad.shape == (4, 3)


def test_a_target_has_no_way_back():
    model = two_layers()
    with raises(
        ValueError, "target is a model's output too, and gradients flow to the first one alone: pass target.detach()"
    ):
        nn.MSELoss()(model(X), model(X))
    nn.MSELoss()(model(X), model(X).detach()).backward()
