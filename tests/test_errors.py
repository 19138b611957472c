"""What is refused and what goes wrong in training, with the text that says so; and the exceptions' families."""

import math
import re
import sys
import threading
from io import StringIO

import numpy as np
import pytest

import ganglion as gg
from ganglion import _native, errors
from ganglion.errors import TrainingDivergedError
from small_models import LABELS, VALUES, X, assert_same, classifier, regressor, weights_after


@pytest.mark.parametrize(
    ("error", "bases"),
    [
        (errors.NotFittedError, (ValueError, AttributeError)),
        (errors.TrainingDivergedError, (FloatingPointError,)),
        (errors.CheckpointError, (ValueError,)),
        (errors.CheckpointVersionError, (errors.CheckpointError, ValueError)),
        (_native.NonFiniteInputError, (ValueError,)),
    ],
)
def test_bases(error, bases):
    for base in bases:
        assert issubclass(error, base)


def test_the_module_names_what_it_has():
    assert gg.errors is errors
    assert sorted(errors.__all__) == [name for name in sorted(vars(errors)) if isinstance(getattr(errors, name), type)]


def with_value(value, row, column, dtype=np.float32):
    x = X.astype(dtype)
    x[row, column] = value
    return x


BAD_FEATURES = [
    with_value(np.nan, 47, 2),
    with_value(-np.inf, 47, 2),
    with_value(1e300, 47, 2, np.float64),
]


@pytest.mark.parametrize("x", BAD_FEATURES, ids=["nan", "inf", "overflow"])
@pytest.mark.parametrize("verbose", [0, 2])
def test_bad_features_found_on_the_way_leave_all_as_it_was(x, verbose):
    model = classifier()
    trainer = gg.Trainer(model, "cross_entropy", metrics=["accuracy"])
    trainer.fit(X, LABELS, verbose=0)
    before, views = model.get_weights(), model.parameters()
    with pytest.raises(ValueError, match=r"x\[47, 2\] is "):
        trainer.fit(x, LABELS, epochs=3, batch_size=5, shuffle=False, verbose=verbose)
    assert_same(before, model.get_weights())
    with pytest.raises(ValueError, match=r"x\[47, 2\] is "):
        trainer.train_on_batch(x, LABELS)
    with pytest.raises(ValueError, match=r"x\[47, 2\] is "):
        trainer.evaluate(x, LABELS)
    assert_same(before, model.get_weights())
    trainer.fit(X, LABELS, verbose=0)
    assert_same(weights_after(classifier(), {"epochs": 2}), model.get_weights())  # moments and counters too
    with pytest.raises(ValueError, match=r"x\[47, 2\] is "):
        trainer.fit(x, LABELS, batch_size=5, shuffle=False, verbose=verbose)
    trainer.fit(X, LABELS, verbose=0)
    assert_same(weights_after(classifier(), {"epochs": 3}), model.get_weights())
    assert_same(views, model.get_weights())  # still live


@pytest.mark.parametrize("x", BAD_FEATURES, ids=["nan", "inf", "overflow"])
@pytest.mark.parametrize("use", ["fit", "train_on_batch", "evaluate"])
def test_bad_features_do_not_build_a_model(x, use):
    model = gg.Sequential(gg.Dense(8, "tanh"), gg.Dense(3))
    trainer = gg.Trainer(model, "cross_entropy")
    with pytest.raises(ValueError, match=r"x\[47, 2\] is "):
        getattr(trainer, use)(x, LABELS)
    assert (model.input_shape, trainer.history) == (None, None)
    trainer.fit(X[:, :3], LABELS, verbose=0)  # of another width
    assert model.input_shape == (3,)
    assert math.isfinite(trainer.evaluate(X[:, :3], LABELS)["loss"])


@pytest.mark.parametrize("x", BAD_FEATURES, ids=["nan", "inf", "overflow"])
def test_held_out_features_are_checked_before_the_first_step(x):
    open_model = gg.Sequential(gg.Dense(3))
    trainer = gg.Trainer(open_model, "cross_entropy")
    with pytest.raises(ValueError, match=r"^x must be finite; x\[47, 2\] is "):
        trainer.fit(x, LABELS, validation_split=0.1, verbose=0)
    with pytest.raises(ValueError, match=r"^validation_data\[0\] must be finite; validation_data\[0\]\[47, 2\] is "):
        trainer.fit(X, LABELS, validation_data=(x, LABELS), verbose=0)
    assert open_model.input_shape is None


