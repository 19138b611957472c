"""`verify` on models that are right, on cores and references that are not, and what it leaves behind."""

from dataclasses import FrozenInstanceError, replace
from types import SimpleNamespace

import numpy as np
import pytest

import ganglion as gg
from cases import numbers
from ganglion import reference
from ganglion.layers import ACTIVATIONS
from ganglion.verification import Comparison, Verification

X = numbers(20, 6, seed=1)
LABELS = np.arange(20) % 4
VALUES = numbers(20, 4, seed=2)


def model_of(*layers, dtype="float32"):
    model = gg.Sequential(*layers, seed=4, dtype=dtype)
    model.build((6,))
    return model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted({row.row for row in ACTIVATIONS.names.values()} - {"step"}))
def test_every_activation_is_as_the_reference_computes_it(name, dtype):
    model = model_of(gg.Dense(7, activation=name), gg.Dense(5), gg.Activation(name), gg.Dense(4), dtype=dtype)
    assert gg.verify(model, X, LABELS).ok


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("last", "loss"),
    [
        ("softmax", "categorical_crossentropy"),
        ("sigmoid", "categorical_crossentropy"),
        ("softplus", gg.CrossEntropy(from_logits=False)),
        ("sigmoid", "binary_cross_entropy"),
        ("identity", "binary_cross_entropy"),
        ("sigmoid", "binary_crossentropy"),
        ("softmax", "binary_crossentropy"),
        ("identity", "mae"),
        ("tanh", gg.Huber(0.3)),
        (gg.GELU("tanh"), "sum_squares_error"),
    ],
)
def test_every_loss_is_as_the_reference_computes_it(last, loss, dtype):
    model = model_of(gg.Dense(7, activation="tanh"), gg.Dense(4, activation=last), gg.Identity(), dtype=dtype)
    assert gg.verify(model, X, np.eye(4)[LABELS % 4], loss).ok


@pytest.mark.parametrize(
    "optimizer",
    [
        "adam",
        gg.Adam(0.1, beta1=0.5, beta2=0.75, epsilon=1e-3, weight_decay=0.1),
        gg.SGD(0.1),
        gg.SGD(0.1, momentum=0.9, weight_decay=0.1),
        gg.SGD(gg.LinearDecay(0.5, 0.1, 10), momentum=0.9, nesterov=True),
    ],
    ids=repr,
)
def test_every_optimizer(optimizer):
    model = model_of(gg.Dense(7, activation="tanh"), gg.Dense(4, use_bias=False))
    assert gg.verify(model, X, VALUES, loss="mse", optimizer=optimizer).ok


@pytest.mark.parametrize(
    ("layers", "y", "loss"),
    [
        ([gg.Dense(4)], LABELS, "cross_entropy"),
        ([gg.Dense(4)], np.eye(4)[LABELS], gg.CrossEntropy()),
        ([gg.Dense(4, activation="softmax")], LABELS, "cross_entropy"),
        ([gg.Dense(4), gg.Softmax()], LABELS, "cross_entropy"),
        ([gg.Dense(4), gg.Softmax()], VALUES, "mse"),
        ([gg.Tanh(), gg.Dense(1, activation=gg.LeakyReLU(0.1))], VALUES[:, 0], "mse"),
        ([gg.Dense(300, activation="relu"), gg.Dense(200, activation="relu"), gg.Dense(4)], LABELS, "cross_entropy"),
    ],
)
def test_every_kind_of_model(layers, y, loss):
    assert gg.verify(model_of(*layers), X, y, loss=loss).ok


@pytest.mark.parametrize("x", [X.astype(np.float32), X.tolist(), (np.abs(X) * 50).astype(np.uint8), X[:1]])
def test_every_kind_of_batch(x):
    model = model_of(gg.Dense(7, activation="sigmoid"), gg.Dense(4))
    assert gg.verify(model, x, LABELS[: len(x)]).ok


def test_what_is_compared():
    model = model_of(gg.Dense(7, name="first"), gg.ReLU(), gg.Dense(4, use_bias=False, name="last"))
    found = [(row.layer, row.quantity) for row in gg.verify(model, X, LABELS).comparisons]
    assert found == [
        ("first", "output"),
        *(("first", quantity) for quantity in ("dW", "db", "new W", "new b")),
        ("relu", "output"),
        *(("last", quantity) for quantity in ("output", "dW", "new W")),
        ("", "loss"),
    ]


