"""What the drawing functions say of arguments that they cannot draw: the argument, what is expected, what was given."""

import math
import re

import numpy as np
import pytest

import ganglion as gg
from ganglion import plotting

SQUARE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
CLASSES = [0, 1, 1, 0]
NET = gg.Sequential(gg.Dense(3, input_shape=(16,)), gg.Dense(2))
BOX = (-1, 1, -1, 1)


def corner(x, y):
    return x + y


def plot(name, *arguments, **keywords):
    return lambda path: getattr(plotting, name)(*arguments, **keywords, path=path)


def table(x, curves, **keywords):
    return plot("lines", x, curves, xlabel="x", ylabel="y", **keywords)


WRONG = {
    "history: expected what fit returned, or names with numbers like {'loss': [2.3, 0.5]}, got Sequential": plot(
        "learning_curves", NET
    ),
    "history: expected gradients of layers, got none; watch them: fit(…, callbacks=[Monitor(every=100)])": plot(
        "gradients", gg.History(["loss"])
    ),
    "curves: expected names and what to draw, {'name': …}, got list": table([1, 2], [1, 2]),
    "curves: expected at least one curve to draw, got none": table([1, 2], {}),
    "curves['a']: expected 2 rows as x has, got 1": table([1, 2], {"a": [1]}),
    "curves['a']: expected one number each, shape (n,), got (1, 2)": table([1, 2], {"a": [[1, 2]]}),
    "x: expected something to draw, got nothing": table(np.zeros(0), {"a": [1]}),
    "x: expected positive numbers for a logarithmic scale, got none": table([0, -1], {"a": [1, 2]}, log="x"),
    "log: expected 'x', 'y' or 'xy', True or False, got 'z'": table([1, 2], {"a": [1, 2]}, log="z"),
    "names: expected at least one function to draw, got none": plot("activation_functions", []),
    "names: expected functions of one number, got 'softmax', which takes a row at once": plot(
        "activation_functions", ["relu", "softmax"]
    ),
    "names: expected names like 'relu', got ReLU() of type ReLU": plot("activation_functions", [gg.ReLU()]),
    "unknown names 'rellu'; known: identity, ": plot("activation_functions", ["rellu"]),
    "limits: expected (x_low, x_high, y_low, y_high), got (-1, 1)": plot(
        "descent_paths", corner, {"a": [[0, 0]]}, limits=(-1, 1)
    ),
    "limits: expected (low, high) with low below high, got (1, -1)": plot(
        "descent_curve", np.square, {"a": [0]}, limits=(1, -1)
    ),
    "paths['a']: expected 2 columns, shape (n, 2), got (3,)": plot(
        "descent_paths", corner, {"a": [0, 1, 2]}, limits=BOX
    ),
    "paths: expected names and what to draw, {'name': …}, got list": plot(
        "descent_curve", np.square, [0, 1], limits=(-1, 1)
    ),
    "f: expected a value for each point, shape (201, 201), got (); write it with NumPy's functions": plot(
        "descent_paths", lambda x, y: 0, {"a": [[0, 0]]}, limits=BOX
    ),
    "x: expected 2 columns, shape (n, 2), got (4, 3)": plot("decision_boundary", corner, np.ones((4, 3)), CLASSES),
    "x: expected finite numbers, x[0, 1] is nan": plot("decision_boundary", corner, [[0, np.nan], [0, 0]], [0, 1]),
    "y: expected 4 rows as x has, got 3": plot("decision_boundary", corner, SQUARE, [0, 1, 1]),
    "y must be an array of real numbers; given text; number the classes first": plot(
        "decision_boundary", corner, SQUARE, list("abab")
    ),
    "model: expected a model or a function of points (n, 2), got str": plot(
        "decision_boundary", "model", SQUARE, CLASSES
    ),
    "model: the function: expected whole numbers, a class each, got 0.5; pass predict_classes(x)": plot(
        "decision_boundary", lambda x: np.full(len(x), 0.5), SQUARE, CLASSES
    ),
    "model: the function: expected 160801 rows as points has, got 1": plot(
        "decision_boundary", lambda x: [0], SQUARE, CLASSES
    ),
    "predict_classes needs a classifier": plot(
        "decision_boundary", gg.Sequential(gg.Dense(1, input_shape=(2,))), SQUARE, CLASSES
    ),
    "y: expected 2 rows as x has, got 3": plot("fit_1d", np.sin, [1, 2], [1, 2, 3]),
    "validation y: expected 1 rows as validation x has, got 2": plot(
        "fit_1d", np.sin, [1, 2], [1, 2], validation=([1], [1, 2])
    ),
    "validation: expected (x, y), the points that the models were not trained on": plot(
        "fit_1d", np.sin, [1, 2], [1, 2], validation=np.ones((3, 2))
    ),
    "models['model']: expected a value for each point, shape (401,), got ()": plot(
        "fit_1d", lambda x: 3, [1, 2], [1, 2]
    ),
    "models['m']: its outputs: expected one number each, shape (n,), got (401, 2)": plot(
        "fit_1d", {"m": gg.Sequential(gg.Dense(2, input_shape=(1,)))}, [1, 2], [1, 2]
    ),
    "models['m']: expected a model or a function, got int": plot("fit_1d", {"m": 3}, [1, 2], [1, 2]),
    "y_pred: expected 2 rows as y_true has, got 3": plot("confusion_matrix", [0, 1], [0, 1, 1]),
    "y_pred: expected whole numbers, a class each, got 0.2; pass predict_classes(x)": plot(
        "confusion_matrix", [0, 1], [0.2, 1]
    ),
    "names: expected one for each class from 0 to 2, got 2": plot("confusion_matrix", [0, 2], [0, 1], names=["a", "b"]),
    "shape: expected 16 numbers as dense has inputs, got (28, 28), 784; is it (4, 4)?": plot(
        "first_weights", NET, shape=(28, 28)
    ),
    "shape: expected (height, width) or (height, width, 3), got 16": plot("first_weights", NET, shape=16),
    "each of shape must be an integer; given": plot("first_weights", NET, shape=(4.0, 4.0)),
    "count must be at least 1; given 0": plot("first_weights", NET, shape=(4, 4), count=0),
    "model: expected a model with a dense layer, got Sequential without one": plot(
        "first_weights", gg.Sequential(gg.ReLU(input_shape=(4,))), shape=(2, 2)
    ),
    "x: expected 2 rows as y_true has, got 3": plot("misclassified", np.ones((3, 4)), [0, 1], [1, 1], shape=(2, 2)),
    "shape: expected 4 numbers as a sample of x has, got (3, 3), 9; is it (2, 2)?": plot(
        "misclassified", np.ones((2, 4)), [0, 1], [1, 1], shape=(3, 3)
    ),
    "x: expected finite numbers, x[1, 0] is inf": plot(
        "misclassified", [[0.0], [np.inf]], [0, 1], [1, 1], shape=(1, 1)
    ),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_cannot_be_drawn_is_told_and_nothing_written(message, tmp_path):
    path = tmp_path / "picture.svg"
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(message)}"):
        WRONG[message](path)
    assert not path.exists()


def test_a_model_without_weights_is_told():
    with pytest.raises(gg.errors.NotFittedError, match="does not know its input's size"):
        plotting.first_weights(gg.Sequential(gg.Dense(2)), shape=(2, 2))


def test_a_function_of_single_numbers_is_told_what_it_is_called_with(tmp_path):
    with pytest.raises(TypeError) as told:
        plotting.descent_curve(lambda x: math.sin(x), {"a": [0]}, limits=(-1, 1), path=tmp_path / "a.svg")
    assert told.value.__notes__ == ["f is called with arrays; write it with NumPy's functions: np.sin, not math.sin"]


def test_panels_are_counted():
    with pytest.raises(ValueError, match=r"^count must be at least 1; given 0$"):
        plotting.panels(0)
