"""A monitor says nothing of healthy networks, and of broken ones what is wrong and how to mend it."""

import re
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits

import ganglion as gg
from ganglion.errors import TrainingWarning
from ganglion.initializers import Normal

PIXELS, DIGITS = load_digits(return_X_y=True)
PIXELS = (PIXELS / 16).astype(np.float32)
RANDOM = np.random.default_rng(0)
POINTS = RANDOM.standard_normal((500, 8)).astype(np.float32)
VALUES = (np.sin(POINTS[:, :1]) + POINTS[:, 1:2] * POINTS[:, 2:3]).astype(np.float32)
ADAM = gg.Adam(1e-3)


def hidden(count, activation, units=32, **options):
    return [gg.Dense(units, activation, **options) for _ in range(count)]


def normalized(count):
    return [layer for _ in range(count) for layer in (gg.Dense(32), gg.BatchNormalization(), gg.ReLU())]


def said_of(layers, optimizer=ADAM, x=PIXELS, y=DIGITS, loss="cross_entropy", *, every=1, epochs=4):
    """What is said of these layers before a last one, unless it is among them."""
    trainer = gg.Trainer(gg.Sequential(*layers, seed=1), loss, optimizer, threads=1)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", TrainingWarning)
        trainer.fit(x, y, epochs=epochs, callbacks=[gg.Monitor(every)], verbose=0)
    return [str(each.message) for each in warned]


HEALTHY = {
    "one relu": (hidden(1, "relu"), ADAM),
    "six relu with He's start": (hidden(6, "relu", kernel_initializer="he_normal"), gg.SGD(0.05)),
    "ten relu with He's start": (hidden(10, "relu", kernel_initializer="he_normal"), ADAM),
    "slow": (hidden(6, "relu", kernel_initializer="he_normal"), gg.SGD(0.001)),
    "two tanh": (hidden(2, "tanh"), gg.SGD(0.1)),
    "two sigmoid": (hidden(2, "sigmoid", 64), ADAM),
    "three sigmoid": (hidden(3, "sigmoid", 64), gg.Adam(3e-3)),
    "normalized": (normalized(4), gg.SGD(0.1)),
    "dropout": ([*hidden(1, "relu"), gg.Dropout(0.5), *hidden(1, "relu"), gg.Dropout(0.5)], ADAM),
}


@pytest.mark.parametrize("every", [1, 10])
@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_said_of_healthy_networks(name, every):
    layers, optimizer = HEALTHY[name]
    assert said_of([*layers, gg.Dense(10)], optimizer, every=every) == []


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_nothing_is_said_of_healthy_regressions(activation):
    assert said_of([*hidden(3, activation), gg.Dense(1)], ADAM, POINTS, VALUES, "mse") == []


@pytest.mark.parametrize("optimizer", [ADAM, gg.SGD(0.1), gg.SGD(1e-5)], ids=["adam", "sgd", "slow"])
def test_a_last_layer_may_begin_at_0(optimizer):
    assert said_of([*hidden(2, "relu"), gg.Dense(10, kernel_initializer="zeros")], optimizer) == []


def test_gradients_of_no_loss_do_not_vanish():
    one_class = np.zeros(len(PIXELS), int)
    assert said_of([*hidden(3, "sigmoid"), gg.Dense(10)], gg.Adam(1e-2), y=one_class) == []


def test_of_dead_layers_nothing_else_is_said():
    layers = hidden(2, "relu", bias_initializer=gg.initializers.Constant(-50.0))
    said = said_of([*layers, gg.Dense(10)], gg.SGD(0.01))
    assert len(said) == 2
    assert all("100% of its units are 0" in text for text in said)


def test_a_saturated_layers_gradients_of_0_do_not_vanish():
    said = said_of([*hidden(2, "tanh"), gg.Dense(10)], x=100 * PIXELS - 800)
    assert any("at an end of their range" in text for text in said)
    assert not any("gradients are 0 times" in text for text in said)


@pytest.mark.parametrize("units", [30, 32])
def test_sigmoids_that_stay_at_equal_chances_are_named(units):
    said = said_of([*hidden(5, "sigmoid", units), gg.Dense(10)], gg.SGD(0.1), every=10)
    assert len(said) == 1
    assert "and the loss does not move at step" in said[0]
    assert "use activation='relu' with kernel_initializer='he_normal'" in said[0]


def test_gradients_that_exploded_from_the_first_look_on_are_named():
    said = said_of([*hidden(8, "relu", 64, kernel_initializer=Normal(1.0)), gg.Dense(10)])
    assert re.match(
        r"layer 'dense_8': gradients are \S+ times as large as its weights at step 2; they explode", said[0]
    )
    assert "kernel_initializer='he_normal'" in said[0]


def test_gradients_that_grow_on_the_way_back_are_named():
    layers = [gg.Dense(32, "relu", kernel_initializer=Normal(1e-5)), *hidden(3, "relu")]
    said = said_of([*layers, gg.Dense(10, use_bias=False)], gg.SGD(1e-9))
    assert len(said) == 1
    assert re.match(
        r"layer 'dense': gradients are \S+ times the last layer's at step 2; they explode on the way", said[0]
    )


@pytest.mark.parametrize(("activation", "initializer"), [("relu", "he_normal"), ("selu", "lecun_normal")])
def test_cures_fit_the_activation(activation, initializer):
    start = gg.initializers.Constant(0.1)
    layers = hidden(12, activation, kernel_initializer=Normal(0.05), bias_initializer=start)
    vanishing = [text for text in said_of([*layers, gg.Dense(10)], gg.SGD(1e-6)) if "vanish" in text]
    assert len(vanishing) == 1
    assert f"use kernel_initializer='{initializer}', fewer layers" in vanishing[0]
    assert "activation='relu'" not in vanishing[0]
    layers = hidden(8, activation, 64, kernel_initializer=Normal(1.0))
    exploding = said_of([*layers, gg.Dense(10)])
    assert f"they explode: use smaller weights, kernel_initializer='{initializer}'," in exploding[0]


def test_large_steps_are_told_in_words_that_can_be_read():
    said = said_of([*hidden(2, "relu"), gg.Dense(10)], gg.SGD(30.0))
    steps = [text for text in said if "an update changes the weights by" in text]
    assert steps
    assert not any(re.search(r"\d{5,}%", text) for text in steps)
    assert any(re.search(r"by \d+(e\d+)? times their size", text) for text in steps)


def test_a_history_says_where_its_values_are():
    history = gg.Trainer(gg.Sequential(gg.Dense(1)), "mse").fit(POINTS, VALUES, verbose=0)
    with pytest.raises(TypeError, match=re.escape("history.history['loss'] has a value for each epoch")):
        history["loss"]
