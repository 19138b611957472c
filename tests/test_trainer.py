"""Trainer: what a fit does to weights, history and the trainer itself, and what it does when something is wrong."""

import math
import os
import signal
import sys
import threading
from io import StringIO

import numpy as np
import pytest

import ganglion as gg
from ganglion.errors import TrainingDivergedError

RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=(50, 4)).astype(np.float32)
LABELS = (X[:, 0] + X[:, 1] > 0).astype(np.int64) + (X[:, 2] > 1)
VALUES = (X @ [[1.0, 0.5], [-1.0, 0.0], [0.0, 2.0], [0.3, -0.3]]).astype(np.float32)


def classifier(**options):
    return gg.Sequential(gg.Dense(8, "tanh", input_shape=(4,)), gg.Dense(3), **options)


def regressor(outputs=2, **options):
    return gg.Sequential(gg.Dense(8, "tanh", input_shape=(4,)), gg.Dense(outputs), **options)


def weights_after(model, *fits, optimizer="adam", loss="cross_entropy", y=LABELS):
    trainer = gg.Trainer(model, loss, optimizer)
    for options in fits:
        trainer.fit(X, y, **{"verbose": 0, **options})
    return model.get_weights()


def assert_same(weights, others):
    for one, other in zip(weights, others, strict=True):
        np.testing.assert_array_equal(one, other)


def test_history():
    trainer = gg.Trainer(classifier(), "cross_entropy", metrics=["accuracy"])
    history = trainer.fit(X, LABELS, epochs=5, batch_size=16, validation_split=0.2, verbose=0)
    assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert {len(values) for values in history.history.values()} == {5}
    assert {type(value) for values in history.history.values() for value in values} == {float}
    assert history.epoch == [0, 1, 2, 3, 4]
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert history.seconds > 0
    assert history.report.steps == 3  # 40 rows, one epoch a run
    held_out = trainer.evaluate(X[40:], LABELS[40:])
    assert held_out == {"loss": history.history["val_loss"][-1], "accuracy": history.history["val_accuracy"][-1]}
    assert repr(history).startswith("History(5 epochs in ")
    assert f"val_accuracy {held_out['accuracy']:.4g})" in repr(history)


def test_epochs_are_one_run_where_nobody_waits_for_their_ends():
    history = gg.Trainer(classifier(), "cross_entropy").fit(X, LABELS, epochs=6, batch_size=20, verbose=0)
    assert history.report.steps == 18
    assert len(history.history["loss"]) == 6


@pytest.mark.parametrize("optimizer", ["adam", gg.SGD(0.1, momentum=0.9), gg.SGD(gg.LinearDecay(0.1, 0.0, 12))])
@pytest.mark.parametrize(
    "fits",
    [
        [{"epochs": 1}, {"epochs": 3}],
        [{"epochs": 1}] * 4,
        [{"epochs": 4, "verbose": 2}],
        [{"epochs": 4, "verbose": 1}],
        [{"epochs": 4, "validation_data": (X, LABELS)}],
        [{"epochs": 4, "validation_data": (X, np.eye(3)[LABELS])}],
        [{"epochs": 2}, {"epochs": 0}, {"epochs": 2}],
    ],
    ids=["1+3", "1+1+1+1", "verbose 2", "verbose 1", "validation", "one-hot validation", "2+0+2"],
)
def test_the_bits_do_not_depend_on_how_the_epochs_are_cut(optimizer, fits):
    once = weights_after(classifier(), {"epochs": 4, "batch_size": 20}, optimizer=optimizer)
    assert_same(once, weights_after(classifier(), *({"batch_size": 20} | fit for fit in fits), optimizer=optimizer))


@pytest.mark.parametrize(
    "target", [LABELS.tolist(), LABELS[:, None], LABELS.astype(float), np.eye(3, dtype=bool)[LABELS]]
)
def test_targets_of_one_meaning_give_the_same_bits(target):
    once = weights_after(classifier(), {"epochs": 3})
    assert_same(once, weights_after(classifier(), {"epochs": 3}, y=target))


def test_moments_survive_a_change_of_the_kind_of_targets():
    trainer = gg.Trainer(classifier(), "cross_entropy", "adam")
    for y in (LABELS, np.eye(3)[LABELS], LABELS):
        trainer.fit(X, y, verbose=0)
    assert_same(weights_after(classifier(), {"epochs": 3}), trainer.model.get_weights())


def test_targets_of_one_column_match_one_output():
    one = weights_after(regressor(1), {"epochs": 2}, loss="mse", y=VALUES[:, 0])
    other = weights_after(regressor(1), {"epochs": 2}, loss="mean_squared_error", y=VALUES[:, :1])
    assert_same(one, other)