def test_what_is_printed(capsys):
    model = model_of(gg.Dense(7, activation="relu"), gg.Dense(4))
    result = gg.verify(model, X, LABELS)
    printed = capsys.readouterr().out
    assert printed == f"{result}\n"
    title, header, *rows, verdict = printed.splitlines()
    assert title.startswith(f"float32 on {gg.info().kernel_set}, 20 rows")
    assert header.split("  ")[-1].strip() == "new b"
    assert [row.split()[0] for row in rows] == ["dense", "dense_1", "loss"]
    assert max(map(len, printed.splitlines())) <= 120
    assert verdict == "all within their bounds"


def test_a_layer_may_be_called_loss():
    result = gg.verify(model_of(gg.Dense(4, name="loss")), X, LABELS)
    assert [line.split()[0] for line in str(result).splitlines()[2:]] == ["loss", "loss", "all"]


def test_the_model_stays_as_it_was():
    model = model_of(gg.Dense(7, activation="relu"), gg.Dense(4))
    before, version = model.get_weights(), model.network.version
    gg.verify(model, X, LABELS)
    assert all(map(np.array_equal, before, model.get_weights()))
    assert model.network.version == version


def test_the_report_is_frozen():
    result = gg.verify(model_of(gg.Dense(4)), X, LABELS)
    with pytest.raises(FrozenInstanceError):
        result.rows = 1


def wrong_relu(dh, z):
    return np.where(z > 0, dh * 1.001, 0.0)


def test_a_wrong_derivative_is_found_where_it_is(monkeypatch, capsys):
    monkeypatch.setitem(reference.ACTIVATIONS, "relu", replace(reference.ACTIVATIONS["relu"], backward=wrong_relu))
    model = model_of(gg.Dense(7, activation="relu"), gg.Dense(4))
    result = gg.verify(model, X, LABELS)
    assert not result.ok
    assert [(row.layer, row.quantity) for row in result.failures] == [("dense", "dW"), ("dense", "db")]
    assert "NOT as the reference computes it: dense dW, dense db" in capsys.readouterr().out


def test_a_wrong_activation_is_found_where_it_is(monkeypatch):
    wrong = replace(reference.ACTIVATIONS["tanh"], function=lambda z: np.tanh(z * 1.001))
    monkeypatch.setitem(reference.ACTIVATIONS, "tanh", wrong)
    result = gg.verify(model_of(gg.Dense(7), gg.Tanh(), gg.Dense(4)), X, LABELS)
    failed = {(row.layer, row.quantity) for row in result.failures}
    assert ("tanh", "output") in failed
    assert ("dense", "output") not in failed


def test_a_wrong_step_is_found(monkeypatch):
    monkeypatch.setitem(reference.OPTIMIZERS, "sgd", lambda learning_rate, **_: reference.SGD(learning_rate * 1.001))
    result = gg.verify(model_of(gg.Dense(4)), X, LABELS, optimizer="sgd")
    assert [(row.layer, row.quantity) for row in result.failures] == [("dense", "new W"), ("dense", "new b")]


def test_a_wrong_loss_is_found(monkeypatch):
    wrong = replace(
        reference.LOSSES["mse"], function=lambda y, t: (1.001 * reference.mse(y, t)[0], reference.mse(y, t)[1])
    )
    monkeypatch.setitem(reference.LOSSES, "mse", wrong)
    result = gg.verify(model_of(gg.Dense(4)), X, VALUES, loss="mse")
    assert [row.quantity for row in result.failures] == ["loss"]


@pytest.mark.parametrize(("share", "ok"), [(0.0, True), (1.0, True), (1.001, False), (np.inf, False), (np.nan, False)])
def test_what_counts_as_right(share, ok):
    result = Verification((Comparison("dense", "dW", 1.0, share),), rows=1, dtype="float32", kernel_set="scalar")
    assert result.ok is ok
    assert ("all within" in str(result)) is ok
    assert repr(result) == f"Verification(ok={ok}, comparisons=1, failures={int(not ok)})"


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (X[:, :5], LABELS, ValueError, "x must have shape"),
        (X, LABELS + 1, ValueError, "labels.* 0 to 3"),
        (X, LABELS[:-1], ValueError, "as many rows"),
        (np.full_like(X, np.nan), LABELS, ValueError, "x"),
        (X.astype(str), LABELS, TypeError, "x must be an array of real numbers"),
    ],
)
def test_bad_batches_are_refused_as_in_training(x, y, error, message):
    with pytest.raises(error, match=message):
        gg.verify(model_of(gg.Dense(4)), x, y)