def test_divergence_keeps_the_last_good_step():
    model, same = (gg.Sequential(gg.Dense(2, name="top", input_shape=(4,))) for _ in range(2))
    trainer = gg.Trainer(model, "mse", gg.SGD(10.0))
    with pytest.raises(TrainingDivergedError, match=r"step \d+.*top|top.*step \d+") as caught:
        trainer.fit(X, VALUES, epochs=100, batch_size=50, verbose=2)
    assert all(np.isfinite(weights).all() for weights in model.get_weights())
    steps = int(re.search(r"step (\d+)", str(caught.value))[1])
    assert len(trainer.history.history["loss"]) == len(trainer.history.epoch) == steps - 1
    gg.Trainer(same, "mse", gg.SGD(10.0)).fit(X, VALUES, epochs=steps - 1, batch_size=50, verbose=0)
    assert_same(same.get_weights(), model.get_weights())


WRONG = [
    ({"epochs": -1}, ValueError, "epochs must be at least 0; given -1"),
    ({"epochs": 2.0}, TypeError, "epochs must be an integer; given 2.0 of type float"),
    ({"epochs": 10**19}, ValueError, "epochs must be at most 2147483647; given 10000000000000000000"),
    ({"batch_size": 10**19}, ValueError, "batch_size must be at most 2147483647; given 10000000000000000000"),
    ({"epochs": True}, TypeError, "epochs must be an integer; given True of type bool"),
    ({"batch_size": 0}, ValueError, "batch_size must be at least 1; given 0"),
    ({"batch_size": -1}, ValueError, "batch_size must be at least 1; given -1"),
    ({"batch_size": "32"}, TypeError, "batch_size must be an integer; given '32' of type str"),
    ({"shuffle": 1}, TypeError, "shuffle must be True or False; given 1"),
    ({"verbose": 3}, ValueError, "verbose must be 'auto', 0, 1 or 2; given 3"),
    ({"verbose": "yes"}, ValueError, "verbose must be 'auto', 0, 1 or 2; given 'yes'"),
    ({"verbose": np.array([1, 2])}, ValueError, r"verbose must be 'auto', 0, 1 or 2; given array\(\[1, 2\]\)"),
    ({"verbose": 1.0}, ValueError, "verbose must be 'auto', 0, 1 or 2; given 1.0"),
    ({"verbose": None}, ValueError, "verbose must be 'auto', 0, 1 or 2; given None"),
    ({"validation_split": 1}, ValueError, "validation_split must be finite and >= 0 and < 1; given 1"),
    ({"validation_split": -0.1}, ValueError, "validation_split must be finite and >= 0 and < 1; given -0.1"),
    ({"validation_split": "0.1"}, TypeError, "validation_split must be a number; given '0.1'"),
    ({"validation_split": 1e-20}, ValueError, "validation_split 1e-20 of 50 rows leaves none on one side"),
    ({"validation_split": 0.99}, ValueError, "validation_split 0.99 of 50 rows leaves none on one side"),
    (
        {"validation_split": 0.1, "validation_data": (X, LABELS)},
        ValueError,
        "give validation_split or validation_data, not",
    ),
    ({"validation_data": X}, ValueError, r"validation_data must be a pair \(x, y\); given ndarray"),
    ({"validation_data": (X, LABELS, LABELS)}, ValueError, r"must be a pair \(x, y\); given tuple of length 3"),
    ({"validation_data": (X[:3], LABELS)}, ValueError, r"validation_data\[0\] has 3, validation_data\[1\] has 50"),
    ({"validation_data": (X[:, :3], LABELS)}, ValueError, r"validation_data\[0\] must have .* given \(50, 3\)"),
    (
        {"validation_data": (X, LABELS + 1)},
        ValueError,
        r"validation_data\[1\]\[\d+\] is 3; .*pass validation",
    ),
    (
        {"validation_data": (X[:0], LABELS[:0])},
        ValueError,
        r"validation_data\[0\] must have at least one row; given \(0, 4\)",
    ),
    ({"y": LABELS[:-1]}, ValueError, "x and y must have as many rows; x has 50, y has 49"),
    ({"y": LABELS + 1}, ValueError, r"^y must hold labels 0 to 2.*y\[\d+\] is 3; if yours start at 1, pass y - 1"),
    ({"y": LABELS + 0.5}, ValueError, r"y\[0\] is .\.5, not a whole number"),
    (
        {"y": np.eye(4)[LABELS]},
        ValueError,
        r"labels of shape \(n,\) or one-hot rows of shape \(n, 3\).* given \(50, 4\)",
    ),
    ({"y": np.ones((50, 3))}, ValueError, r"y\[0\] sums to 3, not 1"),
    ({"y": 3}, ValueError, r"y must hold labels of shape \(n,\) or one-hot rows .*given \(\)"),
    ({"y": ["a"] * 50}, TypeError, r"^y must .* given text; .*: names, labels = np.unique\(y, return_inverse=True\)"),
    ({"y": None}, TypeError, "^y is missing: give one target for each row; given None"),
    ({"validation_data": (X, None)}, TypeError, r"^validation_data\[1\] is missing: "),
    ({"x": X[:0], "y": LABELS[:0]}, ValueError, r"x must have at least one row; given \(0, 4\)"),
    ({"x": X[:, :3]}, ValueError, r"x must have shape \(n, 4\)"),
    ({"initial_epoch": -1}, ValueError, "^initial_epoch must be at least 0; given -1$"),
    ({"initial_epoch": 1.0}, TypeError, "^initial_epoch must be an integer; given 1.0 of type float$"),
    (
        {"initial_epoch": 4, "epochs": 3},
        ValueError,
        "^initial_epoch must be at most epochs, 3, where the fit ends; given 4$",
    ),
    ({"x": np.sum}, TypeError, r"^x must be an array of real numbers; given a function; pass what it gives, x\(\)$"),
]


