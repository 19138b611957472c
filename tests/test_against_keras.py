"""Keras and ganglion from the same weights through the same batches in float64: the loss of each of 200 steps."""

import importlib.util

import numpy as np
import pytest

import ganglion as gg
from golden import make_keras_golden as keras
from tolerance import assert_within

TOLERANCE = 1e-10  # relative; where the sums are added in another order 1e-15 is usual
needs_keras = pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="Keras is not installed")

OPTIMIZERS = {
    "sgd": lambda scale: gg.SGD(0.05 * scale),
    "momentum": lambda scale: gg.SGD(0.01 * scale, momentum=0.9),
    "nesterov": lambda scale: gg.SGD(0.01 * scale, momentum=0.9, nesterov=True),
    "adam": lambda scale: gg.Adam(1e-3 * scale, epsilon=keras.EPSILON),
    "adamw": lambda scale: gg.AdamW(1e-3 * scale, epsilon=keras.EPSILON, weight_decay=0.01),
    "rmsprop": lambda scale: gg.RMSprop(1e-3 * scale, epsilon=keras.EPSILON),
    "rmsprop_momentum": lambda scale: gg.RMSprop(2e-4 * scale, epsilon=keras.EPSILON, momentum=0.9),
    "adagrad": lambda scale: gg.AdaGrad(1e-2 * scale, epsilon=keras.EPSILON, initial_accumulator=0.1),
}
ACTIVATIONS = {name: name for name in keras.ACTIVATIONS} | {"leaky_relu": gg.LeakyReLU(0.2)}
LOSSES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "huber": "huber",
    "labels": gg.losses.SparseCategoricalCrossentropy(from_logits=True),
    "one_hot": gg.losses.CategoricalCrossentropy(from_logits=True),
    "probabilities": "categorical_crossentropy",
    "yes_or_no": gg.losses.BinaryCrossentropy(from_logits=True),
    "sigmoid": "binary_crossentropy",
}


def losses(optimizer, activation, loss, scale=1.0):
    """The loss of each step, before its update, by Keras's way of using a model."""
    last, _, _, targets = keras.LOSSES[loss]
    layers = [gg.layers.Dense(units, activation=ACTIVATIONS[activation]) for units in keras.WIDTHS[1:-1]]
    ends = gg.layers.Dense(keras.WIDTHS[-1], activation=last)
    model = gg.Sequential([gg.layers.Input(keras.WIDTHS[:1]), *layers, ends], dtype="float64")
    model.set_weights(keras.weights())
    model.compile(OPTIMIZERS[optimizer](scale), LOSSES[loss])
    return np.array([model.train_on_batch(x, y) for x, y in keras.batches(targets)])


def assert_agree(found, expected):
    expected = np.array(expected)
    assert_within(found, expected, TOLERANCE * np.abs(expected))


def at_stored_steps(found):
    return found[np.array(keras.STORED) - 1]


@pytest.fixture(scope="module")
def golden():
    return keras.golden()


def test_the_stored_runs_are_those_of_the_tables(golden):
    assert [tuple(name.split()) for name in golden] == keras.STORED_RUNS
    assert all(len(values) == len(keras.STORED) for values in golden.values())
    for ours, theirs in ((OPTIMIZERS, keras.OPTIMIZERS), (ACTIVATIONS, keras.ACTIVATIONS), (LOSSES, keras.LOSSES)):
        assert set(ours) == set(theirs)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        tables = (keras.OPTIMIZERS, keras.ACTIVATIONS, keras.LOSSES)
        pairs = {(run[first], run[second]) for run in keras.STORED_RUNS}
        assert len(pairs) == len(tables[first]) * len(tables[second])


@pytest.mark.parametrize("run", keras.STORED_RUNS, ids=" ".join)
def test_against_stored_losses(run, golden):
    assert_agree(at_stored_steps(losses(*run)), golden[" ".join(run)])


@pytest.mark.parametrize("optimizer", keras.OPTIMIZERS)
def test_the_tolerance_tells_another_learning_rate(optimizer, golden):
    run = next(run for run in keras.STORED_RUNS if run[:2] == (optimizer, "tanh"))
    found = losses(*run, scale=1 + 1e-5)
    with pytest.raises(AssertionError, match="outside the bound"):
        assert_agree(at_stored_steps(found), golden[" ".join(run)])


def test_the_runs_learn(golden):
    assert np.mean([values[0] > values[-1] for values in golden.values()]) > 0.9


# Each optimizer, activation and loss at least once; the others are slow.
SOME = [
    (optimizer, keras.ACTIVATIONS[i % len(keras.ACTIVATIONS)], list(keras.LOSSES)[i % len(keras.LOSSES)])
    for i, optimizer in enumerate([*keras.OPTIMIZERS, *keras.OPTIMIZERS][: len(keras.ACTIVATIONS)])
]


@needs_keras
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("optimizer", "activation", "loss"), SOME)
def test_every_step_against_keras(optimizer, activation, loss):
    assert_agree(losses(optimizer, activation, loss), keras.keras_losses(optimizer, activation, loss))


# From these steps on a probability is beyond Keras's clip at 1 - 1e-7; a softmax with its loss in one has no such clip.
CLIPPED = {("momentum", "linear", "probabilities"): 158, ("nesterov", "linear", "probabilities"): 158}


@pytest.mark.slow
@needs_keras
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("optimizer", "activation", "loss"), sorted(set(keras.RUNS) - set(SOME)))
def test_every_step_of_the_others_against_keras(optimizer, activation, loss):
    steps = CLIPPED.get((optimizer, activation, loss))
    found, expected = losses(optimizer, activation, loss), keras.keras_losses(optimizer, activation, loss)
    assert_agree(found[:steps], expected[:steps])
