"""Layers: what they accept, how they print, what they say about sizes and to the core."""

import dataclasses

import numpy as np
import pytest

import ganglion as gg
from ganglion import _native
from ganglion.initializers import INITIALIZERS, HeNormal
from ganglion.layers import ACTIVATIONS, LAYERS, Layer
from small_models import after_import

CORE = _native._ganglion_core


@pytest.mark.parametrize(
    ("family", "core_names"),
    [
        (ACTIVATIONS, [row.name for row in CORE.activations() if row.name != "gelu_tanh"]),  # GELU has both
        (INITIALIZERS, CORE.initializers()),
    ],
    ids=["activations", "initializers"],
)
def test_each_row_of_the_core_has_one_class(family, core_names):
    assert sorted(row.row for row in family.classes.values()) == sorted(core_names)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (gg.Dense(3), "Dense(3)"),
        (gg.Dense(units=3, activation="relu", input_shape=[2]), "Dense(3, activation='relu', input_shape=(2,))"),
        (gg.Dense(3, gg.ReLU()), "Dense(3, activation='relu')"),
        (gg.Dense(3, "linear"), "Dense(3, activation='identity')"),
        (gg.Dense(3, gg.LeakyReLU()), "Dense(3, activation='leaky_relu')"),
        (gg.Dense(3, gg.LeakyReLU(0.2)), "Dense(3, activation=LeakyReLU(negative_slope=0.2))"),
        (gg.Dense(3, use_bias=False, name="top"), "Dense(3, name='top', use_bias=False)"),
        (gg.Dense(3, kernel_initializer=HeNormal()), "Dense(3, kernel_initializer='he_normal')"),
        (gg.Dense(np.int64(3)), "Dense(3)"),
        (gg.Activation("tanh"), "Activation('tanh')"),
        (gg.Activation(gg.Softmax()), "Activation('softmax')"),
        (gg.ReLU(), "ReLU()"),
        (gg.Dense(3, "silu"), "Dense(3, activation='swish')"),
        (gg.GELU(), "GELU()"),
        (gg.Dense(3, gg.GELU("none")), "Dense(3, activation='gelu')"),
        (gg.GELU("tanh"), "GELU(approximate=True)"),
        (gg.LeakyReLU(1), "LeakyReLU(negative_slope=1.0)"),
        (gg.Sigmoid(name="gate", input_shape=(4,)), "Sigmoid(input_shape=(4,), name='gate')"),
    ],
)
def test_repr_says_what_is_not_default(layer, text):
    assert repr(layer) == text
    assert after_import(text) == layer


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: gg.Dense(0), ValueError, r"units must be at least 1; given 0"),
        (lambda: gg.Dense(-3), ValueError, r"units must be at least 1; given -3"),
        (lambda: gg.Dense(True), TypeError, r"units must be an integer; given True of type bool"),
        (lambda: gg.Dense(32.0), TypeError, r"units must be an integer; given 32.0 of type float"),
        (lambda: gg.Dense("32"), TypeError, r"units must be an integer; given '32' of type str"),
        (
            lambda: gg.Dense(3, "rleu"),
            ValueError,
            r"unknown activation 'rleu'; known: identity, .*did you mean 'relu'\?",
        ),
        (lambda: gg.Dense(3, gg.ReLU), TypeError, r"activation must be the name of an activation .*write ReLU\(\)"),
        (
            lambda: gg.Dense(3, np.tanh),
            TypeError,
            r"activation must be the name of an activation .*function tanh: write Tanh\(\)",
        ),
        (lambda: gg.Dense(3, gg.Dense(3)), TypeError, r"activation must be .*given Dense\(3\) of type Dense"),
        (
            lambda: gg.Dense(3, kernel_initializer="xavier"),
            ValueError,
            r"unknown kernel_initializer 'xavier'; known: zeros",
        ),
        (lambda: gg.Dense(3, bias_initializer=None), TypeError, r"bias_initializer must be .*given None"),
        (lambda: gg.Dense(3, use_bias=1), TypeError, r"use_bias must be True or False; given 1 of type int"),
        (lambda: gg.Dense(3, input_shape=4), TypeError, r"input_shape must be a tuple like \(784,\); given 4"),
        (
            lambda: gg.Dense(3, input_shape=(28, 28)),
            ValueError,
            r"one size.*given \(28, 28\); flatten each row: \(784,\)",
        ),
        (lambda: gg.Dense(3, input_shape=()), ValueError, r"input_shape must hold one size, like \(784,\); given \(\)"),
        (lambda: gg.Dense(3, input_shape=(0,)), ValueError, r"input_shape must be at least 1; given 0"),
        (lambda: gg.Dense(3, input_shape=(2.0,)), TypeError, r"input_shape must be an integer; given 2.0"),
        (
            lambda: gg.Dense(3, input_shape=(None, 4)),
            TypeError,
            r"input_shape must hold sizes, like \(784,\); given \(None, 4\): leave out the rows: \(4,\)$",
        ),
        (
            lambda: gg.layers.Input((None,)),
            TypeError,
            r"shape must hold sizes, like \(784,\); given \(None,\): write how many features a row has$",
        ),
        (lambda: gg.Dense(3, name=""), ValueError, r"name must not be empty and hold no dot; given ''"),
        (lambda: gg.Dense(3, name="a.b"), ValueError, r"name must not be empty and hold no dot; given 'a.b'"),
        (lambda: gg.Dense(3, name=7), TypeError, r"name must be a string; given 7 of type int"),
        (lambda: gg.LeakyReLU(-0.1), ValueError, r"negative_slope must be finite and >= 0; given -0.1"),
        (lambda: gg.LeakyReLU(float("nan")), ValueError, r"negative_slope must be finite and >= 0; given nan"),
        (lambda: gg.LeakyReLU("0.1"), TypeError, r"negative_slope must be a number; given '0.1' of type str"),
        (
            lambda: gg.Activation("gleu"),
            ValueError,
            r"unknown activation 'gleu'; known: identity, linear, sigmoid, tanh.*did you mean 'gelu'\?",
        ),
        (lambda: gg.GELU("erf"), ValueError, r"approximate must be True or False, or 'tanh' or 'none'; given 'erf'"),
        (lambda: gg.GELU(1), TypeError, r"approximate must be True or False; given 1 of type int"),
        (lambda: gg.Activation(None), TypeError, r"activation must be the name of an activation"),
        (lambda: Layer(), TypeError, r"abstract"),
    ],
)
def test_a_wrong_argument_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_layers_are_frozen_values():
    layer = gg.Dense(3, "relu")
    with pytest.raises(dataclasses.FrozenInstanceError):
        layer.units = 4
    assert layer == gg.Dense(3, activation=gg.ReLU())
    assert layer != gg.Dense(3, "tanh")
    assert hash(layer) == hash(gg.Dense(3, "relu"))
    assert gg.ReLU() != gg.Tanh()