@pytest.mark.parametrize(("options", "error", "message"), WRONG)
def test_wrong_arguments_of_fit(options, error, message, capsys):
    model = classifier()
    before = model.get_weights()
    with pytest.raises(error, match=message):
        gg.Trainer(model, "cross_entropy").fit(**{"x": X, "y": LABELS, **options})
    assert_same(before, model.get_weights())
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("outputs", "y", "error", "message"),
    [
        (
            2,
            VALUES[:, 0],
            ValueError,
            r"y must have the shape of the outputs, \(n, 2\); given \(50,\); for classes pass one",
        ),
        (1, VALUES, ValueError, r"y must have the shape of the outputs, \(n, 1\); given \(50, 2\)$"),
        (2, VALUES[:, :1], ValueError, r"y must have the shape of the outputs, \(n, 2\); given \(50, 1\)$"),
        (2, VALUES[:, :, None], ValueError, r"\(n, 2\); given \(50, 2, 1\)$"),
        (
            2,
            np.where(VALUES[3, 1] == VALUES, np.nan, VALUES),
            ValueError,
            r"^y must be finite; y\[3, 1\] is nan",
        ),
        (
            2,
            np.where(VALUES[3, 1] == VALUES, -np.inf, VALUES),
            ValueError,
            r"^y must be finite; y\[3, 1\] is -inf",
        ),
        (2, VALUES.astype(np.float64) * 1e39, ValueError, r"y\[0, 0\] is .*; too large for float32: rescale"),
        (2, VALUES.astype(np.complex64), TypeError, "given ndarray of dtype complex64"),
    ],
)
def test_wrong_targets_of_mean_squared_error(outputs, y, error, message):
    trainer = gg.Trainer(regressor(outputs), "mse")
    for use in (trainer.fit, trainer.evaluate, trainer.train_on_batch):
        with pytest.raises(error, match=message):
            use(X, y)


def test_cross_entropy_of_one_output_is_refused():
    with pytest.raises(ValueError, match=r"at least 2; the model has 1: end it in Dense\(2\) for two classes"):
        gg.Trainer(regressor(1), "cross_entropy").fit(X, LABELS)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3, "mse"), TypeError, "model must be a Sequential; given 3 of type int"),
        (
            (classifier(), "msle"),
            ValueError,
            "unknown loss 'msle'; known: cross_entropy, categorical_crossentropy, .*; did you mean 'mse'",
        ),
        ((classifier(), "bce"), ValueError, "unknown loss 'bce'; known: .*; use 'binary_cross_entropy', which takes"),
        ((classifier(), gg.CrossEntropy), TypeError, r"given the class itself: write CrossEntropy\(\)"),
        (
            (classifier(), "mse", "adamm"),
            ValueError,
            "unknown optimizer 'adamm'; known: sgd, adam, adamw, rmsprop, adagrad; did you mean 'adam",
        ),
        ((classifier(), "mse", 0.1), TypeError, "optimizer must be the name of an optimizer .*given 0.1"),
        (
            (classifier(), "mse", "adam", "accuracy"),
            TypeError,
            r"metrics must be a list, like \['accuracy'\]; given 'acc",
        ),
        (
            (classifier(), "mse", "adam", ["aucc"]),
            ValueError,
            "unknown metric 'aucc'; known: accuracy, .*; did you mean 'auc'",
        ),
        (
            (classifier(), "mse", "adam", ["accuracy"] * 2),
            ValueError,
            r"metrics must not repeat; given \['accuracy', 'acc",
        ),
    ],
)
def test_wrong_arguments_of_trainer(arguments, error, message):
    with pytest.raises(error, match=message):
        gg.Trainer(*arguments)