def test_shuffle():
    still = weights_after(classifier(), {"epochs": 2, "shuffle": False})
    assert_same(still, weights_after(classifier(), {"epochs": 2, "shuffle": False}))
    shuffled = weights_after(classifier(seed=0), {"epochs": 2})
    assert not np.array_equal(still[0], shuffled[0])
    assert_same(shuffled, weights_after(classifier(seed=0), {"epochs": 2}))


def test_a_batch_larger_than_the_data_is_all_of_it():
    assert_same(weights_after(classifier(), {"batch_size": 10**9}), weights_after(classifier(), {"batch_size": 50}))


def test_the_last_rows_are_held_out():
    split = classifier()
    gg.Trainer(split, "cross_entropy").fit(X, LABELS, epochs=2, validation_split=0.3, verbose=0)
    alone = classifier()
    gg.Trainer(alone, "cross_entropy").fit(X[:35], LABELS[:35], epochs=2, verbose=0)
    assert_same(alone.get_weights(), split.get_weights())


def test_fit_makes_the_sizes_of_an_open_model():
    model = gg.Sequential(gg.Dense(8, "tanh"), gg.Dense(3))
    assert_same(weights_after(classifier(), {}), weights_after(model, {}))
    assert model.input_shape == (4,)


@pytest.mark.parametrize("threads", [None, 1, 2, 3])
def test_threads(threads):
    trainer = gg.Trainer(classifier(), "cross_entropy", threads=threads)
    history = trainer.fit(np.tile(X, (20, 1)), np.tile(LABELS, 20), batch_size=1000, verbose=0)
    if threads is not None:
        assert history.report.team == threads
    assert_same(
        trainer.model.get_weights(),
        weights_after_tiled(),
    )


def weights_after_tiled():
    trainer = gg.Trainer(classifier(), "cross_entropy")
    trainer.fit(np.tile(X, (20, 1)), np.tile(LABELS, 20), batch_size=1000, verbose=0)
    return trainer.model.get_weights()


def test_evaluate_cross_entropy():
    model = classifier(dtype="float64")
    z = model.predict(X)
    log_p = z - z.max(axis=1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    trainer = gg.Trainer(model, gg.CrossEntropy(), metrics=("accuracy",))
    for y in (LABELS, np.eye(3)[LABELS]):
        result = trainer.evaluate(X, y)
        assert result["loss"] == pytest.approx(-log_p[np.arange(50), LABELS].mean(), rel=1e-12)
        assert result["accuracy"] == pytest.approx((z.argmax(axis=1) == LABELS).mean(), rel=1e-12)


def test_a_final_softmax_is_not_applied_twice():
    with_softmax = gg.Sequential(gg.Dense(8, "tanh", input_shape=(4,)), gg.Dense(3, "softmax"))
    assert_same(weights_after(classifier(), {"epochs": 2}), weights_after(with_softmax, {"epochs": 2}))
    as_layer = gg.Sequential(gg.Dense(8, "tanh", input_shape=(4,)), gg.Dense(3), gg.Softmax())
    losses = [gg.Trainer(model, "cross_entropy").evaluate(X, LABELS) for model in (with_softmax, as_layer)]
    assert losses[0] != losses[1]  # one is trained
    assert losses[1] == gg.Trainer(classifier(), "cross_entropy").evaluate(X, LABELS)


@pytest.mark.parametrize("outputs", [1, 2])
def test_evaluate_mean_squared_error(outputs):
    model = regressor(outputs, dtype="float64")
    result = gg.Trainer(model, "mse", metrics=["accuracy"]).evaluate(X, VALUES[:, :outputs])
    z = model.predict(X)
    assert result["loss"] == pytest.approx(((z - VALUES[:, :outputs]) ** 2).mean(), rel=1e-12)
    classes, targets = z.argmax(axis=1), VALUES.argmax(axis=1)
    if outputs == 1:
        classes, targets = z[:, 0] > 0.5, VALUES[:, 0] > 0.5
    assert result["accuracy"] == pytest.approx((classes == targets).mean(), rel=1e-12)


def test_evaluate_changes_nothing():
    model = classifier()
    before = model.get_weights()
    trainer = gg.Trainer(model, "cross_entropy")
    trainer.evaluate(X, LABELS)
    trainer.evaluate(X, np.eye(3)[LABELS])
    assert_same(before, model.get_weights())
    trainer.fit(X, LABELS, verbose=0)
    assert_same(weights_after(classifier(), {}), model.get_weights())


def test_train_on_batch_is_a_step():
    trainer = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.1))
    before = trainer.evaluate(X, LABELS)["loss"]
    loss = trainer.train_on_batch(X, LABELS)
    assert type(loss) is float
    assert loss == pytest.approx(before, rel=1e-6)
    assert trainer.evaluate(X, LABELS)["loss"] < before
    once = weights_after(classifier(), {"batch_size": 50, "shuffle": False}, optimizer=gg.SGD(0.1))
    assert_same(once, trainer.model.get_weights())