@pytest.mark.parametrize(
    ("layer", "outputs", "shapes"),
    [
        (gg.Dense(3), 3, {"kernel": (5, 3), "bias": (3,)}),
        (gg.Dense(3, use_bias=False), 3, {"kernel": (5, 3)}),
        (gg.Activation("relu"), 5, {}),
        (gg.Softmax(), 5, {}),
    ],
)
def test_sizes(layer, outputs, shapes):
    assert layer.outputs(5) == outputs
    assert layer.parameter_shapes(5) == shapes


@pytest.mark.parametrize("name", sorted(ACTIVATIONS.names))
def test_every_way_to_write_an_activation_is_the_same_function(name):
    x = np.linspace(-3, 3, 12, dtype=np.float32).reshape(4, 3)
    dense = gg.Dense(2, kernel_initializer="he_uniform", input_shape=(3,))
    written = {
        "argument": [dataclasses.replace(dense, activation=name)],
        "description": [dataclasses.replace(dense, activation=ACTIVATIONS.names[name]())],
        "layer": [dense, ACTIVATIONS.names[name]()],
        "named layer": [dense, gg.Activation(name)],
    }
    outputs = {way: gg.Sequential(layers, seed=3).predict(x) for way, layers in written.items()}
    for way, output in outputs.items():
        np.testing.assert_array_equal(output, outputs["argument"], err_msg=way)


def test_the_slope_reaches_the_core():
    x = np.array([[-2.0], [3.0]], np.float32)
    assert gg.Sequential(gg.LeakyReLU(0.25, input_shape=(1,))).predict(x).tolist() == [[-0.5], [3.0]]
    assert gg.Sequential(gg.Activation(gg.LeakyReLU(0.5), input_shape=(1,))).predict(x).tolist() == [[-1.0], [3.0]]


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_every_layer_survives_a_config(name):
    arguments = {
        "Dense": (4, gg.LeakyReLU(0.3)),
        "Activation": ("tanh",),
        "LeakyReLU": (0.7,),
        "GELU": (True,),
        "Dropout": (0.5,),
        "Rescale": (0.25, -1.0),
    }.get(name, ())
    layer = LAYERS[name](*arguments, input_shape=(4,), name="here")
    model = gg.Sequential(layer, seed=9, dtype="float64")
    again = gg.Sequential.from_config(model.to_config())
    assert again.layers == model.layers
    assert type(again.layers[0]) is LAYERS[name]