def test_unknown_sizes_and_names_are_refused():
    with pytest.raises(gg.errors.NotFittedError, match="input_shape"):
        gg.verify(gg.Sequential(gg.Dense(4)), X, LABELS)
    with pytest.raises(ValueError, match="unknown loss 'hinge'"):
        gg.verify(model_of(gg.Dense(4)), X, LABELS, loss="hinge")
    with pytest.raises(ValueError, match="unknown optimizer 'lion'"):
        gg.verify(model_of(gg.Dense(4)), X, LABELS, optimizer="lion")


TRAINABLE = [name for name, row in reference.ACTIVATIONS.items() if row.backward and name in ACTIVATIONS.names]


def numerical(result):
    return [row for row in result.comparisons if row.quantity.endswith(" numerically")]


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("name", TRAINABLE)
def test_gradients_are_those_of_the_losss_values(name, loss):
    model = model_of(gg.Dense(7, activation=name), gg.Dense(5), gg.Activation(name), gg.Dense(4), dtype="float64")
    model.set_weights([numbers(*array.shape, seed=5, index=i) for i, array in enumerate(model.get_weights())])
    result = gg.verify(model, X, VALUES if loss == "mse" else LABELS, loss, numerical=True)
    assert result.ok
    found = [(row.layer, row.quantity) for row in numerical(result)]
    layers = ("dense", "dense_1", "dense_2")
    assert found == [(layer, f"d{kind} numerically") for layer in layers for kind in "Wb"]


def test_differences_are_taken_of_a_copy_in_float64():
    model = model_of(gg.Dense(7, activation="tanh"), gg.Dense(4))
    before, version = model.get_weights(), model.network.version
    result = gg.verify(model, X, LABELS, numerical=True)
    assert result.ok
    assert max(row.error for row in numerical(result)) < 1e-8  # float32 would leave 1e-2
    assert all(map(np.array_equal, before, model.get_weights()))
    assert model.network.version == version


def test_what_is_printed_of_differences(capsys):
    gg.verify(model_of(gg.Dense(7, activation="relu"), gg.Dense(4)), X, LABELS, numerical=True)
    *_, title, header, first, second, verdict = capsys.readouterr().out.splitlines()
    assert title == "gradients in float64 against differences of the loss"
    assert header.split() == ["dW", "db"]
    assert [line.split()[0] for line in (first, second)] == ["dense", "dense_1"]
    assert verdict == "all within their bounds"


def test_elements_beside_a_kink_are_left_out():
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])  # with a bias of 0 the first row is at every relu's kink
    model = gg.Sequential(gg.Dense(8, "relu", input_shape=(2,)), gg.Dense(2), seed=1)
    result = gg.verify(model, x, [0, 1, 1, 0], numerical=True)
    assert result.ok
    found = [(row.layer, row.quantity) for row in numerical(result)]
    assert ("dense", "db numerically") not in found
    assert {("dense", "dW numerically"), ("dense_1", "db numerically")} < set(found)
    assert gg.verify(gg.Sequential(gg.ReLU(input_shape=(2,))), x, x, "mse", numerical=True).ok  # nothing to look at


class Wrong:
    """A training whose gradients are wrong by one part in a hundred thousand."""

    def __init__(self, training):
        self.training = training

    def gradients(self, context, feed):
        right = self.training.gradients(context, feed)
        arrays = [array * 1.00001 for array in right.arrays]
        return SimpleNamespace(loss=right.loss, arrays=arrays)


def test_a_gradient_that_is_not_the_losss_is_found(monkeypatch, capsys):
    right = gg.Trainer._evaluation

    def wrong(self, batch):  # only where the differences are taken, on the copy in float64
        training = right(self, batch)
        return Wrong(training) if self.model.dtype == "float64" else training

    monkeypatch.setattr(gg.Trainer, "_evaluation", wrong)
    result = gg.verify(model_of(gg.Dense(7, activation="tanh"), gg.Dense(4)), X, LABELS, numerical=True)
    assert not result.ok
    assert {row.quantity for row in result.failures} == {"dW numerically", "db numerically"}
    assert "NOT as the reference computes it: dense dW numerically" in capsys.readouterr().out


def test_numerical_is_a_flag():
    with pytest.raises(TypeError, match="numerical must be True or False; given 1"):
        gg.verify(model_of(gg.Dense(4)), X, LABELS, numerical=1)