def test_predict_is_the_model_s():
    trainer = gg.Trainer(classifier(), "cross_entropy", threads=1)
    np.testing.assert_array_equal(trainer.predict(X), trainer.model.predict(X))


def test_plain_sgd_is_the_formula():
    x, y = np.array([[2.0]]), np.array([3.0])
    model = gg.Sequential(gg.Dense(1, kernel_initializer="zeros", input_shape=(1,)), dtype="float64")
    gg.Trainer(model, "mse", gg.SGD(0.25, weight_decay=0.5)).fit(x, y, epochs=2, verbose=0)
    w = b = 0.0
    for _ in range(2):
        d = 2 * (2 * w + b - 3)
        w, b = w - 0.25 * (2 * d + 0.5 * w), b - 0.25 * (d + 0.5 * b)
    assert model.parameters()[0].item() == w
    assert model.parameters()[1].item() == b


def test_uint8_is_taken():
    x = RANDOM.integers(0, 255, size=(20, 4), dtype=np.uint8)
    trainers = [gg.Trainer(regressor(1), "mse") for _ in range(2)]
    for trainer, given in zip(trainers, (x, x.astype(np.float32)), strict=True):
        trainer.fit(given, np.arange(20), verbose=0)
    assert_same(trainers[0].model.get_weights(), trainers[1].model.get_weights())


def test_repr():
    trainer = gg.Trainer(classifier(), "mse", gg.SGD(0.5), ["accuracy"])
    assert repr(trainer).endswith("), MeanSquaredError(), SGD(learning_rate=0.5), metrics=['accuracy'], threads=None)")


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
    before = model.get_weights()
    with pytest.raises(ValueError, match="row 47, column 2"):
        trainer.fit(x, LABELS, epochs=3, batch_size=5, shuffle=False, verbose=verbose)
    assert_same(before, model.get_weights())
    with pytest.raises(ValueError, match="row 47, column 2"):
        trainer.train_on_batch(x, LABELS)
    with pytest.raises(ValueError, match="row 47, column 2"):
        trainer.evaluate(x, LABELS)
    assert_same(before, model.get_weights())
    trainer.fit(X, LABELS, verbose=0)
    assert_same(weights_after(classifier(), {"epochs": 2}), model.get_weights())  # moments and counters too


@pytest.mark.parametrize("x", BAD_FEATURES, ids=["nan", "inf", "overflow"])
def test_held_out_features_are_checked_before_the_first_step(x):
    open_model = gg.Sequential(gg.Dense(3))
    trainer = gg.Trainer(open_model, "cross_entropy")
    with pytest.raises(ValueError, match=r"^x must be finite; given .* at row 47, column 2"):
        trainer.fit(x, LABELS, validation_split=0.1, verbose=0)
    with pytest.raises(ValueError, match=r"^validation_data\[0\] must be finite; given .* at row 47, column 2"):
        trainer.fit(X, LABELS, validation_data=(x, LABELS), verbose=0)
    assert open_model.input_shape is None


def test_divergence_keeps_the_last_good_step():
    model = regressor()
    trainer = gg.Trainer(model, "mse", gg.SGD(1e6))
    with pytest.raises(TrainingDivergedError, match=r"step \d+"):
        trainer.fit(1e6 * X, VALUES, epochs=50, verbose=0)
    assert all(np.isfinite(weights).all() for weights in model.get_weights())
    assert not np.array_equal(model.get_weights()[0], regressor().get_weights()[0])