@pytest.mark.parametrize(
    ("threads", "error", "message"),
    [
        (0, ValueError, "threads must be at least 1; given 0"),
        (1025, ValueError, "threads must be at most 1024; given 1025"),
        (2**31, ValueError, "threads must be at most 1024; given 2147483648"),
        (1.5, TypeError, "threads must be an integer; given 1.5 of type float"),
        ("2", TypeError, "threads must be an integer; given '2' of type str"),
        (True, TypeError, "threads must be an integer; given True of type bool"),
    ],
)
def test_wrong_threads(threads, error, message):
    with pytest.raises(error, match=message):
        gg.Trainer(classifier(), "mse", threads=threads)
    with pytest.raises(error, match=message):
        classifier().predict(X, threads=threads)


class Listener(StringIO):
    """A standard output that calls somebody at each line."""

    def __init__(self, call):
        super().__init__()
        self.call = call

    def write(self, text):
        if text.startswith("epoch"):
            self.call()
        return len(text)


@pytest.mark.parametrize(
    ("use", "action"),
    [
        (lambda trainer: trainer.fit(X, LABELS, verbose=0), "fit"),
        (lambda trainer: trainer.train_on_batch(X, LABELS), "train_on_batch"),
        (lambda trainer: trainer.evaluate(X, LABELS), "evaluate"),
        (lambda trainer: gg.Trainer(trainer.model, "mse").fit(X, np.eye(3)[LABELS], verbose=0), "fit"),
        (lambda trainer: trainer.model.set_weights(trainer.model.get_weights()), "load weights"),
    ],
    ids=["fit", "train_on_batch", "evaluate", "another trainer", "set_weights"],
)
@pytest.mark.parametrize("where", ["inside", "another thread"])
def test_one_training_at_a_time(use, action, where, monkeypatch):
    trainer = gg.Trainer(classifier(), "cross_entropy")
    seen = []

    def attempt():
        try:
            use(trainer)
        except Exception as error:
            seen.append(error)

    def interfere():
        if where == "inside":
            attempt()
        else:
            thread = threading.Thread(target=attempt)
            thread.start()
            thread.join()

    monkeypatch.setattr(sys, "stdout", Listener(interfere))
    trainer.fit(X, LABELS, epochs=2, verbose=2)
    assert [type(error) for error in seen] == [RuntimeError] * 2
    assert str(seen[0]).startswith(f"cannot {action}: this model is being trained or evaluated")
    assert_same(weights_after(classifier(), {"epochs": 2}), trainer.model.get_weights())
    trainer.fit(X, LABELS, verbose=0)


def test_different_models_train_at_the_same_time():
    x, y = np.tile(X, (20, 1)), np.tile(LABELS, 20)
    models = [classifier() for _ in range(4)]
    trainers = [gg.Trainer(model, "cross_entropy", threads=1 + i % 2) for i, model in enumerate(models)]
    threads = [
        threading.Thread(target=trainer.fit, args=(x, y), kwargs={"epochs": 3, "verbose": 0}) for trainer in trainers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = classifier()
    gg.Trainer(alone, "cross_entropy").fit(x, y, epochs=3, verbose=0)
    for model in models:
        assert_same(alone.get_weights(), model.get_weights())


def test_an_exception_of_the_output_stops_the_fit_and_frees_the_model(monkeypatch):
    def broken():
        raise BrokenPipeError

    trainer = gg.Trainer(classifier(), "cross_entropy")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Listener(broken))
        with pytest.raises(BrokenPipeError):
            trainer.fit(X, LABELS, epochs=3, verbose=2)
    assert math.isfinite(trainer.evaluate(X, LABELS)["loss"])