WRONG = [
    ({"epochs": -1}, ValueError, "epochs must be at least 0; given -1"),
    ({"epochs": 2.0}, TypeError, "epochs must be an integer; given 2.0 of type float"),
    ({"epochs": True}, TypeError, "epochs must be an integer; given True of type bool"),
    ({"batch_size": 0}, ValueError, "batch_size must be at least 1; given 0"),
    ({"batch_size": -1}, ValueError, "batch_size must be at least 1; given -1"),
    ({"batch_size": "32"}, TypeError, "batch_size must be an integer; given '32' of type str"),
    ({"shuffle": 1}, TypeError, "shuffle must be True or False; given 1"),
    ({"verbose": 3}, ValueError, "verbose must be 'auto', 0, 1 or 2; given 3"),
    ({"verbose": "yes"}, ValueError, "verbose must be 'auto', 0, 1 or 2; given 'yes'"),
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
        r"validation_data\[1\] must hold labels 0 to 2, .*pass validation",
    ),
    (
        {"validation_data": (X[:0], LABELS[:0])},
        ValueError,
        r"validation_data\[0\] must have at least one row; given \(0, 4\)",
    ),
    ({"y": LABELS[:-1]}, ValueError, "x and y must have as many rows; x has 50, y has 49"),
    ({"y": LABELS + 1}, ValueError, "y must hold labels 0 to 2, .*if they start at 1, pass y - 1"),
    ({"y": LABELS + 0.5}, ValueError, "y must hold whole numbers, the labels; given .* at row 0"),
    (
        {"y": np.eye(4)[LABELS]},
        ValueError,
        r"labels of shape \(n,\) or one-hot rows of shape \(n, 3\).* given \(50, 4\)",
    ),
    ({"y": np.ones((50, 3))}, ValueError, "y must have rows that sum to 1; row 0 sums to 3"),
    ({"y": 3}, ValueError, r"y must hold labels of shape \(n,\) or one-hot rows .*given \(\)"),
    ({"y": ["a"] * 50}, TypeError, "y must be an array of real numbers; given list of dtype <U1"),
    ({"x": X[:0], "y": LABELS[:0]}, ValueError, r"x must have at least one row; given \(0, 4\)"),
    ({"x": X[:, :3]}, ValueError, r"x must have shape \(n, 4\)"),
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
            np.where(VALUES == VALUES[3, 1], np.nan, VALUES),
            ValueError,
            "y must be finite; given nan at row 3, column 1",
        ),
        (
            2,
            np.where(VALUES == VALUES[3, 1], -np.inf, VALUES),
            ValueError,
            "y must be finite; given -inf at row 3, column 1",
        ),
        (2, VALUES.astype(np.float64) * 1e39, ValueError, "that overflows float32: rescale it"),
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
            "unknown loss 'msle'; known: cross_entropy, mse, mean_squared_error; did you",
        ),
        (
            (classifier(), "categorical_crossentropy"),
            ValueError,
            "unknown loss 'categorical_crossentropy'; known: cross_e",
        ),
        ((classifier(), gg.CrossEntropy), TypeError, r"given the class itself: write CrossEntropy\(\)"),
        (
            (classifier(), "mse", "adamm"),
            ValueError,
            "unknown optimizer 'adamm'; known: sgd, adam; did you mean 'adam'",
        ),
        ((classifier(), "mse", 0.1), TypeError, "optimizer must be the name of an optimizer .*given 0.1"),
        (
            (classifier(), "mse", "adam", "accuracy"),
            TypeError,
            r"metrics must be a list, like \['accuracy'\]; given 'acc",
        ),
        ((classifier(), "mse", "adam", ["auc"]), ValueError, "unknown metric 'auc'; known: accuracy"),
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
        (1.0, TypeError, "threads must be an integer; given 1.0"),
    ],
)
def test_wrong_threads(threads, error, message):
    with pytest.raises(error, match=message):
        gg.Trainer(classifier(), "mse", threads=threads)


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


@pytest.mark.parametrize("verbose", [0, 1])
def test_an_interrupt_leaves_a_usable_model(verbose, capsys):
    trainer = gg.Trainer(classifier(), "cross_entropy")
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(X, LABELS, epochs=10**7, batch_size=1, verbose=verbose)
    timer.join()
    assert not np.array_equal(trainer.model.get_weights()[0], classifier().get_weights()[0])
    assert math.isfinite(trainer.evaluate(X, LABELS)["loss"])
    trainer.fit(X, LABELS, verbose=0)
    assert verbose == 0 or capsys.readouterr().out.endswith("\n")


def test_no_epochs():
    history = gg.Trainer(classifier(), "cross_entropy", metrics=["accuracy"]).fit(X, LABELS, epochs=0)
    assert history.history == {"loss": [], "accuracy": []}
    assert (history.epoch, history.report) == ([], None)
    assert repr(history).startswith("History(0 epochs in ")


def test_plot_draws_the_curves():
    pytest.importorskip("matplotlib").use("agg")
    history = gg.Trainer(classifier(), "cross_entropy").fit(X, LABELS, epochs=2, validation_split=0.2, verbose=0)
    (panel,) = history.plot()
    drawn = [line.get_ydata().tolist() for line in panel.lines]
    assert history.history["loss"] in drawn
    assert history.history["val_loss"] in drawn
